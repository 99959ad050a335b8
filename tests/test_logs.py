"""The log and the crash report: no keys, private, bounded."""

import logging
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import kataui
from kataui import logs

PEM = "-----BEGIN PRIVATE KEY-----\nMIIEsecret\nmore\n-----END PRIVATE KEY-----"
log = logging.getLogger("kataui.test")


@pytest.fixture(autouse=True)
def _quiet_again() -> Iterator[None]:
    """Take our handlers away again."""
    yield
    root = logging.getLogger("kataui")
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()
    root.setLevel(logging.NOTSET)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _fail(text: str) -> None:
    raise ValueError(text)


def _reported(text: str) -> str:
    try:
        _fail(text)
    except ValueError as error:
        return logs.crash_report(type(error), error, error.__traceback__)
    return ""


def test_a_record_is_one_line_in_a_private_file() -> None:
    logs.setup(to_stderr=False)

    log.info("opened %s", "an\nimage\x1b[31m")

    (line,) = logs.log_file().read_text().splitlines()
    assert line.endswith("INFO kataui.test: opened an\ufffdimage\ufffd[31m")
    assert _mode(logs.log_file()) == 0o600


def test_a_log_file_that_others_could_read_is_closed_to_them() -> None:
    logs.log_file().parent.mkdir(parents=True)
    logs.log_file().touch(mode=0o644)

    logs.setup(to_stderr=False)

    assert _mode(logs.log_file()) == 0o600


@pytest.mark.parametrize("text", [PEM, PEM[:40], f"before {PEM} after {PEM}"])
def test_no_key_gets_into_the_log(text: str) -> None:
    logs.setup(to_stderr=False)

    log.warning("read %s", text)
    try:
        _fail(text)
    except ValueError:
        log.exception("failed")

    written = logs.log_file().read_text()
    assert "MII" not in written
    assert "PRIVATE KEY" not in written
    assert "(key removed)" in written


def test_a_traceback_in_the_log_is_cleaned() -> None:
    logs.setup(to_stderr=False)

    try:
        _fail("\x1b[2J")
    except ValueError:
        log.exception("failed")

    written = logs.log_file().read_text()
    assert "ValueError: \ufffd[2J" in written
    assert "\x1b" not in written


def test_the_log_turns_over_and_all_its_files_stay_private() -> None:
    logs.setup(to_stderr=False)

    for _ in range(2500):
        log.info("%s", "x" * 900)

    found = sorted(logs.log_file().parent.iterdir())
    assert [path.name for path in found] == ["kataui.log", "kataui.log.1", "kataui.log.2"]
    assert {_mode(path) for path in found} == {0o600}
    assert max(path.stat().st_size for path in found) <= 512 << 10


def test_a_second_setup_does_not_double_the_lines() -> None:
    logs.setup(to_stderr=False)
    logs.setup(to_stderr=False)

    log.info("once")

    assert len(logs.log_file().read_text().splitlines()) == 1


def test_steps_are_not_logged() -> None:
    logs.setup(to_stderr=False)

    log.debug("a step")

    assert logs.log_file().read_text() == ""


def test_without_a_place_for_the_log_work_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))

    logs.setup(to_stderr=False)
    log.info("into nothing")

    assert not logs.log_file().exists()


def test_on_request_the_log_is_on_standard_error_too(capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup(to_stderr=True)

    log.info("hello")

    assert "INFO kataui.test: hello" in capsys.readouterr().err


def test_a_crash_report_tells_versions_traceback_and_the_last_lines() -> None:
    logs.setup(to_stderr=False)
    for number in range(60):
        log.info("line %d.", number)

    report = _reported("boom")

    assert f"kataui {kataui.__version__}, Python {sys.version_info.major}." in report
    assert "ValueError: boom" in report
    assert "_fail" in report
    assert "line 59." in report
    assert "line 10." in report
    assert "line 9." not in report


def test_a_crash_report_holds_neither_keys_nor_the_home_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")

    report = _reported(f"/home/somebody/image /home/somebody2/x {PEM}")

    assert "~/image /home/somebody2/x (key removed)" in report
    assert "MII" not in report


def test_a_home_folder_at_the_root_does_not_garble_the_report(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", "/")

    assert "/a/b" in _reported("/a/b")


def test_a_crash_in_c_leaves_its_trace_and_those_before() -> None:
    script = "from kataui import logs; import os; logs.watch_crashes(); os.kill(os.getpid(), 11)"

    for _ in range(2):
        subprocess.run([sys.executable, "-c", script], check=False, stderr=subprocess.DEVNULL)

    crash = logs.log_file().with_name("crash.log")
    assert crash.read_text().count("Segmentation fault") == 2
    assert _mode(crash) == 0o600
