"""``kataui pod`` as scripts use it."""

import json
import subprocess
from pathlib import Path

import pytest

from kataui import cli
from tests.images.builders import tiny_layout
from tests.images.protecting import IDENTITY, answers, run
from tests.pods.pods import manifest


@pytest.fixture
def kataui(capsys, tmp_path, monkeypatch):
    """Run a command; gives exit status and standard output."""
    monkeypatch.chdir(tmp_path)

    def command(*words: object) -> tuple[int, str]:
        status = cli.main([str(word) for word in words])
        return status, capsys.readouterr().out

    return command


def test_audit_prints_one_document(kataui, tmp_path: Path, keys) -> None:
    source = tiny_layout(tmp_path / "source")
    made = run(answers(source, tmp_path / "images" / "app", keys))
    image = f"{IDENTITY}@{made.written.signed[0]}"
    Path("pod.yaml").write_text(manifest(images=[image, "nginx"]))
    words = ["pod", "audit", "pod.yaml", "--images", "images", "--public-key", keys.sign_pub]
    status, out = kataui(*words, "--json")
    value = json.loads(out)
    assert status == 1
    assert value["verdict"] == "fail"
    first, second = value["containers"]
    wanted = {"name": "c0", "kind": "main", "image": image, "pinned": True}
    assert {**first, **wanted, "encrypted": "all", "signed": "valid"} == first
    unknown = {"pinned": False, "encrypted": "unknown", "signed": "unknown"}
    assert {**second, **unknown} == second
    status, out = kataui(*words)
    assert status == 1
    assert out.startswith("FAIL")
    assert "Not known from here:" in out


def test_a_folder_of_manifests_is_one_audit(kataui) -> None:
    Path("all").mkdir()
    Path("all/a.yaml").write_text(manifest(images=["a"]))
    Path("all/b.json").write_text(manifest(images=["b", "c"]))
    Path("all/notes.txt").write_text("a: [")
    status, out = kataui("pod", "audit", "all", "--json")
    assert status == 1
    assert [one["image"] for one in json.loads(out)["containers"]] == ["a", "b", "c"]


def test_lock_then_compare(kataui, keys) -> None:
    Path("pod.yaml").write_text(manifest())
    Path("live.yaml").write_text(manifest(initContainers=[{"name": "spy", "image": "x"}]))
    words = ["pod", "lock", "pod.yaml", "--out", "l.json", "--sign-key", keys.sign_key]
    assert kataui(*words, "--passphrase-file", "/dev/null")[0] == 0
    public = ["--public-key", keys.sign_pub, "--json"]
    status, out = kataui("pod", "compare", "l.json", "pod.yaml", *public)
    assert (status, json.loads(out)["verdict"]) == (0, "pass")
    status, out = kataui("pod", "compare", "l.json", "pod.yaml", "--json")
    assert (status, json.loads(out)["verdict"]) == (3, "unknown")
    status, out = kataui("pod", "compare", "l.json", "live.yaml", *public)
    assert status == 1
    assert [one["name"] for one in json.loads(out)["added"]] == ["spy"]


def test_a_changed_lock_fails(kataui, keys) -> None:
    Path("pod.yaml").write_text(manifest())
    words = ["pod", "lock", "pod.yaml", "--out", "l.json", "--sign-key", keys.sign_key]
    kataui(*words, "--passphrase-file", "/dev/null")
    Path("l.json").write_text(Path("l.json").read_text().replace("c0", "c1"))
    Path("pod.yaml").write_text(manifest().replace("c0", "c1"))
    status, out = kataui("pod", "compare", "l.json", "pod.yaml", "--public-key", keys.sign_pub)
    assert status == 1
    assert "signature is not valid" in out


def test_a_lock_that_is_there_stays(kataui) -> None:
    Path("pod.yaml").write_text(manifest())
    assert kataui("pod", "lock", "pod.yaml", "--out", "l.json")[0] == 0
    before = Path("l.json").read_bytes()
    Path("pod.yaml").write_text(manifest(images=["other"]))
    assert kataui("pod", "lock", "pod.yaml", "--out", "l.json")[0] == 2
    assert Path("l.json").read_bytes() == before
    assert kataui("pod", "lock", "pod.yaml", "--out", "l.json", "--force")[0] == 0
    assert Path("l.json").read_bytes() != before


def test_an_unsigned_lock_does_not_keep_an_old_signature(kataui, keys) -> None:
    Path("pod.yaml").write_text(manifest())
    words = ["pod", "lock", "pod.yaml", "--out", "l.json"]
    signed = ["--sign-key", keys.sign_key, "--passphrase-file", "/dev/null"]
    assert kataui(*words, *signed)[0] == 0
    assert Path("l.json.sigstore.json").exists()
    assert kataui(*words, "--force")[0] == 0
    assert not Path("l.json.sigstore.json").exists()


@pytest.mark.parametrize("text", ["", "a: [", "kind: ConfigMap\n", "\x00"])
def test_bad_input_is_a_sentence(kataui, text: str) -> None:
    Path("pod.yaml").write_text(text)
    for words in (["audit", "pod.yaml"], ["lock", "pod.yaml", "--out", "l"]):
        status, out = kataui("pod", *words, "--json")
        assert status == 2
        assert json.loads(out)["error"]["message"]
    assert not Path("l").exists()


def test_cosign_accepts_the_locks_signature(kataui, keys, peer) -> None:
    Path("pod.yaml").write_text(manifest())
    words = ["pod", "lock", "pod.yaml", "--out", "l.json", "--sign-key", keys.sign_key]
    kataui(*words, "--passphrase-file", "/dev/null")
    argv = [peer("cosign3"), "verify-blob", "--key", str(keys.sign_pub)]
    argv += ["--insecure-ignore-tlog", "--bundle", "l.json.sigstore.json", "l.json"]
    assert subprocess.run(argv, capture_output=True, check=False).returncode == 0
    Path("l.json").write_text("{}")
    assert subprocess.run(argv, capture_output=True, check=False).returncode != 0


def test_capacity_tells_each_number_and_what_cannot_work(kataui) -> None:
    words = ["pod", "capacity", "--host", "none", "--slots", "99", "--memory", "1Ti"]
    status, out = kataui(*words, "--json")
    value = json.loads(out)
    assert (status, value["pods"], value["known"]) == (0, 99, True)
    assert all(one["source"] for one in (*value["limits"], *value["cannot_work"]))
    status, out = kataui("pod", "capacity", "--host", "none", "--json")
    assert (status, json.loads(out)["known"]) == (3, False)
    for bad in ("--host=nowhere", "--slots=-1", "--memory=lots", "--memory=-1Gi"):
        assert kataui("pod", "capacity", bad)[0] == 2
    assert kataui("pod", "capacity", "--memory-per-pod=-2Gi")[0] == 2
