"""What a parcel is: parts that are tar files, each of which begins with the list of everything.

Version 1, a format of ours. A parcel is one file, ``NAME.kataui-parcel``, or parts
``NAME.kataui-parcel.001``, ``.002`` ...; each is an uncompressed ustar archive (POSIX.1-2017 pax,
"ustar Interchange Format") of regular files with mode 0644, owner 0 and time 0, in this order:

- ``parcel.json``, the list, the same bytes in every part;
- ``parcel.json.sigstore.json`` if it is signed: a v0.3 bundle as ``cosign verify-blob`` reads;
- ``pieces/00000000`` and so on: the pieces that the part holds.

The list: ``{"format": "kataui-parcel", "version": 1, "kataui", "date", "piece_bytes", "files":
[{"path", "size", "sha256", "mode"}], "left_out": [SHA-256 ...], "pieces": [SHA-256 ...], "parts":
[how many pieces each part holds]}``. Files are sorted by path. Their contents, each once, in the
order in which ``files`` first name them, are cut into pieces of ``piece_bytes``; the last of each
content is shorter. Contents in ``left_out`` are not in the parcel: the far side has them.

So the sizes and places of all pieces follow from the list, which a signature covers; a piece says
for itself whether it is right, and a wrong one tells which part is to be copied again. No member
but these is ever read, and none is used as a path.
"""

import bisect
import hashlib
import itertools
import json
import re
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import kataui
from kataui.errors import IntegrityError, KatauiError
from kataui.files import MAX_JSON_BYTES, clean, parse_json_object, problem_text

FORMAT, VERSION = "kataui-parcel", 1
SUFFIX = ".kataui-parcel"
LIST_NAME = "parcel.json"
BUNDLE_NAME = "parcel.json.sigstore.json"
# What arrival writes; a parcel does not carry it on, and never brings it along.
ARRIVAL_NAMES = ("arrival.json", "arrival.html", LIST_NAME, BUNDLE_NAME)
MAX_BUNDLE_BYTES = 64 << 10
MAX_FILES = 50_000
MAX_PIECES = 150_000
LEAST_PIECE_BYTES, MOST_PIECE_BYTES = 4096, 64 << 20
MODES = ("0600", "0644", "0700", "0755")
BLOCK_BYTES = tarfile.BLOCKSIZE
END = bytes(2 * BLOCK_BYTES)
_MAX_CONTENT_BYTES = 1 << 50
_EMPTY = hashlib.sha256().hexdigest()
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the parcel; ``mode`` is octal text, ``sha256`` hexadecimal."""

    path: str
    size_bytes: int
    sha256: str
    mode: str = "0644"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes of a content: where they belong, and what they must hash to."""

    number: int
    sha256: str
    content: str
    offset_bytes: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Listed:
    """The list of a parcel; ``data`` are its bytes as they are signed.

    ``contents`` (SHA-256 and size, each once), ``pieces`` and ``ends`` (of each part, as a count
    of pieces) follow from the rest.
    """

    files: tuple[Entry, ...]
    left_out: frozenset[str]
    piece_bytes: int
    sums: tuple[str, ...] = field(repr=False)
    parts: tuple[int, ...]
    date: str = ""
    data: bytes = field(default=b"", repr=False)
    contents: dict[str, int] = field(init=False, repr=False)
    pieces: tuple[Piece, ...] = field(init=False, repr=False)
    ends: tuple[int, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Work out what follows; ``sums`` must be as many as there are pieces."""
        contents = {entry.sha256: entry.size_bytes for entry in self.files}
        carried = {k: v for k, v in contents.items() if k not in self.left_out}
        places = zip(self.sums, cut(carried, self.piece_bytes), strict=True)
        pieces = tuple(Piece(number, one, *place) for number, (one, place) in enumerate(places))
        object.__setattr__(self, "contents", contents)
        object.__setattr__(self, "pieces", pieces)
        object.__setattr__(self, "ends", tuple(itertools.accumulate(self.parts)))

    def part_of(self, number: int) -> int:
        """The part, counted from 1, that holds a piece."""
        return bisect.bisect_right(self.ends, number) + 1

    def pieces_of(self, part: int) -> tuple[Piece, ...]:
        """The pieces of a part, counted from 1."""
        end = self.ends[part - 1]
        return self.pieces[end - self.parts[part - 1] : end]

    @property
    def size_bytes(self) -> int:
        """What has to be written on the far side: each content once."""
        return sum(self.contents.values())


def cut(contents: dict[str, int], piece_bytes: int) -> Iterator[tuple[str, int, int]]:
    """Content, offset and size of each piece."""
    for content, size_bytes in contents.items():
        for offset in range(0, size_bytes, piece_bytes):
            yield content, offset, min(piece_bytes, size_bytes - offset)


def list_bytes(made: Listed) -> bytes:
    """The list as it is written and signed."""
    value = {
        "format": FORMAT,
        "version": VERSION,
        "kataui": kataui.__version__,
        "date": made.date,
        "piece_bytes": made.piece_bytes,
        "files": [
            {"path": one.path, "size": one.size_bytes, "sha256": one.sha256, "mode": one.mode}
            for one in made.files
        ],
        "left_out": sorted(made.left_out),
        "pieces": list(made.sums),
        "parts": list(made.parts),
    }
    return json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n"


def parse_list(data: bytes) -> Listed:
    """A list that holds together; raises ``KatauiError`` with what is wrong.

    Paths stay inside the destination and none is another's folder; sizes, pieces and parts agree,
    so that a parcel never unpacks to more than it holds and what the far side has.
    """
    value = parse_json_object(data, what="list of the parcel")
    if value.get("format") != FORMAT:
        raise _wrong("it has another format")
    if value.get("version") != VERSION:
        shown = clean(str(value.get("version")), limit=20)
        raise KatauiError(f"The parcel is of version {shown}; this kataui reads {VERSION}.")
    files = tuple(_entry(one) for one in _list(value, "files", MAX_FILES))
    piece_bytes = value.get("piece_bytes")
    if type(piece_bytes) is not int or not LEAST_PIECE_BYTES <= piece_bytes <= MOST_PIECE_BYTES:
        raise _wrong("the size of its pieces is not possible")
    left_out = frozenset(_hex(one) for one in _list(value, "left_out", MAX_FILES))
    sums = tuple(_hex(one) for one in _list(value, "pieces", MAX_PIECES))
    parts = tuple(_list(value, "parts", MAX_PIECES))
    _check_paths(files)
    _check_contents(files, left_out, piece_bytes, len(sums))
    _check_parts(parts, len(sums))
    date = clean(str(value.get("date", "")), limit=40)
    made = Listed(files, left_out, piece_bytes, sums, parts, date, data)
    for piece in made.pieces:
        if piece.size_bytes == made.contents[piece.content] and piece.sha256 != piece.content:
            raise _wrong("a piece is another than its file")
    return made


def _list(value: dict[str, Any], name: str, most: int) -> list[Any]:
    found = value.get(name)
    if not isinstance(found, list) or len(found) > most:
        raise _wrong(f"its {name} are not a list, or too many")
    return found


def _entry(value: Any) -> Entry:
    if not isinstance(value, dict):
        raise _wrong("a file is not described")
    path, size, mode = (value.get(name) for name in ("path", "size", "mode"))
    if not isinstance(path, str) or not is_inside(path):
        raise _wrong(f"the path {clean(str(path), limit=90)!r} leads elsewhere")
    if type(size) is not int or not 0 <= size <= _MAX_CONTENT_BYTES or mode not in MODES:
        raise _wrong(f"{clean(path, limit=90)} has no believable size or mode")
    return Entry(path, size, _hex(value.get("sha256")), str(mode))


def _hex(value: Any) -> str:
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise _wrong("a digest is not 64 hexadecimal digits")
    return value


def is_inside(path: str) -> bool:
    """Whether a path names a file below the folder that it is put in, and nothing special."""
    parts = path.split("/")
    return (
        len(path) <= 1024
        and path.isprintable()  # so no half surrogate pairs, which are no text
        and all(part not in {"", ".", ".."} and len(part.encode()) <= 255 for part in parts)
        and "\\" not in path
        and path not in ARRIVAL_NAMES
    )


def _check_paths(files: Iterable[Entry]) -> None:
    """Sorted, so that a file and a folder of one name cannot be both there."""
    paths = [entry.path for entry in files]
    if not paths:
        raise _wrong("it lists no files")
    if paths != sorted(set(paths)):
        raise _wrong("its paths are not sorted, or one occurs twice")
    known = set(paths)
    for path in paths:
        folders = (str(folder) for folder in PurePosixPath(path).parents)
        if any(folder in known for folder in folders):
            raise _wrong(f"{clean(path, limit=90)} is inside a file")


def _check_contents(
    files: Iterable[Entry], left_out: frozenset[str], piece_bytes: int, count: int
) -> None:
    sizes: dict[str, int] = {}
    for entry in files:
        if sizes.setdefault(entry.sha256, entry.size_bytes) != entry.size_bytes:
            raise _wrong("one content has two sizes")
        if (entry.sha256 == _EMPTY) != (entry.size_bytes == 0):
            raise _wrong("an empty file has another digest")
    if not left_out <= sizes.keys():
        raise _wrong("it leaves out what no file has")
    carried = [size for sha256, size in sizes.items() if sha256 not in left_out]
    if sum(-(-size // piece_bytes) for size in carried) != count:
        raise _wrong("its pieces are not those of its files")


def _check_parts(parts: tuple[Any, ...], count: int) -> None:
    if any(type(one) is not int or not 0 <= one <= count for one in parts):
        raise _wrong("a part has no number of pieces")
    if not parts or sum(parts) != count or (0 in parts and len(parts) > 1):
        raise _wrong("its parts do not hold its pieces")


def _wrong(reason: str) -> IntegrityError:
    return IntegrityError(
        f"The list of the parcel is not what a parcel has: {reason}.",
        hint="It was damaged or changed on the way, or made to do harm; do not use it.",
    )


@dataclass(frozen=True, slots=True)
class Head:
    """How a part begins: the list and its signature as bytes, and where the pieces start."""

    data: bytes = field(repr=False)
    bundle: bytes = field(repr=False)
    end_bytes: int


def header(name: str, size_bytes: int) -> bytes:
    """The only header that a member of this name and size may have."""
    info = tarfile.TarInfo(name)
    info.size = size_bytes
    return info.tobuf(tarfile.USTAR_FORMAT)


def padding(size_bytes: int) -> bytes:
    """The zeros up to the next block."""
    return bytes(-size_bytes % BLOCK_BYTES)


def member_bytes(size_bytes: int) -> int:
    """What a member of this size takes in a part."""
    return BLOCK_BYTES + size_bytes + -size_bytes % BLOCK_BYTES


def member(name: str, data: bytes) -> bytes:
    """A small member whole."""
    return header(name, len(data)) + data + padding(len(data))


def read_header(block: bytes) -> tuple[str, int] | None:
    """Name and size of a member, or None for what we never write."""
    try:
        info = tarfile.TarInfo.frombuf(block, "ascii", "strict")
        right = header(info.name, info.size) == block
    except (tarfile.TarError, ValueError, ArithmeticError):
        return None
    return (info.name, info.size) if right else None


def piece_name(number: int) -> str:
    """The name of a piece's member."""
    return f"pieces/{number:08d}"


def read_head(stream: BinaryIO, name: str) -> Head:
    """The list at the beginning of a part; it is not looked into.

    Raises ``KatauiError`` when it is no parcel, ``IntegrityError`` when it is cut short.
    """
    found = read_header(stream.read(BLOCK_BYTES))
    if found is None or found[0] != LIST_NAME:
        raise KatauiError(
            f"{clean(name)} is no parcel.", hint="kataui pod pack makes one from a folder."
        )
    data = _small(stream, found[1], MAX_JSON_BYTES, name)
    end, bundle = stream.tell(), b""
    following = read_header(stream.read(BLOCK_BYTES))
    if following is not None and following[0] == BUNDLE_NAME:
        bundle = _small(stream, following[1], MAX_BUNDLE_BYTES, name)
        end = stream.tell()
    return Head(data, bundle, end)


def _small(stream: BinaryIO, size_bytes: int, limit_bytes: int, name: str) -> bytes:
    whole = size_bytes + len(padding(size_bytes))
    data = stream.read(whole) if size_bytes <= limit_bytes else b""
    if len(data) != whole or any(data[size_bytes:]):
        raise IntegrityError(f"{clean(name)} is damaged or cut short.", hint="Copy it again.")
    return data[:size_bytes]


def is_parcel(path: str) -> bool:
    """Whether a file begins like a parcel or one of its parts."""
    try:
        with Path(path).open("rb") as stream:
            found = read_header(stream.read(BLOCK_BYTES))
    except (OSError, ValueError):
        return False
    return found is not None and found[0] == LIST_NAME


def open_part(path: Path) -> BinaryIO:
    """A part for reading; raises ``KatauiError``."""
    try:
        return path.open("rb")
    except (OSError, ValueError) as error:
        reason = problem_text(error) if isinstance(error, OSError) else "it is no path"
        raise KatauiError(f"Cannot read {clean(str(path))}: {reason}.") from error
