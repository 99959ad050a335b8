"""The first page: what one can do, what was open last, and a sample to try."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout

from kataui import settings
from kataui.doctor.model import Ability
from kataui.files import clean
from kataui.settings import Recent
from kataui.ui import theme
from kataui.ui.icons import MARKS, IconLabel
from kataui.ui.when import when_text
from kataui.ui.widgets.bigbutton import BigButton
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, clear, column, hairline, row
from kataui.ui.widgets.drop import DropTarget
from kataui.ui.widgets.page import Scroll
from kataui.ui.widgets.text import label
from kataui.ui.widgets.tiles import Tiles
from kataui.ui.words import tr

_PROTECT = "Encrypt and sign it, then prove that only your keys open it."
_DEMO = "Sample images, a pod with a sidecar pushed in, and recorded incidents. Nothing is kept."
_ISOLATION = "See which sandbox waits, who makes it wait, and what to change."
_PIPELINE = "Choose a template, answer a form, see valid files; or put yours on Kata."
_ICONS = {"recording": "isolation", "pipeline": "pipeline", "pod": "pod"}
_SAMPLE = (
    "kataui makes a small image and throwaway keys in a folder of your choice, protects the image "
    "and proves it. It takes a second."
)


@dataclass(frozen=True, slots=True)
class Actions:
    """What the page can start."""

    protect: Callable[[], object]
    demo: Callable[[], object]
    computer: Callable[[], object]
    sample: Callable[[], object]
    choose: Callable[[], object]
    choose_folder: Callable[[], object]
    open_paths: Callable[[list[str]], None]
    isolation: Callable[[], object]
    pipeline: Callable[[], object]
    told: Callable[[str, str, Callable[[], object]], object]


def verb_card(icon: str, title: str, text: str, on_click: Callable[[], object]) -> BigButton:
    """A large button: icon, verb, and what it gives."""
    layout = QVBoxLayout()
    pad = theme.u(4.5)
    layout.setContentsMargins(pad, pad, pad, pad)
    layout.setSpacing(theme.u(1))
    layout.addWidget(IconLabel(icon, size_u=5.5, role="accent", tile=True))
    layout.addSpacing(theme.u(2))
    layout.addWidget(label(title, "heading"))
    layout.addWidget(label(text, "dim"))
    layout.addStretch(1)
    return BigButton(layout, on_click, kind="card", name=title, about=text)


class HomePage(Scroll):
    """The question, the verbs, the drop target, and what was open last."""

    recent_changed = Signal()

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self._actions = actions
        self.setAccessibleName(tr("Home"))
        self.body.addSpacing(theme.u(4))
        promise = "Everything works without a network. Nothing is written before you say so."
        question = label("What would you like to do?", "display")
        self.body.addLayout(column(question, label(promise, "dim"), spacing_u=1))
        self.body.addSpacing(theme.u(2))
        verbs = (
            ("pipeline", "Build a pipeline", _PIPELINE, actions.pipeline),
            ("lock", "Protect an image", _PROTECT, actions.protect),
            ("isolation", "Watch isolation", _ISOLATION, actions.isolation),
            ("demo", "Open a demo", _DEMO, actions.demo),
        )
        self.body.addWidget(Tiles([verb_card(*verb) for verb in verbs]))
        target = DropTarget(
            "Drop an image, a pipeline, a key or a recording anywhere in this window",
            Button("File…", actions.choose, name="Open a file"),
            Button("Folder…", actions.choose_folder, name="Open a layout folder"),
        )
        target.dropped.connect(actions.open_paths)
        self.body.addWidget(target)
        self._recent = QVBoxLayout()
        self.body.addLayout(self._recent)
        self._computer = QVBoxLayout()
        self.body.addLayout(self._computer)

    def show_abilities(self, abilities: tuple[Ability, ...]) -> None:
        """Say what this computer can do."""
        clear(self._computer)
        details = Button("Details", self._actions.computer, kind="quiet", name="This computer")
        card = Card("This computer can", action=details)
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.u(6))
        grid.setVerticalSpacing(theme.u(2))
        columns = 2 if self.width() < theme.u(200) else 3
        for number, ability in enumerate(abilities):
            mark = IconLabel("pass" if ability.possible else "info")
            mark.setAccessibleName(tr("Possible" if ability.possible else "Not possible"))
            words = [label(ability.title, "body")]
            words += [] if ability.possible else [label(ability.lacks, "note")]
            cell = QHBoxLayout()
            cell.setSpacing(theme.u(2))
            cell.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
            told = column(*words, spacing_u=0.25)
            told.addStretch(1)  # one line stands beside its mark, where its neighbour has two
            cell.addLayout(told, 1)
            grid.addLayout(cell, number // columns, number % columns)
        card.body.addLayout(grid)
        self._computer.addWidget(card)

    def show_recent(self, items: tuple[Recent, ...]) -> None:
        """Show what was open last, or the sample when there is nothing."""
        clear(self._recent)
        self._recent.addWidget(self._last(items) if items else self._sample())

    def _sample(self) -> Card:
        card = Card("New here?")
        card.body.addWidget(label(_SAMPLE, "dim"))
        sample = Button("Try it with a sample image…", self._actions.sample, icon="demo")
        card.body.addSpacing(theme.u(1))
        card.body.addLayout(row(sample, None))
        return card

    def _last(self, items: tuple[Recent, ...]) -> Card:
        forget = Button("Clear", self._forget, kind="quiet", name="Clear recent")
        card = Card("Recent", action=forget)
        card.body.setSpacing(0)
        for number, item in enumerate(items):
            if number:
                card.body.addWidget(hairline())
            card.body.addWidget(self._line(item))
        return card

    def _forget(self) -> None:
        """Forget what was open; it can be undone while the message stands."""
        before = settings.load()
        settings.save(replace(before, recent=()))
        self.recent_changed.emit()

        def undo() -> None:
            settings.save(replace(settings.load(), recent=before.recent))
            self.recent_changed.emit()

        self._actions.told("The list is empty.", "Undo", undo)

    def _line(self, item: Recent) -> BigButton:
        path = Path(item.path)
        name = clean(path.name, limit=100) or clean(item.path, limit=100)
        mark = item.verdict if item.verdict in MARKS else "unknown"
        when = when_text(item.when)
        layout = QHBoxLayout()
        layout.setContentsMargins(theme.u(1), theme.u(2), theme.u(1), theme.u(2))
        layout.setSpacing(theme.u(2.5))
        where = clean(f"{item.kind.capitalize()} in {path.parent}", limit=200)
        words = column(label(name, "strong"), label(where, "note"), spacing_u=0.5)
        middle = Qt.AlignmentFlag.AlignVCenter
        layout.addWidget(IconLabel(_ICONS.get(item.kind, "image")), 0, middle)
        layout.addLayout(words, 4)
        layout.addWidget(IconLabel(mark), 0, middle)
        layout.addWidget(label(item.sentence, "dim"), 6)
        layout.addWidget(label(when, "note", wrap=False), 0, middle)
        open_it = BigButton(
            layout,
            lambda: self._actions.open_paths([item.path]),
            kind="line",
            name=f"Open {name}",
            about=" · ".join(filter(None, (where, item.sentence, when))),
        )
        open_it.setToolTip(tr(clean(item.path, limit=500)))
        return open_it
