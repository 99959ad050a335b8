"""Step 6: what will be done, also as the command that does the same. Nothing is written before."""

import shlex
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QHBoxLayout

from kataui import files
from kataui.errors import KatauiError
from kataui.files import clean, size_text
from kataui.images.reference import parse_destination
from kataui.ui import theme
from kataui.ui.commandtext import broken
from kataui.ui.icons import IconLabel
from kataui.ui.images.flow import STEPS, Flow, Step, answer_text, selected_rows, summary
from kataui.ui.images.steppage import StepPage
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, clear, column, hairline, row
from kataui.ui.widgets.codebox import CodeBox
from kataui.ui.widgets.text import label
from kataui.ui.words import tr


class SummaryStep(StepPage):
    """Four lines with links back, the notes, and the command."""

    step = Step.SUMMARY
    question = ""

    def __init__(self, changed: Callable[[], None], go: Callable[[Step], None]) -> None:
        super().__init__(changed)
        self._go = go
        self.setAccessibleName(tr("Summary"))
        self._sentence = label("", "display")
        nothing = label("Nothing has been written yet.", "dim")
        self.body.addLayout(column(self._sentence, nothing, spacing_u=1))
        self._lines = Card()
        self._lines.body.setSpacing(theme.u(1.5))
        self.body.addWidget(self._lines)
        self._notes = Card("Before you begin")
        self.body.addWidget(self._notes)
        self._command = CodeBox(name="The command that does the same")
        card = Card("The same as a command")
        card.body.addWidget(self._command)
        self.body.addWidget(card)

    def load(self, flow: Flow) -> None:
        """Tell what will be done."""
        self._sentence.setText(summary(flow))
        clear(self._lines.body)
        for number, step in enumerate(STEPS[:5]):
            if number:
                self._lines.body.addWidget(hairline())
            self._lines.body.addLayout(self._line(flow, step))
        clear(self._notes.body)
        for note, kind in notes(flow):
            self._notes.body.addLayout(row(IconLabel(kind), label(note)))
        self._command.set_text(broken([shlex.join(each.as_command()) for each in flow.each()]))

    def _line(self, flow: Flow, step: Step) -> QHBoxLayout:
        name = label(step.value, "label", wrap=False)
        name.setFixedWidth(theme.u(28))
        text = label(self._detail(flow, step), "body")
        link = Button("Change", lambda: self._go(step), kind="quiet", name=f"Change: {step.value}")
        return row(name, text, link)

    @staticmethod
    def _detail(flow: Flow, step: Step) -> str:
        answers = flow.answers
        details = {
            Step.SOURCE: ", ".join(flow.sources),
            Step.RECIPIENTS: ", ".join(answers.recipients),
            Step.SIGNATURE: f"{answers.sign_key}, for {answers.identity}",
            Step.DESTINATION: answers.destination,
        }
        return clean(details.get(step) or answer_text(flow, step), limit=400)


def notes(flow: Flow) -> list[tuple[str, str]]:
    """What is worth knowing before going on: (sentence, mark)."""
    found = []
    total = sum(len(p.rows) for look in flow.looks for p in look.platforms)
    open_count = total - len(selected_rows(flow))
    if open_count:
        found.append((f"{open_count} of {total} layers stay readable by anyone.", "warning"))
    broker = any(text.startswith("kbs:") for text in flow.answers.recipients)
    if flow.answers.keys or broker:
        found.append(("You hold a key that opens it, so the result is proved.", "pass"))
    else:
        unknown = "Without a private key the result is not proved: the verdict will be Unknown."
        found.append((unknown, "unknown"))
    found.append(_room(flow))
    if any(look.network for look in flow.looks):
        found.append(("The image comes from a registry: the network is used.", "info"))
    return found


def _room(flow: Flow) -> tuple[str, str]:
    """What the result needs, beside what is free where it goes."""
    needed = sum(p.size_bytes for look in flow.looks for p in look.platforms)
    try:
        place = Path(parse_destination(flow.answers.destination).path).absolute()
        free = files.free_bytes(place)
    except (KatauiError, OSError):
        return "How much room there is at the destination is not known.", "unknown"
    text = f"It needs about {size_text(needed)}; {size_text(free)} are free there."
    return text, "pass" if needed < free else "fail"
