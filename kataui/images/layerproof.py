"""Checking one stored layer in a single pass: digest, HMAC, plaintext and diff_id.

What is checked is what ocicrypt and the OCI configuration promise: the blob's digest
(image-spec, descriptor.md), the HMAC over the ciphertext (ocicrypt), the digest before encryption
(private options) and the digest of the uncompressed tar (image-spec, config.md, diff_ids).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from kataui.errors import ImageError, KatauiError, KeyProblem
from kataui.images import streams
from kataui.images.blobs import Blobs
from kataui.images.keys import KeyRing, unwrap_options, usable_keys
from kataui.images.layercipher import PrivateOptions, PublicOptions
from kataui.images.model import Digest, Image, Layer
from kataui.progress import Control

_GZIP = b"\x1f\x8b"  # RFC 1952, 2.3.1
_ZSTD = b"\x28\xb5\x2f\xfd"  # RFC 8878, 3.1.1
_TAR_MAGIC = b"ustar"  # POSIX.1-1988, offset 257
_TAR_HEADER_BYTES = 512


@dataclass(frozen=True, slots=True)
class LayerEvidence:
    """What was seen of one layer; ``None`` means "not checked".

    ``read_bytes`` were read. ``problem`` says why decrypting or unpacking failed. ``opened_by``
    names the keys that unwrap the layer's key. ``plain_digest`` is that of the decrypted blob.
    """

    layer: Layer
    present: bool = True
    read_bytes: int = 0
    digest_ok: bool = False
    reads_as: str = ""
    opened_by: tuple[str, ...] = ()
    mac_ok: bool | None = None
    plain_digest: Digest | None = None
    promised_digest: str = ""
    diff_ok: bool | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ImageEvidence:
    """The layers of one platform."""

    image: Image
    layers: tuple[LayerEvidence, ...]


def kind_of(head: bytes) -> str:
    """The kind of file that the first bytes begin: gzip, zstd or tar, else empty."""
    if head.startswith(_GZIP):
        return "gzip"
    if head.startswith(_ZSTD):
        return "zstd"
    if _is_tar_header(head):
        return "tar"
    return ""


def _is_tar_header(head: bytes) -> bool:
    """A tar header by its magic or, before POSIX, by its checksum (pax, "ustar Header")."""
    if len(head) < _TAR_HEADER_BYTES:
        return False
    if head[257:262] == _TAR_MAGIC or not any(head[:_TAR_HEADER_BYTES]):
        return True
    try:
        wanted = int(head[148:156].rstrip(b"\0 ") or b"-", 8)
    except ValueError:
        return False
    return wanted == sum(head[:148]) + 8 * 0x20 + sum(head[156:_TAR_HEADER_BYTES])


class _Unpacked:
    """Unpacks what it gets, by its first bytes: a media type may lie (skopeo 1.9.3 does)."""

    def __init__(self, sink: streams.Sink, control: Control) -> None:
        self._sink = sink
        self._control = control
        self._inner: streams.Sink | None = None

    def write(self, chunk: streams.Chunk) -> None:
        """Choose by the first chunk, then hand on."""
        if self._inner is None:
            kind = kind_of(bytes(chunk[:_TAR_HEADER_BYTES]))
            if kind == "gzip":
                self._inner = streams.Gunzip(self._sink, self._control)
            else:
                self._inner = streams.Unzstd(self._sink) if kind == "zstd" else self._sink
        self._inner.write(chunk)

    def finish(self) -> None:
        """Finish what was chosen."""
        (self._inner or self._sink).finish()


@dataclass(frozen=True, slots=True)
class _Opened:
    """A layer's key and the HMAC that its ciphertext must have."""

    secret: PrivateOptions
    mac: bytes


def check_layer(
    blobs: Blobs,
    layer: Layer,
    ring: KeyRing,
    *,
    on_bytes: Callable[[int], None],
    control: Control,
    content: streams.Sink | None = None,
) -> LayerEvidence:
    """Read a layer once and say what holds; a blob that is not there is ``present=False``.

    ``on_bytes`` gets the size of each chunk; ``content`` the plain tar, when it can be read.
    Raises ``Cancelled``, and ``ImageError`` when the storage cannot be read; everything wrong with
    the layer itself is in the evidence.
    """
    evidence = LayerEvidence(layer)
    if not blobs.has(layer.descriptor.digest):
        return replace(evidence, present=False)
    opened: _Opened | None = None
    if layer.encrypted:
        try:
            opened = _open(layer, ring)
        except KeyProblem:
            return _read(blobs, evidence, None, on_bytes, None)
        except KatauiError as error:
            return replace(_read(blobs, evidence, None, on_bytes, None), problem=error.message)
        evidence = replace(
            evidence,
            opened_by=usable_keys(layer.descriptor.annotations, ring),
            promised_digest=opened.secret.digest,
        )
    try:
        return _read(blobs, evidence, opened, on_bytes, control, tar=content)
    except ImageError as error:  # it does not unpack; read again for the digest and the HMAC
        again = _read(blobs, evidence, opened, on_bytes, None)
        return replace(again, diff_ok=False, problem=error.message)


def _open(layer: Layer, ring: KeyRing) -> _Opened:
    public = PublicOptions.parse(layer.descriptor.annotations)
    options = unwrap_options(layer.descriptor.annotations, ring)
    return _Opened(PrivateOptions.parse(options, public), public.mac)


def _read(
    blobs: Blobs,
    evidence: LayerEvidence,
    opened: _Opened | None,
    on_bytes: Callable[[int], None],
    unpack: Control | None,
    *,
    tar: streams.Sink | None = None,
) -> LayerEvidence:
    """One pass; with ``unpack`` (which can cancel) also the unpacked tar's digest, and ``tar``."""
    layer = evidence.layer
    digest, plain, diff, head = streams.Hash(), streams.Hash(), streams.Hash(), streams.Head()
    mac = streams.Mac(opened.secret.key if opened else b"")
    is_tar = layer.descriptor.plain_type.endswith(".tar")
    with blobs.open(layer.descriptor.digest) as stream, streams.lanes() as lane:
        content: list[streams.Sink] = [] if tar is None else [lane(tar)]
        if unpack is not None and not is_tar:
            content = [lane(_Unpacked(streams.Tee(lane(diff), *content), unpack))]
        sinks: list[streams.Sink] = [lane(digest), head]
        if opened is not None:
            inner = streams.Tee(lane(plain), *content)
            sinks += [lane(mac), streams.Ctr(opened.secret.key, opened.secret.nonce, inner)]
        else:
            sinks += content
        size = streams.pump(stream, sinks, on_bytes=on_bytes, what=f"layer {layer.index}")
    whole = digest.hex == layer.descriptor.digest.hex and size == layer.descriptor.size_bytes
    evidence = replace(evidence, read_bytes=size, digest_ok=whole)
    unpacked = diff if not is_tar else (plain if opened else digest)
    if unpack is not None:
        evidence = replace(evidence, diff_ok=unpacked.hex == layer.diff_id.hex)
    if layer.encrypted:
        evidence = replace(evidence, reads_as=kind_of(head.data))
    if opened is None:
        return evidence
    return replace(evidence, mac_ok=mac.value == opened.mac, plain_digest=Digest(plain.hex))
