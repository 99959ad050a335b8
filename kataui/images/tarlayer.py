"""Making a layer: a tar of files, gzipped on the way into a layout.

Source: OCI image-spec v1.1, layer.md (whiteouts, no device of the host is needed); POSIX pax.
"""

import io
import os
import stat
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from kataui.errors import ImageError
from kataui.files import CHUNK_BYTES, clean, problem_text
from kataui.images import streams
from kataui.images.model import OCI_LAYER_GZIP, Descriptor, Digest
from kataui.images.writer import LayoutWriter
from kataui.progress import Control

_MAX_ID = (1 << 32) - 2


@dataclass(frozen=True, slots=True)
class MadeLayer:
    """A layer that was written: its descriptor, diff_id, and the names left out (sockets)."""

    descriptor: Descriptor
    diff_id: Digest
    left_out: tuple[str, ...] = ()


class _SinkFile(io.RawIOBase):
    """What ``tarfile`` writes to; hands the bytes to a sink."""

    def __init__(self, sink: streams.Sink, control: Control) -> None:
        self._sink = sink
        self._control = control

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Hand on; notices cancellation."""
        self._control.check()
        self._sink.write(bytes(data))
        return len(data)


def write_layer(
    layout: LayoutWriter, fill: Callable[[tarfile.TarFile], tuple[str, ...]], control: Control
) -> MadeLayer:
    """Write a layer that ``fill`` puts files into; the same files give the same bytes."""

    def feed(sink: streams.Sink) -> tuple[str, ...]:
        target = _SinkFile(sink, control)
        with tarfile.open(
            fileobj=target, mode="w|", format=tarfile.PAX_FORMAT, bufsize=CHUNK_BYTES
        ) as tar:
            return fill(tar)

    return _write(layout, feed)


def copy_tar(layout: LayoutWriter, path: Path, control: Control) -> MadeLayer:
    """Write a layer from a tar file (plain, gzip or zstd) after a look at all its names."""
    with open_tar(path) as tar:
        for member in tar:
            control.check()
            check_member(member)

    def feed(sink: streams.Sink) -> tuple[str, ...]:
        with path.open("rb") as stream:
            head = stream.read(4)
            stream.seek(0)
            unpacked: streams.Sink = streams.Tee(sink)
            if head.startswith(b"\x1f\x8b"):
                unpacked = streams.Gunzip(sink, control)
            elif head == b"\x28\xb5\x2f\xfd":
                unpacked = streams.Unzstd(sink)
            streams.pump(stream, [unpacked], on_bytes=lambda _: control.check(), what=path.name)
        return ()

    return _write(layout, feed, finished_by_feed=True)


def open_tar(path: Path) -> tarfile.TarFile:
    """A tar file for reading; raises ``ImageError`` when it is none."""
    try:
        return tarfile.open(path)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise ImageError(f"{clean(str(path))} is no tar file that can be read.") from error


def check_member(member: tarfile.TarInfo) -> None:
    """Refuse names that leave the root, which no honest root file system has."""
    parts = PurePosixPath(member.name).parts
    if ".." in parts or member.name.startswith("/"):
        raise ImageError(f"The tar has a name that leaves its root: {clean(member.name)!r}.")
    if member.islnk() and ".." in PurePosixPath(member.linkname).parts:
        raise ImageError(f"The tar has a hard link that leaves its root: {clean(member.name)!r}.")


def _write(
    layout: LayoutWriter,
    feed: Callable[[streams.Sink], tuple[str, ...]],
    *,
    finished_by_feed: bool = False,
) -> MadeLayer:
    packed, plain, count = streams.Hash(), streams.Hash(), streams.Count()
    with layout.blob() as part, streams.lanes() as lane:
        out = streams.Tee(lane(packed), count, part)
        sink = streams.Tee(lane(plain), streams.Gzip(out))
        left_out = feed(sink)
        if not finished_by_feed:
            sink.finish()
        digest = Digest(packed.hex)
        part.keep(digest)
    descriptor = Descriptor(OCI_LAYER_GZIP, digest, count.size_bytes)
    return MadeLayer(descriptor, Digest(plain.hex), left_out)


@dataclass(frozen=True, slots=True)
class Tree:
    """A folder or file to put at ``target`` in the image.

    ``owner`` is "uid:gid", or empty to keep; ``latest_s`` clamps times (SOURCE_DATE_EPOCH).
    """

    source: Path
    target: PurePosixPath
    owner: str = ""
    latest_s: int | None = None
    exclude: tuple[Path, ...] = field(default=())


def add_tree(tar: tarfile.TarFile, tree: Tree) -> tuple[str, ...]:
    """Add a folder or file: owner, mode, links and times kept; gives the names left out.

    Symbolic links inside are kept as links; the top one is followed, for the user named it.
    """
    root = tree.source.resolve()
    left_out = []
    try:
        for path in _walk(root):
            name = tree.target / path.relative_to(root)
            info = tar.gettarinfo(str(path), str(name).lstrip("/") or ".")
            if info is None:  # type: ignore[redundant-expr,unused-ignore]
                left_out.append(clean(str(path)))
                continue
            _adjust(info, tree)
            if info.isreg():
                with path.open("rb") as stream:
                    tar.addfile(info, stream)
            else:
                tar.addfile(info)
    except OSError as error:
        shown = clean(str(error.filename or root))
        raise ImageError(f"Cannot read {shown}: {problem_text(error)}.") from error
    return tuple(left_out)


def _walk(root: Path) -> Iterator[Path]:
    """The root, then everything under it, sorted by name, folders before what is in them."""
    yield root
    if root.is_dir() and not root.is_symlink():
        with os.scandir(root) as entries:
            names = sorted(entry.name for entry in entries)
        for name in names:
            child = root / name
            if child.is_dir() and not child.is_symlink():
                yield from _walk(child)
            else:
                yield child


def _adjust(info: tarfile.TarInfo, tree: Tree) -> None:
    info.mtime = int(info.mtime)
    if tree.latest_s is not None:
        info.mtime = min(info.mtime, tree.latest_s)
    if tree.owner:
        info.uid, info.gid = parse_owner(tree.owner)
    info.uname = info.gname = ""  # names of this machine mean nothing in the image


def parse_owner(text: str) -> tuple[int, int]:
    """``uid:gid`` or ``uid``; raises ``ImageError``."""
    uid, _, gid = text.partition(":")
    if not uid.isdecimal() or not (gid or uid).isdecimal():
        raise ImageError(f"{clean(text, limit=40)!r} is no owner; write UID:GID in numbers.")
    numbers = int(uid), int(gid or uid)
    if max(numbers) > _MAX_ID:
        raise ImageError(f"{clean(text, limit=40)!r} is too big for an owner.")
    return numbers


def add_whiteouts(tar: tarfile.TarFile, names: tuple[str, ...], time_s: int) -> None:
    """Mark paths of lower layers as deleted: an empty ``.wh.NAME`` beside each."""
    for name in sorted(names):
        path = PurePosixPath(name)
        info = tarfile.TarInfo(str(path.parent / f".wh.{path.name}").lstrip("/"))
        info.mtime = time_s
        tar.addfile(info)


def add_bytes(tar: tarfile.TarFile, name: str, data: bytes, *, mode: int, time_s: int) -> None:
    """Add a file from memory, owned by root."""
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = len(data), mode, time_s
    tar.addfile(info, io.BytesIO(data))
