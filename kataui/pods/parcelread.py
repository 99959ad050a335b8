"""Unpacking a parcel: every piece checked as it comes, kept until all are there, then judged.

What was verified lies in ``.OUT.arriving`` beside the destination, named by its SHA-256, until
the destination is whole. The next run checks it again and goes on from there, so parts may come
one medium at a time.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from kataui.errors import (
    Cancelled,
    DestinationProblem,
    IntegrityError,
    KatauiError,
    NotPossibleHere,
)
from kataui.files import (
    CHUNK_BYTES,
    clean,
    glob_escape,
    is_there,
    move_new,
    problem_text,
    require_free,
    size_text,
)
from kataui.images.signatures import PublicKey
from kataui.pods import arrival, parcellist
from kataui.pods.inventory import find_blobs
from kataui.pods.parcellist import BLOCK_BYTES, Entry, Head, Listed, Piece
from kataui.progress import Control

_PART = re.compile(r"(.+)\.[0-9]{3,6}", re.ASCII)
_MOST_NAMED = 8
_DAMAGED = "is damaged or cut short"


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What arrived, and the report that was written with it."""

    out: Path
    arrival: arrival.Arrival


class PartsWanted(KatauiError):
    """Parts are to be copied again; ``parts`` are their numbers. What was verified is kept."""

    def __init__(self, message: str, *, hint: str, parts: tuple[int, ...]) -> None:
        super().__init__(message, hint=hint)
        self.parts = parts


class PartsDamaged(PartsWanted, IntegrityError):
    """At least one part is damaged."""


class PartsMissing(PartsWanted, NotPossibleHere):
    """The parts that are here are whole; others are not here."""


def find_parts(paths: Sequence[Path]) -> list[Path]:
    """The given files, and beside a ``NAME.001`` all others of its name."""
    found: dict[Path, None] = {}
    for path in paths:
        match = _PART.fullmatch(path.name)
        found[path] = None
        if match is not None:
            pattern = f"{glob_escape(match[1])}.[0-9][0-9][0-9]*"
            beside = sorted(path.parent.glob(pattern))
            found |= dict.fromkeys(one for one in beside if _PART.fullmatch(one.name))
    return sorted(found)


def unpack(
    paths: Sequence[Path],
    out: Path,
    *,
    public_keys: Sequence[PublicKey] = (),
    have: Sequence[Path] = (),
    control: Control,
) -> Unpacked:
    """Unpack into a new folder and verify it; the folder appears whole or not at all.

    ``paths`` name the parcel or some of its parts, ``have`` folders with the layouts from which
    left-out blobs come. ``arrival.json``, ``arrival.html`` and the parcel's list are in it.
    Raises ``PartsWanted``, ``ArrivalFailed`` when what arrived is wrong, and other ``KatauiError``.
    """
    out = out.absolute()
    if is_there(out):
        raise DestinationProblem(f"{clean(str(out))} is there already.", hint="Name a new one.")
    parts = find_parts(paths)
    heads, problems = _heads(parts)
    head = Counter(heads.values()).most_common(1)[0][0]
    others = [path for path in heads if heads[path] != head]
    problems |= dict.fromkeys(others, "belongs to another parcel, or its list is damaged")
    listed = parcellist.parse_list(head.data)
    signature = arrival.list_signature(head, public_keys)
    with _arriving(out) as folder:
        work = _Arriving(folder, listed, control)
        try:
            work.look()
            for path in parts:
                if path not in problems:
                    work.take(path, head.end_bytes)
            work.require_all(parts, problems)
            work.fetch(have)
            made = work.build()
            found = arrival.check(made, head, listed, signature, keys=public_keys, control=control)
        except Cancelled as error:
            message = "Cancelled. Nothing is at the destination; what was verified is kept."
            raise Cancelled(message) from error
        _finish(made, out)
    return Unpacked(out, found)


def _heads(parts: Sequence[Path]) -> tuple[dict[Path, Head], dict[Path, str]]:
    """The beginning of each part that has one, and what is wrong with the others."""
    heads: dict[Path, Head] = {}
    problems: dict[Path, str] = {}
    first: KatauiError | None = None
    for path in parts:
        try:
            with parcellist.open_part(path) as stream:
                heads[path] = parcellist.read_head(stream, path.name)
        except KatauiError as error:
            first = first or error
            problems[path] = "cannot be read, or its beginning is damaged"
    if not heads:
        raise first or KatauiError("There is no parcel.")
    return heads, problems


@contextlib.contextmanager
def _arriving(out: Path) -> Iterator[Path]:
    """The folder for what was verified, which one run uses at a time; it stays on failure."""
    folder = out.with_name(f".{out.name}.arriving")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        is_ours = os.fstat(lock).st_uid == os.getuid()
    except OSError as error:
        msg = f"Cannot write beside {clean(str(out))}: {problem_text(error)}."
        raise DestinationProblem(msg, hint="Choose a folder that you may write to.") from error
    try:
        if not is_ours:
            raise DestinationProblem(f"{clean(str(folder))} is another user's.")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            msg = f"Another kataui unpacks to {clean(str(out))} just now."
            raise DestinationProblem(msg) from error
        yield folder
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        with contextlib.suppress(OSError):
            folder.rmdir()  # nothing was kept
        os.close(lock)


class _Arriving:
    """The contents that are there, wholly or in part, by their SHA-256."""

    def __init__(self, folder: Path, listed: Listed, control: Control) -> None:
        self._folder, self._listed, self._control = folder, listed, control
        self._have: set[int] = set()
        self._total_bytes = sum(piece.size_bytes for piece in listed.pieces)

    def _place(self, content: str) -> Path:
        return self._folder / content

    def look(self) -> None:
        """Check what an earlier run has kept, and that there is room for the rest."""
        shutil.rmtree(self._folder / "made", ignore_errors=True)
        kept_bytes = 0
        for piece in self._listed.pieces:
            path = self._place(piece.content)
            if path.is_symlink() or not path.is_file():
                continue
            with path.open("rb", buffering=0) as stream:
                stream.seek(piece.offset_bytes)
                if self._digest(stream, piece.size_bytes, "Checking what is kept") == piece.sha256:
                    self._have.add(piece.number)
                    kept_bytes += piece.size_bytes
        left_out = [self._place(content) for content in self._listed.left_out]
        kept_bytes += sum(path.stat().st_size for path in left_out if path.is_file())
        require_free(self._folder, self._listed.size_bytes - kept_bytes)

    def _digest(self, stream: BinaryIO, size_bytes: int, step: str) -> str:
        digest, left = hashlib.sha256(), size_bytes
        while left and (chunk := stream.read(min(CHUNK_BYTES, left))):
            digest.update(chunk)
            left -= len(chunk)
            self._control.report(step, size_bytes - left, size_bytes)
        return digest.hexdigest()

    def take(self, path: Path, begin_bytes: int) -> None:
        """Take the pieces of a part that are right; what is wrong is simply not there."""
        try:
            with parcellist.open_part(path) as stream:
                stream.seek(begin_bytes)
                while (piece := self._next(stream)) is not None:
                    self._take(stream, piece, path)
                    stream.seek(len(parcellist.padding(piece.size_bytes)), os.SEEK_CUR)
        except OSError as error:
            reason = problem_text(error)
            raise DestinationProblem(f"Unpacking {clean(path.name)} stopped: {reason}.") from error

    def _next(self, stream: BinaryIO) -> Piece | None:
        """The piece whose header comes next; anything else ends the part."""
        found = parcellist.read_header(stream.read(BLOCK_BYTES))
        digits = found[0].removeprefix("pieces/") if found else ""
        number = int(digits) if digits.isascii() and digits.isdecimal() else -1
        if found is None or not 0 <= number < len(self._listed.pieces):
            return None
        piece = self._listed.pieces[number]
        wanted = (parcellist.piece_name(number), piece.size_bytes)
        return piece if found == wanted else None

    def _take(self, stream: BinaryIO, piece: Piece, path: Path) -> None:
        if piece.number in self._have:
            stream.seek(piece.size_bytes, os.SEEK_CUR)
            return
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW
        digest, left = hashlib.sha256(), piece.size_bytes
        total = os.fstat(stream.fileno()).st_size
        handle = os.open(self._place(piece.content), flags, 0o600)
        with os.fdopen(handle, "wb", buffering=0) as target:
            target.seek(piece.offset_bytes)
            while left and (chunk := stream.read(min(CHUNK_BYTES, left))):
                digest.update(chunk)
                _write(target, chunk)
                left -= len(chunk)
                self._control.report(f"Unpacking {clean(path.name)}", stream.tell(), total)
        if digest.hexdigest() == piece.sha256:
            self._have.add(piece.number)

    def require_all(self, parts: Sequence[Path], problems: dict[Path, str]) -> None:
        """Raise ``PartsWanted`` with the parts that are to be copied again."""
        listed = self._listed
        absent = {one.number for one in listed.pieces} - self._have
        wanted = sorted({listed.part_of(number) for number in absent})
        if not wanted:
            return
        count = len(listed.parts)
        here = {_number(path, count): path for path in parts}
        bad = {number: path for number, path in here.items() if number in wanted}
        told = [f"{clean(p.name)} {problems.get(p, _DAMAGED)}" for _, p in sorted(bad.items())]
        missing = [number for number in wanted if number not in here]
        told += [f"{_numbers(missing)} {'is' if len(missing) == 1 else 'are'} not here"] * (
            len(missing) > 0
        )
        what = "the parcel" if count == 1 else f"{_numbers(wanted)} of {count}"
        kind = PartsDamaged if bad else PartsMissing
        hint = "Then do the same again; what was verified is kept."
        raise kind(f"Copy {what} again: {'; '.join(told)}.", hint=hint, parts=tuple(wanted))

    def fetch(self, folders: Sequence[Path]) -> None:
        """Take the contents that were left out from what the far side has."""
        blobs = find_blobs(folders) if self._listed.left_out else {}
        wanting = [
            content
            for content in sorted(self._listed.left_out)
            if not (self._is_whole(content) or self._copy(content, blobs.get(content)))
        ]
        if wanting:
            shown = ", ".join(f"sha256:{one}" for one in wanting[:_MOST_NAMED])
            more = f" and {len(wanting) - _MOST_NAMED} more" if len(wanting) > _MOST_NAMED else ""
            size = size_text(sum(self._listed.contents[one] for one in wanting))
            raise NotPossibleHere(
                f"The parcel leaves out {len(wanting)} blobs ({size}) that are not in the folders"
                f" given: {shown}{more}.",
                hint="Name the folder that has them with --from DIR, or pack without --have.",
            )

    def _copy(self, content: str, source: Path | None) -> bool:
        if source is None or source.is_symlink():
            return False
        try:
            shutil.copyfile(source, self._place(content))
        except OSError as error:
            msg = f"Cannot copy {clean(str(source))}: {problem_text(error)}."
            raise DestinationProblem(msg) from error
        return self._is_whole(content)

    def _is_whole(self, content: str) -> bool:
        path, size_bytes = self._place(content), self._listed.contents[content]
        if path.is_symlink() or not path.is_file() or path.stat().st_size != size_bytes:
            return False
        with path.open("rb", buffering=0) as stream:
            return self._digest(stream, size_bytes, "Checking the files") == content

    def _require_whole(self) -> None:
        """Contents of several pieces are hashed as a whole; the others were."""
        for content, size_bytes in self._listed.contents.items():
            path = self._place(content)
            if not size_bytes:
                path.touch(mode=0o600)
            if path.stat().st_size > size_bytes:
                os.truncate(path, size_bytes)  # it was begun by a parcel that lied
            is_many = size_bytes > self._listed.piece_bytes and content not in self._listed.left_out
            if is_many and not self._is_whole(content):
                path.unlink()
                raise IntegrityError(
                    "The list of the parcel contradicts itself: a file is not its pieces.",
                    hint="It was made so, or its list was changed; do not use it.",
                )

    def build(self) -> Path:
        """The folder as it was packed; contents that files share are linked where it can be."""
        self._require_whole()
        made = self._folder / "made"
        modes: dict[str, str] = {}
        try:
            for entry in self._listed.files:
                self._control.check()
                path = made / entry.path
                path.parent.mkdir(parents=True, exist_ok=True)
                self._put(entry, path, linked=modes.setdefault(entry.sha256, entry.mode))
        except OSError as error:
            msg = f"Unpacking stopped: {problem_text(error)}."
            raise DestinationProblem(msg) from error
        return made

    def _put(self, entry: Entry, path: Path, *, linked: str) -> None:
        source = self._place(entry.sha256)
        if linked == entry.mode:
            with contextlib.suppress(OSError):  # a file system without links
                os.link(source, path)
        if not is_there(path):
            shutil.copyfile(source, path)
        path.chmod(int(entry.mode, 8))


def _write(target: BinaryIO, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[target.write(view) :]


def _number(path: Path, count: int) -> int:
    """Which part a file is by its name; a parcel in one file is its only part."""
    if count == 1:
        return 1
    return int(path.name.rpartition(".")[2]) if _PART.fullmatch(path.name) else 0


def _numbers(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:_MOST_NAMED]))
    more = f" and {len(numbers) - _MOST_NAMED} more" if len(numbers) > _MOST_NAMED else ""
    return f"part {shown}" if len(numbers) == 1 else f"parts {shown}{more}"


def _finish(made: Path, out: Path) -> None:
    try:
        move_new(made, out)
    except OSError as error:
        msg = f"{clean(str(out))} cannot be made: {problem_text(error)}."
        raise DestinationProblem(msg) from error
