"""A change with its interval, drawn around zero: less is at the left, and better here."""

import math

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from kataui.isolation.experiment import Answer, Effect
from kataui.ui import theme
from kataui.ui.widgets.graphpainter import graph_painter
from kataui.ui.words import tr

_WIDE_U, _HIGH_U = 40.0, 5.0
_DOT_PX, _CAP_PX = 3.5, 4.0
_ROLES = {Answer.BETTER: "pass.text", Answer.WORSE: "fail.text"}


class Whisker(QWidget):
    """``scale`` is the change at either end; all whiskers of one unit share it."""

    def __init__(self) -> None:
        super().__init__()
        self.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # more is right
        self._effect: Effect | None = None
        self._scale = 1.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_effect(self, effect: Effect, scale: float, words: str) -> None:
        """Show a change; ``words`` are for who cannot see it, and for the tool tip."""
        self._effect, self._scale = effect, max(scale, 1e-9)
        self.setAccessibleName(tr(words))
        self.setToolTip(tr(words))
        self.update()

    def sizeHint(self) -> QSize:
        """A line high."""
        return QSize(theme.u(_WIDE_U), theme.u(_HIGH_U))

    def minimumSizeHint(self) -> QSize:
        """Narrow enough for a narrow window."""
        return QSize(theme.u(_WIDE_U / 2), theme.u(_HIGH_U))

    def _x(self, value: float) -> float:
        half = self.width() / 2 - _DOT_PX - 1
        return self.width() / 2 + half * max(-1.0, min(1.0, value / self._scale))

    def paintEvent(self, _: QPaintEvent) -> None:
        """Zero, the interval with its ends, and the change as a dot."""
        painter = graph_painter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = self.height() / 2
        painter.setPen(QPen(theme.color("line"), 1))
        painter.drawLine(QPointF(0, middle), QPointF(self.width(), middle))
        painter.setPen(QPen(theme.color("control"), 1))
        painter.drawLine(QPointF(self.width() / 2, 0), QPointF(self.width() / 2, self.height()))
        found = self._effect
        if found is not None and not math.isnan(found.change):
            color = theme.color(_ROLES.get(found.answer, "text_secondary"))
            painter.setPen(QPen(color, 2))
            low, high = self._x(found.low), self._x(found.high)
            painter.drawLine(QPointF(low, middle), QPointF(high, middle))
            for x in (low, high):
                painter.drawLine(QPointF(x, middle - _CAP_PX), QPointF(x, middle + _CAP_PX))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color)
            painter.drawEllipse(QPointF(self._x(found.change), middle), _DOT_PX, _DOT_PX)
        painter.end()
