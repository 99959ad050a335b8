"""Charts of one sandbox: areas on top of one another, and lines; with export."""

import math
from collections.abc import Sequence

import numpy as np
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from kataui.files import clean
from kataui.ui.isolation import export
from kataui.ui.isolation.chartcanvas import ChartCanvas, Shown, with_unit
from kataui.ui.isolation.chartparts import (
    MOST_POINTS,
    ChartSeries,
    Flag,
    Scale,
    Teller,
    Times,
    scale_for,
    tick_text,
)
from kataui.ui.isolation.heads import Head
from kataui.ui.widgets.card import Card, Chip, row
from kataui.ui.widgets.text import label
from kataui.ui.words import tr

_GREW_FOR_S = 10.0  # so long the head says that the scale grew


class Chart(Card):
    """A card with curves; ``LineChart`` and ``StackedChart`` differ in how they are drawn.

    ``unit`` stands in the head; its first word stands on the top tick too. ``least_top`` is the
    smallest top of the y axis, which begins at 0 and grows in steps, never back.
    """

    _stacked = False

    def __init__(
        self, title: str, unit: str, *, least_top: float = 0.0, span_s: float = 60.0
    ) -> None:
        super().__init__()
        self._grew = label("", "note", wrap=False)
        self._paused = Chip("Paused", mark="pause")
        actions = QWidget()
        actions.setLayout(row(self._grew, self._paused))
        self.body.addWidget(Head(title, unit, actions))
        self._grew.setVisible(False)
        self._paused.setVisible(False)
        self._title, self._unit = title, unit
        self._least_top, self._span_s = least_top, span_s
        self._scale = scale_for(0.0, least_top)
        self._grew_at_s = -math.inf
        self._times_s: Times = np.empty(0)
        self._series: tuple[ChartSeries, ...] = ()
        self._flags: tuple[Flag, ...] = ()
        self._wall_offset_s: float | None = None
        self._stale = self._from_start = False
        self._has_data = False  # the first data sets the scale; only after that it grows
        self._canvas = ChartCanvas(stacked=self._stacked)
        self.body.addWidget(self._canvas, 1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(tr(f"{title}, {unit}"))
        self._teller = Teller(self)

    def set_data(
        self,
        times_s: Times,
        series: Sequence[ChartSeries],
        *,
        flags: Sequence[Flag] = (),
        wall_offset_s: float | None = None,
    ) -> None:
        """Show series (float32, NaN for gaps) over times (float64 seconds, ascending).

        Only the last ``MOST_POINTS`` are kept. With the offset from these times to Unix time the
        axis shows hours of day. While nobody sees the chart, nothing is drawn.
        """
        last = slice(-MOST_POINTS, None)
        self._times_s = times_s[last]
        self._series = tuple(ChartSeries(s.name, s.role, s.values[last]) for s in series)
        self._flags, self._wall_offset_s = tuple(flags), wall_offset_s
        self._stale = True
        if self.isVisible():
            self._draw()

    def set_paused(self, paused: bool) -> None:  # noqa: FBT001 - it is a slot for a signal
        """Say that time stands still; the axis stays."""
        self._paused.setVisible(paused)
        self._stale = True
        if self.isVisible():
            self._draw()

    def set_from_start(self) -> None:
        """Let the axis tell seconds after its beginning, not before its end."""
        self._from_start = True
        self._stale = True
        if self.isVisible():
            self._draw()

    def set_span(self, span_s: float) -> None:
        """Show so many seconds."""
        self._span_s = span_s
        self._stale = True
        if self.isVisible():
            self._draw()

    def reset_scale(self) -> None:
        """Forget how high the values were: something else is shown from now on."""
        self._scale = scale_for(0.0, self._least_top)
        self._grew_at_s = -math.inf
        self._has_data = False

    @property
    def scale(self) -> Scale:
        """The y axis as it is now."""
        return self._scale

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what came while nobody looked."""
        super().showEvent(event)
        if self._stale:
            self._draw()

    def _draw(self) -> None:
        self._stale = False
        shown = self._in_view()
        self._fit_scale(shown)
        self._canvas.show_data(
            Shown(
                times_s=shown[0],
                series=shown[1],
                scale=self._scale,
                unit=self._unit,
                span_s=self._span_s,
                stacked=self._stacked,
                flags=self._flags,
                wall_offset_s=self._wall_offset_s,
                paused=not self._paused.isHidden(),
                from_start=self._from_start,
            )
        )
        self._teller.tell(self.words())

    def _in_view(self) -> tuple[Times, tuple[ChartSeries, ...]]:
        """Times and series of the last ``span_s``."""
        if not len(self._times_s):
            return self._times_s, self._series
        first = int(np.searchsorted(self._times_s, self._times_s[-1] - self._span_s - 1e-9))
        cut = tuple(ChartSeries(s.name, s.role, s.values[first:]) for s in self._series)
        return self._times_s[first:], cut

    def _fit_scale(self, shown: tuple[Times, tuple[ChartSeries, ...]]) -> None:
        """Grow when a value is higher than the top, and say so for a while."""
        times_s, series = shown
        now_s = float(times_s[-1]) if len(times_s) else 0.0
        wanted = scale_for(self._peak(series), self._least_top)
        if wanted.top > self._scale.top:
            if self._has_data:
                self._grew_at_s = now_s
            self._scale = wanted
            unit = self._unit.split(" ")[0]
            self._grew.setText(
                f"scale grew to {tick_text(wanted.top, wanted.step)}\u00a0{unit}".strip()
            )
        self._has_data = self._has_data or self._peak(series) > 0
        recent = 0 <= now_s - self._grew_at_s < _GREW_FOR_S
        self._grew.setVisible(recent)

    def _peak(self, series: Sequence[ChartSeries]) -> float:
        rows = [s.values for s in series if not np.isnan(s.values).all()]
        if not rows:
            return 0.0
        if self._stacked:
            return float(np.nansum(np.stack(rows), axis=0).max())
        return max(float(np.nanmax(row)) for row in rows)

    def words(self) -> str:
        """The last values, as one sentence."""
        if not self._series:
            return "Nothing was measured yet."
        unit = self._unit.split(" ")[0]
        values = [
            f"{clean(s.name)} "
            + ("not measured" if math.isnan(s.last) else with_unit(s.last, unit))
            for s in self._series
        ]
        return f"{', '.join(values)}."

    def to_csv(self) -> str:
        """All that is kept, as RFC 4180: a line a time; a gap is an empty field."""
        header = ["time_s", *(f"{clean(s.name)} ({self._unit})" for s in self._series)]
        return export.table(
            header,
            (
                [f"{time_s:.3f}", *(export.number(float(s.values[n])) for s in self._series)]
                for n, time_s in enumerate(self._times_s)
            ),
        )


class LineChart(Chart):
    """Lines of one pixel, a dash for each role; a tint under the largest."""


class StackedChart(Chart):
    """Areas on top of one another, in the fill of their role."""

    _stacked = True
