"""Verifying an image with keys: one verdict, and everything it rests on."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from kataui.images.keys import load_keys
from kataui.images.open import open_source
from kataui.images.signatures import load_public_keys
from kataui.images.verdict import Need
from kataui.images.verify import Report, verify
from kataui.progress import Control
from kataui.ui.commandtext import command
from kataui.ui.images.imagepage import show_signatures
from kataui.ui.images.taskpage import TaskPage, Work
from kataui.ui.jobs import Jobs
from kataui.ui.widgets.card import Card, clear
from kataui.ui.widgets.facts import Facts
from kataui.ui.widgets.fields import ChoiceField, Field, PathField, TextField
from kataui.ui.widgets.findings import FindingList

_NEEDS = [
    ("encrypted,signed", "Encrypted and signed"),
    ("encrypted", "Encrypted"),
    ("signed", "Signed"),
]


class VerifyPage(TaskPage):
    """The same as ``kataui image verify``."""

    def __init__(self, jobs: Jobs, told: Callable[[str, str, str], None]) -> None:
        facts = "One verdict, and everything it rests on."
        super().__init__(jobs, "Verify an image", facts, verb="Verify", icon="shield")
        self._told = told
        help_text = "A folder or archive; PATH:TAG for one of several."
        self.image = PathField("Image", mode="image", help_text=help_text)
        self.public_key = PathField("Public key of the signer", help_text="cosign's .pub file.")
        self.key = PathField(
            "Private key that opens it",
            help_text="To check the encryption; empty when you do not have it. A key broker's "
            "key is written kbs:///REPO/TYPE/TAG=KEYFILE.",
        )
        self.identity = TextField(
            "Repository", help_text="Where it must be signed for; empty for any."
        )
        self.need = ChoiceField("It must be", _NEEDS)
        self.add_fields(self.image, self.public_key, self.key, self.identity, self.need)

    def set_image(self, reference: str, public_key: str = "") -> None:
        """Fill the form for an image that is open; a key that stands there already stays."""
        self.image.set_text(reference)
        if public_key:
            self.public_key.set_text(public_key)
        clear(self.result)

    def as_command(self) -> list[str]:
        """As words; what is missing is in capitals."""
        options = {
            "--public-key": self.public_key.text,
            "--key": self.key.text,
            "--identity": self.identity.text,
            "--require": self.need.value,
        }
        return command("image verify", [self.image.text or "IMAGE"], options)

    def missing(self) -> dict[Field, str]:
        """The image."""
        return {} if self.image.text else {self.image: "Choose the image to verify."}

    def locked_keys(self) -> list[str]:
        """The private key."""
        return [self.key.text]

    def work(self, secrets: dict[str, str]) -> Work:
        """Read everything and judge it."""
        questions = _Questions(
            self.image.text,
            self.public_key.text,
            self.key.text,
            self.identity.text,
            frozenset(Need(word) for word in self.need.value.split(",")),
        )
        return partial(_verify, questions, secrets)

    def show_result(self, outcome: object) -> None:
        """The verdict, the evidence, signatures and findings."""
        if not isinstance(outcome, Report):
            return
        report = outcome
        self.say(report.verdict.value, report.sentence, str(report.digest))
        evidence = Card("Evidence")
        evidence.body.addWidget(Facts(_evidence(report)))
        self.result.addWidget(evidence)
        signatures = Card("Signatures")
        show_signatures(signatures.body, report.signatures)
        self.result.addWidget(signatures)
        if report.findings:
            findings = Card("Findings")
            findings.body.addWidget(FindingList(report.findings))
            self.result.addWidget(findings)
        self._told(self.image.text, report.verdict.value, report.sentence)


@dataclass(frozen=True, slots=True)
class _Questions:
    """What the form asks: the image, key files, the repository, and what must hold."""

    image: str
    public_key: str
    key: str
    identity: str
    need: frozenset[Need]


def _verify(asked: _Questions, secrets: dict[str, str], control: Control) -> Report:
    """The work: read the keys, open the image, judge it."""
    public_keys = load_public_keys([asked.public_key])
    ring = load_keys((asked.key,) if asked.key else (), secrets.get)
    with open_source(asked.image, control=control) as source:
        return verify(
            source,
            public_keys=public_keys,
            ring=ring,
            identity=asked.identity,
            require=asked.need,
            control=control,
        )


def _evidence(report: Report) -> list[tuple[str, str]]:
    layers = [layer for item in report.images for layer in item.layers]
    shut = [item for item in layers if item.layer.encrypted]
    whole = sum(1 for item in layers if item.digest_ok)
    opened = sum(1 for item in shut if item.mac_ok)
    unpacked = sum(1 for item in layers if item.diff_ok)
    valid = sum(1 for item in report.signatures if item.status.value == "valid")
    return [
        ("Stored as promised", f"{whole} of {len(layers)} layers (digest and size)"),
        ("Encrypted", f"{len(shut)} of {len(layers)} layers"),
        ("Opened and unchanged", f"{opened} of {len(shut)} encrypted layers (HMAC)"),
        ("Unpack as promised", f"{unpacked} of {len(layers)} layers (diff_id)"),
        ("Signatures that hold", f"{valid} of {len(report.signatures)}"),
    ]
