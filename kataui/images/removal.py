"""Taking recipients out of a layer's annotations; the layer itself stays as it is.

Source of the packets: see ``recipients``, ``jwe``, ``pkcs7``, ``pgp`` and ``pkcs11``.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from kataui.errors import ImageError, KeyProblem
from kataui.files import clean
from kataui.images import jwe, keyfiles, pgp, pkcs7, pkcs11
from kataui.images.keys import KeyRing, OwnKey
from kataui.images.recipients import (
    KEYS_STEM,
    Packet,
    RecipientInfo,
    Scheme,
    describe,
    list_recipients,
    merge_annotations,
    packets,
    unnamed,
)


def remove_recipients(
    annotations: Mapping[str, str],
    selectors: Sequence[str],
    *,
    ring: KeyRing | None = None,
    may_be_all: bool = False,
) -> dict[str, str]:
    """Annotations without the packets that ``selectors`` name.

    A selector is a scheme ("jwe": all of it), what ``list_recipients`` gives ("jwe#2",
    "kbs:///a/b/c"), a name it shows, or a recipient as ``parse_recipient`` reads it. A packet does
    not tell whose it is for ``jwe:FILE`` and ``pkcs11:PEM``: it is the one that FILE's private key
    in ``ring`` opens, else the only one of that kind which no key of ``ring`` opens.

    Raises ``KeyProblem`` when a selector names nobody, when that cannot be told, or when nobody
    would be left (unless ``may_be_all``).
    """
    listed = list_recipients(annotations)
    wanted = [_resolved(text, annotations, ring or KeyRing()) for text in selectors]
    for selector in wanted:
        if not any(_selects(selector, info) for info in listed):
            known = ", ".join(info.selector for info in listed)
            raise KeyProblem(
                f"{clean(selector, limit=90)!r} names no recipient of this image.",
                hint=f"It has: {clean(known)}.",
            )
    left = {name: value for name, value in annotations.items() if not name.startswith(KEYS_STEM)}
    position = 0
    for packet in packets(annotations):
        count = len(describe(packet))
        infos = listed[position : position + count]
        position += count
        data = _without(packet, [any(_selects(s, info) for s in wanted) for info in infos])
        if data is not None:
            text = base64.b64encode(data).decode("ascii")
            left = merge_annotations(left, {packet.annotation: text})
    if not may_be_all and not any(name.startswith(KEYS_STEM) for name in left):
        raise KeyProblem("Nobody would be left who can open the image.", hint="Add somebody first.")
    return left


def _selects(selector: str, info: RecipientInfo) -> bool:
    named = info.name if info.name != unnamed(info.selector) else info.selector
    return selector in {info.scheme.value, info.selector, named}


def _without(packet: Packet, gone: Sequence[bool]) -> bytes | None:
    """The packet without the recipients marked; ``None`` when none is left in it."""
    if all(gone):
        return None
    data = packet.data
    for number in sorted((i for i, out in enumerate(gone) if out), reverse=True):
        data = _CUTTERS[packet.scheme](data, number)
    return data


_CUTTERS: dict[Scheme, Callable[[bytes, int], bytes]] = {
    Scheme.JWE: jwe.without_entry,
    Scheme.PKCS7: pkcs7.without_recipient,
    Scheme.PGP: pgp.without_recipient,
    Scheme.PKCS11: pkcs11.without_recipient,
}


def _resolved(selector: str, annotations: Mapping[str, str], ring: KeyRing) -> str:
    """A recipient with a file becomes what ``list_recipients`` shows for it."""
    scheme, _, rest = selector.partition(":")
    if scheme == Scheme.PKCS7 and rest:
        return clean(pkcs7.addressee(keyfiles.load_certificate(rest)).text(), limit=120)
    if scheme == Scheme.PGP and rest:
        known = {info.name for info in list_recipients(annotations)}
        return next((name for name in pgp.known_ids(rest) if name in known), rest)
    if scheme == "kbs":
        return selector.partition("=")[0]
    if scheme in {Scheme.JWE, Scheme.PKCS11} and rest:
        return _found(Scheme(scheme), rest, annotations, ring)
    return selector


def _found(scheme: Scheme, path: str, annotations: Mapping[str, str], ring: KeyRing) -> str:
    """The selector of the entry that is for the public key in ``path``."""
    key = keyfiles.load_jwe_key(path).key
    infos = [info for info in list_recipients(annotations) if info.scheme is scheme]
    singles = [
        single
        for packet in packets(annotations)
        if packet.scheme is scheme
        for single in _single(packet)
    ]
    own = [item for item in ring.keys if item.private and item.private.public_key() == key]
    pairs = list(zip(infos, singles, strict=True))
    certain = [info for info, single in pairs if any(single(item) for item in own)]
    possible = [
        info
        for info, single in pairs
        if _fits(info, key) and not any(single(item) for item in ring.keys)
    ]
    found = certain or ([] if own else possible)
    if len(found) != 1:
        known = ", ".join(info.selector for info in infos)
        raise KeyProblem(
            f"It cannot be told which recipient {clean(path)} is: a wrapped key does not name it.",
            hint=f"Give its private key, or those of the others, with --key; or write {known}."
            if known
            else "The image has no recipient of that kind.",
        )
    return found[0].selector


def _single(packet: Packet) -> list[Callable[[OwnKey], bool]]:
    """For each recipient of a packet a function that tells whether a key opens that one."""
    try:
        if packet.scheme is Scheme.JWE:
            message = jwe.parse(packet.data)
            alone = [replace(message, entries=(entry,)) for entry in message.entries]
            return [partial(_opens_jwe, one) for one in alone]
        return [partial(_opens_pkcs11, blob) for blob in pkcs11.parse(packet.data)]
    except ImageError:
        return [lambda _: False]


def _opens_jwe(message: jwe.Message, key: OwnKey) -> bool:
    try:
        return key.private is not None and bool(jwe.unwrap(message, key.private))
    except (jwe.NotForThisKey, ImageError):
        return False


def _opens_pkcs11(blob: tuple[bytes, str], key: OwnKey) -> bool:
    try:
        return isinstance(key.private, rsa.RSAPrivateKey) and bool(
            pkcs11.unwrap((blob,), key.private)
        )
    except jwe.NotForThisKey:
        return False


def _fits(info: RecipientInfo, key: jwe.PublicKey) -> bool:
    """Whether an entry can be for a key of this kind."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return info.detail.endswith(jwe.public_jwk(key)["crv"])
    return info.detail.startswith("RSA")
