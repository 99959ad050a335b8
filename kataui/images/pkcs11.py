"""PKCS11 wrapping: the private options directly under an RSA public key, no token needed.

Source: containers/ocicrypt, crypto/pkcs11/pkcs11helpers.go. The token is needed to decrypt; here
an RSA private key stands in for it. OAEP's hash is written down; absent, it is SHA-1.
"""

import base64
import os
from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from kataui.errors import ImageError, KatauiError, KeyProblem
from kataui.files import clean, compact_json, parse_json_object
from kataui.images.jwe import NotForThisKey

HASH_VARIABLE = "OCICRYPT_OAEP_HASHALG"
_MAX_RECIPIENTS = 256  # each may cost a private key operation
_HASHES: dict[str, type[hashes.HashAlgorithm]] = {"sha256": hashes.SHA256, "sha1": hashes.SHA1}


def hash_name() -> str:
    """OAEP's hash: ocicrypt's environment variable, else sha256; raises ``KeyProblem``."""
    name = os.environ.get(HASH_VARIABLE, "").lower() or "sha256"
    if name not in _HASHES:
        raise KeyProblem(
            f"{HASH_VARIABLE} is {clean(name, limit=40)!r}, which no reader knows.",
            hint="Set it to sha256 or sha1, or not at all.",
        )
    return name


def _oaep(name: str) -> padding.OAEP:
    kind = _HASHES[name]()
    return padding.OAEP(padding.MGF1(kind), kind, None)


def wrap(keys: Sequence[rsa.RSAPublicKey], data: bytes) -> bytes:
    """Encrypt ``data`` for each key (RSA >= 3072 with SHA-256, for the data has 193 bytes)."""
    name = hash_name()
    blobs = [base64.b64encode(key.encrypt(data, _oaep(name))).decode() for key in keys]
    recipients = [{"version": 0, "blob": blob, "hash": name} for blob in blobs]
    return compact_json({"version": 0, "recipients": recipients})


def parse(data: bytes) -> tuple[tuple[bytes, str], ...]:
    """The wrapped blobs with the name of their hash; raises ``ImageError``."""
    try:
        listed = parse_json_object(data, what="PKCS11 packet").get("recipients")
    except KatauiError as error:
        raise ImageError(error.message) from error
    if not isinstance(listed, list) or not 0 < len(listed) <= _MAX_RECIPIENTS:
        raise ImageError("A wrapped key (PKCS11) has no believable list of recipients.")
    return tuple(_recipient(item) for item in listed)


def _recipient(item: Any) -> tuple[bytes, str]:
    value = item if isinstance(item, dict) else {}
    name = value.get("hash") or "sha1"
    if not isinstance(name, str) or name not in _HASHES:
        raise ImageError("A wrapped key (PKCS11) names a hash that is not known here.")
    try:
        return base64.b64decode(str(value.get("blob", "")), validate=True), name
    except ValueError as error:
        raise ImageError("A wrapped key (PKCS11) is not base64.") from error


def unwrap(recipients: Sequence[tuple[bytes, str]], key: rsa.RSAPrivateKey) -> bytes:
    """Decrypt with the private key of any recipient; raises ``NotForThisKey``."""
    for blob, name in recipients:
        try:
            return key.decrypt(blob, _oaep(name))
        except ValueError:
            continue
    raise NotForThisKey


def without_recipient(data: bytes, number: int) -> bytes:
    """The packet without its recipient ``number`` (from 0)."""
    value = parse_json_object(data, what="PKCS11 packet")
    del value["recipients"][number]
    return compact_json(value)
