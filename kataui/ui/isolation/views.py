"""The views of a source, one at a time, above the time line."""

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QStackedWidget

from kataui.ui import theme

_VIEW_U = 95


class Views(QStackedWidget):
    """Takes the room that there is: what is higher scrolls inside, and the time line stays."""

    def hasHeightForWidth(self) -> bool:
        """Its pages would ask for all their rows."""
        return False

    def sizeHint(self) -> QSize:
        """The least that is of use."""
        return QSize(super().minimumSizeHint().width(), theme.u(_VIEW_U))

    def minimumSizeHint(self) -> QSize:
        """The same."""
        return self.sizeHint()
