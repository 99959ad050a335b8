"""What is wanted of a file that is put on Kata."""

from dataclasses import dataclass, field

from kataui.kata.edits import Drop, Put
from kataui.kata.manifest import Document, Path, mapping_at, value_at
from kataui.pipelines.adopt.changes import Change, Edit

NODE_LABEL = "katacontainers.io/kata-runtime"
DEFAULT_CLASS = "kata-qemu-runtime-rs"


@dataclass(frozen=True, slots=True)
class Wish:
    """The class; the memory limit for what has none; the label of nodes that can run Kata."""

    runtime_class: str = DEFAULT_CLASS
    memory: str = "2Gi"
    node_labels: dict[str, str] = field(default_factory=lambda: {NODE_LABEL: "true"})


def place_name(document: Document, what: str) -> str:
    """A change's id: what it is, and in which document."""
    return f"{what}-{document.index}"


def class_edits(document: Document, path: Path, wish: Wish, *, labels: bool) -> tuple[Edit, ...]:
    """Edits that give the mapping at ``path`` the class and, where wanted, the node label.

    Nothing when both are there already; another class is replaced only when it is empty.
    """
    edits: list[Edit] = []
    here = mapping_at(document.value, path)
    if not here.get("runtimeClassName"):
        edits.append(Put(document.index, (*path, "runtimeClassName"), wish.runtime_class))
    if labels:
        selector = mapping_at(here, ("nodeSelector",))
        for name, text in wish.node_labels.items():
            if name not in selector:
                edits.append(Put(document.index, (*path, "nodeSelector", name), text))
    return tuple(edits)


def class_change(
    document: Document, path: Path, wish: Wish, *, labels: bool, why: str, what: str = "pod"
) -> Change | None:
    """The change that puts a pod on Kata, or None when it is there already."""
    edits = class_edits(document, path, wish, labels=labels)
    if not edits:
        return None
    names = {edit.path[-1] for edit in edits if isinstance(edit, Put)}
    only_label = "runtimeClassName" not in names
    title = (
        f"Send the {what} to nodes that can run Kata"
        if only_label
        else f"Run the {what} in a virtual machine of its own"
    )
    line = document.line_of(path)
    return Change(f"{place_name(document, 'class')}-{line}", title, why, line, edits)


def move(document: Document, old: Path, new: Path) -> tuple[Edit, ...]:
    """Edits that move a mapping's members to another place; what is there already stays."""
    there = mapping_at(document.value, new)
    moved = value_at(document.value, old)
    edits: list[Edit] = [
        Put(document.index, (*new, key), value)
        for key, value in (moved.items() if isinstance(moved, dict) else ())
        if key not in there
    ]
    return (*edits, Drop(document.index, old))
