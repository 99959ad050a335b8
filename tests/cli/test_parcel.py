"""``kataui pod pack``, ``unpack`` and ``publish`` as scripts use them."""

import json
from pathlib import Path

import pytest

from kataui import cli
from tests.pods import brokers
from tests.pods.parcels import flip, prepared


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory, keys) -> Path:
    """A prepared pod; the tests only read it."""
    return prepared(tmp_path_factory.mktemp("pod"), keys)


@pytest.fixture
def kataui(capsys, tmp_path, monkeypatch):
    """Run a command; gives exit status and standard output."""
    monkeypatch.chdir(tmp_path)

    def command(*words: object) -> tuple[int, str]:
        status = cli.main([str(word) for word in words])
        return status, capsys.readouterr().out

    return command


def test_a_pod_is_carried_and_the_exit_status_is_the_verdict(kataui, pod, keys) -> None:
    sign = ["--sign-key", keys.sign_key, "--passphrase-file", "/dev/null"]
    status, out = kataui("pod", "pack", pod, "--out", "p", *sign, "--split", "100k", "--json")
    value = json.loads(out)
    assert (status, value["signed"], value["secret"]) == (0, True, ["keys/"])
    assert len(value["parts"]) > 2
    first = value["parts"][0]
    public = ["--public-key", keys.sign_pub, "--json"]
    status, out = kataui("pod", "unpack", first, "--out", "a", *public)
    told = json.loads(out)
    assert (status, told["verdict"]) == (0, "pass")
    assert Path(told["out"]) == Path("a").absolute()
    status, out = kataui("pod", "unpack", first, "--out", "b")
    assert status == 3
    assert out.startswith("UNKNOWN")
    assert "Not checked:" in out
    words = ["pod", "unpack", first, "--out", "c", "--public-key", keys.foreign_pub, "--json"]
    status, out = kataui(*words)
    assert (status, "error" in json.loads(out), Path("c").exists()) == (1, True, False)


def test_parts_to_copy_again_are_numbers_for_scripts(kataui, pod) -> None:
    _, out = kataui("pod", "pack", pod, "--out", "p", "--split", "100k", "--json")
    parts = [Path(path) for path in json.loads(out)["parts"]]
    flip(parts[1], 70_000)
    status, out = kataui("pod", "unpack", parts[0], "--out", "a", "--json")
    value = json.loads(out)
    assert (status, value["parts"]) == (1, [2])
    assert value["error"]["message"].startswith(f"Copy part 2 of {len(parts)} again: p.kataui")
    parts[1].unlink()
    assert kataui("pod", "unpack", parts[0], "--out", "a")[0] == 3
    assert kataui("pod", "pack", pod, "--out", "p", "--split", "100k")[0] == 0
    assert kataui("pod", "unpack", parts[0], "--out", "a")[0] == 3
    assert Path("a/arrival.html").exists()


def test_an_inventory_leaves_blobs_out(kataui, pod) -> None:
    kataui("pod", "pack", pod, "--out", "p")
    words = ["pod", "unpack", "p.kataui-parcel", "--out", "far", "--inventory", "have.json"]
    assert kataui(*words)[0] == 3
    status, out = kataui("pod", "unpack", "--inventory", "again.json", "--from", "far", "--json")
    assert (status, json.loads(out)) == (0, {"inventory": "again.json"})
    assert Path("have.json").read_bytes() == Path("again.json").read_bytes()
    status, out = kataui("pod", "pack", pod, "--out", "q", "--have", "have.json", "--json")
    assert (status, json.loads(out)["left_out"]) == (0, len(json.loads(
        Path("have.json").read_text())["digests"]))  # fmt: skip
    words = ["pod", "unpack", "q.kataui-parcel", "--out", "b"]
    status, out = kataui(*words, "--json")
    assert status == 3
    assert "--from DIR" in json.loads(out)["error"]["hint"]
    assert kataui(*words, "--from", "far")[0] == 3  # no public key: unknown, and there
    assert Path("b/images/app/index.json").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["pack", "absent", "--out", "p"],
        ["pack", ".", "--out", "../p", "--split", "lots"],
        ["pack", ".", "--out", "../p", "--have", "absent"],
        ["unpack", "absent", "--out", "a"],
        ["unpack", "absent"],
        ["unpack"],
        ["unpack", "--inventory", "i"],
        ["unpack", "--inventory", "i", "--from", "absent"],
        ["publish", "."],
        ["publish", ".", "--kbs-url", "http://kbs.example", "--admin-token-file", "t"],
    ],
)
def test_bad_input_is_a_sentence(kataui, words: list[str]) -> None:
    Path("some").write_text("x")
    status, out = kataui("pod", *words, "--json")
    assert status == 2
    assert json.loads(out)["error"]["message"]
    assert sorted(path.name for path in Path().iterdir()) == ["some"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "kataui-inventory", "version": 1}'])
def test_an_inventory_that_is_none_is_told(kataui, pod, text: str) -> None:
    Path("have").write_text(text)
    assert kataui("pod", "pack", pod, "--out", "p", "--have", "have")[0] == 2
    assert not Path("p.kataui-parcel").exists()


def test_publishing_is_shown_and_not_done_without_yes(kataui, pod, tmp_path) -> None:
    (tmp_path / "token").write_text("t")
    with brokers.serve() as served:
        broker = ["--kbs-url", served.url, "--admin-token-file", tmp_path / "token"]
        status, out = kataui("pod", "publish", pod, *broker, "--json")
        value = json.loads(out)
        assert (status, value["published"], served.asked) == (0, False, [])
    assert len(value["steps"]) == 11
    status, out = kataui("pod", "publish", pod)
    assert status == 0
    assert "skopeo --insecure-policy copy --all --preserve-digests" in out
    assert out.endswith("Nothing was sent. Add --yes to do it.\n")


def test_publishing_without_skopeo_is_not_possible_here(kataui, pod, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    status, out = kataui("pod", "publish", pod, "--yes", "--json")
    assert status == 3
    assert "skopeo" in json.loads(out)["error"]["message"]
