"""Checks of files and whole folders, with progress and cancel.

Documents are checked folder by folder (all at once where there are few), so that rules that look
across files see what belongs together, and memory does not grow with the tree.
"""

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kataui.errors import KatauiError
from kataui.files import clean, problem_text
from kataui.findings import Finding, Location, Severity, by_severity
from kataui.kata import rules
from kataui.kata.manifest import MAX_BYTES, Document
from kataui.pipelines.answersfile import FILE_NAME
from kataui.pipelines.checks import NO_SCHEMA, YAML, Options, read_manifests, schema_findings
from kataui.pipelines.schemas import schemas_for
from kataui.progress import Control

_ENDINGS = (".yaml", ".yml")
_TELLING = {".json": b'"apiVersion"', ".toml": b"[[runners]]"}  # others are not for us
_NEVER = frozenset((".git", ".kataui", "node_modules", "__pycache__", ".venv"))
_PEEK_BYTES = 64 << 10
_MOST_FILES = 200_000
_TOGETHER_BYTES = 4 << 20  # what is checked in one go though it lies in many folders


@dataclass(frozen=True, slots=True)
class Report:
    """What a check of files found, errors first; ``unchecked`` documents have no schema here."""

    findings: tuple[Finding, ...]
    files: int = 0
    documents: int = 0
    unchecked: int = 0


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    size_bytes: int
    data: bytes | None = field(repr=False, default=None)  # what was given, not on disk


def check_paths(
    paths: Sequence[Path], options: Options, control: Control, *, given: Mapping[str, bytes] = {}
) -> Report:
    """Check files, and in folders all YAML, and JSON and TOML that looks like ours.

    ``given`` has texts that are in no file, by the name that findings tell. Links to folders are
    not followed. A file that cannot be read is a finding; raises ``KatauiError`` when a path is
    not there or nothing is found, ``UnknownVersion``, ``Cancelled``.
    """
    schemas = schemas_for(options.kubernetes, options.crds)
    texts = [_File(Path(name), len(data), data) for name, data in given.items()]
    files = [*texts, *_unique(file for path in paths for file in _files(path, control))]
    if not files:
        raise KatauiError(
            f"No YAML file is in {clean(', '.join(map(str, paths)))}.",
            hint="Name files or folders with manifests.",
        )
    total = sum(file.size_bytes for file in files)
    findings: list[Finding] = []
    documents = done = 0
    for group in _groups(files, total):
        together: list[Document] = []
        for file in group:
            control.report(f"Checking {clean(file.path.name, limit=60)}", done, total)
            read = _read(file)
            if isinstance(read, Finding):
                findings.append(read)
            else:
                for document in read:
                    findings += schema_findings(document, schemas)
                together += read
            done += file.size_bytes
        findings += rules.check(together)
        documents += len(together)
    control.report("Checked", total, total)
    unchecked = sum(finding.id == NO_SCHEMA for finding in findings)
    return Report(tuple(by_severity(findings)), len(files), documents, unchecked)


def documents_in(
    paths: Sequence[Path], control: Control, *, given: Mapping[str, bytes] = {}
) -> Iterator[Document]:
    """The documents that ``check_paths`` would check; what cannot be read is left out."""
    texts = [_File(Path(name), len(data), data) for name, data in given.items()]
    for file in (*texts, *_unique(file for path in paths for file in _files(path, control))):
        read = _read(file)
        yield from () if isinstance(read, Finding) else read


def _read(file: _File) -> tuple[Document, ...] | Finding:
    name = str(file.path)
    try:
        if file.size_bytes > MAX_BYTES:
            return _unreadable(name, f"It is larger than {MAX_BYTES >> 20} MiB.")
        data = file.data
        if data is None:
            with file.path.open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        return _unreadable(name, f"It cannot be read: {problem_text(error)}.")
    parsed = read_manifests(name, data)
    return parsed.problem or parsed.documents


def _unreadable(name: str, message: str) -> Finding:
    why = "Nothing of this file could be checked."
    return Finding(YAML, Severity.ERROR, clean(name), message, why, location=Location(name))


def _files(path: Path, control: Control) -> Iterator[_File]:
    """A file as it is named, or what is to be checked in a folder, in a steady order."""
    try:
        found = path.stat()
    except OSError as error:
        raise KatauiError(
            f"{clean(str(path))} cannot be read: {problem_text(error)}.",
            hint="Name files or folders with manifests.",
        ) from error
    if not stat.S_ISDIR(found.st_mode):
        if not stat.S_ISREG(found.st_mode):
            raise KatauiError(f"{clean(str(path))} is neither a file nor a folder.")
        yield _File(path, found.st_size)
        return
    count = 0
    for place, folders, names in os.walk(path):
        control.check()
        folders[:] = sorted(name for name in folders if name not in _NEVER)
        for name in sorted(names):
            file = _candidate(Path(place) / name)
            if file is not None:
                count += 1
                yield file
        if count > _MOST_FILES:
            raise KatauiError(f"More than {_MOST_FILES} files are in {clean(str(path))}.")


def _candidate(path: Path) -> _File | None:
    """The file when it is one to look at."""
    ending = path.suffix.lower()
    if path.name == FILE_NAME or (ending not in _ENDINGS and ending not in _TELLING):
        return None
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            return None
        telling = _TELLING.get(ending)
        if telling is not None:
            with path.open("rb") as stream:
                if telling not in stream.read(_PEEK_BYTES):
                    return None
    except OSError:
        return _File(path, 0) if ending in _ENDINGS else None  # reading it tells the reason
    return _File(path, found.st_size)


def _unique(files: Iterator[_File]) -> list[_File]:
    return list({file.path: file for file in files}.values())


def _groups(files: Sequence[_File], total_bytes: int) -> list[list[_File]]:
    if total_bytes <= _TOGETHER_BYTES:
        return [list(files)]
    folders: dict[Path, list[_File]] = {}
    for file in files:
        folders.setdefault(file.path.parent, []).append(file)
    return list(folders.values())
