"""The drill: restored, used, removed, remembered."""

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from kataui.errors import IntegrityError, KeyProblem, WrongKey
from kataui.images import keystate
from kataui.images.keybackup import backup
from kataui.images.keydrill import drill
from kataui.images.keysplit import Split
from tests.images.builders import tiny_layout
from tests.images.protecting import answers, blob, manifest_of, run
from tests.images.wrapping import private_key

SECRET = "words"


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """Where the system keeps temporary files; nothing may be left in it."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


def protected(tmp_path, keys, *recipients: str) -> Path:
    asked = answers(tiny_layout(tmp_path / "source"), tmp_path / "out", keys)
    run(replace(asked, recipients=recipients or asked.recipients, keys=()))
    return tmp_path / "out"


def shares_of(key: Path, tmp_path) -> list[Path]:
    made = backup(key, tmp_path / "b", split=Split(2, 2))
    return [*([made.file] if made.file else []), *made.cards]


def ask(_: str) -> str:
    return SECRET


def state() -> keystate.State:
    (record,) = keystate.load()
    return record.state


@pytest.mark.parametrize("kind", ["rsa", "ec", "cert", "broker"])
def test_a_restored_key_opens_a_probe(keys, tmp_path, scratch, kind):
    sources = shares_of(keys.folder / f"{kind}.key", tmp_path)
    assert state() is keystate.State.WRITTEN

    done = drill(sources, ask)

    assert done.sentence == "It opened a probe that was wrapped for it."
    assert state() is keystate.State.RESTORED
    assert keystate.load()[0].path == str(keys.folder / f"{kind}.key")


def test_a_restored_signing_key_signs(keys, tmp_path, scratch):
    sources = shares_of(keys.sign_key, tmp_path)

    done = drill(sources, ask, ask_key=lambda _: "")

    assert "signed a probe" in done.sentence
    assert state() is keystate.State.RESTORED


@pytest.mark.parametrize("kind", ["rsa", "cert", "broker"])
def test_a_layer_is_decrypted_with_the_restored_key(keys, tmp_path, scratch, kind):
    whom = {"rsa": keys.recipient, "cert": f"pkcs7:{keys.certificate}", "broker": keys.broker}
    image = protected(tmp_path, keys, whom[kind])

    done = drill(shares_of(keys.folder / f"{kind}.key", tmp_path), ask, image=str(image))

    assert "one of the 3 encrypted layers" in done.sentence
    assert state() is keystate.State.RESTORED


def test_an_image_for_somebody_else_is_no_rehearsal(keys, tmp_path, scratch):
    image = protected(tmp_path, keys)

    with pytest.raises(WrongKey, match="opens none of the 3 encrypted layers"):
        drill(shares_of(keys.folder / "ec.key", tmp_path), ask, image=str(image))

    assert state() is keystate.State.WRITTEN


def test_a_damaged_layer_is_told(keys, tmp_path, scratch):
    image = protected(tmp_path, keys)
    for layer in manifest_of(image)["layers"]:
        place = blob(image, layer["digest"])
        place.write_bytes(place.read_bytes()[:-1] + b"\0\0"[:1])

    with pytest.raises(IntegrityError, match="the layer is damaged"):
        drill(shares_of(Path(keys.private), tmp_path), ask, image=str(image))

    assert state() is keystate.State.WRITTEN


def test_a_plain_image_is_no_rehearsal(keys, tmp_path, scratch):
    image = tiny_layout(tmp_path / "plain")

    with pytest.raises(KeyProblem, match="No layer of this image is encrypted"):
        drill(shares_of(Path(keys.private), tmp_path), ask, image=str(image))


def test_a_signing_key_opens_no_layer(keys, tmp_path, scratch):
    with pytest.raises(KeyProblem, match="opens no layer"):
        drill(shares_of(keys.sign_key, tmp_path), ask, image="x", ask_key=lambda _: "")


def test_a_locked_key_must_be_unlocked_to_count(keys, tmp_path, scratch):
    locked = tmp_path / "locked.key"
    locked.write_bytes(
        private_key(keys.private).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"own"),
        )
    )
    (tmp_path / "locked.pub").write_bytes((keys.folder / "rsa.pub").read_bytes())
    sources = shares_of(locked, tmp_path)

    with pytest.raises(KeyProblem, match="locked by a passphrase of its own"):
        drill(sources, ask, ask_key=lambda _: None)
    with pytest.raises(KeyProblem, match="does not open"):
        drill(sources, ask, ask_key=lambda _: "other")
    assert drill(sources, ask, ask_key=lambda _: "own").sentence


def test_a_backup_that_does_not_open_leaves_the_key_unrehearsed(keys, tmp_path, scratch):
    made = backup(Path(keys.private), tmp_path / "b", passphrase=SECRET)

    with pytest.raises(KeyProblem, match="does not open the backup"):
        drill([made.file], lambda _: "wrong")
    assert state() is keystate.State.WRITTEN
    drill([made.page], ask)
    assert state() is keystate.State.RESTORED
