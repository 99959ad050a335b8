import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kataui.errors import KatauiError
from kataui.findings import Verdict
from kataui.images.cosignkey import load_public_key
from kataui.images.keys import KeyRing, load_keys
from kataui.images.model import OCI_MANIFEST
from kataui.images.open import open_source
from kataui.images.signatures import PublicKey, Status
from kataui.images.verdict import Need
from kataui.images.verify import verify
from kataui.progress import Control
from tests.images.builders import put, put_json, tiny_layout
from tests.images.protecting import (
    IDENTITY,
    add_entry,
    answers,
    blob,
    change_manifest,
    entries_of,
    ids,
    image_entry,
    judge,
    manifest_of,
    replace_layer,
    run,
    sign,
)

PUBOPTS = "org.opencontainers.image.enc.pubopts"
JWE = "org.opencontainers.image.enc.keys.jwe"


@pytest.fixture
def protected(tmp_path, keys):
    source = tiny_layout(tmp_path / "source")
    run(answers(source, tmp_path / "out", keys))
    return tmp_path / "out"


def test_protected_image_passes_with_both_keys(protected, keys):
    report = judge(protected, keys, private=(keys.private,))

    assert report.verdict is Verdict.PASS
    assert report.findings == ()


def test_without_keys_it_is_unknown(protected):
    report = judge(protected)

    assert report.verdict is Verdict.UNKNOWN
    assert {"IMG-NO-KEY", "IMG-NO-PUBLIC-KEY"} <= ids(report)


def test_plain_unsigned_image_fails(tmp_path):
    report = judge(tiny_layout(tmp_path / "source"))

    assert report.verdict is Verdict.FAIL
    assert "all 3 layers" in report.sentence


def test_signed_plain_image_passes_when_only_signed_is_required(tmp_path, keys):
    source = tiny_layout(tmp_path / "source")
    sign(source, keys)

    need = frozenset({Need.SIGNED})

    assert judge(source, keys, require=need).verdict is Verdict.PASS
    assert judge(source, keys).verdict is Verdict.FAIL


def test_encrypted_unsigned_image_passes_when_only_encrypted_is_required(protected, keys):
    index = json.loads((protected / "index.json").read_text())
    index["manifests"] = index["manifests"][:1]
    (protected / "index.json").write_text(json.dumps(index))
    need = frozenset({Need.ENCRYPTED})

    assert judge(protected, keys, private=(keys.private,), require=need).verdict is Verdict.PASS
    assert judge(protected, keys, private=(keys.private,)).verdict is Verdict.FAIL


@pytest.mark.parametrize("where", [0, 100, -1])
def test_a_flipped_byte_fails_by_its_digest(protected, keys, where):
    place = blob(protected, manifest_of(protected)["layers"][1]["digest"])
    data = bytearray(place.read_bytes())
    data[where] ^= 1
    place.write_bytes(data)

    report = judge(protected, keys, private=(keys.private,))

    assert report.verdict is Verdict.FAIL
    assert "IMG-DIGEST" in ids(report)


@pytest.mark.parametrize("where", [0, 100, -1])
def test_tampered_ciphertext_with_right_digests_fails_by_its_hmac(protected, keys, where):
    data = bytearray(blob(protected, manifest_of(protected)["layers"][1]["digest"]).read_bytes())
    data[where] ^= 1
    replace_layer(protected, 1, bytes(data))

    report = judge(protected, keys, private=(keys.private,))

    assert report.verdict is Verdict.FAIL
    assert {"IMG-HMAC", "IMG-NOT-SIGNED"} <= ids(report)


def test_truncated_layer_fails(protected, keys):
    place = blob(protected, manifest_of(protected)["layers"][0]["digest"])
    place.write_bytes(place.read_bytes()[:-5])

    assert "IMG-DIGEST" in ids(judge(protected, keys, private=(keys.private,)))


def test_missing_layer_is_never_a_pass(protected, keys):
    blob(protected, manifest_of(protected)["layers"][0]["digest"]).unlink()

    with pytest.raises(KatauiError, match=r"not whole|missing"):
        judge(protected, keys, private=(keys.private,))


def test_layer_marked_encrypted_that_is_plain_fails(protected, keys, tmp_path):
    plain = blob(tmp_path / "source", manifest_of(tmp_path / "source")["layers"][1]["digest"])
    replace_layer(protected, 1, plain.read_bytes())

    assert "IMG-READABLE" in ids(judge(protected, keys, private=(keys.private,)))


def test_swapped_layers_fail(protected, keys):
    def swap(manifest):
        manifest["layers"][0], manifest["layers"][1] = manifest["layers"][1], manifest["layers"][0]

    change_manifest(protected, swap)

    report = judge(protected, keys, private=(keys.private,))
    assert report.verdict is Verdict.FAIL
    assert "IMG-DIFFID" in ids(report)


def _annotation(manifest, name, change):
    annotations = manifest["layers"][1]["annotations"]
    annotations[name] = change(annotations[name])


def _public(change):
    def apply(value):
        options = json.loads(base64.b64decode(value))
        change(options)
        return base64.b64encode(json.dumps(options).encode()).decode()

    return apply


TAMPERINGS = {
    "no pubopts": lambda m: m["layers"][1]["annotations"].pop(PUBOPTS),
    "no keys": lambda m: m["layers"][1]["annotations"].pop(JWE),
    "pubopts no base64": lambda m: _annotation(m, PUBOPTS, lambda _: "%%%"),
    "pubopts no JSON": lambda m: _annotation(m, PUBOPTS, lambda _: "AAAA"),
    "other cipher": lambda m: _annotation(
        m, PUBOPTS, _public(lambda o: o.update(cipher="AES_128_CTR"))
    ),
    "other hmac": lambda m: _annotation(
        m, PUBOPTS, _public(lambda o: o.update(hmac=base64.b64encode(bytes(32)).decode()))
    ),
    "short hmac": lambda m: _annotation(m, PUBOPTS, _public(lambda o: o.update(hmac="AAAA"))),
    "other nonce": lambda m: _annotation(
        m,
        PUBOPTS,
        _public(lambda o: o["cipheroptions"].update(nonce=base64.b64encode(bytes(16)).decode())),
    ),
    "keys cut": lambda m: _annotation(m, JWE, lambda v: v[: len(v) // 8 * 4]),
    "keys of another layer": lambda m: m["layers"][1]["annotations"].update(
        {JWE: m["layers"][0]["annotations"][JWE]}
    ),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_each_tampered_annotation_fails_with_a_sentence(protected, keys, name):
    change_manifest(protected, TAMPERINGS[name])

    report = judge(protected, keys, private=(keys.private,))

    assert report.verdict is Verdict.FAIL
    assert all(finding.message.endswith(".") for finding in report.findings)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_random_annotations_never_crash(tmp_path_factory, keys, data):
    folder = tmp_path_factory.mktemp("random")
    layout = tiny_layout(folder / "out", layers=[b"x" * 600])
    value = data.draw(
        st.text(max_size=60) | st.binary(max_size=80).map(base64.b64encode).map(bytes.decode)
    )
    public = data.draw(
        st.text(max_size=60) | st.binary(max_size=80).map(base64.b64encode).map(bytes.decode)
    )

    def change(manifest):
        layer = manifest["layers"][0]
        layer["mediaType"] += "+encrypted"
        layer["annotations"] = {JWE: value, PUBOPTS: public}

    change_manifest(layout, change)

    assert judge(layout, keys, private=(keys.private,)).verdict is Verdict.FAIL


def test_foreign_public_key_fails(protected, keys):
    with open_source(str(protected)) as source:
        public = PublicKey("foreign.pub", load_public_key(keys.foreign_pub))
        report = verify(source, public_keys=(public,), ring=KeyRing(), control=Control())

    assert report.verdict is Verdict.FAIL
    assert report.signatures[0].status is Status.INVALID


def test_identity_is_part_of_what_is_checked(protected, keys):
    right = judge(protected, keys, private=(keys.private,), identity=f"{IDENTITY}:2.0")
    wrong = judge(protected, keys, private=(keys.private,), identity="registry.example.org/other")

    assert right.verdict is Verdict.PASS
    assert wrong.verdict is Verdict.FAIL


def test_signature_from_before_encryption_is_told(tmp_path, keys):
    source = tiny_layout(tmp_path / "source")
    sign(source, keys)
    old = json.loads((source / "index.json").read_text())["manifests"][1]
    run(answers(f"{source}:1", tmp_path / "out", keys))
    layout = tmp_path / "out"
    index = json.loads((layout / "index.json").read_text())
    index["manifests"][1] = old
    (layout / "index.json").write_text(json.dumps(index))
    for place in (source / "blobs" / "sha256").iterdir():
        (layout / "blobs" / "sha256" / place.name).write_bytes(place.read_bytes())

    report = judge(layout, keys, private=(keys.private,))

    assert report.verdict is Verdict.FAIL
    assert "IMG-SIG-STALE" in ids(report)
    assert "before the image was encrypted" in report.signatures[0].reason


def test_two_signers_are_kept_and_each_is_valid_for_his_key(tmp_path, keys):
    source = tiny_layout(tmp_path / "source")
    sign(source, keys)
    sign(source, keys, key=keys.foreign_key)
    sign(source, keys)  # again: replaces its own, keeps the other

    report = judge(f"{source}:1", keys, require=frozenset({Need.SIGNED}))

    assert sorted(item.status.value for item in report.signatures) == ["invalid", "valid"]
    assert report.verdict is Verdict.PASS


def test_bundle_is_added_beside_the_signature(tmp_path, keys):
    source = tiny_layout(tmp_path / "source")
    sign(source, keys, bundle=True)

    report = judge(f"{source}:1", keys, require=frozenset({Need.SIGNED}))

    assert sorted(item.form.value for item in report.signatures) == ["bundle", "cosign"]
    assert {item.status for item in report.signatures} == {Status.VALID}


def test_forged_bundle_is_not_valid(tmp_path, keys):
    source = tiny_layout(tmp_path / "source")
    sign(source, keys, key=keys.foreign_key, bundle=True)

    report = judge(f"{source}:1", keys, require=frozenset({Need.SIGNED}))

    assert {item.status for item in report.signatures} == {Status.INVALID}
    assert report.verdict is Verdict.FAIL


def test_another_tag_of_the_image_stays_when_it_is_signed(tmp_path, keys):
    source = tiny_layout(tmp_path / "source")
    add_entry(source, image_entry(source), "stable")

    sign(f"{source}:1", keys)
    sign(f"{source}:stable", keys)

    for tag in ("1", "stable"):
        report = judge(f"{source}:{tag}", keys, require=frozenset({Need.SIGNED}))
        assert report.verdict is Verdict.PASS
        assert len(report.signatures) == 1


def test_platforms_that_were_not_chosen_do_not_spoil_the_verdict(tmp_path, keys):
    source = tiny_layout(tmp_path / "source", platforms=["linux/amd64", "linux/arm64"])
    run(answers(source, tmp_path / "out", keys))

    with open_source(str(tmp_path / "out"), platform="linux/arm64") as chosen:
        public = PublicKey("sign.pub", load_public_key(keys.sign_pub))
        ring = load_keys((keys.private,), lambda _: "")
        report = verify(chosen, public_keys=(public,), ring=ring, control=Control())

    assert report.verdict is Verdict.PASS
    assert len(report.signatures) == 2  # of the index and of the platform


def test_signing_goes_on_beside_a_damaged_signature(tmp_path, keys):
    source = tiny_layout(tmp_path / "source")
    sign(source, keys, key=keys.foreign_key)
    manifest = json.loads(blob(source, entries_of(source)[1]["digest"]).read_text())
    layer = manifest["layers"][0]
    layer.update(put(source, b"no payload"))
    entry = put_json(source, manifest, OCI_MANIFEST)
    index = json.loads((source / "index.json").read_text())
    index["manifests"][1].update(entry)
    (source / "index.json").write_text(json.dumps(index))

    sign(f"{source}:1", keys)

    report = judge(f"{source}:1", keys, require=frozenset({Need.SIGNED}))
    assert [item.status for item in report.signatures] == [Status.VALID]
