"""The files of an image: what its layers hold, and what is left of them when they lie on another.

Sources: OCI image-spec v1.1, layer.md ("Whiteouts", "Opaque Whiteout"); POSIX.1-2017 pax. Times are
left out: they change with every build and no program runs differently for them.
"""

import contextlib
import hashlib
import io
import os
import posixpath
import tarfile
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Literal, cast

from kataui.errors import ImageError
from kataui.images.buildtree import forget_members
from kataui.images.streams import Chunk

Kind = Literal["file", "folder", "symlink", "device", "pipe"]
MAX_FILES = 1_000_000
_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_MAX_READ_BYTES = 256 << 10  # a header (long names, pax records) that says more is a lie
_KINDS: dict[bytes, Kind] = {
    tarfile.DIRTYPE: "folder",
    tarfile.SYMTYPE: "symlink",
    tarfile.CHRTYPE: "device",
    tarfile.BLKTYPE: "device",
    tarfile.FIFOTYPE: "pipe",
}
# what the standard library lets through for archives that were made to hurt
_TAR_ERRORS = (tarfile.TarError, OSError, ValueError, ArithmeticError, LookupError, RecursionError)


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of a layer; ``path`` has no leading slash, ``sha256`` is that of its content.

    ``target`` is where a link leads or the numbers of a device; ``hard`` marks a hard link, which
    is the file at ``target``. Sparse files have no digest: ``sha256`` is "sparse".
    """

    path: str
    kind: Kind
    mode: int
    owner: tuple[int, int]
    size_bytes: int = 0
    sha256: str = ""
    target: str = ""
    hard: bool = False


class Lister:
    """A sink that takes a layer's tar and lists its files, in a thread beside the reading.

    ``entries`` gives them after ``finish``; raises ``ImageError`` when it was no whole tar or held
    more than ``MAX_FILES``. ``close`` must be called when writing ended early.
    """

    def __init__(self) -> None:
        reading, self._writing = os.pipe()
        self._entries: list[FileEntry] = []
        self._problem = ""
        self._open = True
        self._thread = threading.Thread(target=self._run, args=(reading,), name="layer-files")
        self._thread.start()

    def _run(self, reading: int) -> None:
        with os.fdopen(reading, "rb") as stream:
            try:
                for entry in _files(stream):
                    if len(self._entries) >= MAX_FILES:
                        self._problem = f"A layer holds more than {MAX_FILES} files."
                        return
                    self._entries.append(entry)
            except _TAR_ERRORS:
                self._problem = "A layer is not a whole tar archive."
                return
            while stream.read(_MAX_READ_BYTES):  # what stands after the end of the archive
                pass

    def write(self, chunk: Chunk) -> None:
        """Hand the chunk to the reader; one that stopped needs no more."""
        rest = memoryview(chunk)
        with contextlib.suppress(BrokenPipeError):
            while rest and not self._problem:
                rest = rest[os.write(self._writing, rest) :]

    def finish(self) -> None:
        """The tar is whole."""
        self.close()

    def close(self) -> None:
        """End the thread."""
        if self._open:
            self._open = False
            os.close(self._writing)
        self._thread.join()

    def entries(self) -> tuple[FileEntry, ...]:
        """The files in the order of the archive."""
        if self._problem:
            raise ImageError(self._problem)
        return tuple(self._entries)


class _Forward(io.RawIOBase):
    """A pipe as ``tarfile`` wants it: it only goes forward, or back over the last byte."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream = stream
        self._place = 0
        self._last = b""
        self._again = False

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _MAX_READ_BYTES:
            raise tarfile.ReadError("a header is too big")
        if not size:
            return b""
        kept = self._last if self._again else b""
        self._again = False
        data = kept + self._stream.read(size - len(kept))
        self._place += len(data)
        self._last = data[-1:] or self._last
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence != os.SEEK_SET:
            raise tarfile.ReadError("only places from the start")
        if offset == self._place - 1 and self._last and not self._again:
            self._again, self._place = True, offset
        while self._place < offset and self.read(min(offset - self._place, _MAX_READ_BYTES)):
            pass
        if self._place != offset:
            raise tarfile.ReadError("the archive is cut short or goes back")
        return offset

    def tell(self) -> int:
        return self._place


def _files(stream: BinaryIO) -> Iterator[FileEntry]:
    forward = cast("BinaryIO", _Forward(stream))
    with tarfile.open(fileobj=forward, mode="r:") as tar:
        while (info := tar.next()) is not None:
            forget_members(tar)
            if info.size < 0:
                raise tarfile.ReadError("a size below zero")
            yield _entry(tar, info)


def _entry(tar: tarfile.TarFile, info: tarfile.TarInfo) -> FileEntry:
    target = info.linkname
    if info.type in {tarfile.CHRTYPE, tarfile.BLKTYPE}:
        target = f"{'b' if info.isblk() else 'c'} {info.devmajor}:{info.devminor}"
    is_file = info.isreg()
    return FileEntry(
        _normal(info.name),
        _KINDS.get(info.type, "file"),
        info.mode & 0o7777,
        (info.uid, info.gid),
        info.size if is_file else 0,
        _sha256(tar, info) if is_file else "",
        _normal(target) if info.islnk() else target,
        hard=info.islnk(),
    )


def _sha256(tar: tarfile.TarFile, info: tarfile.TarInfo) -> str:
    if info.issparse():
        return "sparse"  # it may say that it is a petabyte
    stream = tar.extractfile(info)
    state = hashlib.sha256()
    left = info.size
    while stream is not None and left > 0:
        data = stream.read(min(left, _MAX_READ_BYTES))
        if not data:
            raise tarfile.ReadError("a file is cut short")
        state.update(data)
        left -= len(data)
    return state.hexdigest()


def _normal(name: str) -> str:
    """The path from the root: what leads above it stays in it, as in a container."""
    return posixpath.normpath("/" + name).lstrip("/")


@dataclass(slots=True)
class _Node:
    entry: FileEntry | None = None
    below: dict[str, "_Node"] = field(default_factory=dict)


def merged(layers: Iterable[Iterable[FileEntry]]) -> dict[str, FileEntry]:
    """The files that a container sees, by path; ``layers`` from the base up."""
    root = _Node()
    for layer in layers:
        entries = list(layer)
        for entry in entries:  # whiteouts hide what lies below, wherever they stand in the layer
            _hide(root, entry.path)
        for entry in entries:
            if not posixpath.basename(entry.path).startswith(_WHITEOUT):
                _put(root, entry)
    return {entry.path: entry for entry in _walk(root) if entry.path}


def _hide(root: _Node, path: str) -> None:
    folder, name = posixpath.split(path)
    if not name.startswith(_WHITEOUT):
        return
    node = _find(root, folder)
    if node is None:
        return
    if name == _OPAQUE:
        node.below.clear()
    else:
        node.below.pop(name.removeprefix(_WHITEOUT), None)


def _put(root: _Node, entry: FileEntry) -> None:
    if entry.hard:
        known = _find(root, entry.target)
        if known is not None and known.entry is not None:
            same = known.entry
            entry = FileEntry(
                *(entry.path, same.kind, same.mode, same.owner),
                *(same.size_bytes, same.sha256, same.target),
            )
    node = root
    for part in filter(None, entry.path.split("/")):
        node = node.below.setdefault(part, _Node())
    node.entry = entry
    if entry.kind != "folder":
        node.below.clear()


def _find(root: _Node, path: str) -> _Node | None:
    node: _Node | None = root
    for part in filter(None, path.split("/")):
        node = node.below.get(part) if node is not None else None
    return node


def _walk(root: _Node) -> Iterator[FileEntry]:
    """Without recursion: a path may have thousands of parts."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.entry is not None:
            yield node.entry
        waiting.extend(node.below.values())
