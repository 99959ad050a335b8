"""Checks in layers: is it YAML, does it fit the schema of its kind, do Kata's rules hold.

A kind without a schema is a finding of its own (``K-NOSCHEMA``, not checked), never a pass.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path as FilePath
from typing import Any

from kataui.files import clean
from kataui.findings import Finding, Location, Severity, by_severity
from kataui.kata import rules
from kataui.kata.manifest import Document, ManifestError, dotted, mapping_at, parse, text_at
from kataui.kata.pods import name_of
from kataui.kata.tomlfile import parse_toml
from kataui.pipelines.crds import kept
from kataui.pipelines.model import Rendered
from kataui.pipelines.schemaerrors import Fault, faults
from kataui.pipelines.schemaplaces import Piece, pieces, pods_of, vendored
from kataui.pipelines.schemas import (
    DEFAULT,
    KUBERNETES_VERSIONS,
    NEWEST,
    Schemas,
    resolve,
    schemas_for,
)

__all__ = [
    "DEFAULT",
    "KUBERNETES_VERSIONS",
    "NEWEST",
    "Options",
    "check_documents",
    "check_file",
    "check_rendered",
]
YAML, SCHEMA, NO_SCHEMA = "K-YAML", "K-SCHEMA", "K-NOSCHEMA"
_HELM = re.compile(
    r"^\s*\{\{-?\s|:\s+\{\{-?\s|\{\{-? *(if|range|include|define|with|end)\b", re.MULTILINE
)
_WHY_DROPPED = "Kubernetes refuses it, or drops it without a word: it would not do what it says."
_WHY_PLACEHOLDER = "It is filled in later, so it could not be checked."


@dataclass(frozen=True, slots=True)
class Options:
    """What to check against: a Kubernetes version, and CRDs in files or folders.

    Those that are kept (``crds.keep``) are known without being named.
    """

    kubernetes: str = DEFAULT
    crds: tuple[FilePath, ...] = field(default_factory=kept)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file that was read: its documents, or the finding why there are none."""

    documents: tuple[Document, ...] = field(repr=False, default=())
    problem: Finding | None = None


def check_rendered(rendered: Rendered, options: Options) -> list[Finding]:
    """What is wrong with the files of a template, errors first. Raises ``UnknownVersion``."""
    parsed = [
        read_manifests(file.path, file.text)
        for file in rendered.files
        if file.language in {"yaml", "toml"}
    ]
    return _checked(parsed, options)


def check_file(name: str, data: bytes | str, options: Options) -> list[Finding]:
    """What is wrong with one file, errors first; its name tells which system reads it."""
    return _checked([read_manifests(name, data)], options)


def check_documents(documents: Sequence[Document], options: Options) -> list[Finding]:
    """What is wrong with documents that belong together, errors first."""
    return _checked([Parsed(tuple(documents))], options)


def _checked(parsed: Sequence[Parsed], options: Options) -> list[Finding]:
    schemas = schemas_for(options.kubernetes, options.crds)
    documents = [document for one in parsed for document in one.documents]
    found = [one.problem for one in parsed if one.problem is not None]
    for document in documents:
        found += schema_findings(document, schemas)
    return by_severity([*found, *rules.check(documents)])


def read_manifests(name: str, data: bytes | str) -> Parsed:
    """The documents of a file, or a finding why it cannot be read."""
    try:
        if name.endswith(".toml"):
            text = data if isinstance(data, str) else data.decode("utf-8", "strict")
            return Parsed((parse_toml(text, name),))
        return Parsed(parse(data, name))
    except UnicodeDecodeError:
        problem = _unreadable(name, "It is not UTF-8 text.", 1, "Save it as UTF-8.")
    except ManifestError as error:
        problem = _unread(name, data, error)
    return Parsed(problem=problem)


def _unread(name: str, data: bytes | str, error: ManifestError) -> Finding:
    text = data if isinstance(data, str) else data[: 1 << 20].decode("utf-8", "replace")
    if error.line and _HELM.search(text):
        return Finding(
            YAML,
            Severity.WARNING,
            clean(name),
            "It is a template of Helm, not a manifest: it was not checked.",
            fix="Check what comes out: helm template CHART | kataui pipeline check -",
            location=Location(name, error.line),
            checked=False,
        )
    return _unreadable(name, error.message, error.line or None, error.hint)


def _unreadable(name: str, message: str, line: int | None, fix: str) -> Finding:
    why = "Nothing of this file could be checked."
    place = Location(name, line)
    return Finding(YAML, Severity.ERROR, clean(name), message, why, fix, location=place)


def schema_findings(document: Document, schemas: Schemas) -> Iterator[Finding]:
    """What a document's schemas say, and where there is none."""
    for piece in pieces(document):
        yield from _of_piece(piece, schemas)


def _of_piece(piece: Piece, schemas: Schemas) -> Iterator[Finding]:
    subject = _subject(piece)
    if piece.problem is not None:
        error = piece.problem
        place = Location(piece.document.file, error.line or None, dotted(piece.path))
        yield Finding(YAML, Severity.ERROR, subject, error.message, fix=error.hint, location=place)
    elif piece.vendored:
        validator, schema = vendored(piece.vendored)
        look = partial(_look, schema)
        for fault in faults(validator, piece.value, look):
            yield _finding(piece, fault, subject, f"the schema of {piece.system}")
    elif piece.reference:
        validator = schemas.compiled(piece.reference)
        for fault in faults(validator, piece.value, schemas.at):
            if not (piece.patch and fault.missing):
                yield _finding(piece, fault, subject, f"Kubernetes {schemas.version}")
    else:
        yield from _by_kind(piece, schemas, subject)


def _by_kind(piece: Piece, schemas: Schemas, subject: str) -> Iterator[Finding]:
    kind, api_version = text_at(piece.value, ("kind",)), text_at(piece.value, ("apiVersion",))
    place = piece.document.location(piece.path)
    if not kind or not api_version:
        yield _nameless(piece, subject, place)
        return
    found = schemas.find(api_version, kind)
    if found.validator is not None:
        for fault in faults(found.validator, piece.value, schemas.at):
            yield _finding(piece, fault, subject, found.source)
    elif found.wrong:
        where = piece.document.location((*piece.path, "apiVersion"))
        why = "The API server does not know it: applying it fails."
        yield Finding(
            SCHEMA, Severity.ERROR, subject, found.message, why, found.fix, location=where
        )
    else:
        yield _not_checked(subject, found.message, place, _IMPORT)
        if not piece.path:
            for pod in pods_of(piece.document):
                yield from _of_piece(pod, schemas)


_IMPORT = (
    "Import its CRD: kubectl get crd -o yaml > crds.yaml, then --crds crds.yaml, or open that file "
    "in the window to have it known."
)


def _nameless(piece: Piece, subject: str, place: Location) -> Finding:
    """A document that is no object, or half of one."""
    value = mapping_at(piece.value, ())
    halves = {"apiVersion", "kind"} & set(value)
    if len(halves) == 2:
        odd = next(key for key in ("apiVersion", "kind") if not text_at(value, (key,)))
        why = "Without it nobody knows what it is."
        fix = f"Write it as text: {odd}: v1" if odd == "apiVersion" else "Write it as text."
        where = piece.document.location((*piece.path, odd))
        return Finding(
            SCHEMA, Severity.ERROR, subject, f"{odd} is no text.", why, fix, location=where
        )
    if len(halves) == 1 and "metadata" in value:
        missing = ({"apiVersion", "kind"} - halves).pop()
        return Finding(
            SCHEMA,
            Severity.ERROR,
            subject,
            f"The object has no {missing}.",
            "Without it nobody knows what it is.",
            f"Add {missing}.",
            location=place,
        )
    what = f"No schema of {piece.system}'s files" if piece.system else "No schema of such files"
    return _not_checked(subject, f"{what} is here: it was not checked.", place, "")


def _not_checked(subject: str, message: str, place: Location, fix: str) -> Finding:
    why = "Not checked is not the same as valid."
    return Finding(
        NO_SCHEMA, Severity.INFO, subject, message, why, fix, location=place, checked=False
    )


def _finding(piece: Piece, fault: Fault, subject: str, source: str) -> Finding:
    path = (*piece.path, *fault.path)
    message, severity, why = fault.message, Severity.ERROR, _WHY_DROPPED
    if piece.path:  # the fault tells fields from where its piece begins
        message = f"{_where(piece)}: {message}"
    if fault.placeholder:
        severity, why = Severity.WARNING, _WHY_PLACEHOLDER
    elif piece.drops and fault.unknown:
        severity, why = Severity.WARNING, f"{piece.system or 'The agent'} drops it without a word."
    elif piece.vendored or piece.system:
        why = f"It does not fit {source}."
    return Finding(
        SCHEMA,
        severity,
        subject,
        message,
        why,
        fault.fix,
        location=piece.document.location(path),
        checked=not fault.placeholder,
    )


def _where(piece: Piece) -> str:
    return piece.document.location(piece.path).field


def _subject(piece: Piece) -> str:
    value = mapping_at(piece.value, ())
    kind = text_at(value, ("kind",))
    name = name_of(value)
    if kind:
        return clean(f"{kind} {name}".strip(), limit=120)
    whole = piece.document
    return clean(f"{whole.kind} {whole.name}".strip() or whole.file, limit=120)


def _look(schema: Any, location: str) -> Any:
    return resolve(schema, location.partition("#")[2])
