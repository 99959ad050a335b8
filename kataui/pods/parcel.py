"""Packing a folder, such as a prepared pod, into one file or into parts of a medium's size."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from kataui.errors import Cancelled, DestinationProblem, KatauiError
from kataui.files import (
    CHUNK_BYTES,
    MAX_JSON_BYTES,
    clean,
    is_folder,
    is_there,
    move_new,
    problem_text,
    require_free,
    size_text,
    staging,
)
from kataui.images.simplesigning import make_blob_bundle
from kataui.kata.quantities import parse_bytes
from kataui.pods import parcellist
from kataui.pods.parcelfiles import Found, date_of, read, walk
from kataui.pods.parcellist import (
    END,
    LEAST_PIECE_BYTES,
    MAX_PIECES,
    MOST_PIECE_BYTES,
    SUFFIX,
    Listed,
    Piece,
    list_bytes,
    member_bytes,
)
from kataui.progress import Control

_BUNDLE_ROOM_BYTES = member_bytes(1024)
_PIECES_A_PART = 16  # so that what a part leaves free is at most a sixteenth of the medium


@dataclass(frozen=True, slots=True)
class Packed:
    """What was written: the parts in their order; ``kept`` of them were there and right.

    ``left_out`` counts the blobs that the far side has, of ``left_out_bytes``; ``secret`` are the
    paths that are never packed.
    """

    parts: tuple[Path, ...]
    kept: int
    files: int
    size_bytes: int
    left_out: int
    left_out_bytes: int
    secret: tuple[str, ...]
    signed: bool


def part_size(text: str) -> int:
    """The bytes of a medium: ``4.7G``, ``700MB``, ``2Gi``. Raises ``KatauiError``."""
    return parse_bytes(text.strip().removesuffix("B"))


def pack(
    folder: Path,
    out: Path,
    *,
    part_bytes: int | None = None,
    have: frozenset[str] = frozenset(),
    sign_key: ec.EllipticCurvePrivateKey | None = None,
    force: bool = False,
    control: Control,
) -> Packed:
    """Pack what is in ``folder``; the same folder gives the same bytes each time.

    ``keys/`` and private keys are left out always: they travel another way. ``have`` are SHA-256
    of contents that the far side has (``read_inventory``). Writes ``out``, or parts ``out.001`` ...
    of at most ``part_bytes``, each whole or not at all: after an interruption, parts that are there
    and right stay. Others that are there are replaced with ``force`` only. Raises ``KatauiError``.
    """
    folder, out = folder.absolute(), _named(out.absolute())
    if not is_folder(folder):
        raise KatauiError(f"{clean(str(folder))} is no folder.", hint="Give a prepared folder.")
    if out.is_relative_to(folder):
        raise DestinationProblem("The parcel would lie in the folder that it is made of.")
    piece_bytes = _piece_bytes(part_bytes)
    paths, secret = walk(folder)
    found = read(folder, paths, piece_bytes, control)
    made = _listed(found, have, piece_bytes, part_bytes, signed=sign_key is not None)
    work = _Parts(made, _head(made, sign_key), found, control, force=force)
    targets = part_paths(out, len(made.parts), is_split=part_bytes is not None)
    return Packed(
        parts=tuple(targets),
        kept=work.write_all(targets),
        files=len(made.files),
        size_bytes=sum(work.size_bytes(number) for number in range(1, len(targets) + 1)),
        left_out=len(made.left_out),
        left_out_bytes=sum(made.contents[one] for one in made.left_out),
        secret=tuple(secret),
        signed=sign_key is not None,
    )


def _head(made: Listed, key: ec.EllipticCurvePrivateKey | None) -> bytes:
    head = parcellist.member(parcellist.LIST_NAME, made.data)
    if key is not None:
        bundle = make_blob_bundle(key, made.data, repeatable=True)
        head += parcellist.member(parcellist.BUNDLE_NAME, bundle)
    return head


def _named(out: Path) -> Path:
    return out if out.name.endswith(SUFFIX) else out.with_name(f"{out.name}{SUFFIX}")


def part_paths(out: Path, count: int, *, is_split: bool) -> list[Path]:
    """The names of the parts; a parcel that was not to be split has its own name."""
    if not is_split:
        return [out]
    return [out.with_name(f"{out.name}.{number:03d}") for number in range(1, count + 1)]


def _piece_bytes(part_bytes: int | None) -> int:
    """A power of two, so that parts are nearly full and a list is short."""
    if part_bytes is None:
        return MOST_PIECE_BYTES
    if part_bytes < LEAST_PIECE_BYTES * _PIECES_A_PART:
        raise KatauiError(
            f"Parts of {size_text(max(0, part_bytes))} are too small.",
            hint="Give the size of the medium: --split 4.7G.",
        )
    return min(MOST_PIECE_BYTES, 1 << ((part_bytes // _PIECES_A_PART).bit_length() - 1))


def _listed(
    found: list[Found],
    have: frozenset[str],
    piece_bytes: int,
    part_bytes: int | None,
    *,
    signed: bool,
) -> Listed:
    """The list; how much room it takes decides what the parts hold, which is in it."""
    carried = {one.entry.sha256: one.sums for one in found if one.entry.sha256 not in have}
    sums = tuple(one for group in carried.values() for one in group)
    files = tuple(one.entry for one in found)
    left_out = have & {entry.sha256 for entry in files}
    sizes = [
        size
        for _, _, size in parcellist.cut(
            {e.sha256: e.size_bytes for e in files if e.sha256 in carried}, piece_bytes
        )
    ]
    if len(sums) > MAX_PIECES:
        raise KatauiError("There is too much for parts of this size.", hint="Take larger parts.")
    date = date_of(found)
    room_bytes = 0
    while True:
        parts = _distribute(sizes, part_bytes, room_bytes)
        made = Listed(files, left_out, piece_bytes, sums, parts, date)
        data = list_bytes(made)
        if len(data) > MAX_JSON_BYTES:
            raise KatauiError("There are too many files in it for one parcel.")
        needed_bytes = member_bytes(len(data)) + (_BUNDLE_ROOM_BYTES if signed else 0)
        if needed_bytes <= room_bytes:
            return parcellist.parse_list(data)
        room_bytes = needed_bytes


def _distribute(sizes: list[int], part_bytes: int | None, head_bytes: int) -> tuple[int, ...]:
    """How many pieces go into each part, one after the other as long as there is room."""
    if part_bytes is None:
        return (len(sizes),)
    room_bytes = part_bytes - head_bytes - len(END)
    parts, used_bytes = [0], 0
    for size in sizes:
        needed_bytes = member_bytes(size)
        if needed_bytes > room_bytes:
            raise KatauiError(
                f"Parts of {size_text(part_bytes)} are too small: the list of the parcel, which is"
                f" in each of them, takes {size_text(head_bytes)}.",
                hint="Take larger parts.",
            )
        if used_bytes + needed_bytes > room_bytes:
            parts.append(0)
            used_bytes = 0
        parts[-1] += 1
        used_bytes += needed_bytes
    return tuple(parts)


class _Parts:
    """Writes parts, or finds that they are there."""

    def __init__(
        self, made: Listed, head: bytes, found: list[Found], control: Control, *, force: bool
    ) -> None:
        self._made, self._head = made, head
        self._where = {one.entry.sha256: one.path for one in found}
        self._control, self._force = control, force

    def size_bytes(self, number: int) -> int:
        """The size of a part."""
        pieces = self._made.pieces_of(number)
        inside = sum(member_bytes(piece.size_bytes) for piece in pieces)
        return len(self._head) + inside + len(END)

    def write_all(self, targets: list[Path]) -> int:
        """Write what is not there; how many parts were."""
        kept = 0
        for number, target in enumerate(targets, 1):
            try:
                kept += self._write(number, target)
            except Cancelled as error:
                if number == 1:
                    raise
                told = f"Cancelled. {number - 1} of {len(targets)} parts are whole and stay."
                raise Cancelled(told) from error
        return kept

    def _write(self, number: int, target: Path) -> bool:
        """Write a part; whether it was there already."""
        total, count = self.size_bytes(number), len(self._made.parts)
        name = f"part {number} of {count}" if count > 1 else "the parcel"
        if is_there(target):
            if self._is_same(target, self._chunks(number, f"Checking {name}", total), total):
                return True
            if not self._force:
                raise DestinationProblem(
                    f"{clean(str(target))} is there already, with something else in it.",
                    hint="Choose another name, or use --force to replace it.",
                )
        with staging(target) as place:
            require_free(place, total)
            try:
                with (place / "part").open("xb") as stream:
                    for chunk in self._chunks(number, f"Writing {name}", total):
                        stream.write(chunk)
                    stream.flush()
                    os.fsync(stream.fileno())
                if self._force:
                    (place / "part").replace(target)
                else:
                    move_new(place / "part", target)
            except OSError as error:
                msg = f"Cannot write {clean(str(target))}: {problem_text(error)}."
                raise DestinationProblem(msg, hint="The parts before it are whole.") from error
        return False

    @staticmethod
    def _is_same(target: Path, chunks: Iterator[bytes], total: int) -> bool:
        try:
            with target.open("rb") as stream:
                if os.fstat(stream.fileno()).st_size != total:
                    return False
                return all(stream.read(len(chunk)) == chunk for chunk in chunks)
        except OSError:
            return False

    def _chunks(self, number: int, step: str, total: int) -> Iterator[bytes]:
        done = len(self._head)
        yield self._head
        for piece in self._made.pieces_of(number):
            yield parcellist.header(parcellist.piece_name(piece.number), piece.size_bytes)
            for chunk in self._piece(piece):
                yield chunk
                done += len(chunk)
                self._control.report(step, done, total)
            yield parcellist.padding(piece.size_bytes)
        yield END

    def _piece(self, piece: Piece) -> Iterator[bytes]:
        path = self._where[piece.content]
        digest, left = hashlib.sha256(), piece.size_bytes
        try:
            with path.open("rb", buffering=0) as stream:
                stream.seek(piece.offset_bytes)
                while left and (chunk := stream.read(min(CHUNK_BYTES, left))):
                    digest.update(chunk)
                    left -= len(chunk)
                    yield chunk
        except OSError as error:
            raise KatauiError(f"Cannot read {clean(str(path))}: {problem_text(error)}.") from error
        if digest.hexdigest() != piece.sha256:
            raise KatauiError(f"{clean(str(path))} changed while it was packed.")
