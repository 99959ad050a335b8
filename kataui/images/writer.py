"""Writing an OCI layout: blobs named by their digest, then ``index.json``.

Source: OCI image-spec v1.1, image-layout.md.
"""

import contextlib
import os
import secrets
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Self

from kataui import files
from kataui.errors import DestinationProblem
from kataui.images.model import OCI_INDEX, Descriptor, Digest
from kataui.images.reference import Reference, parse_destination
from kataui.images.source import Source, Transport
from kataui.progress import Control

_MARGIN_BYTES = 8 << 20  # manifests, signatures and what a file system rounds up
LAYOUT_FILE = b'{"imageLayoutVersion":"1.0.0"}'


class BlobFile:
    """A blob being written: a temporary file that becomes ``blobs/sha256/HEX``."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.digest: Digest | None = None

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        """Append; raises ``DestinationProblem`` when the disk is full."""
        try:
            self._stream.write(chunk)
        except OSError as error:
            raise _cannot_write(error) from error

    def finish(self) -> None:
        """Flush to the operating system."""
        try:
            self._stream.flush()
        except OSError as error:
            raise _cannot_write(error) from error

    def keep(self, digest: Digest) -> None:
        """Say what the bytes hash to; without it the file is removed."""
        self.digest = digest


def _cannot_write(error: OSError) -> DestinationProblem:
    return DestinationProblem(
        f"Writing the image stopped: {files.problem_text(error)}.",
        hint="Nothing was left at the destination. Free some space or choose another place.",
    )


class LayoutWriter:
    """Writes blobs and ``index.json`` into one folder.

    ``folder`` is a new, empty folder (``create``), or a layout that gets more (signatures).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._blobs = folder / "blobs" / "sha256"

    @classmethod
    def create(cls, folder: Path) -> Self:
        """Make an empty layout in ``folder``."""
        writer = cls(folder)
        try:
            writer._blobs.mkdir(parents=True)
            (folder / "oci-layout").write_bytes(LAYOUT_FILE)
        except OSError as error:
            raise _cannot_write(error) from error
        return writer

    @contextlib.contextmanager
    def blob(self) -> Iterator[BlobFile]:
        """Write a large blob; it is there under its digest after ``keep``, else it is gone."""
        path = self._blobs / f".part-{secrets.token_hex(6)}"
        try:
            with path.open("xb") as stream:
                part = BlobFile(stream)
                yield part
            if part.digest is not None:
                path.replace(self._blobs / part.digest.hex)
        except OSError as error:
            raise _cannot_write(error) from error
        finally:
            path.unlink(missing_ok=True)

    def add(self, data: bytes, media_type: str) -> Descriptor:
        """Write a small blob and give its descriptor."""
        digest = Digest.of(data)
        with self.blob() as part:
            part.write(data)
            part.finish()
            part.keep(digest)
        return Descriptor(media_type, digest, len(data))

    def has(self, digest: Digest) -> bool:
        """Whether the blob is there already."""
        return (self._blobs / digest.hex).is_file()

    def delete(self, digest: Digest) -> None:
        """Remove a blob that nothing refers to any more."""
        (self._blobs / digest.hex).unlink(missing_ok=True)

    def write_index(self, entries: Sequence[Descriptor]) -> None:
        """Write or replace ``index.json`` by one rename."""
        value = {
            "schemaVersion": 2,
            "mediaType": OCI_INDEX,
            "manifests": [entry.as_json() for entry in entries],
        }
        files.replace_file(self.folder / "index.json", files.compact_json(value))


class Destination:
    """Where an image is to go; everything is built beside it and renamed last.

    ``layout`` is written first; ``pack`` gives the path that is to be proved (the layout, or the
    archive made of it); ``commit`` makes it appear under its name.
    """

    def __init__(self, reference: Reference, staged: Path, *, force: bool = False) -> None:
        self.reference = reference
        self.target = Path(reference.path)
        self._staged = staged
        self._force = force
        self._folder = staged / "layout"
        self.layout = LayoutWriter.create(self._folder)

    @property
    def is_archive(self) -> bool:
        """Whether one tar file is written instead of a folder."""
        return bool(self.reference.transport == Transport.OCI_ARCHIVE)

    def pack(self, control: Control) -> Path:
        """The finished thing under its temporary name; the caller proves it."""
        if not self.is_archive:
            return self._folder
        archive = self._staged / "archive.tar"
        try:
            with tarfile.open(archive, "x", format=tarfile.PAX_FORMAT) as tar:
                for path in sorted(self._folder.rglob("*")):
                    control.check()
                    name = str(path.relative_to(self._folder))
                    tar.add(path, name, recursive=False, filter=_nobodys)
        except OSError as error:
            raise _cannot_write(error) from error
        return archive

    def commit(self) -> None:
        """Make the result appear under its name, by one rename.

        What was there (``force``) goes with the temporary folder; what has come there meanwhile
        is not replaced.
        """
        made = self._staged / ("archive.tar" if self.is_archive else "layout")
        try:
            _sync(made)
            if self._force and self.target.exists():
                files.exchange(made, self.target)
            else:
                files.move_new(made, self.target)
        except FileExistsError as error:
            raise _exists(self.target) from error
        except OSError as error:
            raise _cannot_write(error) from error


def _nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without this machine's user, who is nobody's business."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def _exists(target: Path) -> DestinationProblem:
    return DestinationProblem(
        f"{files.clean(str(target))} exists already and is not overwritten.",
        hint="Choose another name, or use --force to replace it.",
    )


def _sync(made: Path) -> None:
    """Bring names and small files to the disk before the rename shows them."""
    for path in (made / "index.json", made / "blobs" / "sha256", made):
        if path.exists():
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


@contextlib.contextmanager
def destination(
    text: str, *, force: bool = False, source: Source | None = None
) -> Iterator[Destination]:
    """Open a destination for writing; at the end it is whole, or as it was before.

    Raises ``DestinationProblem`` when it exists (without ``force``), is no image that may be
    replaced, cannot hold keys, lies in ``source``, or has less room than that needs.
    """
    reference = parse_destination(text)
    target = Path(reference.path)
    check_target(target, force=force)
    if source is not None:
        _require_apart(target, Path(source.path))
        archive = reference.transport == Transport.OCI_ARCHIVE
        files.require_free(target.parent, _room_for(source) * (2 if archive else 1))
    with files.staging(target) as staged:
        yield Destination(reference, staged, force=force)


def _room_for(source: Source) -> int:
    """Bytes that writing ``source`` again needs: its layers, and what comes beside them."""
    return sum(image.size_bytes for image in source.images) + _MARGIN_BYTES


def _require_apart(target: Path, source: Path) -> None:
    if files.is_folder(source) and target.resolve().parent.is_relative_to(source.resolve()):
        raise DestinationProblem(
            f"The image cannot be written into its own source {files.clean(str(source))}.",
            hint="Choose a place beside it.",
        )


def check_target(target: Path, *, force: bool) -> None:
    """Raise ``DestinationProblem`` when ``target`` may not be written."""
    if not target.name:
        raise DestinationProblem("The destination has no name.")
    if not files.is_there(target):
        return
    shown = files.clean(str(target))
    if not force:
        raise _exists(target)
    replaceable = (target / "oci-layout").is_file() or target.is_file()
    if target.is_symlink() or not replaceable:
        raise DestinationProblem(
            f"{shown} is no image, so it is not replaced, not even with --force.",
            hint="Choose another name.",
        )
