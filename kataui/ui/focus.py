"""A focus ring that is seen on every control, drawn only for those who use the keyboard.

A style sheet's ``outline`` is cut off on filled buttons and check boxes; Qt's focus frame is not.
"""

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QFocusFrame,
    QProxyStyle,
    QScrollArea,
    QStyle,
    QStyleOption,
    QWidget,
)

from kataui.ui import theme

_MARGIN_PX = 4
_MARGINS = (QStyle.PixelMetric.PM_FocusFrameHMargin, QStyle.PixelMetric.PM_FocusFrameVMargin)


class _Style(QProxyStyle):
    """Gives the frame room around the control."""

    def pixelMetric(
        self,
        metric: QStyle.PixelMetric,
        option: QStyleOption | None = None,
        widget: QWidget | None = None,
    ) -> int:
        """The margins of a focus frame; everything else as before."""
        return _MARGIN_PX if metric in _MARGINS else super().pixelMetric(metric, option, widget)


class FocusRing(QFocusFrame):
    """Follows the focus in one window."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window  # the frame itself moves to where the focus is
        style = _Style("Fusion")
        style.setParent(self)
        self.setStyle(style)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._on_focus)

    def _on_focus(self, _: QWidget | None, now: QWidget | None) -> None:
        """Views mark their current line themselves; a click shows no ring."""
        clicked = QGuiApplication.mouseButtons() != Qt.MouseButton.NoButton
        plain = now is not None and not isinstance(now, QAbstractItemView | QScrollArea)
        inside = now is not None and now.window() is self._window
        target = now if plain and inside and not clicked else None
        self.setWidget(target)  # type: ignore[arg-type] # None takes the ring away
        self.setVisible(target is not None)

    def paintEvent(self, _: QPaintEvent) -> None:
        """Two pixels in the accent, with a radius a little larger than the control's."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color("focus"), 2))
        painter.drawRoundedRect(self.rect().adjusted(1, 1, -1, -1), 8, 8)
        painter.end()
