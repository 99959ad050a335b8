"""``dir:`` images: ``manifest.json``, blobs by their hexadecimal digest, ``signature-N``.

Source: containers/image, directory/directory_transport.go and docs/containers-transports.5.md.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from kataui.errors import ImageError
from kataui.files import clean, parse_json_object
from kataui.images.blobs import MAX_MANIFEST_BYTES
from kataui.images.layout import hex_names
from kataui.images.manifest import guess_type
from kataui.images.model import Descriptor, Digest
from kataui.images.tree import FolderTree, Tree, missing, read_small

MANIFEST_NAME = "manifest.json"
_VERSION_NAME = "version"
_VERSION = b"Directory Transport Version: 1."
_INSTANCE = ".manifest.json"
_MAX_SIGNATURES = 100
_MAX_SIGNATURE_BYTES = 4 << 20


class DirBlobs:
    """The blobs of a ``dir:`` image; the manifest is one of them, by its digest."""

    def __init__(self, tree: Tree, root: Digest) -> None:
        self._tree = tree
        self._root = root

    def has(self, digest: Digest) -> bool:
        """Whether the blob is there as a regular file."""
        return self._size(digest) is not None

    def open(self, digest: Digest) -> BinaryIO:
        """A raw stream of the blob; raises ``ImageError`` when it is missing."""
        return self._tree.open(self._name(digest))

    def size_bytes(self, digest: Digest) -> int:
        """The stored size; raises ``ImageError`` when the blob is missing."""
        size = self._size(digest)
        if size is None:
            raise missing(f"The blob {digest.short}")
        return size

    def digests(self) -> Iterable[Digest]:
        """All blobs that are stored here."""
        names = (name.removesuffix(_INSTANCE) for name in self._tree.names(""))
        return [self._root, *hex_names(names)]

    def close(self) -> None:
        """Release the folder."""
        self._tree.close()

    def _size(self, digest: Digest) -> int | None:
        return self._tree.size_bytes(self._name(digest))

    def _name(self, digest: Digest) -> str:
        if digest == self._root:
            return MANIFEST_NAME
        instance = f"{digest.hex}{_INSTANCE}"  # a platform's manifest of an index
        return instance if self._tree.size_bytes(instance) is not None else digest.hex


def dir_root(tree: Tree) -> Descriptor:
    """A descriptor of the ``manifest.json`` of a ``dir:`` image.

    Nothing else says what its digest should be: a signature does. Raises ``KatauiError`` when it
    is missing or no JSON object.
    """
    if tree.size_bytes(_VERSION_NAME) is not None:
        version = read_small(tree, _VERSION_NAME, limit_bytes=256)
        if not version.startswith(_VERSION):
            shown = clean(version.decode("utf-8", "replace").strip(), limit=60)
            raise ImageError(f"The version of the dir: image is not known: {shown!r}.")
    raw = read_small(tree, MANIFEST_NAME, limit_bytes=MAX_MANIFEST_BYTES)
    value = parse_json_object(raw, what=MANIFEST_NAME)
    return Descriptor(guess_type(value), Digest.of(raw), len(raw))


def dir_signatures(path: Path) -> tuple[bytes, ...]:
    """The raw bytes of ``signature-1``, ``signature-2`` and so on, up to the first gap.

    Raises ``ImageError`` when one is too big or there are too many.
    """
    tree = FolderTree(path)
    found: list[bytes] = []
    while tree.size_bytes(name := f"signature-{len(found) + 1}") is not None:
        if len(found) == _MAX_SIGNATURES:
            raise ImageError(f"The image has more than {_MAX_SIGNATURES} signatures.")
        found.append(read_small(tree, name, limit_bytes=_MAX_SIGNATURE_BYTES))
    return tuple(found)
