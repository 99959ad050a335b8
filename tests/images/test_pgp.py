import base64
import os
import subprocess

import pytest

from kataui.errors import KeyProblem, NotPossibleHere
from kataui.images import pgp
from kataui.images.jwe import NotForThisKey
from kataui.images.keys import load_keys, unwrap_options, usable_keys
from kataui.images.recipients import parse_recipient, wrap_options
from kataui.images.removal import remove_recipients
from tests.images.wrapping import OPTIONS, STEM, encrypted_layers, flipped

PASSPHRASE = "a secret of the tests"
USER, SIGNER = "locked@example.org", "signer@example.org"


@pytest.fixture(scope="module")
def gnupg(peer, tmp_path_factory):
    """A keyring with one key that is protected by a passphrase; its agent is stopped after."""
    gpg, gpgconf = peer("gpg"), peer("gpgconf")
    home = tmp_path_factory.mktemp("gnupg")
    home.chmod(0o700)
    base = [gpg, "--homedir", str(home), "--batch", "--quiet", "--pinentry-mode", "loopback"]
    base += ["--passphrase", PASSPHRASE]
    try:
        for user, kind in ((USER, "future-default"), (SIGNER, "ed25519")):
            making = [*base, "--quick-gen-key", f"Locked <{user}>", kind, "default", "never"]
            subprocess.run(making, check=True, capture_output=True)
        exported = subprocess.run(
            [*base, "--export-secret-keys", USER], check=True, capture_output=True
        ).stdout
        (home / "secret.gpg").write_bytes(exported)
        yield home
    finally:
        subprocess.run([gpgconf, "--homedir", str(home), "--kill", "all"], check=True)


@pytest.fixture
def keyring(gnupg, monkeypatch):
    monkeypatch.setenv("GNUPGHOME", str(gnupg))
    return gnupg


def test_round_trip_with_a_passphrase(keyring):
    asked = []

    annotations = wrap_options([parse_recipient(f"pgp:{USER}")], OPTIONS)
    ring = load_keys(
        [str(keyring / "secret.gpg")], lambda prompt: asked.append(prompt) or PASSPHRASE
    )

    assert list(annotations) == [f"{STEM}pgp"]
    assert asked == ["Passphrase of secret.gpg"]
    assert unwrap_options(annotations, ring) == OPTIONS
    assert usable_keys(annotations, ring) == ("secret.gpg",)
    assert PASSPHRASE not in repr(ring) + repr(ring.keys)


def test_wrong_passphrase_opens_nothing(keyring):
    message = pgp.wrap([USER], OPTIONS)

    with pytest.raises(NotForThisKey):
        pgp.unwrap(message, (keyring / "secret.gpg").read_bytes(), "wrong")


def test_no_passphrase_is_a_clear_error(keyring):
    with pytest.raises(KeyProblem, match="needs a passphrase"):
        load_keys([str(keyring / "secret.gpg")], lambda _: None)


@pytest.fixture
def public_keyring(shared, tmp_path, monkeypatch, peer):
    """A keyring with the fixtures' public key; gives the key's folder."""
    keys = shared / "fixtures" / "peers" / "keys"
    monkeypatch.setenv("GNUPGHOME", str(tmp_path))
    tmp_path.chmod(0o700)
    importing = [peer("gpg"), "--batch", "--quiet", "--import", keys / "pgp.public.gpg"]
    subprocess.run(importing, check=True, capture_output=True)
    yield keys
    subprocess.run([peer("gpgconf"), "--kill", "all"], check=True)


def test_one_of_two_is_taken_out_of_a_shared_message(public_keyring, gnupg):
    secret = (public_keyring / "pgp.secret.gpg").read_bytes()
    exported = subprocess.run(
        ["gpg", "--homedir", str(gnupg), "--batch", "--export", USER],
        check=True,
        capture_output=True,
    ).stdout
    subprocess.run(["gpg", "--batch", "--quiet", "--import"], input=exported, check=True)
    people = [parse_recipient(f"pgp:{user}") for user in (USER, "test@example.com")]

    left = remove_recipients(wrap_options(people, OPTIONS), [f"pgp:{USER}"])

    message = base64.b64decode(left[f"{STEM}pgp"])
    assert len(pgp.key_ids(message)) == 1
    assert pgp.unwrap(message, secret, None) == OPTIONS
    with pytest.raises(NotForThisKey):
        pgp.unwrap(message, (gnupg / "secret.gpg").read_bytes(), PASSPHRASE)


def test_message_that_inflates_is_not_taken(public_keyring):
    argv = ["gpg", "--batch", "--quiet", "--trust-model", "always", "--encrypt"]
    bomb = subprocess.run(
        [*argv, "--recipient", "test@example.com"],
        input=b"{" + bytes(4 << 20),
        check=True,
        capture_output=True,
    ).stdout
    assert len(bomb) < 1 << 16

    with pytest.raises(NotForThisKey):
        pgp.unwrap(bomb, (public_keyring / "pgp.secret.gpg").read_bytes(), None)


@pytest.mark.usefixtures("keyring")
def test_message_is_binary_and_names_its_key():
    message = pgp.wrap([USER], OPTIONS)

    assert message[0] & 0x80
    (key_id,) = pgp.key_ids(message)
    listed = subprocess.run(
        ["gpg", "--batch", "--with-colons", "--list-keys", USER], check=True, capture_output=True
    ).stdout
    assert key_id.encode() in listed


@pytest.mark.usefixtures("keyring")
def test_unknown_user_is_a_clear_error():
    with pytest.raises(KeyProblem, match="knows no public key"):
        parse_recipient("pgp:nobody@example.org")
    with pytest.raises(KeyProblem, match="cannot encrypt"):
        pgp.wrap(["nobody@example.org"], OPTIONS)


@pytest.mark.usefixtures("keyring")
def test_key_that_only_signs_is_refused():
    with pytest.raises(KeyProblem, match="cannot encrypt"):
        parse_recipient(f"pgp:{SIGNER}")


@pytest.mark.parametrize("user", ["--version", "-a", " "])
@pytest.mark.usefixtures("keyring")
def test_user_that_looks_like_an_option_is_refused(user):
    with pytest.raises(KeyProblem, match="no PGP user id"):
        parse_recipient(f"pgp:{user}")


def test_missing_gpg_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(NotPossibleHere, match="needs gpg") as problem:
        parse_recipient("pgp:me")
    assert "gnupg" in problem.value.hint


def test_messages_of_skopeo_open(shared, peer):
    peer("gpg")
    peers = shared / "fixtures" / "peers"
    secret = (peers / "keys" / "pgp.secret.gpg").read_bytes()
    layer = encrypted_layers(peers / "enc" / "pgp.skopeo-1.22")[0]
    message = base64.b64decode(layer[f"{STEM}pgp"])

    assert not pgp.is_protected(secret)
    assert pgp.unwrap(message, secret, None).startswith(b'{"symkey"')
    assert len(pgp.key_ids(message)) == 1
    with pytest.raises(NotForThisKey):
        pgp.unwrap(flipped(message, len(message) - 5), secret, None)


def test_file_that_is_no_key_is_a_clear_error(peer):
    peer("gpg")

    with pytest.raises(KeyProblem, match="gpg cannot read"):
        pgp.is_protected(b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nAAAA\n")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n", True),
        (b"\x95\x01", True),  # old header, tag 5
        (b"\xc5\x01", True),  # new header, tag 5
        (b"\x99\x01", False),  # a public key
        (b"-----BEGIN PRIVATE KEY-----", False),
        (b"", False),
    ],
)
def test_secret_keys_are_recognised(data, expected):
    assert pgp.is_secret_key(data) is expected


def test_key_ids_are_read_from_both_header_formats():
    body = b"\x03" + bytes.fromhex("0123456789abcdef") + b"\x01\x00\x00"
    old, new = b"\x84\x0c" + body, b"\xc1\x0c" + body
    two_bytes = b"\x85\x00\x0c" + body

    assert pgp.key_ids(old + new + two_bytes) == ["0123456789ABCDEF"] * 3


@pytest.mark.parametrize("data", [b"", b"\x84", b"\x84\x0c", b"\xc1\xff", b"\x87\x00\x00", b"abc"])
def test_garbage_names_no_keys(data):
    assert pgp.key_ids(data) == []


def test_random_bytes_never_crash():
    for _ in range(200):
        pgp.key_ids(b"\x84" + os.urandom(30))
