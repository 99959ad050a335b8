"""Which keys are remembered, and how."""

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from kataui.images import keystate
from kataui.images.keybackup import backup
from kataui.images.keymaking import describe_key
from kataui.images.keyrestore import restore
from kataui.images.keysplit import Split
from tests.images.backups import SECRET, ask, refuse, rsa_backup


@pytest.fixture
def written(keys, tmp_path):
    return rsa_backup(keys, tmp_path)


def test_a_key_is_remembered_from_its_backup_to_its_restoration(written, tmp_path):
    (record,) = keystate.load()
    assert record.state is keystate.State.WRITTEN
    assert record.backups[0].path == str(tmp_path / "b")

    restore([written.file], tmp_path / "r.key", ask)

    (record,) = keystate.load()
    assert record.state is keystate.State.RESTORED
    assert record.restored >= record.backups[0].when
    assert record.path.endswith("rsa.key")  # the key is still there: a copy is a copy


def test_the_list_of_keys_holds_no_secret_and_is_private(written, keys):
    path = keystate.state_file()
    text = path.read_text()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SECRET not in text
    assert Path(keys.private).read_text().splitlines()[1] not in text


def test_a_list_that_cannot_be_read_is_put_aside(written, keys):
    path = keystate.state_file()
    path.write_text("{nonsense")

    assert keystate.load() == ()
    assert path.with_name("keys.json.bad").read_text() == "{nonsense"
    keystate.note_key(describe_key(Path(keys.private)))
    assert keystate.load()[0].state is keystate.State.NONE


def test_odd_entries_are_left_out_and_unknown_members_stay(keys):
    info = describe_key(Path(keys.private))
    keystate.note_key(info)
    path = keystate.state_file()
    value = json.loads(path.read_text())
    value["newer"] = 1
    value["keys"][info.fingerprint.hex]["colour"] = "blue"
    value["keys"]["odd"] = 7
    value["keys"]["odder"] = {"path": ["x"]}
    path.write_text(json.dumps(value))

    keystate.note_backup(info, Path("x"))

    kept = json.loads(path.read_text())
    assert [record.fingerprint for record in keystate.load()] == [info.fingerprint.hex]
    assert (kept["newer"], kept["keys"]["odd"]) == (1, 7)
    assert kept["keys"][info.fingerprint.hex]["colour"] == "blue"


def test_what_has_no_fingerprint_or_is_public_is_not_remembered(keys, tmp_path):
    locked = tmp_path / "alone.key"
    locked.write_bytes(keys.sign_key.read_bytes())

    keystate.note_key(describe_key(locked))
    keystate.note_key(describe_key(keys.sign_pub))

    assert keystate.load() == ()


def test_a_key_can_be_forgotten(keys):
    info = describe_key(Path(keys.private))
    keystate.note_key(info)

    keystate.forget("unknown")
    assert len(keystate.load()) == 1
    keystate.forget(info.fingerprint.hex)
    assert keystate.load() == ()


def test_a_list_that_cannot_be_written_does_not_undo_a_backup(keys, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))

    made = backup(keys.folder / "ec.key", tmp_path / "b", split=Split(2, 2))

    assert made.file.exists()


def test_a_locked_key_that_tells_no_fingerprint_is_backed_up_too(keys, tmp_path):
    locked = tmp_path / "alone.key"
    locked.write_bytes(keys.sign_key.read_bytes())
    made = backup(locked, tmp_path / "b", split=Split(2, 2))

    assert replace(made.header, id="", made="").fingerprint == ""
    done = restore([made.file, *made.cards], tmp_path / "r.key", refuse)
    assert done.private.read_bytes() == locked.read_bytes()
