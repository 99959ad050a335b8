import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa, x25519

from kataui.errors import KatauiError, KeyProblem
from kataui.images import kbs, pkcs11
from kataui.images.keyfiles import load_certificate
from kataui.images.keys import unwrap_options, usable_keys
from kataui.images.recipients import (
    Scheme,
    list_recipients,
    merge_annotations,
    parse_recipient,
    wrap_options,
)
from tests.images.wrapping import BROKER, OPTIONS, STEM, jwk, jwk_of, private_key, ring

PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
SPKI = serialization.PublicFormat.SubjectPublicKeyInfo
JWE, PKCS7, PGP, PKCS11 = (STEM + name for name in ("jwe", "pkcs7", "pgp", "pkcs11"))


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def public_of(path: str):
    return private_key(path).public_key()


def protected(annotations):
    value = json.loads(base64.b64decode(annotations[JWE]))
    head = value["protected"]
    return json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))


# What is taken


@pytest.mark.parametrize("spec", ["recipient", "other_recipient", "broker"])
def test_each_scheme_round_trips(keys, spec):
    text = getattr(keys, spec)
    own = {"recipient": keys.private, "other_recipient": keys.other_private}.get(spec, keys.broker)

    annotations = wrap_options([parse_recipient(text)], OPTIONS)

    assert unwrap_options(annotations, ring(own)) == OPTIONS


def test_recipients_have_names_for_people_and_hide_their_keys(keys):
    for text, scheme, name in [
        (keys.recipient, Scheme.JWE, "rsa.pub"),
        (f"pkcs7:{keys.certificate}", Scheme.PKCS7, "cert.crt"),
        (f"pkcs11:{keys.folder / 'rsa.pub'}", Scheme.PKCS11, "rsa.pub"),
        (keys.broker, Scheme.PROVIDER, "kbs:///default/image-key/test"),
    ]:
        recipient = parse_recipient(text)
        assert (recipient.scheme, recipient.spec, recipient.name) == (scheme, text, name)
        assert "key=" not in repr(recipient).removeprefix(f"Recipient(scheme={scheme!r}, spec=")
        assert repr((keys.folder / "broker.key").read_bytes()) not in repr(recipient)


def test_pkcs7_and_pkcs11_round_trip(keys, monkeypatch):
    monkeypatch.delenv(pkcs11.HASH_VARIABLE, raising=False)
    for text, own in [
        (f"pkcs7:{keys.certificate}", (keys.certificate_key, keys.certificate)),
        (f"pkcs11:{keys.folder / 'rsa.pub'}", (keys.private,)),
    ]:
        annotations = wrap_options([parse_recipient(text)], OPTIONS)
        assert unwrap_options(annotations, ring(*own)) == OPTIONS


def test_der_and_jwk_public_keys_are_taken(keys, tmp_path):
    public = public_of(keys.private)
    der = write(tmp_path / "key.der", public.public_bytes(DER, SPKI))
    plain = write(tmp_path / "plain.jwk", json.dumps(jwk(public)).encode())

    for path in (der, plain):
        annotations = wrap_options([parse_recipient(f"jwe:{path}")], OPTIONS)
        assert protected(annotations)["alg"] == "RSA-OAEP"
        assert unwrap_options(annotations, ring(keys.private)) == OPTIONS


@pytest.mark.parametrize("algorithm", ["RSA-OAEP-256", "ECDH-ES+A128KW", "ECDH-ES+A192KW"])
def test_jwk_algorithm_and_kid_are_honoured(keys, tmp_path, algorithm):
    own = keys.private if algorithm.startswith("RSA") else keys.other_private
    value = jwk_of(own, alg=algorithm, kid="team-1")
    path = write(tmp_path / "k.jwk", json.dumps(value).encode())

    annotations = wrap_options([parse_recipient(f"jwe:{path}")], OPTIONS)

    assert protected(annotations)["alg"] == algorithm
    assert protected(annotations)["kid"] == "team-1"
    assert unwrap_options(annotations, ring(own)) == OPTIONS
    assert list_recipients(annotations)[0].name == "team-1"


def test_public_keys_of_ocicrypt_rs_are_taken(shared):
    folder = shared / "corpora" / "coco" / "ocicrypt-rs-data"
    for public, private in [
        ("public_key.pem", "private_key.pem"),
        ("public_key.pem", "private_key8.der"),
        ("public_key_ec.der", "private_key_ec.der"),
        ("RSA_public.jwk", "RSA_private.jwk"),
    ]:
        annotations = wrap_options([parse_recipient(f"jwe:{folder / public}")], OPTIONS)
        assert unwrap_options(annotations, ring(folder / private)) == OPTIONS


def test_certificates_of_ocicrypt_rs_are_taken(shared):
    folder = shared / "corpora" / "coco" / "ocicrypt-rs-data"
    for certificate, private in [
        ("certificate.pem", "certificate_key.pem"),
        ("public_certificate.pem", "private_key8.pem"),
    ]:
        annotations = wrap_options([parse_recipient(f"pkcs7:{folder / certificate}")], OPTIONS)
        own = ring(folder / private, folder / certificate)
        assert unwrap_options(annotations, own) == OPTIONS


# What is refused


@pytest.mark.parametrize(
    "text", ["", "jwe", "jwe:", "x.pem", "provider:attestation-agent:keyid=1", "JWE:x", "\x1b:x"]
)
def test_text_that_is_no_recipient_is_refused(text):
    with pytest.raises(KeyProblem, match="no recipient") as problem:
        parse_recipient(text)

    assert "\x1b" not in problem.value.message


def test_missing_file_is_a_clear_error(tmp_path):
    for scheme in ("jwe", "pkcs7", "pkcs11"):
        with pytest.raises(KeyProblem, match="No such file"):
            parse_recipient(f"{scheme}:{tmp_path / 'none'}")


def test_private_keys_are_refused_in_every_form(keys, tmp_path):
    private = private_key(keys.private)
    pkcs8, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    locked = serialization.BestAvailableEncryption(b"x")
    jwk_file = write(tmp_path / "k.jwk", json.dumps(jwk(private.public_key(), d="AQ")).encode())
    forms = [
        Path(keys.private),
        keys.sign_key,
        jwk_file,
        write(tmp_path / "k.der", private.private_bytes(DER, pkcs8, plain)),
        write(tmp_path / "l.der", private.private_bytes(DER, pkcs8, locked)),
        write(tmp_path / "l.pem", private.private_bytes(PEM, pkcs8, locked)),
    ]

    for path in forms:
        with pytest.raises(KeyProblem, match="is a private key"):
            parse_recipient(f"jwe:{path}")


def test_certificates_belong_to_pkcs7(keys, tmp_path):
    der = load_certificate(keys.certificate).public_bytes(DER)

    for path in (keys.certificate, write(tmp_path / "c.der", der)):
        with pytest.raises(KeyProblem, match="is a certificate") as problem:
            parse_recipient(f"jwe:{path}")
        assert "pkcs7:" in problem.value.hint
        assert parse_recipient(f"pkcs7:{path}").scheme is Scheme.PKCS7


def test_public_key_is_no_certificate(keys):
    with pytest.raises(KeyProblem, match="no certificate"):
        parse_recipient(f"pkcs7:{keys.folder / 'rsa.pub'}")


def test_pkcs1_public_key_is_refused_with_the_conversion(keys, tmp_path):
    data = public_of(keys.private).public_bytes(PEM, serialization.PublicFormat.PKCS1)

    with pytest.raises(KeyProblem, match="PKCS #1") as problem:
        parse_recipient(f"jwe:{write(tmp_path / 'k.pem', data)}")

    assert "openssl rsa" in problem.value.hint


@pytest.mark.parametrize(
    "private",
    [
        ed25519.Ed25519PrivateKey.generate(),
        x25519.X25519PrivateKey.generate(),
        ec.generate_private_key(ec.SECP256K1()),
        ec.generate_private_key(ec.SECP224R1()),
        dsa.generate_private_key(1024),
    ],
    ids=["ed25519", "x25519", "secp256k1", "p224", "dsa"],
)
def test_keys_of_other_kinds_are_refused(private, tmp_path):
    data = private.public_key().public_bytes(PEM, SPKI)

    with pytest.raises(KeyProblem, match="of a kind that skopeo rejects"):
        parse_recipient(f"jwe:{write(tmp_path / 'k.pem', data)}")


def test_short_rsa_keys_are_refused(tmp_path):
    public = rsa.generate_private_key(65537, 1024).public_key()
    pem = write(tmp_path / "k.pem", public.public_bytes(PEM, SPKI))
    jwk_file = write(tmp_path / "k.jwk", json.dumps(jwk(public)).encode())

    for path in (pem, jwk_file):
        with pytest.raises(KeyProblem, match="only 1024 bits"):
            parse_recipient(f"jwe:{path}")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"alg": "RSA1_5"}, "no usable algorithm"),
        ({"alg": "ECDH-ES"}, "no usable algorithm"),
        ({"kty": "oct", "k": "AA"}, "another kind"),
        ({"kty": ["RSA"]}, "another kind"),
        ({"n": 5}, "no valid JWK"),
        ({"n": "*"}, "no valid JWK"),
        ({"e": "Ag"}, "no valid JWK"),
    ],
)
def test_bad_rsa_jwk_is_refused(keys, tmp_path, change, message):
    value = {**jwk_of(keys.private), **change}

    with pytest.raises(KeyProblem, match=message):
        parse_recipient(f"jwe:{write(tmp_path / 'k.jwk', json.dumps(value).encode())}")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, "no usable algorithm"),  # ocicrypt would take it for RSA
        ({"alg": "RSA-OAEP"}, "no usable algorithm"),
        ({"alg": "ECDH-ES+A256KW", "crv": "secp256k1"}, "no valid JWK"),
        ({"alg": "ECDH-ES+A256KW", "y": "AQ"}, "no valid JWK"),
    ],
)
def test_bad_ec_jwk_is_refused(keys, tmp_path, change, message):
    value = {**jwk_of(keys.other_private), **change}

    with pytest.raises(KeyProblem, match=message):
        parse_recipient(f"jwe:{write(tmp_path / 'k.jwk', json.dumps(value).encode())}")


def test_pkcs11_needs_room_for_the_layer_key(tmp_path, monkeypatch):
    monkeypatch.delenv(pkcs11.HASH_VARIABLE, raising=False)
    public = rsa.generate_private_key(65537, 2048).public_key()
    spec = f"pkcs11:{write(tmp_path / 'k.pem', public.public_bytes(PEM, SPKI))}"

    with pytest.raises(KeyProblem, match="2048 bits"):
        parse_recipient(spec)
    monkeypatch.setenv(pkcs11.HASH_VARIABLE, "sha1")
    assert PKCS11 in wrap_options([parse_recipient(spec)], OPTIONS)


def test_pkcs11_needs_an_rsa_key(keys):
    with pytest.raises(KeyProblem, match="no RSA key"):
        parse_recipient(f"pkcs11:{keys.folder / 'ec.pub'}")


def test_kbs_recipients_are_checked(keys, tmp_path):
    broker = keys.folder / "broker.key"
    text = write(tmp_path / "k.b64", base64.b64encode(broker.read_bytes()) + b"\n")
    sample = write(tmp_path / "sample", kbs.SAMPLE_KEY)

    for spec, message in [
        ("kbs:///default/key/1", "names no key file"),
        ("kbs:///default/key/1=", "names no key file"),
        (f"kbs:///default/../1={broker}", "no key broker resource"),
        (f"kbs://broker/default/key/1={broker}", "no key broker resource"),
        (f"kbs:///default/key/1?x=2={broker}", "no key broker resource"),
        (f"kbs:///default/key/1={text}", "has 45 bytes, not 32"),
        (f"kbs:///default/key/1={sample}", "published sample key"),
        (f"kbs:///default/key/1={tmp_path / 'none'}", "No such file"),
    ]:
        with pytest.raises(KeyProblem, match=message):
            parse_recipient(spec)


# Wrapping and merging


def test_two_broker_keys_are_refused(keys):
    broker = parse_recipient(keys.broker)

    with pytest.raises(KeyProblem, match="one kbs: recipient only"):
        wrap_options([broker, broker], OPTIONS)


def test_schemes_lie_side_by_side_and_each_opens(keys):
    specs = [keys.recipient, keys.other_recipient, f"pkcs7:{keys.certificate}", keys.broker]

    annotations = wrap_options([parse_recipient(spec) for spec in specs], OPTIONS)

    assert set(annotations) == {JWE, PKCS7, BROKER}
    assert all("," not in value for value in annotations.values())
    own = ring(
        keys.private, keys.other_private, keys.certificate_key, keys.certificate, keys.broker
    )
    assert usable_keys(annotations, own) == (
        "rsa.key",
        "ec.key",
        "cert.key",
        "kbs:///default/image-key/test",
    )


def test_added_packets_are_appended_and_everybody_opens(keys):
    first = wrap_options([parse_recipient(keys.recipient)], OPTIONS)
    second = wrap_options([parse_recipient(keys.other_recipient)], OPTIONS)

    merged = merge_annotations({"a": "b", **first}, second)

    assert merged == {"a": "b", JWE: f"{first[JWE]},{second[JWE]}"}
    for own in (keys.private, keys.other_private):
        assert unwrap_options(merged, ring(own)) == OPTIONS


def test_errors_are_all_ours(keys):
    for text in ("jwe:/", f"pkcs7:{keys.folder}", "kbs:x", "pgp: "):
        with pytest.raises(KatauiError):
            parse_recipient(text)
