"""The drill: a key is restored into a scratch place and used once, so that a backup is no hope."""

import hashlib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from kataui.errors import IntegrityError, KatauiError, KeyProblem, WrongKey
from kataui.files import clean
from kataui.images import keystate
from kataui.images.cosignkey import load_signing_key
from kataui.images.jwe import EC_ALGORITHMS, RSA_ALGORITHMS, JweKey
from kataui.images.keymaking import Fingerprint, KeyInfo
from kataui.images.keyrestore import Restored, open_sources, read_sources, unpack
from kataui.images.keys import AskPassphrase, KeyRing, load_keys, unwrap_options
from kataui.images.layerproof import check_layer
from kataui.images.model import Layer
from kataui.images.open import open_source
from kataui.images.recipients import Recipient, Scheme, wrap_options
from kataui.images.simplesigning import is_signed_by, public_bytes, sign
from kataui.images.source import Source
from kataui.progress import Control

_PROBE_BYTES = 64
_PROBE_ID = "kbs:///kataui/drill/probe"


@dataclass(frozen=True, slots=True)
class Drilled:
    """A drill that went well: the key, and what was done with it in words."""

    info: KeyInfo
    sentence: str


def drill(
    paths: Sequence[Path],
    ask: AskPassphrase,
    *,
    image: str = "",
    ask_key: AskPassphrase | None = None,
    control: Control | None = None,
) -> Drilled:
    """Restore the key where nobody else can read it, use it, remove it, remember the day.

    With ``image`` one of its layers is decrypted, and its HMAC checked. Without one, a probe is
    wrapped for the key and opened with it, or signed and checked. ``ask_key`` is asked when the
    key itself is locked. Raises ``KeyProblem`` when the key cannot be restored, ``WrongKey`` when
    it opens no layer of the image, ``IntegrityError`` when the layer is not what it should be.
    Written to disk: the key, in a private temporary folder that is removed in any case.
    """
    control = control or Control()
    control.report("Restoring the key", 0, 0)
    sources = read_sources(paths)
    key = open_sources(sources, ask)
    with tempfile.TemporaryDirectory(prefix="kataui-drill-") as folder:
        made = unpack(key, Path(folder) / "restored.key", sources.fingerprint)
        info, sentence = _use(made, image, _insisting(ask_key or ask), control)
    keystate.note_restored(info, keep_path=True)
    return Drilled(info, sentence)


def _insisting(ask: AskPassphrase) -> AskPassphrase:
    """Without the key's own passphrase a drill proves nothing."""

    def insist(_: str) -> str:
        secret = ask("Passphrase of the key itself")
        if secret is None:
            raise KeyProblem(
                "The key was restored, but is locked by a passphrase of its own.",
                hint="Give that one too: --key-passphrase-file F.",
            )
        return secret

    return insist


def _use(made: Restored, image: str, ask: AskPassphrase, control: Control) -> tuple[KeyInfo, str]:
    """Use the restored key once; gives what it is, now that it is open."""
    if made.info.kind == "cosign":
        if image:
            raise KeyProblem(
                "A key that signs opens no layer.", hint="Run the drill without an image."
            )
        return _sign_probe(made, ask)
    specs = [str(made.private)]
    if made.public is not None and made.public.suffix == ".crt":
        specs.append(str(made.public))
    ring = load_keys(specs, ask)
    if image:
        return made.info, _open_layer(image, ring, control)
    probe = os.urandom(_PROBE_BYTES)
    if unwrap_options(wrap_options([_recipient(ring)], probe), ring) != probe:
        raise IntegrityError("The restored key does not open what was wrapped for it.")
    return made.info, "It opened a probe that was wrapped for it."


def _recipient(ring: KeyRing) -> Recipient:
    """Whom a key opens for, told by the key itself."""
    own = ring.keys[0]
    if own.private is None:
        return Recipient(Scheme.PROVIDER, _PROBE_ID, _PROBE_ID, (_PROBE_ID, own.broker))
    public = own.private.public_key()
    is_ec = isinstance(public, ec.EllipticCurvePublicKey)
    algorithm = EC_ALGORITHMS[0] if is_ec else RSA_ALGORITHMS[0]
    return Recipient(Scheme.JWE, "probe", "probe", JweKey(public, algorithm))


def _sign_probe(made: Restored, ask: AskPassphrase) -> tuple[KeyInfo, str]:
    private = load_signing_key(made.private, ask)
    probe = os.urandom(_PROBE_BYTES)
    if not is_signed_by(private.public_key(), sign(private, probe), probe):
        raise IntegrityError("A signature of the restored key does not hold.")
    known = made.info.fingerprint
    mark = Fingerprint(hashlib.sha256(public_bytes(private.public_key())).hexdigest())
    if known is not None and known != mark:
        raise KeyProblem("The restored key does not belong to its public half.")
    return replace(made.info, fingerprint=mark), "It signed a probe, and the signature holds."


def _open_layer(image: str, ring: KeyRing, control: Control) -> str:
    """Decrypt the smallest layer that the key opens, and say which it was."""
    with open_source(image, control=control) as source:
        layer, total = _smallest(source, ring)
        size = layer.descriptor.size_bytes
        read = 0

        def on_bytes(count: int) -> None:
            nonlocal read
            read += count
            control.report(f"Opening layer {layer.index} with the restored key", read, size)

        found = check_layer(source.blobs, layer, ring, on_bytes=on_bytes, control=control)
    if not (found.digest_ok and found.mac_ok):
        raise IntegrityError(
            f"The restored key opens layer {layer.index}, but the layer is damaged.",
            hint="Run the drill with another copy of the image.",
        )
    return f"It opened layer {layer.index}, one of the {total} encrypted layers of {clean(image)}."


def _smallest(source: Source, ring: KeyRing) -> tuple[Layer, int]:
    layers = [layer for image in source.images for layer in image.layers if layer.encrypted]
    if not layers:
        raise KeyProblem("No layer of this image is encrypted.", hint="Choose another image.")
    for layer in sorted(layers, key=lambda one: one.descriptor.size_bytes):
        try:
            unwrap_options(layer.descriptor.annotations, ring)
        except KatauiError:
            continue
        return layer, len(layers)
    raise WrongKey(
        f"The key was restored, but opens none of the {len(layers)} encrypted layers of the image.",
        hint="Choose an image that was encrypted for it; kataui image inspect lists recipients.",
    )
