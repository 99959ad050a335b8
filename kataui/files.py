"""Reading and writing files so that nothing is lost, leaked or half done."""

import contextlib
import ctypes
import errno
import fcntl
import json
import math
import os
import secrets
import shutil
import stat
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kataui.errors import DestinationProblem, KatauiError

CHUNK_BYTES = 1 << 20  # 1 MiB: larger calls stall other threads, smaller ones cost speed
MAX_JSON_BYTES = 16 << 20
_STAGING_MARK = ".kataui-"


def clean(text: str, *, limit: int = 300) -> str:
    """Text from outside, made fit to show: one line, no control characters, bounded.

    Control, format and surrogate characters become U+FFFD (they could reorder or hide text).
    """
    shown = text[: limit + 1]
    if not shown.isprintable():  # the common case costs nothing
        shown = "".join(
            "\ufffd"
            if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
            else char
            for char in shown
        )
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def problem_text(error: OSError) -> str:
    """The system's reason, without a path: "No space left on device"."""
    return error.strerror or error.__class__.__name__


def is_there(path: str | Path) -> bool:
    """Whether a name is taken, be it by a broken link.

    Like ``is_file`` and ``is_folder`` it is False for what cannot be reached or is no name at
    all, where ``Path.exists`` raises before Python 3.14.
    """
    return os.path.lexists(path)


def is_file(path: str | Path) -> bool:
    """Whether a regular file can be reached there."""
    return os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises for a closed folder


def is_folder(path: str | Path) -> bool:
    """Whether a folder can be reached there."""
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir raises for a closed folder


def read_bounded(path: Path, *, limit_bytes: int, what: str) -> bytes:
    """Read a small file whole; raises ``KatauiError`` when it is missing or too big."""
    try:
        with path.open("rb") as stream:
            data = stream.read(limit_bytes + 1)
    except OSError as error:
        msg = f"Cannot read {what} {clean(str(path))}: {problem_text(error)}."
        raise KatauiError(msg, hint="Check the path and the rights on it.") from error
    if len(data) > limit_bytes:
        msg = f"{clean(str(path))} is too big to be {what} (over {limit_bytes} bytes)."
        raise KatauiError(msg)
    return data


def parse_json(data: bytes, *, what: str, odd_names: bool = False) -> Any:
    """Parse JSON strictly: UTF-8, no duplicate members, no NaN, bounded size and depth.

    Duplicate members are refused because two readers may see two values (RFC 8259, 4).
    ``odd_names`` allows file names that are no text, as Python writes them (half surrogate pairs).
    Raises ``KatauiError`` naming ``what``.
    """
    if len(data) > MAX_JSON_BYTES:
        raise KatauiError(f"The {what} is too big ({len(data)} bytes of JSON).")
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
        if b"\\u" in data and not odd_names:
            compact_json(value)  # half a surrogate pair cannot be written again: refused here
    except (ValueError, RecursionError) as error:
        msg = f"The {what} is not valid JSON: {clean(str(error), limit=120)}."
        raise KatauiError(msg) from error
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a member occurs twice")
    return result


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number is too big")  # it could not be written again
    return number


def parse_json_object(data: bytes, *, what: str, odd_names: bool = False) -> dict[str, Any]:
    """``parse_json`` that insists on an object."""
    value = parse_json(data, what=what, odd_names=odd_names)
    if not isinstance(value, dict):
        raise KatauiError(f"The {what} is not a JSON object.")
    return value


def compact_json(value: Any) -> bytes:
    """JSON without blanks, members in the given order (what gets signed or wrapped)."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def write_new(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write a file that must not exist yet, with its mode from the first byte on.

    Raises ``DestinationProblem``; on failure no file is left behind.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    except FileExistsError as error:
        msg = f"{clean(str(path))} exists already and is not overwritten."
        raise DestinationProblem(msg, hint="Choose another name.") from error
    except OSError as error:
        msg = f"Cannot write {clean(str(path))}: {problem_text(error)}."
        raise DestinationProblem(msg) from error
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        path.unlink(missing_ok=True)
        msg = f"Cannot write {clean(str(path))}: {problem_text(error)}."
        raise DestinationProblem(msg) from error


def replace_file(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Replace a file at once: written beside it, then renamed. The old one stays on failure."""
    beside = path.with_name(f".{path.name}{_STAGING_MARK}{secrets.token_hex(4)}")
    write_new(beside, data, mode=mode)
    try:
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        msg = f"Cannot write {clean(str(path))}: {problem_text(error)}."
        raise DestinationProblem(msg) from error


_AT_FDCWD = -100  # fcntl.h
_NO_REPLACE, _EXCHANGE = 1, 2  # renameat2(2)
_NOT_KNOWN_HERE = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP})


def move_new(made: Path, target: Path) -> None:
    """Rename to a name that must be free, at once; raises ``FileExistsError`` or ``OSError``."""
    if _renameat2(made, target, _NO_REPLACE):
        return
    if is_there(target):  # a file system that cannot tell both at once
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    made.rename(target)


def exchange(made: Path, target: Path) -> None:
    """Swap two names on one file system, at once where it can; raises ``OSError``."""
    if _renameat2(made, target, _EXCHANGE):
        return
    old = made.with_name(f"{made.name}.old")
    target.rename(old)
    try:
        made.rename(target)
    except OSError:
        old.rename(target)
        raise
    old.rename(made)


def _renameat2(old: Path, new: Path, flag: int) -> bool:
    """Whether the system knows this way of renaming, and did it; raises ``OSError``."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)  # glibc 2.28
    if call is None:
        return False
    if call(_AT_FDCWD, os.fsencode(old), _AT_FDCWD, os.fsencode(new), flag) == 0:
        return True
    code = ctypes.get_errno()
    if code in _NOT_KNOWN_HERE:
        return False
    raise OSError(code, os.strerror(code), str(new))


@contextlib.contextmanager
def staging(target: Path) -> Iterator[Path]:
    """A private folder beside ``target``, on the same file system, removed at the end.

    The caller builds inside and renames the whole thing onto ``target``. The folder is locked
    while it is in use, so that what a killed run has left is recognised and removed by the next.
    """
    parent = target.parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(target)
        folder = parent / f".{target.name}{_STAGING_MARK}{secrets.token_hex(4)}"
        folder.mkdir(mode=0o700)
    except OSError as error:
        msg = f"Cannot write beside {clean(str(target))}: {problem_text(error)}."
        raise DestinationProblem(msg, hint="Choose a folder that you may write to.") from error
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _remove_abandoned(target: Path) -> None:
    for folder in target.parent.glob(f".{glob_escape(target.name)}{_STAGING_MARK}*"):
        if folder.is_symlink() or not folder.is_dir():
            continue
        lock = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue  # another kataui is at work there
        else:
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)


def glob_escape(name: str) -> str:
    """A file name with the characters that ``Path.glob`` treats as patterns made literal."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in name)


def free_bytes(path: Path) -> int:
    """Bytes that an ordinary user may still write at ``path`` or its nearest existing parent."""
    place = path
    while not is_there(place) and place != place.parent:
        place = place.parent
    usage = os.statvfs(place)
    return usage.f_bavail * usage.f_frsize


def require_free(path: Path, needed_bytes: int) -> None:
    """Raise ``DestinationProblem`` when ``needed_bytes`` will not fit at ``path``."""
    free = free_bytes(path)
    if needed_bytes > free:
        msg = (
            f"Not enough room at {clean(str(path))}: "
            f"{size_text(needed_bytes)} needed, {size_text(free)} free."
        )
        raise DestinationProblem(msg, hint="Choose another place, or free some space.")


def size_text(size_bytes: int) -> str:
    """A size for people in decimal units, as registries show it: "61.2 MB"."""
    if size_bytes < 1000:
        return f"{size_bytes} B"
    size = float(size_bytes)
    for unit in ("kB", "MB", "GB", "TB"):
        size /= 1000
        if size < 999.5 or unit == "TB":
            break
    return f"{size:.1f} {unit}" if size < 100 else f"{size:.0f} {unit}"


def count_text(number: int, what: str) -> str:
    """A number with its noun: "1 image", "3 images"."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def is_private(path: Path) -> bool:
    """Whether nobody but its owner may read the file."""
    return stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
