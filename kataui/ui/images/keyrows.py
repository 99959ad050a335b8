"""The keys that are known as rows of words and marks; no window is needed for them."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kataui import files
from kataui.errors import KatauiError
from kataui.files import clean
from kataui.images.keymaking import Fingerprint, describe_key
from kataui.images.keys import load_keys
from kataui.images.keystate import Record, State
from kataui.images.opens import opens_layers
from kataui.images.reference import parse_reference
from kataui.images.registry import is_remote
from kataui.progress import Control
from kataui.ui.when import when_text

_KINDS = {"key": "opens images", "kbs": "key broker", "cosign": "signs"}
_MARKS = {State.NONE: "fail", State.WRITTEN: "warning", State.RESTORED: "pass"}
WAITING = "Looking…"


@dataclass(frozen=True, slots=True)
class Row:
    """One key as its row is shown; ``mark`` and ``backup`` tell the state of its backup."""

    record: Record
    name: str
    kind: str
    opens: str
    words: str
    digest: str
    mark: str
    backup: str

    @property
    def sentence(self) -> str:
        """The row as it is read out."""
        return f"{self.name}, {self.kind}. Opens: {self.opens}. {self.words}. {self.backup}."


def rows_of(records: Sequence[Record], opens: Mapping[str, str]) -> list[Row]:
    """One row a key, those whose backup was never rehearsed first."""
    order = list(State)
    rows = [_row(record, opens.get(record.fingerprint, WAITING)) for record in records]
    return sorted(rows, key=lambda row: order.index(row.record.state))


def _row(record: Record, opens: str) -> Row:
    name = clean(Path(record.path).name, limit=80) or "Not on this computer"
    kind = " · ".join(filter(None, (clean(record.algorithm), _KINDS.get(record.kind, ""))))
    backup = {
        State.NONE: "No backup",
        State.WRITTEN: "Written, never restored",
        State.RESTORED: f"Restored {when_text(record.restored)}".strip(),
    }[record.state]
    words, digest = _fingerprint(record.fingerprint)
    return Row(record, name, kind, opens, words, digest, _MARKS[record.state], backup)


def _fingerprint(text: str) -> tuple[str, str]:
    """Words, and the first bytes in hex; the list may have been edited by somebody."""
    try:
        shown = bytes.fromhex(text)[:8].hex(" ")
        return Fingerprint(text).words, shown
    except ValueError:
        return clean(text, limit=40), ""


def sentence_of(records: Sequence[Record]) -> str:
    """How many keys would be lost with this computer, as far as is known."""
    count = len(records)
    never = sum(record.state is not State.RESTORED for record in records)
    if not never:
        every = "The one key was" if count == 1 else f"All {count} keys were"
        return f"{every} restored from a backup at least once."
    if count == 1:
        return "The one key was never restored from a backup."
    return (
        f"{never} of {count} keys {'was' if never == 1 else 'were'} never restored from a backup."
    )


def what_opens(
    records: Sequence[Record], images: Sequence[str], control: Control
) -> dict[str, str]:
    """For each key what it opens of the images that are open or were lately; reads manifests.

    Images of a registry are left out: looking at a list must not use the network.
    """
    here = [image for image in images if not is_remote(parse_reference(image))]
    found = {}
    for record in records:
        control.check()
        found[record.fingerprint] = _opens(record, here)
    return found


def _opens(record: Record, images: Sequence[str]) -> str:
    path = Path(record.path)
    if record.kind == "cosign":
        return "Nothing: it signs"
    if not record.path or not files.is_file(path):
        return "Not checked: its file is not there"
    try:
        if describe_key(path).locked:
            return "Not checked: it is locked"
        certificate = path.with_suffix(".crt")
        specs = [str(path), *([str(certificate)] if files.is_file(certificate) else [])]
        ring = load_keys(specs, lambda _: None)
    except KatauiError as error:
        return clean(error.message, limit=90)
    count = 0
    for image in images:
        with suppress(KatauiError):
            count += opens_layers(image, ring)[0] > 0
    if not count:
        return "None of the images opened lately"
    return "1 image" if count == 1 else f"{count} images"
