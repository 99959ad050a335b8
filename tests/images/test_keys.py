import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from kataui.errors import ImageError, KeyProblem, WrongKey
from kataui.images.jwe import JweKey, wrap
from kataui.images.keys import KeyRing, load_keys, unwrap_options, usable_keys
from kataui.images.recipients import merge_annotations, parse_recipient, wrap_options
from tests.images.wrapping import (
    BROKER,
    OPTIONS,
    STEM,
    b64,
    encrypted_layers,
    flipped,
    never,
    ring,
)

JWE = f"{STEM}jwe"


@pytest.fixture(scope="module")
def wrapped(keys):
    """For an RSA and an EC key, a certificate and a broker."""
    specs = (keys.recipient, keys.other_recipient, f"pkcs7:{keys.certificate}", keys.broker)
    return wrap_options([parse_recipient(spec) for spec in specs], OPTIONS)


def for_key(private):
    algorithm = "ECDH-ES+A256KW"
    return {JWE: b64(wrap([JweKey(private.public_key(), algorithm)], OPTIONS))}


# Reading private keys


PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
PKCS8 = serialization.PrivateFormat.PKCS8
SEC1 = serialization.PrivateFormat.TraditionalOpenSSL


@pytest.mark.parametrize(
    ("encoding", "form", "passphrase"),
    [
        (PEM, PKCS8, None),
        (PEM, PKCS8, "secret ž"),
        (DER, PKCS8, None),
        (DER, PKCS8, "secret ž"),
        (PEM, SEC1, None),
        (PEM, SEC1, "secret ž"),
        (DER, SEC1, None),
    ],
)
def test_private_keys_of_every_form_open(tmp_path, encoding, form, passphrase):
    private = ec.generate_private_key(ec.SECP384R1())
    locked = serialization.BestAvailableEncryption((passphrase or "x").encode())
    how = locked if passphrase else serialization.NoEncryption()
    data = private.private_bytes(encoding, form, how)
    path = tmp_path / "own.key"
    path.write_bytes(data)
    asked = []

    own = load_keys([str(path)], lambda prompt: asked.append(prompt) or passphrase)

    assert asked == (["Passphrase of own.key"] if passphrase else [])
    assert unwrap_options(for_key(private), own) == OPTIONS
    assert own.names == ("own.key",)


@pytest.mark.parametrize(
    "name",
    [
        "rsa3072.pem",
        "rsa3072.encrypted-pkcs8.pem",
        "rsa3072.encrypted-traditional.pem",
        "ec-secp384r1.pem",
        "ec-secp384r1.sec1.pem",
    ],
)
def test_key_files_of_openssl_open_skopeos_images(shared, name):
    peers = shared / "fixtures" / "peers"
    own = load_keys([str(peers / "keys" / name)], lambda _: "secret")

    for layer in encrypted_layers(peers / "enc" / "jwe-rsa-and-ec.skopeo-1.9"):
        assert json.loads(unwrap_options(layer, own)).keys() >= {"symkey", "digest"}


@pytest.mark.parametrize("answer", ["wrong", ""])
def test_wrong_passphrase_is_a_clear_error(shared, answer):
    keys = shared / "fixtures" / "peers" / "keys"

    for name in ("rsa3072.encrypted-pkcs8.pem", "rsa3072.encrypted-traditional.pem"):
        with pytest.raises(KeyProblem, match="passphrase does not open"):
            load_keys([str(keys / name)], lambda _: answer)


def test_refused_passphrase_is_a_clear_error(shared):
    path = shared / "fixtures" / "peers" / "keys" / "rsa3072.encrypted-pkcs8.pem"

    with pytest.raises(KeyProblem, match="needs a passphrase"):
        load_keys([str(path)], lambda _: None)


def test_private_keys_of_ocicrypt_rs_are_read(shared):
    folder = shared / "corpora" / "coco" / "ocicrypt-rs-data"
    names = ["private_key.pem", "private_key.der", "private_key8.pem", "private_key8.der"]
    names += ["RSA_private.jwk", "private_key_ec.der", "certificate_key.pem"]

    assert ring(*(folder / name for name in names)).names == tuple(names)


def test_a_brokers_key_opens_without_its_name(keys, wrapped):
    path = keys.broker.partition("=")[2]

    assert usable_keys(wrapped, ring(path)) == (Path(path).name,)
    assert unwrap_options(wrapped, ring(path)) == OPTIONS


def test_ec_private_jwk_is_read(tmp_path):
    private = ec.generate_private_key(ec.SECP256R1())
    numbers = private.private_numbers()
    parts = {
        "x": numbers.public_numbers.x,
        "y": numbers.public_numbers.y,
        "d": numbers.private_value,
    }
    coded = {
        name: base64.urlsafe_b64encode(value.to_bytes(32, "big")).rstrip(b"=").decode()
        for name, value in parts.items()
    }
    path = tmp_path / "k.jwk"
    path.write_text(json.dumps({"kty": "EC", "crv": "P-256", **coded}))

    assert unwrap_options(for_key(private), ring(path)) == OPTIONS


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no private key"),
        (b"hello", "no private key"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no private key"),
        (b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n", "is a public key"),
        (b"{", "not valid JSON"),
        (b'{"kty":"RSA","n":"AQAB","e":"AQAB","d":"Ag"}', "no private RSA or EC key"),
        (b'{"kty":"EC"}', "no private RSA or EC key"),
        (b"x" * (2 << 20), "too big"),
    ],
)
def test_files_that_are_no_private_keys_are_refused(tmp_path, data, message):
    path = tmp_path / "x.key"
    path.write_bytes(data)

    with pytest.raises(KeyProblem, match=message):
        ring(path)


def test_public_keys_and_other_kinds_are_refused(keys, tmp_path):
    other = ed25519.Ed25519PrivateKey.generate()
    path = tmp_path / "ed.key"
    path.write_bytes(other.private_bytes(PEM, PKCS8, serialization.NoEncryption()))

    with pytest.raises(KeyProblem, match="is a public key"):
        ring(keys.folder / "rsa.pub")
    with pytest.raises(KeyProblem, match="another kind"):
        ring(path)
    with pytest.raises(KeyProblem, match="No such file"):
        ring(tmp_path / "none")


@pytest.mark.parametrize("spec", ["kbs:///a/b/c", "kbs:///a/b/c=", "kbs:///a/b"])
def test_broker_spec_without_a_file_is_refused(spec):
    with pytest.raises(KeyProblem, match="names no key file"):
        load_keys([spec], never)


def test_secrets_are_in_no_repr(keys):
    own = ring(keys.private, keys.broker)
    secret = (keys.folder / "broker.key").read_bytes()

    shown = repr(own) + "".join(repr(key) for key in own.keys)

    assert repr(secret)[2:-1] not in shown
    assert "RSAPrivateKey" not in shown


# Opening


def test_each_key_opens_and_all_are_told(keys, wrapped):
    specs = (keys.private, keys.other_private, keys.broker)

    for spec in specs:
        assert unwrap_options(wrapped, ring(spec)) == OPTIONS
    assert usable_keys(wrapped, ring(*specs, keys.certificate_key)) == (
        "rsa.key",
        "ec.key",
        "kbs:///default/image-key/test",
    )


def test_certificate_and_key_open_together_in_either_order(keys):
    wrapped = wrap_options([parse_recipient(f"pkcs7:{keys.certificate}")], OPTIONS)

    for specs in [
        (keys.certificate_key, keys.certificate),
        (keys.certificate, keys.certificate_key),
    ]:
        assert unwrap_options(wrapped, ring(*specs)) == OPTIONS
    for specs in [(keys.certificate_key,), (keys.certificate,), (keys.private, keys.certificate)]:
        with pytest.raises(WrongKey):
            unwrap_options(wrapped, ring(*specs))


def test_wrong_keys_are_told_who_can(tmp_path, wrapped):
    (tmp_path / "k").write_bytes(bytes(32))

    with pytest.raises(WrongKey, match="none of 1 keys fits") as problem:
        unwrap_options(wrapped, ring(f"kbs:///default/image-key/test={tmp_path / 'k'}"))

    assert "kbs:///default/image-key/test" in problem.value.hint
    assert "pkcs7 cert #" in problem.value.hint
    assert problem.value.exit_status == 3


def test_no_key_at_all_is_told(wrapped):
    with pytest.raises(WrongKey, match="no private key was given"):
        unwrap_options(wrapped, KeyRing())


@pytest.mark.parametrize(
    "annotations",
    [{}, {"other": "x"}, {JWE: "*"}, {JWE: "AAAA", BROKER: b64(b"{}")}, {JWE: "é"}],
)
def test_layer_without_a_readable_packet_is_an_image_error(keys, annotations):
    with pytest.raises(ImageError, match="carries no key"):
        unwrap_options(annotations, ring(keys.private))


def test_damaged_packet_beside_a_good_one_does_not_matter(keys, wrapped):
    damaged = {JWE: f"AAAA,é,{wrapped[JWE]}", BROKER: b64(b"{}"), f"{STEM}pkcs7": "MAA="}

    assert unwrap_options(damaged, ring(keys.broker, keys.private)) == OPTIONS


@pytest.mark.parametrize("name", ["jwe", "pkcs7", "provider.attestation-agent"])
def test_each_annotation_tampered_opens_nothing(keys, wrapped, name):
    own = ring(keys.private, keys.certificate_key, keys.certificate, keys.broker)
    data = base64.b64decode(wrapped[STEM + name])
    good = {STEM + name: wrapped[STEM + name]}
    assert unwrap_options(good, own) == OPTIONS

    for position in range(0, len(data), 37):
        changed = {STEM + name: b64(flipped(data, position))}
        try:
            plain = unwrap_options(changed, own)
        except (WrongKey, ImageError):
            continue
        assert plain == OPTIONS  # what is not covered: names, and entries for others


def test_first_of_many_packets_is_enough_and_their_number_is_bounded(keys):
    good = wrap_options([parse_recipient(keys.other_recipient)], OPTIONS)
    other = for_key(ec.generate_private_key(ec.SECP256R1()))
    many = {JWE: ",".join([other[JWE]] * 300)}

    assert unwrap_options(merge_annotations(good, many), ring(keys.other_private)) == OPTIONS
    with pytest.raises(WrongKey):
        unwrap_options(merge_annotations(many, good), ring(keys.other_private))


OWN = {
    "jwe-ec-prime256v1": ["ec-prime256v1.pem"],
    "jwe-ec-secp384r1": ["ec-secp384r1.pem"],
    "jwe-ec-secp521r1": ["ec-secp521r1.pem"],
    "jwe-and-pkcs7": ["pkcs7.key.pem", "pkcs7.cert.pem"],
    "pkcs7": ["pkcs7.key.pem", "pkcs7.cert.pem"],
    "pgp": ["pgp.secret.gpg"],
}


def _layouts():
    folder = Path(__file__).resolve().parents[3] / "shared" / "fixtures" / "peers" / "enc"
    return sorted(place.name for place in folder.iterdir()) if folder.is_dir() else []


@pytest.fixture(scope="module")
def others(keys):
    return ring(keys.private, keys.other_private, keys.broker)


@pytest.mark.parametrize("name", _layouts())
def test_every_layer_of_every_fixture_opens_for_its_key_only(shared, others, name):
    peers = shared / "fixtures" / "peers"
    files = OWN.get(name.split(".skopeo")[0], ["rsa3072.pem"])
    specs = [str(peers / "keys" / file) for file in files]
    own = ring(*specs, f"kbs:///default/key/1={peers / 'keys' / 'kek.bin'}")
    layers = encrypted_layers(peers / "enc" / name)

    plain = {unwrap_options(layer, own) for layer in layers}

    assert len(plain) == len(layers) > 0  # a key of its own for each layer
    for layer in layers:
        with pytest.raises(WrongKey):
            unwrap_options(layer, others)


def test_both_keys_of_a_shared_packet_open_it(shared):
    peers = shared / "fixtures" / "peers"
    own = ring(peers / "keys" / "ec-secp384r1.pem", peers / "keys" / "rsa3072.pem")

    for layer in encrypted_layers(peers / "enc" / "jwe-rsa-and-ec.skopeo-1.22"):
        assert usable_keys(layer, own) == ("ec-secp384r1.pem", "rsa3072.pem")
