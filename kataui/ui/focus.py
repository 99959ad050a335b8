"""A focus ring that is seen on every control, drawn only for those who use the keyboard.

A style sheet's ``outline`` is cut off on filled buttons and check boxes; Qt's focus frame is not.
"""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QWindow
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QFocusFrame,
    QProxyStyle,
    QScrollArea,
    QStyle,
    QStyleHintReturn,
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

    def styleHint(
        self,
        hint: QStyle.StyleHint,
        option: QStyleOption | None = None,
        widget: QWidget | None = None,
        returnData: QStyleHintReturn | None = None,  # noqa: N803 - Qt's name
    ) -> int:
        """Above all widgets: a parent without margins would cut the frame off."""
        if hint is QStyle.StyleHint.SH_FocusFrame_AboveWidget:
            return 1
        return super().styleHint(hint, option, widget, returnData)


class _LastInput(QObject):
    """Whether the last thing that came to a window was a key, not a click."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.by_key = False
        self.clicked: Callable[[], None] = lambda: None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Look, and let everything through."""
        kind = event.type()
        if kind is QEvent.Type.KeyPress:
            self.by_key = True
        elif kind is QEvent.Type.MouseButtonPress:
            self.by_key = False
            self.clicked()
        return super().eventFilter(watched, event)


class FocusRing(QFocusFrame):
    """Follows the focus in one window, for those who use the keyboard.

    What a click does may move the focus long after the click: the last input counts.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window  # the frame itself moves to where the focus is
        style = _Style("Fusion")
        style.setParent(self)
        self.setStyle(style)
        self._input = _LastInput(self)
        self._input.clicked = self._hide
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._on_focus)
        self.hide()  # else the window would show it in its corner until something has the focus

    def watch(self, handle: QWindow) -> None:
        """Look at the input of the window's handle, which exists when it is first shown."""
        handle.installEventFilter(self._input)

    def _hide(self) -> None:
        self.setWidget(None)  # type: ignore[arg-type] # None takes the ring away
        self.hide()

    def _on_focus(self, _: QWidget | None, now: QWidget | None) -> None:
        """Views mark their current line themselves; a click shows no ring."""
        plain = now is not None and not isinstance(now, QAbstractItemView | QScrollArea)
        inside = now is not None and now.window() is self._window
        if now is not None and plain and inside and self._input.by_key:
            self.setWidget(now)
            self.show()
        else:
            self._hide()

    def paintEvent(self, _: QPaintEvent) -> None:
        """Two pixels in the accent, with a radius a little larger than the control's."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color("focus"), 2))
        painter.drawRoundedRect(self.rect().adjusted(1, 1, -1, -1), 8, 8)
        painter.end()
