import hashlib
import re
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from kataui import resources
from kataui.errors import DestinationProblem, KeyProblem
from kataui.images.cosignkey import load_public_key, load_signing_key
from kataui.images.keymaking import Fingerprint, describe_key, new_key
from kataui.images.keys import unwrap_options
from kataui.images.recipients import parse_recipient, wrap_options
from tests.images.wrapping import OPTIONS, jwk_of, private_key, ring

PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
PKCS8, PLAIN = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
SPKI = serialization.PublicFormat.SubjectPublicKeyInfo


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def spki_hash(key) -> str:
    return hashlib.sha256(key.public_bytes(DER, SPKI)).hexdigest()


# Making


@pytest.mark.parametrize(
    ("algorithm", "kind", "bits"),
    [
        ("", rsa.RSAPrivateKey, 3072),
        ("p256", ec.EllipticCurvePrivateKey, 256),
        ("p384", ec.EllipticCurvePrivateKey, 384),
        ("p521", ec.EllipticCurvePrivateKey, 521),
    ],
)
def test_jwe_key_is_plain_pkcs8_and_opens_what_its_half_wraps(tmp_path, algorithm, kind, bits):
    made = new_key("jwe", tmp_path / "team", algorithm=algorithm)

    assert (made.private, made.public) == (tmp_path / "team.key", tmp_path / "team.pub")
    assert mode(made.private) == 0o600
    assert made.private.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----\n")
    assert made.public.read_bytes().startswith(b"-----BEGIN PUBLIC KEY-----\n")
    private = private_key(made.private)
    assert isinstance(private, kind)
    assert private.key_size == bits
    annotations = wrap_options([parse_recipient(f"jwe:{made.public}")], OPTIONS)
    assert unwrap_options(annotations, ring(made.private)) == OPTIONS


def test_cosign_key_is_encrypted_and_signs(tmp_path):
    made = new_key("cosign", tmp_path / "sign", passphrase="pw")

    assert mode(made.private) == 0o600
    assert made.private.read_bytes().startswith(b"-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----\n")
    private = load_signing_key(made.private, lambda _: "pw")
    assert private.public_key().public_numbers() == load_public_key(made.public).public_numbers()


def test_pkcs7_key_has_a_certificate_of_its_own(tmp_path):
    made = new_key("pkcs7", tmp_path / "team")

    assert made.public == tmp_path / "team.crt"
    certificate = x509.load_pem_x509_certificate(made.public.read_bytes())
    assert certificate.subject.rfc4514_string() == "CN=team"
    assert certificate.issuer == certificate.subject
    certificate.verify_directly_issued_by(certificate)
    assert certificate.not_valid_before_utc < certificate.not_valid_after_utc
    assert private_key(made.private).public_key() == certificate.public_key()


def test_kbs_key_is_32_raw_bytes_without_another_half(tmp_path):
    one, two = (new_key("kbs", tmp_path / name) for name in ("one", "two"))

    assert one.public is None
    assert mode(one.private) == 0o600
    assert [len(made.private.read_bytes()) for made in (one, two)] == [32, 32]
    assert one.private.read_bytes() != two.private.read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"one.key", "two.key"}


@pytest.mark.parametrize(
    ("kind", "taken"), [("jwe", "k.key"), ("jwe", "k.pub"), ("pkcs7", "k.crt"), ("kbs", "k.key")]
)
@pytest.mark.parametrize("how", ["file", "dangling link"])
def test_nothing_is_overwritten_and_no_half_is_left(tmp_path, kind, taken, how):
    there = tmp_path / taken
    if how == "file":
        there.write_bytes(b"mine")
    else:
        there.symlink_to("nowhere")

    with pytest.raises(DestinationProblem, match="exists already"):
        new_key(kind, tmp_path / "k", algorithm="" if kind == "kbs" else "rsa-3072")

    assert list(tmp_path.iterdir()) == [there]
    assert how != "file" or there.read_bytes() == b"mine"


def test_folder_that_is_missing_is_a_clear_error(tmp_path):
    with pytest.raises(DestinationProblem, match="No such file"):
        new_key("kbs", tmp_path / "none" / "k")


@pytest.mark.parametrize(
    ("kind", "more", "message"),
    [
        ("rsa", {}, "no kind of key"),
        ("jwe", {"algorithm": "rsa-1024"}, "is not known"),
        ("jwe", {"passphrase": "x"}, "has no passphrase"),
        ("pkcs7", {"passphrase": "x"}, "has no passphrase"),
        ("pkcs7", {"algorithm": "p256"}, "always RSA"),
        ("cosign", {"algorithm": "p384"}, "always p256"),
    ],
)
def test_what_cannot_be_made_is_refused_before_anything_is_written(tmp_path, kind, more, message):
    with pytest.raises(KeyProblem, match=message):
        new_key(kind, tmp_path / "k", **more)

    assert list(tmp_path.iterdir()) == []


def test_key_without_a_name_is_refused():
    for prefix in (Path(), Path("/")):
        with pytest.raises(KeyProblem, match="needs a name"):
            new_key("kbs", prefix)


@pytest.mark.parametrize("name", ["a\x1b[31mb", "b\udcff", "x" * 100, "ж" * 40, "dots.in.name"])
def test_odd_names_make_good_certificates(tmp_path, name):
    made = new_key("pkcs7", tmp_path / name)

    assert made.public.name == f"{name}.crt"
    assert len(parse_recipient(f"pkcs7:{made.public}").name) > 4


# Telling


def test_both_halves_of_every_kind_have_one_fingerprint(keys):
    for name in ("rsa", "ec", "sign"):
        private, public = (describe_key(keys.folder / f"{name}.{half}") for half in ("key", "pub"))
        spki = serialization.load_pem_public_key((keys.folder / f"{name}.pub").read_bytes())
        assert private.fingerprint == public.fingerprint == Fingerprint(spki_hash(spki))
        assert (private.private, public.private) == (True, False)
        assert private.locked is (name == "sign")
        assert public.locked is False
    pair = [describe_key(keys.folder / f"cert.{half}") for half in ("key", "crt")]
    assert pair[0].fingerprint == pair[1].fingerprint


@pytest.mark.parametrize(
    ("name", "kind", "algorithm"),
    [
        ("rsa.key", "key", "RSA 3072"),
        ("rsa.pub", "public key", "RSA 3072"),
        ("ec.key", "key", "EC P-256"),
        ("ec.pub", "public key", "EC P-256"),
        ("cert.crt", "certificate", "RSA 3072"),
        ("sign.key", "cosign", "EC P-256"),
        ("broker.key", "kbs", "32 bytes"),
    ],
)
def test_kind_and_size_are_told(keys, name, kind, algorithm):
    info = describe_key(keys.folder / name)

    assert (info.kind, info.algorithm) == (kind, algorithm)
    assert not info.readable_by_others


def test_broker_key_is_told_by_the_hash_of_its_bytes(keys):
    path = keys.folder / "broker.key"

    mark = describe_key(path).fingerprint

    assert mark == Fingerprint(hashlib.sha256(path.read_bytes()).hexdigest())


def test_der_and_jwk_are_told(keys, tmp_path):
    private = private_key(keys.private)
    expected = spki_hash(private.public_key())
    certificate = x509.load_pem_x509_certificate(Path(keys.certificate).read_bytes())
    files = {
        "private.der": private.private_bytes(DER, PKCS8, PLAIN),
        "public.der": private.public_key().public_bytes(DER, SPKI),
        "certificate.der": certificate.public_bytes(DER),
        "public.jwk": str(jwk_of(keys.private)).replace("'", '"').encode(),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)

    told = {name: describe_key(tmp_path / name) for name in files}

    assert [told[name].kind for name in files] == ["key", "public key", "certificate", "public key"]
    assert told["private.der"].fingerprint.hex == expected
    assert told["public.der"].fingerprint.hex == told["public.jwk"].fingerprint.hex == expected
    assert told["certificate.der"].fingerprint == describe_key(Path(keys.certificate)).fingerprint


def test_files_of_ocicrypt_rs_are_told(shared):
    folder = shared / "corpora" / "coco" / "ocicrypt-rs-data"

    pair = describe_key(folder / "RSA_private.jwk"), describe_key(folder / "RSA_public.jwk")

    assert pair[0].private
    assert not pair[1].private
    assert pair[0].fingerprint == pair[1].fingerprint
    assert describe_key(folder / "private_key_ec.der").algorithm == "EC P-521"


def test_locked_key_has_no_fingerprint_without_its_public_half(keys, tmp_path):
    path = tmp_path / "sign.key"
    path.write_bytes(keys.sign_key.read_bytes())
    locked = tmp_path / "locked.pem"
    encryption = serialization.BestAvailableEncryption(b"x")
    locked.write_bytes(private_key(keys.private).private_bytes(PEM, PKCS8, encryption))

    for file in (path, locked):
        info = describe_key(file)
        assert info.private
        assert info.locked
        assert info.fingerprint is None


def test_private_key_that_others_can_read_is_told(keys, tmp_path):
    for name in ("rsa.key", "broker.key", "sign.key"):
        path = tmp_path / name
        path.write_bytes((keys.folder / name).read_bytes())
        path.chmod(0o640)
        assert describe_key(path).readable_by_others


def test_ed25519_is_told_although_it_cannot_wrap(tmp_path):
    path = tmp_path / "ed.pub"
    path.write_bytes(ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(PEM, SPKI))

    assert describe_key(path).algorithm == "Ed25519"


@pytest.mark.parametrize("data", [b"", b"x", b"{}", b"-----BEGIN", bytes(31), b'{"d":1}'])
def test_files_that_are_no_keys_are_refused(tmp_path, data):
    path = tmp_path / "x"
    path.write_bytes(data)

    with pytest.raises(KeyProblem):
        describe_key(path)


def test_missing_key_is_a_clear_error(tmp_path):
    with pytest.raises(KeyProblem, match="No such file"):
        describe_key(tmp_path / "none")


# Words


def test_words_are_256_short_distinct_ones():
    words = resources.text("words.txt").split()

    assert len(words) == len(set(words)) == 256
    assert all(re.fullmatch("[a-z]{3,8}", word) for word in words)


def test_eight_words_stand_for_the_first_eight_bytes():
    words = resources.text("words.txt").split()

    shown = Fingerprint("00ff1080" + "00" * 27 + "ff").words

    picked = [words[byte] for byte in (0, 255, 16, 128, 0, 0, 0, 0)]
    assert shown == "-".join(picked)
