"""Exchanging a key for another in a folder of images."""

from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QVBoxLayout

from kataui.files import clean
from kataui.images.cosignkey import load_signing_key
from kataui.images.keyrotate import Exchange, Outcome, Rotated, rotate
from kataui.images.keys import load_keys
from kataui.images.recipients import parse_recipient
from kataui.progress import Control
from kataui.ui.commandtext import Options, command
from kataui.ui.icons import IconLabel
from kataui.ui.images.taskpage import TaskPage, Work
from kataui.ui.jobs import Jobs
from kataui.ui.widgets.card import Card, column, row
from kataui.ui.widgets.fields import ChoiceField, Field, PathField, TextField
from kataui.ui.widgets.findings import FindingList
from kataui.ui.widgets.itemsfield import ItemsField
from kataui.ui.widgets.text import label
from kataui.ui.words import tr

_HOW = [("", "Exchange the key"), ("dry", "Only tell what would change")]
_MARKS = {
    Outcome.CHANGED: "pass",
    Outcome.WOULD_CHANGE: "info",
    Outcome.SKIPPED: "unknown",
    Outcome.FAILED: "fail",
}

_NO_WAY_BACK = (
    "The old key will open none of these images. What has to stay readable with it must be copied "
    "before."
)


class RotatePage(TaskPage):
    """The same as ``kataui key rotate``."""

    def __init__(self, jobs: Jobs) -> None:
        facts = (
            "Writes manifests only, never a layer: whoever kept an old copy and the old key can "
            "open that copy."
        )
        super().__init__(jobs, "Rotate a key", facts, verb="Rotate", icon="key")
        self.folder = PathField(
            "Folder of images", mode="folder", help_text="Every OCI layout directly in it."
        )
        self.old = PathField(
            "Old private key", help_text="It opens the images, and is taken out of them."
        )
        self.add = ItemsField(
            "New recipient",
            placeholder="jwe:FILE",
            help_text="As for Recipients: jwe:FILE, "
            "pkcs7:CERT, pgp:ID, pkcs11:PEM or kbs:///REPO/TYPE/TAG=KEYFILE.",
        )
        self.remove = TextField("Remove", help_text="Empty: the old key itself.")
        self.sign_key = PathField(
            "Signing key",
            help_text="Signs again what it had signed. Empty: signatures are dropped.",
        )
        self.how = ChoiceField("What to do", _HOW)
        self.add_fields(self.folder, self.old, self.add, self.remove, self.sign_key, self.how)

    def fill(self, key: str, _: str = "") -> None:
        """Name the old key."""
        self.old.set_text(key)

    def as_command(self) -> list[str]:
        """As words; what is missing is in capitals."""
        options: Options = {
            "--key": self.old.text or "OLD",
            "--add": self.add.items or ("NEW",),
            "--remove": self.remove.text,
            "--sign-key": self.sign_key.text,
            "--dry-run": self.how.value == "dry",
        }
        return command("key rotate", [self.folder.text or "FOLDER"], options)

    def missing(self) -> dict[Field, str]:
        """The folder, the old key, the new one."""
        wrong: dict[Field, str] = {
            field: "This is needed." for field in (self.folder, self.old) if not field.text
        }
        if not self.add.items:
            wrong[self.add] = "Name who takes its place."
        return wrong

    def irreversible(self) -> tuple[str, str]:
        """Who holds the old key opens no image here any more."""
        if self.how.value == "dry":
            return "", ""
        return _NO_WAY_BACK, "rotate"

    def locked_keys(self) -> list[str]:
        """Both keys."""
        return [self.old.text, self.sign_key.text]

    def work(self, secrets: dict[str, str]) -> Work:
        """Exchange the key in every image."""
        certificate = Path(self.old.text).with_suffix(".crt")
        keys = [self.old.text, *([str(certificate)] if certificate.is_file() else [])]
        remove = (self.remove.text,) if self.remove.text else ()
        return partial(
            _rotate,
            Path(self.folder.text),
            (keys, self.add.items, remove, self.sign_key.text),
            secrets,
            dry_run=self.how.value == "dry",
        )

    def show_result(self, outcome: object) -> None:
        """What became of each image."""
        if not isinstance(outcome, tuple):
            return
        done: tuple[Rotated, ...] = outcome
        self.say(*_summary(done))
        card = Card("Images")
        for one in done:
            card.body.addLayout(_line(one))
        findings = {item.id: item for one in done for item in one.findings}
        if findings:
            card.body.addWidget(FindingList(list(findings.values())))
        self.result.addWidget(card)


def _rotate(
    folder: Path,
    texts: tuple[list[str], tuple[str, ...], tuple[str, ...], str],
    secrets: dict[str, str],
    control: Control,
    *,
    dry_run: bool,
) -> tuple[Rotated, ...]:
    keys, add, remove, sign_key = texts
    exchange = Exchange(
        load_keys(keys, secrets.get),
        tuple(parse_recipient(text) for text in add),
        remove,
        load_signing_key(Path(sign_key), secrets.get) if sign_key else None,
    )
    return rotate(folder, exchange, dry_run=dry_run, control=control)


def _summary(done: tuple[Rotated, ...]) -> tuple[str, str, str, str]:
    """Verdict, sentence, scope and word."""
    count = {outcome: sum(one.outcome is outcome for one in done) for outcome in Outcome}
    said = [f"{number} {outcome.value}" for outcome, number in count.items() if number]
    scope = f"{', '.join(said)}; {len(done)} in all."
    if count[Outcome.FAILED]:
        return "fail", f"{count[Outcome.FAILED]} images could not be changed.", scope, "Not done"
    if count[Outcome.SKIPPED] == len(done):
        return "unknown", "The old key opens none of these images.", scope, "Nothing to do"
    if count[Outcome.WOULD_CHANGE]:
        return "info", "Nothing was written.", scope, "Told only"
    return "pass", "The key is exchanged.", scope, "Done"


def _line(one: Rotated) -> QVBoxLayout:
    name = clean(Path(one.reference).name, limit=100)
    again = f" Signed again for {clean(one.identity)}." if one.identity else ""
    title = label(f"{name}: {one.outcome.value}", "strong")
    title.setToolTip(tr(clean(one.reference, limit=500)))
    head = row(IconLabel(_MARKS[one.outcome]), title)
    return column(head, label(f"{clean(one.sentence, limit=300)}{again}", "note"), spacing_u=0.5)
