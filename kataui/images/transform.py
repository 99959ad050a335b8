"""Writing an image again with other layers: what encrypting and decrypting have in common.

Configuration blobs are copied byte for byte; manifests become OCI manifests; an index gets the
digests of its new manifests. Source: OCI image-spec v1.1; containers/image, copy/single.go.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from kataui.files import compact_json, parse_json_object
from kataui.images.model import (
    DOCKER_LAYER_GZIP,
    DOCKER_LAYER_TAR,
    DOCKER_LAYER_ZSTD,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER_GZIP,
    OCI_LAYER_TAR,
    OCI_LAYER_ZSTD,
    OCI_MANIFEST,
    REF_NAME,
    Descriptor,
    Image,
    Layer,
    text_map,
)
from kataui.images.source import Source
from kataui.images.writer import LayoutWriter

_OCI_LAYER_TYPES = {
    DOCKER_LAYER_GZIP: OCI_LAYER_GZIP,
    DOCKER_LAYER_TAR: OCI_LAYER_TAR,
    DOCKER_LAYER_ZSTD: OCI_LAYER_ZSTD,
}
DEFAULT_TAG = "latest"
WriteLayer = Callable[[Image, Layer], Descriptor]


def oci_layer_type(media_type: str) -> str:
    """The OCI name of a layer type (docker's names are for docker's manifests only)."""
    return _OCI_LAYER_TYPES.get(media_type, media_type)


def write_image(
    source: Source, layout: LayoutWriter, tag: str, write_layer: WriteLayer
) -> Descriptor:
    """Write all images of ``source`` with layers from ``write_layer``, and ``index.json``.

    Gives the descriptor of the root (manifest or index) as it stands in ``index.json``, with
    ``tag`` as its reference name.
    """
    manifests = {
        image.digest: _write_manifest(image, layout, write_layer) for image in source.images
    }
    if source.is_index:
        root = _write_index(source, layout, manifests)
    else:
        root = manifests[source.images[0].digest]
    name = tag or source.tag or DEFAULT_TAG
    root = replace(root, annotations={REF_NAME: name.rsplit(":", 1)[-1].rsplit("/", 1)[-1]})
    layout.write_index([root])
    return root


def _write_manifest(image: Image, layout: LayoutWriter, write_layer: WriteLayer) -> Descriptor:
    layers = [write_layer(image, layer) for layer in image.layers]
    if not layout.has(image.config_descriptor.digest):
        layout.add(image.config.raw, OCI_CONFIG)
    config = replace(image.config_descriptor, media_type=OCI_CONFIG)
    manifest: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": config.as_json(),
        "layers": [layer.as_json() for layer in layers],
    }
    if image.annotations:
        manifest["annotations"] = dict(image.annotations)
    written = layout.add(compact_json(manifest), OCI_MANIFEST)
    return replace(written, platform=image.descriptor.platform)


def _write_index(
    source: Source, layout: LayoutWriter, manifests: dict[Any, Descriptor]
) -> Descriptor:
    """The index again; entries that were left out on opening (attestations) stay out."""
    old = parse_json_object(source.index_raw, what="image index")
    entries = []
    for image in source.images:
        annotations = image.descriptor.annotations
        entries.append(replace(manifests[image.digest], annotations=annotations).as_json())
    index: dict[str, Any] = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
    annotations = text_map(old.get("annotations"), what="annotations of the image index")
    if annotations:
        index["annotations"] = annotations
    return layout.add(compact_json(index), OCI_INDEX)
