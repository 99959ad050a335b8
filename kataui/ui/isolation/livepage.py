"""One source on the screen: header, views, and the time line below all of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QHideEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from kataui.findings import Finding
from kataui.isolation.accuse import percent
from kataui.isolation.alerts import Alerts, Rule
from kataui.isolation.analysis import Picture
from kataui.isolation.checks.check import Checked, Scene
from kataui.isolation.detail import Detail
from kataui.isolation.measure import Comparison, compare, stretches
from kataui.isolation.opening import LOCAL
from kataui.isolation.player import Player
from kataui.isolation.reporting import write_report
from kataui.isolation.sources.feed import Line, State
from kataui.progress import Control
from kataui.ui import theme
from kataui.ui.isolation import past
from kataui.ui.isolation.compareview import CompareView
from kataui.ui.isolation.deck import Deck
from kataui.ui.isolation.findingsview import FindingsView
from kataui.ui.isolation.overview import Overview
from kataui.ui.isolation.timeline import Timeline
from kataui.ui.isolation.whohurts import WhoHurts
from kataui.ui.jobs import Jobs
from kataui.ui.widgets.banner import VerdictBanner
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import row
from kataui.ui.widgets.page import Scroll
from kataui.ui.widgets.text import label

if TYPE_CHECKING:
    from kataui.ui.isolation.sandboxview import SandboxView

_VIEWS = ("Overview", "Who hurts whom", "Findings", "Compare A and B")
_VIEW_U = 95
OVERVIEW, MATRIX, FINDINGS, COMPARE, SANDBOX = range(5)


@dataclass(frozen=True, slots=True)
class Outside:
    """What a page tells the window: verdict and sentence, the line's facts, and a problem."""

    told: Callable[[str, str], None]
    status: Callable[[str], None]
    problem: Callable[[str], None]
    ask_mark: Callable[[Callable[[str], None]], None]
    ask_keep: Callable[[Callable[[str], None]], None]
    ask_report: Callable[[Callable[[str], None]], None]
    open_another: Callable[[], None]
    alert: Callable[[str], None]
    save: Callable[[str, Callable[[Path], None]], None]
    rules: tuple[Rule, ...]


class LivePage(QWidget):
    """A live source or a recording."""

    keys = ("Space Pause", "← → Step", "K Keep", "M Mark", "Ctrl+F Filter")

    def __init__(self, jobs: Jobs, deck: Deck, outside: Outside) -> None:
        super().__init__()
        self.deck = deck
        self._jobs = jobs
        self._outside = outside
        self._checking = False
        self._alerts = Alerts(outside.rules)
        self._told = ("", "")
        self._past_state: tuple[int, bool] | None = None
        self.setProperty("look", "page")
        self.setAccessibleName(f"Isolation, {deck.source.name}")
        self._make_parts()
        self._arrange()
        self._connect()

    def _make_parts(self) -> None:
        self.title = label(self.deck.source.name, "title")
        self.facts = label(self.deck.state.sentence, "dim", selectable=True)
        self.tabs = QTabBar()
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setUsesScrollButtons(False)
        self.tabs.setElideMode(Qt.TextElideMode.ElideNone)
        self.tabs.setAccessibleName("Views")
        for name in _VIEWS:
            self.tabs.addTab(name)
        self.banner = VerdictBanner()
        self.banner.show_verdict("info", self.deck.state.sentence, word="Opening")
        self.evidence = Button("Evidence", lambda: self._show_view(MATRIX))
        self.fix = Button("See the fix", self._show_fix)
        self.again = Button("Try again", self.deck.retry)
        for button in (self.evidence, self.fix, self.again):
            self.banner.add_action(button)
            button.setVisible(False)
        self.overview = Overview()
        self.who = WhoHurts()
        self.findings = FindingsView(self._check)
        self.compare = CompareView(self.deck.mark, self._compare)
        self.sandbox: SandboxView | None = None
        self.timeline = Timeline(live=not self.deck.source.is_file)
        self.home = Button("Overview", self._leave_sandbox, icon="left", kind="quiet")
        self.home.setVisible(False)

    def _arrange(self) -> None:
        outside = self._outside
        actions = row(
            Button("Mark…", lambda: outside.ask_mark(self.deck.mark), icon="flag"),
            Button("Report…", lambda: outside.ask_report(self._report)),
            Button("Open another…", outside.open_another),
        )
        words = QVBoxLayout()
        words.setSpacing(theme.u(0.5))
        words.addWidget(self.title)
        words.addWidget(self.facts)
        header = QHBoxLayout()
        header.addLayout(words, 1)
        header.addLayout(actions)
        self.views = QStackedWidget()
        for view in (self.overview, self.who, self.findings, self.compare):
            self.views.addWidget(view)
        self.views.setMinimumHeight(theme.u(_VIEW_U))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, theme.u(5), 0, 0)
        layout.setSpacing(theme.u(1))
        head = QVBoxLayout()
        head.setContentsMargins(theme.u(7), 0, theme.u(7), 0)
        head.setSpacing(theme.u(3))
        head.addLayout(header)
        head.addLayout(row(self.home, self.tabs, None))
        layout.addLayout(head)
        scroll = Scroll()
        scroll.body.setContentsMargins(theme.u(7), theme.u(3), theme.u(7), theme.u(4))
        scroll.use_all()  # the views take what room there is
        scroll.body.addWidget(self.banner)
        scroll.body.addWidget(self.views, 1)
        scroll.body.addWidget(self.timeline)
        layout.addWidget(scroll, 1)

    def _connect(self) -> None:
        self.tabs.currentChanged.connect(self._on_tab)
        self.deck.shown.connect(self._on_shown)
        self.deck.line_changed.connect(self._on_line)
        self.deck.problem.connect(self._outside.problem)
        self.deck.markers_changed.connect(self._on_markers)
        self.deck.mode_changed.connect(self._on_mode)
        self.findings.measure.connect(self._measure)
        self.overview.opened.connect(self.open_sandbox)
        self.who.opened.connect(self.open_sandbox)
        self.who.fix.connect(self._show_fix)
        self.who.measure.connect(lambda: self._show_view(COMPARE))
        self.timeline.moved.connect(lambda _begin, end: self.deck.seek(int(end * 1e6)))
        self.timeline.paused.connect(self._on_pause)
        self.timeline.keep.connect(self._keep)
        self.timeline.speed_changed.connect(self.deck.set_speed)
        self.timeline.loop_changed.connect(self.deck.set_loop)
        for keys, act in (
            ("Space", self._toggle_pause),
            ("Left", lambda: self.deck.step(-1)),
            ("Right", lambda: self.deck.step(1)),
            ("Shift+Left", lambda: self.deck.step(-10)),
            ("Shift+Right", lambda: self.deck.step(10)),
            ("K", lambda: self._keep(None)),
            ("Escape", self._leave_sandbox),
            ("M", lambda: self._outside.ask_mark(self.deck.mark)),
        ):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(act)

    def _toggle_pause(self) -> None:
        self._on_pause(not self.deck.paused)

    def _on_pause(self, paused: bool) -> None:  # noqa: FBT001 - a signal's slot
        if paused:
            self.deck.pause()
        else:
            self.deck.resume()

    def _on_mode(self) -> None:
        self.timeline.set_paused(self.deck.paused)
        if self.sandbox is not None:
            self.sandbox.set_paused(self.deck.paused)

    def _keep(self, minutes: int | None) -> None:
        self._outside.ask_keep(lambda path: self.deck.keep(path, minutes))

    def open_sandbox(self, key: str) -> None:
        """Show one sandbox; its last minutes are read back from the stream."""
        if self.sandbox is None:
            from kataui.ui.isolation.sandboxview import SandboxView  # noqa: PLC0415 - pyqtgraph

            self.sandbox = SandboxView(self._outside.save)
            self.sandbox.fix.connect(self._show_fix)
            self.views.addWidget(self.sandbox)
        self.sandbox.begin(Detail(key))
        self._show_view(SANDBOX)
        self.deck.read_detail(key, self.sandbox.begin)

    def _leave_sandbox(self) -> None:
        if self.views.currentIndex() == SANDBOX:
            self._show_view(OVERVIEW)

    def _show_fix(self) -> None:
        """The finding that fits what is told: pinned clashes first, then foreign work, waiting."""
        self._show_view(FINDINGS)
        self.findings.choose("CPU-02", "NET-17", "CPU-04", "IO-20", "MEM-04", "CPU-07")

    def _show_view(self, number: int) -> None:
        """A tab's view, or the sandbox, which is no tab."""
        alone = number == SANDBOX
        self.views.setCurrentIndex(number)
        self.home.setVisible(alone)
        self.tabs.setVisible(not alone)
        self.banner.setVisible(not alone)
        if not alone and self.tabs.currentIndex() != number:
            self.tabs.setCurrentIndex(number)
        if self.deck.picture is not None:
            self._on_shown(self.deck.picture)

    def showEvent(self, event: QShowEvent) -> None:
        """Somebody looks again."""
        super().showEvent(event)
        self.deck.set_hidden(hidden=False)
        if self.deck.picture is not None:
            self._on_shown(self.deck.picture)

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks: samples are taken in, nothing is painted."""
        super().hideEvent(event)
        self.deck.set_hidden(hidden=True)

    def on_closed(self) -> None:
        """The page was closed: end the source."""
        self.deck.close()

    def _on_tab(self, number: int) -> None:
        self._show_view(number)
        if number == FINDINGS:
            self._check()

    def _on_line(self, state: State) -> None:
        if state.line is Line.LOST or self.deck.picture is None:
            lost = state.line is Line.LOST
            word = "The line is lost" if lost and self.deck.picture else "Opening"
            word = "Cannot be opened" if lost and self.deck.picture is None else word
            self.banner.show_verdict("unknown" if lost else "info", state.sentence, word=word)
            self.again.setVisible(lost)
            self.evidence.setVisible(False)
            self.fix.setVisible(False)

    def _on_shown(self, picture: Picture) -> None:
        judgement = picture.judgement
        verdict = judgement.verdict.value
        if self._told != (verdict, judgement.headline):
            self._told = (verdict, judgement.headline)
            self._outside.told(verdict, judgement.headline)
        for alert in self._alerts.look(picture) if self.deck.live else ():
            if not alert.over:
                self.deck.mark(alert.name)
            self._outside.alert(alert.sentence)
        if not self.isVisible():
            return
        self._show_facts(picture)
        word = f"{verdict.capitalize()}: {judgement.headline[:1].lower()}{judgement.headline[1:]}"
        self.banner.show_verdict(verdict, judgement.sentence, judgement.scope, word)
        hurt = bool(judgement.accusations)
        self.again.setVisible(False)
        self.evidence.setVisible(hurt)
        self.fix.setVisible(hurt)
        analysis = self.deck.analysis
        view = (self.overview, self.who, None, None, self.sandbox)[self.views.currentIndex()]
        if analysis is not None and view is not None:
            view.show_picture(picture, analysis)
        self._show_markers()
        self._show_time(picture)

    def _show_time(self, picture: Picture) -> None:
        deck, analysis = self.deck, self.deck.analysis
        offset_s = picture.wall_s - picture.time_s
        if deck.recording is not None and analysis is not None:
            state = (len(deck.markers), deck.past is not None)
            if self._past_state != state:
                self._past_state = state
                self.timeline.set_data(past.recorded(deck.recording, deck.past, offset_s))
            if not deck.paused:
                begin_s, end_s = self.timeline.strip.window_s
                self.timeline.set_window(picture.time_s - (end_s - begin_s), picture.time_s)
        elif deck.session is not None:
            self.timeline.set_data(past.live(deck.session.analysis, deck.markers, offset_s))

    def _show_facts(self, picture: Picture) -> None:
        view = picture.view
        hurt = sum(grade in {"C", "D", "E"} for grade in picture.grades.values())
        kinds = sorted({sandbox.hypervisor for sandbox in view.sandboxes})
        parts = [
            "Live" if self.deck.live else "Recorded" if self.deck.source.is_file else "Paused",
            f"{len(view.sandboxes)} sandboxes, {hurt} hurt",
            f"{len(view.cpus)} CPUs",
            ", ".join(kinds),
        ]
        if view.head.get("synthetic"):
            parts.append("synthetic: made by a generator")
        name = view.name if self.deck.source.text == LOCAL else self.deck.source.name
        at_sandbox = self.sandbox is not None and self.views.currentIndex() == SANDBOX
        alone = self.sandbox.detail if self.sandbox is not None and at_sandbox else None
        shown = view.by_key.get(alone.key) if alone else None
        self.title.setText(f"{name}, {shown.name}" if shown else name)
        self.facts.setText(" · ".join(part for part in parts if part))
        rate = f"{view.head.get('rate_hz', 1):g} sample/s"
        cost = f"own cost {percent(picture.cost)} of a core"
        name = self.deck.source.name
        self._outside.status(f"{name}    {rate}    {cost}    {picture.dropped} samples dropped")

    def _on_markers(self) -> None:
        self._show_markers()
        if self.deck.picture is not None:
            self._show_time(self.deck.picture)

    def _show_markers(self) -> None:
        picture = self.deck.picture
        if picture is None:
            return
        ago = {
            marker.name: picture.time_s - marker.mono_us / 1e6
            for marker in self.deck.markers
            if marker.name in {"A", "B"}
        }
        self.compare.show_markers(ago)

    def _check(self) -> None:
        """Look at the host's settings, off this thread."""
        picture = self.deck.picture
        if picture is None or self._checking:
            return
        self._checking = True

        def work(control: Control) -> list[Checked]:
            del control
            from kataui.isolation.checks.all import run_all  # noqa: PLC0415 - a hundred checks

            return run_all(Scene(picture.view, picture.span))

        self._jobs.start(work, on_done=self._checked, on_error=self._not_checked)

    def _checked(self, outcomes: list[Checked]) -> None:
        self._checking = False
        self.findings.show_outcomes(outcomes)
        count = sum(finding.checked for outcome in outcomes for finding in outcome.findings)
        self.tabs.setTabText(FINDINGS, f"Findings  {count}" if count else "Findings")

    def _not_checked(self, error: Exception) -> None:
        self._checking = False
        self._outside.problem(str(error))

    def _report(self, path: str) -> None:
        """Write the HTML report of a recording, or of what the ring holds."""
        deck = self.deck
        store = deck.recording or (deck.session.ring if deck.session else None)
        if store is None or not store.segments:
            self._outside.problem("There is nothing to report yet.")
            return
        name = deck.source.name

        def work(control: Control) -> Path:
            return write_report(store, Path(path), name=name, control=control)

        self._jobs.start(work, on_done=lambda _path: None, on_error=self._not_checked)

    def _measure(self, finding: Finding) -> None:
        self.compare.begin(finding)
        self.tabs.setCurrentIndex(COMPARE)

    def _compare(self) -> None:
        """Compare what lies after the markers A and B."""
        deck = self.deck
        store = deck.recording or (deck.session.ring if deck.session else None)
        if store is None:
            return
        markers, end_s = list(deck.markers), deck.range_us[1] / 1e6

        def work(control: Control) -> Comparison:
            del control
            a, b = stretches(markers, end_s, "A", "B")
            return compare(Player(store), a, Player(store), b)

        def failed(error: Exception) -> None:
            self.compare.show_problem(getattr(error, "message", str(error)))

        self._jobs.start(work, on_done=self.compare.show_comparison, on_error=failed)
