"""How ocicrypt encrypts one layer: AES-256-CTR, HMAC-SHA-256 over the ciphertext.

Source: containers/ocicrypt, blockcipher/blockcipher_aes_ctr.go, encryption.go, spec/spec.go. The
private options are what each recipient gets wrapped; the public ones lie in the clear.
"""

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from kataui.errors import ImageError, KatauiError
from kataui.files import compact_json, parse_json_object
from kataui.images.model import Digest

ANNOTATION_PREFIX = "org.opencontainers.image.enc"
PUBOPTS = f"{ANNOTATION_PREFIX}.pubopts"
CIPHER = "AES_256_CTR_HMAC_SHA256"
_KEY_BYTES = 32
_NONCE_BYTES = 16
_MAC_BYTES = 32


@dataclass(frozen=True, slots=True)
class PrivateOptions:
    """A layer's key, nonce and the digest before encryption (nobody upstream checks it)."""

    key: bytes = field(repr=False)
    nonce: bytes = field(repr=False)
    digest: str

    @classmethod
    def fresh(cls, digest: Digest) -> Self:
        """New random key and nonce: CTR must never meet the same pair twice."""
        return cls(os.urandom(_KEY_BYTES), os.urandom(_NONCE_BYTES), str(digest))

    def as_bytes(self) -> bytes:
        """The JSON that is wrapped: 193 bytes with a sha256 digest."""
        return compact_json(
            {
                "symkey": _base64(self.key),
                "digest": self.digest,
                "cipheroptions": {"nonce": _base64(self.nonce)},
            }
        )

    @classmethod
    def parse(cls, data: bytes, public: "PublicOptions") -> Self:
        """From unwrapped JSON; a nonce in the public options goes first (blockcipher.go)."""
        value = _object(data, "unwrapped layer key")
        options = value.get("cipheroptions")
        private_nonce = options.get("nonce") if isinstance(options, dict) else None
        nonce = public.nonce or _bytes(private_nonce, "nonce", _NONCE_BYTES)
        key = _bytes(value.get("symkey"), "layer key", _KEY_BYTES)
        digest = value.get("digest")
        return cls(key, nonce, digest if isinstance(digest, str) else "")


@dataclass(frozen=True, slots=True)
class PublicOptions:
    """The cipher's name and the HMAC of the ciphertext."""

    mac: bytes
    nonce: bytes = b""

    def annotation(self) -> str:
        """The value of ``org.opencontainers.image.enc.pubopts``.

        ``cipheroptions`` is never null: ocicrypt-rs has no default for it.
        """
        value = {"cipher": CIPHER, "hmac": _base64(self.mac), "cipheroptions": {}}
        return _base64(compact_json(value))

    @classmethod
    def parse(cls, annotations: Mapping[str, str]) -> Self:
        """From a layer's annotations; raises ``ImageError`` naming what is wrong."""
        text = annotations.get(PUBOPTS)
        if text is None:
            raise ImageError(
                "An encrypted layer has no public options, so it cannot be decrypted by anybody.",
                hint="The tool that wrote it lost the annotations; make the image again.",
            )
        value = _object(_bytes(text, "public options"), "public options of a layer")
        cipher = value.get("cipher")
        if cipher != CIPHER:
            raise ImageError(f"A layer uses a cipher that nobody defined: {cipher!r:.60}.")
        options = value.get("cipheroptions")
        nonce = options.get("nonce") if isinstance(options, dict) else None
        return cls(
            _bytes(value.get("hmac"), "HMAC", _MAC_BYTES),
            b"" if nonce is None else _bytes(nonce, "nonce", _NONCE_BYTES),
        )


def strip_encryption(annotations: Mapping[str, str]) -> dict[str, str]:
    """A layer's annotations without all that belongs to encryption (FilterOutAnnotations)."""
    return {k: v for k, v in annotations.items() if not k.startswith(ANNOTATION_PREFIX)}


def _object(data: bytes, what: str) -> dict[str, object]:
    try:
        return parse_json_object(data, what=what)
    except KatauiError as error:
        raise ImageError(error.message) from error


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(value: object, what: str, size_bytes: int | None = None) -> bytes:
    try:
        data = base64.b64decode(value if isinstance(value, str) else "", validate=True)
    except ValueError as error:
        raise ImageError(f"The {what} of an encrypted layer is not base64.") from error
    if not data or (size_bytes is not None and len(data) != size_bytes):
        raise ImageError(f"The {what} of an encrypted layer has the wrong size.")
    return data
