"""Making keys, and telling what a key file is: kind, size, fingerprint in words and hex."""

import datetime as dt
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.x509.oid import NameOID

from kataui import files, resources
from kataui.errors import DestinationProblem, KeyProblem
from kataui.files import clean
from kataui.images import kbs, keyfiles
from kataui.images.cosignkey import encrypt_key, is_encrypted_key

KINDS = ("jwe", "cosign", "kbs", "pkcs7")
ALGORITHMS = ("rsa-3072", "rsa-4096", "p256", "p384", "p521")
_CURVES: dict[str, type[ec.EllipticCurve]] = {
    "p256": ec.SECP256R1,
    "p384": ec.SECP384R1,
    "p521": ec.SECP521R1,
}
_WORDS_SHOWN = 8  # 64 bits: nobody makes a second key with the same words
_CERTIFICATE_DAYS = 3650
_MAX_COMMON_NAME_BYTES = 64  # RFC 5280, A.1, ub-common-name


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """SHA-256 of the public key (SPKI, DER) or of a broker key's bytes."""

    hex: str

    @property
    def words(self) -> str:
        """The first bytes as words of our own list (``resources/words.txt``), one a byte."""
        words = resources.text("words.txt").split()
        return "-".join(words[byte] for byte in bytes.fromhex(self.hex)[:_WORDS_SHOWN])


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What a key file is; ``fingerprint`` is ``None`` while it is locked by a passphrase."""

    path: Path
    kind: str
    algorithm: str
    private: bool
    locked: bool
    fingerprint: Fingerprint | None
    readable_by_others: bool


@dataclass(frozen=True, slots=True)
class NewKey:
    """The files of a new key."""

    private: Path
    public: Path | None
    info: KeyInfo


def new_key(kind: str, prefix: Path, *, algorithm: str = "", passphrase: str = "") -> NewKey:
    """Make a key: PREFIX.key (0600) and PREFIX.pub, or PREFIX.crt for pkcs7; kbs has one half.

    Nothing is overwritten. Private keys of jwe and pkcs7 are plain PKCS8, for skopeo reads no
    other; cosign's is encrypted with ``passphrase``. Raises ``KeyProblem``, ``DestinationProblem``.
    """
    if kind not in KINDS:
        raise KeyProblem(f"{clean(kind)} is no kind of key; there are {', '.join(KINDS)}.")
    if not prefix.name:
        raise KeyProblem("A key needs a name.", hint="Give a PREFIX such as keys/team.")
    suffix = {"pkcs7": ".crt", "kbs": ""}.get(kind, ".pub")
    private = prefix.with_name(f"{prefix.name}.key")
    public = prefix.with_name(f"{prefix.name}{suffix}") if suffix else None
    for path in (private, public):
        if path is not None and (path.exists() or path.is_symlink()):
            raise DestinationProblem(
                f"{clean(str(path))} exists already and is not overwritten.",
                hint="Choose another name.",
            )
    secret, shown = _make(kind, algorithm, prefix.name, passphrase)
    files.write_new(private, secret, mode=0o600)
    try:
        if public is not None:
            files.write_new(public, shown)
    except DestinationProblem:
        private.unlink(missing_ok=True)
        raise
    return NewKey(private, public, describe_key(public or private))


def _make(kind: str, algorithm: str, name: str, passphrase: str) -> tuple[bytes, bytes]:
    """The bytes of the private and the public file."""
    if kind == "kbs":
        return os.urandom(kbs.KEY_BYTES), b""
    if kind == "cosign":
        if algorithm not in ("", "p256"):
            raise KeyProblem("A cosign key is always p256; other readers take no other.")
        signing = ec.generate_private_key(ec.SECP256R1())
        return encrypt_key(signing, passphrase.encode("utf-8", "surrogateescape")), public_pem(
            signing.public_key()
        )
    if passphrase:
        raise KeyProblem(
            f"A {kind} key has no passphrase, for skopeo could not read it.",
            hint="Guard the file; it can be read only by you.",
        )
    key = _generate(algorithm or "rsa-3072")
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    if kind == "jwe":
        return secret, public_pem(key.public_key())
    if not isinstance(key, rsa.RSAPrivateKey):
        raise KeyProblem("A pkcs7 key is always RSA: rsa-3072 or rsa-4096.")
    return secret, _certificate(key, name)


def _generate(algorithm: str) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    if algorithm in _CURVES:
        return ec.generate_private_key(_CURVES[algorithm]())
    if algorithm not in ALGORITHMS:
        raise KeyProblem(f"{clean(algorithm)} is not known; there are {', '.join(ALGORITHMS)}.")
    return rsa.generate_private_key(65537, int(algorithm.removeprefix("rsa-")))


def public_pem(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> bytes:
    """A public key as PEM (SubjectPublicKeyInfo)."""
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _certificate(key: rsa.RSAPrivateKey, name: str) -> bytes:
    """A self-signed certificate: only its key, issuer and serial matter to ocicrypt."""
    shown = clean(name).encode()[:_MAX_COMMON_NAME_BYTES].decode(errors="ignore")
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, shown)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=_CERTIFICATE_DAYS))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def describe_key(path: Path) -> KeyInfo:
    """Say what a key file is, without a passphrase; raises ``KeyProblem`` when it is none."""
    data, name = keyfiles.read_key_file(str(path)), clean(path.name)
    if is_encrypted_key(data):
        return _private_info(path, "cosign", "EC P-256", _beside(path), locked=True)
    if kbs.is_key(data):
        mark = Fingerprint(hashlib.sha256(data).hexdigest())
        return _private_info(path, "kbs", "32 bytes", mark)
    if b"PRIVATE KEY-----" in data or b'"d"' in data or keyfiles.is_private_der(data):
        try:
            own = keyfiles.load_private(data, name, None).public_key()
        except TypeError:
            return _private_info(path, "key", "unknown until unlocked", None, locked=True)
        return _private_info(path, "key", _algorithm(own), _print(own))
    kind, public = "public key", None
    if b"BEGIN CERTIFICATE" in data or keyfiles.is_certificate_der(data):
        kind, public = "certificate", keyfiles.load_certificate(str(path)).public_key()
    shown = public or _public(data, str(path))
    return KeyInfo(
        path=path,
        kind=kind,
        algorithm=_algorithm(shown),
        private=False,
        locked=False,
        fingerprint=_print(shown),
        readable_by_others=False,
    )


def _private_info(
    path: Path, kind: str, algorithm: str, mark: Fingerprint | None, *, locked: bool = False
) -> KeyInfo:
    return KeyInfo(
        path=path,
        kind=kind,
        algorithm=algorithm,
        private=True,
        locked=locked,
        fingerprint=mark,
        readable_by_others=not files.is_private(path),
    )


def _public(data: bytes, path: str) -> PublicKeyTypes:
    try:
        return serialization.load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        return keyfiles.load_jwe_key(path).key


def _algorithm(key: PublicKeyTypes) -> str:
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC P-{key.key_size}"
    return type(key).__name__.removesuffix("PublicKey")


def _print(key: PublicKeyTypes) -> Fingerprint:
    spki = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return Fingerprint(hashlib.sha256(spki).hexdigest())


def _beside(path: Path) -> Fingerprint | None:
    """The fingerprint of the public half that lies beside a locked key."""
    try:
        return describe_key(path.with_suffix(".pub")).fingerprint
    except KeyProblem:
        return None
