"""The parts of a comparison of two images: layers, settings, files; and the settings compared."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from kataui.files import clean, parse_json_object
from kataui.images.layerfiles import FileEntry
from kataui.images.leaks import mask_text, setting_leak
from kataui.images.model import Digest, Image

State = Literal["same", "repacked", "removed", "added"]
Change = Literal["removed", "added", "changed"]
_SHOWN = 300
_NOT_RUN = frozenset({"Labels"})  # of ``config``: told, but no program runs differently for it
_TOLD = ("created", "author", "history")


@dataclass(frozen=True, slots=True)
class LayerSide:
    """A layer in one of the images; ``checked``: it was read and is what its diff_id says."""

    index: int
    digest: Digest
    diff_id: Digest
    size_bytes: int
    encrypted: bool
    recipients: tuple[str, ...]
    checked: bool

    def as_json(self) -> dict[str, Any]:
        """The members of ``--json``."""
        return {
            "index": self.index,
            "digest": str(self.digest),
            "diff_id": str(self.diff_id),
            "size": self.size_bytes,
            "encrypted": self.encrypted,
            "recipients": list(self.recipients),
            "checked": self.checked,
        }


@dataclass(frozen=True, slots=True)
class LayerPair:
    """A layer of both images, or of one.

    ``same``: the same blob; ``repacked``: the same diff_id in another blob, as after encrypting or
    compressing; ``removed``: only in A; ``added``: only in B.
    """

    state: State
    a: LayerSide | None
    b: LayerSide | None

    @property
    def certain(self) -> bool:
        """Whether both halves were seen to be the same, not only said to be."""
        if self.a is None or self.b is None:
            return False
        return self.state == "same" or (self.a.checked and self.b.checked)

    def as_json(self) -> dict[str, Any]:
        """The members of ``--json``."""
        a, b = self.a, self.b
        return {
            "state": self.state,
            "a": a.as_json() if a else None,
            "b": b.as_json() if b else None,
        }


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting that differs; ``runs``: a program may run differently. Empty: not set.

    The texts are fit to show; likely secrets are masked, so that two may look the same.
    """

    name: str
    a: str
    b: str
    runs: bool

    def as_json(self) -> dict[str, Any]:
        """The members of ``--json``."""
        return {"name": self.name, "a": self.a, "b": self.b, "runs": self.runs}


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that differs; ``what`` says in words how one that both have was changed."""

    change: Change
    path: str
    what: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The members of ``--json``."""
        return {"change": self.change, "path": self.path, "what": list(self.what)}


def settings(a: Image, b: Image) -> tuple[Setting, ...]:
    """What differs in the configurations and the manifests' annotations."""
    of_a, of_b = dict(_settings(a)), dict(_settings(b))
    return tuple(
        Setting(
            clean(key[0], limit=120),
            _shown(key[0], of_a.get(key)),
            _shown(key[0], of_b.get(key)),
            key[1],
        )
        for key in dict.fromkeys((*of_a, *of_b))
        if of_a.get(key) != of_b.get(key)
    )


def _settings(image: Image) -> Iterator[tuple[tuple[str, bool], Any]]:
    """Each setting by its name and whether it matters to what runs."""
    whole = parse_json_object(image.config.raw, what="configuration of the image")
    yield ("Platform", True), str(image.config.platform)
    runs = whole.get("config")
    for name, value in (runs if isinstance(runs, dict) else {}).items():
        if name == "Env":
            for entry in image.config.environment:
                key, _, text = entry.partition("=")
                yield (f"Env {key}", True), text
        elif isinstance(value, dict):
            for key, inner in value.items():
                yield (f"{name} {key}", name not in _NOT_RUN), inner
        elif value not in (None, "", []):  # an absent member says the same
            yield (name, True), value
    for name in _TOLD:
        if whole.get(name):
            yield (name, False), whole[name]
    for name, value in image.annotations.items():
        yield (f"Annotation {name}", False), value


def _shown(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "history":
        return f"{len(value)} lines" if isinstance(value, list) else "malformed"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    leak = setting_leak(name.split(" ", 1)[-1], text)
    return leak.masked if leak is not None else clean(mask_text(text), limit=_SHOWN)


def file_changes(a: Mapping[str, FileEntry], b: Mapping[str, FileEntry]) -> tuple[FileChange, ...]:
    """What differs between two file systems, by path; times are not looked at."""
    found = [FileChange("removed", path) for path in a.keys() - b.keys()]
    found += [FileChange("added", path) for path in b.keys() - a.keys()]
    for path in a.keys() & b.keys():
        what = tuple(_changes(a[path], b[path]))
        if what:
            found.append(FileChange("changed", path, what))
    return tuple(sorted(found, key=lambda item: item.path))


def _changes(a: FileEntry, b: FileEntry) -> Iterator[str]:
    if a.kind != b.kind:
        yield f"{a.kind} → {b.kind}"
        return
    if (a.sha256, a.size_bytes) != (b.sha256, b.size_bytes):
        yield "content"
    elif a.sha256 == "sparse":
        yield "content not compared (sparse)"
    if a.target != b.target:
        yield f"{clean(a.target, limit=80)} → {clean(b.target, limit=80)}"
    if a.mode != b.mode:
        yield f"mode {a.mode:04o} → {b.mode:04o}"
    if a.owner != b.owner:
        yield "owner {}:{} → {}:{}".format(*a.owner, *b.owner)
