"""Two images against each other: does the same run, and what else differs."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from kataui.files import clean
from kataui.images.compare import Compared, Comparison, compare
from kataui.images.comparefacts import FileChange, Setting
from kataui.images.keys import load_keys
from kataui.images.open import open_source
from kataui.images.signatures import load_public_keys
from kataui.progress import Control
from kataui.ui.commandtext import command
from kataui.ui.images.comparetable import PairTable
from kataui.ui.images.taskpage import TaskPage, Work
from kataui.ui.jobs import Jobs
from kataui.ui.widgets.card import Card
from kataui.ui.widgets.codebox import CodeBox
from kataui.ui.widgets.fields import Field, PathField
from kataui.ui.widgets.findings import FindingList
from kataui.ui.widgets.text import label

_FACTS = "Does the same run? Encryption, compression and signatures are told, and do not matter."
_IMAGE = "A folder or archive; PATH:TAG for one of several."
_MARKS = {"removed": "-", "added": "+", "changed": "~"}
_MOST_FILES = 2000


class CompareImagesPage(TaskPage):
    """The same as ``kataui image compare``."""

    def __init__(self, jobs: Jobs) -> None:
        super().__init__(jobs, "Compare two images", _FACTS, verb="Compare", icon="eye")
        self.image = PathField("Image A", mode="image", help_text=_IMAGE)
        self.other = PathField("Image B", mode="image", help_text=_IMAGE)
        self.key = PathField(
            "Private key that opens them",
            help_text="For encrypted layers; empty when you do not have it.",
        )
        self.public_key = PathField("Public key of the signer", help_text="cosign's .pub file.")
        self.add_fields(self.image, self.other, self.key, self.public_key)

    def as_command(self) -> list[str]:
        """As words; what is missing is in capitals."""
        options = {"--key": self.key.text, "--public-key": self.public_key.text}
        return command("image compare", [self.image.text or "A", self.other.text or "B"], options)

    def missing(self) -> dict[Field, str]:
        """Both images."""
        told = {self.image: "Choose the first image.", self.other: "Choose the second image."}
        return {field: text for field, text in told.items() if not field.text}

    def locked_keys(self) -> list[str]:
        """The private key."""
        return [self.key.text]

    def work(self, secrets: dict[str, str]) -> Work:
        """Read both, and hold one against the other."""
        asked = _Asked(self.image.text, self.other.text, self.key.text, self.public_key.text)
        return partial(_compare, asked, secrets)

    def show_result(self, outcome: object) -> None:
        """The verdict, then each platform, then findings."""
        if not isinstance(outcome, Comparison):
            return
        self.say(outcome.verdict.value, outcome.sentence)
        if outcome.findings:
            card = Card("Findings")
            card.body.addWidget(FindingList(outcome.findings))
            self.result.addWidget(card)
        for item in outcome.platforms:
            self._show_platform(item, named=len(outcome.platforms) > 1)

    def _show_platform(self, item: Compared, *, named: bool) -> None:
        note = item.platform if named else ""
        layers = Card("Layers", note=note)
        table = PairTable()
        table.show_rows(item.layers)
        layers.body.addWidget(table)
        self.result.addWidget(layers)
        if item.settings:
            card = Card("Settings that differ", note=note)
            text = "\n".join(_lines(item.settings))
            card.body.addWidget(CodeBox(text, name="Settings that differ"))
            self.result.addWidget(card)
        card = Card("Files that differ", note=note)
        if item.files:
            card.body.addWidget(CodeBox(files_text(item.files), name="Files that differ"))
        else:
            said = "Not one; times are not compared." if item.files == () else item.why_no_files
            card.body.addWidget(label(said, "dim"))
        self.result.addWidget(card)


def _lines(settings: Sequence[Setting]) -> list[str]:
    lines = []
    for item in settings:
        lines += [item.name, f"  A  {item.a or '(not set)'}", f"  B  {item.b or '(not set)'}"]
    return lines


def files_text(changes: Sequence[FileChange]) -> str:
    """One line a file: - only in A, + only in B, ~ changed and how."""
    lines = []
    for item in changes[:_MOST_FILES]:
        what = f"  ({', '.join(item.what)})" if item.what else ""
        lines.append(f"{_MARKS[item.change]} /{clean(item.path, limit=300)}{what}")
    if len(changes) > _MOST_FILES:
        lines.append(f"… and {len(changes) - _MOST_FILES} more: kataui image compare --json")
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the form holds: two references and two key files."""

    a: str
    b: str
    key: str
    public_key: str


def _compare(asked: _Asked, secrets: dict[str, str], control: Control) -> Comparison:
    keys = load_public_keys([asked.public_key])
    ring = load_keys((asked.key,) if asked.key else (), secrets.get)
    with open_source(asked.a, control=control) as a, open_source(asked.b, control=control) as b:
        return compare(a, b, ring=ring, public_keys=keys, control=control)
