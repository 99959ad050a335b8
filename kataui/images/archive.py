"""Reading the members of a tar archive in place, without extracting them.

Source: POSIX.1-2017 pax, "ustar Interchange Format" and "pax Interchange Format"; GNU tar.
"""

import io
import os
import posixpath
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from kataui.errors import DestinationProblem, ImageError
from kataui.files import clean, problem_text, require_free
from kataui.images.streams import Gunzip, pump
from kataui.images.tree import missing, outside
from kataui.progress import Control

GZIP_MAGIC = b"\x1f\x8b"
_MAX_MEMBERS = 20_000
_MAX_HEADER_BYTES = 256 << 10  # names and pax records; a header that says more is a lie
_MAX_LINKS = 10
_KEEP_FREE_BYTES = 64 << 20
# what the standard library lets through for archives that were made to hurt
_TAR_ERRORS = (tarfile.TarError, OSError, ValueError, ArithmeticError, LookupError, RecursionError)


@dataclass(frozen=True, slots=True)
class _Member:
    """Where a regular file's bytes lie; ``whole`` is false for a sparse one."""

    offset: int
    size_bytes: int
    whole: bool = True


@dataclass(slots=True)
class _Contents:
    members: dict[str, _Member] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)


class TarTree:
    """The members of a tar file by name; links are followed inside the archive only."""

    def __init__(self, stream: BinaryIO, contents: _Contents) -> None:
        self._stream = stream
        self._contents = contents

    @classmethod
    def scan(cls, path: Path, *, control: Control) -> "TarTree":
        """Read all headers of ``path``; a gzip file is unpacked to a temporary file before.

        Raises ``ImageError`` when it is no whole tar archive or names a member twice,
        ``DestinationProblem`` when there is no room to unpack.
        """
        try:
            stream = cast("BinaryIO", path.open("rb", buffering=0))
        except OSError as error:
            raise ImageError(f"Cannot read {clean(str(path))}: {problem_text(error)}.") from error
        shown = clean(str(path))
        try:
            if stream.read(2) == GZIP_MAGIC:
                stream.seek(0)
                with stream as packed:
                    stream = _unpacked(packed, control, shown)
            return cls(stream, _contents(stream, control, shown))
        except BaseException:
            stream.close()
            raise

    def size_bytes(self, name: str) -> int | None:
        """The member's size, or None when it is not there."""
        member = self._find(name)
        return None if member is None else member.size_bytes

    def names(self, folder: str) -> Iterable[str]:
        """The names of what lies directly in ``folder``."""
        known = (*self._contents.members, *self._contents.links)
        return [posixpath.basename(name) for name in known if posixpath.dirname(name) == folder]

    def open(self, name: str) -> BinaryIO:
        """An independent raw stream of the member."""
        member = self._find(name)
        if member is None:
            raise missing(name)
        handle = os.dup(self._stream.fileno())
        return cast("BinaryIO", _Window(handle, member.offset, member.size_bytes))

    def close(self) -> None:
        """Close the archive; what was unpacked vanishes."""
        self._stream.close()

    def _find(self, name: str) -> _Member | None:
        place = _normal(name)
        for _ in range(_MAX_LINKS):
            if place is None:
                raise outside(name)
            member = self._contents.members.get(place)
            if member is not None:
                if not member.whole:
                    raise ImageError(f"{clean(name)} is stored as a sparse file, so it is refused.")
                return member
            target = self._contents.links.get(place)
            if target is None:
                return None
            place = _normal(target)
        raise ImageError(f"{clean(name)} is a loop of links.")


class _Window(io.RawIOBase):
    """Some bytes of a file, read by position so that several readers do not disturb each other."""

    def __init__(self, handle: int, offset: int, size_bytes: int) -> None:
        super().__init__()
        self._handle = handle
        self._offset = offset
        self._size_bytes = size_bytes
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        left = max(0, self._size_bytes - self._position)
        with memoryview(buffer) as whole, whole.cast("B")[:left] as view:
            size = os.preadv(self._handle, [view], self._offset + self._position) if left else 0
        self._position += size
        return size

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size_bytes}
        position = start[whence] + offset
        if position < 0:
            raise ValueError("a position before the start")
        self._position = position
        return position

    def tell(self) -> int:
        return self._position

    def close(self) -> None:
        if not self.closed:
            os.close(self._handle)
        super().close()


class _Headers(io.RawIOBase):
    """What ``tarfile`` may see: no read larger than a header, so that sizes cannot fill memory."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _MAX_HEADER_BYTES:
            raise tarfile.ReadError("a header is too big")
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()


def _contents(stream: BinaryIO, control: Control, shown: str) -> _Contents:
    contents = _Contents()
    try:
        for info in _headers(stream, control):
            _add(contents, info, shown)
    except _TAR_ERRORS as error:
        raise ImageError(
            f"{shown} is not a whole tar archive.",
            hint="It was cut short or changed on the way, or it is something else; get it again.",
        ) from error
    return contents


def _headers(stream: BinaryIO, control: Control) -> Iterator[tarfile.TarInfo]:
    """All headers; raises one of ``_TAR_ERRORS`` when the archive does not end as it should."""
    end = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    headers = cast("BinaryIO", _Headers(stream))
    with tarfile.open(fileobj=headers, mode="r:") as tar:
        place = 0
        for _ in range(_MAX_MEMBERS):
            control.report("Reading the archive", place, end)
            info = tar.next()
            if info is None:
                break
            # sizes below zero make tarfile go back and read the same header for ever
            if info.size < 0 or info.offset_data <= place or info.offset_data + info.size > end:
                raise tarfile.ReadError("a member leaves the archive")
            place = info.offset_data
            yield info
        else:
            raise ImageError(
                f"The archive holds over {_MAX_MEMBERS} files, so it is no image archive.",
                hint="What docker export writes is no image; use docker save or skopeo copy.",
            )
        stream.seek(tar.offset)
        if stream.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
            raise tarfile.ReadError("no end mark")


def _add(contents: _Contents, info: tarfile.TarInfo, shown: str) -> None:
    name = _normal(info.name)
    if name is None or info.isdir():
        return  # a name that leaves the archive is refused where something refers to it
    if name in contents.members or name in contents.links:
        raise ImageError(
            f"{shown} has two members named {clean(name)!r}.",
            hint="Two programs may read two different images from it; do not use it.",
        )
    if info.isreg():
        contents.members[name] = _Member(info.offset_data, info.size, not info.issparse())
    elif info.issym():
        contents.links[name] = posixpath.join(posixpath.dirname(name), info.linkname)
    elif info.islnk():
        contents.links[name] = info.linkname


def _normal(name: str) -> str | None:
    """``./a/../b`` as ``b``; None for what is absolute or leaves the archive."""
    normal = posixpath.normpath(name)
    if posixpath.isabs(normal) or normal in {".", ".."} or normal.startswith("../"):
        return None
    return normal


class _Disk:
    """Writes to a temporary file as long as there is room: nobody knows how much will come."""

    def __init__(self, stream: BinaryIO, folder: Path) -> None:
        self._stream = stream
        self._folder = folder

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        require_free(self._folder, len(chunk) + _KEEP_FREE_BYTES)
        view = memoryview(chunk)
        try:
            while view:
                view = view[self._stream.write(view) :]
        except OSError as error:
            raise DestinationProblem(
                f"Unpacking the archive stopped: {problem_text(error)}.",
                hint="Set TMPDIR to a folder with more room.",
            ) from error

    def finish(self) -> None:
        """Nothing is buffered."""


def _unpacked(packed: BinaryIO, control: Control, shown: str) -> BinaryIO:
    """A nameless temporary file with what the gzip file holds, bounded by the room on disk."""
    total = packed.seek(0, os.SEEK_END)
    packed.seek(0)
    plain = cast("BinaryIO", tempfile.TemporaryFile(buffering=0))  # noqa: SIM115 - returned
    sink = Gunzip(_Disk(plain, Path(tempfile.gettempdir())), control)

    def on_bytes(_size: int) -> None:
        control.report("Unpacking the archive", packed.tell(), total)

    try:
        pump(packed, [sink], on_bytes=on_bytes, what=shown)
    except ImageError as error:
        plain.close()
        raise ImageError(
            f"{shown} cannot be unpacked: its gzip data is damaged or cut short.",
            hint="Get it again.",
        ) from error
    except BaseException:
        plain.close()
        raise
    return plain
