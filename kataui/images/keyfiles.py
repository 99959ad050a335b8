"""Reading key files of every form that people have: PEM, DER, JWK, certificates, raw bytes.

Source of the accepted forms: containers/ocicrypt, utils/utils.go, and RFC 7517 (JWK).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from kataui.errors import ImageError, KatauiError, KeyProblem
from kataui.files import clean, parse_json_object, read_bounded
from kataui.images.jwe import (
    EC_ALGORITHMS,
    RSA_ALGORITHMS,
    JweKey,
    PrivateKey,
    PublicKey,
    decode,
    parse_ec_jwk,
)

_MAX_KEY_BYTES = 1 << 20
_MIN_RSA_BITS = 2048
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_UNSUPPORTED = "Only RSA and EC (P-256, P-384, P-521) keys can wrap a layer's key."


def read_key_file(path: str) -> bytes:
    """A key file whole; raises ``KeyProblem``."""
    try:
        return read_bounded(Path(path), limit_bytes=_MAX_KEY_BYTES, what="the key")
    except KeyProblem:
        raise
    except KatauiError as error:
        raise KeyProblem(error.message, hint=error.hint) from error


def load_jwe_key(path: str) -> JweKey:
    """A public key to wrap for; raises ``KeyProblem`` that says what the file is instead."""
    data = read_key_file(path)
    name = clean(path)
    if data.lstrip()[:1] == b"{":
        return _jwk_public(_jwk(data, name), name)
    _refuse_others(data, name)
    try:
        key = (
            serialization.load_pem_public_key(data)
            if b"-----BEGIN" in data
            else serialization.load_der_public_key(data)
        )
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyProblem(
            f"{name} is no public key.", hint="Expected PEM, DER or JWK of an RSA or EC key."
        ) from error
    if isinstance(key, rsa.RSAPublicKey):
        return JweKey(_strong(key, name), RSA_ALGORITHMS[0])
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES):
        return JweKey(key, EC_ALGORITHMS[0])
    raise KeyProblem(f"{name} holds a key of a kind that skopeo rejects.", hint=_UNSUPPORTED)


def _refuse_others(data: bytes, name: str) -> None:
    """Say plainly when a file is a secret, a certificate or in the wrong wrapping."""
    if b"PRIVATE KEY" in data or is_private_der(data):
        raise KeyProblem(
            f"{name} is a private key; a recipient is named by the public one.",
            hint="Give the .pub file. Keep the private key to yourself.",
        )
    if b"BEGIN CERTIFICATE" in data or is_certificate_der(data):
        raise KeyProblem(f"{name} is a certificate.", hint="Write pkcs7:FILE for certificates.")
    if b"BEGIN RSA PUBLIC KEY" in data:
        raise KeyProblem(
            f"{name} is a PKCS #1 public key, which no reader takes.",
            hint="Convert it: openssl rsa -RSAPublicKey_in -in FILE -pubout",
        )


def is_private_der(data: bytes) -> bool:
    """Whether bytes are a private key in DER, encrypted or not."""
    try:
        serialization.load_der_private_key(data, None)
    except (ValueError, UnsupportedAlgorithm):
        return False
    except TypeError:
        return True
    return True


def is_certificate_der(data: bytes) -> bool:
    """Whether bytes are an X.509 certificate in DER."""
    try:
        x509.load_der_x509_certificate(data)
    except ValueError:
        return False
    return True


def _strong(key: rsa.RSAPublicKey, name: str) -> rsa.RSAPublicKey:
    if key.key_size < _MIN_RSA_BITS:
        raise KeyProblem(
            f"{name} has only {key.key_size} bits; at least {_MIN_RSA_BITS} are asked."
        )
    return key


def _jwk(data: bytes, name: str) -> Mapping[str, Any]:
    try:
        return parse_json_object(data, what=f"JWK {name}")
    except KatauiError as error:
        raise KeyProblem(error.message) from error


def _number(value: Mapping[str, Any], member: str) -> int:
    return int.from_bytes(decode(value.get(member)), "big")


def _jwk_public(value: Mapping[str, Any], name: str) -> JweKey:
    if "d" in value:
        raise KeyProblem(
            f"{name} is a private key; a recipient is named by the public one.",
            hint="Give the public JWK. Keep the private key to yourself.",
        )
    kid, algorithm = str(value.get("kid") or ""), value.get("alg")
    try:
        if value.get("kty") == "RSA":
            numbers = rsa.RSAPublicNumbers(_number(value, "e"), _number(value, "n"))
            key: PublicKey = _strong(numbers.public_key(), name)
            allowed: tuple[str, ...] = RSA_ALGORITHMS
            default = RSA_ALGORITHMS[0]
        elif value.get("kty") == "EC":
            key, allowed, default = parse_ec_jwk(value), EC_ALGORITHMS, ""
        else:
            raise KeyProblem(f"{name} holds a key of another kind.", hint=_UNSUPPORTED)
    except (ImageError, ValueError) as error:
        raise KeyProblem(f"{name} is no valid JWK.") from error
    chosen = str(algorithm or default)
    if chosen not in allowed:
        hint = f"Its alg must be one of {', '.join(allowed)}; skopeo reads no other."
        raise KeyProblem(f"The JWK {name} has no usable algorithm.", hint=hint)
    return JweKey(key, chosen, kid)


def jwk_private(value: Mapping[str, Any], name: str) -> PrivateKey:
    """A private RSA or EC key from JWK (RFC 7518, 6.2.2 and 6.3.2)."""
    try:
        if value.get("kty") == "RSA":
            n, e, d = (_number(value, member) for member in ("n", "e", "d"))
            p, q = rsa.rsa_recover_prime_factors(n, e, d)
            dmp1, dmq1, iqmp = (
                rsa.rsa_crt_dmp1(d, p),
                rsa.rsa_crt_dmq1(d, q),
                rsa.rsa_crt_iqmp(p, q),
            )
            public = rsa.RSAPublicNumbers(e, n)
            return rsa.RSAPrivateNumbers(p, q, d, dmp1, dmq1, iqmp, public).private_key()
        point = parse_ec_jwk(value).public_numbers()
        return ec.EllipticCurvePrivateNumbers(_number(value, "d"), point).private_key()
    except (ImageError, ValueError) as error:
        raise KeyProblem(f"{name} is no private RSA or EC key (JWK).") from error


def load_private(data: bytes, name: str, passphrase: bytes | None) -> PrivateKey:
    """A private key from PEM, DER or JWK.

    Raises ``TypeError`` when it is encrypted and no passphrase was given (as ``cryptography``
    does), ``KeyProblem`` for everything else.
    """
    if data.lstrip()[:1] == b"{":
        return jwk_private(_jwk(data, name), name)
    secret = passphrase or (None if passphrase is None else b"\0")  # an empty one is taken as none
    try:
        if b"-----BEGIN" in data:
            key = serialization.load_pem_private_key(data, secret)
        else:
            key = serialization.load_der_private_key(data, secret)
    except (ValueError, UnsupportedAlgorithm) as error:
        if secret is not None:
            raise KeyProblem(f"The passphrase does not open {name}.") from error
        raise KeyProblem(
            f"{name} is no private key.", hint="Expected PEM, DER or JWK of an RSA or EC key."
        ) from error
    if isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        return key
    raise KeyProblem(f"{name} holds a key of another kind.", hint=_UNSUPPORTED)


def load_certificate(path: str) -> x509.Certificate:
    """A certificate (PEM or DER) with an RSA key; raises ``KeyProblem``."""
    data, name = read_key_file(path), clean(path)
    try:
        pem = b"-----BEGIN" in data
        found = (
            x509.load_pem_x509_certificate(data) if pem else x509.load_der_x509_certificate(data)
        )
        key = found.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyProblem(
            f"{name} is no certificate.", hint="pkcs7: needs an X.509 certificate."
        ) from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise KeyProblem(f"{name} has no RSA key; PKCS7 recipients need one.")
    _strong(key, name)
    return found
