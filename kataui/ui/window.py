"""The main window: sidebar, pages, status line. It knows pages only by their keys."""

import gc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from PySide6.QtCore import QByteArray, QSettings, QTimer
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeySequence,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from kataui.ui import theme
from kataui.ui.acts import Act, Items, page_acts
from kataui.ui.dock import ProgressDock
from kataui.ui.focus import FocusRing
from kataui.ui.jobs import Jobs
from kataui.ui.sidebar import Sidebar
from kataui.ui.sideline import Entry
from kataui.ui.statusline import StatusLine
from kataui.ui.widgets.card import hairline
from kataui.ui.widgets.confirm import Confirm
from kataui.ui.widgets.drop import DropVeil, dropped_paths
from kataui.ui.widgets.message import MessageBar
from kataui.ui.widgets.progress import ProgressPanel
from kataui.ui.words import tr

_RAIL_BELOW_U = 275  # 1100 px at a 14 px font
_KEYS = ("Ctrl+K Find", "Ctrl+O Open", "Ctrl+B Sidebar", "Alt+↑ Alt+↓ Pages")
HOME = "home"


class Closable(Protocol):
    """A page that wants to know when it is closed."""

    def on_closed(self) -> None:
        """Stop what the page is doing."""


@dataclass(slots=True)
class _Place:
    """A page that may not be made yet."""

    make: Callable[[], QWidget]
    widget: QWidget | None = None
    closable: bool = False
    path: str = ""


class Window(QMainWindow):
    """Pages are made when they are first shown.

    What it asks of others is set later: ``open_paths``, ``choose``, ``choose_folder``, ``adopt``
    (a manifest), ``fill`` (a template's form), ``says`` (what a drop does), ``acts`` and so on.
    """

    def __init__(self, jobs: Jobs) -> None:
        super().__init__()
        self.jobs = jobs
        self.open_paths: Callable[[list[str]], None] = lambda _paths: None
        self.choose: Callable[[], None] = lambda: None
        self.choose_folder: Callable[[], None] = lambda: None
        self.adopt: Callable[[str], None] = lambda _path: None
        self.fill: Callable[[str, Mapping[str, str]], None] = lambda _name, _answers: None
        self.says: Callable[[list[str]], str] = lambda _paths: "Open it"
        self.acts: Items = []
        self.texts: Callable[[], Items] = list
        self.begin_talk: Callable[[], None] = lambda: None
        self.explain: Callable[[], None] = lambda: None
        self.about_to_close: Callable[[], None] = lambda: None
        self._held = False
        self._closed: list[str] = []
        self._places: dict[str, _Place] = {}
        self._rail_wanted: bool | None = None
        self.setWindowTitle(tr("kataui"))
        self.setAcceptDrops(True)
        self.sidebar = Sidebar()
        self.sidebar.chosen.connect(self.go)
        self.sidebar.close_asked.connect(self.close_page)
        self.sidebar.finder.items = self._found
        self._stack = QStackedWidget()
        self.messages = MessageBar()
        self.dock = ProgressDock(self.go)
        self.status_line = StatusLine()
        self._build()
        self._veil = DropVeil(self)
        self._add_actions()
        self._ring = FocusRing(self)
        jobs.setParent(self)
        jobs.busy_changed.connect(lambda: QTimer.singleShot(0, self, self._show_dock))
        self.resize(theme.u(330), theme.u(215))
        self._restore_geometry()

    def _build(self) -> None:
        right = QVBoxLayout()
        right.setSpacing(0)
        self._notices = QVBoxLayout()  # what is said above all pages; empty as a rule
        right.addLayout(self._notices)
        right.addWidget(self._stack, 1)
        right.addWidget(self.messages)
        right.addWidget(self.dock)
        right.addWidget(below := hairline())
        right.addWidget(self.status_line)
        self._bars = QVBoxLayout()  # what a talk needs; empty as a rule
        right.addLayout(self._bars)
        central = QWidget()
        layout = QHBoxLayout(central)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.sidebar)
        layout.addWidget(beside := hairline(upright=True))
        layout.addLayout(right, 1)
        self._around = (self.sidebar, beside, below, self.status_line)
        self.setCentralWidget(central)

    def _add_actions(self) -> None:
        for text, keys, action in (
            ("Find", "Ctrl+K", self.sidebar.begin_find),
            ("Open", "Ctrl+O", lambda: self.choose()),  # noqa: PLW0108 - set later
            ("Open a folder", "Ctrl+Shift+O", lambda: self.choose_folder()),  # noqa: PLW0108 - set later
            ("Sidebar", "Ctrl+B", self._toggle_rail),
            ("Present what is open", "F5", lambda: self.begin_talk()),  # noqa: PLW0108 - set later
            ("Explain this page", "F1", self._explain),
            ("Keyboard", "Ctrl+/", lambda: self.go("shortcuts")),
            ("Home", "Ctrl+1", lambda: self.go(HOME)),
            ("Pipelines", "Ctrl+2", lambda: self.go("pipelines")),
            ("Images", "Ctrl+3", lambda: self.go("images")),
            ("Isolation", "Ctrl+4", lambda: self.go("isolation")),
            ("Close page", "Ctrl+W", self.close_current),
            ("Open what was closed last", "Ctrl+Shift+T", self.reopen_closed),
            ("Next page", "Alt+Down", lambda: self._walk(1)),
            ("Previous page", "Alt+Up", lambda: self._walk(-1)),
            ("Quit", "Ctrl+Q", self.close),
        ):
            item = QAction(tr(text), self)
            item.setShortcut(QKeySequence(keys))
            item.triggered.connect(lambda _checked=False, action=action: action())
            self.addAction(item)

    def add_page(
        self,
        key: str,
        entry: Entry,
        make: Callable[[], QWidget],
        *,
        under: str = "",
        path: str = "",
    ) -> None:
        """Register a page; what lies ``under`` a tab can be closed.

        ``path`` is what the page shows, when it can be opened again by it.
        """
        self._places[key] = _Place(make, closable=bool(under), path=path)
        self.sidebar.add(key, entry, under=under)

    @property
    def opened(self) -> list[str]:
        """The paths of the pages that are open, as they stand in the sidebar."""
        places = (self._places[key] for key in self.sidebar.keys())  # noqa: SIM118 - no dict
        return [place.path for place in places if place.path]

    def path_of(self, key: str) -> str:
        """What a page shows; empty when that is no path."""
        return self._places[key].path if key in self._places else ""

    def hold(self, *, held: bool) -> None:
        """While it is held, what is opened only gets its line in the sidebar."""
        self._held = held

    def can_close(self, key: str) -> bool:
        """Whether a page is one that was opened."""
        return self._places[key].closable

    def add_notice(self, notice: QWidget) -> None:
        """Say something above all pages."""
        self._notices.addWidget(notice)

    def present(self, bar: QWidget | None) -> QWidget:
        """Leave only the page, with ``bar`` below it; None brings the rest back.

        Gives the place of the pages, for what lies over them.
        """
        for part in self._around:
            part.setVisible(bar is None)
        if bar is not None:
            self._bars.addWidget(bar)
        return self._stack

    def has_page(self, key: str) -> bool:
        """Whether a page is registered."""
        return key in self._places

    def page(self, key: str) -> QWidget:
        """The page, made now if it was not yet."""
        place = self._places[key]
        if place.widget is None:
            place.widget = place.make()
            self._stack.addWidget(place.widget)
        return place.widget

    def go(self, key: str) -> None:
        """Show a page."""
        if key not in self._places or self._held:
            return
        shown, focused = self._stack.currentWidget(), self.focusWidget()
        leaves = shown is not None and focused in shown.findChildren(QWidget)
        page = self.page(key)
        self._stack.setCurrentWidget(page)
        self.sidebar.choose(key)
        self._show_place(key)
        self._show_dock()
        if leaves and page is not shown:  # the focus does not stay on what is hidden
            getattr(page, "take_focus", self.sidebar.take_focus)()

    def _show_place(self, key: str) -> None:
        """Name the page in the window's title, and its keys in the status line."""
        self.setWindowTitle(" - ".join((tr(self.sidebar.entry(key).title), tr("kataui"))))
        closing = ("Ctrl+W Close",) if self._places[key].closable else ()
        own: tuple[str, ...] = getattr(self._places[key].widget, "keys", ())
        self.status_line.show_keys((*own, *closing, *_KEYS))
        self.status_line.show_status(getattr(self._places[key].widget, "status", ()))

    @property
    def current_key(self) -> str:
        """The key of the page that is shown."""
        return self.key_of(self._stack.currentWidget())

    def key_of(self, page: QWidget | None) -> str:
        """The key of a page that was made; empty for what is none."""
        return next((k for k, p in self._places.items() if p.widget is page and page), "")

    def set_entry(self, key: str, entry: Entry) -> None:
        """Change a page's line in the sidebar."""
        if key in self._places:
            self.sidebar.add(key, entry)
            if key == self.current_key:
                self._show_place(key)

    def set_network(self, text: str) -> None:
        """Say what network was used."""
        self.status_line.show_network(text)

    def show_status(self, key: str) -> None:
        """Say again what a page reads, if it is the one that is shown."""
        if key == self.current_key:
            self.status_line.show_status(getattr(self._places[key].widget, "status", ()))

    def show_problem(self, message: str, hint: str = "") -> None:
        """Say that something could not be done, whatever page is shown."""
        self.messages.show_problem(message, hint)

    def show_done(
        self, message: str, verb: str = "", undo: Callable[[], object] | None = None
    ) -> None:
        """Say that something was done, whatever page is shown; ``verb`` offers to undo it."""
        self.messages.show_done(message, verb, undo)

    def close_current(self) -> None:
        """Close the page that is shown, if it is one that was opened."""
        key = self.current_key
        if key and self._places[key].closable:
            self.close_page(key)

    def close_page(self, key: str) -> None:
        """Close a page: it stops its work and goes; the line above it is shown instead."""
        if key == self.current_key:
            keys = self.sidebar.keys()
            self.go(keys[max(0, keys.index(key) - 1)])
        place = self._places.pop(key)
        if place.path:
            self._closed.append(place.path)
        self.sidebar.remove(key)
        if place.widget is not None:
            _tell_closed(place.widget)
            self._stack.removeWidget(place.widget)
            # A page holds much (an hour of a host): give it back now, where nobody waits for a
            # frame, not whenever Python comes round to it.
            place.widget.destroyed.connect(gc.collect)
            place.widget.deleteLater()

    def reopen_closed(self) -> None:
        """Open what was closed last."""
        if self._closed:
            self.open_paths([self._closed.pop()])

    def _explain(self) -> None:
        """What is asked about first: a field of the page, if it has such, else the page."""
        getattr(self._stack.currentWidget(), "explain_field", self.explain)()

    def _found(self) -> Items:
        """What the page can do, what can be done anywhere, and the pages that are open."""
        keys = self.sidebar.keys()
        pages = [(key, self.sidebar.entry(key).title) for key in keys]
        return [
            *page_acts(self._stack.currentWidget()),
            *self.acts,
            *self.shortcuts(),
            *(Act(f"Go to {title}", partial(self.go, key)) for key, title in pages),
            *self.texts(),
        ]

    def shortcuts(self) -> Items:
        """What the window does by a key, whatever page is shown."""
        return [
            Act(item.iconText(), item.trigger, item.shortcut().toString())
            for item in self.actions()
        ]

    def _show_dock(self) -> None:
        """The progress of a page that is not shown, above the status line."""
        for key, place in self._places.items():
            if place.widget is not None and key != self.current_key:
                panel = place.widget.findChild(ProgressPanel)
                if panel is not None:
                    self.dock.follow(key, self.sidebar.entry(key).title, panel)
                    return
        self.dock.follow("", "", None)

    def _walk(self, by: int) -> None:
        keys = self.sidebar.keys()
        if self.current_key in keys:
            self.go(keys[(keys.index(self.current_key) + by) % len(keys)])

    def _toggle_rail(self) -> None:
        self._rail_wanted = not self.sidebar.is_rail
        self.sidebar.set_rail(on=self._rail_wanted)

    def showEvent(self, event: QShowEvent) -> None:
        """From now on there is a handle, by which input comes."""
        super().showEvent(event)
        handle = self.windowHandle()
        if handle is not None:
            self._ring.watch(handle)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A narrow window shows the rail, unless the user decided."""
        super().resizeEvent(event)
        if self._rail_wanted is None:
            self.sidebar.set_rail(on=self.width() < theme.u(_RAIL_BELOW_U))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take local files and folders anywhere."""
        paths = dropped_paths(event)
        if paths:
            event.acceptProposedAction()
            self._veil.show_over(self.rect(), self.says(paths))

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Look as before."""
        self._veil.hide()
        super().dragLeaveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped."""
        self._veil.hide()
        event.acceptProposedAction()
        self.open_paths(dropped_paths(event))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask once while work is going on; then cancel it, wait, and keep the geometry."""
        if self.jobs.busy and not self.property("sure"):
            event.ignore()
            self._ask_to_close()
            return
        self.about_to_close()
        self.jobs.shutdown()
        for place in self._places.values():
            _tell_closed(place.widget)
        QSettings().setValue("window/geometry", self.saveGeometry())
        super().closeEvent(event)

    def _ask_to_close(self) -> None:
        def close() -> None:
            self.setProperty("sure", True)  # noqa: FBT003 - a Qt property
            self.close()

        text = "Work is going on. Closing cancels it; nothing half done is left anywhere."
        Confirm(self, "Close kataui?", text, "Cancel the work and close", close).open()

    def _restore_geometry(self) -> None:
        geometry = QSettings().value("window/geometry")
        if isinstance(geometry, QByteArray):  # the file may hold anything
            self.restoreGeometry(geometry)


def _tell_closed(page: QWidget | None) -> None:
    """Pages that hold something (a source, a file, a wizard) give it back."""
    closed = getattr(page, "on_closed", None)
    if closed is not None:
        closed()
