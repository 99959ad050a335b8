"""The curves of a chart, by pyqtgraph; this is the only module that loads it (0.6 s, 30 MiB).

Axes, ticks, gaps, markers and labels are painted by ``chartcanvas``, for pyqtgraph's own have no
unit on the top tick, no labels at the ends of lines, and no hatching in screen pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg  # type: ignore[import-untyped]
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QBrush, QColor, QPainterPath, QPen, QTransform
from PySide6.QtWidgets import QFrame, QGraphicsPathItem, QGraphicsView, QVBoxLayout, QWidget

from kataui.ui import theme
from kataui.ui.isolation import patterns
from kataui.ui.isolation.chartparts import ChartSeries, Times, Values, runs_of, thinned

EDGE_PX = 2  # around the plot, so that a line on its edge is seen whole
_TINT = 40  # 16 % of 255
_SOLID = 217  # 85 %
_DASHES = {
    "solid": Qt.PenStyle.SolidLine,
    "dash": Qt.PenStyle.DashLine,
    "dot": Qt.PenStyle.DotLine,
    "dashdot": Qt.PenStyle.DashDotLine,
    "dashdotdot": Qt.PenStyle.DashDotDotLine,
}


def pen_of(role: str, width: float = 1) -> QPen:
    """The pen of a role: its colour and its dash; cosmetic."""
    roles = theme.colors()["roles"]
    found = roles.get(role) or roles["other"]
    pen = QPen(QColor(found["color"]), width, _DASHES.get(found["dash"], Qt.PenStyle.SolidLine))
    pen.setCosmetic(True)
    return pen


@dataclass(frozen=True, slots=True)
class _Curve:
    """The items of one series."""

    line: pg.PlotCurveItem
    area: QGraphicsPathItem


@dataclass(frozen=True, slots=True, eq=False)
class _Area:
    """What lies between two lines, in units of the axes."""

    times_s: Times
    below: Values
    top: Values


class Curves(QWidget):
    """Lines with a tint under the largest, or areas on top of one another."""

    def __init__(self, parent: QWidget, *, stacked: bool) -> None:
        super().__init__(parent)
        self._stacked = stacked
        self._curves: list[_Curve] = []
        self._roles: list[str] = []
        self._areas: list[tuple[_Curve, _Area]] = []
        self._box = pg.ViewBox(enableMouse=False, enableMenu=False, defaultPadding=0)
        self._view = pg.GraphicsView(background=None)
        self._view.setCentralItem(self._box)
        self._view.setFrameShape(QFrame.Shape.NoFrame)
        self._view.viewport().setAutoFillBackground(False)
        self._view.setStyleSheet("background: transparent")
        self._view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        # The parent's update paints this too; on its own account it would be painted twice.
        self._view.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.NoViewportUpdate)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._view)

    def show_series(self, times_s: Times, series: Sequence[ChartSeries], columns: int) -> None:
        """Show these from the next ``place`` on, thinned to so many columns."""
        roles = [one.role for one in series]
        if roles != self._roles:
            self._remake(roles)
        tops = _summed(series, len(times_s)) if self._stacked else [one.values for one in series]
        tinted = _tinted(series)
        times_s, tops = thinned(times_s, tops, max(1, columns), low=not self._stacked)
        below = np.zeros(len(times_s), np.float32)
        self._areas = []
        for number, (top, curve) in enumerate(zip(tops, self._curves, strict=True)):
            curve.line.setData(times_s, top)
            if self._stacked or number == tinted:
                self._areas.append((curve, _Area(times_s, below, top)))
            curve.area.setVisible(self._stacked or number == tinted)
            if self._stacked:
                below = np.where(np.isnan(top), below, top)

    def _remake(self, roles: list[str]) -> None:
        for curve in self._curves:
            self._box.removeItem(curve.line)
            self._view.scene().removeItem(curve.area)
        self._roles = roles
        self._curves = []
        for depth, _ in enumerate(roles):
            area = QGraphicsPathItem()
            area.setPen(QPen(Qt.PenStyle.NoPen))
            area.setZValue(-200)  # below the view box
            line = pg.PlotCurveItem(connect="finite", antialias=True)
            line.setZValue(-depth)  # the first is on top
            self._view.scene().addItem(area)
            self._box.addItem(line)
            self._curves.append(_Curve(line, area))
        self.recolor()

    def recolor(self) -> None:
        """Take the colours of the theme that is shown now."""
        for role, curve in zip(self._roles, self._curves, strict=True):
            curve.line.setPen(self._pen(role))
            curve.area.setBrush(self._brush(role))

    def _pen(self, role: str) -> QPen:
        if not self._stacked:
            return pen_of(role)
        pen = QPen(theme.color("surface"), 1)
        pen.setCosmetic(True)
        return pen

    def _brush(self, role: str) -> QBrush:
        color = pen_of(role).color()
        color.setAlpha(_SOLID if self._stacked else _TINT)
        if not self._stacked or patterns.fill_of(role)[0] == "solid":
            return QBrush(color)
        return texture_brush(role, self.devicePixelRatioF())

    def place(self, plot: QRect, begin_s: float, end_s: float, top: float) -> None:
        """Put the plot over a part of the parent, with the range of both axes."""
        self.setGeometry(plot.adjusted(-EDGE_PX, -EDGE_PX, EDGE_PX, EDGE_PX))
        wide = EDGE_PX * (end_s - begin_s) / max(1, plot.width())
        high = EDGE_PX * top / max(1, plot.height())
        self._box.setRange(
            xRange=(begin_s - wide, end_s + wide), yRange=(-high, top + high), padding=0
        )
        scale = (plot.width() / max(1e-9, end_s - begin_s), plot.height() / top)
        for curve, area in self._areas:
            x = (area.times_s - begin_s) * scale[0] + EDGE_PX
            ends = [
                plot.height() - line.astype(np.float64) * scale[1] + EDGE_PX
                for line in (area.below, area.top)
            ]
            curve.area.setPath(_path(x, *ends))


def texture_brush(role: str, ratio: float) -> QBrush:
    """The texture of a role (or ``GAP``) as a brush in pixels, which SVG keeps, unlike tiles."""
    texture = patterns.texture(patterns.fill_of(role), patterns.tile_side(ratio), ratio)
    brush = QBrush(patterns.image_of(texture))
    brush.setTransform(QTransform.fromScale(1 / ratio, 1 / ratio))
    return brush


def _summed(series: Sequence[ChartSeries], count: int) -> list[Values]:
    """Each series on top of those before it; what one lacks does not lower the next."""
    found, below = [], np.zeros(count, np.float32)
    for one in series:
        found.append(below + one.values)
        below = np.where(np.isnan(found[-1]), below, found[-1])
    return found


def _tinted(series: Sequence[ChartSeries]) -> int:
    """The line with a tint under it: the one whose mean is largest; -1 without any."""
    means = [float(np.nanmean(s.values)) if not np.isnan(s.values).all() else -1 for s in series]
    return int(np.argmax(means)) if means else -1


def _path(x: Times, low: Times, high: Times) -> QPainterPath:
    """The path between two curves in pixels; a piece for each run without a gap."""
    across, down, joined = [], [], []
    for begin, end in runs_of(~np.isnan(high)):
        there = slice(begin, end)
        across += [x[there], x[there][::-1]]
        down += [high[there], low[there][::-1]]
        joined.append(np.append(np.ones(2 * (end - begin) - 1, np.int32), np.int32(0)))
    if not across:
        return QPainterPath()
    path: QPainterPath = pg.arrayToQPath(
        np.concatenate(across), np.concatenate(down), np.concatenate(joined)
    )
    return path
