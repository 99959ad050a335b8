"""What happens when the machine fails: the destination is whole or absent, the source untouched."""

import os
import random
import signal
import subprocess
import sys

import pytest

from kataui.errors import DestinationProblem, KatauiError
from kataui.findings import Verdict
from kataui.images import writer
from tests.images.builders import tiny_layout
from tests.images.protecting import IDENTITY, answers, blob, judge, manifest_of, run

KILLS = 20


def protect_argv(source, target, keys):
    return [
        *(sys.executable, "-m", "kataui", "image", "protect", str(source), str(target)),
        *("--recipient", keys.recipient, "--sign-key", str(keys.sign_key)),
        *("--identity", IDENTITY, "--key", keys.private, "--passphrase-file", "/dev/null"),
    ]


def test_kill_9_at_random_moments_leaves_all_or_nothing(tmp_path, keys):
    """The moments are spread over the life of the process: its clock starts when it does."""
    layers = [os.urandom(6 << 20), os.urandom(3 << 20)]
    source = tiny_layout(tmp_path / "source", layers=layers, compression="gzip")
    before = {path: path.read_bytes() for path in source.rglob("*") if path.is_file()}
    target = tmp_path / "out"
    moments = random.Random(3)
    for _ in range(KILLS):
        child = subprocess.Popen(protect_argv(source, target, keys), stdout=subprocess.DEVNULL)
        try:
            child.wait(moments.uniform(0.2, 1.6))
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            child.wait()
        if target.exists():
            report = judge(target, keys, require=frozenset())
            assert report.findings == ()
            subprocess.run(["rm", "-r", str(target)], check=True)

    assert run(answers(source, target, keys)).proof.verdict is Verdict.PASS
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["out", "source"]  # what the killed runs left was removed by the next
    assert {path: path.read_bytes() for path in before} == before


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, keys):
    """A real limit of the operating system: no file may grow over 2 MiB."""
    source = tiny_layout(tmp_path / "source", layers=[os.urandom(8 << 20)], compression="none")
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, 2 << 20));"
        "sys.argv = sys.argv[1:]; from kataui.__main__ import main; sys.exit(main())"
    )
    argv = [sys.executable, "-c", code, "kataui", *protect_argv(source, tmp_path / "out", keys)[3:]]

    done = subprocess.run(argv, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "Writing the image stopped: File too large." in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_too_little_room_is_told_before_anything_is_written(tmp_path, keys, monkeypatch):
    source = tiny_layout(tmp_path / "source")
    monkeypatch.setattr(writer.files, "free_bytes", lambda _: 1000)

    with pytest.raises(DestinationProblem, match="Not enough room"):
        run(answers(source, tmp_path / "out", keys))

    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_unreadable_source_is_told(tmp_path, keys):
    source = tiny_layout(tmp_path / "source")
    place = blob(source, manifest_of(source)["layers"][0]["digest"])
    place.unlink()
    place.mkdir()

    with pytest.raises(KatauiError):
        run(answers(source, tmp_path / "out", keys))

    assert [path.name for path in tmp_path.iterdir()] == ["source"]


@pytest.mark.parametrize("how", ["changed", "cut", "longer"])
def test_a_blob_that_changes_while_it_is_read_is_noticed(tmp_path, keys, how):
    from kataui.progress import Control

    data = os.urandom(6 << 20)
    source = tiny_layout(tmp_path / "source", layers=[data], compression="none")
    place = blob(source, manifest_of(source)["layers"][0]["digest"])

    def on_progress(progress):
        if 0 < progress.done_bytes < progress.total_bytes:
            with place.open("r+b") as stream:
                if how == "changed":
                    stream.seek(5 << 20)
                    stream.write(b"changed")
                elif how == "cut":
                    stream.truncate(4 << 20)
                else:
                    stream.seek(0, os.SEEK_END)
                    stream.write(b"more")

    with pytest.raises(KatauiError):
        run(answers(source, tmp_path / "out", keys), Control(on_progress, interval_s=0))

    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_a_link_in_the_place_of_the_destination_is_not_followed(tmp_path, keys):
    source = tiny_layout(tmp_path / "source")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(DestinationProblem):
        run(answers(source, tmp_path / "out", keys, force=True))

    assert list((tmp_path / "elsewhere").iterdir()) == []
