"""Fixes of a manifest that an audit can make itself: digests for images that are here."""

from dataclasses import dataclass, field
from pathlib import Path

from kataui.errors import DestinationProblem, KatauiError
from kataui.files import clean, problem_text, read_bounded, replace_file
from kataui.kata.edits import Put, apply
from kataui.kata.manifest import MAX_BYTES, decode
from kataui.pods.audit import Audit


@dataclass(frozen=True, slots=True)
class Fixed:
    """A manifest before and after; ``pins`` says how many images got their digest."""

    path: Path
    before: str = field(repr=False)
    after: str = field(repr=False)
    pins: int


def can_pin(found: Audit) -> int:
    """How many containers could get the digest of the image that is here."""
    return len(_pins(found))


def _pins(found: Audit) -> list[Put]:
    """Each unpinned container whose image is known; not those that stand inside a text."""
    return [
        Put(
            one.pod.place.document.index,
            (*one.container.path, "image"),
            f"{one.container.image.partition('@')[0]}@{one.coverage.digest}",
        )
        for one in found.containers
        if not one.container.pinned and one.coverage.digest and one.container.image
    ]


def pin(path: Path, found: Audit) -> Fixed:
    """The manifest with digests, comments and order kept; nothing is written.

    Raises ``KatauiError`` when there is nothing to pin or the text cannot be changed.
    """
    if path.is_dir():
        raise KatauiError("A folder is not changed here.", hint="Open the manifest itself.")
    edits = _pins(found)
    if not edits:
        raise KatauiError("No image without a digest is here.")
    before = decode(read_bounded(path, limit_bytes=MAX_BYTES, what="a manifest"))
    return Fixed(path, before, apply(before, edits), len(edits))


def write(fixed: Fixed, *, undo: bool = False) -> None:
    """Write the manifest as it is after, or with ``undo`` as it was before.

    Replaces the file at once. Raises ``DestinationProblem`` when somebody else changed it since.
    """
    old, new = (fixed.after, fixed.before) if undo else (fixed.before, fixed.after)
    shown = clean(fixed.path.name)
    try:
        mode = fixed.path.stat().st_mode & 0o777
        now = fixed.path.read_bytes()
    except OSError as error:
        raise DestinationProblem(f"{shown} cannot be read: {problem_text(error)}.") from error
    if decode(now) != old:
        raise DestinationProblem(f"{shown} was changed since.", hint="Audit it again.")
    replace_file(fixed.path, new.encode(), mode=mode)
