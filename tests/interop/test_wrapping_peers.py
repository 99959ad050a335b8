"""One small layer whose key we wrapped, opened by containerd's decoder; and openssl's messages."""

import base64
import hashlib
import hmac
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from kataui.images.keys import unwrap_options
from kataui.images.recipients import (
    merge_annotations,
    parse_recipient,
    wrap_options,
)
from kataui.images.removal import remove_recipients
from tests.images.wrapping import (
    OPTIONS,
    STEM,
    b64,
    encrypted_layers,
    jwk_of,
    make_jwe,
    private_key,
    ring,
)

pytestmark = pytest.mark.interop
PLAIN = b"the bytes of a small layer " * 40
JWE = f"{STEM}jwe"


@pytest.fixture
def decode(tmp_path, peer, shared):
    """Whether ctd-decoder opens a layer with these annotations and private key files."""
    folder = str(Path(peer("ctd-decoder")).parent)
    script = str(shared / "peers" / "tools" / "ctd.py")

    def run(annotations, *files, options=OPTIONS):
        layout = tmp_path / "layout"
        write_layout(layout, annotations, options)
        own = tmp_path / "own"
        shutil.rmtree(own, ignore_errors=True)
        own.mkdir()
        for file in map(Path, files):
            shutil.copyfile(file, own / file.name)
        path = f"{folder}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            [sys.executable, script, str(layout), "0"],
            env={**os.environ, "PATH": path, "KEYS_PATH": str(own)},
            capture_output=True,
            check=True,
            text=True,
        )
        opened = done.stdout.startswith("rc 0 ")
        assert opened is (hashlib.sha256(PLAIN).hexdigest() in done.stdout)
        return opened

    return run


def write_layout(layout: Path, annotations: dict[str, str], options: bytes) -> None:
    """A layout of one encrypted layer, written without the code under test."""
    value = json.loads(options)
    key, nonce = (
        base64.b64decode(text) for text in (value["symkey"], value["cipheroptions"]["nonce"])
    )
    sealed = Cipher(algorithms.AES(key), modes.CTR(nonce)).encryptor().update(PLAIN)
    mac = b64(hmac.digest(key, sealed, "sha256"))
    public = {"cipher": "AES_256_CTR_HMAC_SHA256", "hmac": mac, "cipheroptions": {}}
    wrapped = {name: text for name, text in annotations.items() if name.startswith(STEM)}
    wrapped["org.opencontainers.image.enc.pubopts"] = b64(json.dumps(public).encode())
    blobs = layout / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)

    def put(data: bytes) -> dict[str, object]:
        name = hashlib.sha256(data).hexdigest()
        (blobs / name).write_bytes(data)
        return {"digest": f"sha256:{name}", "size": len(data)}

    kind = "application/vnd.oci.image.layer.v1.tar+encrypted"
    layer = {"mediaType": kind, "annotations": wrapped, **put(sealed)}
    manifest = put(json.dumps({"layers": [layer]}).encode())
    (layout / "index.json").write_text(json.dumps({"manifests": [manifest]}))


def wrap(*specs: str) -> dict[str, str]:
    return wrap_options([parse_recipient(spec) for spec in specs], OPTIONS)


@pytest.mark.parametrize("algorithm", ["RSA-OAEP", "RSA-OAEP-256", "ECDH-ES+A192KW"])
def test_jwk_with_algorithm_and_kid(decode, keys, tmp_path, algorithm):
    own = keys.private if algorithm.startswith("RSA") else keys.other_private
    path = tmp_path / "k.jwk"
    path.write_text(json.dumps(jwk_of(own, alg=algorithm, kid="team-1")))

    assert decode(wrap(f"jwe:{path}"), own)


def test_shared_packet_opens_for_each_and_for_nobody_else(decode, keys):
    annotations = wrap(keys.recipient, keys.other_recipient)

    assert decode(annotations, keys.private)
    assert decode(annotations, keys.other_private)
    assert not decode(annotations, keys.certificate_key)


def test_added_packet_opens(decode, keys):
    annotations = merge_annotations(wrap(keys.recipient), wrap(keys.other_recipient))

    assert decode(annotations, keys.private)
    assert decode(annotations, keys.other_private)


def test_who_was_removed_is_out_and_who_stays_is_in(decode, keys):
    left = remove_recipients(wrap(keys.recipient, keys.other_recipient), ["jwe#1"])

    assert not decode(left, keys.private)
    assert decode(left, keys.other_private)


def test_removing_from_what_skopeo_wrote(decode, shared):
    peers = shared / "fixtures" / "peers"
    first, second = (peers / "keys" / name for name in ("rsa3072.pem", "ec-secp384r1.pem"))
    layer = encrypted_layers(peers / "enc" / "jwe-rsa-and-ec.skopeo-1.22")[0]
    options = unwrap_options(layer, ring(first))

    left = remove_recipients(layer, ["jwe#1"])

    assert not decode(left, first, options=options)
    assert decode(left, second, options=options)


def test_two_certificates_in_one_message(decode, keys, shared):
    peers = shared / "fixtures" / "peers" / "keys"
    annotations = wrap(f"pkcs7:{keys.certificate}", f"pkcs7:{peers / 'pkcs7.cert.pem'}")

    assert decode(annotations, keys.certificate_key, keys.certificate)
    assert decode(annotations, peers / "pkcs7.key.pem", peers / "pkcs7.cert.pem")
    assert not decode(annotations, keys.private, keys.certificate)


def test_pgp_message_opens_with_the_exported_key(decode, shared, tmp_path, monkeypatch, peer):
    keys = shared / "fixtures" / "peers" / "keys"
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("GNUPGHOME", str(home))
    try:
        importing = [peer("gpg"), "--batch", "--quiet", "--import", str(keys / "pgp.public.gpg")]
        subprocess.run(importing, check=True, capture_output=True)
        annotations = wrap("pgp:test@example.com")
    finally:
        subprocess.run([peer("gpgconf"), "--kill", "all"], check=True)

    assert decode(annotations, keys / "pgp.secret.gpg")
    assert unwrap_options(annotations, ring(keys / "pgp.secret.gpg")) == OPTIONS


@pytest.mark.parametrize(
    ("alg", "enc", "more"),
    [
        ("RSA-OAEP-256", "A128GCM", {}),
        ("RSA-OAEP", "A256CBC-HS512", {"compact": True}),
        ("RSA-OAEP", "A256GCM", {"zip": "DEF"}),
        ("ECDH-ES+A128KW", "A256GCM", {}),
    ],
)
def test_the_writer_of_our_tests_is_understood_by_go_too(decode, keys, alg, enc, more):
    own = keys.private if alg.startswith("RSA") else keys.other_private

    packet = make_jwe(private_key(own).public_key(), alg, enc, **more)

    assert decode({JWE: b64(packet)}, own)


def test_foreign_ec_key_is_refused_by_both(decode, keys, tmp_path):
    stranger = make_jwe(
        ec.generate_private_key(ec.SECP256R1()).public_key(), "ECDH-ES+A256KW", "A256GCM"
    )

    assert not decode({JWE: b64(stranger)}, keys.other_private)


@pytest.mark.parametrize("cipher", ["-aes-128-cbc", "-aes-256-cbc"])
def test_enveloped_data_of_openssl_is_read(decode, keys, peer, cipher):
    argv = [peer("openssl"), "cms", "-encrypt", "-binary", "-outform", "DER", cipher]
    made = subprocess.run(
        [*argv, "-recip", keys.certificate], input=OPTIONS, capture_output=True, check=True
    )
    annotations = {f"{STEM}pkcs7": b64(made.stdout)}

    assert unwrap_options(annotations, ring(keys.certificate_key, keys.certificate)) == OPTIONS
    assert decode(annotations, keys.certificate_key, keys.certificate)
