"""All of a chart but its curves: ticks, hairlines, gaps, markers, names at the line's end."""

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QEvent, QLineF, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QHelpEvent,
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
from kataui.ui.isolation.chartparts import ChartSeries, Flag, Scale, Times
from kataui.ui.isolation.curves import Curves, pen_of, texture_brush
from kataui.ui.widgets.graphpainter import graph_painter
from kataui.ui.words import tr

_SWATCH_U, _LABELS_SHARE = 3.0, 0.5
_LEAD_U, _AFTER_U = 4.0, 1.5  # from the plot to the swatch, and from there to the name
_DASH = [4.0, 3.0]


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """What a chart shows: times in seconds, series, markers, and how the axes are written.

    ``wall_offset_s`` is what makes Unix time of the times; without it the axis tells how long ago.
    """

    times_s: Times
    series: tuple[ChartSeries, ...]
    scale: Scale
    unit: str
    span_s: float
    stacked: bool
    flags: tuple[Flag, ...] = ()
    wall_offset_s: float | None = None
    paused: bool = False
    from_start: bool = False  # the axis tells seconds after its beginning

    @property
    def range_s(self) -> tuple[float, float]:
        """The ends of the time axis."""
        end_s = float(self.times_s[-1]) if len(self.times_s) else 0.0
        return end_s - self.span_s, end_s

    def ends(self) -> list[float]:
        """Where each series ends on the y axis: its value, or the middle of its area."""
        if not self.stacked:
            return [one.last for one in self.series]
        found, below = [], 0.0
        for one in self.series:
            found.append(below + one.last / 2)
            below += 0.0 if math.isnan(one.last) else one.last
        return found

    def value_text(self, value: float) -> str:
        """A value with its unit, a per cent sign only (the head of the card says of what)."""
        sign = self.unit if self.unit.startswith("%") else ""
        return "not measured" if math.isnan(value) else with_unit(value, sign[:1])


def with_unit(value: float, unit: str) -> str:
    """A number and its unit, with a space that does not break."""
    return parts.number_text(value) + (f"\u00a0{unit}" if unit else "")


class ChartCanvas(QWidget):
    """Paints what ``show_data`` gave; the curves lie above it in a view of their own."""

    def __init__(self, *, stacked: bool) -> None:
        super().__init__()
        self.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # as time runs
        self._shown: Shown | None = None
        self._labels_px = 0
        self._ticks: list[str] = []
        self._plot = QRect()  # where the curves are; anew with each arrangement
        self._curves = Curves(self, stacked=stacked)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme.state().changed.connect(self._on_theme)

    def show_data(self, shown: Shown) -> None:
        """Show this; called while visible only."""
        if self._shown is None or [s.name for s in self._shown.series] != [
            s.name for s in shown.series
        ]:
            self._labels_px = 0
        self._shown = shown
        self._arrange()

    def _on_theme(self) -> None:
        self._labels_px = 0
        self._curves.recolor()
        self.updateGeometry()
        self._arrange()

    def _arrange(self) -> None:
        if self._shown is not None:
            self._labels_px = max(self._labels_px, self._needed_px())
            self._ticks = parts.tick_texts(self._shown.scale, self._tick_unit(self._shown))
            plot = self._plot = self._room()
            self._curves.show_series(self._shown.times_s, self._shown.series, plot.width())
            self._curves.place(plot, *self._shown.range_s, self._shown.scale.top)
            self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The plot takes what the words leave."""
        super().resizeEvent(event)
        self._arrange()

    def sizeHint(self) -> QSize:
        """Five ticks with room between them."""
        return QSize(theme.u(120), max(theme.u(54), 8 * self._tick_px))

    def minimumSizeHint(self) -> QSize:
        """Narrow, but with room for the words."""
        return QSize(theme.u(60), 7 * self._tick_px)

    @property
    def _tick_px(self) -> int:
        return theme.metrics("tick").height()

    def _needed_px(self) -> int:
        """The width of the widest label at the end of a line."""
        if self._shown is None:
            return 0
        names, values = theme.metrics("tick"), theme.metrics("tick", bold=True)
        widths = [
            names.horizontalAdvance(tr(f"{clean(one.name)} "))
            + values.horizontalAdvance(tr(self._shown.value_text(one.last)))
            for one in self._shown.series
        ]
        return max(widths, default=0) + theme.u(_LEAD_U + _SWATCH_U + _AFTER_U) + 4

    def _room(self) -> QRect:
        """What the ticks and the names leave to the curves."""
        metrics = theme.metrics("tick")
        left = max((metrics.horizontalAdvance(tr(text)) for text in self._ticks), default=0)
        right = min(self._labels_px, round(self.width() * _LABELS_SHARE))
        room = self.rect().adjusted(
            left + theme.u(2.5), self._tick_px // 2 + 2, -right, -self._tick_px - theme.u(1.5)
        )
        return QRect(room.topLeft(), QSize(max(8, room.width()), max(8, room.height())))

    @staticmethod
    def _tick_unit(shown: Shown) -> str:
        """The unit on the top tick: its first word."""
        return shown.unit.split(" ")[0]

    def paintEvent(self, _: QPaintEvent) -> None:
        """What lies behind the curves, and what stands around them."""
        if self._shown is None:
            return
        painter = graph_painter(self)
        plot = self._plot
        self._paint_grid(painter, plot, self._shown)
        self._paint_times(painter, plot, self._shown)
        gap = texture_brush(patterns.GAP, self.devicePixelRatioF())
        for begin_s, end_s in parts.gaps(self._shown.times_s, self._shown.series):
            left, right = self._x(begin_s), self._x(end_s)
            band = QRectF(left, plot.top(), max(2.0, right - left), plot.height())
            painter.fillRect(band.toRect() & plot, gap)
        self._paint_flags(painter, plot, self._shown)
        self._paint_ends(painter, plot, self._shown)
        painter.end()

    def _x(self, time_s: float) -> float:
        plot = self._plot
        begin_s, end_s = self._shown.range_s if self._shown else (0.0, 1.0)
        return plot.left() + plot.width() * (time_s - begin_s) / max(1e-9, end_s - begin_s)

    def _y(self, value: float) -> float:
        plot = self._plot
        top = self._shown.scale.top if self._shown else 1.0
        return plot.top() + plot.height() * (1 - value / top)

    def _paint_grid(self, painter: QPainter, plot: QRect, shown: Shown) -> None:
        painter.setFont(theme.font("tick"))
        for value, text in zip(shown.scale.ticks, self._ticks, strict=True):
            y = round(self._y(value))
            painter.setPen(QPen(theme.color("line"), 1))
            painter.drawLine(plot.left(), y, plot.right(), y)
            painter.setPen(theme.color("text_secondary"))
            place = QRect(0, y - self._tick_px, plot.left() - theme.u(2), 2 * self._tick_px)
            painter.drawText(
                place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, tr(text)
            )

    def _paint_times(self, painter: QPainter, plot: QRect, shown: Shown) -> None:
        last = "0\u00a0s" if shown.paused else "now"
        if shown.paused and shown.wall_offset_s is not None:
            last = ""
        begin_s, end_s = shown.range_s
        if shown.from_start:
            ticks = parts.ticks_from_start(begin_s, end_s)
        else:
            ticks = parts.time_ticks(
                begin_s, end_s, wall_offset_s=shown.wall_offset_s, last=last, most=4
            )
        painter.setFont(theme.font("tick"))
        painter.setPen(theme.color("text_secondary"))
        metrics = theme.metrics("tick")
        top, free_from = plot.bottom() + theme.u(1.5), float(self.width())
        for tick in reversed(ticks):  # the end first: it is never left out
            name = tr(tick.name)
            wide = metrics.horizontalAdvance(name) + 2
            left = min(max(0.0, self._x(tick.time_s) - wide / 2), self.width() - wide)
            if left + wide <= free_from:
                place = QRectF(left, top, wide, self._tick_px)
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, name)
                free_from = left - theme.u(2)

    def _paint_flags(self, painter: QPainter, plot: QRect, shown: Shown) -> None:
        """Dashed lines; each name at the side where there is room, one below another if not."""
        metrics = theme.metrics("tick")
        painter.setFont(theme.font("tick"))
        pen = QPen(theme.color("text_secondary"), 1)
        pen.setDashPattern(_DASH)
        taken: list[QRectF] = []
        begin_s, end_s = shown.range_s
        for flag in (flag for flag in shown.flags if begin_s <= flag.time_s <= end_s):
            x = round(self._x(flag.time_s)) + 0.5
            painter.setPen(pen)
            painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()))
            text = metrics.elidedText(
                tr(clean(flag.name)), Qt.TextElideMode.ElideRight, max(1, plot.width() // 2)
            )
            wide = metrics.horizontalAdvance(text) + 2
            left = x - wide - theme.u(1.5)
            left = left if left >= plot.left() else x + theme.u(1.5)
            place = QRectF(left, plot.top() + theme.u(0.5), wide, metrics.height())
            while any(place.intersects(other) for other in taken):
                place.translate(0, metrics.height())
            taken.append(place)
            painter.fillRect(place, parts.veiled())
            painter.setPen(theme.color("text_secondary"))
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_ends(self, painter: QPainter, plot: QRect, shown: Shown) -> None:
        """Swatch, name and last value of each series; a thin line leads there from its end."""
        ends = [self._y(min(value, shown.scale.top)) for value in shown.ends()]
        # What is not measured now stands at the bottom, for it ends nowhere.
        wanted = [float(plot.bottom()) if math.isnan(y) else y for y in ends]
        high = self._tick_px + 2
        room = max(1, plot.height() // high + 1)
        order = sorted(range(len(wanted)), key=lambda n: wanted[n])
        left_out = len(order) - room + 1 if len(order) > room else 0
        order = order[: len(order) - left_out]
        heights = [wanted[n] for n in order] + [float(plot.bottom())] * bool(left_out)
        places = parts.spread(heights, high, plot.top(), max(plot.top(), plot.bottom()))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        left = plot.right() + theme.u(_LEAD_U)
        if left_out:
            self._paint_left_out(painter, QPointF(left, places[-1]), left_out)
        for number, y in zip(order, places, strict=False):
            one = shown.series[number]
            if not math.isnan(ends[number]):
                painter.setPen(QPen(pen_of(one.role).color(), 1))
                lead = [QPointF(plot.right() + 2, ends[number]), QPointF(left - theme.u(0.5), y)]
                painter.drawLine(QLineF(lead[0], lead[1]))
            self._paint_end(painter, QPointF(left, y), one, shown)

    def _paint_left_out(self, painter: QPainter, at: QPointF, count: int) -> None:
        """There is no room for the names of the lowest: say how many they are."""
        painter.setFont(theme.font("tick"))
        painter.setPen(theme.color("text_tertiary"))
        line = QRectF(at.x(), at.y() - self._tick_px, self.width() - at.x(), 2 * self._tick_px)
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, tr(f"and {count} more"))

    def _paint_end(self, painter: QPainter, at: QPointF, one: ChartSeries, shown: Shown) -> None:
        side = theme.u(_SWATCH_U)
        if shown.stacked:
            swatch = patterns.swatch(one.role, side, self.devicePixelRatioF())
            painter.drawPixmap(QPointF(at.x(), at.y() - side / 2), swatch)
        else:
            painter.setPen(pen_of(one.role, 2))
            ends = [QPointF(at.x(), at.y()), QPointF(at.x() + side, at.y())]
            painter.drawPolyline(QPolygonF(ends))
        left = at.x() + side + theme.u(_AFTER_U)
        value = shown.value_text(one.last)
        metrics, bold = theme.metrics("tick"), theme.metrics("tick", bold=True)
        room = self.width() - left - bold.horizontalAdvance(tr(value)) - 2
        name = metrics.elidedText(
            tr(clean(one.name)),
            Qt.TextElideMode.ElideMiddle,
            max(theme.u(4), int(room) - metrics.horizontalAdvance(" ")),
        )
        line = QRectF(left, at.y() - self._tick_px, self.width() - left, 2 * self._tick_px)
        painter.setFont(theme.font("tick"))
        painter.setPen(theme.color("text"))
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, name)
        line.setLeft(left + metrics.horizontalAdvance(tr(f"{name} ")))
        painter.setFont(theme.font("tick", bold=True))
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, tr(value))

    def event(self, event: QEvent) -> bool:
        """The tool tip tells all values at a time."""
        if event.type() is QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            text = self.words_at(event.pos().x())
            QToolTip.showText(event.globalPos(), tips.told(text), self)
            return True
        return super().event(event)

    def words_at(self, x: int) -> str:
        """All values at a place; empty outside the plot."""
        plot, shown = self._plot, self._shown
        if shown is None or not len(shown.times_s) or not plot.left() <= x <= plot.right():
            return ""
        begin_s, end_s = shown.range_s
        wanted = begin_s + (x - plot.left()) / max(1, plot.width()) * (end_s - begin_s)
        if wanted < shown.times_s[0]:
            return ""
        at = int(np.argmin(np.abs(shown.times_s - wanted)))
        time_s = float(shown.times_s[at])
        if shown.wall_offset_s is None:
            when = f"{parts.number_text(end_s - time_s)}\u00a0s before"
        else:
            when = parts.clock(time_s + shown.wall_offset_s, seconds=True)
        values = [
            f"{clean(one.name)}: {shown.value_text(float(one.values[at]))}" for one in shown.series
        ]
        return "; ".join([when, *values])
