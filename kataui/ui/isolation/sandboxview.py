"""One sandbox: what holds its score down, both paths hop by hop, and its curves."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout

from kataui.isolation import detail
from kataui.isolation.accuse import percent
from kataui.isolation.analysis import Analysis, Picture
from kataui.isolation.detail import Detail
from kataui.isolation.model import Sandbox
from kataui.isolation.paths import io_path, network_path
from kataui.isolation.score import Part, Score
from kataui.ui import theme
from kataui.ui.isolation.chartparts import ChartSeries
from kataui.ui.isolation.charts import Chart, LineChart, StackedChart
from kataui.ui.isolation.pathview import PathCard
from kataui.ui.widgets.banner import VerdictBanner
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, row
from kataui.ui.widgets.page import Columns, Scroll
from kataui.ui.widgets.text import label

_ROLES = {"own limit": "other", "CPU": "vcpu", "IO": "iothread", "memory": "virtiofsd"}
_ROLES |= {"voluntary": "other", "involuntary": "vhost", "resident": "vmm"}
_CHART_U = 62
_BAD = ("D", "E")


class SandboxView(Scroll):
    """``back`` asks for the overview; ``fix`` for the findings."""

    back = Signal()
    fix = Signal()

    def __init__(self, save: Callable[[str, Callable[[Path], None]], None]) -> None:
        super().__init__(margin_u=0)
        self.detail: Detail | None = None
        self._save = save
        self.banner = VerdictBanner()
        self.banner.add_action(Button("Show formula", self._toggle_formula))
        self.banner.add_action(Button("See the fix", self.fix.emit))
        self.body.addWidget(self.banner)
        self.formula = Card("How the score is made")
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(theme.u(5))
        self.formula.body.addLayout(self._grid)
        self.formula.setVisible(False)
        self.body.addWidget(self.formula)
        self.network, self.io = PathCard(), PathCard()
        self.body.addWidget(self.network)
        self.body.addWidget(self.io)
        self._add_charts()

    def _add_charts(self) -> None:
        self.charts: dict[str, Chart] = {
            detail.CPU: StackedChart("CPU by role", "cores", least_top=1.0),
            detail.WAITING: LineChart("Waiting", "% of time", least_top=10.0),
            detail.PRESSURE: LineChart("Pressure", "% of time", least_top=10.0),
            detail.SWITCHES: LineChart("Switches of the vCPUs", "a second", least_top=100.0),
            detail.MEMORY: LineChart("Memory of its processes", "MiB", least_top=64.0),
        }
        columns = Columns(shares=(1, 1), narrow_u=170)
        for number, chart in enumerate(self.charts.values()):
            chart.setMinimumHeight(theme.u(_CHART_U))
            (columns.left if number % 2 == 0 else columns.right).addWidget(chart)
        self.body.addWidget(columns)
        self.body.addLayout(
            row(
                Button("Export CSV…", lambda: self._save("csv", self._write_csv)),
                Button("Export PNG…", lambda: self._save("png", self._write_png)),
                Button("Export SVG…", lambda: self._save("svg", self._write_svg)),
                None,
            )
        )

    def begin(self, found: Detail) -> None:
        """Show another sandbox."""
        self.detail = found
        for chart in self.charts.values():
            chart.reset_scale()

    def set_paused(self, paused: bool) -> None:  # noqa: FBT001 - as the charts have it
        """Time stands still, or goes on."""
        for chart in self.charts.values():
            chart.set_paused(paused)

    def show_picture(self, picture: Picture, analysis: Analysis) -> None:
        """A new moment; a sandbox that is gone keeps its last one."""
        if self.detail is None:
            return
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
        self._show_charts()

    def _show_charts(self) -> None:
        if self.detail is None:
            return
        times = np.array(self.detail.times)
        for name, chart in self.charts.items():
            series = [
                ChartSeries(words, _role(words), values)
                for words, values in self.detail.series(name).items()
            ]
            chart.setVisible(bool(series))
            chart.set_data(times, series)

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
            because = _because(picture, mine[0].cpu) if mine else ""
            sentence = f"Waits {percent(waits)} of its time{because}."
            self.banner.show_verdict(kind, sentence, _scope(score), word)
        if self.formula.isVisible():
            self._fill_formula(score)

    def _toggle_formula(self) -> None:
        self.formula.setVisible(not self.formula.isVisible())

    def _fill_formula(self, score: Score) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        for column, title in enumerate(("Signal", "Now", "Points", "100 at", "0 at", "Formula")):
            self._grid.addWidget(label(title, "label", wrap=False), 0, column)
        for line, part in enumerate(score.parts, 1):
            for column, text in enumerate(_part_texts(part)):
                self._grid.addWidget(label(text, "note", wrap=column == 5), line, column)
        self._grid.setColumnStretch(5, 1)

    def _write_csv(self, path: Path) -> None:
        parts = [chart.to_csv() for chart in self.charts.values() if chart.isVisibleTo(self)]
        path.write_text("\n".join(parts), encoding="utf-8")

    def _write_png(self, path: Path) -> None:
        for name, chart in self.charts.items():
            if chart.isVisibleTo(self):
                chart.to_png(path.with_name(f"{path.stem}-{name}.png"))

    def _write_svg(self, path: Path) -> None:
        for name, chart in self.charts.items():
            if chart.isVisibleTo(self):
                chart.to_svg(path.with_name(f"{path.stem}-{name}.svg"))


def _role(name: str) -> str:
    if name.startswith("vCPU"):
        return "vcpu"
    return _ROLES.get(name, "vhost" if name.startswith("vhost") else name)


def _because(picture: Picture, cpu: int) -> str:
    """The reason in the words of the judgement, shortened."""
    tail = picture.judgement.sentence.partition(", mostly for ")[2]
    who = tail.partition(" on CPU")[0]
    return f", mostly for {who} on CPU\u00a0{cpu}" if who and cpu >= 0 else ""


def _scope(score: Score) -> str:
    measured = sum(part.points is not None for part in score.parts)
    weakest = f"Weakest signal: {score.weakest.anchor.title}. " if score.weakest else ""
    return f"{weakest}{measured} of {len(score.parts)} signals measured."


def _part_texts(part: Part) -> tuple[str, ...]:
    anchor = part.anchor
    if part.value is None:
        return anchor.title, "not measured", "-", "", "", anchor.formula
    points = "-" if part.points is None else f"{part.points:.0f}"
    values = [_with_unit(value, anchor.unit) for value in (part.value, anchor.good, anchor.bad)]
    return anchor.title, values[0], points, values[1], values[2], anchor.formula


def _with_unit(value: float, unit: str) -> str:
    if unit == "%":
        return f"{100 * value:.3g}\u00a0%"
    return f"{value:.3g}\u00a0{unit}"
