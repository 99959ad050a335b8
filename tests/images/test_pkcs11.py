import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from kataui.errors import ImageError, KeyProblem
from kataui.images import pkcs11
from kataui.images.jwe import NotForThisKey
from tests.images.wrapping import OPTIONS, STEM, encrypted_layers, flipped, private_key


@pytest.fixture(scope="module")
def rsa_key(keys):
    return private_key(keys.private)


@pytest.fixture(autouse=True)
def _default_hash(monkeypatch):
    monkeypatch.delenv(pkcs11.HASH_VARIABLE, raising=False)


def opened(data, key):
    return pkcs11.unwrap(pkcs11.parse(data), key)


@pytest.mark.parametrize("name", ["sha256", "sha1"])
def test_round_trip_records_the_hash(rsa_key, monkeypatch, name):
    monkeypatch.setenv(pkcs11.HASH_VARIABLE, name)
    data = pkcs11.wrap([rsa_key.public_key()], OPTIONS)
    monkeypatch.delenv(pkcs11.HASH_VARIABLE)

    value = json.loads(data)

    assert list(value) == ["version", "recipients"]
    assert value["version"] == 0
    assert [(x["version"], x["hash"]) for x in value["recipients"]] == [(0, name)]
    assert opened(data, rsa_key) == OPTIONS


@pytest.mark.parametrize(("text", "name"), [("", "sha256"), ("SHA1", "sha1"), ("Sha256", "sha256")])
def test_the_variable_is_read_as_ocicrypt_reads_it(monkeypatch, text, name):
    monkeypatch.setenv(pkcs11.HASH_VARIABLE, text)

    assert pkcs11.hash_name() == name


@pytest.mark.parametrize("text", ["sha512", "md5", " sha1", "\x1b[1m"])
def test_a_hash_that_no_reader_knows_is_refused_not_replaced(rsa_key, monkeypatch, text):
    monkeypatch.setenv(pkcs11.HASH_VARIABLE, text)

    with pytest.raises(KeyProblem, match="which no reader knows") as problem:
        pkcs11.wrap([rsa_key.public_key()], OPTIONS)

    assert "\x1b" not in problem.value.message


def test_absent_hash_is_sha1(rsa_key, monkeypatch):
    monkeypatch.setenv(pkcs11.HASH_VARIABLE, "sha1")
    value = json.loads(pkcs11.wrap([rsa_key.public_key()], OPTIONS))
    del value["recipients"][0]["hash"]

    assert opened(json.dumps(value).encode(), rsa_key) == OPTIONS


def test_each_of_two_recipients_opens_it(rsa_key):
    other = rsa.generate_private_key(65537, 3072)

    data = pkcs11.wrap([rsa_key.public_key(), other.public_key()], OPTIONS)

    assert opened(data, rsa_key) == opened(data, other) == OPTIONS


def test_wrong_key_other_hash_and_changed_blob_are_refused(rsa_key):
    data = pkcs11.wrap([rsa_key.public_key()], OPTIONS)
    value = json.loads(data)
    blob = base64.b64decode(value["recipients"][0]["blob"])
    changed = base64.b64encode(flipped(blob, 9)).decode()

    for packet, key in [
        (data, rsa.generate_private_key(65537, 2048)),
        (data.replace(b"sha256", b"sha1"), rsa_key),
        (json.dumps({"recipients": [{"blob": changed, "hash": "sha256"}]}).encode(), rsa_key),
        (b'{"recipients":[{"blob":""}]}', rsa_key),
    ]:
        with pytest.raises(NotForThisKey):
            opened(packet, key)


def test_packets_of_skopeo_open(shared):
    peers = shared / "fixtures" / "peers"
    key = private_key(peers / "keys" / "rsa3072.pem")

    for layer in encrypted_layers(peers / "enc" / "pkcs11.skopeo-1.22"):
        assert opened(base64.b64decode(layer[f"{STEM}pkcs11"]), key).startswith(b'{"symkey"')


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b'{"recipients":[]}',
        b'{"recipients":{}}',
        b'{"recipients":[{"hash":["sha1"]}]}',
        b'{"recipients":[{"hash":"md5","blob":""}]}',
        b'{"recipients":[{"blob":"*"}]}',
        b'{"recipients":[{"blob":"\xc3\xa9"}]}',
        b'{"recipients":[' + b"1," * 300 + b"1]}",
    ],
)
def test_garbage_is_an_image_error(data):
    with pytest.raises(ImageError):
        pkcs11.parse(data)
