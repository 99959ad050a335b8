"""One sandbox: what holds its score down, both paths hop by hop, and its curves."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel

from kataui.isolation import detail
from kataui.isolation.accuse import ROLE_WORDS, Accusation, actor_name, percent
from kataui.isolation.analysis import Analysis, Picture
from kataui.isolation.detail import Detail
from kataui.isolation.model import Sandbox
from kataui.isolation.paths import io_path, network_path
from kataui.isolation.raw import raw_counters
from kataui.isolation.score import Part, Score
from kataui.isolation.store import Marker
from kataui.ui import theme
from kataui.ui.isolation.chartparts import ChartSeries, Flag
from kataui.ui.isolation.charts import Chart, LineChart, StackedChart
from kataui.ui.isolation.pathview import PathCard
from kataui.ui.widgets.banner import VerdictBanner
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card
from kataui.ui.widgets.page import Columns, Scroll
from kataui.ui.widgets.text import label

_ROLES = {"own limit": "other", "CPU": "vcpu", "IO": "iothread", "memory": "virtiofsd"}
_ROLES |= {"voluntary": "other", "involuntary": "vhost", "resident": "vmm"}
_CHART_U = 60
_WIDE = 5  # the column of the formula
_BAD = ("D", "E")
_SEEN = 0.005  # cores; a role that used less is no area, only a name
_STEP_S, _MOST_STEP_S = 1.0, 4.0  # a sample, and what may be missing between two


class SandboxView(Scroll):
    """``fix`` asks for the findings."""

    fix = Signal()

    def __init__(self) -> None:
        super().__init__(margin_u=0)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.detail: Detail | None = None
        self.banner = VerdictBanner()
        self._ask = Button("Show formula", self._toggle_formula)
        self._formula_of: tuple[Picture, Sandbox] | None = None
        self._cells: list[QLabel] = []
        self.banner.add_action(self._ask)
        self.banner.add_action(Button("See the fix", self.fix.emit))
        self.body.addWidget(self.banner)
        self.formula = Card("How the score is made")
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(theme.u(5))
        self._grid.setVerticalSpacing(theme.u(1.5))
        self.formula.body.addLayout(self._grid)
        self.formula.setVisible(False)
        self.body.addWidget(self.formula)
        self.network, self.io = PathCard(), PathCard()
        for card in (self.network, self.io):
            self.body.addWidget(card)
            card.setVisible(False)
        self._add_charts()

    def _add_charts(self) -> None:
        self.charts: dict[str, Chart] = {
            detail.CPU: StackedChart("CPU by role", "cores", least_top=1.0),
            detail.WAITING: LineChart("Waiting", "% of time", least_top=10.0),
            detail.PRESSURE: LineChart("Pressure", "% of time", least_top=10.0),
            detail.SWITCHES: LineChart("Switches of the vCPUs", "/s", least_top=100.0),
            detail.MEMORY: LineChart("Memory of its processes", "MiB", least_top=64.0),
        }
        columns = Columns(shares=(1, 1), narrow_u=170)
        for number, chart in enumerate(self.charts.values()):
            chart.setFixedHeight(theme.u(_CHART_U))
            (columns.left if number % 2 == 0 else columns.right).addWidget(chart)
        self.body.addWidget(columns)

    @property
    def key(self) -> str:
        """The sandbox that is shown."""
        return self.detail.key if self.detail else ""

    def lacks(self, time_s: float) -> bool:
        """Whether the curves do not reach up to a moment: somebody went elsewhere in time."""
        times = self.detail.times if self.detail else np.zeros(0)
        return not len(times) or not -_STEP_S / 2 <= time_s - times[-1] <= _MOST_STEP_S

    def begin(self, found: Detail) -> None:
        """Show another sandbox."""
        self.detail = found
        for chart in self.charts.values():
            chart.reset_scale()

    def set_paused(self, paused: bool) -> None:  # noqa: FBT001 - as the charts have it
        """Time stands still, or goes on."""
        for chart in self.charts.values():
            chart.set_paused(paused)

    def show_picture(
        self, picture: Picture, analysis: Analysis, markers: Sequence[Marker] = ()
    ) -> None:
        """A new moment; a sandbox that is gone keeps its last one."""
        if self.detail is None:
            return
        if not self.lacks(picture.time_s):
            self.detail.add(analysis)
        sandbox = picture.view.by_key.get(self.detail.key)
        if sandbox is None:
            self.banner.show_verdict("unknown", "This sandbox is gone.", word="Gone")
        else:
            self._show_score(picture, sandbox)
            for card, path in ((self.network, network_path), (self.io, io_path)):
                found = path(picture, sandbox)
                card.setVisible(found is not None)
                if found is not None:
                    card.show_path(found)
        self._show_charts(picture, markers)

    def _show_charts(self, picture: Picture, markers: Sequence[Marker]) -> None:
        if self.detail is None:
            return
        times = self.detail.times.copy()
        flags = [Flag(marker.mono_us / 1e6, marker.name, marker.note) for marker in markers]
        for name, chart in self.charts.items():
            series = [
                ChartSeries(_name(words), _role(words), values)
                for words, values in self.detail.series(name).items()
                if name != detail.CPU or words == "vcpu" or np.nanmax(values, initial=0) >= _SEEN
            ]
            chart.setVisible(bool(series))
            chart.set_data(
                times, series, flags=flags, wall_offset_s=picture.wall_s - picture.time_s
            )

    def to_csv(self) -> str:
        """All curves, one table below the other."""
        return "\n".join(
            chart.to_csv() for chart in self.charts.values() if chart.isVisibleTo(self)
        )

    def _show_score(self, picture: Picture, sandbox: Sandbox) -> None:
        score = picture.scores[sandbox.key]
        grade = picture.grades.get(sandbox.key, "")
        row_ = next(n for n, s in enumerate(picture.view.sandboxes) if s.key == sandbox.key)
        waits = float(picture.signals.waits[row_])
        mine = [a for a in picture.judgement.accusations if a.victim.key == sandbox.key and a.named]
        if score.points is None:
            self.banner.show_verdict("unknown", "Idle: there is nothing to judge.", word="No score")
        else:
            kind = "fail" if grade in _BAD else "warning" if grade == "C" else "pass"
            weakest = score.weakest
            held = f", held down by {weakest.anchor.part}" if weakest and grade > "B" else ""
            word = f"{grade}  {score.points:.0f} of 100{held}"
            sentence = self._sentence(picture, sandbox, waits, mine[0] if mine else None)
            self.banner.show_verdict(kind, sentence, _scope(score), word)
        self._formula_of = (picture, sandbox)
        if self.formula.isVisible():
            self._fill_formula()

    @staticmethod
    def _sentence(
        picture: Picture, sandbox: Sandbox, waits: float, found: Accusation | None
    ) -> str:
        """What holds it up, and who makes it."""
        shares = picture.shares.get(sandbox.key)
        limit = shares.limit_us / max(1.0, shares.run_us + shares.wait_us) if shares else 0.0
        if found is not None and found.cpu >= 0:
            because = _because(picture, found)
        elif found is not None:
            return picture.judgement.sentence
        elif limit > waits / 2:
            because = ", mostly because of its own CPU limit"
        else:
            because = ""
        return f"Waits {percent(waits)} of its time{because}."

    def _toggle_formula(self) -> None:
        shown = not self.formula.isVisible()
        self.formula.setVisible(shown)
        self._ask.setText("Hide formula" if shown else "Show formula")
        if shown:
            self._fill_formula()

    def _fill_formula(self) -> None:
        """Every signal with its value, anchors, formula, and the raw counters it is made of."""
        if self._formula_of is None:
            return
        picture, sandbox = self._formula_of
        rows = [("Signal", "Now", "Points", "100 at", "0 at", "Formula, and what was counted")]
        for part in picture.scores[sandbox.key].parts:
            counters = raw_counters(picture, sandbox, part.anchor.signal)
            rows.append(_part_texts(part, counters))
        for line, texts in enumerate(rows):
            for column, text in enumerate(texts):
                if len(self._cells) <= line * len(texts) + column:
                    made = label("", "note" if line else "label", wrap=column == _WIDE)
                    self._cells.append(made)
                    self._grid.addWidget(made, line, column, Qt.AlignmentFlag.AlignTop)
                cell = self._cells[line * len(texts) + column]
                cell.setText(text)
                cell.setVisible(True)
        for cell in self._cells[len(rows) * len(rows[0]) :]:
            cell.setVisible(False)
        self._grid.setColumnStretch(_WIDE, 1)


_NAMES = {"vcpu": "vCPUs", "vmm": "VMM", "iothread": "IO thread"}


def _name(series: str) -> str:
    """The name of a series as people write it."""
    return _NAMES.get(series, series)


def _role(name: str) -> str:
    if name.startswith("vCPU"):
        return "vcpu"
    return _ROLES.get(name, "vhost" if name.startswith("vhost") else name)


def _because(picture: Picture, found: Accusation) -> str:
    """Who makes it wait."""
    actor = found.actor
    culprit = picture.view.by_key.get(actor.sandbox)
    who = actor_name(picture.view, actor)
    if culprit is not None:
        who = f"{ROLE_WORDS.get(actor.role, actor.role.value)} of {culprit.name}"
    return f", mostly for {who} on CPU\u00a0{found.cpu}"


def _scope(score: Score) -> str:
    measured = sum(part.points is not None for part in score.parts)
    weakest = f"Weakest signal: {score.weakest.anchor.title}. " if score.weakest else ""
    return f"{weakest}{measured} of {len(score.parts)} signals measured."


def _part_texts(part: Part, counters: str) -> tuple[str, str, str, str, str, str]:
    anchor = part.anchor
    formula = f"{anchor.formula}\n{counters}" if counters else anchor.formula
    if part.value is None:
        return anchor.title, "not measured", "-", "", "", anchor.formula
    points = "-" if part.points is None else f"{part.points:.0f}"
    now, good, bad = (
        _with_unit(value, anchor.unit) for value in (part.value, anchor.good, anchor.bad)
    )
    return anchor.title, now, points, good, bad, formula


def _with_unit(value: float, unit: str) -> str:
    if unit == "%":
        return f"{100 * value:.3g}\u00a0%"
    return f"{value:.3g}\u00a0{unit}"
