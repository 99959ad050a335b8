"""Which schema each part of a document has: kinds, CI systems' own files, YAML inside strings."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path as FilePath
from typing import Any

import jsonschema_rs

from kataui.kata import systems
from kataui.kata.embedded import Role, read, texts
from kataui.kata.manifest import (
    Document,
    ManifestError,
    Path,
    list_at,
    mapping_at,
    value_at,
)
from kataui.kata.pods import pods_in
from kataui.kata.systems import steps_of, system_of
from kataui.kata.tomlfile import TomlDocument
from kataui.pipelines.schemas import POD_SPEC, own

_MOST_DEPTH = 3
_OPTIONS: Path = ("backend_options", "kubernetes")
_VENDORED = {
    systems.GITLAB_CI: "gitlab-ci",
    systems.WOODPECKER: "woodpecker-ci",
    systems.BUILDKITE: "buildkite",
    "GitHub workflow": "github-workflows",
    "CircleCI": "circle-ci",
}
_FILES = (  # names that decide, as each system reads its own
    (re.compile(r"(.*/)?[^/]*\.gitlab-ci\.ya?ml"), systems.GITLAB_CI),
    (re.compile(r"(.*/)?\.github/workflows/[^/]+\.ya?ml"), "GitHub workflow"),
    (re.compile(r"(.*/)?\.woodpecker(/[^/]+)?\.ya?ml"), systems.WOODPECKER),
    (re.compile(r"(.*/)?\.buildkite/[^/]*\.ya?ml"), systems.BUILDKITE),
    (re.compile(r"(.*/)?\.circleci/[^/]*\.ya?ml"), "CircleCI"),
)
_VALUES = {
    systems.ARC: own("systems", "ArcValues"),
    systems.KATA_DEPLOY: own("systems", "KataDeployValues"),
    systems.GITLAB: own("systems", "GitlabValues"),
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A value, where it stands in which document, and the schema that it should fit.

    Without a ``reference`` or ``vendored`` name the schema is that of its kind. A ``patch`` may
    leave anything out. What ``drops`` unknown keys without a word makes them warnings.
    ``problem`` says that a text inside the document could not be read.
    """

    document: Document
    path: Path
    value: Any = field(repr=False)
    reference: str = ""
    vendored: str = ""
    system: str = ""
    patch: bool = False
    drops: bool = False
    problem: ManifestError | None = None


def pieces(document: Document) -> Iterator[Piece]:
    """The parts of a document that have schemas of their own; at least one."""
    yield from _inside(document, document.file, 0)


def _inside(document: Document, file: str, depth: int) -> Iterator[Piece]:
    yield from _itself(document, file)
    if depth >= _MOST_DEPTH:
        return
    for text in texts(document):
        try:
            inner = list(read(document, text))
        except ManifestError as error:
            yield Piece(document, text.path, text.text, problem=error)
            continue
        for one in inner:
            if text.role is Role.VALUES:
                yield from _inside(one, "", depth + 1)
            else:
                yield from _of_role(one, text.role)


def _itself(document: Document, file: str) -> Iterator[Piece]:
    value = document.value
    if document.kind and document.api_version:
        yield from _objects(document, value, ())
        return
    system = _by_name(file) or system_of(document) or _by_shape(document)
    if isinstance(document, TomlDocument) and system == systems.GITLAB:
        yield _toml(document)
    elif system in _VENDORED:
        yield Piece(document, (), value, vendored=_VENDORED[system], system=system)
        yield from _blocks(document, system)
    elif system in _VALUES and not list_at(value, ("runners",)):
        at: Path = ()
        if system == systems.KATA_DEPLOY:
            at, value = systems.kata_deploy_values(document.mapping)
        yield Piece(document, at, value, _VALUES[system], system=system)
    else:
        yield Piece(document, (), value, system=system)


def _objects(document: Document, value: Any, at: Path) -> Iterator[Piece]:
    """An object, or the items of a List."""
    kind, api_version = (mapping_at(value, ()).get(key) for key in ("kind", "apiVersion"))
    items = list_at(value, ("items",))
    if kind == "List" and api_version == "v1" and len(at) < _MOST_DEPTH * 2:
        for number, item in enumerate(items):
            yield from _objects(document, item, (*at, "items", number))
        return
    yield Piece(document, at, value)


def _of_role(document: Document, role: Role) -> Iterator[Piece]:
    value = document.value
    if role is Role.TOML:
        if "runners" in document.mapping:
            yield _toml(document)
    elif role is Role.PATCH:
        yield Piece(document, (), value, POD_SPEC, patch=True)
    elif role is Role.HOOK:
        yield Piece(document, (), value, own("systems", "HookTemplate"), patch=True)
    elif role in {Role.DEFAULTS, Role.ASSISTANT}:
        yield Piece(document, (), value, own("tekton-v1", "PodTemplate"))
    elif role is Role.WORKFLOW:
        spec = document.mapping.get("spec")
        if isinstance(spec, dict):
            reference = own("argo-workflows-v1alpha1", "WorkflowSpec")
            yield Piece(document, ("spec",), spec, reference, patch=True)
    elif document.kind and document.api_version:
        yield from _objects(document, value, ())
    else:
        spec = value_at(value, ("spec",))
        if isinstance(spec, dict):
            yield Piece(document, ("spec",), spec, POD_SPEC, patch=True)


def _toml(document: Document) -> Piece:
    reference = own("systems", "GitlabConfig")
    return Piece(document, (), document.value, reference, system=systems.GITLAB, drops=True)


def _blocks(document: Document, system: str) -> Iterator[Piece]:
    """What the vendored schemas leave open, of the steps that run on Kubernetes."""
    for path, step in steps_of(document.mapping):
        if system == systems.WOODPECKER:
            options = value_at(step, _OPTIONS)
            if isinstance(options, dict):
                reference = own("systems", "WoodpeckerKubernetes")
                yield Piece(document, (*path, *_OPTIONS), options, reference, drops=True)
        elif system == systems.BUILDKITE:
            for number, plugin in enumerate(list_at(step, ("plugins",))):
                for name in mapping_at(plugin, ()):
                    way: Path = ("plugins", number, name, "podSpecPatch")
                    patch = value_at(step, way)
                    if name.partition("#")[0] == "kubernetes" and isinstance(patch, dict):
                        yield Piece(document, (*path, *way), patch, POD_SPEC, patch=True)


def pods_of(document: Document) -> Iterator[Piece]:
    """Pods in objects that have no schema here: what a pod is, is known all the same."""
    for place in pods_in(document):
        yield Piece(document, place.path, place.spec, POD_SPEC, patch=True)


def _by_name(file: str) -> str:
    name = file.replace("\\", "/")
    return next((system for pattern, system in _FILES if pattern.fullmatch(name)), "")


def _by_shape(document: Document) -> str:
    """GitHub workflows under another name; ``on`` and ``jobs`` stand together nowhere else."""
    value = document.mapping
    return "GitHub workflow" if "on" in value and isinstance(value.get("jobs"), dict) else ""


@cache
def vendored(name: str) -> tuple[jsonschema_rs.Validator, Any]:
    """A schema that check-jsonschema brings: its validator, and itself."""
    spec = find_spec("check_jsonschema")  # not imported: that costs half a second
    places = list(spec.submodule_search_locations or ()) if spec else []
    path = FilePath(places[0]) / "builtin_schemas" / "vendor" / f"{name}.json"
    schema = json.loads(path.read_bytes())
    return jsonschema_rs.validator_for(schema, offline=True), schema
