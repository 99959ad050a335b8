"""cosign's private key file, and the public keys that signatures are checked with.

Source: sigstore/cosign, pkg/cosign/keys.go; secure-systems-lab/go-securesystemslib,
encrypted/encrypted.go (scrypt, NaCl secretbox). The label and parameters that are written are the
only ones that every known reader takes.
"""

import base64
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nacl.exceptions
import nacl.secret
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from kataui import files
from kataui.errors import KatauiError, KeyProblem
from kataui.files import clean, compact_json, parse_json_object
from kataui.images.keyfiles import load_private, read_key_file
from kataui.images.keys import AskPassphrase

_LABELS = ("ENCRYPTED COSIGN PRIVATE KEY", "ENCRYPTED SIGSTORE PRIVATE KEY")
_COSTS = (65536, 32768, 131072)  # the only N that readers take; the first one is written
_SALT_BYTES = 32
_LINE = 64
PASSWORD_VARIABLE = "COSIGN_PASSWORD"  # noqa: S105 - the name of a variable


def is_encrypted_key(data: bytes) -> bool:
    """Whether a file is cosign's kind of encrypted key."""
    return any(b"-----BEGIN " + label.encode() in data for label in _LABELS)


def encrypt_key(key: ec.EllipticCurvePrivateKey, passphrase: bytes) -> bytes:
    """The key as cosign's PEM, encrypted with a passphrase, which may be empty."""
    plain = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(nacl.secret.SecretBox.NONCE_SIZE)
    box = nacl.secret.SecretBox(_derive(passphrase, salt, _COSTS[0]))
    value = {
        "kdf": {
            "name": "scrypt",
            "params": {"N": _COSTS[0], "r": 8, "p": 1},
            "salt": _b64(salt),
        },
        "cipher": {"name": "nacl/secretbox", "nonce": _b64(nonce)},
        "ciphertext": _b64(box.encrypt(plain, nonce).ciphertext),
    }
    text = _b64(compact_json(value))
    lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
    body = "\n".join(lines)
    return f"-----BEGIN {_LABELS[0]}-----\n{body}\n-----END {_LABELS[0]}-----\n".encode()


def decrypt_key(data: bytes, passphrase: bytes, name: str) -> ec.EllipticCurvePrivateKey:
    """Open cosign's PEM; raises ``KeyProblem`` for a wrong passphrase or a damaged file."""
    try:
        lines = [x.strip() for x in data.decode("ascii").splitlines() if x.strip()]
        value = parse_json_object(
            base64.b64decode("".join(lines[1:-1]), validate=True), what=f"key {name}"
        )
        salt, nonce, sealed = _parameters(value)
        cost = value["kdf"]["params"]["N"]
    except (ValueError, KeyError, TypeError, KatauiError) as error:
        raise KeyProblem(f"{name} is damaged, or no key of cosign's.") from error
    if type(cost) is not int or cost not in _COSTS:
        raise KeyProblem(f"{name} asks for key derivation parameters that cosign never writes.")
    try:
        plain = nacl.secret.SecretBox(_derive(passphrase, salt, cost)).decrypt(sealed, nonce)
    except (nacl.exceptions.CryptoError, ValueError) as error:
        raise KeyProblem(f"The passphrase does not open {name}.") from error
    try:
        return _signing(serialization.load_der_private_key(plain, None), name)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyProblem(f"{name} holds no private key.") from error


def _parameters(value: dict[str, Any]) -> tuple[bytes, bytes, bytes]:
    kdf, cipher = value["kdf"], value["cipher"]
    fixed = (kdf["name"], kdf["params"]["r"], kdf["params"]["p"], cipher["name"])
    if fixed != ("scrypt", 8, 1, "nacl/secretbox"):
        raise KeyError("parameters")
    texts = (kdf["salt"], cipher["nonce"], value["ciphertext"])
    salt, nonce, sealed = (base64.b64decode(text, validate=True) for text in texts)
    return salt, nonce, sealed


def _derive(passphrase: bytes, salt: bytes, cost: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=cost, r=8, p=1).derive(passphrase)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _signing(key: object, name: str) -> ec.EllipticCurvePrivateKey:
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise KeyProblem(
        f"{name} is no EC P-256 key, the only kind that every reader of signatures takes.",
        hint="Make one with kataui key new cosign PREFIX.",
    )


def load_signing_key(path: Path, ask: AskPassphrase) -> ec.EllipticCurvePrivateKey:
    """A private key to sign with: cosign's file, or PKCS8 PEM of an EC P-256 key.

    The passphrase is ``COSIGN_PASSWORD`` when that fits, else asked for. Raises ``KeyProblem``.
    """
    data, name = read_key_file(str(path)), clean(path.name)
    if b"PUBLIC KEY-----" in data:
        raise KeyProblem(
            f"{name} is a public key; signing needs the private one.", hint="Give the .key file."
        )
    if is_encrypted_key(data):
        return _unlocked_by(lambda secret: decrypt_key(data, secret, name), name, ask)
    try:
        return _signing(load_private(data, name, None), name)
    except TypeError:
        return _unlocked_by(
            lambda secret: _signing(load_private(data, name, secret), name), name, ask
        )


def _unlocked_by(
    unlock: Callable[[bytes], ec.EllipticCurvePrivateKey], name: str, ask: AskPassphrase
) -> ec.EllipticCurvePrivateKey:
    """Try cosign's variable; what else somebody gave (a file, an answer) is tried after it."""
    known = os.environ.get(PASSWORD_VARIABLE)
    if known is not None:
        try:
            return unlock(_encoded(known))
        except KeyProblem:
            answer = ask(f"Passphrase of {name}")
            if answer is None:
                raise
            return unlock(_encoded(answer))
    answer = ask(f"Passphrase of {name}")
    if answer is None:
        hint = f"Use --passphrase-file, {PASSWORD_VARIABLE} or a terminal."
        raise KeyProblem(f"{name} needs a passphrase.", hint=hint)
    return unlock(_encoded(answer))


def _encoded(passphrase: str) -> bytes:
    return passphrase.encode("utf-8", "surrogateescape")  # a variable may hold any bytes


def load_public_key(path: Path) -> ec.EllipticCurvePublicKey:
    """A public key to check signatures with (PEM, EC); raises ``KeyProblem``."""
    data, name = read_key_file(str(path)), clean(path.name)
    if b"PRIVATE KEY-----" in data:
        raise KeyProblem(f"{name} is a private key; checking needs only the public one.")
    try:
        key = serialization.load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyProblem(f"{name} is no public key (PEM).") from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise KeyProblem(f"{name} is no EC key; signatures made with other kinds are not checked.")
    return key


def change_passphrase(path: Path, old: str, new: str) -> None:
    """Encrypt cosign's key file anew; the old file stays until the new one is whole.

    Another private key can lose its passphrase (``new`` is empty; it becomes plain PKCS8 PEM) but
    not get one, for skopeo could not read it. The file is replaced with mode 0600. Raises
    ``KeyProblem``.
    """
    data, name = read_key_file(str(path)), clean(path.name)
    if is_encrypted_key(data):
        key = decrypt_key(data, _encoded(old), name)
        files.replace_file(path, encrypt_key(key, _encoded(new)), mode=0o600)
        return
    if new:
        raise KeyProblem(
            f"{name} is no cosign key; only those are kept under a passphrase.",
            hint="Keys for decrypting are plain PKCS8, for skopeo reads no other; guard the file.",
        )
    files.replace_file(path, _unlocked(data, old, name), mode=0o600)


def _unlocked(data: bytes, passphrase: str, name: str) -> bytes:
    try:
        load_private(data, name, None)
    except TypeError:
        key = load_private(data, name, _encoded(passphrase))
    else:
        raise KeyProblem(f"{name} has no passphrase.", hint="There is nothing to remove.")
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
