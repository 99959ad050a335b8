"""What the tests of key wrapping share: private options, peers' layers, and an own JWE writer."""

import base64
import hashlib
import hmac
import json
import os
import zlib
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import padding as block_padding
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from kataui.images.keyfiles import load_private
from kataui.images.keys import KeyRing, load_keys

STEM = "org.opencontainers.image.enc.keys."
BROKER = f"{STEM}provider.attestation-agent"
OPTIONS = json.dumps(
    {
        "symkey": base64.b64encode(bytes(range(32))).decode(),
        "digest": f"sha256:{'ab' * 32}",
        "cipheroptions": {"nonce": base64.b64encode(bytes(range(16))).decode()},
    },
    separators=(",", ":"),
).encode()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def never(prompt: str) -> str | None:
    raise AssertionError(f"asked: {prompt}")


def ring(*specs: Path | str) -> KeyRing:
    """The private keys of these files; none of them may ask for a passphrase."""
    return load_keys([str(spec) for spec in specs], never)


def encrypted_layers(layout: Path) -> list[dict[str, str]]:
    """The annotations of all encrypted layers, read without our own code."""
    found = []

    def walk(descriptor: dict[str, Any]) -> None:
        kind, _, name = descriptor["digest"].partition(":")
        value = json.loads((layout / "blobs" / kind / name).read_bytes())
        for child in value.get("manifests", ()):
            walk(child)
        layers = value.get("layers", ())
        found.extend(x["annotations"] for x in layers if x["mediaType"].endswith("+encrypted"))

    for descriptor in json.loads((layout / "index.json").read_text())["manifests"]:
        walk(descriptor)
    return found


def flipped(data: bytes, position: int) -> bytes:
    """One bit changed."""
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


def private_key(path: Path | str) -> Any:
    """The private key of a file without a passphrase."""
    return load_private(Path(path).read_bytes(), "key", None)


def jwk_of(path: Path | str, **more: str) -> dict[str, str]:
    """The public half of a private key file as JWK (RSA or P-256)."""
    return jwk(private_key(path).public_key(), **more)


def jwk(key: Any, **more: str) -> dict[str, str]:
    numbers = key.public_numbers()
    if isinstance(key, rsa.RSAPublicKey):
        n, e = (url(x.to_bytes((x.bit_length() + 7) // 8, "big")) for x in (numbers.n, numbers.e))
        return {"kty": "RSA", "n": n, "e": e, **more}
    x, y = (url(value.to_bytes(32, "big")) for value in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y, **more}


def url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


_KEY_BYTES = {
    "A128GCM": 16,
    "A192GCM": 24,
    "A256GCM": 32,
    "A128CBC-HS256": 32,
    "A192CBC-HS384": 48,
    "A256CBC-HS512": 64,
}
_WIDTHS = {"secp256r1": ("P-256", 32), "secp384r1": ("P-384", 48), "secp521r1": ("P-521", 66)}


def make_jwe(
    key: Any, alg: str, enc: str, plain: bytes = OPTIONS, *, compact: bool = False, **extra: Any
) -> bytes:
    """A JWE of any algorithm, written after RFC 7516 and 7518 without the code under test."""
    header: dict[str, Any] = {"alg": alg, "enc": enc, **extra}
    cek = os.urandom(_KEY_BYTES[enc])
    if isinstance(key, rsa.RSAPublicKey):
        kind = hashes.SHA256() if alg.endswith("256") else hashes.SHA1()
        wrapped = key.encrypt(cek, padding.OAEP(padding.MGF1(kind), kind, None))
    else:
        ephemeral = ec.generate_private_key(key.curve)
        name, width = _WIDTHS[key.curve.name]
        point = ephemeral.public_key().public_numbers()
        x, y = (url(value.to_bytes(width, "big")) for value in (point.x, point.y))
        header["epk"] = {"kty": "EC", "crv": name, "x": x, "y": y}
        secret = ephemeral.exchange(ec.ECDH(), key)
        if alg == "ECDH-ES":
            cek, wrapped = concat_kdf(secret, enc, len(cek) * 8), b""
        else:
            wrapped = aes_key_wrap(concat_kdf(secret, alg, int(alg[-5:-2])), cek)
    head = url(json.dumps(header).encode())
    if extra.get("zip") == "DEF":
        plain = zlib.compress(plain, wbits=-15)
    iv, sealed, tag = _seal(enc, cek, plain, head.encode())
    parts = {
        "protected": head,
        "encrypted_key": url(wrapped),
        "iv": url(iv),
        "ciphertext": url(sealed),
        "tag": url(tag),
    }
    return ".".join(parts.values()).encode() if compact else json.dumps(parts).encode()


def concat_kdf(secret: bytes, name: str, bits: int) -> bytes:
    """RFC 7518, 4.6.2, with empty party names; one or two rounds of SHA-256."""
    info = len(name).to_bytes(4, "big") + name.encode() + bytes(8) + bits.to_bytes(4, "big")
    rounds = (hashlib.sha256(n.to_bytes(4, "big") + secret + info).digest() for n in (1, 2))
    return b"".join(rounds)[: bits // 8]


def _seal(enc: str, cek: bytes, plain: bytes, aad: bytes) -> tuple[bytes, bytes, bytes]:
    if enc.endswith("GCM"):
        iv = os.urandom(12)
        sealed = AESGCM(cek).encrypt(iv, plain, aad)
        return iv, sealed[:-16], sealed[-16:]
    iv, half = os.urandom(16), len(cek) // 2
    padder = block_padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(cek[half:]), modes.CBC(iv)).encryptor()
    sealed = encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
    covered = aad + iv + sealed + (len(aad) * 8).to_bytes(8, "big")
    digest = {16: "sha256", 24: "sha384", 32: "sha512"}[half]
    return iv, sealed, hmac.digest(cek[:half], covered, digest)[:half]
