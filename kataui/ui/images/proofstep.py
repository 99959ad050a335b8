"""Steps 7 and 8: the work going on, then the proof and the receipt."""

from collections.abc import Callable

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QVBoxLayout, QWidget

from kataui.errors import KatauiError
from kataui.files import clean
from kataui.images.proof import Held, Part
from kataui.images.protect import Protected
from kataui.progress import Progress
from kataui.ui import theme
from kataui.ui.icons import IconLabel
from kataui.ui.images.flow import Step
from kataui.ui.images.steppage import StepPage
from kataui.ui.widgets.banner import VerdictBanner
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, clear, hairline, row
from kataui.ui.widgets.codebox import CodeBox
from kataui.ui.widgets.facts import Facts
from kataui.ui.widgets.findings import FindingList
from kataui.ui.widgets.page import Columns
from kataui.ui.widgets.progress import ProgressPanel
from kataui.ui.widgets.text import label

_MARK = {Held.YES: "pass", Held.NO: "fail", Held.NOT_CHECKED: "unknown"}


class WorkStep(StepPage):
    """Shows the progress of the job; Cancel leaves nothing behind."""

    step = Step.PROTECT
    question = "Encrypting, signing, proving"
    why = "You can leave this page; the work goes on. Closing the window cancels it."

    def __init__(self, changed: Callable[[], None], on_cancel: Callable[[], None]) -> None:
        super().__init__(changed)
        self._on_cancel = on_cancel
        self._box = QVBoxLayout()
        self.body.addLayout(self._box)
        self._panel: ProgressPanel | None = None

    def begin(self) -> None:
        """Start with an empty bar."""
        clear(self._box)
        note = "Nothing is at the destination until all of it is proved."
        self._panel = ProgressPanel(self._on_cancel, note=note)
        self._box.addWidget(self._panel)

    def show_progress(self, progress: Progress) -> None:
        """Show one report."""
        if self._panel is not None:
            self._panel.show_progress(progress)


class ProofStep(StepPage):
    """The verdict, its evidence, the receipt, and how to check it without kataui."""

    step = Step.PROOF
    question = ""

    def __init__(self, changed: Callable[[], None], open_image: Callable[[str], None]) -> None:
        super().__init__(changed)
        self._open_image = open_image
        self.setAccessibleName("Proof")
        self._box = QVBoxLayout()
        self._box.setSpacing(theme.u(4))
        self.body.addLayout(self._box)

    def show_done(self, done: list[Protected]) -> None:
        """Show what was protected, one part for each image."""
        clear(self._box)
        for item in done:
            self._show_one(item, many=len(done) > 1)

    def show_error(self, error: Exception) -> None:
        """Say what went wrong, what is safe, what to do."""
        clear(self._box)
        banner = VerdictBanner()
        message = error.message if isinstance(error, KatauiError) else f"A defect: {error!r:.200}"
        hint = error.hint if isinstance(error, KatauiError) else "See the log file."
        safe = "Your source is untouched, and nothing was left at the destination."
        banner.show_verdict("fail", message, f"{safe} {hint}".strip(), word="Not done")
        self._box.addWidget(banner)

    def _show_one(self, item: Protected, *, many: bool) -> None:
        proof = item.proof
        if many:
            self._box.addWidget(label(clean(str(item.written.path)), "heading"))
        banner = VerdictBanner()
        scope = "Checked by opening the result again from disk."
        banner.show_verdict(proof.verdict.value, proof.sentence, scope)
        self._box.addWidget(banner)
        columns = Columns(shares=(3, 2))
        columns.left.addWidget(self._evidence(proof.parts))
        if proof.findings:
            card = Card("Worth knowing")
            card.body.addWidget(FindingList(proof.findings))
            columns.left.addWidget(card)
        columns.right.addWidget(self._receipt(item))
        columns.right.addWidget(self._commands(item))
        self._box.addWidget(columns)

    @staticmethod
    def _evidence(parts: tuple[Part, ...]) -> Card:
        card = Card("Evidence")
        for number, part in enumerate(parts):
            if number:
                card.body.addWidget(hairline())
            words = QWidget()
            column = QVBoxLayout(words)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(theme.u(0.5))
            column.addWidget(label(part.title, "strong"))
            column.addWidget(label(part.sentence, "dim"))
            words.setAccessibleName(f"{part.title}: {part.held.value}, {part.count}")
            line = row(IconLabel(_MARK[part.held]), words, label(part.count, "dim", wrap=False))
            card.body.addLayout(line)
        return card

    def _receipt(self, item: Protected) -> Card:
        value = item.receipt.value
        card = Card("Receipt")
        facts = [
            ("Written to", clean(str(item.written.path))),
            ("Took", f"{value['took_s']} s"),
            ("Network", value["network"]),
        ]
        card.body.addWidget(label("Pin", "label"))
        card.body.addWidget(CodeBox(value["pin"], name="Pin: the repository and digest"))
        card.body.addWidget(Facts(facts))
        buttons = [Button("Open image", lambda: self._open_image(item.written.reference))]
        if item.receipt_files:
            page = QUrl.fromLocalFile(str(item.receipt_files[-1]))
            buttons.append(Button("Open receipt", lambda: QDesktopServices.openUrl(page)))
        folder = QUrl.fromLocalFile(str(item.written.path.parent))
        buttons.append(Button("Show in folder", lambda: QDesktopServices.openUrl(folder)))
        card.body.addLayout(row(*buttons, None))
        return card

    @staticmethod
    def _commands(item: Protected) -> Card:
        commands = item.receipt.value["commands"]
        card = Card("Check it without kataui")
        card.body.addWidget(CodeBox("\n".join(commands["check"]), name="Commands that check it"))
        card.body.addWidget(label("Push it with", "strong"))
        card.body.addWidget(CodeBox("\n".join(commands["push"]), name="Commands that push it"))
        return card
