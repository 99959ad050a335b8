"""A button with a layout of its own inside: cards on the first page, lines of a list."""

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QLayout, QPushButton, QSizePolicy

from kataui.ui import theme
from kataui.ui.words import tr

_NARROWEST_U = 30


class BigButton(QPushButton):
    """As high as its layout needs at the present width; ``kind`` is "card" or "line"."""

    def __init__(
        self, layout: QLayout, on_click: Callable[[], object], *, kind: str, name: str, about: str
    ) -> None:
        super().__init__()
        self.setProperty("kind", kind)
        self.setAccessibleName(tr(name))
        self.setAccessibleDescription(tr(about))
        self.clicked.connect(lambda _checked: on_click())
        self.setLayout(layout)
        self._inner = layout
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """A button does not ask its layout by itself."""
        width = max(self.width(), theme.u(_NARROWEST_U))
        high = self._inner.heightForWidth(width) if self._inner.hasHeightForWidth() else 0
        return QSize(theme.u(2 * _NARROWEST_U), max(high, self._inner.sizeHint().height(), 0))

    def minimumSizeHint(self) -> QSize:
        """It may be narrow, but never cuts its words."""
        return QSize(theme.u(_NARROWEST_U), self.sizeHint().height())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter presses it, as the space bar does."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            if not event.isAutoRepeat():
                self.click()
            return
        super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width needs another height."""
        super().resizeEvent(event)
        self.updateGeometry()
