"""What a pod runs: every container, sidecars too, and what is not covered."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from kataui.files import clean
from kataui.images.signatures import load_public_keys
from kataui.pods.audit import NOT_KNOWN, Audit, Audited, audit
from kataui.pods.coverage import Encrypted, Signed
from kataui.pods.model import Kind, shown_image
from kataui.pods.read import read_path
from kataui.pods.shelf import Shelf, open_shelf
from kataui.progress import Control
from kataui.ui.images.taskpage import TaskPage, Work
from kataui.ui.jobs import Jobs
from kataui.ui.widgets.card import Card
from kataui.ui.widgets.facts import Facts
from kataui.ui.widgets.fields import Field, PathField
from kataui.ui.widgets.findings import FindingList
from kataui.ui.widgets.text import label

_FACTS = "Every container of a pod, sidecars too: pinned, encrypted and signed, or not."
_MOST_SHOWN = 200
_KINDS = {
    Kind.MAIN: "main",
    Kind.INIT: "init",
    Kind.SIDECAR: "sidecar",
    Kind.EPHEMERAL: "pushed in",
}
_ENCRYPTED = {
    Encrypted.ALL: "encrypted",
    Encrypted.SOME: "some layers encrypted",
    Encrypted.NONE: "not encrypted",
    Encrypted.UNKNOWN: "encryption not known",
}
_SIGNED = {
    Signed.VALID: "signed",
    Signed.INVALID: "signature not valid",
    Signed.MISSING: "not signed",
    Signed.UNKNOWN: "signature not checked",
}
_IN_POLICY = {True: "in the policy", False: "not in the policy"}


class AuditPage(TaskPage):
    """The same as ``kataui pod audit``."""

    def __init__(self, jobs: Jobs) -> None:
        super().__init__(jobs, "What a pod runs", _FACTS, verb="Audit", icon="pod")
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
        self.add_fields(self.file, self.images, self.public_key)

    def missing(self) -> dict[Field, str]:
        """The manifest."""
        return {} if self.file.text else {self.file: "Choose the manifest of a pod."}

    def work(self, secrets: dict[str, str]) -> Work:
        """Read everything and judge it."""
        del secrets
        return partial(_audit, self.file.text, self.images.text, self.public_key.text)

    def show_result(self, outcome: object) -> None:
        """The verdict, the containers, what is not covered, and what nobody can know here."""
        if not isinstance(outcome, Audit):
            return
        found = outcome
        self.say(found.verdict.value, found.sentence)
        containers = Card("Containers", note="in the order in which they start")
        containers.body.addWidget(Facts(list(rows(found))))
        self.result.addWidget(containers)
        if found.findings:
            card = Card("Findings", note="what gives an attacker most comes first")
            card.body.addWidget(FindingList(found.findings[:_MOST_SHOWN]))
            left = len(found.findings) - _MOST_SHOWN
            if left > 0:
                card.body.addWidget(label(f"And {left} more: kataui pod audit tells all.", "note"))
            self.result.addWidget(card)
        unknown = Card("Not known from here")
        for text in NOT_KNOWN:
            unknown.body.addWidget(label(f"{text[0].upper()}{text[1:]}."))
        self.result.addWidget(unknown)


def rows(found: Audit) -> Iterator[tuple[str, str]]:
    """Name and state of each container, in words; the first ones of very many."""
    for one in found.containers[:_MOST_SHOWN]:
        yield clean(one.container.name, limit=60) or "no name", state(one)
    left = len(found.containers) - _MOST_SHOWN
    if left > 0:
        yield "", f"and {left} more"


def state(one: Audited) -> str:
    """A container in words: its kind, whether it is covered, and its image."""
    words = [
        _KINDS[one.container.kind],
        "pinned" if one.container.pinned else "not pinned",
        _ENCRYPTED[one.coverage.encrypted],
        _SIGNED[one.coverage.signed],
    ]
    words += [_IN_POLICY[one.in_policy]] if one.in_policy is not None else []
    return f"{', '.join(words)}\n{shown_image(one.container.image)}"


def _audit(file: str, images: str, public_key: str, control: Control) -> Audit:
    keys = load_public_keys([public_key])
    shelf = open_shelf(Path(images), control) if images else Shelf()
    return audit(read_path(Path(file), control), shelf, keys, control)
