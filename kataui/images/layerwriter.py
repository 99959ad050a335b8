"""Passing one layer from a source into a layout: copied, encrypted or decrypted.

Each layer is read once and written once; what was read is checked against its descriptor.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from kataui.errors import ImageError, IntegrityError
from kataui.images import streams
from kataui.images.keys import KeyRing, unwrap_options
from kataui.images.layercipher import PUBOPTS, PrivateOptions, PublicOptions, strip_encryption
from kataui.images.model import (
    ENCRYPTED_SUFFIX,
    OCI_LAYER_GZIP,
    OCI_LAYER_TAR,
    OCI_LAYER_ZSTD,
    Descriptor,
    Digest,
    Layer,
)
from kataui.images.recipients import Recipient, wrap_options
from kataui.images.source import Source
from kataui.images.transform import oci_layer_type
from kataui.images.writer import LayoutWriter
from kataui.progress import Control

_ZSTD_CHUNKED = "io.github.containers.zstd-chunked."
_CAN_BE_ENCRYPTED = frozenset({OCI_LAYER_TAR, OCI_LAYER_GZIP, OCI_LAYER_ZSTD})
Lane = Callable[[streams.Sink], streams.Sink]


@dataclass(frozen=True, slots=True)
class Meter:
    """Progress over the layers of all platforms."""

    control: Control
    verb: str
    count: int

    def step(self, number: int, total_bytes: int) -> Callable[[int], None]:
        """A function that takes the size of each chunk of layer ``number`` (from 1)."""
        done = 0
        name = f"{self.verb} layer {number} of {self.count}"
        self.control.report(name, 0, total_bytes)

        def on_bytes(size_bytes: int) -> None:
            nonlocal done
            done += size_bytes
            self.control.report(name, min(done, total_bytes), total_bytes)

        return on_bytes


class LayerWriter:
    """Writes layers into a layout; a blob that several platforms share is written once."""

    def __init__(self, source: Source, layout: LayoutWriter, control: Control, verb: str) -> None:
        count = sum(len(image.layers) for image in source.images)
        self._blobs = source.blobs
        self._layout = layout
        self._control = control
        self._meter = Meter(control, verb, count)
        self._number = 0
        self._done: dict[tuple[Digest, str], Descriptor] = {}

    def once(self, layer: Layer, kind: str, make: Callable[[Layer], Descriptor]) -> Descriptor:
        """``make(layer)``, or what it gave before for the same blob and treatment."""
        self._number += 1
        known = (layer.descriptor.digest, kind)
        if known not in self._done:
            self._done[known] = make(layer)
        return self._done[known]

    def _pass(
        self,
        layer: Layer,
        build: Callable[[streams.Sink, Lane], streams.Sink],
        *,
        hash_source: bool = True,
    ) -> tuple[Digest, int]:
        """Read a layer, check it, send it through ``build`` into a blob; its digest and size.

        Without ``hash_source`` only the size is checked here, and the caller sees to the digest.
        """
        descriptor = layer.descriptor
        what = f"layer {layer.index}"
        source_hash, out_hash, count = streams.Hash(), streams.Hash(), streams.Count()
        on_bytes = self._meter.step(self._number, descriptor.size_bytes)
        with (
            self._blobs.open(descriptor.digest) as stream,
            self._layout.blob() as part,
            streams.lanes() as lane,
        ):
            out = streams.Tee(lane(out_hash), count, part)
            sinks = [build(out, lane), *([lane(source_hash)] if hash_source else [])]
            read = streams.pump(stream, sinks, on_bytes=on_bytes, what=what)
            known = source_hash.hex if hash_source else descriptor.digest.hex
            check_blob(descriptor, read, known, what)
            digest = Digest(out_hash.hex)
            part.keep(digest)
        return digest, count.size_bytes

    def copy(self, layer: Layer, *, only_gzip: bool = False) -> Descriptor:
        """As it is; plain tar becomes gzip, so that a push does not change the digest.

        ``only_gzip`` repacks zstd as well.
        """
        descriptor = layer.descriptor
        media_type = oci_layer_type(descriptor.media_type)
        if media_type == OCI_LAYER_TAR or (only_gzip and media_type == OCI_LAYER_ZSTD):

            def build(out: streams.Sink, lane: Lane) -> streams.Sink:
                packed = streams.Gzip(out)
                return packed if media_type == OCI_LAYER_TAR else lane(streams.Unzstd(packed))

            digest, size = self._pass(layer, build)
            descriptor = replace(descriptor, annotations=_keep(descriptor.annotations))
            return replace(descriptor, media_type=OCI_LAYER_GZIP, digest=digest, size_bytes=size)
        digest, size = self._pass(layer, lambda out, _: out, hash_source=False)
        check_blob(descriptor, size, digest.hex, f"layer {layer.index}")
        return replace(descriptor, media_type=media_type)

    def encrypt(
        self, layer: Layer, recipients: Sequence[Recipient], *, only_gzip: bool, proved: bool
    ) -> Descriptor:
        """With a fresh key and nonce, wrapped for all recipients; ``only_gzip`` repacks zstd.

        ``proved``: the result will be decrypted and held against the source's digest before
        anybody sees it, so the source is not hashed here as well (a fifth of the time).
        """
        media_type = oci_layer_type(layer.descriptor.media_type)
        _require_encryptable(layer, media_type)
        repack = only_gzip and media_type == OCI_LAYER_ZSTD
        secret = PrivateOptions.fresh(layer.descriptor.digest)
        mac = streams.Mac(secret.key)
        plain = streams.Hash()

        def build(out: streams.Sink, lane: Lane) -> streams.Sink:
            cipher = streams.Ctr(secret.key, secret.nonce, streams.Tee(lane(mac), out))
            if not repack:
                return cipher
            return lane(streams.Unzstd(streams.Gzip(streams.Tee(plain, cipher))))

        digest, size = self._pass(layer, build, hash_source=repack or not proved)
        if repack:
            media_type = OCI_LAYER_GZIP
            secret = replace(secret, digest=f"sha256:{plain.hex}")
        annotations = {
            **_keep(layer.descriptor.annotations),
            **wrap_options(recipients, secret.as_bytes()),
            PUBOPTS: PublicOptions(mac.value).annotation(),
        }
        return Descriptor(media_type + ENCRYPTED_SUFFIX, digest, size, annotations)

    def decrypt(self, layer: Layer, ring: KeyRing) -> Descriptor:
        """The layer as it was before encryption; nothing is kept when the HMAC is wrong."""
        descriptor = layer.descriptor
        public = PublicOptions.parse(descriptor.annotations)
        secret = PrivateOptions.parse(unwrap_options(descriptor.annotations, ring), public)
        mac = streams.Mac(secret.key)

        def build(out: streams.Sink, lane: Lane) -> streams.Sink:
            return streams.Tee(lane(mac), streams.Ctr(secret.key, secret.nonce, out))

        digest, size = self._pass(layer, build)
        if mac.value != public.mac:
            raise IntegrityError(
                f"Layer {layer.index} was changed after it was encrypted (its HMAC is wrong).",
                hint="Do not use this image; get it again from its maker.",
            )
        return Descriptor(
            oci_layer_type(descriptor.plain_type),
            digest,
            size,
            strip_encryption(descriptor.annotations),
        )


def check_blob(descriptor: Descriptor, size_bytes: int, hex_digest: str, what: str) -> None:
    """Raise ``IntegrityError`` when a blob that was read is not what its descriptor says."""
    if size_bytes != descriptor.size_bytes:
        raise IntegrityError(
            f"The {what} has {size_bytes} bytes, but {descriptor.size_bytes} were promised.",
            hint="The image is damaged or was changed; get it again.",
        )
    if hex_digest != descriptor.digest.hex:
        raise IntegrityError(
            f"The {what} is not what its digest {descriptor.digest.short} says.",
            hint="The image is damaged or was changed; get it again.",
        )


def _keep(annotations: Mapping[str, str]) -> dict[str, str]:
    """Annotations that stay true; zstd:chunked offsets do not survive encryption."""
    kept = strip_encryption(annotations)
    return {key: value for key, value in kept.items() if not key.startswith(_ZSTD_CHUNKED)}


def _require_encryptable(layer: Layer, media_type: str) -> None:
    if media_type not in _CAN_BE_ENCRYPTED:
        raise ImageError(
            f"Layer {layer.index} has a type that nobody can decrypt again: {media_type:.80}.",
            hint="Leave that layer out, or build the image again with ordinary layers.",
        )
