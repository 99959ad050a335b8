"""A root file system that comes as a tar: looked at while it passes, bytes kept.

Source: POSIX.1-2017 pax, "ustar Interchange Format"; RFC 1952 (gzip), RFC 8878 (zstd), the xz file
format 1.1.
"""

import io
import lzma
import os
import tarfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

import zstandard
from isal import igzip

from kataui.errors import ImageError
from kataui.files import CHUNK_BYTES, clean
from kataui.images.buildtree import NewLayer, Notes, forget_members

_MAX_HEADER_BYTES = 256 << 10  # names and pax records; a header that says more is a lie
# containerd and umoci unpack no others, such as GNU's old sparse files
_MEMBER_TYPES = frozenset(
    {
        *(tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE),
        *(tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE),
    }
)
# what the libraries let through for files that are damaged or were made to hurt
_TAR_ERRORS = (
    *(tarfile.TarError, lzma.LZMAError, zstandard.ZstdError, EOFError, RecursionError),
    *(OSError, ValueError, ArithmeticError, LookupError),
)


def copy_tar(layer: NewLayer, path: Path) -> Notes:
    """Pass the tar ``path`` (plain, gzip, zstd or xz) into ``layer``, every name checked.

    The layer is the same tar byte for byte, so its diff_id is the tar's digest. Raises
    ``ImageError`` when it is no whole tar, when a name or hard link leaves its root, and for
    members that nobody could unpack.
    """
    devices = []
    try:
        with path.open("rb") as file, _unpacked(file) as stream:
            passing = _Passing(stream, layer)
            with tarfile.open(fileobj=cast("BinaryIO", passing), mode="r:") as tar:
                while (member := tar.next()) is not None:
                    forget_members(tar)
                    _check_member(member)
                    if member.isdev() and not member.isfifo():
                        devices.append(clean(f"/{member.name}"))
            passing.finish()
    except _TAR_ERRORS as error:
        raise ImageError(
            f"{clean(str(path))} is not a whole tar file.",
            hint="A root file system may be a folder, or a tar: plain, gzip, zstd or xz.",
        ) from error
    return Notes(devices=tuple(devices))


def _check_member(member: tarfile.TarInfo) -> None:
    """Refuse names that leave the root, which no honest root file system has, and odd types."""
    if _leaves(member.name):
        raise ImageError(f"The tar has a name that leaves its root: {clean(member.name)!r}.")
    if member.islnk() and _leaves(member.linkname):
        raise ImageError(f"The tar has a hard link that leaves its root: {clean(member.name)!r}.")
    if member.type not in _MEMBER_TYPES:
        raise ImageError(
            f"{clean(member.name)!r} is stored in a way that container runtimes cannot unpack.",
            hint="Pack it again without --sparse and --incremental: tar --format=pax -cf FILE .",
        )


def _leaves(name: str) -> bool:
    return name.startswith("/") or ".." in PurePosixPath(name).parts


def _unpacked(file: BinaryIO) -> BinaryIO:
    magic = file.read(6)
    file.seek(0)
    for start, unpack in _PACKINGS:
        if magic.startswith(start):
            return unpack(file)
    return file


def _gunzip(file: BinaryIO) -> BinaryIO:
    return cast("BinaryIO", igzip.IGzipFile(fileobj=file))  # type: ignore[no-untyped-call] # no stub


def _unzstd(file: BinaryIO) -> BinaryIO:
    # 128 MiB window: the most that containers/image writes; more is refused
    state = zstandard.ZstdDecompressor(max_window_size=1 << 27)
    return cast("BinaryIO", state.stream_reader(file, read_across_frames=True))


def _unxz(file: BinaryIO) -> BinaryIO:
    return cast("BinaryIO", lzma.LZMAFile(file))


_PACKINGS: tuple[tuple[bytes, Callable[[BinaryIO], BinaryIO]], ...] = (
    (b"\x1f\x8b", _gunzip),
    (b"\x28\xb5\x2f\xfd", _unzstd),
    (b"\xfd7zXZ\x00", _unxz),
)


class _Passing(io.RawIOBase):
    """What ``tarfile`` reads from: only forward, and everything that passes goes to the layer."""

    def __init__(self, stream: BinaryIO, layer: NewLayer) -> None:
        super().__init__()
        self._stream = stream
        self._layer = layer
        self._position = 0
        self._last = b""

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Pass what lies between; a size below zero would lead back, for ever."""
        if whence != os.SEEK_SET or offset < self._position:
            raise tarfile.ReadError("a header leads back")
        while self._position < offset and self._take(min(CHUNK_BYTES, offset - self._position)):
            pass
        return self._position

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _MAX_HEADER_BYTES:
            raise tarfile.ReadError("a header is too big")
        parts = []
        while size and (part := self._take(size)):
            parts.append(part)
            size -= len(part)
        self._last = b"".join(parts)
        return self._last

    def _take(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._layer.write(data)
        self._position += len(data)
        return data

    def finish(self) -> None:
        """After the last header: there must be an end mark, and nothing but padding after it."""
        if self._last != bytes(tarfile.BLOCKSIZE):
            raise tarfile.ReadError("no end mark")
        while data := self._take(CHUNK_BYTES):
            if data.count(0) != len(data):
                raise tarfile.ReadError("something follows the end mark")
