"""The strip of the time line: waiting over time, markers, and a window with two handles."""

import math
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from kataui.files import clean
from kataui.ui import theme
from kataui.ui.isolation import chartparts as parts
from kataui.ui.isolation import patterns, tips
from kataui.ui.isolation.chartparts import ChartSeries, Flag, Scale, Times, Values
from kataui.ui.widgets.graphpainter import graph_painter
from kataui.ui.words import tr

LEAST_S = 1.0  # the shortest window
_STEP_S, _LEAP_S = 1.0, 10.0
_LEAST_TOP = 5.0  # % of CPU time; less than this fills no strip
_AREA_STEP, _LINE_STEP, _AREA_ALPHA, _WINDOW_ALPHA = 3, 4, 90, 34
_HANDLE_U, _GRIP_U, _HEIGHT_U = 3.0, 5.0, 12.0
_RADIUS_PX = 3
_CHUNK = 32
_RING_PX = 4  # room for the focus ring of a handle
KEYS = frozenset({Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End})
BEGIN, END, BOTH = "begin", "end", "both"


class Handle(QWidget):
    """An end of the window: to be dragged, and moved by keys when it has the focus."""

    def __init__(self, strip: "TimeStrip", part: str) -> None:
        super().__init__(strip)
        self._strip, self._part = strip, part
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.SizeHorCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName(tr(f"The window's {part}"))

    def event(self, event: QEvent) -> bool:
        """Arrows are for this, not for the page."""
        return parts.keeps_key(event, KEYS) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows 1 s, with Shift 10 s; Home and End as far as it goes."""
        self._strip.press(self._part, event)

    def paintEvent(self, _: QPaintEvent) -> None:
        """A rounded grip in the accent."""
        painter = graph_painter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color("accent"), 2))
        painter.setBrush(theme.color("surface"))
        wide = theme.u(2)
        grip = QRectF((self.width() - wide) / 2, 1, wide, self.height() - 2)
        painter.drawRoundedRect(grip, _RADIUS_PX, _RADIUS_PX)
        painter.end()


class TimeStrip(QWidget):
    """Times are seconds on the axis of the data; ``moved`` gives the window after each move."""

    moved = Signal(float, float)

    def __init__(self) -> None:
        super().__init__()
        self.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # as time runs
        self._times_s: Times = np.empty(0)
        self._waiting: Values = np.empty(0, np.float32)
        self._range = (0.0, 1.0)
        self._window = (0.0, 1.0)
        self._flags: tuple[Flag, ...] = ()
        self._wall_offset_s: float | None = None
        self._last = "now"
        self._drag: tuple[str, float, tuple[float, float]] | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName(tr("Time line, waiting of all sandboxes"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._handles = {part: Handle(self, part) for part in (BEGIN, END)}
        self._teller = parts.Teller(self)
        theme.state().changed.connect(self._on_theme)

    def show_data(
        self,
        times_s: Times,
        waiting: Values,
        range_s: tuple[float, float],
        *,
        flags: Sequence[Flag],
        wall_offset_s: float | None,
        last: str,
    ) -> None:
        """Show waiting (fractions, float32, NaN for gaps) between the ends of a range."""
        self._times_s, self._waiting = times_s, waiting
        self._range = (range_s[0], max(range_s[1], range_s[0] + LEAST_S))
        self._flags, self._wall_offset_s, self._last = tuple(flags), wall_offset_s, last
        self._put(*self._window)
        newest = float(waiting[-1]) * 100 if len(waiting) else math.nan
        self._teller.tell(f"{self.words()}; the newest is {parts.number_text(newest)}\u00a0%")
        self.update()

    def set_window(self, begin_s: float, end_s: float) -> None:
        """Put the window somewhere without telling anybody."""
        self._put(begin_s, end_s)

    @property
    def window_s(self) -> tuple[float, float]:
        """The ends of the window."""
        return self._window

    @property
    def range_s(self) -> tuple[float, float]:
        """The ends of the strip."""
        return self._range

    @property
    def dragging(self) -> bool:
        """Whether the mouse holds the window."""
        return self._drag is not None

    def words(self) -> str:
        """Which time is looked at."""
        begin, end = (self._when(time_s) for time_s in self._window)
        return f"Shown: {begin} to {end}"

    def _when(self, time_s: float) -> str:
        if self._wall_offset_s is not None:
            return parts.clock(time_s + self._wall_offset_s, seconds=True)
        return f"{self._range[1] - time_s:.0f}\u00a0s before the end"

    def _put(self, begin_s: float, end_s: float) -> None:
        """Keep the window inside the range, and at least one second long."""
        low, high = self._range
        end_s = min(max(end_s, low + LEAST_S), high)
        self._window = (min(max(begin_s, low), end_s - LEAST_S), end_s)
        for part, time_s in zip((BEGIN, END), self._window, strict=True):
            self._handles[part].setAccessibleDescription(tr(self._when(time_s)))
        self._place_handles()
        self.update()

    def shift(self, part: str, seconds: float) -> None:
        """Move the window, or one end of it, and tell."""
        begin_s, end_s = self._window
        low, high = self._range
        if part == BEGIN:
            begin_s = min(begin_s + seconds, end_s - LEAST_S)
        elif part == END:
            end_s = max(end_s + seconds, begin_s + LEAST_S)
        else:
            seconds = max(low - begin_s, min(high - end_s, seconds))
            begin_s, end_s = begin_s + seconds, end_s + seconds
        before = self._window
        self._put(begin_s, end_s)
        if self._window != before:
            self.setAccessibleDescription(tr(self.words()))
            self.moved.emit(*self._window)

    def press(self, part: str, event: QKeyEvent) -> None:
        """What a key does to the window or one end of it."""
        leap = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        step = _LEAP_S if leap else _STEP_S
        far = self._range[1] - self._range[0]
        moves = {Qt.Key.Key_Left: -step, Qt.Key.Key_Right: step}
        moves |= {Qt.Key.Key_Home: -far, Qt.Key.Key_End: far}
        seconds = moves.get(Qt.Key(event.key()))
        if seconds is None:
            event.ignore()
        else:
            self.shift(part, seconds)

    def event(self, event: QEvent) -> bool:
        """Arrows are for this, not for the page; the tool tip tells what is there."""
        if event.type() is QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            text = self.words_at(event.pos().x())
            QToolTip.showText(event.globalPos(), tips.told(text), self)
            return True
        return parts.keeps_key(event, KEYS) or super().event(event)

    def words_at(self, x: float) -> str:
        """The marker near a place with its note, else the time there and how much was waited."""
        near = [flag for flag in self._flags if abs(self._x(flag.time_s) - x) <= theme.u(2)]
        if near:
            flag = min(near, key=lambda one: abs(self._x(one.time_s) - x))
            said = f"{clean(flag.name)}, {self._when(flag.time_s)}"
            return f"{said}: {clean(flag.note, limit=400)}" if flag.note else said
        if not len(self._times_s):
            return ""
        at = int(np.argmin(np.abs(self._times_s - self._time(x))))
        waited = float(self._waiting[at]) * 100
        words = "not measured" if math.isnan(waited) else f"{parts.number_text(waited)}\u00a0%"
        return f"{self._when(float(self._times_s[at]))}: {words}"

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows move the window 1 s, with Shift 10 s; Home and End to the ends."""
        self.press(BOTH, event)

    def _plot(self) -> QRect:
        side = theme.u(_HANDLE_U) // 2 + _RING_PX
        return self.rect().adjusted(side, 0, -side, -self._tick_px - theme.u(1))

    @property
    def _tick_px(self) -> int:
        return theme.metrics("tick").height()

    def sizeHint(self) -> QSize:
        """A low strip; as wide as there is room."""
        height = max(theme.u(_HEIGHT_U), 3 * self._tick_px)
        return QSize(theme.u(200), height + self._tick_px + theme.u(1))

    def minimumSizeHint(self) -> QSize:
        """Narrow, but as high."""
        return QSize(theme.u(60), self.sizeHint().height())

    def _x(self, time_s: float) -> float:
        plot, (low, high) = self._plot(), self._range
        return plot.left() + plot.width() * (time_s - low) / (high - low)

    def _time(self, x: float) -> float:
        plot, (low, high) = self._plot(), self._range
        return low + (x - plot.left()) * (high - low) / max(1, plot.width())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The handles stay at their times."""
        super().resizeEvent(event)
        self._place_handles()

    def _on_theme(self) -> None:
        self.updateGeometry()
        self._place_handles()
        self.update()

    def _place_handles(self) -> None:
        wide, high = theme.u(_HANDLE_U), theme.u(_GRIP_U)
        top = (self._plot().height() - high) // 2
        for part, time_s in zip((BEGIN, END), self._window, strict=True):
            left = round(self._x(time_s)) - wide // 2
            self._handles[part].setGeometry(left, top, wide, high)

    def _part_at(self, x: float) -> str:
        """What a press there takes: an end when it is near, else the window."""
        reach = theme.u(_HANDLE_U) + 1
        near = {
            part: abs(self._x(s) - x) for part, s in zip((BEGIN, END), self._window, strict=True)
        }
        part = min(near, key=lambda name: near[name])
        return part if near[part] <= reach else BOTH

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take an end or the window; beside the window, that comes here first."""
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        at_s, part = self._time(event.position().x()), self._part_at(event.position().x())
        begin_s, end_s = self._window
        if part == BOTH and not begin_s <= at_s <= end_s:
            self.shift(BOTH, at_s - end_s)
        self._drag = (part, at_s, self._window)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the mouse."""
        x = event.position().x()
        if self._drag is None:
            near = self._part_at(x) != BOTH
            self.setCursor(Qt.CursorShape.SizeHorCursor if near else Qt.CursorShape.ArrowCursor)
            return
        part, from_s, window = self._drag
        moved = self._time(x) - from_s
        done = self._window[1 if part == END else 0] - window[1 if part == END else 0]
        self.shift(part, moved - done)

    def mouseReleaseEvent(self, _: QMouseEvent) -> None:
        """Let go."""
        self._drag = None

    def paintEvent(self, _: QPaintEvent) -> None:
        """Area, gaps, scale, markers, times, window."""
        painter = graph_painter(self)
        plot = self._plot()
        in_view = self._times_s >= self._range[0]
        times_s, waiting = self._times_s[in_view], self._waiting[in_view] * 100
        peak = float(np.nanmax(waiting)) if not np.isnan(waiting).all() else 0.0
        scale = parts.scale_for(peak, _LEAST_TOP)
        self._paint_scale(painter, plot, scale)
        series = [ChartSeries("", "", waiting)]
        gap = patterns.tile(patterns.GAP, self.devicePixelRatioF())
        for begin_s, end_s in parts.gaps(times_s, series):
            left, right = round(self._x(begin_s)), round(self._x(end_s))
            painter.drawTiledPixmap(left, plot.top(), max(2, right - left), plot.height(), gap)
        self._paint_area(painter, plot, (times_s, waiting), scale.top)
        self._paint_window(painter, plot)
        self._paint_flags(painter, plot)
        self._paint_times(painter, plot)
        painter.end()

    def _paint_scale(self, painter: QPainter, plot: QRect, scale: Scale) -> None:
        painter.setPen(QPen(theme.color("line"), 1))
        painter.drawLine(plot.left(), plot.top(), plot.right(), plot.top())
        painter.drawLine(plot.left(), plot.bottom(), plot.right(), plot.bottom())
        painter.setFont(theme.font("tick"))
        painter.setPen(theme.color("text_tertiary"))
        place = plot.adjusted(theme.u(2), 1, 0, 0)
        painter.drawText(place, Qt.AlignmentFlag.AlignLeft, parts.tick_texts(scale, "%")[-1])

    def _paint_area(
        self, painter: QPainter, plot: QRect, data: tuple[Times, Values], top: float
    ) -> None:
        """The highest of each two pixels: a spike is never lost."""
        times_s, waiting = data
        heat = theme.colors()["heat"]["colors"]
        line, fill = QColor(heat[_LINE_STEP]), QColor(heat[_AREA_STEP])
        fill.setAlpha(_AREA_ALPHA)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for begin, end in parts.runs_of(~np.isnan(waiting)):
            there = slice(begin, end)
            span_px = self._x(float(times_s[end - 1])) - self._x(float(times_s[begin]))
            thin_s, (high,) = parts.thinned(
                times_s[there], [waiting[there]], max(1, round(span_px / 2)), low=False
            )
            across = np.rint([self._x(time_s) for time_s in thin_s.tolist()])
            down = plot.bottom() - high / top * (plot.height() - 1)
            points = [QPointF(a, b) for a, b in zip(across.tolist(), down.tolist(), strict=True)]
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(fill)
            # Qt fills a few small polygons much faster than one with a thousand corners.
            for first in range(0, len(points) - 1, _CHUNK):
                some = points[first : first + _CHUNK + 1]
                floor = [QPointF(some[-1].x(), plot.bottom()), QPointF(some[0].x(), plot.bottom())]
                painter.drawPolygon(QPolygonF([*some, *floor]))
            painter.setPen(QPen(line, 1))
            painter.drawPolyline(QPolygonF(points))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)

    def _paint_window(self, painter: QPainter, plot: QRect) -> None:
        left, right = (round(self._x(time_s)) for time_s in self._window)
        tint = theme.color("accent")
        tint.setAlpha(_WINDOW_ALPHA)
        painter.fillRect(left, plot.top(), right - left, plot.height(), tint)
        for x in (left, right):
            painter.fillRect(x - 1, plot.top(), 2, plot.height(), theme.color("accent"))

    def _paint_flags(self, painter: QPainter, plot: QRect) -> None:
        """A pole with a flag, and the name before it; after it where there is no room."""
        font = theme.font("tick")
        font.setWeight(QFont.Weight.Medium)
        painter.setFont(font)
        metrics = QFontMetrics(font)
        side = theme.u(2)
        free_from = float(plot.left() + metrics.horizontalAdvance("100\u00a0%") + theme.u(1))
        for flag in sorted(self._flags, key=lambda one: one.time_s):
            if not self._range[0] <= flag.time_s <= self._range[1]:
                continue
            x = round(self._x(flag.time_s)) + 0.5
            painter.setPen(QPen(theme.color("text_secondary"), 1))
            painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()))
            painter.setBrush(theme.color("text_secondary"))
            tip = QPointF(x + side, plot.top() + side / 2)
            painter.drawPolygon([QPointF(x, plot.top()), tip, QPointF(x, plot.top() + side)])
            text = clean(flag.name, limit=24)
            wide = metrics.horizontalAdvance(tr(text))
            left = x - wide - theme.u(1.5)
            left = left if left >= max(plot.left(), free_from) else x + side + theme.u(1)
            if left >= free_from and left + wide <= self.width():
                place = QRectF(left - 1, plot.top() + 1, wide + 2, metrics.height())
                painter.fillRect(place, parts.veiled())
                painter.setPen(theme.color("text"))
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, tr(text))
                free_from = left + wide + theme.u(1)

    def _paint_times(self, painter: QPainter, plot: QRect) -> None:
        painter.setFont(theme.font("tick"))
        painter.setPen(theme.color("text_tertiary"))
        metrics = theme.metrics("tick")
        ticks = parts.time_ticks(*self._range, wall_offset_s=self._wall_offset_s, last=self._last)
        free_to = float(self.width())
        for tick in reversed(ticks):  # the end first: it is never left out
            name = tr(tick.name)
            wide = metrics.horizontalAdvance(name) + 2
            left = min(max(0.0, self._x(tick.time_s) - wide / 2), self.width() - wide)
            if left + wide <= free_to:
                place = QRectF(left, plot.bottom() + theme.u(1), wide, self._tick_px)
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, name)
                free_to = left - theme.u(3)
