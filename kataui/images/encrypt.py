"""Encrypting and decrypting an image, and changing who may decrypt it.

Source of the format: containers/ocicrypt and containers/image (see ``layercipher``). A guest of
the Confidential Containers project opens gzip and tar only, and one provider annotation.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum

from kataui.errors import ImageError, KeyProblem
from kataui.findings import Finding, Severity
from kataui.images.keys import KeyRing
from kataui.images.layerwriter import LayerWriter
from kataui.images.model import OCI_LAYER_ZSTD, Descriptor, Image, Layer
from kataui.images.recipients import Recipient, Scheme, list_recipients
from kataui.images.source import Source
from kataui.images.transform import write_image
from kataui.images.writer import LayoutWriter
from kataui.progress import Control

Selection = Callable[[Image], frozenset[int]]


class Profile(StrEnum):
    """Who is to open the image."""

    COCO = "coco"  # a confidential Kata guest
    HOST = "host"  # skopeo, buildah, podman, containerd


def choose_profile(name: str, recipients: Sequence[Recipient]) -> Profile:
    """The profile asked for, or the one that fits the recipients.

    Raises ``KeyProblem`` when a guest could not open what would be written: its key provider
    takes the first annotation that it knows and fails on a mixture (ocicrypt-rs, encryption.rs).
    """
    brokers = [item for item in recipients if item.scheme == Scheme.PROVIDER]
    mixed = 0 < len(brokers) < len(recipients)
    if mixed:
        raise KeyProblem(
            "A kbs: recipient cannot be mixed with others: a confidential guest refuses the image.",
            hint="Make two images, one for guests (kbs:) and one for hosts.",
        )
    wanted = Profile(name) if name else (Profile.COCO if brokers else Profile.HOST)
    if wanted is Profile.COCO and not brokers:
        raise KeyProblem(
            "A confidential guest opens only images with a kbs: recipient.",
            hint="Use --recipient kbs:///REPO/TYPE/TAG=KEYFILE, or --profile host.",
        )
    return wanted


def check_selection(source: Source, selection: Selection) -> tuple[Finding, ...]:
    """What to tell of chosen layers that are encrypted already: they keep their recipients.

    Raises ``ImageError`` when nothing that is chosen could be encrypted, for nobody would be added
    (skopeo ends with success then, and people think that they have new keys).
    """
    chosen = [
        layer
        for image in source.images
        for layer in image.layers
        if layer.index in selection(image)
    ]
    kept = sum(1 for layer in chosen if layer.encrypted)
    if not chosen:
        raise ImageError("The image has no layer that could be encrypted.")
    if kept == len(chosen):
        raise ImageError(
            "Every chosen layer is encrypted already, so nobody would be added.",
            hint="Add a recipient with kataui image recipients REF --key K --add R.",
        )
    if not kept:
        return ()
    message = f"{kept} of {len(chosen)} layers were encrypted before and keep their recipients."
    fix = "Add the new ones with kataui image recipients REF --key K --add R."
    return (Finding("IMG-KEPT-RECIPIENTS", Severity.WARNING, "Recipients", message, fix=fix),)


def _require_guest_opens(source: Source) -> None:
    """What was encrypted before and is kept must not make a guest refuse the image."""
    for layer in (layer for image in source.images for layer in image.layers if layer.encrypted):
        schemes = [info.scheme for info in list_recipients(layer.descriptor.annotations)]
        if schemes != [Scheme.PROVIDER] or layer.descriptor.plain_type == OCI_LAYER_ZSTD:
            raise KeyProblem(
                f"Layer {layer.index} was encrypted before in a way that no guest can open.",
                hint="Decrypt the image first (kataui image decrypt), then encrypt it as a whole.",
            )


def encrypt_image(
    source: Source,
    layout: LayoutWriter,
    *,
    recipients: Sequence[Recipient],
    selection: Selection,
    profile: Profile,
    tag: str,
    control: Control,
    proved: bool = False,
) -> Descriptor:
    """Write ``source`` into ``layout`` with the selected layers encrypted.

    ``proved`` says that the caller will decrypt the result and compare it with the source.

    Layers that are encrypted already stay as they are (a recipient is added with ``recipients``,
    not by encrypting twice). Gives the new root descriptor.
    """
    if not recipients:
        raise KeyProblem("Nobody is named who may decrypt.", hint="Add at least one --recipient.")
    check_selection(source, selection)
    guest = profile is Profile.COCO
    if guest:
        _require_guest_opens(source)
    writer = LayerWriter(source, layout, control, "Encrypting")

    def copy(layer: Layer) -> Descriptor:
        return writer.copy(layer, only_gzip=guest)

    def encrypt(layer: Layer) -> Descriptor:
        return writer.encrypt(layer, recipients, only_gzip=guest, proved=proved)

    def write_layer(image: Image, layer: Layer) -> Descriptor:
        if layer.encrypted or layer.index not in selection(image):
            return writer.once(layer, "copy", copy)
        return writer.once(layer, "encrypt", encrypt)

    return write_image(source, layout, tag, write_layer)


def decrypt_image(
    source: Source, layout: LayoutWriter, *, ring: KeyRing, tag: str, control: Control
) -> Descriptor:
    """Write ``source`` into ``layout`` with every encrypted layer decrypted and checked."""
    if not any(layer.encrypted for image in source.images for layer in image.layers):
        raise ImageError("No layer of this image is encrypted.")
    writer = LayerWriter(source, layout, control, "Decrypting")

    def write_layer(_: Image, layer: Layer) -> Descriptor:
        if layer.encrypted:
            return writer.once(layer, "decrypt", lambda item: writer.decrypt(item, ring))
        return writer.once(layer, "copy", writer.copy)

    return write_image(source, layout, tag, write_layer)
