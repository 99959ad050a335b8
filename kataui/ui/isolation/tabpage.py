"""The tab Isolation while no source is chosen: what it is for, and what can be looked at."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from kataui import settings
from kataui.isolation.incidents import Incident
from kataui.isolation.opening import LOCAL, Source
from kataui.ui import theme
from kataui.ui.widgets.bigbutton import BigButton
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, column, row
from kataui.ui.widgets.drop import DropTarget
from kataui.ui.widgets.fields import TextField
from kataui.ui.widgets.page import Page
from kataui.ui.widgets.text import label

_QUESTION = "Who hurts whom on this host, and what do I change?"
_WHAT = (
    "Reads the kernel's counters of a Kata host once a second and says which sandbox waits, who "
    "makes it wait, and which setting changes that. Nothing on the host is changed, and neither "
    "shims nor guests are asked."
)

_SSH = (
    "HOST, USER@HOST or a name of your ssh configuration. Python 3 is enough; nothing is installed."
)
_PROMETHEUS = (
    "Its URL. Reads the series of node-exporter and kata-monitor: many hosts, and weeks, but no "
    "single threads."
)


@dataclass(frozen=True, slots=True)
class Actions:
    """What the page can start."""

    watch: Callable[[Source], None]
    choose_recording: Callable[[], None]
    open_paths: Callable[[list[str]], None]
    open_incident: Callable[[Incident], None]


class IsolationTab(Page):
    """An empty state with one thing to do first."""

    def __init__(self, actions: Actions, incidents: list[Incident]) -> None:
        super().__init__("Isolation", _QUESTION)
        self._actions = actions
        self.body.addWidget(self._first())
        self.host = TextField("Another host over ssh", help_text=_SSH)
        self.server = TextField("A Prometheus server", help_text=_PROMETHEUS)
        self.body.addWidget(self._elsewhere())
        self._add_incidents(incidents)
        choose = Button("Open…", actions.choose_recording, name="Open a recording file")
        target = DropTarget("Drop a recording here", choose)
        target.dropped.connect(actions.open_paths)
        self.body.addWidget(target)

    def _first(self) -> Card:
        card = Card()
        card.body.addWidget(label(_WHAT))
        watch = partial(self._actions.watch, Source(LOCAL, rate_hz=settings.load().rate_hz))
        here = Button("Watch this host", watch, icon="isolation", kind="primary")
        recording = Button("Open a recording…", self._actions.choose_recording, icon="folder")
        card.body.addLayout(row(here, recording, None))
        return card

    def _elsewhere(self) -> Card:
        card = Card("Elsewhere")
        for field, prefix, words in (
            (self.host, "ssh:", "Watch it"),
            (self.server, "prometheus:", "Look at it"),
        ):
            name = f"{words}: {field.edit.accessibleName()}"
            button = Button(words, partial(self._open, field, prefix), name=name)
            field.edit.returnPressed.connect(button.click)
            card.body.addWidget(field)
            card.body.addLayout(row(button, None))
        return card

    def _open(self, field: TextField, prefix: str) -> None:
        source = Source(prefix + field.text.strip(), rate_hz=settings.load().rate_hz)
        problem = source.problem()
        field.show_problem(problem)
        if not problem:
            self._actions.watch(source)

    def _add_incidents(self, incidents: list[Incident]) -> None:
        if not incidents:
            return
        card = Card("Recorded incidents", note="they play like live data")
        card.body.setSpacing(0)
        for incident in incidents:
            words = column(
                label(incident.title, "strong"), label(incident.note, "note"), spacing_u=0.5
            )
            line = row(spacing_u=2)
            line.setContentsMargins(theme.u(1), theme.u(2), theme.u(1), theme.u(2))
            line.addLayout(words, 1)
            card.body.addWidget(
                BigButton(
                    line,
                    partial(self._actions.open_incident, incident),
                    kind="line",
                    name=f"Open {incident.title}",
                    about=incident.note,
                )
            )
        self.body.addWidget(card)
