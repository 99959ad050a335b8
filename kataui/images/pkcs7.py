"""PKCS7 wrapping of a layer's key, in ocicrypt's own dialect of CMS.

Source: containers/ocicrypt, keywrap/pkcs7; smallstep/pkcs7, encrypt.go (what is written: content
as a primitive [0]); the older go.mozilla.org form with an OCTET STRING inside is read as well, and
OpenSSL's EnvelopedData with AES-CBC. Recipients are matched by issuer and serial (RFC 5652, 6.2.1).
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding

from kataui.errors import ImageError
from kataui.images import der
from kataui.images.jwe import NotForThisKey

_ENVELOPED_DATA = bytes.fromhex("2a864886f70d010703")
_DATA = bytes.fromhex("2a864886f70d010701")
_RSA = bytes.fromhex("2a864886f70d010101")
_AES128_GCM = bytes.fromhex("608648016503040106")
_AES_CBC = {bytes.fromhex("608648016503040102"): 16, bytes.fromhex("60864801650304012a"): 32}
_AES_GCM = {_AES128_GCM: 16, bytes.fromhex("60864801650304012e"): 32}
_TAG_BYTES = 16
_SEQUENCE_AS_PRIMITIVE = 0x10  # what Go's asn1.RawValue wrote, and every reader expects


@dataclass(frozen=True, slots=True)
class Addressee:
    """Who a message is for: the raw issuer and the serial number of a certificate."""

    issuer: bytes
    serial: int

    def matches(self, certificate: x509.Certificate) -> bool:
        """Whether it is this certificate."""
        return self == addressee(certificate)

    def text(self) -> str:
        """For people: the issuer's common name and the serial in hexadecimal."""
        try:
            name = _name(self.issuer)
        except (ValueError, IndexError):
            name = "?"
        return f"{name} #{self.serial:x}"


def _name(issuer: bytes) -> str:
    """The last printable value of a distinguished name, which is its most specific part."""
    sets = der.read_one(issuer).children()
    pair = sets[-1].children()[0].children()
    return pair[1].content.decode("utf-8", "replace")


def addressee(certificate: x509.Certificate) -> Addressee:
    """The issuer and serial of a certificate."""
    issuer, serial = _issuer_and_serial(certificate)
    return Addressee(issuer.raw, int.from_bytes(serial.content, "big", signed=True))


@dataclass(frozen=True, slots=True)
class Message:
    """A parsed message: its recipients with their wrapped keys, and the sealed content."""

    recipients: tuple[tuple[Addressee, bytes], ...]
    algorithm: bytes
    parameters: der.Node
    content: bytes


def wrap(certificates: Sequence[x509.Certificate], data: bytes) -> bytes:
    """Encrypt ``data`` for all certificates (RSA, PKCS #1 v1.5; AES-128-GCM)."""
    key, nonce = os.urandom(16), os.urandom(12)
    sealed = AESGCM(key).encrypt(nonce, data, None)
    infos = [_recipient_info(certificate, key) for certificate in certificates]
    parameters = der.make(
        _SEQUENCE_AS_PRIMITIVE,
        der.make(der.SEQUENCE, der.make(0x84, nonce), der.integer(_TAG_BYTES)),
    )
    algorithm = der.make(der.SEQUENCE, der.make(der.OID, _AES128_GCM), parameters)
    content = der.make(der.SEQUENCE, der.make(der.OID, _DATA), algorithm, der.make(0x80, sealed))
    enveloped = der.make(der.SEQUENCE, der.integer(0), der.make(der.SET, *infos), content)
    return der.make(der.SEQUENCE, der.make(der.OID, _ENVELOPED_DATA), der.make(0xA0, enveloped))


def _recipient_info(certificate: x509.Certificate, key: bytes) -> bytes:
    public = certificate.public_key()
    if not isinstance(public, rsa.RSAPublicKey):
        raise ImageError("A PKCS7 recipient has no RSA key.")
    issuer, serial = _issuer_and_serial(certificate)
    return der.make(
        der.SEQUENCE,
        der.integer(0),
        der.make(der.SEQUENCE, issuer.raw, serial.raw),
        der.make(der.SEQUENCE, der.make(der.OID, _RSA)),
        der.make(der.OCTETS, public.encrypt(key, rsa_padding.PKCS1v15())),
    )


def _issuer_and_serial(certificate: x509.Certificate) -> tuple[der.Node, der.Node]:
    """Both as they stand in the certificate: readers compare the bytes (RFC 5280, 4.1)."""
    to_be_signed = der.read_one(certificate.public_bytes(Encoding.DER)).children()[0].children()
    start = 1 if to_be_signed[0].tag == 0xA0 else 0  # the version is optional
    return to_be_signed[start + 2], to_be_signed[start]


def parse(data: bytes) -> Message:
    """Parse a message; raises ``ImageError``."""
    try:
        kind, wrapper = der.read_one(data).children()
        (enveloped,) = wrapper.children()
        if kind.content != _ENVELOPED_DATA:
            raise ImageError("A wrapped key (PKCS7) is of another kind than EnvelopedData.")
        _, infos, content = [n for n in enveloped.children() if n.tag in (2, 0x31, 0x30)]
        _, algorithm, sealed = content.children()
        oid, parameters = algorithm.children()
        recipients = tuple(_recipient(info) for info in infos.children() if info.tag == 0x30)
        return Message(recipients, oid.content, parameters, _octets(sealed))
    except (der.DerError, ValueError, IndexError) as error:
        raise ImageError("A wrapped key (PKCS7) is damaged.") from error


def _octets(node: der.Node) -> bytes:
    """Content written primitive, or constructed of OCTET STRINGs."""
    if node.tag == 0x80:
        return node.content
    return b"".join(child.content for child in node.children())


def _recipient(info: der.Node) -> tuple[Addressee, bytes]:
    _, who, _, wrapped = info.children()
    if who.tag != der.SEQUENCE:
        return Addressee(b"", 0), wrapped.content  # by key identifier; ocicrypt reads none
    issuer, serial = who.children()
    return Addressee(
        issuer.raw, int.from_bytes(serial.content, "big", signed=True)
    ), wrapped.content


def unwrap(
    message: Message, key: rsa.RSAPrivateKey, certificates: Sequence[x509.Certificate]
) -> bytes:
    """Decrypt; raises ``NotForThisKey`` when no certificate of the key is addressed."""
    own = [c for c in certificates if c.public_key() == key.public_key()]
    for who, wrapped in message.recipients:
        if not any(who.matches(certificate) for certificate in own):
            continue
        try:
            return _open(message, key.decrypt(wrapped, rsa_padding.PKCS1v15()))
        except (NotForThisKey, ValueError, IndexError, InvalidTag):
            continue
    raise NotForThisKey


def _open(message: Message, key: bytes) -> bytes:
    if _AES_GCM.get(message.algorithm) == len(key):
        parameters = message.parameters
        if parameters.tag == _SEQUENCE_AS_PRIMITIVE:
            (parameters,) = parameters.children()
        nonce = parameters.children()[0].content
        if len(nonce) != 12:
            raise NotForThisKey
        return AESGCM(key).decrypt(nonce, message.content, None)
    if _AES_CBC.get(message.algorithm) != len(key):
        raise NotForThisKey
    cipher = Cipher(algorithms.AES(key), modes.CBC(message.parameters.content)).decryptor()
    padded = cipher.update(message.content) + cipher.finalize()
    unpadder = padding.PKCS7(128).unpadder()
    plain = unpadder.update(padded) + unpadder.finalize()
    if not plain.startswith(b"{"):  # CBC has no tag that would tell a wrong key
        raise NotForThisKey
    return plain


def without_recipient(data: bytes, number: int) -> bytes:
    """The message without its recipient ``number`` (from 0); the sealed content stays."""
    kind, wrapper = der.read_one(data).children()
    (enveloped,) = wrapper.children()
    parts = enveloped.children()
    infos = [info for node in parts if node.tag == der.SET for info in node.children()]
    gone = [info for info in infos if info.tag == der.SEQUENCE][number]
    kept = der.make(der.SET, *(info.raw for info in infos if info is not gone))
    raw = (kept if node.tag == der.SET else node.raw for node in parts)
    return der.make(der.SEQUENCE, kind.raw, der.make(wrapper.tag, der.make(der.SEQUENCE, *raw)))
