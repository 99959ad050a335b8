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
from kataui.images.model import OCI_LAYER_ZSTD, Descriptor, Digest, Image, Layer
from kataui.images.recipients import (
    Recipient,
    Scheme,
    list_recipients,
    merge_annotations,
    wrap_options,
)
from kataui.images.removal import remove_recipients
from kataui.images.signatures import is_signature, platform_digests, referrers, signed_digest
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
    old = {source.root.digest, *written}
    signatures = [
        entry
        for entry in source.entries
        if is_signature(entry) and signed_digest(entry, source) in old
    ]
    others = [
        _followed(entry, source.root, root)
        for entry in source.entries
        if entry not in signatures and entry != source.root
    ]
    dropped = {*(entry.digest for entry in signatures), *referrers(source, old)}
    entries = [root, *(entry for entry in others if entry.digest not in dropped)]
    layout.write_index(entries)
    used = {entry.digest for entry in entries}.union(
        *(platform_digests(source, entry) for entry in others),
        (item.digest for item, _ in written.values()),
    )
    for digest in {*old, *dropped} - used:
        layout.delete(digest)
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


def _followed(entry: Descriptor, old: Descriptor, new: Descriptor) -> Descriptor:
    """Another tag of the same image goes along with it."""
    if entry.digest != old.digest:
        return entry
    return replace(entry, digest=new.digest, size_bytes=new.size_bytes)


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
    """Who was there before goes first, so that a key can be replaced by one of the same name."""
    old = dict(layer.descriptor.annotations)
    if not add:
        return remove_recipients(old, remove, ring=ring)
    choose_profile("", add)
    left = remove_recipients(old, remove, ring=ring, may_be_all=True) if remove else old
    new = merge_annotations(left, wrap_options(add, unwrap_options(old, ring)))
    _require_for_guest(layer, new)
    return new


def _require_for_guest(layer: Layer, annotations: dict[str, str]) -> None:
    """A guest refuses a provider's packet beside others, or two of them, and encrypted zstd."""
    schemes = [info.scheme for info in list_recipients(annotations)]
    if Scheme.PROVIDER not in schemes:
        return
    if len(schemes) > 1:
        raise KeyProblem(
            "A confidential guest opens an image for one kbs: recipient only.",
            hint="Add the new recipient and remove all others in the same command.",
        )
    if layer.descriptor.plain_type == OCI_LAYER_ZSTD:
        raise KeyProblem(
            f"Layer {layer.index} is encrypted zstd, which a confidential guest cannot open.",
            hint="Decrypt the image and protect it again for the guest; that packs it as gzip.",
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


def _notes(remove: Sequence[str], dropped: set[Digest]) -> list[Finding]:
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
