"""The command line as scripts use it: arguments, exit status, one JSON document."""

import json
import os
import stat
import subprocess
import sys

import pytest

from kataui import settings
from kataui.settings import Recent
from tests.images.builders import tiny_layout
from tests.images.protecting import IDENTITY, blob, manifest_of


@pytest.fixture
def source(tmp_path):
    return tiny_layout(tmp_path / "source")


def protect_words(source, target, keys):
    return [
        *("image", "protect", source, target, "--recipient", keys.recipient),
        *("--sign-key", keys.sign_key, "--identity", IDENTITY, "--key", keys.private),
        *("--passphrase-file", "/dev/null"),
    ]


def test_protect_then_verify_as_scripts_do(kataui, source, tmp_path, keys):
    status, out, _ = kataui(*protect_words(source, "out", keys), "--json", "--receipt", "r.json")
    value = json.loads(out)

    assert status == 0
    assert value["verdict"] == "pass"
    assert {"digest", "layers", "signatures", "findings"} <= set(value)
    assert {"index", "digest", "media_type", "encrypted", "recipients"} <= set(value["layers"][0])
    assert {"status", "digest", "identity"} <= set(value["signatures"][0])
    words = ["image", "verify", "out", "--public-key", keys.sign_pub, "--key", keys.private]
    assert kataui(*words, "--json")[0] == 0


def test_verify_without_keys_is_unknown_and_exits_3(kataui, source, keys):
    kataui(*protect_words(source, "out", keys))

    status, out, _ = kataui("image", "verify", "out", "--json")

    assert status == 3
    assert json.loads(out)["verdict"] == "unknown"


def test_verify_of_a_tampered_image_exits_1(kataui, source, tmp_path, keys):
    kataui(*protect_words(source, "out", keys))
    place = blob(tmp_path / "out", manifest_of(tmp_path / "out")["layers"][0]["digest"])
    place.write_bytes(place.read_bytes()[:-1] + b"\0")

    status, out, _ = kataui("image", "verify", "out", "--json", "--public-key", keys.sign_pub)

    assert status == 1
    assert json.loads(out)["verdict"] == "fail"


@pytest.mark.parametrize(
    "words",
    [
        ["image", "verify", "nowhere"],
        ["image", "verify", "source", "--require", "magic"],
        ["image", "inspect", "source:none"],
        ["image", "encrypt", "source", "out", "--recipient", "jwe:nowhere"],
        ["image", "encrypt", "source", "out"],
        ["image", "decrypt", "source", "out", "--key", "nowhere"],
        ["image", "protect", "source", "out"],
        ["image", "sign", "source", "--key", "nowhere", "--identity", "a/b"],
        ["image", "recipients", "source", "--add", "jwe:nowhere"],
        ["key", "show", "nowhere"],
        ["key", "new", "jwe", "k", "--kind", "rsa-1"],
        ["image", "fly"],
    ],
)
def test_bad_input_is_one_json_error_and_exits_2(kataui, source, words, tmp_path):
    status, out, _ = kataui(*words, "--json")

    assert status == 2
    error = json.loads(out)["error"]
    assert error["message"]
    assert set(error) == {"message", "hint"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source"]


def test_a_problem_is_a_sentence_and_a_hint_for_people(kataui, source):
    status, out, err = kataui("image", "encrypt", "source", "out", "--recipient", "x:y")

    assert status == 2
    assert out == ""
    assert err.startswith("kataui: 'x:y' is no recipient.")
    assert "jwe:FILE" in err


def test_encrypt_and_decrypt_give_the_same_layers(kataui, source, tmp_path, keys):
    assert kataui("image", "encrypt", "source", "enc", "--recipient", keys.recipient)[0] == 0
    assert kataui("image", "decrypt", "enc", "dec", "--key", keys.private)[0] == 0

    before = [layer["digest"] for layer in manifest_of(source)["layers"]]
    assert [layer["digest"] for layer in manifest_of(tmp_path / "dec")["layers"]] == before


def test_decrypting_with_a_wrong_key_exits_3_and_leaves_nothing(kataui, source, tmp_path, keys):
    kataui("image", "encrypt", "source", "enc", "--recipient", keys.recipient)

    status, _, err = kataui("image", "decrypt", "enc", "dec", "--key", keys.other_private)

    assert status == 3
    assert "cannot be unwrapped" in err
    assert not (tmp_path / "dec").exists()


def test_inspect_tells_layers_and_what_can_be_read(kataui, tmp_path):
    tiny_layout(tmp_path / "source", env=["API_TOKEN=ghp_0123456789abcdefghijABCDEFGHIJ456789"])

    status, out, _ = kataui("image", "inspect", "source", "--json")

    value = json.loads(out)["images"][0]
    assert status == 0
    assert [layer["index"] for layer in value["layers"]] == [0, 1, 2]
    assert "IMG-LEAK-SECRET" in {finding["id"] for finding in value["readable"]}
    assert "abcdefghijABCDEFGHIJ" not in out


def test_recipients_are_added_and_removed(kataui, source, tmp_path, keys):
    kataui("image", "encrypt", "source", "enc", "--recipient", keys.recipient)

    added = kataui(
        "image", "recipients", "enc", "--key", keys.private, "--add", keys.other_recipient
    )
    removed = kataui("image", "recipients", "enc", "--remove", "jwe#1")

    assert added[0] == removed[0] == 0
    assert kataui("image", "decrypt", "enc", "one", "--key", keys.private)[0] == 3
    assert kataui("image", "decrypt", "enc", "two", "--key", keys.other_private)[0] == 0


def test_sign_then_verify_only_the_signature(kataui, source, keys):
    words = ["image", "sign", "source", "--key", keys.sign_key, "--identity", IDENTITY]
    assert kataui(*words, "--passphrase-file", "/dev/null")[0] == 0

    verify = ["image", "verify", "source:1", "--public-key", keys.sign_pub, "--require", "signed"]
    assert kataui(*verify)[0] == 0
    assert kataui(*verify, "--identity", "registry.example.org/x")[0] == 1


def test_compare_tells_whether_the_same_runs(kataui, source, tmp_path, keys):
    kataui(*protect_words(source, "out", keys))
    other = tiny_layout(tmp_path / "other", env=["DEBUG=1"])

    shut, out, _ = kataui("image", "compare", source, "out", "--json")
    opened, text, _ = kataui("image", "compare", source, "out", "--key", keys.private)
    differs, told, _ = kataui("image", "compare", source, other)

    assert (shut, opened, differs) == (3, 0, 1)
    value = json.loads(out)
    assert {"verdict", "sentence", "a", "b", "platforms", "findings"} == set(value)
    assert value["platforms"][0]["layers"][0]["state"] == "repacked"
    assert "The same runs; only how it is packed differs." in text
    assert "Env DEBUG: (not set) → 1" in told


def test_new_keys_are_private_and_never_overwritten(kataui, tmp_path):
    for kind in ("jwe", "pkcs7", "kbs"):
        status, out, _ = kataui("key", "new", kind, kind, "--json")
        assert status == 0
        assert json.loads(out)["fingerprint"]["words"].count("-") == 7
        assert stat.S_IMODE((tmp_path / f"{kind}.key").stat().st_mode) == 0o600
        assert kataui("key", "new", kind, kind)[0] == 2
    assert (tmp_path / "pkcs7.crt").is_file()
    assert len((tmp_path / "kbs.key").read_bytes()) == 32


def test_passphrase_is_changed_and_the_old_one_opens_no_more(kataui, tmp_path, source):
    (tmp_path / "old").write_text("first\n")
    (tmp_path / "new").write_text("second\n")
    kataui("key", "new", "cosign", "k", "--passphrase-file", "old")

    words = ["key", "passphrase", "k.key", "--passphrase-file", "old"]
    changed = kataui(*words, "--new-passphrase-file", "new")

    sign = ["image", "sign", "source", "--key", "k.key", "--identity", IDENTITY]
    assert changed[0] == 0
    assert kataui(*sign, "--passphrase-file", "old")[0] == 2
    assert kataui(*sign, "--passphrase-file", "new")[0] == 0


def test_passphrase_comes_from_a_descriptor_or_cosigns_variable(
    kataui, tmp_path, source, monkeypatch
):
    read, write = os.pipe()
    os.write(write, b"word\n")
    os.close(write)
    assert kataui("key", "new", "cosign", "k", "--passphrase-fd", read)[0] == 0
    os.close(read)
    monkeypatch.setenv("COSIGN_PASSWORD", "word")

    assert kataui("image", "sign", "source", "--key", "k.key", "--identity", IDENTITY)[0] == 0


def test_key_show_tells_what_it_opens(kataui, source, keys):
    kataui("image", "encrypt", "source", "enc", "--recipient", keys.recipient)

    status, out, _ = kataui("key", "show", keys.private, "--image", "enc", "--json")

    assert status == 0
    assert json.loads(out)["images"] == [{"image": "enc", "opened": 3, "encrypted": 3}]


@pytest.fixture
def lately(source, tmp_path, keys, kataui):
    """Images that the window opened lately: encrypted, plain, gone, and something else."""
    kataui("image", "encrypt", "source", "enc", "--recipient", keys.recipient)
    kinds = {"enc": "image", "source": "image", "gone": "image", "recording": "isolation"}
    recent = tuple(Recent(str(tmp_path / name), kind) for name, kind in kinds.items())
    settings.save(settings.Settings(recent=recent))
    return tmp_path


def test_key_show_tells_what_it_opens_of_the_images_opened_lately(kataui, lately, keys):
    encrypted = str(lately / "enc")

    for key, opened in ((keys.private, 3), (keys.other_private, 0)):
        status, out, _ = kataui("key", "show", key, "--json")
        assert status == 0
        found = [{"image": encrypted, "opened": opened, "encrypted": 3}]
        assert json.loads(out)["images"] == found
    assert (
        f"Opens    3 of 3 encrypted layers of {encrypted}" in kataui("key", "show", keys.private)[1]
    )


def test_key_show_asks_no_passphrase_and_opens_nothing_with_a_public_key(kataui, lately, keys):
    (lately / "word").write_text("word")
    kataui("key", "new", "cosign", "locked", "--passphrase-file", "word")

    for key in (lately / "locked.key", lately / "locked.pub"):
        status, out, _ = kataui("key", "show", key, "--json")
        assert (status, json.loads(out)["images"]) == (0, [])


def test_layers_that_keep_their_recipients_are_told(kataui, source, keys):
    kataui("image", "encrypt", "source", "one", "--recipient", keys.recipient, "--layers", "1")

    words = ["image", "encrypt", "one", "two", "--recipient", keys.other_recipient]
    status, out, _ = kataui(*words, "--json")

    assert status == 0
    assert [item["id"] for item in json.loads(out)["findings"]] == ["IMG-KEPT-RECIPIENTS"]
    assert "1 of 3 layers" in kataui(*words, "--force")[1]
    assert json.loads(kataui(*protect_words("one", "three", keys), "--json")[1])["findings"]


def test_build_then_inspect(kataui, tmp_path):
    (tmp_path / "root" / "etc").mkdir(parents=True)
    (tmp_path / "root" / "etc" / "x").write_text("x")

    words = [
        "image",
        "build",
        "img",
        "--rootfs",
        "root",
        "--env",
        "A=B",
        "--entrypoint",
        "/bin/x y",
    ]
    status, out, _ = kataui(*words, "--json")

    assert status == 0
    assert json.loads(out)["layers"] == 1
    assert kataui("image", "inspect", "img")[0] == 0


def test_sample_protects_itself(kataui, tmp_path):
    status, out, _ = kataui("image", "protect", "--sample", "s", "--json")

    assert status == 0
    assert json.loads(out)["verdict"] == "pass"
    names = {path.name for path in (tmp_path / "s").iterdir()}
    assert {"source", "keys", "protected", "receipt.json", "receipt.html"} <= names
    assert "Throw them away" in (tmp_path / "s" / "keys" / "THROWAWAY-KEYS.txt").read_text()
    assert kataui("image", "protect", "--sample", "s")[0] == 2


def test_a_defect_is_a_sentence_too(kataui, source, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError

    from kataui.cli import imageverify

    monkeypatch.setattr(imageverify, "verify", broken)

    status, out, err = kataui("image", "verify", "source", "--json")

    assert status == 3
    assert "defect" in json.loads(out)["error"]["message"]
    assert "Traceback" not in err


def test_interrupting_leaves_nothing_and_exits_130(tmp_path, keys):
    source = tiny_layout(tmp_path / "source", layers=[os.urandom(40 << 20)], compression="none")
    argv = [sys.executable, "-m", "kataui"]
    argv += [str(word) for word in protect_words(source, tmp_path / "out", keys)]
    code = (
        "import signal, sys, threading; sys.argv = sys.argv[1:];"
        "threading.Timer(0.35, lambda: signal.raise_signal(signal.SIGINT)).start();"
        "from kataui.__main__ import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *argv[2:]], capture_output=True, text=True, check=False
    )

    if done.returncode != 130:  # faster than the interrupt, or before anything began
        assert done.returncode in {0, 1}
    assert "Traceback" not in done.stderr
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]
