"""The tab Isolation: opening sources, and the pages that belong to it."""

import datetime as dt
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from kataui import settings
from kataui.files import clean
from kataui.isolation.alerts import Rule
from kataui.isolation.incidents import Incident, incidents
from kataui.isolation.opening import Source
from kataui.ui.isolation.deck import Deck
from kataui.ui.isolation.entrance import TAB
from kataui.ui.isolation.livepage import LivePage, Outside
from kataui.ui.isolation.notify import Notifier
from kataui.ui.isolation.questions import Questions
from kataui.ui.isolation.tabpage import Actions, IsolationTab
from kataui.ui.sideline import Entry
from kataui.ui.widgets.fields import choose_path
from kataui.ui.window import Window
from kataui.ui.words import keep_private


class Isolations(QObject):
    """Makes and shows the pages of the tab; one page a source."""

    recent_changed = Signal()

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        self._open: dict[str, str] = {}
        self._count = 0
        self._notifier = Notifier(self)

    def make_tab(self) -> QWidget:
        """The page of the tab itself."""
        actions = Actions(
            watch=self.open_source,
            choose_recording=self.choose_recording,
            open_paths=self.open_paths,
            open_incident=self.open_incident,
        )
        return IsolationTab(actions, incidents())

    def choose_recording(self) -> None:
        """Let the user choose a file."""
        choose_path(
            self._window, "Open a recording", "open", "", lambda path: self.open_paths([path])
        )

    def open_paths(self, paths: list[str]) -> None:
        """Open recordings."""
        for path in paths:
            self.open_source(Source(path))

    def open_incident(self, incident: Incident) -> None:
        """Open a recording that comes with kataui."""
        self.open_source(Source(str(incident.path)), title=incident.title)

    def open_source(self, source: Source, title: str = "") -> None:
        """Show a source; one that is open already comes forward."""
        window = self._window
        for known, text in self._open.items():
            if text == source.text and window.has_page(known):
                window.go(known)
                return
        self._count += 1
        key = f"isolation:{self._count}"
        self._open[key] = source.text
        name = title or (_plain(source) if source.is_file else f"{source.name} (live)")
        if not source.is_file and source.text != "local":
            keep_private(source.name)
            window.set_network(f"Network: watching {source.name}")
        path = str(Path(source.text).absolute()) if source.is_file else ""
        make = partial(self._make, key, source, name)
        window.add_page(key, Entry(name), make, under=TAB, path=path)
        window.go(key)

    def _make(self, key: str, source: Source, name: str) -> QWidget:
        window = self._window
        questions = Questions(window)
        deck = Deck(window.jobs, source, questions.ask)
        deck.destroyed.connect(questions.close)

        def told(verdict: str, headline: str) -> None:
            window.set_entry(key, Entry(name, mark=verdict))
            if source.is_file:
                self._remember(source, verdict, headline)

        outside = Outside(
            told=told,
            status=lambda: window.show_status(key),
            problem=window.show_problem,
            done=window.show_done,
            choose=self._choose,
            open_another=lambda: window.go(TAB),
            alert=self._alert,
            measure=lambda: window.fill("isolation-benchmark", {}),
            rules=_rules(),
        )
        page = LivePage(window.jobs, deck, outside)
        deck.setParent(page)
        deck.open()
        return page

    def _alert(self, sentence: str) -> None:
        if settings.load().alert_desktop:
            self._notifier.tell("Isolation", sentence)

    def _choose(self, title: str, suffix: str, then: Callable[[Path], None]) -> None:
        """Let somebody choose where a file goes; a name without a suffix gets it."""

        def chosen(text: str) -> None:
            path = Path(text)
            then(path if path.suffix else path.with_name(path.name + suffix))

        choose_path(self._window, title, "save", "", chosen)

    def _remember(self, source: Source, verdict: str, sentence: str) -> None:
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        path = str(Path(source.text).absolute())
        item = settings.Recent(path, "recording", verdict, clean(sentence, limit=120), now)
        settings.save(settings.remember(settings.load(), item))
        self.recent_changed.emit()


def _rules() -> tuple[Rule, ...]:
    grade = settings.load().alert_below
    return () if grade == "never" else (Rule(below=grade),)


def _plain(source: Source) -> str:
    """A recording's name without its suffix: the sidebar is narrow."""
    return source.name.removesuffix(".kataui-rec") or source.name
