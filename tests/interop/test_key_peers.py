"""Other people's tools open images whose key was exchanged, and read what was restored."""

import os
import subprocess

import pytest

from kataui.images.keybackup import backup
from kataui.images.keymaking import new_key
from kataui.images.keyrestore import restore
from kataui.images.keyrotate import Exchange, Outcome, rotate
from kataui.images.keys import load_keys
from kataui.images.keysplit import Split
from kataui.images.recipients import parse_recipient
from tests.images.builders import tiny_layout
from tests.images.protecting import answers, manifest_of, run

pytestmark = pytest.mark.interop


def decrypt(skopeo: str, key: str, source, target) -> subprocess.CompletedProcess[str]:
    words = ["--insecure-policy", "copy", "--decryption-key", key]
    return subprocess.run(
        [skopeo, *words, f"oci:{source}:1", f"oci:{target}:1"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )


def test_skopeo_opens_a_rotated_image_with_the_new_key_only(tmp_path, keys, peer):
    source = tiny_layout(tmp_path / "source")
    run(answers(source, tmp_path / "images" / "mine", keys))
    new = new_key("jwe", tmp_path / "new")
    add = (parse_recipient(f"jwe:{new.public}"),)

    (done,) = rotate(tmp_path / "images", Exchange(load_keys((keys.private,), lambda _: ""), add))

    assert done.outcome is Outcome.CHANGED
    skopeo, image = peer("skopeo122"), tmp_path / "images" / "mine"
    opened = decrypt(skopeo, str(new.private), image, tmp_path / "with-new")
    assert opened.returncode == 0, opened.stderr[-500:]
    before = [layer["digest"] for layer in manifest_of(source)["layers"]]
    assert [layer["digest"] for layer in manifest_of(tmp_path / "with-new")["layers"]] == before
    assert decrypt(skopeo, keys.private, image, tmp_path / "with-old").returncode != 0


def test_skopeo_opens_an_image_with_a_key_restored_from_shares(tmp_path, keys, peer):
    source = tiny_layout(tmp_path / "source")
    run(answers(source, tmp_path / "out", keys))
    made = backup(keys.folder / "rsa.key", tmp_path / "b", split=Split(2, 3))
    restore([made.page, *made.cards[1:]], tmp_path / "r.key", lambda _: None)

    done = decrypt(peer("skopeo122"), str(tmp_path / "r.key"), tmp_path / "out", tmp_path / "dec")

    assert done.returncode == 0, done.stderr[-500:]
