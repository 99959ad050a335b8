"""How far one image is covered: encrypted, signed, and whether a confidential guest opens it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from kataui.findings import Finding, Severity
from kataui.images.keys import KeyRing
from kataui.images.model import OCI_LAYER_ZSTD
from kataui.images.open import open_source
from kataui.images.recipients import Scheme, list_recipients
from kataui.images.signatures import Evidence, PublicKey, Status
from kataui.images.verdict import BOTH
from kataui.images.verify import Report, verify
from kataui.progress import Control


class Encrypted(StrEnum):
    """How many of an image's layers are encrypted."""

    ALL = "all"
    SOME = "some"
    NONE = "none"
    UNKNOWN = "unknown"


class Signed(StrEnum):
    """Whether somebody whose key was given signed what is here."""

    VALID = "valid"
    INVALID = "invalid"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is known of an image; ``guest_opens`` is None where nothing is encrypted or known.

    ``signers`` are the keys whose signatures hold, with the repositories that they name.
    ``damage`` are the faults of the image itself: digests, damaged or readable layers. Of
    ``layers`` (all platforms) ``shut`` are encrypted.
    """

    encrypted: Encrypted = Encrypted.UNKNOWN
    signed: Signed = Signed.UNKNOWN
    digest: str = ""
    guest_opens: bool | None = None
    recipients: tuple[str, ...] = ()
    signers: tuple[tuple[str, str], ...] = ()
    damage: tuple[Finding, ...] = field(default=())
    layers: int = 0
    shut: int = 0


UNKNOWN = Coverage()
# These say what ``encrypted`` and ``signed`` say, or what the audit says in its own words.
_TOLD = {
    "IMG-NOT-ENCRYPTED",
    "IMG-PARTLY",
    "IMG-NO-KEY",
    "IMG-NOT-SIGNED",
    "IMG-SIG-INVALID",
    "IMG-SIG-STALE",
}


def cover(reference: str, keys: Sequence[PublicKey], control: Control) -> Coverage:
    """Read an image whole and tell how far it is covered. Raises ``KatauiError``."""
    with open_source(reference, control=control) as source:
        ring = KeyRing()
        report = verify(source, public_keys=keys, ring=ring, require=BOTH, control=control)
    layers = [layer for item in report.images for layer in item.layers]
    shut = [item for item in layers if item.layer.encrypted]
    encrypted = Encrypted.SOME if shut else Encrypted.NONE
    if shut and len(shut) == len(layers):
        encrypted = Encrypted.ALL
    infos = [info for item in shut for info in list_recipients(item.layer.descriptor.annotations)]
    return Coverage(
        encrypted=encrypted,
        signed=_signed(report.signatures, has_keys=bool(keys)),
        digest=str(report.digest),
        guest_opens=_guest_opens(report) if shut else None,
        recipients=tuple(dict.fromkeys(f"{i.scheme.value} {i.name}".strip() for i in infos)),
        signers=tuple(
            (one.key, one.identity) for one in report.signatures if one.status is Status.VALID
        ),
        damage=tuple(
            one
            for one in report.findings
            if one.severity is Severity.ERROR and one.checked and one.id not in _TOLD
        ),
        layers=len(layers),
        shut=len(shut),
    )


def _signed(found: Sequence[Evidence], *, has_keys: bool) -> Signed:
    statuses = {one.status for one in found}
    if not found:
        return Signed.MISSING
    if Status.VALID in statuses:
        return Signed.VALID
    if not has_keys or Status.UNKNOWN in statuses:
        return Signed.UNKNOWN
    return Signed.INVALID


def _guest_opens(report: Report) -> bool:
    """A CoCo guest knows provider packets alone, over gzip or tar."""
    for item in report.images:
        for evidence in item.layers:
            descriptor = evidence.layer.descriptor
            schemes = {info.scheme for info in list_recipients(descriptor.annotations)}
            if descriptor.encrypted and (
                schemes != {Scheme.PROVIDER} or descriptor.plain_type == OCI_LAYER_ZSTD
            ):
                return False
    return True
