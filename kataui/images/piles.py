"""An image as a pile of layers: what each weighs stored and unpacked, and where the base ends.

Only manifests and the ends of layers are read, so that a picture of a whole pod is there at once.
Sources: RFC 1952, 2.3.1 (ISIZE: the unpacked size modulo 2^32, in the last four bytes of a gzip
member); RFC 8878, 3.1.1.1 (zstd's frame content size); OCI image-spec v1.1.
"""

import os
from dataclasses import dataclass
from typing import BinaryIO

import zstandard

from kataui.images.base import find_base
from kataui.images.history import short_name
from kataui.images.layerproof import kind_of
from kataui.images.model import Layer
from kataui.images.open import open_source
from kataui.images.source import Source
from kataui.progress import Control

_ISIZE_BYTES = 4
_WRAPS_AT = 1 << 32
_USUAL_RATIO = 2.5  # of packed layers whose unpacked size is not told; see ``Pile.guessed_bytes``
_HEAD_BYTES = 512


@dataclass(frozen=True, slots=True)
class PileLayer:
    """One layer; ``digest`` is that of the stored blob (hex), by which nodes share it.

    ``unpacked_bytes`` is what the layer's own frame says, or a guess (``size_guessed``).
    """

    index: int
    name: str
    digest: str
    size_bytes: int
    unpacked_bytes: int
    base: bool
    encrypted: bool
    size_guessed: bool = False


@dataclass(frozen=True, slots=True)
class Pile:
    """An image for one platform; ``base_known`` is False when nobody can say where it ends.

    ``base_how`` tells people how the base is known; ``base_guessed`` that it is only likely.
    ``digest`` is the manifest's.
    """

    reference: str
    name: str
    digest: str
    platform: str
    layers: tuple[PileLayer, ...]
    base_known: bool
    base_guessed: bool
    base_how: str

    @property
    def size_bytes(self) -> int:
        """As stored."""
        return sum(layer.size_bytes for layer in self.layers)

    @property
    def unpacked_bytes(self) -> int:
        """As a guest holds it."""
        return sum(layer.unpacked_bytes for layer in self.layers)

    @property
    def guessed_bytes(self) -> int:
        """How many of the unpacked bytes are a guess."""
        return sum(layer.unpacked_bytes for layer in self.layers if layer.size_guessed)


def read_pile(reference: str, control: Control, *, name: str = "", base: str = "") -> Pile:
    """The pile of an image's first platform; raises what ``open_source`` and ``find_base`` raise.

    ``base`` is a number of layers or a reference, or empty to look for it.
    """
    with open_source(reference, control=control) as source:
        image = source.images[0]
        known = find_base(image, base, control=control)
        count = known.count or 0
        layers = tuple(_layer(source, layer, base=layer.index < count) for layer in image.layers)
        return Pile(
            reference=reference,
            name=name or reference,
            digest=str(source.root.digest),
            platform=str(image.config.platform),
            layers=layers,
            base_known=known.count is not None,
            base_guessed=known.guessed,
            base_how=known.how,
        )


def select(pile: Pile, layers: str) -> frozenset[int]:
    """The indexes that "all", "above-base" or "none" means; without a known base above is all."""
    if layers == "none":
        return frozenset()
    if layers == "above-base" and pile.base_known:
        return frozenset(layer.index for layer in pile.layers if not layer.base)
    return frozenset(layer.index for layer in pile.layers)


def _layer(source: Source, layer: Layer, *, base: bool) -> PileLayer:
    size = layer.descriptor.size_bytes
    told = None if layer.encrypted else _unpacked(source, layer)
    return PileLayer(
        index=layer.index,
        name=short_name(layer.command, layer.index),
        digest=layer.descriptor.digest.hex,
        size_bytes=size,
        unpacked_bytes=round(size * _USUAL_RATIO) if told is None else told,
        base=base,
        encrypted=layer.encrypted,
        size_guessed=told is None,
    )


def _unpacked(source: Source, layer: Layer) -> int | None:
    """What the blob itself says of its unpacked size, or None."""
    if not source.blobs.has(layer.descriptor.digest):
        return None
    with source.blobs.open(layer.descriptor.digest) as stream:
        head = stream.read(_HEAD_BYTES)
        match kind_of(head):
            case "gzip":
                return _from_gzip(stream, layer.descriptor.size_bytes)
            case "zstd":
                size = zstandard.frame_content_size(head)
                return size if size >= 0 else None
            case "tar":
                return layer.descriptor.size_bytes
    return None


def _from_gzip(stream: BinaryIO, size_bytes: int) -> int | None:
    """ISIZE knows 32 bits only: what is more than packed data can hold is added."""
    if size_bytes <= _ISIZE_BYTES:
        return None
    stream.seek(-_ISIZE_BYTES, os.SEEK_END)
    size = int.from_bytes(stream.read(_ISIZE_BYTES), "little")
    while size < size_bytes // 2:
        size += _WRAPS_AT
    return size
