"""Where the bytes of an image come from, and reading small blobs with every check."""

import hashlib
from collections.abc import Iterable
from typing import BinaryIO, Protocol

from kataui.errors import ImageError, IntegrityError
from kataui.images.model import Descriptor, Digest

MAX_MANIFEST_BYTES = 4 << 20  # what registries accept (distribution-spec, "Pushing Manifests")
MAX_CONFIG_BYTES = 8 << 20


class Blobs(Protocol):
    """A store of blobs: a layout's folder, a tar archive, a ``dir:`` image."""

    def has(self, digest: Digest) -> bool:
        """Whether the blob is there."""

    def open(self, digest: Digest) -> BinaryIO:
        """A seekable raw stream of its own file position; the reader checks what it reads.

        Raises ``ImageError`` when the blob is missing or cannot be read.
        """

    def size_bytes(self, digest: Digest) -> int:
        """The stored size; raises ``ImageError`` when the blob is missing."""

    def digests(self) -> Iterable[Digest]:
        """All blobs that are stored here, in no particular order."""

    def close(self) -> None:
        """Release open files and temporary folders."""


def read_blob(blobs: Blobs, descriptor: Descriptor, *, limit_bytes: int, what: str) -> bytes:
    """A small blob whole, its size and digest checked against the descriptor.

    Raises ``IntegrityError`` when they differ, ``ImageError`` when it is missing or too big.
    """
    if descriptor.size_bytes > limit_bytes:
        raise ImageError(f"The {what} is too big ({descriptor.size_bytes} bytes).")
    with blobs.open(descriptor.digest) as stream:
        data = stream.read(limit_bytes + 1)
    if len(data) != descriptor.size_bytes:
        raise IntegrityError(
            f"The {what} has {len(data)} bytes, but {descriptor.size_bytes} were promised.",
            hint="The image is damaged or was changed; get it again.",
        )
    if hashlib.sha256(data).hexdigest() != descriptor.digest.hex:
        raise IntegrityError(
            f"The {what} is not what its digest {descriptor.digest.short} says.",
            hint="The image is damaged or was changed; get it again.",
        )
    return data
