"""Changing who may decrypt an image: only manifests are written, never a layer.

Source: containers/ocicrypt, encryption.go (EncryptLayer of an encrypted layer adds a packet).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kataui.errors import ImageError, KeyProblem
from kataui.files import compact_json, parse_json_object
from kataui.findings import Finding, Severity
from kataui.images.encrypt import choose_profile
from kataui.images.keys import KeyRing, unwrap_options
from kataui.images.model import Descriptor, Digest, Image, Layer
from kataui.images.recipients import (
    Recipient,
    Scheme,
    list_recipients,
    merge_annotations,
    remove_recipients,
    wrap_options,
)
from kataui.images.signatures import KIND, KIND_SIGNATURES
from kataui.images.source import Source, Transport
from kataui.images.writer import LayoutWriter


@dataclass(frozen=True, slots=True)
class Change:
    """The new root digest, and who may decrypt each encrypted layer now."""

    digest: Digest
    recipients: tuple[tuple[int, str], ...]
    findings: tuple[Finding, ...]


def change_recipients(
    source: Source, *, ring: KeyRing, add: Sequence[Recipient], remove: Sequence[str]
) -> Change:
    """Add and remove recipients of every encrypted layer, in place.

    Adding needs a key that opens the layers. The manifests that are replaced are deleted, for
    they hold the wrapped keys of those removed; signatures are dropped, for they are over the old
    digest. Raises ``ImageError`` when the source is no layout folder, ``WrongKey`` when no key
    opens a layer, ``KeyProblem`` when nobody would be left or a guest would refuse the image.
    """
    _require_folder(source)
    if not add and not remove:
        raise KeyProblem("Nothing to change.", hint="Use --add or --remove.")
    layout = LayoutWriter(Path(source.path))
    written = {image.digest: _rewrite(image, layout, ring, add, remove) for image in source.images}
    root = _new_root(source, layout, written)
    dropped = [entry for entry in source.entries if _is_signature(entry)]
    others = [
        entry
        for entry in source.entries
        if entry.digest != source.root.digest and entry not in dropped
    ]
    layout.write_index([root, *others])
    _forget(layout, source, {root.digest, *(item.digest for item, _ in written.values())})
    names = [pair for _, pairs in written.values() for pair in pairs]
    return Change(root.digest, tuple(names), tuple(_notes(remove, dropped)))


def _require_folder(source: Source) -> None:
    if source.transport is not Transport.OCI:
        raise ImageError(
            "Recipients can be changed only in an OCI layout folder.",
            hint="Unpack the archive first: skopeo copy oci-archive:FILE oci:FOLDER:TAG",
        )
    if not any(layer.encrypted for image in source.images for layer in image.layers):
        raise ImageError("No layer of this image is encrypted.")


def _is_signature(entry: Descriptor) -> bool:
    return entry.annotations.get(KIND) == KIND_SIGNATURES


def _rewrite(
    image: Image,
    layout: LayoutWriter,
    ring: KeyRing,
    add: Sequence[Recipient],
    remove: Sequence[str],
) -> tuple[Descriptor, list[tuple[int, str]]]:
    layers: list[dict[str, Any]] = []
    names = []
    for layer in image.layers:
        descriptor = layer.descriptor
        if layer.encrypted:
            annotations = _annotations(layer, ring, add, remove)
            descriptor = replace(descriptor, annotations=annotations)
            who = ", ".join(f"{i.scheme.value} {i.name}" for i in list_recipients(annotations))
            names.append((layer.index, who))
        layers.append(descriptor.as_json())
    raw = compact_json({**image.manifest, "layers": layers})
    written = layout.add(raw, image.descriptor.media_type)
    return replace(image.descriptor, digest=written.digest, size_bytes=written.size_bytes), names


def _annotations(
    layer: Layer, ring: KeyRing, add: Sequence[Recipient], remove: Sequence[str]
) -> dict[str, str]:
    annotations = dict(layer.descriptor.annotations)
    if add:
        _require_same_kind(annotations, add, remove)
        new = wrap_options(add, unwrap_options(annotations, ring))
        annotations = merge_annotations(annotations, new)
    return remove_recipients(annotations, remove) if remove else annotations


def _require_same_kind(
    annotations: dict[str, str], add: Sequence[Recipient], remove: Sequence[str]
) -> None:
    """A guest refuses an image with a provider's packet beside others, or with two."""
    choose_profile("", add)
    has = {info.scheme for info in list_recipients(annotations)}
    if remove:
        return
    brokers = Scheme.PROVIDER in has, any(item.scheme is Scheme.PROVIDER for item in add)
    if any(brokers):
        raise KeyProblem(
            "A confidential guest opens an image for one kbs: recipient only.",
            hint="Add the new recipient and remove the old one in the same command.",
        )


def _new_root(
    source: Source, layout: LayoutWriter, written: dict[Digest, tuple[Descriptor, Any]]
) -> Descriptor:
    """The manifest, or the index with its manifests' digests replaced."""
    if not source.is_index:
        made = written[source.root.digest][0]
        return replace(source.root, digest=made.digest, size_bytes=made.size_bytes)
    index = parse_json_object(source.index_raw, what="image index")
    for entry in index["manifests"]:
        changed = written.get(Digest.parse(entry["digest"]))
        if changed is not None:
            entry["digest"] = str(changed[0].digest)
            entry["size"] = changed[0].size_bytes
    made = layout.add(compact_json(index), source.root.media_type)
    return replace(source.root, digest=made.digest, size_bytes=made.size_bytes)


def _forget(layout: LayoutWriter, source: Source, kept: set[Digest]) -> None:
    """Delete replaced manifests, and signature manifests over them."""
    old = {source.root.digest, *(image.digest for image in source.images)}
    old |= {entry.digest for entry in source.entries if _is_signature(entry)}
    for digest in old - kept:
        layout.delete(digest)


def _notes(remove: Sequence[str], dropped: Sequence[Descriptor]) -> list[Finding]:
    notes = []
    if dropped:
        message = "The signatures were dropped: they were for the digest before this change."
        fix = "Sign it again with kataui image sign."
        notes.append(Finding("IMG-SIG-DROPPED", Severity.WARNING, "Signature", message, fix=fix))
    if remove:
        message = "Whoever has an earlier copy and was removed can still open that copy."
        why = "Only the wrapped keys change, not the layers. Encrypt again to shut them out."
        notes.append(Finding("IMG-OLD-COPY", Severity.WARNING, "Recipients", message, why=why))
    return notes
