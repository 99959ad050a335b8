"""``kataui isolation``: its verbs as scripts use them."""

import json
from pathlib import Path

import pytest

from kataui import cli
from kataui.isolation.incidents import incidents
from kataui.isolation.marks import Inbox
from kataui.isolation.recording import Recording

PATHS = {incident.id: str(incident.path) for incident in incidents()}


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    status = cli.main(["isolation", *argv])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_report_has_the_members_that_scripts_rely_on(capsys) -> None:
    status, out, _ = run(capsys, "report", PATHS["two-vcpus-on-one-cpu"], "--json")

    document = json.loads(out)
    assert status == 1
    assert document["verdict"] == "fail"
    sandbox = document["sandboxes"][0]
    assert {"id", "score", "coverage", "run_delay_fraction", "blame"} <= set(sandbox)
    assert {"actor", "share", "confidence"} == set(sandbox["blame"][0])
    assert 0 <= sandbox["run_delay_fraction"] <= 1
    assert "CPU-02" in {finding["id"] for finding in document["findings"]}


def test_report_writes_one_html_file_that_needs_nothing_else(capsys, tmp_path: Path) -> None:
    page = tmp_path / "report.html"

    status, _, _ = run(capsys, "report", PATHS["own-quota"], "--html", str(page))

    text = page.read_text()
    assert status == 0
    assert "its own CPU limit" in text
    assert "<svg" in text
    for outside in ("http://", "https://", "<script", "src="):
        assert outside not in text
    status, _, err = run(capsys, "report", PATHS["own-quota"], "--html", str(page))
    assert status == 2
    assert err


def test_watch_prints_a_document_a_line(capsys) -> None:
    argv = ("watch", "--source", PATHS["own-quota"], "--speed", "0", "--json")
    status, out, _ = run(capsys, *argv)

    lines = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert len(lines) > 100
    assert {"time", "verdict", "sentence", "sandboxes"} <= set(lines[-1])


def test_a_recording_is_recorded_again_whole(capsys, tmp_path: Path) -> None:
    copy = tmp_path / "copy.kataui-rec"

    status, out, _ = run(capsys, "record", str(copy), "--source", PATHS["own-quota"], "--json")

    with Recording(copy) as again, Recording(Path(PATHS["own-quota"])) as first:
        samples = [sum(s.samples for s in one.segments) for one in (again, first)]
    assert status == 0
    assert samples[0] == samples[1] == json.loads(out)["samples"]


def test_mark_names_a_moment_of_a_file_and_of_what_is_running(capsys, tmp_path: Path) -> None:
    copy = tmp_path / "copy.kataui-rec"
    copy.write_bytes(Path(PATHS["own-quota"]).read_bytes())
    inbox = Inbox()

    assert run(capsys, "mark", "A", "--file", str(copy), "--at", "5")[0] == 0
    assert run(capsys, "mark", "now", "--note", "load starts")[0] == 0

    with Recording(copy) as recording:
        assert [marker.name for marker in recording.markers] == ["A"]
    assert [(mark.name, mark.note) for mark in inbox.read()] == [("now", "load starts")]
    assert inbox.read() == []


def test_compare_says_what_changed(capsys, tmp_path: Path) -> None:
    copy = tmp_path / "copy.kataui-rec"
    copy.write_bytes(Path(PATHS["two-vcpus-on-one-cpu"]).read_bytes())
    run(capsys, "mark", "A", "--file", str(copy), "--at", "50")
    run(capsys, "mark", "B", "--file", str(copy), "--at", "116")

    status, out, _ = run(capsys, "compare", str(copy), "--warm-up", "5", "--json")

    waits = [e for e in json.loads(out)["effects"] if e["signal"] == "waits"]
    assert status == 0
    assert {effect["answer"] for effect in waits} == {"better"}


def test_redact_previews_and_writes(capsys, tmp_path: Path) -> None:
    out_file = tmp_path / "out.kataui-rec"

    assert run(capsys, "redact", PATHS["io-storm"], "--preview")[0] == 0
    assert not out_file.exists()
    status, out, _ = run(capsys, "redact", PATHS["io-storm"], str(out_file), "--json")

    assert status == 0
    assert json.loads(out)["replaced"]["synthetic-host"] == "host-1"
    assert b"synthetic-host" not in out_file.read_bytes()


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (("report", "/nowhere.kataui-rec"), "Cannot open"),
        (("report", "/etc/hostname"), "no kataui recording"),
        (("compare", "@own-quota"), "There is no marker 'A'"),
        (("watch", "--source", "moon"), "There is no recording"),
        (("watch", "--source", "ssh:"), "needs a host"),
        (("watch", "--rate", "1000"), "The rate goes from"),
        (("mark", " "), "A marker needs a name"),
        (("mark", "A", "--file", "@own-quota", "--at", "1000"), "The recording lasts"),
        (("redact", "@own-quota"), "OUT is missing"),
    ],
)
def test_bad_input_is_a_sentence_and_status_2(capsys, argv, sentence) -> None:
    given = [PATHS[word[1:]] if word.startswith("@") else word for word in argv]
    status, out, err = run(capsys, *given, "--json")

    assert status == 2
    assert sentence in json.loads(out)["error"]["message"]
    assert "Traceback" not in err


@pytest.mark.parametrize("text", ["nan", "inf", "1e999", "-1", "soon"])
@pytest.mark.parametrize(
    "argv",
    [
        *(("watch", "--speed"), ("watch", "--seconds"), ("check", "--seconds")),
        *(("record", "out", "--seconds"), ("mark", "A", "--at"), ("compare", "rec", "--warm-up")),
    ],
)
def test_a_time_is_a_number_that_ends(capsys, argv: tuple[str, ...], text: str) -> None:
    *words, option = argv
    with pytest.raises(SystemExit) as stop:
        cli.main(["isolation", *words, f"{option}={text}"])

    assert stop.value.code == 2
    assert f"{text!r} is not a number of 0 or more" in capsys.readouterr().err
