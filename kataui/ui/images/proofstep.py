"""Step 8: the proof and the receipt."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from kataui.files import clean
from kataui.findings import Verdict
from kataui.images.proof import Held, Part
from kataui.images.protect import Protected
from kataui.ui import theme
from kataui.ui.commandtext import broken
from kataui.ui.icons import IconLabel
from kataui.ui.images.flow import Step, short_name
from kataui.ui.images.steppage import StepPage
from kataui.ui.images.worklines import Outcome
from kataui.ui.telling import problem_words
from kataui.ui.widgets.banner import VerdictBanner
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, clear, column, hairline, row
from kataui.ui.widgets.codebox import CodeBox
from kataui.ui.widgets.facts import Facts
from kataui.ui.widgets.findings import FindingList
from kataui.ui.widgets.flowrow import flow_row
from kataui.ui.widgets.page import Columns
from kataui.ui.widgets.text import label
from kataui.ui.words import tr

_MARK = {Held.YES: "pass", Held.NO: "fail", Held.NOT_CHECKED: "unknown"}
_SCOPE = "Checked by opening the result again from disk."


class ProofStep(StepPage):
    """The verdict, its evidence, the receipt, and how to check it without kataui."""

    step = Step.PROOF
    question = ""

    def __init__(
        self,
        changed: Callable[[], None],
        open_image: Callable[[str], None],
        deploy: Callable[[str], None],
    ) -> None:
        """``deploy`` gets the repository and digest of what a pipeline shall run."""
        super().__init__(changed)
        self._open_image, self._deploy = open_image, deploy
        self.setAccessibleName(tr("Proof"))
        self._box = QVBoxLayout()
        self._box.setSpacing(theme.u(4))
        self.body.addLayout(self._box)

    def show_done(self, done: Protected) -> None:
        """Show one protected image, with its evidence."""
        clear(self._box)
        proof = done.proof
        banner = VerdictBanner()
        banner.show_verdict(proof.verdict.value, proof.sentence, _SCOPE)
        self._box.addWidget(banner)
        columns = Columns(shares=(3, 2))
        columns.left.addWidget(_evidence(proof.parts))
        columns.left.addWidget(_commands(done.receipt.value["commands"]))
        columns.right.addWidget(self._receipt(done))
        if proof.findings:
            card = Card("Worth knowing")
            card.body.addWidget(FindingList(proof.findings))
            columns.right.addWidget(card)
        self._box.addWidget(columns)

    def show_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """Show what became of several images: one verdict, a line for each, and how to push."""
        clear(self._box)
        made = [item.done for item in outcomes if item.done is not None]
        proved = sum(1 for done in made if done.proof.verdict is Verdict.PASS)
        verdict = "fail" if len(made) < len(outcomes) else worst_verdict(made)
        banner = VerdictBanner()
        sentence = f"{proved} of {len(outcomes)} images are protected and proved."
        banner.show_verdict(verdict, sentence, _SCOPE)
        self._box.addWidget(banner)
        card = Card("Images")
        for number, item in enumerate(outcomes):
            if number:
                card.body.addWidget(hairline())
            card.body.addLayout(self._line(item))
        self._box.addWidget(card)
        push = [command for done in made for command in done.receipt.value["commands"]["push"]]
        if push:
            commands = Card("Push them with")
            commands.body.addWidget(CodeBox(broken(push), name="Commands that push them"))
            self._box.addWidget(commands)

    def show_error(self, error: Exception) -> None:
        """Say what went wrong, what is safe, what to do."""
        clear(self._box)
        banner = VerdictBanner()
        message, hint = problem_words(error)
        safe = "Your source is untouched, and nothing was left at the destination."
        banner.show_verdict("fail", message, f"{safe} {hint}".strip(), word="Not done")
        self._box.addWidget(banner)

    def _line(self, item: Outcome) -> QHBoxLayout:
        """One of several images: its verdict, its name, and what is to be said about it."""
        if item.done is None:
            mark, (message, hint) = "fail", problem_words(item.error)
            words = _words(short_name(item.answers.source), f"{message} {hint}".strip())
            return row(IconLabel(mark), words)
        proof, written = item.done.proof, item.done.written
        mark, name = proof.verdict.value, clean(str(written.path), limit=200)
        open_it = partial(self._open_image, written.reference)
        button = Button("Open", open_it, name=f"Open {name}")
        return row(IconLabel(mark), _words(name, proof.sentence), button)

    def _receipt(self, item: Protected) -> Card:
        value = item.receipt.value
        card = Card("Receipt")
        facts = [
            ("Written to", clean(str(item.written.path))),
            ("Took", f"{value['took_s']}\u00a0s"),
            ("Network", value["network"]),
        ]
        card.body.addWidget(Facts(facts))
        card.body.addWidget(label("Pin: what a cluster should pull", "label"))
        card.body.addWidget(CodeBox(value["pin"], name="Pin: the repository and digest"))
        use = Button("Use in a pipeline…", lambda: self._deploy(value["pin"]), icon="pipeline")
        buttons = [Button("Open image", lambda: self._open_image(item.written.reference)), use]
        if item.receipt_files:
            page = QUrl.fromLocalFile(str(item.receipt_files[-1]))
            buttons.append(Button("Open receipt", lambda: QDesktopServices.openUrl(page)))
        folder = QUrl.fromLocalFile(str(item.written.path.parent))
        buttons.append(Button("Show in folder", lambda: QDesktopServices.openUrl(folder)))
        card.body.addSpacing(theme.u(1))
        card.body.addWidget(flow_row(*buttons))
        return card


def worst_verdict(done: Sequence[Protected]) -> str:
    """The verdict over several images that were written: unknown when one is."""
    verdicts = {item.proof.verdict for item in done}
    return (Verdict.UNKNOWN if Verdict.UNKNOWN in verdicts else Verdict.PASS).value


def _words(title: str, sentence: str) -> QWidget:
    words = QWidget()
    words.setLayout(column(label(title, "strong"), label(sentence, "dim"), spacing_u=0.5))
    words.setAccessibleName(tr(f"{title}: {sentence}"))
    return words


def _evidence(parts: Sequence[Part]) -> Card:
    card = Card("Evidence")
    for number, part in enumerate(parts):
        if number:
            card.body.addWidget(hairline())
        words = _words(part.title, part.sentence)
        words.setAccessibleName(tr(f"{part.title}: {part.held.value}, {part.count}"))
        mark, count = IconLabel(_MARK[part.held]), label(part.count, "dim", wrap=False)
        line = row(mark, words, count)
        for aside in (mark, count):
            line.setAlignment(aside, Qt.AlignmentFlag.AlignTop)
        card.body.addLayout(line)
    return card


def _commands(commands: Mapping[str, Sequence[str]]) -> Card:
    card = Card("Check it without kataui")
    card.body.addWidget(CodeBox(broken(commands["check"]), name="Commands that check it"))
    card.body.addSpacing(theme.u(1))
    card.body.addWidget(label("Push it, signature and all, without changing a digest", "label"))
    card.body.addWidget(CodeBox(broken(commands["push"]), name="Commands that push it"))
    return card
