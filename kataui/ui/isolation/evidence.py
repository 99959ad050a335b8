"""The evidence beside the matrix: one sentence, how sure it is, what speaks for and against it."""

import math

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QProgressBar, QWidget

from kataui.isolation.accuse import ROLE_WORDS, Accusation, actor_name, percent
from kataui.isolation.analysis import Picture
from kataui.isolation.layout import ActorKind
from kataui.isolation.model import Role
from kataui.isolation.raw import raw_counters
from kataui.ui import theme
from kataui.ui.icons import IconLabel
from kataui.ui.isolation.heads import Hugging
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import column, hairline, row
from kataui.ui.widgets.text import label
from kataui.ui.words import tr

_LINES = 4
_TOGETHER = 0.35  # from here on a correlation speaks for the suspect
_SMALL, _NOTHING = 0.05, 0.0005


class Evidence(Hugging):
    """Its widgets stay; only words change, so that the focus stays where it is.

    ``fix`` asks for the findings, ``measure`` for A and B.
    """

    fix = Signal()
    measure = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._sentence = label("", "heading", selectable=True)
        self._sure, self._sure_words = QProgressBar(), label("", "note")
        self._sure.setRange(0, 1000)
        self._sure.setTextVisible(False)
        self._confidence = QWidget()
        self._confidence.setLayout(
            column(label("Confidence", "strong"), self._sure, self._sure_words, spacing_u=1)
        )
        self._lines = [_Line() for _ in range(_LINES)]
        self._counters = label("", "note", selectable=True)
        self._buttons = QWidget()
        measure = Button("Measure it…", self.measure.emit, icon="measure", kind="primary")
        self._buttons.setLayout(row(measure, Button("Show the fix", self.fix.emit), None))
        self.body.setSpacing(theme.u(2.5))
        for part in (self._sentence, self._confidence, hairline(), *self._lines, self._counters):
            self.body.addWidget(part)
        self.body.addWidget(self._buttons)
        self.show_nothing("")

    def show_nothing(self, text: str) -> None:
        """There is no cell to explain."""
        self._say(text or "No sandbox waits for anybody.")
        for part in (self._confidence, *self._lines, self._counters, self._buttons):
            part.setVisible(False)

    def show_cell(self, picture: Picture, victim: str, found: Accusation | None, said: str) -> None:
        """Explain how much a victim waits (``said``), and whom the judgement accuses of it."""
        self._say(sentence(said, found))
        shares = picture.shares.get(victim)
        sure = shares.confidence if shares is not None and shares.wait_us > 0 else math.nan
        self._confidence.setVisible(not math.isnan(sure))
        if not math.isnan(sure):
            self._sure.setValue(round(1000 * sure))
            word = "High" if sure >= 0.8 else "Fair" if sure >= 0.5 else "Low"
            self._sure_words.setText(f"{word}: {percent(sure)} of the wait is explained.")
            self._sure.setAccessibleName(tr(f"Confidence: {self._sure_words.text()}"))
        lines = evidence(picture, victim, found)
        for number, line in enumerate(self._lines):
            line.setVisible(number < len(lines))
            if number < len(lines):
                line.show_words(*lines[number])
        sandbox = picture.view.by_key[victim]
        self._counters.setText(f"Counted: {raw_counters(picture, sandbox, 'waits')}.")
        self._counters.setVisible(True)
        self._buttons.setVisible(found is not None and found.named)

    def _say(self, text: str) -> None:
        if text != self._sentence.text():
            self._sentence.setText(text)


class _Line(QWidget):
    """A mark, a title, and a text."""

    def __init__(self) -> None:
        super().__init__()
        self._mark, self._title, self._text = IconLabel("info"), label("", "strong"), label("")
        self._text.setProperty("textStyle", "note")
        self._state = ("", "", "")
        line = row(spacing_u=2.5)
        line.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        line.addLayout(column(self._title, self._text, spacing_u=0.5), 1)
        self.setLayout(line)

    def show_words(self, mark: str, title: str, text: str) -> None:
        """Show others."""
        if (mark, title, text) != self._state:
            self._state = (mark, title, text)
            self._mark.set_icon(mark)
            self._title.setText(title)
            self._text.setText(text)


def sentence(said: str, found: Accusation | None) -> str:
    """Who, how much, through what."""
    if found is None or found.actor.kind is not ActorKind.SANDBOX:
        return said
    through = ROLE_WORDS.get(found.actor.role, found.actor.role.value)
    where = f" on CPU\u00a0{found.cpu}" if found.cpu >= 0 else ""
    return f"{said.rstrip('.')}, through {through}{where}."


def accusation(picture: Picture, victim: str, culprit: str) -> Accusation | None:
    """What the judgement says about a pair of the matrix."""
    for item in picture.judgement.accusations:
        actor = item.actor
        key = actor.sandbox or f"host:{actor_name(picture.view, actor)}"
        if item.victim.key == victim and key == culprit:
            return item
    return None


def evidence(picture: Picture, victim: str, found: Accusation | None) -> list[tuple[str, str, str]]:
    """What speaks for and against it, and what was not measured: mark, title, text."""
    lines = [] if found is None else _about(found)
    shares = picture.shares.get(victim)
    if shares is not None and shares.wait_us > 0:
        limit = shares.limit_us / shares.wait_us
        small = limit < _SMALL
        title = "Not its own limit" if small else "Its own limit is a part of it"
        part = "No part" if limit < _NOTHING else percent(limit)
        text = f"{part} of the wait; taken off before blaming."
        lines.append(("pass" if small else "warning", title, text))
    missing = picture.judgement.scope.partition("Not measured: ")[2].rstrip(".")
    if missing:
        lines.append(("unknown", "Not measured", f"{missing[:1].upper()}{missing[1:]}."))
    return lines[-_LINES:]


def _about(found: Accusation) -> list[tuple[str, str, str]]:
    lines = []
    if found.cpu >= 0:
        pinned = any(t.cpus == (found.cpu,) for t in found.victim.of_role(Role.VCPU))
        how = "Its vCPU is pinned there." if pinned else "That is where most of the wait was."
        lines.append(("pass", f"Both run on CPU\u00a0{found.cpu}", how))
    if found.correlation is None:
        text = "A minute of both is needed for it."
        lines.append(("unknown", "Whether they move together is not known yet", text))
    else:
        good = found.correlation >= _TOGETHER
        title = "They move together" if good else "They do not move together"
        text = f"Correlation {found.correlation:.2f} over ten minutes."
        lines.append(("pass" if good else "info", title, text))
    return lines
