import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kataui.errors import KatauiError, NotPossibleHere
from kataui.isolation.collector import stream as wire
from kataui.isolation.sources.child import Child
from kataui.isolation.sources.feed import Line
from kataui.isolation.sources.local import LocalFeed
from kataui.isolation.sources.questions import Questions
from kataui.isolation.sources.retrying import ChildFeed, Ending, Patience
from tests.isolation.sourceparts import decoded, processes, read_until, samples, until

QUICK = Patience(waits_s=(0.05, 0.1), silence_s=0.3, connect_s=30.0)
HEAD = wire.MAGIC + wire.json_record(wire.HEAD, {"host": "one"})


class ProgramFeed(ChildFeed):
    """A feed from a Python program of the test; each start is counted."""

    def __init__(self, program: str, *, again: bool = True, patience: Patience = QUICK) -> None:
        super().__init__("the program", period_s=0.01, patience=patience)
        self.program = f"import os, sys, time\nout = sys.stdout.buffer\nHEAD = {HEAD!r}\n{program}"
        self.starts = 0
        self.again = again

    def _start(self) -> Child:
        self.starts += 1
        return Child([sys.executable, "-c", self.program])

    def _ending(self, child: Child) -> Ending:
        if child.status == 0:
            return Ending(None)
        return Ending(KatauiError(f"{child.status}: {' '.join(child.words)}"), again=self.again)


def test_this_host_is_read_and_the_collector_ends_with_the_feed() -> None:
    feed = LocalFeed(rate_hz=20.0)
    mark = "kataui.isolation.collector --rate 20.0"
    assert feed.state.line is Line.CONNECTING

    with contextlib.closing(feed):
        decoder, found = decoded(read_until(feed, lambda records: samples(records) >= 3))
        assert feed.state.line is Line.LIVE
        assert len(processes(mark)) == 1

    assert decoder.head["host"] == os.uname().nodename
    assert found[0].table("cpu_time") is not None
    assert processes(mark) == []
    assert feed.read(0.0) == []


def test_captured_trees_are_read_in_place_of_this_host(tmp_path: Path) -> None:
    (tmp_path / "stat").write_text("cpu  1 1 1 1 1 1 1 0 0 0\ncpu7 1 2 3 4 5 6 7 8 9 10\n")

    with contextlib.closing(LocalFeed(proc_root=str(tmp_path), sys_root=str(tmp_path))) as feed:
        decoder, found = decoded(read_until(feed, lambda records: samples(records) >= 1))

    assert [given["cpu"] for given in decoder.entities["cpu"].values()] == [7]
    table = found[0].table("cpu_time")
    assert table is not None
    assert table.tolist() == [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]]


def test_a_collector_that_was_killed_is_started_again() -> None:
    feed = LocalFeed(rate_hz=25.0, patience=QUICK)
    with contextlib.closing(feed):
        read_until(feed, lambda records: samples(records) >= 1)
        (before,) = processes("collector --rate 25.0")
        os.kill(before, signal.SIGKILL)

        read_until(feed, lambda _: feed.state.line is Line.LOST)
        assert "status -9" in feed.state.sentence
        records = read_until(feed, lambda records: samples(records) >= 1)

        assert records[0].kind == b"H"
        assert processes("collector --rate 25.0") != [before]


@pytest.mark.parametrize("rate_hz", [0.0, -1.0, 1e9, float("nan")])
def test_a_rate_that_cannot_be_is_refused(rate_hz: float) -> None:
    with pytest.raises(KatauiError, match="not possible"):
        LocalFeed(rate_hz=rate_hz)


def test_a_program_that_fails_at_once_is_an_error_with_its_last_words() -> None:
    feed = ProgramFeed("sys.stderr.write('first\\nno\\x1b[31m luck\\n'); sys.exit(3)")

    with contextlib.closing(feed), pytest.raises(KatauiError, match=r"3: first no\ufffd"):
        read_until(feed, bool)

    assert feed.starts == 1


def test_a_line_that_was_live_is_tried_again_with_growing_waits() -> None:
    feed = ProgramFeed("out.write(HEAD); out.flush(); sys.exit(1)")
    with contextlib.closing(feed):
        read_until(feed, bool)
        read_until(feed, lambda _: feed.state.line is Line.LOST)
        feed.program = "sys.exit(2)"  # from now on it does not even begin
        waits = set()
        for starts in (2, 3, 4):
            read_until(feed, lambda _, n=starts: feed.starts == n and feed._failures == n)
            assert feed.state.line is Line.LOST
            waits.add(round((feed.state.retry_s or 0.0), 3))
    assert len(waits) == 3


def test_a_failure_that_time_does_not_mend_is_raised_even_after_a_live_line() -> None:
    feed = ProgramFeed("out.write(HEAD); out.flush(); sys.exit(1)", again=False)

    with contextlib.closing(feed):
        read_until(feed, bool)
        with pytest.raises(KatauiError, match="1:"):
            read_until(feed, lambda _: False)


def test_a_program_that_hangs_is_noticed_ended_and_started_again() -> None:
    feed = ProgramFeed("out.write(HEAD); out.flush(); time.sleep(1000)")

    with contextlib.closing(feed):
        read_until(feed, bool)
        read_until(feed, lambda _: feed.state.line is Line.LOST)
        assert "Nothing came" in feed.state.sentence
        read_until(feed, bool)

    assert feed.starts == 2


def test_a_good_end_is_no_loss() -> None:
    feed = ProgramFeed("out.write(HEAD)")

    with contextlib.closing(feed):
        assert len(read_until(feed, lambda _: feed.state.line is Line.ENDED)) == 1
        assert feed.read(0.0) == []
    assert feed.starts == 1


def test_what_a_login_shell_says_before_the_stream_is_passed_over() -> None:
    feed = ProgramFeed("out.write(b'Welcome!\\nKATAUI ' + HEAD); out.flush(); time.sleep(1000)")

    with contextlib.closing(feed):
        assert read_until(feed, bool)[0].json() == {"host": "one"}


@pytest.mark.parametrize("program", ["out.write(b'x' * 200_000)", "out.write(HEAD[:-1] + b'?')"])
def test_a_stream_that_is_none_is_an_error(program: str) -> None:
    feed = ProgramFeed(program)

    with contextlib.closing(feed), pytest.raises(KatauiError, match=r"stream|damaged"):
        read_until(feed, lambda _: feed.state.line is Line.ENDED)


def test_closing_ends_a_read_in_another_thread_and_a_child_that_does_not_want_to() -> None:
    feed = ProgramFeed(
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "out.write(HEAD); out.flush(); time.sleep(1000)",
        patience=Patience(),
    )
    read_until(feed, bool)
    child = feed._child
    assert child is not None
    results = []
    reader = threading.Thread(target=lambda: results.append(feed.read(60.0)))
    reader.start()
    until(feed._lock.locked, "the reader waits")

    feed.close()
    reader.join(timeout=10)

    assert not reader.is_alive()
    assert results == [[]]
    assert child.ended
    assert child.status == -signal.SIGKILL


def test_a_program_that_is_not_there_is_a_sentence() -> None:
    with pytest.raises(NotPossibleHere, match="cannot be started"):
        Child(["/nowhere/at-all"])


@pytest.mark.parametrize("asked", [b"{}\n", b'{"token": "guess"}\n', b"\xff\n", b"[]\n", b""])
def test_a_question_without_the_token_is_not_shown(asked: bytes) -> None:
    shown: list[str] = []
    questions = Questions("there", lambda prompt, _secret: shown.append(prompt))

    with contextlib.closing(questions), socket.socket(socket.AF_UNIX) as line:
        line.connect(str(questions._folder / "socket"))
        line.sendall(asked)
        line.shutdown(socket.SHUT_WR)
        questions.answer(questions.handle)
        assert line.recv(100) == b""

    assert shown == []


def test_a_question_with_odd_characters_is_shown_clean_and_its_answer_printed() -> None:
    shown: list[tuple[str, bool]] = []

    def ask(prompt: str, secret: bool) -> str | None:  # noqa: FBT001 - the protocol's shape
        shown.append((prompt, secret))
        return "geheim ü"

    with contextlib.closing(Questions("there", ask)) as questions:
        program = questions.environment["SSH_ASKPASS"]
        asking = subprocess.Popen([program, "Pass\x1b[1m\nword: "], stdout=subprocess.PIPE)
        questions.answer(questions.handle)
        said, _ = asking.communicate(timeout=20)

    assert shown == [("Pass\ufffd[1m\nword:", True)]
    assert (said.decode(), asking.returncode) == ("geheim ü\n", 0)
