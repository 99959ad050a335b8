"""One source on the screen: header, views, and the time line below all of them."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QHideEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QTabBar, QVBoxLayout, QWidget

from kataui.findings import Finding
from kataui.isolation.alerts import Alerts
from kataui.isolation.analysis import Picture
from kataui.isolation.checks.check import Checked
from kataui.isolation.detail import Detail
from kataui.isolation.opening import LOCAL
from kataui.isolation.sources.feed import Line, State
from kataui.ui import theme
from kataui.ui.isolation import pagehead, past
from kataui.ui.isolation.compareview import CompareView
from kataui.ui.isolation.deck import Deck
from kataui.ui.isolation.findingsview import FindingsView
from kataui.ui.isolation.markbar import MarkBar
from kataui.ui.isolation.overview import Overview
from kataui.ui.isolation.pagehead import PageHead
from kataui.ui.isolation.pagework import Outside, PageWork
from kataui.ui.isolation.shareview import ShareView
from kataui.ui.isolation.timeline import Timeline
from kataui.ui.isolation.views import Views
from kataui.ui.isolation.whohurts import WhoHurts
from kataui.ui.jobs import Jobs
from kataui.ui.widgets.banner import VerdictBanner
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import row
from kataui.ui.widgets.page import Scroll
from kataui.ui.words import tr

if TYPE_CHECKING:
    from kataui.ui.isolation.sandboxview import SandboxView

__all__ = ["LivePage", "Outside"]
_VIEWS = ("Overview", "Who hurts whom", "Findings", "Compare A and B")
OVERVIEW, MATRIX, FINDINGS, COMPARE, SANDBOX, SHARE = range(6)
# Findings that answer the question "what do I change", the most telling first.
_FIXES = ("CPU-02", "NET-17", "CPU-04", "IO-20", "MEM-04", "CPU-07")


class LivePage(QWidget):
    """A live source or a recording."""

    def __init__(self, jobs: Jobs, deck: Deck, outside: Outside) -> None:
        super().__init__()
        self.deck = deck
        self.work = PageWork(jobs, deck, outside)
        self.as_command = self.work.as_command
        self._outside = outside
        self._alerts = Alerts(outside.rules)
        self._told = ("", "")
        self._past_state: tuple[int, bool] | None = None
        self._end_s = float("nan")
        self._reading = False
        self._shown = OVERVIEW
        keep = () if deck.source.is_file else ("K Keep",)
        self.status: tuple[str, ...] = (deck.source.name,)
        self.keys = ("Space Pause", "← → Step", *keep, "M Mark", "Ctrl+F Filter")
        self.setProperty("look", "page")
        self.setAccessibleName(tr(f"Isolation, {deck.source.name}"))
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._make_parts()
        self._arrange()
        self._connect()
        self._connect_keys()

    def _make_parts(self) -> None:
        deck = self.deck
        self.head = PageHead(
            back=self._leave,
            mark=self._begin_mark,
            open_another=self._outside.open_another,
            choices=self._exports,
        )
        self.head.show_place(deck.source.name, deck.state.sentence)
        self.tabs = QTabBar()
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setUsesScrollButtons(True)  # a narrow window has no room for all
        self.tabs.setElideMode(Qt.TextElideMode.ElideNone)
        self.tabs.setAccessibleName(tr("Views"))
        for name in _VIEWS:
            self.tabs.addTab(tr(name))
        self.banner = VerdictBanner()
        self.banner.show_verdict("info", deck.state.sentence, word="Opening")
        self.evidence = Button("Evidence", lambda: self._show_view(MATRIX))
        self.fix = Button("See the fix", self.show_fix)
        self.again = Button("Try again", deck.retry)
        for button in (self.evidence, self.fix, self.again):
            self.banner.add_action(button)
            button.setVisible(False)
        self.overview = Overview()
        self.who = WhoHurts()
        self.findings = FindingsView(self._check)
        self.compare = CompareView(deck.mark, self._compare)
        self.sandbox: SandboxView | None = None
        self.share = ShareView(self.work.redact)
        self.mark_bar = MarkBar()
        self.timeline = Timeline(live=not deck.source.is_file)

    def _arrange(self) -> None:
        self.views = Views()
        for view in (self.overview, self.who, self.findings, self.compare):
            self.views.addWidget(view)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, theme.u(5), 0, 0)
        layout.setSpacing(theme.u(1))
        head = QVBoxLayout()
        head.setContentsMargins(theme.u(7), 0, theme.u(7), 0)
        head.setSpacing(theme.u(3))
        head.addWidget(self.head)
        head.addLayout(row(self.tabs, None))
        layout.addLayout(head)
        scroll = Scroll()
        scroll.body.setContentsMargins(theme.u(7), theme.u(3), theme.u(7), theme.u(4))
        scroll.use_all()  # the views take what room there is
        scroll.body.addWidget(self.banner)
        scroll.body.addWidget(self.views, 1)
        scroll.body.addWidget(self.mark_bar)
        scroll.body.addWidget(self.timeline)
        layout.addWidget(scroll, 1)

    def _connect(self) -> None:
        deck, timeline = self.deck, self.timeline
        self.tabs.currentChanged.connect(self._show_view)
        deck.shown.connect(self._on_shown)
        deck.line_changed.connect(self._on_line)
        deck.problem.connect(self._outside.problem)
        deck.markers_changed.connect(self._on_markers)
        deck.mode_changed.connect(self._on_mode)
        self.findings.measure.connect(self._measure)
        self.overview.opened.connect(self.open_sandbox)
        self.who.opened.connect(self.open_sandbox)
        self.who.fix.connect(self.show_fix)
        self.who.measure.connect(partial(self._show_view, COMPARE))
        self.mark_bar.marked.connect(lambda name, note, at: deck.mark(name, note, at=at))
        timeline.moved.connect(self._on_moved)
        timeline.paused.connect(self._on_pause)
        timeline.keep.connect(self.work.keep)
        timeline.speed_changed.connect(deck.set_speed)
        timeline.loop_changed.connect(deck.set_loop)

    def _connect_keys(self) -> None:
        acts: list[tuple[str, Callable[[], object]]] = [
            ("Space", lambda: self._on_pause(not self.deck.paused)),
            ("Escape", self._leave),
            ("M", self._begin_mark),
        ]
        acts += [
            (keys, partial(self.deck.step, seconds))
            for keys, seconds in (("Left", -1), ("Right", 1), ("Shift+Left", -10))
        ]
        acts.append(("Shift+Right", partial(self.deck.step, 10)))
        if not self.deck.source.is_file:
            acts.append(("K", partial(self.work.keep, None)))
        for keys, act in acts:
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(act)

    def _on_pause(self, paused: bool) -> None:  # noqa: FBT001 - a signal's slot
        if paused:
            self.deck.pause()
        else:
            self.deck.resume()

    def _on_moved(self, _begin_s: float, end_s: float) -> None:
        """The window's end is the moment that is seen; its begin only says what is kept."""
        if end_s != self._end_s:
            self._end_s = end_s
            self.deck.seek(round(end_s * 1e6))

    def _on_mode(self) -> None:
        self.timeline.set_paused(self.deck.paused)
        if self.sandbox is not None:
            self.sandbox.set_paused(self._stands_still)
        if self.deck.picture is not None:
            self._show_facts(self.deck.picture)

    def _begin_mark(self) -> None:
        self.mark_bar.begin(self.deck.picture)

    def open_sandbox(self, key: str) -> None:
        """Show one sandbox; its last minutes are read back from the stream."""
        if self.sandbox is None:
            from kataui.ui.isolation.sandboxview import SandboxView  # noqa: PLC0415 - pyqtgraph

            self.sandbox = SandboxView()
            self.sandbox.fix.connect(self.show_fix)
            self.views.addWidget(self.sandbox)
        self.sandbox.begin(Detail(key))
        self.sandbox.set_paused(self._stands_still)
        self._show_view(SANDBOX)

    @property
    def _stands_still(self) -> bool:
        """Whether live data is held; a recording tells its hour of day anyway."""
        return self.deck.paused and not self.deck.source.is_file

    def _read_detail(self, key: str) -> None:
        """Read the curves up to the moment that is shown; once more if that has moved on."""
        if self._reading:
            return
        self._reading = True

        def done(found: Detail) -> None:
            self._reading = False
            if self.sandbox is not None and self.sandbox.key == found.key:
                self.sandbox.begin(found)
                self.deck.show_again()

        self.deck.read_detail(key, done)

    def _leave(self) -> None:
        if self._shown in {SANDBOX, SHARE}:
            self._show_view(OVERVIEW)

    def show_fix(self) -> None:
        """The finding that fits what is told."""
        self._show_view(FINDINGS)
        self.findings.choose(*_FIXES)

    def _show_view(self, number: int) -> None:
        """A tab's view, or one of those that are no tab."""
        self._shown = number
        view = self._view
        if view is None:
            return
        self.views.setCurrentWidget(view)
        alone = number in {SANDBOX, SHARE}
        self.tabs.setVisible(not alone)
        self.timeline.setVisible(not alone)
        self._show_banner()
        if not alone and self.tabs.currentIndex() != number:
            self.tabs.setCurrentIndex(number)  # comes back here
            return
        if number == FINDINGS:
            self._check()
        self.deck.show_again()

    @property
    def _view(self) -> QWidget | None:
        views = (self.overview, self.who, self.findings, self.compare, self.sandbox, self.share)
        return views[self._shown]

    def _show_banner(self) -> None:
        """One sentence a page: on the overview the verdict; elsewhere only a lost line."""
        lost = self.deck.state.line is Line.LOST or self.deck.picture is None
        self.banner.setVisible(self._shown == OVERVIEW or lost)

    def showEvent(self, event: QShowEvent) -> None:
        """Somebody looks again."""
        super().showEvent(event)
        self.deck.set_hidden(hidden=False)
        self.deck.show_again()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks: samples are taken in, nothing is painted."""
        super().hideEvent(event)
        self.deck.set_hidden(hidden=True)

    def on_closed(self) -> None:
        """The page was closed: end the source."""
        self.deck.close()

    def _on_line(self, state: State) -> None:
        lost = state.line is Line.LOST
        if lost or self.deck.picture is None:
            word = "Opening" if not lost else "The line is lost"
            word = "Cannot be opened" if lost and self.deck.picture is None else word
            self.banner.show_verdict("unknown" if lost else "info", state.sentence, word=word)
            self.again.setVisible(lost)
            self.evidence.setVisible(False)
            self.fix.setVisible(False)
        self._show_banner()

    def _on_shown(self, picture: Picture) -> None:
        self._tell(picture)
        if not self.isVisible():
            return
        self._show_facts(picture)
        if self.deck.state.line is not Line.LOST:
            self._show_verdict(picture)
        analysis, view = self.deck.analysis, self._view
        if analysis is not None:
            if isinstance(view, Overview | WhoHurts):
                view.show_picture(picture, analysis)
            elif self._shown == SANDBOX and self.sandbox is not None:
                if self.sandbox.lacks(picture.time_s):
                    self._read_detail(self.sandbox.key)
                self.sandbox.show_picture(picture, analysis, self.deck.markers)
        self._show_markers()
        self._show_time(picture)

    def _tell(self, picture: Picture) -> None:
        """Sidebar and alerts; also when nobody looks."""
        judgement = picture.judgement
        for alert in self._alerts.look(picture) if self.deck.live else ():
            if not alert.over:
                self.deck.mark(f"Alert: {alert.name}", alert.sentence)
            self._outside.alert(alert.sentence)
        verdict = judgement.verdict.value
        mark = "warning" if self._alerts.active and verdict != "fail" else verdict
        if self._told != (mark, judgement.headline):
            self._told = (mark, judgement.headline)
            self._outside.told(mark, judgement.headline)

    def _show_verdict(self, picture: Picture) -> None:
        judgement = picture.judgement
        verdict = judgement.verdict.value
        word = f"{verdict.capitalize()}: {judgement.headline[:1].lower()}{judgement.headline[1:]}"
        self.banner.show_verdict(verdict, judgement.sentence, judgement.scope, word)
        self.again.setVisible(False)
        self.evidence.setVisible(bool(judgement.accusations))
        self.fix.setVisible(bool(judgement.accusations))
        self._show_banner()

    def _show_time(self, picture: Picture) -> None:
        """The time line; its window ends at what is seen, unless somebody moves it just now."""
        deck, strip = self.deck, self.timeline.strip
        if deck.recording is not None:
            state = (len(deck.markers), deck.past is not None)
            if self._past_state != state:
                self._past_state = state
                self.timeline.set_data(past.recorded(deck.recording, deck.past, picture))
        elif deck.session is not None and not deck.working:
            self.timeline.set_data(past.live(deck.session.analysis, deck.markers, picture))
        if not deck.live and not strip.dragging and not deck.seeking:
            self._end_s = picture.time_s
            self.timeline.set_moment(picture.time_s)

    def _show_facts(self, picture: Picture) -> None:
        view, source = picture.view, self.deck.source
        name = view.name if source.text == LOCAL else source.name
        when = pagehead.moment(picture)
        mode = "Live" if self.deck.live else f"{'Recorded' if source.is_file else 'Paused'} {when}"
        if self._shown == SANDBOX and self.sandbox is not None:
            shown = view.by_key.get(self.sandbox.key)
            facts = pagehead.sandbox_facts(view, shown, mode=mode)
            self.head.show_place(shown.name if shown else "Sandbox", facts, back=name)
        elif self._shown == SHARE:
            self.head.show_place("Share without names", mode, back=name)
        else:
            self.head.show_place(name, pagehead.host_facts(picture, mode=mode))
        self.status = (source.name, *pagehead.sampling(picture))
        self._outside.status()

    def _on_markers(self) -> None:
        self._show_markers()
        if self.deck.picture is not None:
            self._show_time(self.deck.picture)

    def _show_markers(self) -> None:
        picture = self.deck.picture
        if picture is not None:
            ago = {m.name: picture.time_s - m.mono_us / 1e6 for m in self.deck.markers}
            self.compare.show_markers({name: ago[name] for name in ("A", "B") if name in ago})

    def _check(self) -> None:
        self.work.check(self._checked)

    def _checked(self, outcomes: list[Checked]) -> None:
        self.findings.show_outcomes(outcomes)
        count = sum(finding.checked for outcome in outcomes for finding in outcome.findings)
        self.tabs.setTabText(FINDINGS, tr(f"Findings  {count}" if count else "Findings"))

    def _measure(self, finding: Finding) -> None:
        self.compare.begin(finding)
        self._show_view(COMPARE)

    def _compare(self) -> None:
        self.work.compare(self.compare.show_comparison, self.compare.show_problem)

    def _exports(self) -> list[tuple[str, Callable[[], None]]]:
        view, work = self._view, self.work
        found: list[tuple[str, Callable[[], None]]] = [("Report as HTML…", work.report)]
        if view is not None and not isinstance(view, ShareView):
            table = getattr(view, "to_csv", str)
            found += [
                ("Table as CSV…", lambda: work.export_table(table())),
                ("Picture as PNG…", lambda: work.export_picture(view, ".png")),
                ("Picture as SVG…", lambda: work.export_picture(view, ".svg")),
            ]
        if self.deck.source.is_file:
            found.append(("Copy without names…", self._begin_share))
        return [*found, ("Measure it with a pipeline…", self._outside.measure)]

    def _begin_share(self) -> None:
        if self.views.indexOf(self.share) < 0:
            self.views.addWidget(self.share)
        self.share.begin()
        self._show_view(SHARE)
        self.work.preview(self.share.show_preview, self.share.show_problem)
