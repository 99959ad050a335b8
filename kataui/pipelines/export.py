"""Export of what came out to a folder: first the plan, then the writing; nothing gets lost.

Beside the files stands ``.kataui-answers.yaml``, and in ``.kataui/made`` the files as they were
made, so that the next export tells what a person edited from what the template changed. A file
that is replaced stays as ``NAME.bak-TIME``. ``made`` is one JSON file without an ending, for
``kubectl apply -R`` and GitOps tools take every YAML and JSON file that they find.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path, PurePosixPath

from kataui.errors import DestinationProblem, KatauiError
from kataui.files import clean, is_folder, is_there, parse_json_object, problem_text, read_bounded
from kataui.kata.manifest import ManifestError, parse
from kataui.pipelines.answersfile import FILE_NAME, kept_of, text_of
from kataui.pipelines.merge import Conflict, merge
from kataui.pipelines.model import OutputFile, Rendered, Template, Values

MADE = ".kataui/made"
_MAX_BYTES = 16 << 20


class State(StrEnum):
    """What an export does with one file."""

    NEW = "new"
    SAME = "same"
    CHANGED = "changed"  # nobody edited it
    MERGED = "merged"  # hand edits and changes of the template go together
    CONFLICT = "conflict"  # both changed the same lines: both stand there, marked
    EDITED = "edited"  # hand edits; the template changed nothing: it is left alone
    REPLACED = "replaced"  # a file that kataui did not make
    REMOVED = "removed"  # it is no longer made, and nobody edited it
    LEFT = "left"  # it is no longer made, but somebody edited it
    DELETED = "deleted"  # somebody removed it; it is not made again
    BACK = "back"  # somebody removed it, but it changed: it is made again


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """One file: ``before`` is what the folder has, ``after`` what it will have; None is no file."""

    path: str
    state: State
    before: bytes | None = field(repr=False, default=None)
    after: bytes | None = field(repr=False, default=None)
    conflicts: tuple[Conflict, ...] = field(repr=False, default=())
    note: str = ""
    executable: bool = False

    @property
    def differs(self) -> bool:
        """Whether the export changes the folder here."""
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class Plan:
    """What an export will do. ``new`` says that the folder holds nothing of it yet."""

    folder: Path
    files: tuple[PlannedFile, ...]
    made: Mapping[str, str] = field(repr=False, default_factory=dict)
    new: bool = True

    @property
    def conflicts(self) -> list[PlannedFile]:
        """The files in which both sides changed the same lines."""
        return [file for file in self.files if file.state is State.CONFLICT]

    @property
    def changes(self) -> list[PlannedFile]:
        """The files that will change."""
        return [file for file in self.files if file.differs]

    def patch(self) -> str:
        """All changes as one patch that ``git apply`` and ``patch -p1`` take."""
        return "".join(_patch(file) for file in self.changes)


def plan(
    template: Template, values: Values, rendered: Rendered, folder: Path, *, kubernetes: str
) -> Plan:
    """What exporting to ``folder`` will do; nothing is written.

    Raises ``KatauiError`` when the folder or a file in it cannot be read.
    """
    if is_there(folder) and not is_folder(folder):
        raise DestinationProblem(
            f"{clean(str(folder))} is a file.", hint="Choose a folder; it may be a new one."
        )
    made = _read_made(folder)
    fresh = {file.path: file for file in _files(template, values, rendered, kubernetes)}
    names = [*fresh, *(name for name in made if name not in fresh)]
    files = tuple(_planned(folder, name, made.get(name), fresh.get(name)) for name in names)
    texts = {name: file.text for name, file in fresh.items()}
    there = any(file.before is not None for file in files)
    return Plan(folder, files, texts, new=not there and not made)


def _files(
    template: Template, values: Values, rendered: Rendered, kubernetes: str
) -> list[OutputFile]:
    answers = text_of(kept_of(template, values, kubernetes))
    files = [*rendered.files]
    if rendered.file("README.md") is None:
        files.append(OutputFile("README.md", _readme(template, rendered), "markdown"))
    return [*files, OutputFile(FILE_NAME, answers, "yaml")]


def _planned(folder: Path, name: str, base: str | None, file: OutputFile | None) -> PlannedFile:
    before = read_now(folder, name)
    new = None if file is None else file.text
    mine = None if before is None else _text(before)
    if before is not None and new is not None and before == new.encode():
        planned = PlannedFile(name, State.SAME, before, before)
    elif name == FILE_NAME and new is not None:  # never merged: it only tells what was answered
        planned = PlannedFile(
            name, State.NEW if before is None else State.CHANGED, before, new.encode()
        )
    elif before is None or mine is None or base is None or new is None:
        planned = _simply(name, base, before, new)
    else:
        planned = _merged(name, before, (base, mine, new))
    return replace(planned, executable=file is not None and file.language == "shell")


def _merged(name: str, before: bytes, texts: tuple[str, str, str]) -> PlannedFile:
    base, mine, new = texts
    merged = merge(base, mine, new)
    after = merged.text.encode()
    state, note = State.MERGED, "Your edits stay."
    if merged.conflicts:
        state = State.CONFLICT
        note = f"{len(merged.conflicts)} places were edited by you and changed by the template."
    elif mine.replace("\r\n", "\n") == base:
        state, note = State.SAME if after == before else State.CHANGED, ""
    elif after == before:
        state = State.EDITED
    elif broken := _broken(name, mine, new, merged.text):
        state, note, after = State.CONFLICT, broken, new.encode()
    return PlannedFile(name, state, before, after, merged.conflicts, note)


def _simply(name: str, base: str | None, before: bytes | None, new: str | None) -> PlannedFile:
    """Where one of the three texts is missing, nothing can be merged."""
    after = None if new is None else new.encode()
    state, note = State.NEW, ""
    if new is None and before is None:
        state = State.DELETED
    elif new is None:
        state, note, after = State.LEFT, "It is no longer made, but was edited: it is left.", before
        if base is not None and before == base.encode():
            state, note, after = State.REMOVED, "It is no longer made.", None
    elif before is None and base is not None:
        state, note = State.BACK, "You removed it, and it changed since: it is made again."
        if base == new:
            state, note, after = State.DELETED, "You removed it: it is not made again.", None
    elif before is not None:
        state, note = State.REPLACED, "kataui did not make it: what was there is kept beside it."
    return PlannedFile(name, state, before, after, note=note)


def _broken(name: str, mine: str, new: str, merged: str) -> str:
    """Why a merge that has no conflict is none: both were YAML, it is not."""
    if not name.endswith((".yaml", ".yml")):
        return ""
    try:
        parse(mine, name)
        parse(new, name)
    except ManifestError:
        return ""
    try:
        parse(merged, name)
    except ManifestError as error:
        return (
            f"Your edits and the template's changes do not go together ({error.message}) "
            "Yours is kept beside the new file."
        )
    return ""


def read_now(folder: Path, name: str) -> bytes | None:
    """What a file holds, or None when it is not there."""
    path = folder / name
    try:
        if not path.exists() and not path.is_symlink():
            return None
    except OSError as error:
        raise DestinationProblem(
            f"{clean(str(path))} cannot be looked at: {problem_text(error)}."
        ) from error
    return read_bounded(path, limit_bytes=_MAX_BYTES, what="a file that is exported")


def _text(data: bytes) -> str | None:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _read_made(folder: Path) -> dict[str, str]:
    """The files as they were made last; none when nobody exported here, or it was damaged."""
    try:
        data = read_now(folder, MADE)
        files = parse_json_object(data, what="kept files")["files"] if data else {}
    except (KatauiError, KeyError):
        return {}
    if not isinstance(files, dict):
        return {}
    return {
        name: text
        for name, text in files.items()
        if isinstance(text, str) and is_inside(name) and name != FILE_NAME
    }


def is_inside(name: str) -> bool:
    """Whether a name stays in the folder."""
    pure = PurePosixPath(name)
    return bool(pure.name) and not pure.is_absolute() and ".." not in pure.parts


def _patch(file: PlannedFile) -> str:
    before, after = (_text(data or b"") for data in (file.before, file.after))
    if before is None or after is None:
        return f"Binary files a/{file.path} and b/{file.path} differ\n"
    head = f"diff --git a/{file.path} b/{file.path}\n"
    if file.before is None:
        head += f"new file mode {'100755' if file.executable else '100644'}\n"
    if file.after is None:
        head += "deleted file mode 100644\n"
    lines = difflib.unified_diff(
        _lines(before),
        _lines(after),
        "/dev/null" if file.before is None else f"a/{file.path}",
        "/dev/null" if file.after is None else f"b/{file.path}",
    )
    told = "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )
    return head + told


def _lines(text: str) -> list[str]:
    """Lines as ``diff`` counts them: only a line feed ends one."""
    lines = [f"{line}\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _readme(template: Template, rendered: Rendered) -> str:
    """For templates that make none: what the files are and how to apply them."""
    objects = [file.path for file in rendered.files if "\nkind:" in f"\n{file.text}"]
    apply = " ".join(f"-f {path}" for path in objects)
    lines = [f"# {template.title}", "", template.why, "", "| file |", "| --- |"]
    lines += [f"| `{file.path}` |" for file in rendered.files]
    if objects:
        commands = (f"kubectl apply {apply}", f"kubectl get {apply}", f"kubectl delete {apply}")
        lines += ["", "Apply, look, remove:", "", *(f"    {command}" for command in commands)]
    lines += ["", "Check them again: `kataui pipeline check .`", ""]
    return "\n".join(lines)
