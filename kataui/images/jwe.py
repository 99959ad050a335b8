"""JSON Web Encryption of a layer's key, as ocicrypt writes and reads it.

Source: RFC 7516 (JWE), RFC 7518 (algorithms), RFC 3394 (AES key wrap); containers/ocicrypt,
keywrap/jwe. Written: RSA-OAEP or ECDH-ES+A256KW with A256GCM, the only ones that every reader has.
"""

import base64
import json
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac, padding
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap,
    aes_key_wrap,
)

from kataui.errors import ImageError, KatauiError
from kataui.files import compact_json, parse_json_object

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
RSA_ALGORITHMS = ("RSA-OAEP", "RSA-OAEP-256")
EC_ALGORITHMS = ("ECDH-ES+A256KW", "ECDH-ES+A192KW", "ECDH-ES+A128KW")
_GCM_KEY_BYTES = {"A128GCM": 16, "A192GCM": 24, "A256GCM": 32}
_CBC_KEY_BYTES = {"A128CBC-HS256": 32, "A192CBC-HS384": 48, "A256CBC-HS512": 64}
_CBC_HASHES: dict[int, hashes.HashAlgorithm] = {
    32: hashes.SHA256(),
    48: hashes.SHA384(),
    64: hashes.SHA512(),
}
_CURVES: dict[str, tuple[type[ec.EllipticCurve], int]] = {
    "P-256": (ec.SECP256R1, 32),
    "P-384": (ec.SECP384R1, 48),
    "P-521": (ec.SECP521R1, 66),
}
_MAX_PLAIN_BYTES = 1 << 16  # a layer's key is 193 bytes
_MAX_ENTRIES = 256  # each may cost a private key operation


class NotForThisKey(Exception):
    """A recipient entry is for another key."""


@dataclass(frozen=True, slots=True)
class JweKey:
    """A public key to wrap for, with its algorithm and the ``kid`` of a JWK."""

    key: PublicKey = field(repr=False)
    algorithm: str
    kid: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One recipient of a JWE as it stands there: who, and the wrapped content key."""

    algorithm: str
    kid: str
    curve: str
    header: Mapping[str, Any] = field(repr=False)
    wrapped: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    """A parsed JWE."""

    entries: tuple[Entry, ...]
    protected: str = field(repr=False)
    iv: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)
    tag: bytes = field(repr=False)
    aad: str = field(default="", repr=False)


def encode(data: bytes) -> str:
    """base64url without padding (RFC 7515, 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: object) -> bytes:
    """The reverse; raises ``ImageError``."""
    if not isinstance(text, str):
        raise ImageError("A wrapped key (JWE) lacks a part.")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars="-_", validate=True)
    except ValueError as error:
        raise ImageError("A wrapped key (JWE) is not base64url.") from error


def wrap(keys: Sequence[JweKey], data: bytes) -> bytes:
    """Encrypt ``data`` for all keys: flattened JSON for one, general JSON for several."""
    content_key, iv = os.urandom(32), os.urandom(12)
    recipients = [_wrap_key(key, content_key) for key in keys]
    protected: dict[str, Any] = {"enc": "A256GCM"}
    if len(recipients) == 1:
        protected = {**recipients[0][0], **protected}
    head = encode(compact_json(protected))
    sealed = AESGCM(content_key).encrypt(iv, data, head.encode("ascii"))
    body = {"iv": encode(iv), "ciphertext": encode(sealed[:-16]), "tag": encode(sealed[-16:])}
    if len(recipients) == 1:
        return compact_json({"protected": head, "encrypted_key": encode(recipients[0][1]), **body})
    entries = [{"header": header, "encrypted_key": encode(w)} for header, w in recipients]
    return compact_json({"protected": head, "recipients": entries, **body})


def _wrap_key(recipient: JweKey, content_key: bytes) -> tuple[dict[str, Any], bytes]:
    header: dict[str, Any] = {"alg": recipient.algorithm}
    if recipient.kid:
        header["kid"] = recipient.kid
    key = recipient.key
    if isinstance(key, rsa.RSAPublicKey):
        return header, key.encrypt(content_key, _oaep(recipient.algorithm))
    ephemeral = ec.generate_private_key(key.curve)
    header["epk"] = public_jwk(ephemeral.public_key())
    secret = ephemeral.exchange(ec.ECDH(), key)
    bits = int(recipient.algorithm[-5:-2])
    return header, aes_key_wrap(_derive(secret, recipient.algorithm, bits // 8, {}), content_key)


def _oaep(algorithm: str) -> rsa_padding.OAEP:
    # RSA-OAEP is defined with SHA-1 (RFC 7518, 4.3); OAEP does not rest on collision resistance
    kind = hashes.SHA256() if algorithm == "RSA-OAEP-256" else hashes.SHA1()  # noqa: S303 - RSA-OAEP is defined with it
    return rsa_padding.OAEP(rsa_padding.MGF1(kind), kind, None)


def _derive(secret: bytes, algorithm: str, size_bytes: int, header: Mapping[str, Any]) -> bytes:
    """Concat KDF (RFC 7518, 4.6.2)."""
    parts = [algorithm.encode(), decode(header.get("apu", "")), decode(header.get("apv", ""))]
    info = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    info += (size_bytes * 8).to_bytes(4, "big")
    return ConcatKDFHash(hashes.SHA256(), size_bytes, info).derive(secret)


def public_jwk(key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    """An EC public key as JWK, coordinates of fixed width (RFC 7518, 6.2.1)."""
    name = next(n for n, (curve, _) in _CURVES.items() if isinstance(key.curve, curve))
    width = _CURVES[name][1]
    numbers = key.public_numbers()
    x, y = numbers.x.to_bytes(width, "big"), numbers.y.to_bytes(width, "big")
    return {"kty": "EC", "crv": name, "x": encode(x), "y": encode(y)}


def parse_ec_jwk(value: Mapping[str, Any]) -> ec.EllipticCurvePublicKey:
    """An EC public key from JWK; raises ``ImageError`` when it is not on its curve."""
    curve = _CURVES.get(str(value.get("crv")))
    if curve is None:
        raise ImageError("A wrapped key (JWE) names a curve that is not known here.")
    x, y = (int.from_bytes(decode(value.get(name)), "big") for name in ("x", "y"))
    try:
        return ec.EllipticCurvePublicNumbers(x, y, curve[0]()).public_key()
    except ValueError as error:
        raise ImageError("A wrapped key (JWE) has a point that is not on its curve.") from error


def parse(data: bytes) -> Message:
    """Parse compact, flattened or general serialization; raises ``ImageError``."""
    if data[:1] != b"{":
        parts = data.decode("ascii", "replace").split(".")
        if len(parts) != 5:
            raise ImageError("A wrapped key is no JWE.")
        names = ("protected", "encrypted_key", "iv", "ciphertext", "tag")
        return _message(dict(zip(names, parts, strict=True)))
    try:
        return _message(parse_json_object(data, what="JWE"))
    except ImageError:
        raise
    except KatauiError as error:
        raise ImageError(error.message) from error


def _message(value: Mapping[str, Any]) -> Message:
    protected = value.get("protected")
    shared = _header(decode(protected)) if protected else {}
    shared = {**_object(value.get("unprotected")), **shared}
    listed = value.get("recipients")
    raw = listed if isinstance(listed, list) else [value]
    if not 0 < len(raw) <= _MAX_ENTRIES:
        raise ImageError(f"A wrapped key (JWE) has {len(raw)} recipients.")
    aad = value.get("aad", "")
    decode(aad)
    return Message(
        tuple(_entries(raw, shared)),
        protected if isinstance(protected, str) else "",
        decode(value.get("iv")),
        decode(value.get("ciphertext")),
        decode(value.get("tag")),
        aad,
    )


def _entries(raw: Sequence[Any], shared: Mapping[str, Any]) -> Iterator[Entry]:
    for item in raw:
        entry = _object(item)
        header = {**_object(entry.get("header")), **shared}
        epk = _object(header.get("epk"))
        algorithm = header.get("alg")
        if not isinstance(algorithm, str) or not algorithm:
            raise ImageError("A wrapped key (JWE) names no algorithm.")
        yield Entry(
            algorithm,
            str(header.get("kid") or ""),
            str(epk.get("crv", "")),
            header,
            decode(entry.get("encrypted_key", "")),
        )


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _header(data: bytes) -> dict[str, Any]:
    try:
        return parse_json_object(data, what="JWE header")
    except KatauiError as error:
        raise ImageError(error.message) from error


def unwrap(message: Message, key: PrivateKey) -> bytes:
    """Decrypt with a private key; raises ``NotForThisKey`` when no entry is for it."""
    for entry in message.entries:
        try:
            return _open(message, entry, _content_key(entry, key))
        except (NotForThisKey, InvalidTag):
            continue
    raise NotForThisKey


def _content_key(entry: Entry, key: PrivateKey) -> bytes:
    try:
        if isinstance(key, rsa.RSAPrivateKey):
            if entry.algorithm not in RSA_ALGORITHMS:
                raise NotForThisKey
            return key.decrypt(entry.wrapped, _oaep(entry.algorithm))
        return _agree(entry, key)
    except (ValueError, InvalidUnwrap, ImageError) as error:
        raise NotForThisKey from error


def _agree(entry: Entry, key: ec.EllipticCurvePrivateKey) -> bytes:
    point = parse_ec_jwk(_object(entry.header.get("epk"))) if "epk" in entry.header else None
    if point is None or point.curve.name != key.curve.name:
        raise NotForThisKey
    secret = key.exchange(ec.ECDH(), point)
    if entry.algorithm == "ECDH-ES":
        encryption = str(entry.header.get("enc"))
        size = {**_GCM_KEY_BYTES, **_CBC_KEY_BYTES}.get(encryption)
        if size is None:
            raise NotForThisKey
        return _derive(secret, encryption, size, entry.header)
    if entry.algorithm not in EC_ALGORITHMS:
        raise NotForThisKey
    size = int(entry.algorithm[-5:-2]) // 8
    return aes_key_unwrap(_derive(secret, entry.algorithm, size, entry.header), entry.wrapped)


def _open(message: Message, entry: Entry, content_key: bytes) -> bytes:
    if "crit" in entry.header:  # extensions that must be understood (RFC 7516, 4.1.13)
        raise NotForThisKey
    encryption = str(entry.header.get("enc"))
    aad = message.protected + (f".{message.aad}" if message.aad else "")
    if _GCM_KEY_BYTES.get(encryption) == len(content_key):
        if len(message.iv) != 12 or len(message.tag) != 16:
            raise NotForThisKey
        sealed = message.ciphertext + message.tag
        plain = AESGCM(content_key).decrypt(message.iv, sealed, aad.encode())
    elif _CBC_KEY_BYTES.get(encryption) == len(content_key):
        plain = _open_cbc(message, content_key, aad.encode())
    else:
        raise NotForThisKey
    return _inflate(plain) if entry.header.get("zip") == "DEF" else plain


def _open_cbc(message: Message, content_key: bytes, aad: bytes) -> bytes:
    """AES-CBC with HMAC (RFC 7518, 5.2.2.2)."""
    half = len(content_key) // 2
    state = hmac.HMAC(content_key[:half], _CBC_HASHES[len(content_key)])
    state.update(aad + message.iv + message.ciphertext + (len(aad) * 8).to_bytes(8, "big"))
    if state.finalize()[:half] != message.tag or len(message.iv) != 16:
        raise NotForThisKey
    cipher = Cipher(algorithms.AES(content_key[half:]), modes.CBC(message.iv)).decryptor()
    try:
        padded = cipher.update(message.ciphertext) + cipher.finalize()
        unpadder = padding.PKCS7(128).unpadder()
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError as error:
        raise NotForThisKey from error


def _inflate(data: bytes) -> bytes:
    state = zlib.decompressobj(wbits=-15)  # raw DEFLATE (RFC 7516, 4.1.3)
    try:
        plain = state.decompress(data, _MAX_PLAIN_BYTES)
    except zlib.error as error:
        raise ImageError("A wrapped key (JWE) does not inflate.") from error
    if state.unconsumed_tail:
        raise ImageError("A wrapped key (JWE) is too big.")
    return plain


def without_entry(data: bytes, number: int) -> bytes:
    """General JSON without its recipient ``number`` (from 0); the others still open it."""
    value = json.loads(data)
    del value["recipients"][number]
    value.pop("encrypted_key", None)  # go-jose's copy of the first recipient's
    return json.dumps(value, separators=(",", ":")).encode("ascii")
