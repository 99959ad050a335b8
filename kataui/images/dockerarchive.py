"""What ``docker save`` writes: ``manifest.json``, a configuration and a tar for each layer.

Source: Moby image/spec/v1.2.md, "Combined Image JSON + Filesystem Changeset Format". Its members
are given as the blobs of an OCI manifest that is made here.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, BinaryIO

from kataui.errors import ImageError, IntegrityError
from kataui.files import CHUNK_BYTES, clean, compact_json, parse_json, problem_text
from kataui.images.archive import GZIP_MAGIC
from kataui.images.blobs import MAX_CONFIG_BYTES, MAX_MANIFEST_BYTES
from kataui.images.choose import CONTAINERD_NAME, tag_of
from kataui.images.config import MAX_LAYERS, parse_config
from kataui.images.model import (
    OCI_CONFIG,
    OCI_LAYER_GZIP,
    OCI_LAYER_TAR,
    OCI_LAYER_ZSTD,
    OCI_MANIFEST,
    REF_NAME,
    Descriptor,
    Digest,
)
from kataui.images.tree import Tree, missing, read_small
from kataui.progress import Control

MANIFEST_NAME = "manifest.json"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"  # RFC 8878, 3.1.1
_MAX_IMAGES = 1000
_NAMED_BY_DIGEST = re.compile(r"(?:.*/)?([0-9a-f]{64})(?:\.json)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Saved:
    """One image of ``manifest.json``."""

    config: str
    layers: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(slots=True)
class DockerBlobs:
    """Members of the archive by their digest, and the manifest that was made for them."""

    _tree: Tree
    _made: dict[Digest, bytes] = field(default_factory=dict)
    _names: dict[Digest, str] = field(default_factory=dict)

    def has(self, digest: Digest) -> bool:
        """Whether the blob is there."""
        return digest in self._made or digest in self._names

    def open(self, digest: Digest) -> BinaryIO:
        """A raw stream of the blob; raises ``ImageError`` when it is missing."""
        if digest in self._made:
            return BytesIO(self._made[digest])
        return self._tree.open(self._name(digest))

    def size_bytes(self, digest: Digest) -> int:
        """The stored size; raises ``ImageError`` when the blob is missing."""
        if digest in self._made:
            return len(self._made[digest])
        name = self._name(digest)
        size = self._tree.size_bytes(name)
        if size is None:
            raise missing(name)
        return size

    def digests(self) -> Iterable[Digest]:
        """All blobs that are stored here."""
        return (*self._made, *self._names)

    def close(self) -> None:
        """Release the archive."""
        self._tree.close()

    def add(self, data: bytes, media_type: str) -> Descriptor:
        """Keep a small blob in memory."""
        digest = Digest.of(data)
        self._made[digest] = data
        return Descriptor(media_type, digest, len(data))

    def add_layer(self, name: str, diff_id: Digest, control: Control) -> Descriptor:
        """Take the member ``name`` as a layer.

        A plain tar's digest is its diff_id, which is checked when it is streamed; a compressed
        one is hashed now.
        """
        size = self._tree.size_bytes(name)
        if size is None:
            raise missing(name)
        with self._tree.open(name) as stream:
            media_type = _sniffed(stream.read(len(_ZSTD_MAGIC)))
            stream.seek(0)
            plain = media_type == OCI_LAYER_TAR
            digest = diff_id if plain else _hash(stream, size, name, control)
        self._names[digest] = name
        return Descriptor(media_type, digest, size)

    def _name(self, digest: Digest) -> str:
        if digest not in self._names:
            raise missing(f"The blob {digest.short}")
        return self._names[digest]


def tags_in(tree: Tree) -> list[str]:
    """The names under which the archive has images; raises ``KatauiError``."""
    data = read_small(tree, MANIFEST_NAME, limit_bytes=MAX_MANIFEST_BYTES)
    saved = _images(parse_json(data, what=MANIFEST_NAME))
    return list(dict.fromkeys(tag_of(name) for one in saved for name in one.names))


def open_saved(tree: Tree, tag: str, *, control: Control) -> tuple[DockerBlobs, Descriptor, str]:
    """The blobs, the descriptor of the manifest made for the image, and its tag.

    Raises ``KatauiError`` when a part is missing or malformed, or when ``tag`` does not name
    exactly one image.
    """
    data = read_small(tree, MANIFEST_NAME, limit_bytes=MAX_MANIFEST_BYTES)
    saved, name = _choose(_images(parse_json(data, what=MANIFEST_NAME)), tag)
    blobs = DockerBlobs(tree)
    raw = read_small(tree, saved.config, limit_bytes=MAX_CONFIG_BYTES)
    _check_name(saved.config, raw)
    diff_ids = parse_config(raw).diff_ids
    if len(diff_ids) != len(saved.layers):
        raise ImageError(
            f"{MANIFEST_NAME} lists {len(saved.layers)} layers, but the configuration has "
            f"{len(diff_ids)} diff_ids."
        )
    config = blobs.add(raw, OCI_CONFIG)
    layers = [
        blobs.add_layer(layer, diff_id, control)
        for layer, diff_id in zip(saved.layers, diff_ids, strict=True)
    ]
    root = blobs.add(_manifest(config, layers), OCI_MANIFEST)
    chosen = tag or (tag_of(name) if name else "")
    names = {CONTAINERD_NAME: name, REF_NAME: chosen} if name else {}
    return blobs, Descriptor(OCI_MANIFEST, root.digest, root.size_bytes, names), chosen


def _manifest(config: Descriptor, layers: Sequence[Descriptor]) -> bytes:
    return compact_json(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": config.as_json(),
            "layers": [layer.as_json() for layer in layers],
        }
    )


def _images(value: object) -> list[_Saved]:
    if not isinstance(value, list) or not 0 < len(value) <= _MAX_IMAGES:
        raise ImageError(f"{MANIFEST_NAME} lists no images.")
    return [_image(item) for item in value]


def _image(value: object) -> _Saved:
    item: dict[str, Any] = value if isinstance(value, dict) else {}
    config = item.get("Config")
    layers = _texts(item.get("Layers"))
    names = _texts(item.get("RepoTags"))
    if not isinstance(config, str) or layers is None or names is None or len(layers) > MAX_LAYERS:
        raise ImageError(f"{MANIFEST_NAME} describes an image in a way that is not known.")
    return _Saved(config, layers, names)


def _texts(value: object) -> tuple[str, ...] | None:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return None
    return tuple(value)


def _choose(images: list[_Saved], tag: str) -> tuple[_Saved, str]:
    """The image that the tag means, and its full name."""
    if not tag and len(images) == 1:
        return images[0], next(iter(images[0].names), "")
    found = [
        (image, name) for image in images for name in image.names if tag and tag_of(name) == tag
    ]
    if len({image.config for image, _ in found}) == 1:
        return found[0]
    named = clean(", ".join(name for image in images for name in image.names)) or "no tags"
    if tag and not found:
        raise ImageError(
            f"There is no image with the tag {clean(tag, limit=130)!r} here.",
            hint=f"It has: {named}.",
        )
    raise ImageError(
        f"There are {len(found) or len(images)} images here: {named}.",
        hint="Choose one: write PATH:TAG, or save the image alone.",
    )


def _check_name(name: str, raw: bytes) -> None:
    match = _NAMED_BY_DIGEST.fullmatch(name)
    if match and match.group(1) != Digest.of(raw).hex:
        raise IntegrityError(
            "The configuration is not what its name says.",
            hint="The image is damaged or was changed; get it again.",
        )


def _sniffed(head: bytes) -> str:
    if head.startswith(GZIP_MAGIC):
        return OCI_LAYER_GZIP
    return OCI_LAYER_ZSTD if head == _ZSTD_MAGIC else OCI_LAYER_TAR


def _hash(stream: BinaryIO, size: int, name: str, control: Control) -> Digest:
    state = hashlib.sha256()
    done = 0
    try:
        while chunk := stream.read(CHUNK_BYTES):
            state.update(chunk)
            done += len(chunk)
            control.report(f"Hashing {clean(name, limit=80)}", done, size)
    except OSError as error:
        raise ImageError(f"Cannot read {clean(name)}: {problem_text(error)}.") from error
    return Digest(state.hexdigest())
