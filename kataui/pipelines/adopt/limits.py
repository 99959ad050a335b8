"""Memory limits: a CPU limit alone boots a guest that is far too small (pipelines.md 0.4)."""

from collections.abc import Iterator

from kataui.kata.edits import Put
from kataui.kata.manifest import Document, ManifestError, Path, mapping_at, parse, value_at
from kataui.pipelines.adopt.changes import Change
from kataui.pipelines.adopt.wish import Wish, place_name

_WHY = (
    "Kata sizes the virtual machine by limits. With a CPU limit and no memory limit the Rust "
    "runtime boots it with its own overhead only, and the job dies."
)


def memory_changes(document: Document, path: Path, wish: Wish) -> Iterator[Change]:
    """A memory limit for the ``resources`` at ``path``, when they have a CPU limit alone."""
    resources = mapping_at(document.value, path)
    limits = mapping_at(resources, ("limits",))
    if "cpu" not in limits or "memory" in limits:
        return
    asked = value_at(resources, ("requests", "memory"))
    memory = str(asked) if asked else wish.memory
    place: Path = (*path, "limits")
    line = document.line_of(place)
    yield Change(
        f"{place_name(document, 'memory')}-{line}",
        f"Limit its memory to {memory}",
        _WHY if asked is None else f"{_WHY} What it asks for becomes its limit.",
        line,
        (Put(document.index, (*place, "memory"), memory, after="cpu"),),
    )


def inner_document(text: str) -> Document | None:
    """The one YAML mapping that a text holds, or None."""
    try:
        found = parse(text, "")
    except ManifestError:
        return None
    return found[0] if len(found) == 1 and found[0].mapping else None
