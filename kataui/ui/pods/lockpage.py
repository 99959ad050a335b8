"""Locking a pod: "exactly this runs", written down and signed."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from kataui.files import clean, count_text
from kataui.findings import Finding
from kataui.pods.locking import Locked, lock_files
from kataui.ui.commandtext import command
from kataui.ui.images.taskpage import TaskPage, Work
from kataui.ui.jobs import Jobs
from kataui.ui.widgets.card import Card
from kataui.ui.widgets.fields import Field, PathField
from kataui.ui.widgets.findings import FindingList

_FACTS = "Containers, digests, commands, mounts and initdata: exactly this runs."


class LockPage(TaskPage):
    """The same as ``kataui pod lock``."""

    def __init__(self, jobs: Jobs) -> None:
        super().__init__(jobs, "Lock a pod", _FACTS, verb="Lock", icon="flag")
        self.file = PathField(
            "Manifest",
            mode="image",
            help_text="A Pod, Deployment, Job ..., a folder of them, or a running pod's dump.",
        )
        self.out = PathField("Write to", mode="save", help_text="A new file: podlock.json.")
        self.sign_key = PathField(
            "Signing key", help_text="cosign's private key file; empty for a lock without one."
        )
        self.add_fields(self.file, self.out, self.sign_key)

    def as_command(self) -> list[str]:
        """As words; what is missing is in capitals."""
        options = {"--out": self.out.text or "LOCK", "--sign-key": self.sign_key.text}
        return command("pod lock", [self.file.text or "MANIFEST"], options)

    def missing(self) -> dict[Field, str]:
        """The manifest, and where to write."""
        told = {self.file: "Choose the manifest of a pod.", self.out: "Name a new file."}
        return {field: text for field, text in told.items() if not field.text}

    def locked_keys(self) -> list[str]:
        """The signing key."""
        return [self.sign_key.text]

    def work(self, secrets: dict[str, str]) -> Work:
        """Write the lock."""
        return partial(
            lock_files, Path(self.file.text), Path(self.out.text), self.sign_key.text, secrets.get
        )

    def show_result(self, outcome: object) -> None:
        """Where it is, and what it cannot hold."""
        if not isinstance(outcome, Locked):
            return
        what = f"Locked {count_text(outcome.containers, 'container')}."
        signed = (
            f"Its signature is {outcome.bundle.name}." if outcome.bundle else "It is not signed."
        )
        self.say(
            "pass", f"{what} {clean(outcome.path.name)} is written.", clean(signed), word="Done"
        )
        self._show_findings(outcome.findings)

    def _show_findings(self, findings: Sequence[Finding]) -> None:
        if findings:
            card = Card("What the lock cannot hold")
            card.body.addWidget(FindingList(findings))
            self.result.addWidget(card)
