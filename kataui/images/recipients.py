"""Who can decrypt: parsing recipients, wrapping a layer's key for them, listing them.

Source of the annotations and their packing: containers/ocicrypt, encryption.go (packets of one
scheme are standard base64, joined by commas; recipients given together share one packet).
"""

import base64
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from kataui.errors import ImageError, KeyProblem
from kataui.files import clean
from kataui.images import jwe, kbs, keyfiles, pgp, pkcs7, pkcs11
from kataui.images.layercipher import ANNOTATION_PREFIX

KEYS_STEM = f"{ANNOTATION_PREFIX}.keys."
_MIN_PKCS11_BITS = 3072


class Scheme(StrEnum):
    """How a layer's key is wrapped; the names are ocicrypt's."""

    JWE = "jwe"
    PKCS7 = "pkcs7"
    PGP = "pgp"
    PKCS11 = "pkcs11"
    PROVIDER = "provider"


_SCHEMES = frozenset(scheme.value for scheme in Scheme)


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody to encrypt for: ``spec`` as written, ``name`` for people, the key itself."""

    scheme: Scheme
    spec: str
    name: str
    key: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class RecipientInfo:
    """A recipient as an image tells it, without any key; ``selector`` names it for removal."""

    scheme: Scheme
    name: str
    detail: str
    selector: str


def parse_recipient(text: str) -> Recipient:
    """Read a recipient such as ``jwe:FILE`` or ``kbs:///REPO/TYPE/TAG=KEYFILE``.

    Raises ``KeyProblem`` with what is wrong, ``NotPossibleHere`` when gpg is needed and missing.
    """
    scheme, colon, rest = text.partition(":")
    reader = _READERS.get(scheme)
    if not colon or reader is None or not rest:
        raise KeyProblem(
            f"{clean(text, limit=90)!r} is no recipient.",
            hint="Write jwe:FILE, pkcs7:CERT, pgp:ID, pkcs11:PEM or kbs:///REPO/TYPE/TAG=KEYFILE.",
        )
    return reader(text, rest)


def _jwe(text: str, rest: str) -> Recipient:
    return Recipient(Scheme.JWE, text, Path(rest).name, keyfiles.load_jwe_key(rest))


def _pkcs7(text: str, rest: str) -> Recipient:
    return Recipient(Scheme.PKCS7, text, Path(rest).name, keyfiles.load_certificate(rest))


def _pgp(text: str, rest: str) -> Recipient:
    pgp.require_user(rest)
    return Recipient(Scheme.PGP, text, rest, rest)


def _pkcs11(text: str, rest: str) -> Recipient:
    key = keyfiles.load_jwe_key(rest).key
    if not isinstance(key, rsa.RSAPublicKey):
        raise KeyProblem(f"{clean(rest)} is no RSA key; pkcs11: needs one.")
    if key.key_size < _MIN_PKCS11_BITS and pkcs11.hash_name() == "sha256":
        raise KeyProblem(
            f"{clean(rest)} has {key.key_size} bits; with SHA-256 the layer's key does not fit.",
            hint=f"Use RSA 3072 or more, or set {pkcs11.HASH_VARIABLE}=sha1 as for SoftHSM.",
        )
    return Recipient(Scheme.PKCS11, text, Path(rest).name, key)


def _kbs(text: str, _: str) -> Recipient:
    kid, path = kbs.split_spec(text)
    key = kbs.check_key(keyfiles.read_key_file(path), path)
    if key == kbs.SAMPLE_KEY:
        raise KeyProblem(
            f"{clean(path)} is the published sample key, which everybody has.",
            hint="Make one of your own: kataui key new kbs PREFIX",
        )
    return Recipient(Scheme.PROVIDER, text, kid, (kid, key))


_READERS: dict[str, Callable[[str, str], Recipient]] = {
    "jwe": _jwe,
    "pkcs7": _pkcs7,
    "pgp": _pgp,
    "pkcs11": _pkcs11,
    "kbs": _kbs,
}


def wrap_options(recipients: Sequence[Recipient], options: bytes) -> dict[str, str]:
    """The annotations of one layer that wrap its private ``options`` for all recipients.

    Raises ``KeyProblem`` for more than one broker key: a guest opens the first packet only.
    """
    grouped: dict[Scheme, list[Any]] = {}
    for recipient in recipients:
        grouped.setdefault(recipient.scheme, []).append(recipient.key)
    brokers = grouped.pop(Scheme.PROVIDER, [])
    if len(brokers) > 1:
        raise KeyProblem("A confidential guest opens an image for one kbs: recipient only.")
    packets = {
        KEYS_STEM + scheme: _WRAPPERS[scheme](keys, options) for scheme, keys in grouped.items()
    }
    for kid, key in brokers:
        packets[kbs.ANNOTATION_STEM + kbs.PROVIDER] = kbs.wrap(kid, key, options)
    return {name: base64.b64encode(data).decode("ascii") for name, data in packets.items()}


_WRAPPERS: dict[Scheme, Callable[[Sequence[Any], bytes], bytes]] = {
    Scheme.JWE: jwe.wrap,
    Scheme.PKCS7: pkcs7.wrap,
    Scheme.PGP: pgp.wrap,
    Scheme.PKCS11: pkcs11.wrap,
}


def merge_annotations(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """Annotations with the packets of ``new`` appended to those of ``old``."""
    merged = dict(old)
    for name, value in new.items():
        merged[name] = f"{merged[name]},{value}" if merged.get(name) else value
    return merged


@dataclass(frozen=True, slots=True)
class Packet:
    """One wrapped packet of an annotation; ``data`` is empty when it is not base64."""

    scheme: Scheme
    annotation: str
    data: bytes = field(repr=False)


def packets(annotations: Mapping[str, str]) -> list[Packet]:
    """All packets of all schemes, in the order of the annotations."""
    found = []
    for name, value in annotations.items():
        if not name.startswith(KEYS_STEM):
            continue
        word = name.removeprefix(KEYS_STEM).partition(".")[0]
        if word in _SCHEMES:
            found += [Packet(Scheme(word), name, _decoded(part)) for part in value.split(",")]
    return found


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""


def list_recipients(annotations: Mapping[str, str]) -> tuple[RecipientInfo, ...]:
    """Who can decrypt, as far as the packets tell; garbage is listed as such, never raised."""
    found: list[RecipientInfo] = []
    counts: Counter[Scheme] = Counter()
    for packet in packets(annotations):
        for name, detail in describe(packet):
            counts[packet.scheme] += 1
            selector = f"{packet.scheme}#{counts[packet.scheme]}"
            if name and packet.scheme is Scheme.PROVIDER:
                selector = name
            shown = clean(name or unnamed(selector), limit=120)
            found.append(RecipientInfo(packet.scheme, shown, clean(detail), selector))
    return tuple(found)


def unnamed(selector: str) -> str:
    """What somebody is called of whom only the position is known."""
    return f"recipient {selector.rpartition('#')[2]}"


def describe(packet: Packet) -> list[tuple[str, str]]:
    """Name and detail of each recipient of a packet."""
    try:
        described = _DESCRIBERS[packet.scheme](packet.data)
    except ImageError:
        described = []
    return described or [("", "cannot be read")]


def _describe_jwe(data: bytes) -> list[tuple[str, str]]:
    entries = jwe.parse(data).entries
    return [(e.kid, " ".join(filter(None, (e.algorithm, e.curve)))) for e in entries]


def _describe_pkcs7(data: bytes) -> list[tuple[str, str]]:
    return [(who.text(), "RSA certificate") for who, _ in pkcs7.parse(data).recipients]


def _describe_pgp(data: bytes) -> list[tuple[str, str]]:
    return [(key_id, "key id") for key_id in pgp.key_ids(data)]


def _describe_pkcs11(data: bytes) -> list[tuple[str, str]]:
    return [("", f"RSA, {name}") for _, name in pkcs11.parse(data)]


def _describe_provider(data: bytes) -> list[tuple[str, str]]:
    packet = kbs.parse(data)
    by_kms = f"by {packet.provider}" if packet.provider != "kbs" else ""
    return [(packet.kid, " ".join(filter(None, (packet.wrap_type, by_kms))))]


_DESCRIBERS: dict[Scheme, Callable[[bytes], list[tuple[str, str]]]] = {
    Scheme.JWE: _describe_jwe,
    Scheme.PKCS7: _describe_pkcs7,
    Scheme.PGP: _describe_pgp,
    Scheme.PKCS11: _describe_pkcs11,
    Scheme.PROVIDER: _describe_provider,
}
