"""Reading manifests and indexes with every check that needs no layer's bytes.

Source: OCI image-spec v1.1, manifest.md, image-index.md, "Media Types" and descriptor.md.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kataui.errors import ImageError
from kataui.files import clean, parse_json_object
from kataui.images.blobs import MAX_CONFIG_BYTES, MAX_MANIFEST_BYTES, Blobs, read_blob
from kataui.images.config import MAX_LAYERS, layer_commands, parse_config
from kataui.images.model import (
    DOCKER_CONFIG,
    IMAGE_TYPES,
    INDEX_TYPES,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    Image,
    Layer,
    text_map,
)

MAX_ENTRIES = 1000
CONFIG_TYPES = frozenset({OCI_CONFIG, DOCKER_CONFIG})
_LAYER_TYPE = re.compile(
    r"application/vnd\.oci\.image\.layer\.(nondistributable\.)?v1\.tar(\+gzip|\+zstd)?"
    r"|application/vnd\.docker\.image\.rootfs\.(foreign\.)?diff\.tar(\.gzip|\.zstd)?",
    re.ASCII,
)
_CONFUSING = "It could be read as two different things, which is how signatures are got round."


@dataclass(frozen=True, slots=True)
class Manifest:
    """A checked manifest: its descriptor, exact bytes, JSON and the blobs it names."""

    descriptor: Descriptor
    raw: bytes
    value: Mapping[str, Any]
    config: Descriptor
    layers: tuple[Descriptor, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """A checked index: its exact bytes and entries."""

    raw: bytes
    entries: tuple[Descriptor, ...]


def read_manifest(blobs: Blobs, descriptor: Descriptor) -> Manifest:
    """The image manifest that ``descriptor`` points to; its blobs are not looked at yet.

    Raises ``IntegrityError`` when its bytes are not those promised, ``KatauiError`` when it is
    no manifest of a container image.
    """
    raw = read_blob(blobs, descriptor, limit_bytes=MAX_MANIFEST_BYTES, what="manifest")
    value = parse_json_object(raw, what="manifest")
    _check_kind(value, descriptor, "manifest", foreign="manifests")
    text_map(value.get("annotations"), what="annotations of the manifest")
    config = Descriptor.parse(value.get("config"), what="configuration in the manifest")
    if config.media_type not in CONFIG_TYPES:
        kind = clean(config.media_type, limit=90)
        raise ImageError(
            f"This is not a container image: its configuration is of type {kind}.",
            hint="Choose the image itself, not a signature, attestation or other artifact.",
        )
    layers = [] if value.get("layers") is None else value["layers"]
    if not isinstance(layers, list) or len(layers) > MAX_LAYERS:
        raise ImageError("The manifest has no believable list of layers.")
    parsed = tuple(
        Descriptor.parse(item, what=f"layer {index} in the manifest")
        for index, item in enumerate(layers)
    )
    for index, layer in enumerate(parsed):
        if not _LAYER_TYPE.fullmatch(layer.plain_type):
            kind = clean(layer.media_type, limit=90)
            raise ImageError(f"Layer {index} is of type {kind}, which no image layer has.")
    return Manifest(descriptor, raw, value, config, parsed)


def read_image(blobs: Blobs, manifest: Manifest) -> Image:
    """The image of a manifest, its configuration read and checked; layers are not read.

    Raises as ``read_manifest`` does, and when layers and diff_ids are not equally many.
    """
    raw = read_blob(blobs, manifest.config, limit_bytes=MAX_CONFIG_BYTES, what="configuration")
    config = parse_config(raw)
    if len(config.diff_ids) != len(manifest.layers):
        raise ImageError(
            f"The manifest has {len(manifest.layers)} layers, but the configuration has "
            f"{len(config.diff_ids)} diff_ids."
        )
    commands = layer_commands(config, len(manifest.layers))
    layers = tuple(
        Layer(index, layer, diff_id, command)
        for index, (layer, diff_id, command) in enumerate(
            zip(manifest.layers, config.diff_ids, commands, strict=True)
        )
    )
    return Image(manifest.descriptor, manifest.raw, manifest.value, config, manifest.config, layers)


def read_nested_index(blobs: Blobs, descriptor: Descriptor) -> Index:
    """The multi-platform index that ``descriptor`` points to, checked like a manifest."""
    raw = read_blob(blobs, descriptor, limit_bytes=MAX_MANIFEST_BYTES, what="index")
    value = parse_json_object(raw, what="index")
    _check_kind(value, descriptor, "index", foreign="layers")
    return Index(raw, index_entries(value))


def index_entries(value: Mapping[str, Any]) -> tuple[Descriptor, ...]:
    """The entries of an index; raises ``ImageError`` when it is none."""
    _check_version(value, "index")
    if "layers" in value or "config" in value:
        raise ImageError("The index has layers like a manifest.", hint=_CONFUSING)
    kind = value.get("mediaType", OCI_INDEX)
    if not isinstance(kind, str) or kind not in INDEX_TYPES:
        raise ImageError(f"The index says that it is of type {clean(str(kind), limit=90)}.")
    entries = [] if value.get("manifests") is None else value["manifests"]
    if not isinstance(entries, list) or len(entries) > MAX_ENTRIES:
        raise ImageError("The index has no believable list of images.")
    return tuple(
        Descriptor.parse(item, what=f"entry {number} of the index")
        for number, item in enumerate(entries)
    )


def guess_type(value: Mapping[str, Any]) -> str:
    """The media type of a manifest or index that has no descriptor (``dir:`` images)."""
    kind = value.get("mediaType")
    if isinstance(kind, str) and kind in IMAGE_TYPES | INDEX_TYPES:
        return kind
    return OCI_INDEX if "manifests" in value else OCI_MANIFEST


def _check_kind(
    value: Mapping[str, Any], descriptor: Descriptor, what: str, *, foreign: str
) -> None:
    _check_version(value, what)
    if foreign in value:
        raise ImageError(f"The {what} has {foreign} as well.", hint=_CONFUSING)
    kind = value.get("mediaType", descriptor.media_type)
    if kind != descriptor.media_type:
        raise ImageError(
            f"The {what} says that it is of type {clean(str(kind), limit=90)}, "
            f"but {clean(descriptor.media_type, limit=90)} was promised.",
            hint=_CONFUSING,
        )


def _check_version(value: Mapping[str, Any], what: str) -> None:
    version = value.get("schemaVersion")
    if type(version) is not int or version != 2:
        raise ImageError(
            f"The {what} has schema version {clean(str(version), limit=40)}, not 2.",
            hint="Convert it with a current tool, for example skopeo copy --format oci.",
        )
