"""Signing an OCI layout in place, so that cosign, skopeo and a guest all find what they need.

The layout gets one ``.sig`` image for each digest that somebody may pull (the index and every
platform manifest), and optionally cosign 3's bundle beside it. Everything is added first; one
rename of ``index.json`` makes it count. Source: sigstore/cosign, pkg/oci/layout.
"""

import base64
import contextlib
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from kataui.errors import ImageError
from kataui.files import compact_json
from kataui.images.model import (
    OCI_CONFIG,
    OCI_MANIFEST,
    REF_NAME,
    Descriptor,
    Digest,
)
from kataui.images.signatures import (
    KIND,
    KIND_SIGNATURES,
    is_signature,
    layout_signatures,
    signature_tag,
    signed_digest,
)
from kataui.images.simplesigning import (
    BUNDLE_TYPE,
    PAYLOAD_TYPE,
    SIGN_PREDICATE,
    SIGNATURE_ANNOTATION,
    Payload,
    check_identity,
    is_signed_by,
    make_bundle,
    parse_payload,
    sign,
)
from kataui.images.source import Source, Transport
from kataui.images.transform import DEFAULT_TAG
from kataui.images.writer import LayoutWriter
from kataui.progress import Control

KIND_IMAGE = "dev.cosignproject.cosign/image"
KIND_INDEX = "dev.cosignproject.cosign/imageIndex"
EMPTY_TYPE = "application/vnd.oci.empty.v1+json"


@dataclass(frozen=True, slots=True)
class Signed:
    """What was signed: the root that a tag names, and every digest with a signature now."""

    root: Digest
    tag: str
    digests: tuple[Digest, ...]
    identity: str


def sign_source(
    source: Source,
    *,
    key: ec.EllipticCurvePrivateKey,
    identity: str,
    bundle: bool = False,
    control: Control,
) -> Signed:
    """Add signatures over all digests of ``source``, which must be a layout folder.

    An earlier signature over the same payload by another key stays beside the new one. Raises
    ``ImageError`` when the source is no layout folder, ``KeyProblem`` for a bad identity.
    """
    repository = check_identity(identity)
    if source.transport != Transport.OCI:
        raise ImageError(
            "Only an OCI layout folder can be signed in place.",
            hint="Copy the image to a layout first, for example with kataui image protect.",
        )
    layout = LayoutWriter(Path(source.path))
    digests = tuple(dict.fromkeys((source.root.digest, *(i.digest for i in source.images))))
    signatures = []
    for number, digest in enumerate(digests, 1):
        control.report(f"Signing digest {number} of {len(digests)}", 0, 0)
        payload = Payload(digest, repository).as_bytes()
        signatures.append(_signature_image(source, layout, key, digest, payload))
        if bundle:
            _add_bundle(source, layout, key, digest)
    layout.write_index(_entries(source, signatures, digests))
    return Signed(source.root.digest, _name(source), digests, repository)


def _name(source: Source) -> str:
    """The tag of a layout that holds one image; skopeo needs one beside signatures."""
    return source.root.annotations.get(REF_NAME) or source.tag or DEFAULT_TAG


def _entries(
    source: Source, signatures: list[Descriptor], digests: tuple[Digest, ...]
) -> list[Descriptor]:
    """The root first, with cosign's kind; then its signatures; then other tags and images."""
    kind = KIND_INDEX if source.is_index else KIND_IMAGE
    name = _name(source)
    root = replace(source.root, annotations={**source.root.annotations, KIND: kind, REF_NAME: name})

    def is_replaced(entry: Descriptor) -> bool:
        if is_signature(entry):
            return signed_digest(entry, source) in digests
        return entry.digest == root.digest and entry.annotations.get(REF_NAME, name) == name

    return [root, *signatures, *(entry for entry in source.entries if not is_replaced(entry))]


def _signature_image(
    source: Source,
    layout: LayoutWriter,
    key: ec.EllipticCurvePrivateKey,
    digest: Digest,
    payload: bytes,
) -> Descriptor:
    """Write payload, configuration and manifest of a ``.sig`` image; gives its index entry."""
    signature = base64.b64encode(sign(key, payload)).decode("ascii")
    layer = replace(
        layout.add(payload, PAYLOAD_TYPE), annotations={SIGNATURE_ANNOTATION: signature}
    )
    layers = [*_others_layers(source, digest, key.public_key()), layer]
    config = {
        "architecture": "",
        "created": "0001-01-01T00:00:00Z",
        "history": [{"created": "0001-01-01T00:00:00Z"} for _ in layers],
        "os": "",
        "rootfs": {"type": "layers", "diff_ids": [str(item.digest) for item in layers]},
        "config": {},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": layout.add(compact_json(config), OCI_CONFIG).as_json(),
        "layers": [item.as_json() for item in layers],
    }
    entry = layout.add(compact_json(manifest), OCI_MANIFEST)
    return replace(entry, annotations={KIND: KIND_SIGNATURES, REF_NAME: signature_tag(digest)})


def _others_layers(
    source: Source, digest: Digest, own: ec.EllipticCurvePublicKey
) -> Iterator[Descriptor]:
    """Signatures of other keys over ``digest`` stay; those of ``own`` are replaced.

    A payload for another digest, or none at all, is left out: a guest refuses the whole signature
    image for it (image-rs, signature/policy/cosign).
    """
    for found in layout_signatures(source):
        if found.target != digest or found.layer is None:
            continue
        with contextlib.suppress(ImageError):
            claimed = parse_payload(found.payload).digest
            if claimed == digest and not is_signed_by(own, found.signature, found.payload):
                yield found.layer


def _add_bundle(
    source: Source, layout: LayoutWriter, key: ec.EllipticCurvePrivateKey, digest: Digest
) -> None:
    """Write a bundle as cosign 3 keeps it in a layout: in ``blobs/`` only, found by subject."""
    subject = next(
        item
        for item in (source.root, *(image.descriptor for image in source.images))
        if item.digest == digest
    )
    bundle = layout.add(make_bundle(key, digest), BUNDLE_TYPE)
    now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    manifest: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": BUNDLE_TYPE,
        "config": layout.add(b"{}", EMPTY_TYPE).as_json(),
        "layers": [bundle.as_json()],
        "subject": Descriptor(subject.media_type, digest, subject.size_bytes).as_json(),
        "annotations": {
            "org.opencontainers.image.created": now,
            "dev.sigstore.bundle.content": "dsse-envelope",
            "dev.sigstore.bundle.predicateType": SIGN_PREDICATE,
        },
    }
    layout.add(compact_json(manifest), OCI_MANIFEST)
