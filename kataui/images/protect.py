"""Protecting an image: open, encrypt, write, sign, prove, and only then show it.

The window and the command line fill the same ``ProtectAnswers`` and call ``protect``.
"""

from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from kataui.errors import IntegrityError
from kataui.findings import Finding, Verdict
from kataui.images import receipt
from kataui.images.commands import Written
from kataui.images.cosignkey import load_signing_key
from kataui.images.encrypt import Profile, check_selection, choose_profile, encrypt_image
from kataui.images.inspect import find_base, select_layers
from kataui.images.keys import AskPassphrase, KeyRing, load_keys, usable_keys
from kataui.images.model import REF_NAME, Image
from kataui.images.open import open_source
from kataui.images.proof import Proof, prove
from kataui.images.protectanswers import ProtectAnswers, check_receipt
from kataui.images.recipients import Recipient, Scheme, parse_recipient, wrap_options
from kataui.images.sign import Signed, sign_source
from kataui.images.signatures import PublicKey
from kataui.images.simplesigning import check_identity
from kataui.images.source import Source
from kataui.images.verify import verify
from kataui.images.writer import Destination, destination
from kataui.progress import Control


@dataclass(frozen=True, slots=True)
class Protected:
    """What protecting gave: where it is, the proof, and the receipt's files when asked for."""

    written: Written
    proof: Proof
    receipt: receipt.Receipt
    receipt_files: tuple[Path, ...] = ()


class ProofFailed(IntegrityError):
    """What was written is not what it should be; it was thrown away."""

    def __init__(self, proof: Proof) -> None:
        reason = proof.findings[0].message if proof.findings else ""
        super().__init__(
            f"{proof.sentence} {reason}".strip(), hint="The source is untouched. Check it first."
        )
        self.proof = proof


@dataclass(frozen=True, slots=True)
class _Keys:
    """All keys, read before anything is written, so that no question comes half way."""

    recipients: tuple[Recipient, ...]
    profile: Profile
    sign_key: ec.EllipticCurvePrivateKey = field(repr=False)
    public_key: PublicKey
    ring: KeyRing = field(repr=False)

    @property
    def will_prove(self) -> bool:
        """Whether a key at hand opens what is wrapped for the recipients (tried, not guessed)."""
        return bool(usable_keys(wrap_options(self.recipients, b"{}"), self.ring))


def _load(answers: ProtectAnswers, ask: AskPassphrase) -> _Keys:
    recipients = tuple(parse_recipient(text) for text in answers.recipients)
    profile = choose_profile(answers.profile, recipients)
    check_identity(answers.identity)
    sign_key = load_signing_key(Path(answers.sign_key), ask)
    brokers = [item.spec for item in recipients if item.scheme is Scheme.PROVIDER]
    ring = load_keys(tuple(dict.fromkeys((*answers.keys, *brokers))), ask)
    public = PublicKey(Path(answers.sign_key).name, sign_key.public_key())
    return _Keys(recipients, profile, sign_key, public, ring)


def protect(answers: ProtectAnswers, *, ask: AskPassphrase, control: Control) -> Protected:
    """Encrypt, sign and prove; the destination appears last, whole and proved, or not at all.

    ``ask`` gives passphrases. The proof is *unknown* when no private key is at hand (then the
    result is kept) and raises ``ProofFailed`` when it fails. Writes the destination and, when
    asked for, the receipt beside its signature. Raises ``KatauiError`` for everything else.
    """
    keys = _load(answers, ask)
    check_receipt(answers)
    started = receipt.Clock()
    with open_source(answers.source, platform=answers.platform, control=control) as source:
        selections = {image.digest: _selection(answers, image) for image in source.images}
        told = check_selection(source, lambda image: selections[image.digest])
        with destination(answers.destination, force=answers.force, source=source) as place:
            root = encrypt_image(
                source,
                place.layout,
                recipients=keys.recipients,
                selection=lambda image: selections[image.digest],
                profile=keys.profile,
                tag=place.reference.tag,
                control=control,
                proved=keys.will_prove,
            )
            tag = root.annotations[REF_NAME]
            signed = _sign(place, tag, answers, keys, control)
            proof = _prove(source, place, keys, signed, told=told, control=control)
            written = Written(place.target, place.is_archive, tag, signed.identity, signed.digests)
            made = receipt.make(answers, source, written, proof, started)
            with receipt.writing(answers.receipt, made, keys.sign_key) as paths:
                place.commit()
            return Protected(written, proof, made, paths)


def _selection(answers: ProtectAnswers, image: Image) -> frozenset[int]:
    base = find_base(image, answers.base)
    return frozenset(select_layers(answers.layers, image, base))


def _sign(
    place: Destination, tag: str, answers: ProtectAnswers, keys: _Keys, control: Control
) -> Signed:
    with open_source(f"oci:{place.layout.folder}:{tag}") as layout:
        return sign_source(
            layout,
            key=keys.sign_key,
            identity=answers.identity,
            bundle=answers.bundle,
            control=control,
        )


def _prove(
    source: Source,
    place: Destination,
    keys: _Keys,
    signed: Signed,
    *,
    told: tuple[Finding, ...],
    control: Control,
) -> Proof:
    """Open what lies on disk by the way that every reader takes, and judge it."""
    path = place.pack(control)
    transport = "oci-archive" if place.is_archive else "oci"
    with open_source(f"{transport}:{path}:{signed.tag}", control=control) as written:
        report = verify(
            written,
            public_keys=(keys.public_key,),
            ring=keys.ring,
            identity=signed.identity,
            control=control,
        )
    proof = prove(source, report, told)
    if proof.verdict is Verdict.FAIL:
        raise ProofFailed(proof)
    return proof
