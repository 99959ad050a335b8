"""cosign's signatures: the payload that is signed, and the image that carries it.

Source: containers/image, docs/containers-signature.5.md (payload); sigstore/cosign,
specs/SIGNATURE_SPEC.md (signature image); sigstore protobuf-specs, sigstore_bundle.proto (v0.3).
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from kataui.errors import ImageError, KatauiError, KeyProblem
from kataui.files import clean, compact_json, parse_json_object
from kataui.images.model import Digest

PAYLOAD_TYPE = "application/vnd.dev.cosign.simplesigning.v1+json"
SIGNATURE_ANNOTATION = "dev.cosignproject.cosign/signature"
CERTIFICATE_ANNOTATION = "dev.sigstore.cosign/certificate"
BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
SIGN_PREDICATE = "https://sigstore.dev/cosign/sign/v1"
STATEMENT_TYPE = "application/vnd.in-toto+json"
_CRITICAL_TYPE = "cosign container image signature"


@dataclass(frozen=True, slots=True)
class Payload:
    """What a simple-signing payload claims: this digest belongs to this repository."""

    digest: Digest
    identity: str

    def as_bytes(self) -> bytes:
        """The exact bytes that cosign signs; the reference has no tag."""
        return compact_json(
            {
                "critical": {
                    "identity": {"docker-reference": self.identity},
                    "image": {"docker-manifest-digest": str(self.digest)},
                    "type": _CRITICAL_TYPE,
                },
                "optional": None,
            }
        )


def parse_payload(data: bytes) -> Payload:
    """Parse strictly, as containers/image does: no unknown or repeated members.

    Raises ``ImageError``; the signature over ``data`` is not checked here.
    """
    try:
        value = parse_json_object(data, what="signature payload")
    except KatauiError as error:
        raise ImageError(error.message) from error
    critical = _members(value, "critical", {"critical", "optional"})
    identity = _members(critical, "identity", {"identity", "image", "type"})
    image = _members(critical, "image", {"identity", "image", "type"})
    if critical.get("type") != _CRITICAL_TYPE:
        raise ImageError("The signature payload is of another type than cosign's.")
    if set(identity) != {"docker-reference"} or set(image) != {"docker-manifest-digest"}:
        raise ImageError("The signature payload has unknown members.")
    reference = identity["docker-reference"]
    if not isinstance(reference, str):
        raise ImageError("The signature payload names no repository.")
    digest = Digest.parse(image["docker-manifest-digest"], what="digest in the signature payload")
    return Payload(digest, reference)


def _members(value: dict[str, Any], name: str, allowed: set[str]) -> dict[str, Any]:
    inner = value.get(name)
    if not set(value) <= allowed or not isinstance(inner, dict):
        raise ImageError("The signature payload has unknown or missing members.")
    return inner


def sign(key: ec.EllipticCurvePrivateKey, data: bytes, *, repeatable: bool = False) -> bytes:
    """ECDSA over SHA-256, ASN.1 DER, the only kind that all of cosign's readers take.

    ``repeatable``: the same each time (RFC 6979), where OpenSSL can (from 3.2).
    """
    try:
        return key.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=repeatable))
    except UnsupportedAlgorithm:
        return key.sign(data, ec.ECDSA(hashes.SHA256()))


def is_signed_by(key: ec.EllipticCurvePublicKey, signature: bytes, data: bytes) -> bool:
    """Whether ``signature`` is this key's over ``data`` (ECDSA, SHA-256)."""
    try:
        key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def public_bytes(key: ec.EllipticCurvePublicKey) -> bytes:
    """The key as SubjectPublicKeyInfo, DER."""
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def dsse_bytes(payload: bytes) -> bytes:
    """What a DSSE signature covers (secure-systems-lab/dsse, protocol.md, PAE)."""
    kind = STATEMENT_TYPE.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def make_bundle(key: ec.EllipticCurvePrivateKey, digest: Digest) -> bytes:
    """A v0.3 bundle as cosign 3 writes it for an image; it names no repository."""
    statement = compact_json(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"digest": {"sha256": digest.hex}}],
            "predicateType": SIGN_PREDICATE,
            "predicate": {},
        }
    )
    hint = Digest.of(public_bytes(key.public_key()))
    return compact_json(
        {
            "mediaType": BUNDLE_TYPE,
            "verificationMaterial": {"publicKey": {"hint": _base64(bytes.fromhex(hint.hex))}},
            "dsseEnvelope": {
                "payload": _base64(statement),
                "payloadType": STATEMENT_TYPE,
                "signatures": [{"sig": _base64(sign(key, dsse_bytes(statement)))}],
            },
        }
    )


def make_blob_bundle(
    key: ec.EllipticCurvePrivateKey, data: bytes, *, repeatable: bool = False
) -> bytes:
    """A v0.3 bundle over a file, as ``cosign sign-blob --bundle`` writes it."""
    hint = Digest.of(public_bytes(key.public_key()))
    return compact_json(
        {
            "mediaType": BUNDLE_TYPE,
            "verificationMaterial": {"publicKey": {"hint": _base64(bytes.fromhex(hint.hex))}},
            "messageSignature": {
                "messageDigest": {
                    "algorithm": "SHA2_256",
                    "digest": _base64(bytes.fromhex(Digest.of(data).hex)),
                },
                "signature": _base64(sign(key, data, repeatable=repeatable)),
            },
        }
    )


def blob_signature(bundle: bytes, *, what: str) -> bytes:
    """The signature in a bundle over a file, to check with ``is_signed_by``.

    Raises ``KatauiError`` when the bundle, which is named ``what``, is malformed.
    """
    message = parse_json_object(bundle, what=what).get("messageSignature")
    text = message.get("signature") if isinstance(message, dict) else None
    if not isinstance(text, str):
        raise KatauiError(f"The {what} has no signature of a file.")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise KatauiError(f"The signature in the {what} is not base64.") from error


def check_identity(identity: str) -> str:
    """A repository to sign for: ``REGISTRY/REPOSITORY`` without tag or digest.

    Raises ``KeyProblem`` with what is wrong. Source: distribution/reference, reference.go.
    """
    name = identity.removeprefix("docker://")
    host, _, repository = name.partition("/")
    problem = ""
    if not host or not repository:
        problem = "it needs a registry and a repository"
    elif "@" in name or ":" in repository:
        problem = "it must not have a tag or digest"
    elif name != name.strip() or any(not (c.isalnum() or c in "._-/:[]") for c in name):
        problem = "it has characters that no repository has"
    elif repository != repository.lower():
        problem = "a repository is written in lower case"
    if problem:
        raise KeyProblem(
            f"The identity {clean(identity, limit=90)!r} cannot be signed for: {problem}.",
            hint="Write it as it will be pulled, such as registry.example.org/team/app.",
        )
    return name


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
