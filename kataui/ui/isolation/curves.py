"""The curves of a chart, by pyqtgraph; this is the only module that loads it (0.6 s, 30 MiB).

Axes, ticks, gaps, markers and labels are painted by ``chartcanvas``, for pyqtgraph's own have no
unit on the top tick, no labels at the ends of lines, and no hatching in screen pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg  # type: ignore[import-untyped]
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QBrush, QColor, QPen, QTransform
from PySide6.QtWidgets import QFrame, QGraphicsPathItem, QVBoxLayout, QWidget

from kataui.ui import theme
from kataui.ui.isolation import patterns
from kataui.ui.isolation.chartparts import ChartSeries, Times, Values, runs_of

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


class Curves(QWidget):
    """Lines with a tint under the largest, or areas on top of one another."""

    def __init__(self, parent: QWidget, *, stacked: bool) -> None:
        super().__init__(parent)
        self._stacked = stacked
        self._curves: list[_Curve] = []
        self._roles: list[str] = []
        self._pixels = QTransform()
        self._box = pg.ViewBox(enableMouse=False, enableMenu=False, defaultPadding=0)
        self._view = pg.GraphicsView(background=None)
        self._view.setCentralItem(self._box)
        self._view.setFrameShape(QFrame.Shape.NoFrame)
        self._view.viewport().setAutoFillBackground(False)
        self._view.setStyleSheet("background: transparent")
        self._view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._view)

    def show_series(self, times_s: Times, series: Sequence[ChartSeries]) -> None:
        """Show these; values as long as ``times_s``."""
        roles = [one.role for one in series]
        if roles != self._roles:
            self._remake(roles)
        below: Values = np.zeros(len(times_s), np.float32)
        tinted = tinted_one(series)
        for number, (one, curve) in enumerate(zip(series, self._curves, strict=True)):
            top = below + one.values if self._stacked else one.values
            curve.line.setData(times_s, top)
            if self._stacked or number == tinted:
                curve.area.setPath(_area(times_s, below, top))
            curve.area.setVisible(self._stacked or number == tinted)
            below = np.where(np.isnan(top), below, top) if self._stacked else below

    def _remake(self, roles: list[str]) -> None:
        for curve in self._curves:
            self._box.removeItem(curve.line)
            self._box.removeItem(curve.area)
        self._roles = roles
        self._curves = []
        for depth, _ in enumerate(roles):
            area = QGraphicsPathItem()
            area.setPen(QPen(Qt.PenStyle.NoPen))
            area.setZValue(-10)
            line = pg.PlotCurveItem(connect="finite", antialias=True)
            line.setZValue(-depth)  # the first is on top
            self._box.addItem(area)
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
        brush = QBrush(patterns.tile(role, self.devicePixelRatioF()))
        brush.setTransform(self._pixels)  # the texture is in pixels, not in units of the axes
        return brush

    def place(self, plot: QRect, begin_s: float, end_s: float, top: float) -> None:
        """Put the plot over a part of the parent, with the range of both axes."""
        self.setGeometry(plot.adjusted(-EDGE_PX, -EDGE_PX, EDGE_PX, EDGE_PX))
        wide = EDGE_PX * (end_s - begin_s) / max(1, plot.width())
        high = EDGE_PX * top / max(1, plot.height())
        self._box.setRange(
            xRange=(begin_s - wide, end_s + wide), yRange=(-high, top + high), padding=0
        )
        self._pixels = QTransform.fromTranslate(begin_s, top).scale(
            wide / EDGE_PX, -high / EDGE_PX
        )
        for role, curve in zip(self._roles, self._curves, strict=True):
            curve.area.setBrush(self._brush(role))


def tinted_one(series: Sequence[ChartSeries]) -> int:
    """The line with a tint under it: the one whose mean is largest; -1 without any."""
    means = [float(np.nanmean(s.values)) if not np.isnan(s.values).all() else -1 for s in series]
    return int(np.argmax(means)) if means else -1


def _area(times_s: Times, below: Values, top: Values) -> object:
    """The path between two curves; a piece for each run without a gap."""
    x, y, joined = [], [], []
    for begin, end in runs_of(~np.isnan(top)):
        there = slice(begin, end)
        x += [times_s[there], times_s[there][::-1]]
        y += [top[there], below[there][::-1]]
        joined.append(np.append(np.ones(2 * (end - begin) - 1, np.int32), np.int32(0)))
    if not x:
        return pg.arrayToQPath(np.empty(0), np.empty(0))
    return pg.arrayToQPath(
        np.concatenate(x), np.concatenate(y).astype(np.float64), np.concatenate(joined)
    )
