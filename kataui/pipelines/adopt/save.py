"""Writing a file that was put on Kata: in place, with a backup, never over a newer text."""

import difflib
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from kataui.errors import DestinationProblem, KatauiError
from kataui.files import clean, problem_text, replace_file, write_new
from kataui.kata.manifest import decode
from kataui.pipelines.adopt.changes import Extra, Plan, apply
from kataui.pipelines.adopt.plan import plan
from kataui.pipelines.adopt.wish import Wish


@dataclass(frozen=True, slots=True)
class Saved:
    """What was written: the file, the copy of what it was, and the files beside it."""

    path: Path
    backup: Path | None
    extras: tuple[Path, ...]


def plan_file(path: Path, wish: Wish) -> Plan:
    """The plan for a file on disk. Raises ``KatauiError`` when it cannot be read or understood."""
    return plan(path.name, _read(path), wish)


def diff(made: Plan, chosen: frozenset[str] | None = None) -> str:
    """What the chosen changes do, as a unified diff that ``patch`` reads."""
    before = decode(made.data).splitlines(keepends=True)
    after = decode(apply(made, chosen)).splitlines(keepends=True)
    lines = difflib.unified_diff(before, after, f"a/{made.name}", f"b/{made.name}")
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def save(made: Plan, path: Path, chosen: frozenset[str] | None = None) -> Saved:
    """Write the file with the chosen changes, and the extras beside it.

    Written to disk: ``path`` itself (at once, by a rename, with its mode), the old one as
    ``NAME.bak-TIME``, and each extra under its own name. A file that was changed since the plan was
    made is left alone, as is one that nothing changes. Raises ``DestinationProblem``.
    """
    data = apply(made, chosen)
    if data == made.data:
        return Saved(path, None, ())
    if _read(path) != made.data:
        raise DestinationProblem(
            f"{clean(path.name)} was changed by somebody else in the meantime.",
            hint="Nothing was written. Open it again.",
        )
    extras = tuple(_write_extra(path.parent, extra) for extra in made.extras)
    time = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    backup = path.with_name(f"{path.name}.bak-{time}")
    mode = stat.S_IMODE(path.stat().st_mode)
    write_new(backup, made.data, mode=mode)
    replace_file(path, data, mode=mode)
    return Saved(path, backup, extras)


def _write_extra(folder: Path, extra: Extra) -> Path:
    path = folder / extra.name
    data = extra.text.encode()
    if not (path.is_file() and _read(path) == data):
        write_new(path, data)
    return path


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise KatauiError(f"{clean(str(path))} cannot be read: {problem_text(error)}.") from error
