"""Verifying an image with keys: one verdict, and everything it rests on."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QVBoxLayout

from kataui.errors import Cancelled, KatauiError
from kataui.images.cosignkey import load_public_key
from kataui.images.keymaking import describe_key
from kataui.images.keys import load_keys
from kataui.images.open import open_source
from kataui.images.signatures import PublicKey
from kataui.images.verdict import Need
from kataui.images.verify import Report, verify
from kataui.progress import Control
from kataui.ui import theme
from kataui.ui.images.imagepage import show_signatures
from kataui.ui.jobs import Jobs
from kataui.ui.widgets.banner import VerdictBanner
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, clear, row
from kataui.ui.widgets.confirm import AskSecret
from kataui.ui.widgets.facts import Facts
from kataui.ui.widgets.fields import ChoiceField, PathField, TextField
from kataui.ui.widgets.findings import FindingList
from kataui.ui.widgets.page import Columns, Page
from kataui.ui.widgets.progress import ProgressPanel

_NEEDS = [
    ("encrypted,signed", "Encrypted and signed"),
    ("encrypted", "Encrypted"),
    ("signed", "Signed"),
]


class VerifyPage(Page):
    """The same as ``kataui image verify``."""

    def __init__(self, jobs: Jobs, told: Callable[[str, str, str], None]) -> None:
        super().__init__("Verify an image", "One verdict, and everything it rests on.")
        self._jobs, self._told = jobs, told
        self._control: Control | None = None
        self.image = PathField(
            "Image", help_text="A folder or archive; PATH:TAG for one of several."
        )
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
        self._run = Button("Verify", self.start, kind="primary", icon="shield")
        columns = Columns(shares=(2, 3), narrow_u=200)
        form = Card()
        for field in (self.image, self.public_key, self.key, self.identity, self.need):
            form.body.addWidget(field)
        form.body.addLayout(row(None, self._run))
        columns.left.addWidget(form)
        self._result = QVBoxLayout()
        self._result.setSpacing(theme.u(4))
        columns.right.addLayout(self._result)
        self.body.addWidget(columns)

    def set_image(self, reference: str) -> None:
        """Fill the form for an image that is open."""
        self.image.set_text(reference)
        clear(self._result)

    def on_closed(self) -> None:
        """Stop reading."""
        if self._control is not None:
            self._control.cancel()

    def start(self) -> None:
        """Check the form, ask for a passphrase if one is needed, and begin."""
        if not self.image.text:
            self.image.show_problem("Choose the image to verify.")
            self.image.edit.setFocus()
            return
        path = Path(self.key.text)
        if self.key.text and path.is_file() and describe_key(path).locked:
            AskSecret(self, f"Passphrase of {path.name}", self._begin).open()
        else:
            self._begin("")

    def _begin(self, secret: str) -> None:
        clear(self._result)
        panel = ProgressPanel(self.on_closed)
        self._result.addWidget(panel)
        self._run.set_reason("It is being verified.")
        questions = _Questions(
            self.image.text,
            self.public_key.text,
            self.key.text,
            self.identity.text,
            frozenset(Need(word) for word in self.need.value.split(",")),
        )
        work = partial(_verify, questions, secret)
        self._control = self._jobs.start(
            work, on_done=self._on_done, on_error=self._on_error, on_progress=panel.show_progress
        )

    def _on_error(self, error: Exception) -> None:
        self._run.set_reason("")
        clear(self._result)
        banner = VerdictBanner()
        if isinstance(error, Cancelled):
            banner.show_verdict("unknown", "Cancelled before everything was read.")
        elif isinstance(error, KatauiError):
            banner.show_verdict("unknown", error.message, error.hint, word="Not checked")
        else:
            banner.show_verdict("unknown", f"A defect: {error!r:.200}", word="Not checked")
        self._result.addWidget(banner)

    def _on_done(self, report: Report) -> None:
        self._run.set_reason("")
        clear(self._result)
        banner = VerdictBanner()
        banner.show_verdict(report.verdict.value, report.sentence, str(report.digest))
        self._result.addWidget(banner)
        evidence = Card("Evidence")
        evidence.body.addWidget(Facts(_evidence(report)))
        self._result.addWidget(evidence)
        signatures = Card("Signatures")
        show_signatures(signatures.body, report.signatures)
        self._result.addWidget(signatures)
        if report.findings:
            findings = Card("Findings")
            findings.body.addWidget(FindingList(report.findings))
            self._result.addWidget(findings)
        self._told(self.image.text, report.verdict.value, report.sentence)


@dataclass(frozen=True, slots=True)
class _Questions:
    """What the form asks: the image, key files, the repository, and what must hold."""

    image: str
    public_key: str
    key: str
    identity: str
    need: frozenset[Need]


def _verify(asked: _Questions, secret: str, control: Control) -> Report:
    """The work: read the keys, open the image, judge it."""
    path = Path(asked.public_key)
    public_keys = [PublicKey(path.name, load_public_key(path))] if asked.public_key else []
    ring = load_keys((asked.key,) if asked.key else (), lambda _: secret)
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
