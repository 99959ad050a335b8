"""The packet of Confidential Containers' key provider: a key broker's key wraps the layer's.

Source: confidential-containers/guest-components, attestation-agent/coco_keyprovider/src/enc_mods
(v1 packet), confidential-data-hub/hub/src/image/annotation_packet (v1, v2),
attestation-agent/deps/resource_uri (kid).
"""

import base64
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kataui.errors import ImageError, KatauiError, KeyProblem
from kataui.files import clean, compact_json, parse_json_object
from kataui.images.jwe import NotForThisKey

PROVIDER = "attestation-agent"
ANNOTATION_STEM = "org.opencontainers.image.enc.keys.provider."
KEY_BYTES = 32
# the key that coco_keyprovider uses with sample=true, published in its enc_mods/crypto.rs
SAMPLE_KEY = bytes.fromhex("d99b7705b0ba7a168295b3a3367270b0dd9b371bf514ca8b9ba7f0a33711daea")
_KID = re.compile(r"kbs:///[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+", re.ASCII)
_ANY_KID = re.compile(r"kbs(\+[a-z0-9]+)?://[^/\s]*/[^/\s]+/[^/\s]+/[^/\s]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Packet:
    """A parsed packet."""

    kid: str
    wrapped: bytes = field(repr=False)
    iv: bytes = field(repr=False)
    wrap_type: str
    provider: str = "kbs"


def check_kid(kid: str) -> str:
    """``kbs:///REPOSITORY/TYPE/TAG``; raises ``KeyProblem`` with what is wrong."""
    if not _KID.fullmatch(kid) or any(part.strip(".") == "" for part in kid[7:].split("/")):
        raise KeyProblem(
            f"{clean(kid, limit=90)!r} is no key broker resource.",
            hint="Write kbs:///REPOSITORY/TYPE/TAG, such as kbs:///default/image-key/checkout.",
        )
    return kid


def split_spec(text: str) -> tuple[str, str]:
    """The resource and the file of ``kbs:///REPO/TYPE/TAG=KEYFILE``; raises ``KeyProblem``."""
    kid, equals, path = text.partition("=")
    if not equals or not path:
        raise KeyProblem(
            f"{clean(text, limit=90)!r} names no key file.",
            hint="Write kbs:///REPO/TYPE/TAG=KEYFILE, the file being the 32 bytes at the broker.",
        )
    return check_kid(kid), path


def is_key(data: bytes) -> bool:
    """Whether a file may be a broker's key: 32 bytes that are no text of a key."""
    return len(data) == KEY_BYTES and b"-----" not in data


def check_key(data: bytes, name: str) -> bytes:
    """32 raw bytes; raises ``KeyProblem`` that tells a base64 mistake from others."""
    if len(data) == KEY_BYTES:
        return data
    hint = "It must hold 32 raw bytes; make one with kataui key new kbs PREFIX."
    if len(data) in (44, 45):
        hint = (
            "It looks like base64 text; the broker and kataui need the 32 raw bytes it stands for."
        )
    raise KeyProblem(f"{clean(name)} has {len(data)} bytes, not 32.", hint=hint)


def wrap(kid: str, key: bytes, data: bytes) -> bytes:
    """A v1 packet: AES-256-GCM, 12-byte IV, tag after the ciphertext, no associated data."""
    iv = os.urandom(12)
    sealed = AESGCM(key).encrypt(iv, data, None)
    return compact_json(
        {"kid": kid, "wrapped_data": _b64(sealed), "iv": _b64(iv), "wrap_type": "A256GCM"}
    )


def parse(data: bytes) -> Packet:
    """Parse a v1 or v2 packet; raises ``ImageError``."""
    try:
        value = parse_json_object(data, what="key provider packet")
    except KatauiError as error:
        raise ImageError(error.message) from error
    kid = value.get("kid")
    if not isinstance(kid, str) or not kid or not value.get("wrapped_data"):
        raise ImageError("A key provider packet names no key, or wraps nothing.")
    return Packet(
        kid,
        _bytes(value, "wrapped_data"),
        _bytes(value, "iv"),
        str(value.get("wrap_type") or ""),
        str(value.get("provider") or "kbs"),
    )


def _bytes(value: Mapping[str, Any], name: str) -> bytes:
    try:
        return base64.b64decode(str(value.get(name) or ""), validate=True)
    except ValueError as error:
        raise ImageError(f"The {name} of a key provider packet is not base64.") from error


def unwrap(packet: Packet, key: bytes) -> bytes:
    """Open a packet with the broker's key; raises ``NotForThisKey``."""
    try:
        if packet.wrap_type == "A256GCM" and len(packet.iv) == 12:
            return AESGCM(key).decrypt(packet.iv, packet.wrapped, None)
    except InvalidTag as error:
        raise NotForThisKey from error
    if packet.wrap_type == "A256CTR" and len(packet.iv) == 16:
        cipher = Cipher(algorithms.AES(key), modes.CTR(packet.iv)).decryptor()
        plain = cipher.update(packet.wrapped) + cipher.finalize()
        if plain.startswith(b'{"'):
            return plain
    raise NotForThisKey


def packets(annotations: Mapping[str, str]) -> list[Packet]:
    """All packets of all providers that can be read."""
    found = []
    for name, value in annotations.items():
        if not name.startswith(ANNOTATION_STEM):
            continue
        for part in value.split(","):
            try:
                found.append(parse(base64.b64decode(part, validate=True)))
            except (ImageError, ValueError):
                continue
    return found


def provider_flags(annotations: Mapping[str, str]) -> frozenset[str]:
    """What an audit should shout about: sample-key, zero-iv, A256CTR, not-kbs-kid."""
    flags = set()
    for packet in packets(annotations):
        if packet.iv and not any(packet.iv):
            flags.add("zero-iv")
        if packet.wrap_type == "A256CTR":
            flags.add("A256CTR")
        if not _ANY_KID.fullmatch(packet.kid):
            flags.add("not-kbs-kid")
        try:
            unwrap(packet, SAMPLE_KEY)
        except NotForThisKey:
            continue
        flags.add("sample-key")
    return frozenset(flags)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
