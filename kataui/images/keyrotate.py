"""Exchanging a key for another in a folder of images: only manifests are written, never a layer."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from kataui import files
from kataui.errors import Cancelled, ImageError, KatauiError, KeyProblem, WrongKey
from kataui.files import clean
from kataui.findings import Finding
from kataui.images.keymaking import public_pem
from kataui.images.keys import KeyRing, unwrap_options
from kataui.images.layout import LAYOUT_MARK
from kataui.images.model import Digest, Layer
from kataui.images.open import open_source, tags_in
from kataui.images.opens import opens_layers
from kataui.images.recipients import KEYS_STEM, Recipient, Scheme, list_recipients
from kataui.images.rewrap import change_recipients
from kataui.images.sign import sign_source
from kataui.images.signatures import (
    Form,
    PublicKey,
    Status,
    check_signature,
    find_signatures,
    repository_of,
)
from kataui.images.source import Source
from kataui.progress import Control


class Outcome(StrEnum):
    """What became of one image."""

    CHANGED = "changed"
    WOULD_CHANGE = "would change"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Rotated:
    """One image: its reference, what became of it, why, and its digest after that.

    ``identity`` is the repository for which it was signed again, or empty.
    """

    reference: str
    outcome: Outcome
    sentence: str
    digest: str = ""
    identity: str = ""
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Exchange:
    """Who goes and who comes: ``ring`` holds the old key, which opens the images.

    ``remove`` has selectors as ``remove_recipients`` reads them; without any it is the old key
    itself. ``sign_key`` signs again what it had signed before.
    """

    ring: KeyRing
    add: tuple[Recipient, ...] = field(repr=False)
    remove: tuple[str, ...] = ()
    sign_key: ec.EllipticCurvePrivateKey | None = field(default=None, repr=False)


def rotate(
    folder: Path, exchange: Exchange, *, dry_run: bool = False, control: Control | None = None
) -> tuple[Rotated, ...]:
    """Exchange the key in every image of every OCI layout directly in ``folder``, or of itself.

    All are tried: an image that the old key does not open is skipped, one that cannot be changed
    is reported and stays as it was. ``dry_run`` writes nothing. Signatures are dropped, for they
    are over the old digest; those by ``sign_key`` are made again for the same repository. Raises
    ``KeyProblem`` without a new recipient, ``ImageError`` when there is no layout at all,
    ``Cancelled`` between two images.
    """
    if not exchange.add:
        raise KeyProblem("Nobody takes the old key's place.", hint="Name the new one with --add.")
    control = control or Control()
    references = _references(folder)
    done: list[Rotated] = []
    for number, reference in enumerate(references, 1):
        if control.cancelled:
            raise Cancelled(_so_far(done))
        control.report(f"Image {number} of {len(references)}", number, len(references))
        done.append(_one(reference, exchange, dry_run=dry_run))
    return tuple(done)


def _so_far(done: Sequence[Rotated]) -> str:
    count = sum(one.outcome is Outcome.CHANGED for one in done)
    return f"Cancelled. {count} images were changed before that; the others are as they were."


def _references(folder: Path) -> list[str]:
    """PATH:TAG of every image, each digest once: its other tags go along."""
    if files.is_file(folder / LAYOUT_MARK):
        layouts = [folder]
    else:
        try:
            inside = sorted(folder.iterdir())
        except OSError as error:
            reason = files.problem_text(error)
            raise ImageError(f"Cannot read {clean(str(folder))}: {reason}.") from error
        layouts = [path for path in inside if files.is_file(path / LAYOUT_MARK)]
    if not layouts:
        raise ImageError(
            f"There is no OCI layout in {clean(str(folder))}.",
            hint="Give the folder in which the images' layout folders are.",
        )
    return [reference for path in layouts for reference in _tagged(path)]


def _tagged(layout: Path) -> list[str]:
    """What to call the images of one layout; its path alone when they have no tags."""
    found: dict[Digest, str] = {}
    try:
        for tag in tags_in(str(layout)):
            reference = f"{layout}:{tag}"
            with open_source(reference) as source:
                found.setdefault(source.root.digest, reference)
    except KatauiError:
        return [str(layout)]  # what is wrong with it is said when its turn comes
    return list(found.values()) or [str(layout)]


def _one(reference: str, exchange: Exchange, *, dry_run: bool) -> Rotated:
    try:
        with (
            open_source(reference) as source,
            tempfile.TemporaryDirectory(prefix="kataui-rotate-") as scratch,
        ):
            layers = [x for image in source.images for x in image.layers if x.encrypted]
            if not layers:
                return Rotated(reference, Outcome.SKIPPED, "No layer of it is encrypted.")
            for layer in layers:
                unwrap_options(layer.descriptor.annotations, exchange.ring)
            remove = exchange.remove or _own(layers, exchange.ring, Path(scratch))
            if dry_run:
                text = f"The old key opens its {len(layers)} encrypted layers."
                return Rotated(reference, Outcome.WOULD_CHANGE, text, str(source.root.digest))
            return _changed(reference, source, exchange, remove)
    except WrongKey:
        return Rotated(reference, Outcome.SKIPPED, "The old key does not open it.")
    except KatauiError as error:
        return Rotated(reference, Outcome.FAILED, f"{error.message} {error.hint}".strip())


def _changed(reference: str, source: Source, exchange: Exchange, remove: Sequence[str]) -> Rotated:
    signed = _signed_by(source, exchange.sign_key) if exchange.sign_key else {}
    change = change_recipients(source, ring=exchange.ring, add=exchange.add, remove=remove)
    text = "It is wrapped for the new key, and the old one opens it no more."
    if opens_layers(reference, exchange.ring)[0]:
        text = "It is wrapped for the new key; the old one opens it as well."
    digest = str(change.digest)
    made = Rotated(reference, Outcome.CHANGED, text, digest, findings=change.findings)
    if exchange.sign_key is None or not signed:
        return made
    identity = next(iter(signed.values()))
    try:
        with open_source(reference) as again:
            sign_source(
                again,
                key=exchange.sign_key,
                identity=identity,
                bundle=Form.BUNDLE in signed,
                control=Control(),
            )
    except KatauiError as error:
        text = f"Its key was exchanged, but it is not signed again: {error.message}"
        return replace(made, outcome=Outcome.FAILED, sentence=text)
    left = tuple(item for item in made.findings if item.id != "IMG-SIG-DROPPED")
    return replace(made, identity=identity, findings=left)


def _signed_by(source: Source, key: ec.EllipticCurvePrivateKey) -> dict[Form, str]:
    """The forms of the valid signatures by ``key``, and the repository that they name."""
    targets = [source.root.digest, *(image.digest for image in source.images)]
    public = [PublicKey("own", key.public_key())]
    seen = [check_signature(one, targets, public, "") for one in find_signatures(source)]
    valid = {one.form: repository_of(one.identity) for one in seen if one.status is Status.VALID}
    return valid if valid.get(Form.COSIGN) else {}


def _own(layers: Sequence[Layer], ring: KeyRing, scratch: Path) -> list[str]:
    """Selectors of the old key: what it opens, named by its public half or its resource."""
    found: dict[str, None] = {}
    for layer in layers:
        for scheme in Scheme:
            for selector in _of_scheme(scheme, layer.descriptor.annotations, ring, scratch):
                found[selector] = None
    if not found:
        raise KeyProblem("It cannot be told which recipient is the old key.", hint="Use --remove.")
    return list(found)


def _of_scheme(
    scheme: Scheme, annotations: Mapping[str, str], ring: KeyRing, scratch: Path
) -> Iterator[str]:
    stem = f"{KEYS_STEM}{scheme}"
    alone = {name: value for name, value in annotations.items() if name.startswith(stem)}
    try:
        unwrap_options(alone, ring)
    except KatauiError:
        return  # somebody else's, or there is none of this scheme
    if scheme is Scheme.PROVIDER:
        yield from (info.name for info in list_recipients(alone))
    elif scheme is Scheme.PKCS7:
        for number, certificate in enumerate(ring.certificates):
            data = certificate.public_bytes(serialization.Encoding.PEM)
            yield f"pkcs7:{_written(scratch / f'{number}.crt', data)}"
    elif scheme in {Scheme.JWE, Scheme.PKCS11}:
        for number, key in enumerate(ring.keys):
            if key.private is not None:
                data = public_pem(key.private.public_key())
                yield f"{scheme}:{_written(scratch / f'{number}.pub', data)}"


def _written(path: Path, data: bytes) -> Path:
    """A public half, where a selector can name it."""
    if not path.exists():
        files.write_new(path, data)
    return path
