"""``kataui key backup``, ``restore``, ``drill`` and ``rotate`` as scripts use them."""

import json
import stat

import pytest

from kataui.images import keystate
from tests.images.builders import tiny_layout
from tests.images.protecting import IDENTITY, answers, judge, manifest_of, run


@pytest.fixture(autouse=True)
def _passphrase_file(tmp_path):
    (tmp_path / "word").write_text("backup words\n")


@pytest.fixture
def images(tmp_path, keys):
    """A folder with one protected image and one plain."""
    (tmp_path / "images").mkdir()
    source = tiny_layout(tmp_path / "images" / "plain")
    run(answers(source, tmp_path / "images" / "mine", keys))
    return tmp_path / "images"


def test_backup_then_restore_gives_the_same_file(kataui, keys, tmp_path):
    words = ["key", "backup", keys.private, "--out", "b", "--passphrase-file", "word", "--json"]
    status, out, _ = kataui(*words)
    value = json.loads(out)

    assert status == 0
    assert (value["file"], value["page"], value["shares"]) == ("b", "b.html", [])
    assert value["split"] is None
    assert value["passphrase"]
    restore = ["key", "restore", "b", "--out", "r.key", "--passphrase-file", "word", "--json"]
    status, out, _ = kataui(*restore)
    assert status == 0
    assert json.loads(out)["fingerprint"] == value["fingerprint"]
    assert (tmp_path / "r.key").read_bytes() == (keys.folder / "rsa.key").read_bytes()
    assert stat.S_IMODE((tmp_path / "r.key").stat().st_mode) == 0o600


def test_shares_alone_restore_without_a_passphrase(kataui, keys, tmp_path):
    key = keys.folder / "broker.key"
    status, out, _ = kataui("key", "backup", key, "--out", "k", "--split", "2/3", "--json")
    shares = json.loads(out)["shares"]

    assert (status, len(shares)) == (0, 3)
    assert kataui("key", "restore", shares[0], "--out", "r.key")[0] == 2
    assert not (tmp_path / "r.key").exists()
    assert kataui("key", "restore", shares[0], shares[2], "--out", "r.key")[0] == 0
    assert (tmp_path / "r.key").read_bytes() == key.read_bytes()


def test_the_drill_marks_the_key_and_show_tells_it(kataui, keys, images, tmp_path):
    kataui("key", "backup", keys.private, "--out", "b", "--passphrase-file", "word")
    before = json.loads(kataui("key", "show", keys.private, "--json")[1])["backup"]

    words = ["key", "drill", "b.html", "--image", images / "mine", "--passphrase-file", "word"]
    status, out, _ = kataui(*words, "--json")

    assert status == 0
    assert "one of the 3 encrypted layers" in json.loads(out)["sentence"]
    assert before == "written, never restored"
    assert "Backup   restored 20" in kataui("key", "show", keys.private)[1]
    assert {path.name for path in tmp_path.iterdir()} == {"word", "images", "b", "b.html"}


def test_the_drill_with_a_wrong_image_exits_3(kataui, keys, images):
    kataui("key", "backup", keys.other_private, "--out", "b", "--split", "2/2")

    shares = ["b", "b.share-1-of-2.html", "b.share-2-of-2.html"]
    status, out, _ = kataui("key", "drill", *shares, "--image", images / "mine", "--json")

    assert status == 3
    assert "opens none of the 3" in json.loads(out)["error"]["message"]
    assert keystate.load()[0].state is keystate.State.WRITTEN


def test_a_locked_key_asks_for_its_own_passphrase(kataui, keys):
    kataui("key", "backup", keys.sign_key, "--out", "s", "--passphrase-file", "word")
    words = ["key", "drill", "s", "--passphrase-file", "word"]

    status, _, err = kataui(*words)

    assert status == 2
    assert "--key-passphrase-file" in err
    assert kataui(*words, "--key-passphrase-file", "/dev/null")[0] == 0


def test_a_new_key_is_known_and_has_no_backup(kataui, tmp_path):
    kataui("key", "new", "kbs", "fresh")

    (record,) = keystate.load()
    assert (record.path, record.kind) == (str(tmp_path / "fresh.key"), "kbs")
    assert json.loads(kataui("key", "show", "fresh.key", "--json")[1])["backup"] == "no backup"


@pytest.mark.parametrize(
    "words",
    [
        ["backup", "nowhere", "--out", "b", "--passphrase-file", "word"],
        ["backup", "word", "--out", "b", "--passphrase-file", "word"],
        ["backup", "KEY", "--out", "b"],
        ["backup", "KEY", "--out", "b", "--passphrase-file", "/dev/null"],
        ["backup", "KEY", "--out", "b", "--split", "5/3"],
        ["backup", "KEY", "--out", "none/b", "--split", "2/3"],
        ["restore", "nowhere", "--out", "r"],
        ["restore", "word", "--out", "r"],
        ["restore", "word", "--out", "word"],
        ["drill", "nowhere"],
        ["drill"],
        ["rotate", ".", "--key", "KEY"],
        ["rotate", ".", "--key", "KEY", "--add", "jwe:nowhere"],
        ["rotate", "nowhere", "--key", "KEY", "--add", "PUB"],
        ["rotate", ".", "--key", "KEY", "--add", "PUB"],
    ],
)
def test_bad_input_is_one_json_error_and_nothing_is_written(kataui, keys, tmp_path, words):
    known = {"KEY": keys.private, "PUB": keys.other_recipient}

    status, out, _ = kataui("key", *(known.get(word, word) for word in words), "--json")

    assert status == 2
    assert set(json.loads(out)["error"]) == {"message", "hint"}
    assert [path.name for path in tmp_path.iterdir()] == ["word"]


def test_rotate_exchanges_the_key_and_signs_again(kataui, keys, images):
    words = ["key", "rotate", images, "--key", keys.private, "--add", keys.other_recipient]
    again = ["--sign-key", keys.sign_key, "--passphrase-file", "/dev/null"]
    layers = manifest_of(images / "mine")["layers"][0]["digest"]

    told = json.loads(kataui(*words, *again, "--dry-run", "--json")[1])
    status, out, _ = kataui(*words, *again, "--json")
    value = json.loads(out)

    assert told["dry_run"]
    assert [one["outcome"] for one in told["images"]] == ["would change", "skipped"]
    assert status == 0
    assert [one["outcome"] for one in value["images"]] == ["changed", "skipped"]
    assert value["images"][0]["signed_for"] == IDENTITY
    assert manifest_of(images / "mine")["layers"][0]["digest"] == layers
    assert judge(images / "mine", keys, private=(keys.other_private,)).verdict.value == "pass"
    assert kataui(*words)[0] == 3  # the old key opens nothing any more


def test_rotate_with_one_failure_exits_1_and_tells_how_to_sign(kataui, keys, images):
    words = ["key", "rotate", images, "--key", keys.private, "--add", keys.other_recipient]
    (images / "broken").mkdir()
    (images / "broken" / "oci-layout").write_text("{}")

    status, out, _ = kataui(*words)

    assert status == 1
    assert "failed" in out
    assert "Sign it again with kataui image sign." in out
    assert judge(images / "mine", private=(keys.other_private,)).images[0].layers[0].mac_ok
