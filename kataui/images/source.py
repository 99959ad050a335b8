"""What was opened: a reference, its images and the store that holds their blobs."""

from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Self

from kataui.findings import Finding
from kataui.images.blobs import Blobs
from kataui.images.model import Descriptor, Image


class Transport(StrEnum):
    """How an image is stored; the names are those of containers/image."""

    OCI = "oci"
    OCI_ARCHIVE = "oci-archive"
    DOCKER_ARCHIVE = "docker-archive"
    DIR = "dir"


@dataclass(frozen=True, slots=True)
class Source:
    """An opened image or multi-platform index; close it (it is a context manager).

    ``root`` points to what a tag names: the only image's manifest, or the index (its bytes in
    ``index_raw``, empty otherwise). ``images`` are the platforms that are whole here, in the
    order of the index. ``entries`` are all descriptors of the layout's ``index.json``, for the
    signatures that lie beside the image; ``findings`` tell what was left out on opening.
    """

    reference: str
    transport: Transport
    path: str
    tag: str
    root: Descriptor
    images: tuple[Image, ...]
    blobs: Blobs
    index_raw: bytes = b""
    entries: tuple[Descriptor, ...] = ()
    findings: tuple[Finding, ...] = field(default=())

    @property
    def is_index(self) -> bool:
        """Whether the tag names a multi-platform index."""
        return bool(self.index_raw)

    def close(self) -> None:
        """Release the store."""
        self.blobs.close()

    def __enter__(self) -> Self:
        """Use as a context manager."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close at the end of the ``with`` block."""
        self.close()
