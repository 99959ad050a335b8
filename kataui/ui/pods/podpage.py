"""One pod: the verdict, its containers, how much to encrypt, what is not covered and the fixes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QVBoxLayout, QWidget

from kataui.errors import Cancelled, KatauiError
from kataui.files import clean, count_text
from kataui.findings import Finding
from kataui.images.estimate import Estimate, Strength
from kataui.pods import fixes
from kataui.pods.audit import NOT_KNOWN
from kataui.progress import Control
from kataui.ui import theme
from kataui.ui.commandtext import Options, command
from kataui.ui.jobs import Jobs
from kataui.ui.pods.containertable import ContainerTable
from kataui.ui.pods.looking import Looked, Question, images_beside, key_beside, look
from kataui.ui.pods.rows import MOST_SHOWN, rows
from kataui.ui.pods.strengthcard import StrengthCard
from kataui.ui.telling import problem_words
from kataui.ui.widgets.banner import VerdictBanner
from kataui.ui.widgets.buttons import Button, check_box
from kataui.ui.widgets.card import Card, clear, row
from kataui.ui.widgets.diffview import DiffView
from kataui.ui.widgets.fields import Field, PathField
from kataui.ui.widgets.findings import Act, FindingList
from kataui.ui.widgets.page import Page
from kataui.ui.widgets.progress import ProgressPanel
from kataui.ui.widgets.text import label

_MOST_FINDINGS = 200
_DIFF_U = 70
_FACTS = (
    "Every container of a pod, sidecars too: pinned, encrypted, signed and in the policy, or not."
)
_PROTECTING = frozenset(("POD-PLAIN", "POD-UNSIGNED"))


@dataclass(frozen=True, slots=True)
class PodActions:
    """What the page asks of the window.

    ``told`` gets the verdict and its sentence, ``network`` what uses it.
    """

    prepare: Callable[[Question, Strength], None]
    compare: Callable[[Question], None]
    lock: Callable[[Question], None]
    adopt: Callable[[str], None]
    told: Callable[[str, str], None]
    network: Callable[[str], None]


class PodPage(Page):
    """The same as ``kataui pod audit``; opened for a file it begins at once."""

    def __init__(self, jobs: Jobs, actions: PodActions, file: str = "") -> None:
        self._jobs, self._outside = jobs, actions
        self.looked: Looked | None = None
        self.strength = Strength.EVERYTHING
        self._control: Control | None = None
        self._pinned: fixes.Fixed | None = None  # what can be undone
        self._buttons = (
            Button("Put on Kata…", lambda: actions.adopt(self.question.file)),
            Button(
                "Compare…",
                lambda: actions.compare(self.question),
                name="Compare with a running pod",
            ),
            Button("Lock…", lambda: actions.lock(self.question)),
            Button("Prepare…", self.prepare, icon="lock", kind="primary"),
        )
        title = clean(Path(file).name, limit=80) if file else "What a pod runs"
        super().__init__(title, _FACTS, actions=list(self._buttons))
        self.body.setSpacing(theme.u(3.5))
        self._asked = QVBoxLayout()
        self.body.addLayout(self._asked)
        self._build_form(file)
        self.result = QVBoxLayout()
        self.result.setSpacing(theme.u(3.5))
        self.body.addLayout(self.result)
        for button in self._buttons:
            button.setVisible(bool(file))
        if file:
            self.start()

    def _build_form(self, file: str) -> None:
        self.file = PathField(
            "Manifest",
            mode="image",
            help_text="A Pod, Deployment, Job ..., a folder of them, or a running pod's dump.",
        )
        self.images = PathField(
            "Its images",
            mode="folder",
            help_text="A folder of layouts and archives; empty when they are not here.",
        )
        self.public_key = PathField("Public key of the signer", help_text="cosign's .pub file.")
        self.pull = check_box("Fetch what is not there from its registry, by skopeo")
        self.run_button = Button("Audit", self.start, icon="pod", kind="" if file else "primary")
        self._form = Card()
        for field in (self.file, self.images, self.public_key):
            self._form.body.addWidget(field)
        self._form.body.addWidget(self.pull)
        self._form.body.addLayout(row(None, self.run_button))
        self._asked.addWidget(self._form)
        if file:
            self.file.set_text(file)
            self.images.set_text(images_beside(file))
            self.public_key.set_text(key_beside(file))

    @property
    def question(self) -> Question:
        """What the fields say."""
        texts = (self.file.text, self.images.text, self.public_key.text)
        return Question(*texts, pull=self.pull.isChecked())

    def as_command(self) -> list[str]:
        """As words; what is missing is in capitals."""
        asked = self.question
        options: Options = {
            "--images": asked.images,
            "--pull": asked.pull,
            "--public-key": asked.public_key,
        }
        return command("pod audit", [asked.file or "MANIFEST"], options)

    @property
    def bases(self) -> tuple[str, ...]:
        """Where the bases end that the picture shows, as IMAGE=LAYERS."""
        if self.looked is None or self.looked.measured is None:
            return ()
        digests = {pile.digest: pile for pile in self.looked.measured.stacks.piles}
        found = {}
        for one in self.looked.audit.containers:
            pile = digests.get(one.coverage.digest)
            if pile is not None and pile.base_known:
                count = sum(layer.base for layer in pile.layers)
                found[one.container.image] = f"{one.container.image}={count}"
        return tuple(found.values())

    def prepare(self) -> None:
        """Go on to preparing, with what is chosen here."""
        self._outside.prepare(self.question, self.strength)

    def missing(self) -> dict[Field, str]:
        """The manifest, while there is none."""
        return {} if self.file.text else {self.file: "Choose the manifest of a pod."}

    def locked_keys(self) -> list[str]:
        """None: nothing is signed or decrypted here."""
        return []

    def start(self) -> None:
        """Look at the pod."""
        for field, text in self.missing().items():
            field.show_problem(text)
            field.control.setFocus()
            return
        if self.pull.isChecked():
            self._outside.network("Network: skopeo reads the images of a pod")
        clear(self.result)
        panel = ProgressPanel(self.on_closed)
        self.result.addWidget(panel)
        self.run_button.set_reason("It is being done.")
        self._control = self._jobs.start(
            partial(look, self.question),
            on_done=self._on_looked,
            on_error=self._on_failed,
            on_progress=panel.show_progress,
        )

    def on_closed(self) -> None:
        """Stop reading."""
        if self._control is not None:
            self._control.cancel()

    def _on_failed(self, error: Exception) -> None:
        self.run_button.set_reason("")
        clear(self.result)
        self._show_form()
        if isinstance(error, Cancelled):
            self._say("unknown", "Cancelled. Nothing was written.", word="Not done")
            return
        message, hint = problem_words(error)
        self._say("fail", message, hint, word="Not done")
        self._outside.told("unknown", message)

    def _say(self, verdict: str, sentence: str, scope: str = "", word: str = "") -> None:
        banner = VerdictBanner()
        banner.show_verdict(verdict, sentence, scope, word)
        self.result.addWidget(banner)

    def _show_form(self) -> None:
        clear_line(self._asked, keep=self._form)
        self._form.show()

    def _on_looked(self, outcome: object) -> None:
        if not isinstance(outcome, Looked):
            return
        self.looked = outcome
        found = outcome.audit
        self.run_button.set_reason("")
        clear(self.result)
        for button in self._buttons:
            button.show()
        self.title.setText(clean(Path(outcome.question.file).name, limit=80))
        self.set_facts(self._facts(outcome))
        self._fold(outcome.question)
        if self._pinned is not None:
            self._show_undo(self._pinned)
        self._say(found.verdict.value, found.sentence, found.scope)
        self._show_containers(outcome)
        if outcome.measured is not None:
            self.result.addWidget(StrengthCard(outcome.measured, self._on_moved))
        if found.findings:
            self._show_findings(found.findings)
        unknown = Card("Not known from here")
        for text in NOT_KNOWN:
            unknown.body.addWidget(label(f"{text[0].upper()}{text[1:]}."))
        self.result.addWidget(unknown)
        self._outside.told(found.verdict.value, found.sentence)

    @staticmethod
    def _facts(outcome: Looked) -> str:
        found = outcome.audit
        pods, containers = len(found.pods), len(found.containers)
        what = clean(found.pods[0].subject, limit=80) if pods == 1 else f"{pods} pods"
        classes = dict.fromkeys(pod.runtime_class for pod in found.pods if pod.runtime_class)
        named = ", ".join(clean(one, limit=60) for one in list(classes)[:3])
        parts = [what, count_text(containers, "container")]
        parts.append(f"runtime class {named}" if named else "no runtime class")
        return " · ".join([*parts, count_text(len(found.findings), "finding")])

    def _fold(self, question: Question) -> None:
        """The form becomes one line that tells what was looked at."""
        clear_line(self._asked, keep=self._form)
        self._form.hide()
        images = f"images from {clean(question.images)}" if question.images else "no images given"
        key = f"signer {clean(Path(question.public_key).name)}" if question.public_key else ""
        words = label(" · ".join(part for part in (images, key or "no public key given") if part))
        words.setProperty("textStyle", "note")
        change = Button("Change…", self._show_form, kind="quiet", name="Change what is looked at")
        holder = QWidget()
        line = row(words, change)
        holder.setLayout(line)
        self._asked.addWidget(holder)

    def _show_containers(self, outcome: Looked) -> None:
        card = Card()
        layout = card.layout()
        if layout is not None:
            layout.setContentsMargins(1, theme.u(1), 1, theme.u(1))
        table = ContainerTable()
        table.show_rows(rows(outcome.audit))
        card.body.addWidget(table)
        self.result.addWidget(card)
        left = len(outcome.audit.containers) - MOST_SHOWN
        if left > 0:
            self.result.addWidget(label(f"And {left} more: kataui pod audit tells all.", "note"))

    def _on_moved(self, found: Estimate) -> None:
        self.strength = found.strength

    def _show_findings(self, findings: tuple[Finding, ...]) -> None:
        card = Card("Findings", note="what gives an attacker most comes first")
        card.body.addWidget(FindingList(findings[:_MOST_FINDINGS], acts=self._act))
        left = len(findings) - _MOST_FINDINGS
        if left > 0:
            card.body.addWidget(label(f"And {left} more: kataui pod audit tells all.", "note"))
        self.result.addWidget(card)

    def _act(self, finding: Finding) -> Act | None:
        """The fix of a finding that can be taken here."""
        if self.looked is None:
            return None
        if finding.id == "POD-PIN" and fixes.can_pin(self.looked.audit):
            return "Pin…", self.show_pins
        if finding.id in _PROTECTING and finding.checked:
            return "Prepare…", self.prepare
        if finding.id == "POD-NOIMG":
            return "Say where…", self._ask_images
        if finding.id == "POD-CLASS" or finding.id.startswith("K-"):
            return "Put on Kata…", lambda: self._outside.adopt(self.question.file)
        return None

    def _ask_images(self) -> None:
        self._show_form()
        self.images.control.setFocus()

    def show_pins(self) -> None:
        """Show the manifest with digests beside how it is; nothing is written yet."""
        if self.looked is None:
            return
        try:
            fixed = fixes.pin(Path(self.looked.question.file), self.looked.audit)
        except KatauiError as error:
            self._say("fail", *problem_words(error), word="Not done")
            return
        clear(self.result)
        card = Card(f"{count_text(fixed.pins, 'image')} would be pinned by digest")
        diff = DiffView(clean(fixed.path.name, limit=80))
        diff.setMinimumHeight(theme.u(_DIFF_U))
        diff.show_diff(fixed.before, fixed.after, "yaml")
        card.body.addWidget(diff)
        back = Button("Go back", self.start)
        save = Button("Save", partial(self._write, fixed), kind="primary")
        card.body.addLayout(row(None, back, save))
        self.result.addWidget(card)
        save.setFocus()

    def _write(self, fixed: fixes.Fixed, *, undo: bool = False) -> None:
        try:
            fixes.write(fixed, undo=undo)
        except KatauiError as error:
            self._say("fail", *problem_words(error), word="Not done")
            return
        self._pinned = None if undo else fixed
        self.start()

    def _show_undo(self, fixed: fixes.Fixed) -> None:
        text = f"{clean(fixed.path.name)} is saved: {count_text(fixed.pins, 'image')} pinned."
        button = Button("Undo", partial(self._write, fixed, undo=True), name="Undo pinning")
        holder = QWidget()
        holder.setLayout(row(label(text), button))
        self._asked.addWidget(holder)


def clear_line(layout: QVBoxLayout, *, keep: QWidget) -> None:
    """Remove everything but one widget."""
    for index in reversed(range(layout.count())):
        item = layout.itemAt(index)
        widget = item.widget() if item is not None else None
        if widget is not None and widget is not keep:
            layout.takeAt(index)
            widget.hide()
            widget.deleteLater()
