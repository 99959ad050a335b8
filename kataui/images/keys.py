"""Private keys at hand, and opening a layer's wrapped key with them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from kataui.errors import ImageError, KeyProblem, WrongKey
from kataui.files import clean
from kataui.images import jwe, kbs, keyfiles, pgp, pkcs7, pkcs11
from kataui.images.recipients import Packet, Scheme, list_recipients, packets

AskPassphrase = Callable[[str], str | None]
_MAX_PACKETS = 256  # of one layer; trying one may cost a start of gpg


@dataclass(frozen=True, slots=True)
class OwnKey:
    """One key that may open layers: exactly one of the secrets is set."""

    name: str
    private: jwe.PrivateKey | None = field(default=None, repr=False)
    broker: bytes = field(default=b"", repr=False)
    kid: str = ""
    pgp: bytes = field(default=b"", repr=False)
    passphrase: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The private keys given, and the certificates that go with those for PKCS7."""

    keys: tuple[OwnKey, ...] = field(default=(), repr=False)
    certificates: tuple[x509.Certificate, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The keys' names for people."""
        return tuple(key.name for key in self.keys)


def load_keys(specs: Sequence[str], ask: AskPassphrase) -> KeyRing:
    """Read private keys, certificates and ``kbs:///...=KEYFILE`` (or its KEYFILE alone).

    ``ask`` is called with a prompt for each key that is protected. Raises ``KeyProblem``.
    """
    keys: list[OwnKey] = []
    certificates: list[x509.Certificate] = []
    for spec in specs:
        if spec.startswith("kbs:"):
            kid, path = kbs.split_spec(spec)
            data = kbs.check_key(keyfiles.read_key_file(path), path)
            keys.append(OwnKey(kid, broker=data, kid=kid))
        elif _is_certificate(spec):
            certificates.append(keyfiles.load_certificate(spec))
        else:
            keys.append(_private(spec, ask))
    return KeyRing(tuple(keys), tuple(certificates))


def _is_certificate(path: str) -> bool:
    data = keyfiles.read_key_file(path)
    if b"-----BEGIN" in data:
        return b"BEGIN CERTIFICATE" in data and b"PRIVATE KEY" not in data
    return keyfiles.is_certificate_der(data)


def _private(path: str, ask: AskPassphrase) -> OwnKey:
    data, name = keyfiles.read_key_file(path), Path(path).name
    if kbs.is_key(data):
        return OwnKey(name, broker=data)
    if pgp.is_secret_key(data):
        return OwnKey(
            name, pgp=data, passphrase=_ask(name, ask) if pgp.is_protected(data) else None
        )
    if b"PUBLIC KEY-----" in data or b"PUBLIC KEY BLOCK-----" in data:
        raise KeyProblem(
            f"{clean(path)} is a public key; opening needs the private one.",
            hint="Give the .key file.",
        )
    try:
        return OwnKey(name, keyfiles.load_private(data, clean(name), None))
    except TypeError:
        secret = _ask(name, ask).encode()
    return OwnKey(name, keyfiles.load_private(data, clean(name), secret))


def _ask(name: str, ask: AskPassphrase) -> str:
    passphrase = ask(f"Passphrase of {clean(name)}")
    if passphrase is None:
        raise KeyProblem(
            f"{clean(name)} needs a passphrase.", hint="Use --passphrase-file or a terminal."
        )
    return passphrase


def unwrap_options(annotations: Mapping[str, str], ring: KeyRing) -> bytes:
    """A layer's private options, opened with the first key that fits.

    Raises ``WrongKey`` when none fits, ``ImageError`` when there is nothing that could be opened.
    """
    for _, plain in _openings(annotations, ring):
        return plain
    listed = list_recipients(annotations)
    if not listed or all(info.detail == "cannot be read" for info in listed):
        raise ImageError(
            "An encrypted layer carries no key that could be unwrapped.",
            hint="The tool that wrote it lost or damaged the annotations; make the image again.",
        )
    whom = ", ".join(dict.fromkeys(f"{i.scheme.value} {i.name}" for i in listed))
    given = "no private key was given" if not ring.keys else f"none of {len(ring.keys)} keys fits"
    raise WrongKey(
        f"The layer's key cannot be unwrapped: {given}.", hint=f"It is wrapped for {clean(whom)}."
    )


def usable_keys(annotations: Mapping[str, str], ring: KeyRing) -> tuple[str, ...]:
    """The names of all keys in the ring that open the layer."""
    return tuple(dict.fromkeys(key.name for key, _ in _openings(annotations, ring)))


def _openings(annotations: Mapping[str, str], ring: KeyRing) -> Iterator[tuple[OwnKey, bytes]]:
    for packet in islice(packets(annotations), _MAX_PACKETS):
        for key in ring.keys:
            try:
                yield key, _open(packet, key, ring.certificates)
            except (jwe.NotForThisKey, ImageError):
                continue


def _open(packet: Packet, key: OwnKey, certificates: Sequence[x509.Certificate]) -> bytes:
    """Open one packet with one key; raises ``NotForThisKey`` or ``ImageError``."""
    private = key.private
    match packet.scheme:
        case Scheme.JWE if private is not None:
            return jwe.unwrap(jwe.parse(packet.data), private)
        case Scheme.PKCS7 if isinstance(private, rsa.RSAPrivateKey):
            return pkcs7.unwrap(pkcs7.parse(packet.data), private, certificates)
        case Scheme.PKCS11 if isinstance(private, rsa.RSAPrivateKey):
            return pkcs11.unwrap(pkcs11.parse(packet.data), private)
        case Scheme.PGP if key.pgp:
            return pgp.unwrap(packet.data, key.pgp, key.passphrase)
        case Scheme.PROVIDER if key.broker:
            return kbs.unwrap(kbs.parse(packet.data), key.broker)
    raise jwe.NotForThisKey
