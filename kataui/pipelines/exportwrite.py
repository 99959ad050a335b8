"""Writing a planned export: all of it or nothing, what was there is kept beside it."""

import contextlib
import datetime as dt
import json
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from kataui.errors import DestinationProblem, KatauiError
from kataui.files import clean, problem_text, replace_file, write_new
from kataui.pipelines.export import MADE, Plan, PlannedFile, read_now
from kataui.progress import Control


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export did: names inside the folder, and the paths of the backups."""

    folder: Path
    written: tuple[str, ...]
    removed: tuple[str, ...]
    backups: tuple[str, ...]


class ChangedMeanwhile(KatauiError):
    """A file is not what it was when the plan was made. Nothing was written."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One file to be put in place: ``staged`` is None for one that is removed."""

    name: str
    target: Path
    staged: Path | None
    backup: Path | None


def write(plan: Plan, control: Control | None = None) -> Exported:
    """Do what the plan says; on any failure the folder is as it was.

    A file that is replaced or removed stays as ``NAME.bak-TIME`` (UTC).
    Raises ``ChangedMeanwhile``, ``DestinationProblem``, ``Cancelled``.
    """
    for file in plan.files:
        if read_now(plan.folder, file.path) != file.before:
            raise ChangedMeanwhile(
                f"{clean(file.path)} was changed on disk meanwhile. Nothing was written.",
                hint="Look at the changes again, then export.",
            )
    steps: list[_Step] = []
    stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%SZ")
    try:
        for number, file in enumerate(plan.changes):
            if control is not None:
                control.report("Writing files", number, len(plan.changes))
            steps.append(_staged(plan, file, stamp))
        _put(steps)
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle (Python < 3.13)
        reason = problem_text(error) if isinstance(error, OSError) else "links lead in a circle"
        raise DestinationProblem(
            f"Cannot write to {clean(str(plan.folder))}: {reason}. Nothing was changed.",
            hint="Choose a folder that you may write to.",
        ) from error
    finally:
        for step in steps:
            if step.staged is not None:
                step.staged.unlink(missing_ok=True)
    _keep_made(plan)
    return Exported(
        plan.folder,
        tuple(step.name for step in steps if step.staged is not None),
        tuple(step.name for step in steps if step.staged is None),
        tuple(str(step.backup) for step in steps if step.backup is not None),
    )


def _staged(plan: Plan, file: PlannedFile, stamp: str) -> _Step:
    """The new text beside its target, so that a full disk is noticed before anything changes."""
    target = (plan.folder / file.path).resolve()  # a link stays: what it leads to is replaced
    if not target.is_relative_to(plan.folder.resolve()):
        raise DestinationProblem(
            f"{clean(file.path)} is a link that leads out of the folder. Nothing was written.",
            hint="Remove the link, or choose another folder.",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    backup = None if file.before is None else _free(target, stamp)
    if file.after is None:
        return _Step(file.path, target, None, backup)
    mode = 0o644 if file.before is None else target.stat().st_mode & 0o777
    staged = target.with_name(f".{target.name}.kataui-{secrets.token_hex(4)}")
    write_new(staged, file.after, mode=mode | (0o111 if file.executable else 0))
    return _Step(file.path, target, staged, backup)


def _free(target: Path, stamp: str) -> Path:
    """A name for the backup that nothing has yet."""
    names = (f"{target.name}.bak-{stamp}{extra}" for extra in ("", *map("-{}".format, range(100))))
    return next(path for name in names if not (path := target.with_name(name)).exists())


def _put(steps: list[_Step]) -> None:
    """Rename everything into place; when one fails, those before it are taken back."""
    done: list[_Step] = []
    try:
        for step in steps:
            if step.backup is not None:
                _copy(step.target, step.backup)
            done.append(step)
            if step.staged is not None:
                step.staged.replace(step.target)
            else:
                step.target.unlink()
    except OSError:
        for step in reversed(done):
            with contextlib.suppress(OSError):
                if step.backup is not None:
                    step.backup.replace(step.target)
                else:
                    step.target.unlink(missing_ok=True)
        raise


def _copy(target: Path, backup: Path) -> None:
    """What was there under a second name; a copy where the file system has no links."""
    try:
        os.link(target, backup)
    except OSError:
        shutil.copy2(target, backup)


def _keep_made(plan: Plan) -> None:
    """What was made, for the next merge. Without it that export only keeps backups."""
    path = plan.folder / MADE
    text = json.dumps({"format": 1, "files": dict(plan.made)}, indent=1, ensure_ascii=False)
    try:
        path.parent.mkdir(exist_ok=True)
        replace_file(path, text.encode())
    except (OSError, KatauiError) as error:
        raise DestinationProblem(
            f"The files are written, but not {clean(str(path))}: the next export cannot merge.",
        ) from error
