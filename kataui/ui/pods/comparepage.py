"""A lock against what runs: the container that was pushed in stands out."""

from functools import partial
from pathlib import Path

from kataui.images.signatures import load_public_keys
from kataui.pods.compare import Compared, compare
from kataui.pods.lock import check_signature, read_lock
from kataui.pods.read import pods_of, read_path
from kataui.progress import Control
from kataui.ui.commandtext import command
from kataui.ui.images.taskpage import TaskPage, Work
from kataui.ui.jobs import Jobs
from kataui.ui.widgets.card import Card
from kataui.ui.widgets.fields import Field, PathField
from kataui.ui.widgets.findings import FindingList

_FACTS = "Whether what runs is exactly what was locked."


class ComparePage(TaskPage):
    """The same as ``kataui pod compare``."""

    def __init__(self, jobs: Jobs) -> None:
        title = "Compare with a running pod"
        super().__init__(jobs, title, _FACTS, verb="Compare", icon="eye")
        self.lock = PathField("Lock", help_text="podlock.json, made by kataui pod lock or prepare.")
        self.file = PathField(
            "What runs", help_text="kubectl get pod NAME -o yaml > FILE, or a manifest."
        )
        self.public_key = PathField("Public key of the lock", help_text="cosign's .pub file.")
        self.add_fields(self.lock, self.file, self.public_key)

    def fill(self, lock: str, public_key: str) -> None:
        """Begin with a lock and its key; what runs is asked for."""
        self.lock.set_text(lock)
        self.public_key.set_text(public_key)
        self.file.control.setFocus()

    def as_command(self) -> list[str]:
        """As words; what is missing is in capitals."""
        operands = [self.lock.text or "LOCK", self.file.text or "MANIFEST"]
        return command("pod compare", operands, {"--public-key": self.public_key.text})

    def missing(self) -> dict[Field, str]:
        """The lock, and what runs."""
        told = {self.lock: "Choose the lock.", self.file: "Choose what runs."}
        return {field: text for field, text in told.items() if not field.text}

    def work(self, secrets: dict[str, str]) -> Work:
        """Hold one against the other."""
        del secrets
        return partial(_compare, self.lock.text, self.file.text, self.public_key.text)

    def show_result(self, outcome: object) -> None:
        """The verdict, and each difference."""
        if not isinstance(outcome, Compared):
            return
        self.say(outcome.verdict.value, outcome.sentence)
        if outcome.findings:
            card = Card("Differences" if outcome.added or outcome.changed else "Findings")
            card.body.addWidget(FindingList(outcome.findings))
            self.result.addWidget(card)


def _compare(lock_path: str, file: str, public_key: str, control: Control) -> Compared:
    path = Path(lock_path)
    lock = read_lock(path)
    keys = load_public_keys([public_key])
    pods = pods_of(read_path(Path(file), control))
    return compare(lock, pods, check_signature(lock, path, keys))
