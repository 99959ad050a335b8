"""What the rules look at: all documents together, their pods, and what one says about others."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from kataui.findings import Finding, Severity
from kataui.kata import cipods, classes, systems
from kataui.kata.embedded import Role, Text, read, texts
from kataui.kata.manifest import Document, ManifestError, Path, list_at, mapping_at, text_at
from kataui.kata.pods import PodPlace

_HOLE = re.compile(r"\$\{|\$\(|\{\{|\$\[\[|^\$[A-Z_]|^<.*>$|^[A-Z][A-Z0-9_]*_[A-Z0-9_]+$")
_MAX_NESTING = 3
ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


class Kind(Enum):
    """What a class name is."""

    NONE = auto()
    KATA = auto()
    OTHER = auto()
    HOLE = auto()  # a placeholder: it is put in later


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One document, where it comes from, and its pods."""

    document: Document
    system: str
    places: tuple[PodPlace, ...]
    role: Role | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """All documents that are checked together; ``unread`` are strings that cannot be read.

    ``made`` are the runtime classes that the documents themselves make, ``values`` the settings of
    kata-deploy among them, ``tekton_class`` the class of a Tekton run among them.
    """

    parts: tuple[Part, ...]
    unread: tuple[Finding, ...] = ()
    made: frozenset[str] = frozenset()
    values: tuple[tuple[Document, Path, Mapping[str, Any]], ...] = ()
    tekton_class: str = ""
    limit_ranges: Mapping[str, frozenset[str]] = field(default_factory=dict)
    agent: "bool | None" = None

    def places(self) -> Iterator[PodPlace]:
        """All pods."""
        for part in self.parts:
            yield from part.places

    def of_system(self, *names: str) -> Iterator[Part]:
        """The documents of some systems."""
        return (part for part in self.parts if part.system in names)

    def defaulted(self, place: PodPlace, resource: str) -> bool:
        """Whether a LimitRange of the same namespace gives a limit to containers without one."""
        return resource in self.limit_ranges.get(place.namespace, frozenset())


def is_hole(text: object) -> bool:
    """Whether a text is filled in later: ``${IMAGE}``, ``$(params.x)``, ``{{...}}``."""
    return isinstance(text, str) and _HOLE.search(text) is not None


def kind_of(name: str) -> Kind:
    """What a class name is."""
    if not name:
        return Kind.NONE
    if is_hole(name):
        return Kind.HOLE
    return Kind.KATA if classes.is_kata(name) else Kind.OTHER


def on_kata(place: PodPlace) -> bool:
    """Whether a pod has a class of Kata."""
    return kind_of(place.runtime_class) is Kind.KATA


def finding(
    rule: str,
    severity: Severity,
    where: PodPlace | Document,
    path: Path,
    message: str,
    *,
    why: str = "",
    fix: str = "",
    subject: str = "",
    checked: bool = True,
) -> Finding:
    """A finding; ``path`` is that of the document, or ``None``-free relative to nothing else."""
    document = where.document if isinstance(where, PodPlace) else where
    named = where.subject if isinstance(where, PodPlace) else _document_name(document)
    return Finding(
        rule,
        severity,
        subject or named,
        message,
        why,
        fix,
        location=document.location(path),
        checked=checked,
    )


def _document_name(document: Document) -> str:
    return f"{document.kind} {document.name}".strip() or document.file


def scene_of(documents: Sequence[Document]) -> Scene:
    """Read everything that the rules need, once."""
    parts: list[Part] = []
    unread: list[Finding] = []
    for document in documents:
        _add(document, None, 0, parts, unread)
    tekton = _tekton_class(parts)
    if tekton:
        parts = [_with_class(part, tekton) for part in parts]
    return Scene(
        tuple(parts),
        tuple(unread),
        frozenset(_made(parts)),
        tuple(_values(parts)),
        tekton,
        _limit_ranges(parts),
        _agent(parts),
    )


def _add(
    document: Document, role: Role | None, depth: int, parts: list[Part], unread: list[Finding]
) -> None:
    of_string = role not in (None, Role.VALUES, Role.TOML)
    system = "" if of_string else systems.system_of(document)
    places = tuple(cipods.places_in(document))
    parts.append(Part(document, system, places, role))
    if of_string or depth >= _MAX_NESTING:
        return
    for text in texts(document):
        try:
            for inner in read(document, text):
                _add(inner, text.role, depth + 1, parts, unread)
        except ManifestError as error:
            unread.append(_unread(document, text, error))


def _unread(document: Document, text: Text, error: ManifestError) -> Finding:
    made = finding(
        "K-TEXT",
        WARNING if is_hole(text.text) else ERROR,
        document,
        text.path,
        f"The text inside cannot be read: {error.message}",
        why="Whoever reads it refuses it, or leaves it out; nothing in it was checked.",
        fix=error.hint,
        checked=False,
    )
    place = made.location
    if place is None or not error.line:
        return made
    located = type(place)(place.file, error.line, place.field)
    return Finding(
        made.id,
        made.severity,
        made.subject,
        made.message,
        made.why,
        made.fix,
        location=located,
        checked=False,
    )


def _made(parts: Sequence[Part]) -> Iterator[str]:
    """The runtime classes that these documents bring."""
    for part in parts:
        if part.document.kind == "RuntimeClass":
            yield part.document.name
        elif part.system == systems.KATA_DEPLOY:
            _, values = systems.kata_deploy_values(part.document.mapping)
            settings = mapping_at(values, ("runtimeClasses",))
            if settings.get("createDefault") is True:
                yield text_at(settings, ("defaultName",)) or "kata"
            for name in mapping_at(values, ("customRuntimes", "runtimes")):
                yield f"kata-{name}"


def _values(parts: Sequence[Part]) -> Iterator[tuple[Document, Path, Mapping[str, Any]]]:
    for part in parts:
        if part.system == systems.KATA_DEPLOY:
            path, values = systems.kata_deploy_values(part.document.mapping)
            yield part.document, path, values


def _tekton_class(parts: Sequence[Part]) -> str:
    """The class of Kata that a run, or the cluster's default, gives to tasks."""
    for part in parts:
        if part.system == systems.TEKTON or part.role is Role.DEFAULTS:
            for place in part.places:
                name = place.spec.get("runtimeClassName")
                if isinstance(name, str) and classes.is_kata(name):
                    return name
    return ""


def _with_class(part: Part, name: str) -> Part:
    if part.system != systems.TEKTON:
        return part
    places = tuple(
        place if place.runtime_class or not place.whole else place.inheriting(name)
        for place in part.places
    )
    return Part(part.document, part.system, places, part.role)


def _limit_ranges(parts: Sequence[Part]) -> dict[str, frozenset[str]]:
    """Namespace -> the resources for which containers get a limit by default."""
    found: dict[str, frozenset[str]] = {}
    for part in parts:
        if part.document.kind == "LimitRange":
            namespace = text_at(part.document.value, ("metadata", "namespace"))
            for item in list_at(part.document.value, ("spec", "limits")):
                if text_at(item, ("type",)) == "Container":
                    given = frozenset(mapping_at(item, ("default",)))
                    found[namespace] = found.get(namespace, frozenset()) | given
    return found


def _agent(parts: Sequence[Part]) -> bool | None:
    """Whether Woodpecker's agent lets steps choose a class; None: no agent is among these."""
    flag = "WOODPECKER_BACKEND_K8S_RUNTIME_CLASS_ALLOW_FROM_STEP"
    seen: bool | None = None
    for environment in agent_environments(parts):
        if any(name.startswith("WOODPECKER_BACKEND") for name in environment):
            seen = bool(seen) or str(environment.get(flag, "")).lower() == "true"
    return seen


def agent_environments(parts: Sequence[Part]) -> Iterator[dict[str, Any]]:
    """The environments of what may be agents of Woodpecker."""
    for part in parts:
        if part.system == systems.WOODPECKER_AGENT:
            yield dict(mapping_at(part.document.value, ("agent", "env")))
        elif part.document.kind == "ConfigMap":
            yield dict(mapping_at(part.document.value, ("data",)))
        else:
            for place in part.places:
                for container in list_at(place.spec, ("containers",)):
                    variables = [v for v in list_at(container, ("env",)) if isinstance(v, dict)]
                    if variables:
                        yield {str(v.get("name")): v.get("value") for v in variables}
