"""Changing who may decrypt, in place."""

import json
from dataclasses import replace

import pytest

from kataui.errors import KatauiError, KeyProblem
from kataui.findings import Verdict
from kataui.images.keymaking import new_key
from kataui.images.keys import load_keys
from kataui.images.model import REF_NAME
from kataui.images.open import open_source
from kataui.images.recipients import parse_recipient
from kataui.images.rewrap import change_recipients
from kataui.images.verdict import Need
from tests.images.builders import tiny_layout
from tests.images.protecting import (
    add_entry,
    answers,
    blob,
    entries_of,
    image_entry,
    judge,
    manifest_of,
    run,
    sign,
)


@pytest.fixture
def protected(tmp_path, keys):
    run(answers(tiny_layout(tmp_path / "source"), tmp_path / "out", keys))
    return tmp_path / "out"


def change(layout, private, add=(), remove=()):
    with open_source(str(layout)) as source:
        return change_recipients(
            source,
            ring=load_keys(private, lambda _: ""),
            add=[parse_recipient(text) for text in add],
            remove=remove,
        )


def test_added_recipient_opens_it_and_no_layer_is_written(protected, keys):
    before = {path.name: path.stat().st_mtime_ns for path in (protected / "blobs/sha256").iterdir()}
    layers = [layer["digest"] for layer in manifest_of(protected)["layers"]]

    change(f"{protected}:1", (keys.private,), add=(keys.other_recipient,))

    assert [layer["digest"] for layer in manifest_of(protected)["layers"]] == layers
    for digest in layers:
        name = digest.removeprefix("sha256:")
        assert blob(protected, digest).stat().st_mtime_ns == before[name]
    for private in (keys.private, keys.other_private):
        report = judge(protected, private=(private,), require=frozenset({Need.ENCRYPTED}))
        assert report.verdict is Verdict.PASS


def test_changing_recipients_drops_signatures_and_old_manifests(protected, keys):
    old = image_entry(protected)["digest"]

    changed = change(f"{protected}:1", (keys.private,), add=(keys.other_recipient,))

    assert {finding.id for finding in changed.findings} == {"IMG-SIG-DROPPED"}
    assert not blob(protected, old).exists()
    assert judge(protected, keys).signatures == ()


def test_changing_recipients_drops_bundles_too(tmp_path, keys):
    run(answers(tiny_layout(tmp_path / "source"), tmp_path / "out", keys, bundle=True))

    change(f"{tmp_path / 'out'}:1", (keys.private,), add=(keys.other_recipient,))
    sign(tmp_path / "out", keys)

    report = judge(tmp_path / "out", keys, private=(keys.private,))
    assert report.verdict is Verdict.PASS
    assert [item.form.value for item in report.signatures] == ["cosign"]


def test_another_tag_goes_along_when_recipients_change(protected, keys):
    add_entry(protected, image_entry(protected), "stable")

    changed = change(f"{protected}:1", (keys.private,), add=(keys.other_recipient,))

    assert [entry["digest"] for entry in entries_of(protected)] == [str(changed.digest)] * 2
    report = judge(f"{protected}:stable", private=(keys.other_private,))
    assert report.images[0].layers[0].mac_ok


def test_another_image_in_the_layout_keeps_its_signature_and_manifest(protected, keys, tmp_path):
    run(answers(tiny_layout(tmp_path / "source"), tmp_path / "second", keys))
    for path in (tmp_path / "second" / "blobs" / "sha256").iterdir():
        blob(protected, path.name).write_bytes(path.read_bytes())
    index = json.loads((protected / "index.json").read_text())
    second, signature = entries_of(tmp_path / "second")
    second["annotations"][REF_NAME] = "second"
    index["manifests"] += [second, signature]
    (protected / "index.json").write_text(json.dumps(index))

    for tag in ("1", "second"):
        assert judge(f"{protected}:{tag}", keys, private=(keys.private,)).verdict is Verdict.PASS
    change(f"{protected}:1", (keys.private,), add=(keys.other_recipient,))
    assert judge(f"{protected}:second", keys, private=(keys.private,)).verdict is Verdict.PASS


BROKER = "kbs:///default/image-key/test"


@pytest.fixture
def for_guests(tmp_path, keys):
    asked = answers(tiny_layout(tmp_path / "plain"), tmp_path / "guest", keys)
    run(replace(asked, recipients=(keys.broker,), keys=()))
    return tmp_path / "guest"


def test_broker_key_is_replaced_by_another_of_the_same_name(for_guests, keys, tmp_path):
    new_key("kbs", tmp_path / "next")
    new = f"{BROKER}={tmp_path / 'next.key'}"

    change(f"{for_guests}:1", (keys.broker,), add=(new,), remove=(BROKER,))

    for private, verdict in ((new, Verdict.PASS), (keys.broker, Verdict.UNKNOWN)):
        report = judge(for_guests, private=(private,), require=frozenset({Need.ENCRYPTED}))
        assert report.verdict is verdict


def test_guests_image_never_gets_other_recipients(protected, for_guests, keys):
    before = (protected / "index.json").read_bytes(), (for_guests / "index.json").read_bytes()

    for layout, key, add, remove in (
        (for_guests, keys.broker, keys.recipient, ()),
        (protected, keys.private, keys.broker, ()),
    ):
        with pytest.raises(KeyProblem, match="one kbs: recipient only"):
            change(f"{layout}:1", (key,), add=(add,), remove=remove)

    assert before == (
        (protected / "index.json").read_bytes(),
        (for_guests / "index.json").read_bytes(),
    )


def test_one_of_two_recipients_cannot_be_exchanged_for_a_broker_key(tmp_path, keys):
    asked = answers(tiny_layout(tmp_path / "source"), tmp_path / "out", keys)
    run(replace(asked, recipients=(keys.recipient, keys.other_recipient)))

    with pytest.raises(KeyProblem, match="one kbs: recipient only"):
        change(tmp_path / "out", (keys.private,), add=(keys.broker,), remove=("jwe#1",))
    change(tmp_path / "out", (keys.private,), add=(keys.broker,), remove=("jwe",))
    assert judge(tmp_path / "out", private=(keys.broker,)).images[0].layers[0].mac_ok


def test_encrypted_zstd_is_not_handed_to_a_guest(tmp_path, keys):
    source = tiny_layout(tmp_path / "source", compression="zstd")
    run(answers(source, tmp_path / "out", keys))

    with pytest.raises(KeyProblem, match="encrypted zstd"):
        change(tmp_path / "out", (keys.private,), add=(keys.broker,), remove=("jwe",))


def test_removed_recipient_opens_nothing_any_more(protected, keys):
    change(f"{protected}:1", (keys.private,), add=(keys.other_recipient,))
    change(protected, (), remove=("jwe#1",))

    with_old = judge(protected, private=(keys.private,), require=frozenset({Need.ENCRYPTED}))
    with_new = judge(protected, private=(keys.other_private,), require=frozenset({Need.ENCRYPTED}))

    assert with_old.verdict is Verdict.UNKNOWN
    assert with_new.verdict is Verdict.PASS


def test_the_last_recipient_cannot_be_removed(protected, keys):
    with pytest.raises(KatauiError, match="Nobody would be left"):
        change(f"{protected}:1", (keys.private,), remove=("jwe",))


def test_adding_needs_a_key_that_opens(protected, keys):
    with pytest.raises(KatauiError, match="cannot be unwrapped"):
        change(f"{protected}:1", (keys.other_private,), add=(keys.other_recipient,))
