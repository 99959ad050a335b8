"""From evidence to findings, from findings to a verdict (design, "Verdict of an image").

*fail*: a digest, HMAC, diff_id or signature is wrong; nothing is encrypted, or no signature is
valid for a given public key (each unless only the other is required). *unknown*: no public key, or
no key to decrypt with, was given. *pass*: the rest.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from kataui.findings import Finding, Severity, Verdict
from kataui.images.kbs import provider_flags
from kataui.images.layerproof import ImageEvidence, LayerEvidence
from kataui.images.model import OCI_LAYER_ZSTD
from kataui.images.recipients import Scheme, list_recipients
from kataui.images.signatures import Evidence, Status
from kataui.images.source import Source, Transport


class Need(StrEnum):
    """What an image must be."""

    ENCRYPTED = "encrypted"
    SIGNED = "signed"


BOTH = frozenset(Need)
_WEAK = {
    "sample-key": "It is wrapped with the public sample key that everybody has.",
    "zero-iv": "Its key was wrapped with an all-zero IV, as a sample does.",
    "A256CTR": "Its key was wrapped with A256CTR, which nothing protects against changes.",
    "not-kbs-kid": "Its key is named by something that no key broker serves.",
}
_DAMAGED = "The image is damaged or was changed; get it again from its maker."


@dataclass(frozen=True, slots=True)
class Facts:
    """What the verdict is made from; ``has_*`` say which keys were given."""

    source: Source
    images: tuple[ImageEvidence, ...]
    signatures: tuple[Evidence, ...]
    has_public_keys: bool
    has_private_keys: bool
    require: frozenset[Need]

    @property
    def layers(self) -> list[LayerEvidence]:
        """The layers of all platforms."""
        return [layer for item in self.images for layer in item.layers]

    @property
    def encrypted(self) -> list[LayerEvidence]:
        """Those that say they are encrypted."""
        return [item for item in self.layers if item.layer.encrypted]

    @property
    def valid(self) -> list[Evidence]:
        """The signatures that hold."""
        return [item for item in self.signatures if item.status is Status.VALID]


def judge(findings: Iterable[Finding]) -> Verdict:
    """Fail by a checked error, unknown by a warning or error that could not be checked."""
    verdict = Verdict.PASS
    for finding in findings:
        if finding.severity is Severity.ERROR and finding.checked:
            return Verdict.FAIL
        if not finding.checked and finding.severity is not Severity.INFO:
            verdict = Verdict.UNKNOWN
    return verdict


def findings(facts: Facts) -> Iterator[Finding]:
    """All findings about layers, encryption and signatures."""
    for evidence in facts.layers:
        yield from layer_findings(facts.source, evidence, facts.require)
    yield from _encryption_findings(facts)
    yield from _signature_findings(facts)


def layer_findings(
    source: Source, evidence: LayerEvidence, require: frozenset[Need] = BOTH
) -> Iterator[Finding]:
    """What is wrong with one layer: damage, and keys wrapped so that they protect nothing."""
    name = f"Layer {evidence.layer.index}"
    error = Severity.ERROR
    if not evidence.present:
        yield _missing(source, require, name)
        return
    if not evidence.digest_ok:
        message = f"{name} is not what its digest and size say."
        yield Finding("IMG-DIGEST", error, name, message, fix=_DAMAGED)
    if evidence.reads_as:
        message = f"{name} is marked encrypted, but reads as plain {evidence.reads_as}."
        yield Finding("IMG-READABLE", error, name, message, fix="Encrypt the image again.")
    if evidence.mac_ok is False:
        message = f"{name} was changed after it was encrypted (its HMAC is wrong)."
        yield Finding("IMG-HMAC", error, name, message, fix=_DAMAGED)
    if evidence.problem:
        yield Finding("IMG-LAYER", error, name, f"{name}: {evidence.problem}", fix=_DAMAGED)
    elif evidence.diff_ok is False and evidence.mac_ok is not False:
        message = f"{name} does not unpack to what the configuration says (its diff_id is wrong)."
        yield Finding("IMG-DIFFID", error, name, message, fix=_DAMAGED)
    yield from _wrapping_findings(evidence, name)


def _missing(source: Source, require: frozenset[Need], name: str) -> Finding:
    """A ``dir:`` copy of a signature has no layers, which is no lie; elsewhere it is damage."""
    message = f"{name} is not here."
    if source.transport != Transport.DIR:
        return Finding("IMG-MISSING", Severity.ERROR, name, message, fix=_DAMAGED)
    needed = Need.ENCRYPTED in require
    severity = Severity.WARNING if needed else Severity.INFO
    return Finding("IMG-MISSING", severity, name, f"{message} Not checked.", checked=False)


def _wrapping_findings(evidence: LayerEvidence, name: str) -> Iterator[Finding]:
    descriptor = evidence.layer.descriptor
    if not descriptor.encrypted:
        return
    for flag in sorted(provider_flags(descriptor.annotations)):
        severity = Severity.ERROR if flag == "sample-key" else Severity.WARNING
        message = f"{name}: {_WEAK[flag]}"
        fix = "Encrypt the image again with a key of your own."
        yield Finding(f"IMG-{flag.upper()}", severity, name, message, fix=fix)
    schemes = {info.scheme for info in list_recipients(descriptor.annotations)}
    if Scheme.PROVIDER not in schemes:
        return
    if len(schemes) > 1:
        message = f"{name} mixes a kbs: recipient with others; a confidential guest refuses it."
        yield Finding("IMG-GUEST-MIXED", Severity.WARNING, name, message)
    if descriptor.plain_type == OCI_LAYER_ZSTD:
        message = f"{name} is encrypted zstd, which a confidential guest cannot open."
        yield Finding("IMG-GUEST-ZSTD", Severity.WARNING, name, message)


def _encryption_findings(facts: Facts) -> Iterator[Finding]:
    if Need.ENCRYPTED not in facts.require:
        return
    plain = len(facts.layers) - len(facts.encrypted)
    if not facts.encrypted:
        message = f"Not encrypted: anyone who gets this image can read {_all(plain, 'layer')}."
        fix = "Protect it with kataui image protect."
        yield Finding("IMG-NOT-ENCRYPTED", Severity.ERROR, "Encryption", message, fix=fix)
        return
    if plain:
        message = f"{plain} of {_count(len(facts.layers), 'layer')} can be read by anyone."
        why = "A back door in a readable base goes unnoticed unless its digest is pinned."
        yield Finding("IMG-PARTLY", Severity.WARNING, "Encryption", message, why=why)
    shut = [item for item in facts.encrypted if item.present and item.mac_ok is None]
    if shut and not any(item.problem for item in shut):
        reason = (
            "no given key opens it" if facts.has_private_keys else "the private key is not here"
        )
        message = f"Encryption of {_count(len(shut), 'layer')} not checked: {reason}."
        fix = "Give a private key that opens the image with --key."
        yield Finding("IMG-NO-KEY", Severity.WARNING, "Encryption", message, fix=fix, checked=False)


def _signature_findings(facts: Facts) -> Iterator[Finding]:
    needed = Need.SIGNED in facts.require
    for item in facts.signatures:
        yield from _one_signature(facts, item)
    if facts.valid:
        yield from _unsigned_platforms(facts)
    elif needed and facts.has_public_keys:
        found = bool(facts.signatures)
        message = (
            "No signature is valid for the given public keys."
            if found
            else "Not signed: nothing proves who made this image."
        )
        fix = "Sign it with kataui image sign, or check that the public key is the right one."
        yield Finding("IMG-NOT-SIGNED", Severity.ERROR, "Signature", message, fix=fix)
    elif needed:
        message = (
            "Signatures not checked: no public key was given."
            if facts.signatures
            else "Not signed, and no public key was given to check a signature with."
        )
        fix = "Give the public key of the signer with --public-key."
        yield Finding(
            "IMG-NO-PUBLIC-KEY", Severity.WARNING, "Signature", message, fix=fix, checked=False
        )


def _one_signature(facts: Facts, item: Evidence) -> Iterator[Finding]:
    subject = f"Signature for {item.identity}" if item.identity else "Signature"
    if item.status is Status.INVALID:
        foreign = item.digest is not None and "which is not this image" in item.reason
        wrong = foreign or not facts.valid
        severity = Severity.ERROR if wrong and Need.SIGNED in facts.require else Severity.WARNING
        name = "IMG-SIG-STALE" if foreign else "IMG-SIG-INVALID"
        yield Finding(name, severity, subject, item.reason)
    elif item.status is Status.UNKNOWN and facts.has_public_keys:
        yield Finding("IMG-SIG-UNKNOWN", Severity.INFO, subject, item.reason, checked=False)


def _unsigned_platforms(facts: Facts) -> Iterator[Finding]:
    signed = {item.digest for item in facts.valid}
    roots = {facts.source.root.digest} | {item.image.digest for item in facts.images}
    missing = len(roots - signed)
    if missing:
        message = f"{_count(missing, 'digest')} of {len(roots)} that may be pulled is not signed."
        why = "A cluster checks the signature of the platform's own manifest as well."
        yield Finding("IMG-SIG-PLATFORM", Severity.WARNING, "Signature", message, why=why)


def sentence(facts: Facts, verdict: Verdict) -> str:
    """The verdict for people, saying no more than was checked."""
    total, shut = len(facts.layers), len(facts.encrypted)
    if verdict is Verdict.FAIL:
        return _fail_sentence(facts)
    signed = (
        f"the signature by {facts.valid[0].key} holds"
        if facts.valid
        else "nothing was proved about who made it"
    )
    opened = sum(1 for item in facts.encrypted if item.mac_ok)
    if verdict is Verdict.PASS and opened:
        what = _all(total, "layer") if shut == total else f"{shut} of {total} layers"
        return f"{_capital(what)} are encrypted and whole, and {signed}."
    if verdict is Verdict.PASS:
        return f"{_capital(signed)}."
    if not facts.has_private_keys and shut:
        return f"Not proved: the private key is not here. {shut} of {total} layers are encrypted."
    return f"{shut} of {total} layers are encrypted, and {signed}."


def _fail_sentence(facts: Facts) -> str:
    damaged = any(
        not item.digest_ok or item.mac_ok is False or item.diff_ok is False or item.problem
        for item in facts.layers
        if item.present
    )
    if damaged:
        return "This image is damaged or was changed: what is stored is not what was promised."
    unsigned = not facts.valid and Need.SIGNED in facts.require
    if not facts.encrypted and Need.ENCRYPTED in facts.require:
        nobody = ", and nothing proves who made it" if unsigned and not facts.signatures else ""
        readable = _all(len(facts.layers), "layer")
        return f"Not protected: anyone who gets this image can read {readable}{nobody}."
    if unsigned and facts.has_public_keys:
        return "Nothing proves who made this image: no signature is valid for the given keys."
    return "This image is not what it should be."


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _all(number: int, word: str) -> str:
    return f"its one {word}" if number == 1 else f"all {number} {word}s"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
