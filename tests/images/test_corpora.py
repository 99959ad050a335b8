"""Files that others wrote: each behaves as its name says."""

import base64
import json
import shutil
from pathlib import Path

import pytest

from kataui.errors import KatauiError
from kataui.findings import Verdict
from kataui.images.cosignkey import load_public_key
from kataui.images.kbs import provider_flags
from kataui.images.keys import KeyRing, load_keys
from kataui.images.open import open_source
from kataui.images.signatures import PublicKey, Status
from kataui.images.verdict import Need
from kataui.images.verify import verify
from kataui.progress import Control

SIGNED = frozenset({Need.SIGNED})
ENCRYPTED = frozenset({Need.ENCRYPTED})


@pytest.fixture
def signatures(shared, tmp_path):
    """The signature corpus with its symbolic links, which were flattened to texts on copying."""
    folder = tmp_path / "signatures"
    shutil.copytree(shared / "corpora" / "signatures", folder)
    for place in folder.rglob("*"):
        if place.is_file() and place.stat().st_size < 200:
            data = place.read_bytes()
            target = place.parent / data.decode("utf-8", "replace").strip()
            if data.startswith(b"../") and target.is_file():
                place.write_bytes(target.read_bytes())
    return folder


def judge_dir(folder: Path, key: Path, **more):
    with open_source(f"dir:{folder}") as source:
        public = PublicKey(key.name, load_public_key(key))
        return verify(
            source, public_keys=(public,), ring=KeyRing(), require=SIGNED, control=Control(), **more
        )


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("valid", "cosign.pub"),
        ("valid-2", "cosign.pub"),
        ("valid-with-tag", "cosign.pub"),
        ("mixed", "cosign.pub"),
        ("key-rekor-valid", "cosign2.pub"),
    ],
)
def test_good_cosign_images_are_accepted(signatures, name, key):
    report = judge_dir(signatures / f"dir-img-cosign-{name}", signatures / key)

    assert Status.VALID in {item.status for item in report.signatures}
    assert report.verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("modified-manifest", "which is not this image"),
        ("other-attachment", "no signature"),
        ("pki-valid", "certificate"),
        ("fulcio-rekor-valid", "certificate"),
    ],
)
def test_bad_cosign_images_are_refused_for_their_reason(signatures, name, reason):
    report = judge_dir(signatures / f"dir-img-cosign-{name}", signatures / "cosign.pub")

    assert Status.VALID not in {item.status for item in report.signatures}
    assert report.verdict is Verdict.FAIL
    assert any(reason in item.reason for item in report.signatures)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("no-manifest", "manifest"), ("manifest-digest-error", "schema version 1")],
)
def test_images_without_a_usable_manifest_are_a_clear_error(signatures, name, reason):
    with pytest.raises(KatauiError, match=reason):
        judge_dir(signatures / f"dir-img-cosign-{name}", signatures / "cosign.pub")


def test_identity_with_a_tag_is_the_repository(signatures):
    folder = signatures / "dir-img-cosign-valid-with-tag"
    key = signatures / "cosign.pub"

    right = judge_dir(folder, key, identity="192.168.64.2:5000/skopeo-signed")
    wrong = judge_dir(folder, key, identity="192.168.64.2:5000/other")

    assert right.verdict is Verdict.PASS
    assert wrong.verdict is Verdict.FAIL


@pytest.mark.parametrize("name", ["valid", "valid-2", "mixed", "valid-subkey"])
def test_gpg_signatures_are_never_called_valid_nor_ignored(signatures, name):
    report = judge_dir(signatures / f"dir-img-{name}", signatures / "cosign.pub")

    assert report.signatures
    assert {item.status for item in report.signatures} == {Status.UNKNOWN}
    assert all("GPG" in item.reason for item in report.signatures)
    assert report.verdict is Verdict.FAIL


@pytest.mark.parametrize("version", ["2", "3"])
def test_layouts_saved_by_cosign_are_accepted(shared, version):
    folder = shared / "fixtures" / "peers" / "cosign"
    public = PublicKey("cosign", load_public_key(folder / f"cosign{version}.pub"))
    with open_source(str(folder / f"saved-by-cosign{version}")) as source:
        report = verify(
            source, public_keys=(public,), ring=KeyRing(), require=SIGNED, control=Control()
        )

    assert {item.status for item in report.signatures} == {Status.VALID}
    assert report.verdict is Verdict.PASS


def test_notation_signatures_are_seen_and_not_checked(shared):
    folder = shared / "fixtures" / "peers" / "notation" / "signed"
    with open_source(str(folder)) as source:
        report = verify(source, ring=KeyRing(), require=SIGNED, control=Control())

    assert {item.form.value for item in report.signatures} == {"notation"}
    assert {item.status for item in report.signatures} == {Status.UNKNOWN}


KEYS_OF = {
    "jwe-ec-prime256v1": ["ec-prime256v1.pem"],
    "jwe-ec-secp384r1": ["ec-secp384r1.pem"],
    "jwe-ec-secp521r1": ["ec-secp521r1.pem"],
    "jwe-and-pkcs7": ["pkcs7.key.pem", "pkcs7.cert.pem"],
    "pkcs7": ["pkcs7.key.pem", "pkcs7.cert.pem"],
    "pgp": ["pgp.secret.gpg"],
    "provider-attestation-agent": ["kbs:///default/key/1=kek.bin"],
}


def _layouts():
    folder = Path(__file__).resolve().parents[3] / "shared" / "fixtures" / "peers" / "enc"
    return sorted(place.name for place in folder.iterdir()) if folder.is_dir() else []


@pytest.mark.parametrize("name", _layouts())
def test_layouts_encrypted_by_skopeo_open_with_their_key(shared, name):
    peers = shared / "fixtures" / "peers"
    files = KEYS_OF.get(name.split(".skopeo")[0], ["rsa3072.pem"])
    specs = tuple(
        f"kbs:///default/key/1={peers / 'keys' / 'kek.bin'}"
        if text.startswith("kbs:")
        else str(peers / "keys" / text)
        for text in files
    )
    ring = load_keys(specs, lambda _: "")
    with open_source(str(peers / "enc" / name)) as source:
        report = verify(source, ring=ring, require=ENCRYPTED, control=Control())

    encrypted = [x for item in report.images for x in item.layers if x.layer.encrypted]
    assert encrypted
    assert all(item.mac_ok and item.diff_ok for item in encrypted)
    assert report.verdict is Verdict.PASS


@pytest.mark.parametrize("name", _layouts())
def test_layouts_encrypted_by_skopeo_stay_shut_for_another_key(shared, name, keys):
    ring = load_keys((keys.private,), lambda _: "")
    with open_source(str(shared / "fixtures" / "peers" / "enc" / name)) as source:
        report = verify(source, ring=ring, require=ENCRYPTED, control=Control())

    assert report.verdict is Verdict.UNKNOWN


def test_the_public_sample_key_is_shouted_about(shared):
    data = shared / "corpora" / "coco" / "ocicrypt-rs-data" / "sample_kbc_annotation.json"
    packet = base64.b64encode(json.dumps(json.loads(data.read_text())).encode()).decode()
    name = "org.opencontainers.image.enc.keys.provider.attestation-agent"

    assert "sample-key" in provider_flags({name: packet})
