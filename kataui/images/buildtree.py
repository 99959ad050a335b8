"""Making a layer: a tar of files, folders or whiteouts, gzipped on the way into a layout.

Source: OCI image-spec v1.1, layer.md ("Whiteouts"); POSIX.1-2017 pax; the extended attribute is
stored as GNU tar, Go's archive/tar and containers do: ``SCHILY.xattr.NAME``.
"""

import contextlib
import io
import os
import stat
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Self, cast

from kataui.errors import ImageError
from kataui.files import CHUNK_BYTES, clean, problem_text
from kataui.images import streams
from kataui.images.model import OCI_LAYER_GZIP, Descriptor, Digest
from kataui.images.writer import LayoutWriter
from kataui.progress import Control

WHITEOUT = ".wh."
_MAX_ID = (1 << 32) - 2
_NS = 1_000_000_000
_CAPABILITY = "security.capability"


@dataclass(frozen=True, slots=True)
class Notes:
    """What a person should know of a layer: names left out, and device nodes that are in it."""

    left_out: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()


class NewLayer:
    """Takes the bytes of a tar; made by ``new_layer``.

    ``descriptor`` and ``diff_id`` are right once its ``with`` block has ended.
    """

    descriptor: Descriptor
    diff_id: Digest

    def __init__(self, sink: streams.Sink, report: Callable[[int], None]) -> None:
        self._sink = sink
        self._report = report
        self._buffer = bytearray()
        self._size_bytes = 0

    def write(self, data: bytes) -> int:
        """Collect, and hand on whole chunks: a tar is written 512 bytes at a time."""
        self._buffer += data
        self._size_bytes += len(data)
        if len(self._buffer) >= CHUNK_BYTES:
            self.flush()
        return len(data)

    def flush(self) -> None:
        """Hand on what is collected; notices cancellation."""
        self._report(self._size_bytes)
        if self._buffer:
            self._sink.write(self._buffer)
            self._buffer = bytearray()

    def tell(self) -> int:
        """How many bytes were written."""
        return self._size_bytes

    def tar(self) -> tarfile.TarFile:
        """A tar to put members into: POSIX pax, the same bytes for the same members."""
        return tarfile.open(fileobj=cast("BinaryIO", self), mode="w", format=tarfile.PAX_FORMAT)


@contextlib.contextmanager
def new_layer(
    layout: LayoutWriter, control: Control, *, step: str, total_bytes: int = 0
) -> Iterator[NewLayer]:
    """Write a gzipped layer into ``layout``; when the block fails, nothing of it stays.

    ``step`` and ``total_bytes`` (of the plain tar, about) are for progress reports.
    """

    def report(size_bytes: int) -> None:
        control.report(step, min(size_bytes, total_bytes), total_bytes)

    packed, plain, count = streams.Hash(), streams.Hash(), streams.Count()
    with layout.blob() as part, streams.lanes() as lane:
        out = lane(streams.Gzip(streams.Tee(lane(packed), count, part)))
        sink = streams.Tee(lane(plain), out)
        layer = NewLayer(sink, report)
        yield layer
        layer.flush()
        sink.finish()
        part.keep(Digest(packed.hex))
        layer.descriptor = Descriptor(OCI_LAYER_GZIP, Digest(packed.hex), count.size_bytes)
        layer.diff_id = Digest(plain.hex)


@dataclass(frozen=True, slots=True)
class Tree:
    """A folder or file to put at ``target``, an absolute path in the image.

    ``owner`` is "uid:gid", or empty to keep; ``latest_s`` clamps times (SOURCE_DATE_EPOCH).
    ``with_top``: the folder's own owner and mode become those of ``target``.
    """

    source: Path
    target: PurePosixPath
    owner: str = ""
    latest_s: int | None = None
    with_top: bool = True

    @classmethod
    def of(cls, source: Path, target: str, *, owner: str, latest_s: int | None) -> Self:
        """An addition: a file goes into a target that ends with ``/``; ``/`` keeps its mode."""
        place = PurePosixPath(target)
        if target.endswith("/") and not source.is_dir():
            place /= source.name
        return cls(source, place, owner, latest_s, with_top=place != PurePosixPath("/"))

    def size_bytes(self) -> int:
        """About how big the tar will be; what cannot be read counts nothing yet."""
        with contextlib.suppress(OSError):
            return sum(
                (status.st_size if stat.S_ISREG(status.st_mode) else 0) + 2 * tarfile.BLOCKSIZE
                for _, status in _walk(self.source.resolve())
            )
        return 0


def add_tree(tar: tarfile.TarFile, tree: Tree) -> Notes:
    """Add a folder or file: owner, mode, times, links and file capabilities kept.

    Names are sorted. The top is followed when it is a link, for the user named it; links inside
    stay links, hard links within the tree too. Sockets and names that would be whiteouts are left
    out. Raises ``ImageError`` when something cannot be read.
    """
    left_out, devices = [], []
    try:
        root = tree.source.resolve(strict=True)
        for path, status in _walk(root):
            if path == root and not tree.with_top:
                continue
            name = tree.target / path.relative_to(root)
            if stat.S_ISSOCK(status.st_mode) or _in_whiteout(path.relative_to(root)):
                left_out.append(clean(str(path)))
                continue
            if stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode):
                devices.append(clean(str(name)))
            _add(tar, path, name, tree)
            forget_members(tar)
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links
        failed = error if isinstance(error, OSError) else OSError("a loop of links")
        raise ImageError(
            f"Cannot add {clean(str(failed.filename or tree.source))}: {problem_text(failed)}.",
            hint="Nothing was written. Check that it is there and that you may read it.",
        ) from error
    return Notes(tuple(left_out), tuple(devices))


def forget_members(tar: tarfile.TarFile) -> None:
    """Drop the list of members that ``tarfile`` keeps: a million names would fill the memory."""
    tar.members.clear()  # type: ignore[attr-defined] # documented nowhere, there since Python 2.3


def _in_whiteout(path: Path) -> bool:
    """Whether the name or a folder above it says "deleted" in a layer."""
    return any(part.startswith(WHITEOUT) for part in path.parts)


def _walk(root: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """The root, then everything under it: sorted by name, folders before what is in them."""
    pending = [root]
    while pending:
        path = pending.pop()
        status = path.lstat()
        yield path, status
        if stat.S_ISDIR(status.st_mode):
            pending += sorted(path.iterdir(), reverse=True)


def _add(tar: tarfile.TarFile, path: Path, name: PurePosixPath, tree: Tree) -> None:
    inside = str(name).lstrip("/") or "."
    if not stat.S_ISREG(path.lstat().st_mode):
        tar.addfile(_adjusted(tar.gettarinfo(str(path), inside), path.lstat(), tree))
        return
    with _opened(path) as stream:
        info = tar.gettarinfo(arcname=inside, fileobj=stream)
        if not info.isreg():  # a second name of a file that is in the tar already
            tar.addfile(_adjusted(info, os.fstat(stream.fileno()), tree))
            return
        with contextlib.suppress(OSError):  # it has none, or the file system keeps none
            value = os.getxattr(stream.fileno(), _CAPABILITY)
            key = f"SCHILY.xattr.{_CAPABILITY}"
            info.pax_headers = {key: value.decode("utf-8", "surrogateescape")}
        tar.addfile(_adjusted(info, os.fstat(stream.fileno()), tree), _Exactly(stream, path))


def _opened(path: Path) -> BinaryIO:
    """A regular file, even when somebody has just put a link or a pipe in its place."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise _changed(path)
    return cast("BinaryIO", os.fdopen(handle, "rb", buffering=0))


class _Exactly(io.RawIOBase):
    """A file whose end must not come before the size that the tar promises."""

    def __init__(self, stream: BinaryIO, path: Path) -> None:
        super().__init__()
        self._stream = stream
        self._path = path

    def read(self, size: int = -1) -> bytes:
        parts, left = [], size
        while left > 0:
            part = self._stream.read(left)
            if not part:
                raise _changed(self._path)
            parts.append(part)
            left -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


def _changed(path: Path) -> ImageError:
    return ImageError(
        f"{clean(str(path))} changed while it was read.", hint="Build again when it is at rest."
    )


def _adjusted(info: tarfile.TarInfo, status: os.stat_result, tree: Tree) -> tarfile.TarInfo:
    """Times whole and clamped, the owner as wished, no names of this machine's users."""
    seconds, rest = divmod(status.st_mtime_ns, _NS)
    if tree.latest_s is not None and seconds >= tree.latest_s:
        seconds, rest = tree.latest_s, 0
    info.mtime = seconds
    if rest and seconds >= 0:  # pax, "mtime": a fraction may follow the seconds
        fraction = f"{rest:09d}".rstrip("0")
        info.pax_headers = {**info.pax_headers, "mtime": f"{seconds}.{fraction}"}
    if tree.owner:
        info.uid, info.gid = parse_owner(tree.owner)
    info.uname = info.gname = ""
    return info


def parse_owner(text: str) -> tuple[int, int]:
    """``uid:gid`` or ``uid`` (the group has the same number); raises ``ImageError``."""
    uid, colon, gid = text.partition(":")
    numbers = (uid, gid if colon else uid)
    if not all(part.isascii() and part.isdecimal() and len(part) <= 10 for part in numbers):
        raise ImageError(f"{clean(text, limit=40)!r} is no owner; write UID:GID in numbers.")
    if max(map(int, numbers)) > _MAX_ID:
        raise ImageError(f"{clean(text, limit=40)!r} is too big for an owner.")
    return int(numbers[0]), int(numbers[1])


def add_whiteouts(tar: tarfile.TarFile, names: tuple[str, ...], time_s: int) -> None:
    """Mark absolute paths of lower layers as deleted: an empty ``.wh.NAME`` beside each."""
    for path in sorted({PurePosixPath(name) for name in names}):
        add_bytes(tar, str(path.with_name(WHITEOUT + path.name)), b"", mode=0o644, time_s=time_s)


def add_bytes(tar: tarfile.TarFile, name: str, data: bytes, *, mode: int, time_s: int) -> None:
    """Add a file from memory, owned by root."""
    info = tarfile.TarInfo(name.lstrip("/"))
    info.size, info.mode, info.mtime = len(data), mode, time_s
    tar.addfile(info, io.BytesIO(data))
