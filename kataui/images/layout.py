"""OCI image layouts: ``oci-layout``, ``index.json`` and ``blobs/sha256``.

Source: OCI image-spec v1.1, image-layout.md.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

from kataui.errors import ImageError
from kataui.files import clean, parse_json_object
from kataui.images.blobs import MAX_MANIFEST_BYTES
from kataui.images.model import Digest
from kataui.images.tree import FolderTree, Tree, missing, read_small

LAYOUT_MARK = "oci-layout"
INDEX_NAME = "index.json"
_VERSION = "1.0.0"


_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)


class TreeBlobs:
    """The blobs below ``blobs/sha256`` of a folder or an archive."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    def has(self, digest: Digest) -> bool:
        """Whether the blob is there as a regular file."""
        return self._tree.size_bytes(_name(digest)) is not None

    def open(self, digest: Digest) -> BinaryIO:
        """A raw stream of the blob; raises ``ImageError`` when it is missing."""
        return self._tree.open(_name(digest))

    def size_bytes(self, digest: Digest) -> int:
        """The stored size; raises ``ImageError`` when the blob is missing."""
        size = self._tree.size_bytes(_name(digest))
        if size is None:
            raise missing(f"The blob {digest.short}")
        return size

    def digests(self) -> Iterable[Digest]:
        """All blobs that are stored here."""
        return hex_names(self._tree.names("blobs/sha256"))

    def close(self) -> None:
        """Release the folder or archive."""
        self._tree.close()


class LayoutBlobs(TreeBlobs):
    """The blobs of an OCI layout folder; no link may leave the folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(FolderTree(folder))


def read_index(folder: Path) -> dict[str, Any]:
    """The parsed ``index.json`` of a layout folder whose version is known.

    Raises ``KatauiError`` when a file is missing or malformed.
    """
    return index_of(FolderTree(folder))


def index_of(tree: Tree) -> dict[str, Any]:
    """``read_index`` for a folder or an archive."""
    mark = parse_json_object(read_small(tree, LAYOUT_MARK, limit_bytes=4096), what=LAYOUT_MARK)
    version = mark.get("imageLayoutVersion")
    if version != _VERSION:
        raise ImageError(
            f"The OCI layout has version {clean(str(version), limit=40)!r}, not {_VERSION}.",
            hint="Write it again with a current tool, for example skopeo copy.",
        )
    data = read_small(tree, INDEX_NAME, limit_bytes=MAX_MANIFEST_BYTES)
    return parse_json_object(data, what=INDEX_NAME)


def hex_names(names: Iterable[str]) -> list[Digest]:
    """The digests among file names that may be hexadecimal digests."""
    return [Digest(name) for name in names if _HEX.fullmatch(name)]


def _name(digest: Digest) -> str:
    return f"blobs/sha256/{digest.hex}"
