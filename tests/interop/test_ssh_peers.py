"""Another host as a source, over a real sshd on loopback with keys and a config of its own."""

import contextlib
import getpass
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kataui.errors import Cancelled, KatauiError
from kataui.isolation.sources.feed import Line
from kataui.isolation.sources.retrying import Patience
from kataui.isolation.sources.ssh import LOADER, SshFeed
from kataui.pods.capacity import remote_facts
from kataui.progress import Control
from tests.isolation.sourceparts import decoded, processes, read_until, samples, until

pytestmark = pytest.mark.interop
Peer = Callable[[str], str]
QUICK = Patience(waits_s=(0.1, 0.2), silence_s=1.0, connect_s=30.0)
REMOTE = LOADER.rpartition("'")[0].rpartition("'")[2]  # as it stands in /proc/PID/cmdline
PHRASE = "correct horse"

SERVER = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/authorized
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication {passwords}
KbdInteractiveAuthentication no
LogLevel ERROR
{more}
"""
CLIENT = """
Host there
    HostName 127.0.0.1
    Port {port}
    User {user}
    IdentityFile {folder}/user
    IdentitiesOnly yes
    IdentityAgent none
    UserKnownHostsFile {folder}/known
    GlobalKnownHostsFile none
    StrictHostKeyChecking ask
Host *
    Port {port}
    UserKnownHostsFile {folder}/known
"""


@dataclass
class Sshd:
    """A server that is started and stopped; the client's ``there`` is its alias."""

    program: str
    folder: Path
    port: int
    more: str = ""
    passwords: str = "no"
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        config = self.folder / "sshd_config"
        text = SERVER.format(
            port=self.port, folder=self.folder, passwords=self.passwords, more=self.more
        )
        config.write_text(text)
        log = (self.folder / "sshd.log").open("ab")
        with log:
            self.running.append(
                subprocess.Popen([self.program, "-D", "-e", "-f", str(config)], stderr=log)
            )
        until(self.answers, f"sshd answers: {(self.folder / 'sshd.log').read_text()}")

    def answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def sessions(self) -> list[int]:
        """The processes that hold one connection each."""
        if not self.running:
            return []
        path = Path(f"/proc/{self.running[-1].pid}/task/{self.running[-1].pid}/children")
        return [int(pid) for pid in path.read_text().split()]

    def stop(self) -> None:
        for process in self.running:
            process.terminate()
            process.wait(10)
        self.running.clear()

    def bare(self, path: str) -> None:
        """Remote commands get nothing but a search path, a home and a place for files."""
        away = self.folder / "away"
        away.mkdir()
        inside = f"/usr/bin/env -i PATH={path} TMPDIR={away} HOME={away}"
        self.more = f'ForceCommand cd {away} && exec {inside} /bin/sh -c "$SSH_ORIGINAL_COMMAND"'

    def know(self) -> None:
        """Let the client know the host key."""
        key = (self.folder / "host.pub").read_text()
        (self.folder / "known").write_text(f"[127.0.0.1]:{self.port} {key}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def sshd(peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sshd]:
    monkeypatch.setenv("PATH", os.environ["PATH"] + ":/usr/sbin")
    program, client, keygen = peer("sshd"), peer("ssh"), peer("ssh-keygen")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd insists; a service manager makes it else
    for name in ("host", "user"):
        make_key(keygen, tmp_path / name, "")
    (tmp_path / "authorized").write_text((tmp_path / "user.pub").read_text())
    server = Sshd(program, tmp_path, free_port())
    text = CLIENT.format(port=server.port, folder=tmp_path, user=getpass.getuser())
    (tmp_path / "config").write_text(text)
    wrapper = tmp_path / "bin" / "ssh"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\nexec {client} -F {tmp_path}/config "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{wrapper.parent}:{os.environ['PATH']}")
    yield server
    server.stop()
    until(lambda: not processes(REMOTE), "nothing of ours runs at the other end")


def make_key(keygen: str, path: Path, phrase: str) -> None:
    subprocess.run([keygen, "-q", "-t", "ed25519", "-N", phrase, "-f", str(path)], check=True)


def test_a_host_with_nothing_installed_is_read_and_nothing_stays_there(sshd: Sshd) -> None:
    sshd.bare("/usr/bin:/bin")
    sshd.start()
    sshd.know()

    with contextlib.closing(SshFeed("there", rate_hz=10.0)) as feed:
        decoder, found = decoded(read_until(feed, lambda records: samples(records) >= 3))
        assert feed.state.line is Line.LIVE
        remote = processes(REMOTE)
        assert remote

    until(lambda: not processes(REMOTE), "the collector has ended with the line")
    assert decoder.head["rate_hz"] == 10.0
    assert found[-1].table("cpu_time") is not None
    assert list((sshd.folder / "away").rglob("*")) == []


def test_the_question_for_the_host_key_reaches_the_user_and_yes_connects(sshd: Sshd) -> None:
    sshd.start()
    asked: list[tuple[str, bool]] = []

    def ask(prompt: str, secret: bool) -> str | None:  # noqa: FBT001 - the protocol's shape
        asked.append((prompt, secret))
        return "yes"

    with contextlib.closing(SshFeed("there", rate_hz=10.0, ask=ask)) as feed:
        read_until(feed, lambda records: samples(records) >= 1)
        questions = feed._questions
        assert questions is not None
        folder = questions._folder
        assert folder.stat().st_mode & 0o777 == 0o700

    ((prompt, secret),) = asked
    assert "SHA256:" in prompt
    assert not secret
    assert not folder.exists()
    assert "ssh-ed25519" in (sshd.folder / "known").read_text()


def test_the_passphrase_of_a_key_is_asked_as_a_secret(sshd: Sshd, peer: Peer) -> None:
    (sshd.folder / "user").unlink()
    make_key(peer("ssh-keygen"), sshd.folder / "user", PHRASE)
    (sshd.folder / "authorized").write_text((sshd.folder / "user.pub").read_text())
    sshd.start()
    sshd.know()
    asked: list[bool] = []

    def ask(prompt: str, secret: bool) -> str | None:  # noqa: FBT001 - the protocol's shape
        assert "passphrase" in prompt
        asked.append(secret)
        return PHRASE

    with contextlib.closing(SshFeed("there", rate_hz=10.0, ask=ask)) as feed:
        read_until(feed, lambda records: samples(records) >= 1)
        assert not any(PHRASE in line for line in command_lines())
    assert asked == [True]


def command_lines() -> list[str]:
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            lines.append(path.read_bytes().decode("utf-8", "replace"))
    return lines


def test_an_unanswered_question_is_a_cancelled_connection(sshd: Sshd) -> None:
    sshd.start()

    feed = SshFeed("there", ask=lambda _prompt, _secret: None)
    with contextlib.closing(feed), pytest.raises(Cancelled, match="not answered"):
        read_until(feed, bool)


@pytest.mark.parametrize(
    ("known", "authorized", "sentence"),
    [(False, True, "host key of there is not known"), (True, False, "there refused the login")],
)
def test_without_anybody_to_ask_questions_are_refused(
    sshd: Sshd, *, known: bool, authorized: bool, sentence: str
) -> None:
    sshd.passwords = "yes"
    sshd.start()
    if known:
        sshd.know()
    if not authorized:
        (sshd.folder / "authorized").unlink()

    feed = SshFeed("there")
    with contextlib.closing(feed), pytest.raises(KatauiError, match=sentence) as raised:
        read_until(feed, bool)
    assert "ssh there" in raised.value.hint


def test_a_changed_host_key_is_said_and_not_tried_again(sshd: Sshd) -> None:
    sshd.start()
    sshd.know()
    other = (sshd.folder / "user.pub").read_text()
    (sshd.folder / "known").write_text(f"[127.0.0.1]:{sshd.port} {other}")

    feed = SshFeed("there", ask=lambda _prompt, _secret: "yes")
    with contextlib.closing(feed), pytest.raises(KatauiError, match="another host key"):
        read_until(feed, bool)


def test_a_killed_connection_is_lost_and_comes_back(sshd: Sshd) -> None:
    sshd.start()
    sshd.know()

    with contextlib.closing(SshFeed("there", rate_hz=10.0, patience=QUICK)) as feed:
        read_until(feed, lambda records: samples(records) >= 1)
        until(lambda: len(sshd.sessions()) == 1, "one session")
        os.kill(sshd.sessions()[0], signal.SIGKILL)

        read_until(feed, lambda _: feed.state.line is Line.LOST)
        assert "There is no line to there" in feed.state.sentence
        assert feed.state.retry_s is not None
        records = read_until(feed, lambda records: samples(records) >= 1)

    assert [record.kind for record in records][:1] == [b"H"]


def test_a_server_that_is_away_for_a_while_is_found_again(sshd: Sshd) -> None:
    sshd.start()
    sshd.know()

    with contextlib.closing(SshFeed("there", rate_hz=10.0, patience=QUICK)) as feed:
        read_until(feed, lambda records: samples(records) >= 1)
        sessions = sshd.sessions()
        sshd.stop()
        for session in sessions:
            os.kill(session, signal.SIGKILL)
        read_until(feed, lambda _: feed._failures >= 2)
        assert feed.state.line is Line.LOST
        sshd.start()
        read_until(feed, lambda records: samples(records) >= 1)
        assert feed.state.line is Line.LIVE


def test_a_remote_host_that_hangs_is_noticed(sshd: Sshd) -> None:
    sshd.start()
    sshd.know()

    with contextlib.closing(SshFeed("there", rate_hz=10.0, patience=QUICK)) as feed:
        read_until(feed, lambda records: samples(records) >= 1)
        stopped = processes(REMOTE)
        for pid in stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        try:
            read_until(feed, lambda _: feed.state.line is Line.LOST)
            assert "Nothing came from there" in feed.state.sentence
        finally:
            for pid in stopped:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
        read_until(feed, lambda records: samples(records) >= 1)


def test_a_host_without_python_is_said(sshd: Sshd) -> None:
    sshd.bare("/nowhere")
    sshd.start()
    sshd.know()

    feed = SshFeed("there")
    with contextlib.closing(feed), pytest.raises(KatauiError, match="no python3 on there"):
        read_until(feed, bool)


def test_a_python_that_is_too_old_is_said_with_its_version(sshd: Sshd) -> None:
    old = sshd.folder / "old" / "python3"
    old.parent.mkdir()
    code = 'import sys; sys.version_info = (3, 6, 8, "final", 0); exec(sys.argv[3])'
    old.write_text(f"#!/bin/sh\nexec /usr/bin/python3 -c '{code}' \"$@\"\n")
    old.chmod(0o755)
    sshd.bare(f"{old.parent}:/usr/bin:/bin")
    sshd.start()
    sshd.know()

    feed = SshFeed("there")
    with contextlib.closing(feed), pytest.raises(KatauiError, match=r"too old \(3\.6\)"):
        read_until(feed, bool)


def test_an_unknown_host_and_a_closed_port_are_sentences(sshd: Sshd) -> None:
    for host, sentence in (
        ("no-such-host.invalid", "no-such-host.invalid is not known"),
        ("there", "no line to there .*refused"),
    ):
        feed = SshFeed(host)
        with contextlib.closing(feed), pytest.raises(KatauiError, match=sentence):
            read_until(feed, bool)


def test_the_capacity_of_another_host_is_read(sshd: Sshd) -> None:
    sshd.start()
    sshd.know()
    facts = remote_facts("there", Control())
    text = Path("/proc/meminfo").read_text()
    total = next(line for line in text.splitlines() if line.startswith("MemTotal"))
    assert facts.memory_bytes == int(total.split()[1]) * 1024
    assert facts.memory_from == "meminfo of there"
