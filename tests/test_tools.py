"""Other people's programs, with real children."""

import os
import signal
import threading
from pathlib import Path

import pytest

from kataui import tools
from kataui.errors import Cancelled, NotPossibleHere
from kataui.progress import Control

SH = "/bin/sh"
LONG = "for _ in $(seq 3000); do sleep 0.01; done"  # half a minute, in steps that a trap may end


def _gone(pid: int) -> bool:
    """Whether the process has ended (a zombie that waits for its parent has)."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True
    return status.rpartition(")")[2].split()[0] in {"Z", "X"}


def test_outputs_and_status_are_kept_apart() -> None:
    outcome = tools.run([SH, "-c", "echo out; echo err >&2; exit 7"])

    assert (outcome.name, outcome.status) == ("sh", 7)
    assert (outcome.stdout, outcome.stderr) == (b"out\n", "err")


def test_an_end_by_a_signal_is_a_negative_status() -> None:
    assert tools.run([SH, "-c", "kill -9 $$"]).status == -signal.SIGKILL


def test_input_larger_than_a_pipe_comes_back_whole() -> None:
    data = os.urandom(1 << 20)

    assert tools.run(["/bin/cat"], input_bytes=data).stdout == data


def test_a_program_that_ignores_its_input_is_no_problem() -> None:
    assert tools.run([SH, "-c", "exec <&-; exit 0"], input_bytes=bytes(1 << 20)).status == 0


def test_standard_output_is_bounded_and_drained() -> None:
    outcome = tools.run([SH, "-c", "head -c 20000000 /dev/zero; echo done >&2"])

    assert len(outcome.stdout) == 16 << 20
    assert outcome.stderr == "done"


def test_of_much_standard_error_the_end_is_kept() -> None:
    script = (
        "head -c 3000000 /dev/zero | tr '\\0' 'x' | fold -w 1000 >&2; printf '\\nthe reason\\n' >&2"
    )

    outcome = tools.run([SH, "-c", f"{script}; exit 1"])

    assert len(outcome.stderr) <= 1 << 20
    assert outcome.problem() == "sh ended with status 1 (the reason)"


def test_what_a_program_says_is_cleaned() -> None:
    outcome = tools.run([SH, "-c", r"printf 'a\tb \033[31mred\n' >&2; exit 1"])

    assert outcome.stderr == "a b \ufffd[31mred"
    assert "\x1b" not in outcome.problem()


def test_a_silent_failure_is_said_to_be_silent() -> None:
    assert "it said nothing" in tools.run([SH, "-c", "exit 1"]).problem()


def test_lines_of_both_outputs_come_one_by_one_and_cleaned() -> None:
    lines: list[str] = []

    tools.run(
        [SH, "-c", r"printf 'one\ntwo\033\r' ; echo three >&2; printf last"], on_line=lines.append
    )

    assert sorted(lines) == ["last", "one", "three", "two\ufffd"]


def test_lines_come_in_the_calling_thread() -> None:
    threads: set[int] = set()

    tools.run([SH, "-c", "echo a"], on_line=lambda _: threads.add(threading.get_ident()))

    assert threads == {threading.get_ident()}


def test_an_endless_line_is_given_in_pieces() -> None:
    sizes: list[int] = []

    tools.run([SH, "-c", "head -c 300000 /dev/zero"], on_line=lambda line: sizes.append(len(line)))

    assert len(sizes) > 1
    assert max(sizes) <= 500


def test_an_error_of_the_listener_stops_the_program_and_comes_through() -> None:
    pids: list[int] = []

    def listen(line: str) -> None:
        pids.append(int(line))
        raise ValueError(line)

    with pytest.raises(ValueError, match=r"\d+"):
        tools.run([SH, "-c", "echo $$; exec sleep 60"], on_line=listen)

    assert _gone(pids[0])


def test_cancelling_interrupts_and_the_program_may_clean_up(tmp_path: Path) -> None:
    control = Control()
    # the shell waits for a child in the background: one that it is just about to start in the
    # foreground may swallow the signal
    script = f"trap 'echo cleaned > {tmp_path}/note; exit' INT; {LONG} & echo ready; wait"

    with pytest.raises(Cancelled):
        tools.run([SH, "-c", script], control=control, on_line=lambda _: control.cancel())

    assert (tmp_path / "note").read_text() == "cleaned\n"


def test_cancelling_ends_a_whole_group_that_ignores_politeness(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tools, "_GRACE_S", 0.1)  # the ladder is the same, only quicker
    control, pids = Control(), []
    script = f"(trap '' INT TERM; sh -c 'echo $PPID'; {LONG}) & wait"

    def listen(line: str) -> None:
        pids.append(int(line))
        control.cancel()

    with pytest.raises(Cancelled):
        tools.run([SH, "-c", script], control=control, on_line=listen)

    assert _gone(pids[0])


def test_a_daemon_that_keeps_the_pipes_open_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tools, "_GRACE_S", 0.1)

    outcome = tools.run([SH, "-c", "sleep 60 & echo $!"])
    daemon = int(outcome.stdout)

    assert not _gone(daemon)
    os.kill(daemon, signal.SIGKILL)


def test_cancelled_before_the_start_runs_nothing_to_its_end(tmp_path: Path) -> None:
    control = Control()
    control.cancel()

    with pytest.raises(Cancelled):
        tools.run([SH, "-c", f"sleep 5; touch {tmp_path}/late"], control=control)

    assert not (tmp_path / "late").exists()


def test_environment_and_folder_are_given_on(tmp_path: Path) -> None:
    outcome = tools.run([SH, "-c", "echo $LC_ALL $X; pwd -P"], env={"X": "y"}, cwd=tmp_path)

    assert outcome.stdout.decode() == f"C.UTF-8 y\n{tmp_path.resolve()}\n"


def test_arguments_meet_no_shell() -> None:
    assert tools.run(["/bin/echo", "$HOME; false"]).stdout == b"$HOME; false\n"


def test_a_file_that_is_no_program_is_not_possible_here(tmp_path: Path) -> None:
    (tmp_path / "note").write_text("text")

    with pytest.raises(NotPossibleHere, match=r"^note cannot be started: Permission denied\.$"):
        tools.run([str(tmp_path / "note")])


def test_a_missing_tool_says_what_needs_it_and_how_to_get_it() -> None:
    with pytest.raises(NotPossibleHere, match="Reading needs no-such-tool") as caught:
        tools.require("no-such-tool", purpose="Reading")

    assert caught.value.hint.startswith("Install it: sudo ")


def test_a_tool_on_the_path_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert tools.find("tool") == tool
    assert tools.require("tool", purpose="Testing") == tool
    assert tools.find("other") is None


@pytest.mark.parametrize(
    ("system", "command"),
    [
        ("ID=debian\n", "sudo apt install gnupg"),
        ('ID=ubuntu\nID_LIKE="debian"\n', "sudo apt install gnupg"),
        ("NAME=Fedora\nID=fedora\n", "sudo dnf install gnupg2"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', "sudo dnf install gnupg2"),
        ('ID=debian\nHOME_URL="https://not-fedora.example"\n', "sudo apt install gnupg"),
    ],
)
def test_the_hint_fits_the_system(tmp_path: Path, system: str, command: str) -> None:
    (tmp_path / "os-release").write_text(system)

    hint = tools.install_hint("gpg", system_file=tmp_path / "os-release")

    assert hint == f"Install it: {command}"


def test_outputs_are_not_in_the_repr() -> None:
    outcome = tools.run([SH, "-c", "echo secret; echo secret >&2"])

    assert "secret" not in repr(outcome)
