"""What this computer has: every part that kataui looks at, what it is for, and what brings it."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from kataui import network
from kataui.doctor.examine import as_json, as_text, examine
from kataui.doctor.model import Group, Part, State
from kataui.errors import KatauiError
from kataui.files import clean, replace_file
from kataui.progress import Control
from kataui.ui import theme
from kataui.ui.commandtext import command
from kataui.ui.icons import IconLabel
from kataui.ui.jobs import Jobs
from kataui.ui.telling import problem_words
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, clear, hairline
from kataui.ui.widgets.codebox import CodeBox
from kataui.ui.widgets.fields import choose_path
from kataui.ui.widgets.page import Columns, Page
from kataui.ui.widgets.text import label
from kataui.ui.words import tr

_FACTS = "What is here, what each part is for, and what brings what is not. Nothing is changed."
_NETWORK_MS = 5000
_LEFT = (Group.NEEDED, Group.IMAGES)


def mark_of(part: Part) -> tuple[str, str]:
    """The mark of a part's state, and its word."""
    if part.state is State.MISSING:
        return ("fail", "Missing") if part.group is Group.NEEDED else ("info", "Not here")
    marks = {State.HERE: ("pass", "Here"), State.LIMITED: ("warning", "In part")}
    return marks.get(part.state, ("unknown", "Not known"))


class PartRow(QWidget):
    """One part: its mark, name and fact; what is lost without it and the command that brings it."""

    def __init__(self, part: Part) -> None:
        super().__init__()
        mark, word = mark_of(part)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.u(2.5))
        layout.addWidget(IconLabel(mark), 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(theme.u(0.5))
        words.addWidget(label(part.title, "strong"))
        words.addWidget(label(part.found, "dim", selectable=True))
        words.addWidget(label(part.purpose, "note"))
        if part.state is not State.HERE:
            words.addWidget(label(f"Without it: {part.without}", "note"))
            if part.fix:
                words.addWidget(CodeBox(part.fix, name=f"What brings {part.title}"))
        layout.addLayout(words, 1)
        self.setAccessibleName(tr(f"{part.title}: {word}. {part.found}. {part.purpose}"))


class ComputerPage(Page):
    """The same as ``kataui doctor``; looked at when it is first shown, and again when asked."""

    def __init__(self, jobs: Jobs, told: Callable[[str, str], None]) -> None:
        """``told`` gets a message and a hint when something could not be done."""
        self._again = Button("Look again", self.look, icon="undo")
        self._export = Button("Export…", self._choose, icon="save", name="Export what was found")
        super().__init__("This computer", _FACTS, actions=[self._again, self._export])
        self._jobs, self._told = jobs, told
        self._parts: Sequence[Part] = ()
        self._columns = Columns(shares=(1, 1), narrow_u=200)
        self.body.addWidget(self._columns)
        proof = Card("Network")
        self._network = label("", "body", selectable=True)
        proof.body.addWidget(self._network)
        self.body.addWidget(proof)
        timer = QTimer(self)
        timer.timeout.connect(self._show_network)
        timer.start(_NETWORK_MS)
        self._show_network()
        self.look()

    def as_command(self) -> list[str]:
        """As words."""
        return command("doctor", [], {})

    def look(self) -> None:
        """Look at everything again."""
        self._again.set_reason("It is being looked at.")
        self._export.set_reason("It is being looked at.")
        self._jobs.start(_examine, on_done=self._show, on_error=self._on_error)

    def _on_error(self, error: Exception) -> None:
        self._again.set_reason("")
        self._told(*problem_words(error))

    def _show(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        for button in (self._again, self._export):
            button.set_reason("")
        for column in (self._columns.left, self._columns.right):
            clear(column)
        for group in Group:
            card = Card(group.value)
            for number, part in enumerate(one for one in parts if one.group is group):
                if number:
                    card.body.addWidget(hairline())
                card.body.addWidget(PartRow(part))
            side = self._columns.left if group in _LEFT else self._columns.right
            side.addWidget(card)

    def _show_network(self) -> None:
        if self.isVisible() or not self._network.text():
            said = network.used().sentence
            if said != self._network.text():
                self._network.setText(said)

    def _choose(self) -> None:
        choose_path(self, "Export what was found", "save", "this-computer.txt", self.export)

    def export(self, path: str) -> None:
        """Write it, as JSON when the name ends so, else as text."""
        text = as_json(self._parts) if path.endswith(".json") else as_text(self._parts)
        try:
            replace_file(Path(path), text.encode())
        except KatauiError as error:
            self._told(*problem_words(error))
            return
        self.set_facts(f"Written to {clean(path, limit=200)}.")


def _examine(_control: Control) -> Sequence[Part]:
    return examine()
