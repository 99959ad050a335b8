"""Finding the signatures that lie with an image, and checking them against public keys.

Checked: cosign's ``.sig`` images and key-made v0.3 bundles. Seen but not checked, and said so:
GPG simple signing, keyless and certificate signatures, Notary Project signatures.
"""

import base64
import contextlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from kataui.errors import ImageError, KatauiError
from kataui.files import clean, parse_json_object
from kataui.images.blobs import MAX_MANIFEST_BYTES, read_blob
from kataui.images.cosignkey import load_public_key
from kataui.images.dirimage import dir_signatures
from kataui.images.manifest import read_nested_index
from kataui.images.model import INDEX_TYPES, REF_NAME, Descriptor, Digest
from kataui.images.simplesigning import (
    CERTIFICATE_ANNOTATION,
    PAYLOAD_TYPE,
    SIGNATURE_ANNOTATION,
    dsse_bytes,
    is_signed_by,
    parse_payload,
)
from kataui.images.source import Source, Transport

KIND = "kind"
KIND_SIGNATURES = "dev.cosignproject.cosign/sigs"
NOTATION_TYPE = "application/vnd.cncf.notary.signature"
BUNDLE_PREFIX = "application/vnd.dev.sigstore.bundle"
_MAX_SIGNATURES = 1000  # cosign refuses more (pkg/oci/mutate/signatures.go)
_MAX_PAYLOAD_BYTES = 1 << 20
_SIGSTORE_HEADER = b"\0sigstore-json\n"  # containers/image, internal/signature/signature.go


class Form(StrEnum):
    """How a signature is stored."""

    COSIGN = "cosign"
    BUNDLE = "bundle"
    GPG = "gpg"
    NOTATION = "notation"


class Status(StrEnum):
    """What checking gave; ``unknown`` is "could not check"."""

    VALID = "valid"
    INVALID = "invalid"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Found:
    """A signature as stored, before any check.

    ``target`` is the digest that its place says it is for; ``layer`` its descriptor in the
    ``.sig`` image; ``problem`` why it cannot be checked at all.
    """

    form: Form
    target: Digest | None
    payload: bytes = field(default=b"", repr=False)
    signature: bytes = field(default=b"", repr=False)
    layer: Descriptor | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one signature proves: the digest that it covers, for which repository, by which key."""

    form: Form
    status: Status
    digest: Digest | None
    identity: str
    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key to check with, and the name people know it by."""

    name: str
    key: ec.EllipticCurvePublicKey


def load_public_keys(paths: Sequence[str]) -> list[PublicKey]:
    """The keys of some files, named by them; empty paths are none. Raises ``KeyProblem``."""
    return [PublicKey(Path(path).name, load_public_key(Path(path))) for path in paths if path]


def signature_tag(digest: Digest) -> str:
    """The tag under which registries keep the signature image of ``digest``."""
    return f"sha256-{digest.hex}.sig"


def find_signatures(source: Source) -> tuple[Found, ...]:
    """Every signature that lies with the image, whatever its form; malformed ones too.

    Those of other images in the same layout, and of platforms that were not chosen, are left out.
    """
    if source.transport == Transport.DIR:
        return tuple(
            _from_dir(raw, source.root.digest) for raw in dir_signatures(Path(source.path))
        )
    others = _other_images(source)
    return tuple(found for found in layout_signatures(source) if found.target not in others)


def _other_images(source: Source) -> set[Digest]:
    """What a signature may be for that lies here besides what was opened."""
    found = {entry.digest for entry in source.entries if not is_signature(entry)}
    for entry in {item.digest: item for item in (source.root, *source.entries)}.values():
        found |= platform_digests(source, entry)
    return found - {source.root.digest, *(image.digest for image in source.images)}


def platform_digests(source: Source, entry: Descriptor) -> set[Digest]:
    """The digests that an index lists; nothing for an image, or an index that cannot be read."""
    if entry.media_type not in INDEX_TYPES:
        return set()
    try:
        return {item.digest for item in read_nested_index(source.blobs, entry).entries}
    except KatauiError:
        return set()


def is_signature(entry: Descriptor) -> bool:
    """Whether an entry of ``index.json`` is a ``.sig`` image."""
    name = entry.annotations.get(REF_NAME, "")
    return entry.annotations.get(KIND) == KIND_SIGNATURES or name.endswith(".sig")


def layout_signatures(source: Source) -> Iterator[Found]:
    """The ``.sig`` images in ``index.json``, and what refers to the image by ``subject``."""
    for entry in source.entries:
        is_sig = is_signature(entry)
        if not is_sig and entry.digest == source.root.digest:
            continue
        manifest = _manifest(source, entry)
        if manifest is None:
            if is_sig:
                target = signed_digest(entry, source)
                yield Found(Form.COSIGN, target, problem="its manifest is damaged")
        elif is_sig:
            yield from _from_sig_image(source, manifest, signed_digest(entry, source))
        else:
            yield from _from_referrer(source, manifest)
    listed = {entry.digest for entry in source.entries}
    for entry in _small_blobs(source):
        if entry.digest not in listed:
            yield from _from_referrer(source, _manifest(source, entry) or {})


def _small_blobs(source: Source) -> Iterator[Descriptor]:
    """Blobs that may be manifests: cosign 3 keeps its bundles unlisted (pkg/oci/layout)."""
    for digest in source.blobs.digests():
        size = source.blobs.size_bytes(digest)
        if size <= MAX_MANIFEST_BYTES:
            with source.blobs.open(digest) as stream:
                start = stream.read(1)
            if start == b"{":
                yield Descriptor("", digest, size)


def referrers(source: Source, targets: Collection[Digest]) -> set[Digest]:
    """Manifests whose ``subject`` is one of ``targets``, listed in ``index.json`` or not."""
    found = set()
    for entry in _small_blobs(source):
        subject = (_manifest(source, entry) or {}).get("subject")
        with contextlib.suppress(ImageError):
            if isinstance(subject, dict) and Digest.parse(subject.get("digest")) in targets:
                found.add(entry.digest)
    return found


def signed_digest(entry: Descriptor, source: Source) -> Digest:
    """The digest in a ``sha256-HEX.sig`` name; without one it is the root (cosign save)."""
    name = entry.annotations.get(REF_NAME, "")
    text = name.removesuffix(".sig").replace("sha256-", "sha256:", 1)
    try:
        return Digest.parse(text)
    except ImageError:
        return source.root.digest


def _manifest(source: Source, entry: Descriptor) -> dict[str, Any] | None:
    try:
        raw = read_blob(source.blobs, entry, limit_bytes=MAX_MANIFEST_BYTES, what="manifest")
        return parse_json_object(raw, what="manifest")
    except KatauiError:
        return None


def _layers(manifest: dict[str, Any]) -> list[Any]:
    layers = manifest.get("layers")
    return layers[:_MAX_SIGNATURES] if isinstance(layers, list) else []


def _from_sig_image(source: Source, manifest: dict[str, Any], target: Digest) -> Iterator[Found]:
    for value in _layers(manifest):
        try:
            layer = Descriptor.parse(value, what="signature layer")
            payload = read_blob(
                source.blobs, layer, limit_bytes=_MAX_PAYLOAD_BYTES, what="signature payload"
            )
        except KatauiError as error:
            yield Found(Form.COSIGN, target, problem=error.message)
            continue
        yield replace(_cosign(layer.media_type, layer.annotations, payload, target), layer=layer)


def _cosign(media_type: str, annotations: Any, payload: bytes, target: Digest) -> Found:
    found = Found(Form.COSIGN, target, payload)
    if media_type != PAYLOAD_TYPE:
        return replace(found, problem="an attachment of another kind, no signature")
    if CERTIFICATE_ANNOTATION in annotations:
        return replace(found, problem="made with a certificate (keyless or PKI)")
    try:
        signature = _decode(annotations.get(SIGNATURE_ANNOTATION))
    except ValueError:
        return replace(found, problem="its signature is not base64")
    return replace(found, signature=signature)


def _from_referrer(source: Source, manifest: dict[str, Any]) -> Iterator[Found]:
    """A manifest with a ``subject``: cosign 3's bundle, a notation signature, or neither."""
    subject = manifest.get("subject")
    if not isinstance(subject, dict):
        return
    try:
        target = Digest.parse(subject.get("digest"))
    except ImageError:
        return
    config = manifest.get("config")
    kind = config.get("mediaType") if isinstance(config, dict) else ""
    if NOTATION_TYPE in (kind, manifest.get("artifactType")):
        yield Found(Form.NOTATION, target, problem="made by the Notary Project's tools")
        return
    for value in _layers(manifest):
        media_type = value.get("mediaType") if isinstance(value, dict) else None
        if isinstance(media_type, str) and media_type.startswith(BUNDLE_PREFIX):
            yield _bundle(source, value, target)


def _bundle(source: Source, value: Any, target: Digest) -> Found:
    found = Found(Form.BUNDLE, target)
    try:
        layer = Descriptor.parse(value, what="bundle")
        raw = read_blob(source.blobs, layer, limit_bytes=_MAX_PAYLOAD_BYTES, what="bundle")
        bundle = parse_json_object(raw, what="bundle")
    except KatauiError as error:
        return replace(found, problem=error.message)
    try:
        material, envelope = bundle["verificationMaterial"], bundle["dsseEnvelope"]
        if "publicKey" not in material:
            return replace(found, problem="made with a certificate (keyless or PKI)")
        (signature,) = envelope["signatures"]
        return replace(
            found, payload=_decode(envelope["payload"]), signature=_decode(signature["sig"])
        )
    except (KeyError, TypeError, ValueError):
        return replace(found, problem="its bundle is of a form that is not known here")


def _from_dir(raw: bytes, root: Digest) -> Found:
    """A ``signature-N`` file of a ``dir:`` image (containers/image, internal/signature)."""
    if not raw.startswith(_SIGSTORE_HEADER):
        return Found(Form.GPG, root, problem="GPG simple signing")
    try:
        value = parse_json_object(raw.removeprefix(_SIGSTORE_HEADER), what="signature file")
        payload = _decode(value.get("payload"))
    except (KatauiError, ValueError):
        return Found(Form.COSIGN, root, problem="its file is damaged")
    annotations = value.get("annotations")
    return _cosign(
        str(value.get("mimeType")),
        annotations if isinstance(annotations, dict) else {},
        payload,
        root,
    )


def _decode(value: object) -> bytes:
    try:
        return base64.b64decode("".join(str(value or "").split("\n")), validate=True)
    except ValueError as error:
        raise ValueError("not base64") from error


def check_signature(
    found: Found, targets: Sequence[Digest], keys: Sequence[PublicKey], identity: str
) -> Evidence:
    """Check one signature: its digest, then the keys, then the repository it was made for.

    ``targets`` are the digests of what is here (root and platform manifests). Without ``keys``
    the status is unknown at best; a digest that is not here is invalid whatever the keys.
    """
    evidence = Evidence(found.form, Status.UNKNOWN, found.target, "", "", "")
    if found.problem:
        return replace(evidence, reason=f"Could not check: {found.problem}.")
    try:
        claimed, named = _claim(found)
    except KatauiError as error:
        return replace(evidence, status=Status.INVALID, reason=error.message)
    evidence = replace(evidence, digest=claimed, identity=clean(named))
    if claimed not in targets or (found.target is not None and claimed != found.target):
        reason = (
            f"It is for {claimed.short}, which is not this image: it was signed before the image "
            "was encrypted or changed, or it belongs to another one."
        )
        return replace(evidence, status=Status.INVALID, reason=reason)
    if not keys:
        return replace(evidence, reason="Could not check: no public key was given.")
    signed = dsse_bytes(found.payload) if found.form is Form.BUNDLE else found.payload
    signer = next((k.name for k in keys if is_signed_by(k.key, found.signature, signed)), "")
    if not signer:
        reason = "None of the given public keys made it, or it was changed."
        return replace(evidence, status=Status.INVALID, reason=reason)
    return _check_identity(replace(evidence, key=signer), identity)


def _check_identity(evidence: Evidence, identity: str) -> Evidence:
    if not identity:
        return replace(evidence, status=Status.VALID, reason="")
    if not evidence.identity:
        reason = "The key is right, but this form of signature names no repository."
        return replace(evidence, reason=reason)
    if repository_of(evidence.identity) == repository_of(identity):
        return replace(evidence, status=Status.VALID, reason="")
    reason = f"It was made for {evidence.identity}, not for {clean(identity)}."
    return replace(evidence, status=Status.INVALID, reason=reason)


def repository_of(reference: str) -> str:
    """A reference without tag and digest (skopeo signs with the tag, cosign without)."""
    name = reference.removeprefix("docker://").partition("@")[0]
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def _claim(found: Found) -> tuple[Digest, str]:
    """The digest and repository that the signed bytes name."""
    if found.form is Form.COSIGN:
        payload = parse_payload(found.payload)
        return payload.digest, payload.identity
    statement = parse_json_object(found.payload, what="signed statement")
    subjects = statement.get("subject")
    try:
        (subject,) = subjects if isinstance(subjects, list) else []
        return Digest.parse(f"sha256:{subject['digest']['sha256']}"), ""
    except (KeyError, TypeError, ValueError) as error:
        raise ImageError("The signed statement names no image.") from error
