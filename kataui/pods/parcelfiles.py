"""The files of a folder that is packed: found, read once, and what is never packed left out."""

import datetime as dt
import hashlib
import os
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from kataui.errors import KatauiError
from kataui.files import CHUNK_BYTES, clean, problem_text
from kataui.images.keymaking import describe_key
from kataui.pods.parcellist import ARRIVAL_NAMES, MAX_FILES, Entry, is_inside
from kataui.progress import Control

KEYS = "keys"
_MOST_KEY_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class Found:
    """A file of the folder, read once; ``sums`` are of its pieces."""

    path: Path
    entry: Entry
    sums: tuple[str, ...] = field(repr=False)
    time_s: int


def walk(folder: Path) -> tuple[list[Path], list[str]]:
    """All files, and what of them is left out; links and devices are refused."""
    found: list[Path] = []
    secret: list[str] = []
    for place, folders, names in os.walk(folder, onerror=_raise):
        inside = Path(place).relative_to(folder)
        if not inside.parts and KEYS in folders:
            folders.remove(KEYS)
            secret.append(f"{KEYS}/")
        for name in (*folders, *names):
            path = Path(place) / name
            shown = clean(str(inside / name))
            mode = path.lstat().st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise KatauiError(f"{shown} is a link or no file; a parcel has files only.")
        for name in names:
            path = Path(place) / name
            if not inside.parts and name in ARRIVAL_NAMES:
                continue
            if _is_secret(path, inside):
                secret.append(clean(str(inside / name)))
                continue
            found.append(path)
    if len(found) > MAX_FILES:
        raise KatauiError(f"There are more than {MAX_FILES} files in it.")
    if not found:
        raise KatauiError(f"There is nothing to pack in {clean(str(folder))}.")
    return found, sorted(secret)


def _raise(error: OSError) -> None:
    raise KatauiError(
        f"{clean(str(error.filename))} cannot be read: {problem_text(error)}."
    ) from error


def _is_secret(path: Path, inside: Path) -> bool:
    """A private key; blobs of images are not looked into."""
    if inside.parts[-2:] == ("blobs", "sha256"):
        return False
    try:
        return path.stat().st_size <= _MOST_KEY_BYTES and describe_key(path).private
    except (KatauiError, OSError):
        return False


def read(folder: Path, paths: list[Path], piece_bytes: int, control: Control) -> list[Found]:
    """Every file read once, sorted by path."""
    total = sum(path.stat().st_size for path in paths)
    done = 0
    found = []
    named = {path.relative_to(folder).as_posix(): path for path in paths}
    for name, path in sorted(named.items()):
        if not is_inside(name):
            raise KatauiError(f"The name {clean(name)!r} cannot be carried.", hint="Rename it.")

        def on_bytes(size_bytes: int, before: int = done) -> None:
            control.report("Reading the files", min(before + size_bytes, total), total)

        found.append(_read_one(path, name, piece_bytes, on_bytes))
        done += found[-1].entry.size_bytes
    return found


def _read_one(path: Path, name: str, piece_bytes: int, on_bytes: Callable[[int], None]) -> Found:
    whole, sums, size_bytes = hashlib.sha256(), [], 0
    try:
        with path.open("rb", buffering=0) as stream:
            told = os.fstat(stream.fileno())
            piece, left = hashlib.sha256(), piece_bytes
            while chunk := stream.read(min(CHUNK_BYTES, left)):
                whole.update(chunk)
                piece.update(chunk)
                size_bytes, left = size_bytes + len(chunk), left - len(chunk)
                if not left:
                    sums.append(piece.hexdigest())
                    piece, left = hashlib.sha256(), piece_bytes
                on_bytes(size_bytes)
    except OSError as error:
        raise KatauiError(f"Cannot read {clean(str(path))}: {problem_text(error)}.") from error
    if left < piece_bytes:
        sums.append(piece.hexdigest())
    entry = Entry(name, size_bytes, whole.hexdigest(), _mode(told.st_mode))
    return Found(path, entry, tuple(sums), int(told.st_mtime))


def _mode(mode: int) -> str:
    bits = (0o600 if not mode & 0o044 else 0o644) | (mode & 0o100)
    return f"{bits | 0o011 if bits == 0o744 else bits:04o}"


def date_of(found: Iterable[Found]) -> str:
    """That of the newest file, or SOURCE_DATE_EPOCH (reproducible-builds.org)."""
    text = os.environ.get("SOURCE_DATE_EPOCH", "")
    time_s = int(text) if text.isdecimal() else max(one.time_s for one in found)
    return dt.datetime.fromtimestamp(time_s, dt.UTC).isoformat(timespec="seconds")
