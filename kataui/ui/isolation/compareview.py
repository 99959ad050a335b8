"""A and B: mark, change something, mark again, and see whether it helped."""

from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtWidgets import QWidget

from kataui.findings import Finding
from kataui.isolation.experiment import WARM_UP_S, Answer, Effect, sentence
from kataui.isolation.measure import Comparison, Stretch
from kataui.ui import theme
from kataui.ui.isolation import export
from kataui.ui.isolation.chartparts import ChartSeries, Flag, Times, Values
from kataui.ui.isolation.effecttable import EffectTable
from kataui.ui.widgets.banner import VerdictBanner
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, row
from kataui.ui.widgets.page import Scroll
from kataui.ui.widgets.text import label

_HOW = (
    "Mark A while things are as they are. Change one thing on the host. Mark B when the change is "
    f"in place. The first {WARM_UP_S:.0f} s of each side are left out; a minute or more on each "
    "side gives a useful answer."
)
_BANNERS = {
    Answer.BETTER: ("pass", "Better"),
    Answer.WORSE: ("fail", "Worse"),
    Answer.SAME: ("unknown", "No difference I can see"),
    Answer.UNKNOWN: ("unknown", "Not measured"),
}
_CHART_U = 58
_NEAR_S = 1.0


class CompareView(Scroll):
    """``mark`` sets the marker A or B; ``compare`` starts the comparison."""

    def __init__(self, mark: Callable[[str], None], compare: Callable[[], None]) -> None:
        super().__init__(margin_u=0)
        self.body.setContentsMargins(0, 0, 0, 0)
        self._found: Comparison | None = None
        self._chart: QWidget | None = None
        self.banner = VerdictBanner()
        self.banner.setVisible(False)
        self.body.addWidget(self.banner)
        self._curves = Card("Both sides", note="waiting of the sandbox that changed most")
        self._curves.setVisible(False)
        self.body.addWidget(self._curves)
        self._result = Card("What changed", note="less is better; the bar is the 95 % interval")
        self._table = EffectTable()
        self._result.body.addWidget(self._table)
        self._result.setVisible(False)
        self.body.addWidget(self._result)
        self.body.addWidget(self._make_form(mark, compare))
        self.show_markers({})

    def _make_form(self, mark: Callable[[str], None], compare: Callable[[], None]) -> Card:
        card = Card("Measure a change")
        self._about = label("", "strong")
        self._about.setVisible(False)
        card.body.addWidget(self._about)
        card.body.addWidget(label(_HOW, "dim"))
        a = Button("Mark A", lambda: mark("A"), icon="flag")
        b = Button("Mark B", lambda: mark("B"), icon="flag")
        self.start = Button("Compare A and B", compare, kind="primary")
        self._state = label("", "note")
        card.body.addLayout(row(a, b, self.start, None))
        card.body.addWidget(self._state)
        return card

    def show_markers(self, set_s: dict[str, float]) -> None:
        """Which of A and B are set, and how long before the moment that is shown (s)."""
        words = [f"{name} was marked {_ago(ago)}." for name, ago in set_s.items()]
        self._state.setText(" ".join(words) or "Neither A nor B is marked yet.")
        missing = [name for name in ("A", "B") if name not in set_s]
        self.start.set_reason(f"Mark {' and '.join(missing)} first." if missing else "")

    def begin(self, finding: Finding) -> None:
        """Measure the fix of a finding."""
        self._about.setText(f"To measure: {finding.message}")
        self._about.setVisible(True)

    def show_problem(self, text: str) -> None:
        """Why nothing can be compared."""
        self.banner.setVisible(True)
        self.banner.show_verdict("unknown", text, word="Not measured")

    def show_comparison(self, found: Comparison) -> None:
        """The answer, both curves, and every signal under them."""
        self._found = found
        main = found.main
        self.banner.setVisible(True)
        if main is None:
            words = "Too little was measured on one side or both."
            self.banner.show_verdict("unknown", words, word="Not measured")
        else:
            kind, word = _BANNERS[main.answer]
            scope = f"{main.sandbox}. The first {found.warm_up_s:.0f} s of each side are left out."
            self.banner.show_verdict(kind, sentence(main), scope, word)
            self._show_curves(found, main)
        rows = [item for item in found.effects if item.answer is not Answer.UNKNOWN]
        self._table.show_effects(rows)
        self._result.setVisible(bool(rows))
        self._curves.setVisible(main is not None)

    def _show_curves(self, found: Comparison, main: Effect) -> None:
        """Both stretches on one axis, aligned at their markers."""
        from kataui.ui.isolation.charts import LineChart  # noqa: PLC0415 - it loads pyqtgraph

        side = found.series[main.sandbox][main.signal]
        given = (side.times_s, 100 * side.values)
        a, b = aligned(given, found.a), aligned(given, found.b)
        span_s = float(min(len(a), len(b)))  # as long as there is something to compare
        times = np.arange(span_s)
        chart = LineChart("Waiting", "% of CPU time", least_top=10.0, span_s=span_s - 1)
        chart.setFixedHeight(theme.u(_CHART_U))
        series = [
            ChartSeries("B, after", "vcpu", b[: len(times)]),
            ChartSeries("A, before", "other", a[: len(times)]),
        ]
        flags = [Flag(found.warm_up_s, "warm-up ends")]
        chart.set_data(times, series, flags=flags)
        chart.set_from_start()
        if self._chart is not None:
            self._chart.deleteLater()
        self._chart = chart
        self._curves.body.addWidget(chart)

    def to_csv(self) -> str:
        """Every signal of every sandbox: means, change, interval, answer."""
        rows: Sequence[Effect] = self._found.effects if self._found else ()
        header = (
            *("sandbox", "signal", "mean A", "mean B", "change"),
            *("change, 2.5 %", "change, 97.5 %", "seen from", "answer"),
        )
        return export.table(
            header,
            [
                (
                    *(one.sandbox, one.signal),
                    *(export.number(value) for value in (one.mean_a, one.mean_b, one.change)),
                    *(export.number(value) for value in (one.low, one.high, one.seen_from)),
                    one.answer.value,
                )
                for one in rows
            ],
        )


def aligned(given: tuple[Times, Values], stretch: Stretch) -> Values:
    """The values of a stretch, one a second from its marker on; NaN where there is none."""
    times_s, values = given
    seconds = int(stretch.end_s - stretch.begin_s) + 1
    found = np.full(max(1, seconds), np.nan, np.float32)
    inside = (times_s >= stretch.begin_s) & (times_s <= stretch.end_s)
    known = times_s[inside] - stretch.begin_s
    if not len(known):
        return found
    # Samples come a little early or late: each second takes the one that is nearest to it.
    moments = np.arange(len(found))
    after = np.clip(np.searchsorted(known, moments), 1, max(1, len(known) - 1))
    before = after - 1
    after = np.minimum(after, len(known) - 1)
    nearest = np.where(moments - known[before] <= known[after] - moments, before, after)
    near = np.abs(known[nearest] - moments) <= _NEAR_S
    found[near] = values[inside][nearest[near]]
    return found


def _ago(seconds: float) -> str:
    """How long before the moment that is shown, as people say it."""
    when = "before" if seconds >= 0 else "after"
    seconds = abs(seconds)
    amount = f"{seconds:.0f}\u00a0s" if seconds < 120 else f"{seconds / 60:.0f}\u00a0min"
    return f"{amount} {when} what is shown"
