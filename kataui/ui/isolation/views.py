"""The views of a source, one at a time, above the time line."""

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QStackedWidget

from kataui.ui import theme

_VIEW_U = 95


class Views(QStackedWidget):
    """Takes the room that there is: what is higher scrolls inside, and the time line stays."""

    def __init__(self) -> None:
        super().__init__()
        self.currentChanged.connect(lambda _: self.updateGeometry())

    def hasHeightForWidth(self) -> bool:
        """Its pages would ask for all their rows."""
        return False

    def sizeHint(self) -> QSize:
        """The least that is of use, of the view that is shown."""
        view = self.currentWidget()
        return QSize(view.minimumSizeHint().width() if view else 0, theme.u(_VIEW_U))

    def minimumSizeHint(self) -> QSize:
        """The same."""
        return self.sizeHint()
