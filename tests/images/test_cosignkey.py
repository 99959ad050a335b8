import base64
import json
import stat
from pathlib import Path

import nacl.secret
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from kataui.errors import KeyProblem
from kataui.images.cosignkey import (
    change_passphrase,
    decrypt_key,
    encrypt_key,
    is_encrypted_key,
    load_public_key,
    load_signing_key,
)
from tests.images.wrapping import b64, never

PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
PKCS8, PLAIN = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
KEY = ec.generate_private_key(ec.SECP256R1())


def numbers(key):
    return key.private_numbers()


def body_of(data):
    return json.loads(base64.b64decode("".join(data.decode().splitlines()[1:-1])))


def pem_of(value, label="ENCRYPTED COSIGN PRIVATE KEY"):
    text = b64(json.dumps(value).encode())
    return f"-----BEGIN {label}-----\n{text}\n-----END {label}-----\n".encode()


def sealed_as_cosign(plain, passphrase, cost, label):
    """cosign's file after its description, with libsodium and scrypt called directly."""
    salt, nonce = bytes(range(32)), bytes(range(24))
    key = Scrypt(salt=salt, length=32, n=cost, r=8, p=1).derive(passphrase)
    value = {
        "kdf": {"name": "scrypt", "params": {"N": cost, "r": 8, "p": 1}, "salt": b64(salt)},
        "cipher": {"name": "nacl/secretbox", "nonce": b64(nonce)},
        "ciphertext": b64(nacl.secret.SecretBox(key).encrypt(plain, nonce).ciphertext),
    }
    return pem_of(value, label)


def test_written_file_is_the_form_that_every_reader_takes():
    data = encrypt_key(KEY, b"pass")

    lines = data.decode().splitlines()
    assert lines[0] == "-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----"
    assert lines[-1] == "-----END ENCRYPTED COSIGN PRIVATE KEY-----"
    assert max(len(line) for line in lines[1:-1]) == 64
    value = body_of(data)
    assert value["kdf"]["name"] == "scrypt"
    assert value["kdf"]["params"] == {"N": 65536, "r": 8, "p": 1}
    assert value["cipher"]["name"] == "nacl/secretbox"
    assert len(base64.b64decode(value["kdf"]["salt"])) == 32
    assert len(base64.b64decode(value["cipher"]["nonce"])) == 24
    assert len(base64.b64decode(value["ciphertext"])) == 138 + 16  # PKCS8 of P-256, and the tag


@pytest.mark.parametrize("passphrase", [b"", b"pass", "heslo ž".encode()])
def test_round_trip(passphrase):
    data = encrypt_key(KEY, passphrase)

    assert is_encrypted_key(data)
    assert numbers(decrypt_key(data, passphrase, "k")) == numbers(KEY)


@pytest.mark.parametrize("cost", [32768, 65536, 131072])
@pytest.mark.parametrize("word", ["COSIGN", "SIGSTORE"])
def test_both_labels_and_the_three_costs_are_read(cost, word):
    plain = KEY.private_bytes(DER, PKCS8, PLAIN)

    data = sealed_as_cosign(plain, b"pw", cost, f"ENCRYPTED {word} PRIVATE KEY")

    assert is_encrypted_key(data)
    assert numbers(decrypt_key(data, b"pw", "k")) == numbers(KEY)


@pytest.mark.parametrize(("name", "passphrase"), [("cosign2", "fixture"), ("cosign3", "fixture")])
def test_keys_of_cosign_open_and_match_their_public_half(shared, name, passphrase):
    folder = shared / "fixtures" / "peers" / "cosign"

    private = load_signing_key(folder / f"{name}.key", lambda _: passphrase)

    public = load_public_key(folder / f"{name}.pub")
    assert private.public_key().public_numbers() == public.public_numbers()


def test_keys_of_guest_components_open(shared):
    folder = shared / "corpora" / "coco" / "image-rs-test_data" / "signature" / "cosign"

    for name in ("cosign.key", "cosign2.key"):
        data = (folder / name).read_bytes()
        assert body_of(data)["kdf"]["params"]["N"] == 32768
        assert load_signing_key(folder / name, lambda _: "").curve.name == "secp256r1"
    for name in ("cosign1.pub", "cosign2.pub", "cosign3.pub", "nv.pub"):
        assert load_public_key(folder / name).curve.name == "secp256r1"


def test_wrong_passphrase_is_a_clear_error(keys):
    with pytest.raises(KeyProblem, match="passphrase does not open sign"):
        load_signing_key(keys.sign_key, lambda _: "wrong")


def test_no_passphrase_is_a_clear_error(keys):
    with pytest.raises(KeyProblem, match="needs a passphrase") as problem:
        load_signing_key(keys.sign_key, lambda _: None)

    assert "COSIGN_PASSWORD" in problem.value.hint


def test_variable_goes_before_the_question(tmp_path, monkeypatch):
    path = tmp_path / "k.key"
    path.write_bytes(encrypt_key(KEY, b"from the environment"))

    monkeypatch.setenv("COSIGN_PASSWORD", "from the environment")

    assert numbers(load_signing_key(path, never)) == numbers(KEY)


def test_variable_that_is_empty_is_an_empty_passphrase(keys, monkeypatch):
    monkeypatch.setenv("COSIGN_PASSWORD", "")

    assert load_signing_key(keys.sign_key, never)


def test_variable_that_is_no_text_is_a_wrong_passphrase(keys, monkeypatch):
    monkeypatch.setenv("COSIGN_PASSWORD", "\udcff")

    with pytest.raises(KeyProblem, match="passphrase does not open"):
        load_signing_key(keys.sign_key, lambda _: None)


def test_variable_for_another_key_does_not_stand_in_the_way(keys, monkeypatch):
    monkeypatch.setenv("COSIGN_PASSWORD", "of another key")

    assert load_signing_key(keys.sign_key, lambda _: "")


@pytest.mark.parametrize("encoding", [PEM, DER])
def test_plain_and_encrypted_pkcs8_are_taken(tmp_path, encoding):
    path = tmp_path / "k.pem"
    path.write_bytes(KEY.private_bytes(encoding, PKCS8, PLAIN))
    assert numbers(load_signing_key(path, never)) == numbers(KEY)

    locked = serialization.BestAvailableEncryption(b"pw")
    path.write_bytes(KEY.private_bytes(encoding, PKCS8, locked))
    assert numbers(load_signing_key(path, lambda _: "pw")) == numbers(KEY)
    for wrong in ("other", ""):
        with pytest.raises(KeyProblem, match="passphrase does not open"):
            load_signing_key(path, lambda _, answer=wrong: answer)


def test_other_keys_do_not_sign(keys, tmp_path):
    path = tmp_path / "p384.pem"
    path.write_bytes(ec.generate_private_key(ec.SECP384R1()).private_bytes(PEM, PKCS8, PLAIN))

    for other in (path, keys.folder / "rsa.key"):
        with pytest.raises(KeyProblem, match="no EC P-256 key"):
            load_signing_key(other, never)
    with pytest.raises(KeyProblem, match="is a public key"):
        load_signing_key(keys.sign_pub, never)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("kdf", "params", "N"), 16384),
        (("kdf", "params", "N"), 1 << 40),
        (("kdf", "params", "N"), 65536.0),
        (("kdf", "params", "N"), True),
        (("kdf", "params", "N"), [65536]),
        (("kdf", "params", "r"), 16),
        (("kdf", "params", "p"), 2),
        (("kdf", "name"), "argon2"),
        (("cipher", "name"), "aes"),
        (("cipher", "nonce"), "AAAA"),
        (("cipher", "nonce"), "é"),
        (("kdf", "salt"), 5),
        (("kdf", "salt"), "AAAA"),
        (("kdf",), "x"),
        (("kdf", "params"), []),
        (("ciphertext",), ""),
        (("ciphertext",), "*"),
    ],
)
def test_each_parameter_changed_is_refused(path, value):
    changed = body_of(encrypt_key(KEY, b""))
    place = changed
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value

    with pytest.raises(KeyProblem):
        decrypt_key(pem_of(changed), b"", "k")


@pytest.mark.parametrize("position", [0, 15, 16, 100])
def test_changed_ciphertext_is_refused(position):
    changed = body_of(encrypt_key(KEY, b""))
    sealed = bytearray(base64.b64decode(changed["ciphertext"]))
    sealed[position] ^= 1
    changed["ciphertext"] = b64(bytes(sealed))

    with pytest.raises(KeyProblem, match="passphrase does not open"):
        decrypt_key(pem_of(changed), b"", "k")


@pytest.mark.parametrize(
    "data",
    [
        b"-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----\n",
        b"-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----\n*\n-----END",
        pem_of([]),
        pem_of({}),
        "-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----\né\n-----END".encode(),
    ],
)
def test_damaged_files_are_refused(data):
    with pytest.raises(KeyProblem, match="damaged"):
        decrypt_key(data, b"", "k")


@pytest.mark.parametrize(
    "plain",
    [
        b"{}",
        b"",
        KEY.private_bytes(DER, PKCS8, serialization.BestAvailableEncryption(b"x")),
    ],
)
def test_something_else_inside_is_refused(plain):
    data = sealed_as_cosign(plain, b"", 32768, "ENCRYPTED COSIGN PRIVATE KEY")

    with pytest.raises(KeyProblem, match="holds no private key"):
        decrypt_key(data, b"", "k")


def test_public_keys_are_checked(keys, tmp_path):
    junk = tmp_path / "junk"
    junk.write_bytes(b"junk")

    for path, message in [
        (keys.sign_key, "is a private key"),
        (keys.folder / "rsa.pub", "no EC key"),
        (Path(keys.certificate), "no public key"),
        (junk, "no public key"),
        (tmp_path / "none", "No such file"),
    ]:
        with pytest.raises(KeyProblem, match=message):
            load_public_key(path)


# Changing the passphrase


def test_passphrase_is_changed_in_place(tmp_path):
    path = tmp_path / "k.key"
    path.write_bytes(encrypt_key(KEY, b"old"))
    path.chmod(0o644)

    change_passphrase(path, "old", "new")

    assert numbers(load_signing_key(path, lambda _: "new")) == numbers(KEY)
    with pytest.raises(KeyProblem):
        load_signing_key(path, lambda _: "old")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_wrong_old_passphrase_changes_nothing(tmp_path):
    path = tmp_path / "k.key"
    path.write_bytes(encrypt_key(KEY, b"old"))
    before = path.read_bytes()

    with pytest.raises(KeyProblem, match="passphrase does not open"):
        change_passphrase(path, "wrong", "new")

    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_other_keys_get_no_passphrase_but_may_lose_theirs(tmp_path):
    path = tmp_path / "k.key"
    locked = KEY.private_bytes(PEM, PKCS8, serialization.BestAvailableEncryption(b"old"))
    path.write_bytes(locked)

    with pytest.raises(KeyProblem, match="no cosign key"):
        change_passphrase(path, "old", "new")
    with pytest.raises(KeyProblem, match="passphrase does not open"):
        change_passphrase(path, "wrong", "")
    assert path.read_bytes() == locked
    change_passphrase(path, "old", "")

    assert path.read_bytes() == KEY.private_bytes(PEM, PKCS8, PLAIN)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(KeyProblem, match="has no passphrase"):
        change_passphrase(path, "", "")


def test_file_that_is_no_key_has_no_passphrase_to_change(tmp_path):
    path = tmp_path / "k.key"
    path.write_bytes(b"junk")

    with pytest.raises(KeyProblem, match="no private key"):
        change_passphrase(path, "", "")
