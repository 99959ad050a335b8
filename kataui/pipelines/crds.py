"""CRDs that a person imports, as JSON Schema that is as strict as the API server.

Source: Kubernetes, "Extend the Kubernetes API with CustomResourceDefinitions", sections on
structural schemas and pruning: fields that are not specified are dropped unless
``x-kubernetes-preserve-unknown-fields`` is set, so they are refused here.
"""

import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import platformdirs

from kataui.errors import KatauiError
from kataui.files import clean, is_folder, problem_text, read_bounded, replace_file
from kataui.kata.manifest import ManifestError, list_at, mapping_at, parse, text_at

_URI = "https://kataui.invalid/crds/"
_GVKS = "x-kubernetes-group-version-kind"
_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_META = "https://kubernetes.io/api/_definitions.json#/$defs/io.k8s.apimachinery.pkg.apis.meta.v1."
_SUFFIXES = (".yaml", ".yml", ".json")
_MAX_BYTES = 32 << 20
_MAX_FILES = 5000
_MAX_DEPTH = 60
# What JSON Schema means by the same word; the rest of OpenAPI's words are descriptions.
_TAKEN = frozenset(
    [
        *("type", "format", "enum", "pattern", "required", "maximum", "minimum", "multipleOf"),
        *("maxLength", "minLength", "maxItems", "minItems", "uniqueItems", "maxProperties"),
        *("minProperties", "description", "title"),
    ]
)


@dataclass(frozen=True, eq=False, slots=True)
class Imported:
    """JSON Schema documents by their URI; each holds the kinds of one CRD in its ``$defs``."""

    documents: Mapping[str, Any] = field(repr=False, default_factory=dict)

    def kinds(self) -> list[str]:
        """The kinds, as in ``tekton.dev/v1 Task``."""
        return sorted(
            f"{one['group']}/{one['version']} {one['kind']}"
            for document in self.documents.values()
            for definition in document["$defs"].values()
            for one in definition[_GVKS]
        )


NOTHING = Imported()


def own_folder() -> Path:
    """Where CRDs are kept that every check knows."""
    return platformdirs.user_data_path("kataui", appauthor=False) / "crds"


def kept() -> tuple[Path, ...]:
    """What ``imported`` takes for the CRDs that are kept; nothing when there are none."""
    folder = own_folder()
    return (folder,) if is_folder(folder) and any(_inside(folder)) else ()


def keep(data: bytes, name: str) -> list[str]:
    """Keep the CRDs of a text for all checks from now on; gives their kinds.

    Writes ``NAME.yaml`` in ``own_folder``, in the place of an older one. Raises ``KatauiError``
    when there is none in it.
    """
    kinds = from_text(data, name).kinds()
    if not kinds:
        raise KatauiError(f"No CustomResourceDefinition is in {clean(name, limit=80)}.")
    own_folder().mkdir(parents=True, exist_ok=True)
    stem = re.sub(r"[^A-Za-z0-9._-]", "-", Path(name).stem).lstrip(".")[:80] or "crds"
    replace_file(own_folder() / f"{stem}.yaml", data)
    return kinds


def imported(paths: Sequence[Path]) -> Imported:
    """The CRDs in files and folders (with all that is in them); kept until a file changes.

    Raises ``KatauiError`` when a path cannot be read or nothing there is a CRD.
    """
    if not paths:
        return NOTHING
    found = sorted({file for path in paths for file in _files(path)})
    return _read(tuple(found))


def _files(path: Path) -> Iterator[tuple[str, int, int]]:
    """(path, size, time of the last change) of each file that may hold CRDs."""
    hint = "Name a file or folder with CustomResourceDefinitions."
    for name in islice(_inside(path), _MAX_FILES) if is_folder(path) else [path]:
        try:
            found = name.stat()
        except OSError as error:
            raise KatauiError(
                f"CRDs cannot be read from {clean(str(name))}: {problem_text(error)}.", hint=hint
            ) from error
        if stat.S_ISREG(found.st_mode):
            yield str(name), found.st_size, found.st_mtime_ns
        elif name == path:
            raise KatauiError(f"{clean(str(path))} is neither a file nor a folder.", hint=hint)


def _inside(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):  # links to folders are not followed
        folders.sort()
        yield from (Path(place) / name for name in sorted(names) if name.endswith(_SUFFIXES))


@lru_cache(maxsize=4)
def _read(files: tuple[tuple[str, int, int], ...]) -> Imported:
    documents: dict[str, Any] = {}
    for name, _, _ in files:
        data = read_bounded(Path(name), limit_bytes=_MAX_BYTES, what="a CRD")
        try:
            documents.update(from_text(data, name).documents)
        except ManifestError as error:
            raise KatauiError(
                f"The CRDs in {clean(name)} cannot be read: {error.message}", hint=error.hint
            ) from error
    if not documents:
        raise KatauiError(
            "No CustomResourceDefinition is there.",
            hint="kubectl get crd -o yaml > crds.yaml writes all that a cluster has.",
        )
    return Imported(documents)


def from_text(data: bytes | str, file: str) -> Imported:
    """The CRDs of a text; other documents in it are left out. Raises ``ManifestError``."""
    documents: dict[str, Any] = {}
    for document in parse(data, file):
        items = list_at(document.value, ("items",)) if document.kind.endswith("List") else []
        for value in items or [document.value]:
            if text_at(value, ("kind",)) == "CustomResourceDefinition":
                made = _definitions(value)
                title = text_at(value, ("metadata", "name"))
                uri = f"{_URI}{len(documents)}/{clean(file)}"
                documents[uri] = {"$id": uri, "title": title, "$defs": made}
    return Imported(documents)


def _definitions(value: Any) -> dict[str, Any]:
    """A definition for each version that the CRD serves."""
    group, kind = text_at(value, ("spec", "group")), text_at(value, ("spec", "names", "kind"))
    found = {}
    for version in list_at(value, ("spec", "versions")):
        name = text_at(version, ("name",))
        if not name or mapping_at(version, ()).get("served") is False:
            continue
        schema = mapping_at(version, ("schema", "openAPIV3Schema"))
        made = converted(schema, root=True) if schema else {}
        found[name] = {**made, _GVKS: [{"group": group, "version": name, "kind": kind}]}
    return found


def converted(schema: Mapping[str, Any], *, root: bool = False, depth: int = 0) -> dict[str, Any]:
    """One structural schema as JSON Schema. ``root`` ones and embedded resources have metadata."""
    if depth > _MAX_DEPTH:
        return {}
    made = {key: value for key, value in schema.items() if key in _TAKEN}
    if schema.get("x-kubernetes-int-or-string") is True:
        return {**_without(made, "type"), "type": ["string", "integer", "null"]}
    embedded = root or schema.get("x-kubernetes-embedded-resource") is True
    properties = {
        str(name): converted(inner, depth=depth + 1)
        for name, inner in mapping_at(schema, ("properties",)).items()
        if isinstance(inner, dict)
    }
    if embedded:
        text = {"type": "string"}
        properties |= {"apiVersion": text, "kind": text, "metadata": {"$ref": f"{_META}ObjectMeta"}}
    if properties:
        made["properties"] = properties
    _inner(schema, made, depth)
    open_ended = schema.get(_PRESERVE) is True or "additionalProperties" in schema
    if properties and not open_ended:
        made["additionalProperties"] = False
    if schema.get("nullable") is True:
        return {"anyOf": [{"type": "null"}, made]} if "enum" in made else _nullable(made)
    return made


def _inner(schema: Mapping[str, Any], made: dict[str, Any], depth: int) -> None:
    """Items, further properties and the words that join schemas."""
    for word in ("items", "additionalProperties", "not"):
        inner = schema.get(word)
        if isinstance(inner, dict):
            made[word] = _loose(inner) if word == "not" else converted(inner, depth=depth + 1)
        elif isinstance(inner, bool) and word == "additionalProperties":
            made[word] = inner
    for word in ("allOf", "anyOf", "oneOf"):
        inner = schema.get(word)
        if isinstance(inner, list):
            made[word] = [_loose(part) for part in inner if isinstance(part, dict)]


def _loose(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Inside junctors a structural schema only restricts; it names no new fields."""
    made = {key: value for key, value in schema.items() if key in _TAKEN}
    properties = mapping_at(schema, ("properties",))
    if properties:
        made["properties"] = {
            str(name): _loose(inner)
            for name, inner in properties.items()
            if isinstance(inner, dict)
        }
    for word in ("items", "additionalProperties", "not"):
        if isinstance(schema.get(word), dict):
            made[word] = _loose(schema[word])
    for word in ("allOf", "anyOf", "oneOf"):
        if isinstance(schema.get(word), list):
            made[word] = [_loose(part) for part in schema[word] if isinstance(part, dict)]
    return made


def _nullable(made: dict[str, Any]) -> dict[str, Any]:
    kind = made.get("type")
    return {**made, "type": [kind, "null"]} if isinstance(kind, str) else made


def _without(mapping: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key != name}
