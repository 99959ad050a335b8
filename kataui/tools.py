"""Other people's programs: finding them, running them, stopping them."""

import contextlib
import os
import re
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kataui.errors import NotPossibleHere
from kataui.files import clean, problem_text
from kataui.progress import Control

_STDOUT_BYTES = 16 << 20
_STDERR_BYTES = 1 << 20
_LINE_BYTES = 64 << 10
_POLL_S = 0.05
_GRACE_S = 2.0
_LADDER = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
_DEBIAN_PACKAGES = {"gpg": "gnupg"}
_FEDORA_PACKAGES = {"gpg": "gnupg2"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended.

    ``status`` is negative when a signal ended it. ``stdout`` holds the first 16 MiB of what it
    wrote, ``stderr`` the last 1 MiB, each line cleaned.
    """

    name: str
    status: int
    stdout: bytes = field(repr=False)
    stderr: str = field(repr=False)

    def problem(self) -> str:
        """What it said last, as part of a sentence."""
        lines = [line.strip() for line in self.stderr.splitlines() if line.strip()]
        said = clean(lines[-1]) if lines else "it said nothing"
        return f"{self.name} ended with status {self.status} ({said})"


def find(name: str) -> Path | None:
    """Where a program is on PATH."""
    path = shutil.which(name)
    return Path(path) if path else None


def require(name: str, *, purpose: str) -> Path:
    """Where a program is; raises ``NotPossibleHere`` with the command that installs it."""
    path = find(name)
    if path is None:
        raise NotPossibleHere(
            f"{purpose} needs {name}, which is not installed here.", hint=install_hint(name)
        )
    return path


def install_hint(name: str, *, system_file: Path = Path("/etc/os-release")) -> str:
    """The command that installs a program here (os-release(5) tells the family)."""
    try:
        system = system_file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        system = ""
    if re.search(r"^ID(_LIKE)?=.*\b(fedora|rhel)\b", system, re.MULTILINE):
        return f"Install it: sudo dnf install {_FEDORA_PACKAGES.get(name, name)}"
    return f"Install it: sudo apt install {_DEBIAN_PACKAGES.get(name, name)}"


def run(
    argv: Sequence[str],
    *,
    control: Control | None = None,
    on_line: Callable[[str], None] | None = None,
    input_bytes: bytes = b"",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Outcome:
    """Run a program to its end, in a session of its own, without a shell.

    ``on_line`` gets each line of both outputs, cleaned, in the calling thread. A daemon that the
    program leaves behind is not waited for. On cancellation, or when ``on_line`` raises, the
    whole process group is interrupted, then terminated, then killed.

    Raises ``Cancelled``; ``NotPossibleHere`` when the program cannot be started.
    """
    name = Path(argv[0]).name
    try:
        child = subprocess.Popen(  # noqa: S603 - a list, never a shell
            list(argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})},
            cwd=cwd,
            start_new_session=True,
        )
    except OSError as error:
        message = f"{clean(name)} cannot be started: {problem_text(error)}."
        raise NotPossibleHere(message, hint="Check that it is installed and may run.") from error
    with contextlib.closing(_Conversation(child, input_bytes, on_line)) as conversation:
        try:
            conversation.finish(control)
        except BaseException:
            conversation.stop()
            raise
        stderr = (clean(line, limit=4000) for line in conversation.stderr.text().splitlines())
        return Outcome(name, child.returncode, bytes(conversation.stdout.data), "\n".join(stderr))


class _Output:
    """One output of a program: what is kept of it, and its lines as they come."""

    def __init__(self, on_line: Callable[[str], None] | None, *, keep_end: bool) -> None:
        self.data = bytearray()
        self.on_line = on_line
        self._keep_end = keep_end
        self._line = b""

    def feed(self, chunk: bytes) -> None:
        """Take some bytes; none mean the end."""
        if self._keep_end:
            self.data += chunk
            if len(self.data) > 2 * _STDERR_BYTES:  # twice, so that cutting is rare
                del self.data[:-_STDERR_BYTES]
        else:
            self.data += chunk[: _STDOUT_BYTES - len(self.data)]
        if self.on_line is None:
            return
        lines = re.split(rb"[\r\n]+", self._line + chunk)
        if chunk and len(lines[-1]) < _LINE_BYTES:
            self._line = lines.pop()
        else:
            self._line = b""
        for line in filter(None, lines):
            self.on_line(_readable(line))

    def text(self) -> str:
        """The last 1 MiB as text; a character that the cut has split is replaced."""
        return self.data[-_STDERR_BYTES:].decode("utf-8", "replace").replace("\t", " ")


def _readable(line: bytes) -> str:
    return clean(line.decode("utf-8", "replace").replace("\t", " "), limit=500)


class _Conversation:
    """Feeds a program and listens to it from one thread, so that neither side ever blocks."""

    def __init__(
        self,
        child: subprocess.Popen[bytes],
        input_bytes: bytes,
        on_line: Callable[[str], None] | None,
    ) -> None:
        self._child = child
        self._unsent = memoryview(input_bytes)
        self._pipes = selectors.DefaultSelector()
        self.stdout = _Output(on_line, keep_end=False)
        self.stderr = _Output(on_line, keep_end=True)
        for pipe, output in ((child.stdout, self.stdout), (child.stderr, self.stderr)):
            if pipe is not None:
                self._pipes.register(pipe, selectors.EVENT_READ, output)
        if child.stdin is not None:
            os.set_blocking(child.stdin.fileno(), False)
            self._pipes.register(child.stdin, selectors.EVENT_WRITE)

    def finish(self, control: Control | None) -> None:
        """Wait for the program's end, then for what it has still to say."""
        while self._child.poll() is None:
            if control is not None:
                control.check()
            self._exchange()
        latest_s = time.monotonic() + _GRACE_S
        while self._pipes.get_map() and time.monotonic() < latest_s:
            self._exchange()

    def stop(self) -> None:
        """The ladder: interrupt, terminate, kill; it ends when the whole group is gone."""
        self.stdout.on_line = self.stderr.on_line = None
        for step in _LADDER:
            latest_s = time.monotonic() + _GRACE_S
            self._signal(step)
            while self._alive():
                if time.monotonic() >= latest_s:
                    break
                self._exchange()
            else:
                return

    def _alive(self) -> bool:
        return self._child.poll() is None or self._signal(0)

    def _signal(self, number: int) -> bool:
        """Whether anybody in the group was there to get it."""
        try:
            os.killpg(self._child.pid, number)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def close(self) -> None:
        """Close our ends of the pipes."""
        self._pipes.close()
        for pipe in (self._child.stdin, self._child.stdout, self._child.stderr):
            if pipe is not None:
                pipe.close()

    def _exchange(self) -> None:
        """Move bytes for at most ``_POLL_S``, or wait as long for the end."""
        if not self._pipes.get_map():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(_POLL_S)
            if self._child.returncode is not None:
                time.sleep(_POLL_S / 10)  # only others of its group are left to wait for
            return
        for key, _ in self._pipes.select(_POLL_S):
            if key.data is None:
                self._send(key.fd)
            else:
                chunk = os.read(key.fd, 1 << 16)
                if not chunk:
                    self._pipes.unregister(key.fileobj)
                key.data.feed(chunk)

    def _send(self, handle: int) -> None:
        try:
            sent = os.write(handle, self._unsent[: 1 << 16])
        except BlockingIOError:
            return
        except BrokenPipeError:
            sent = len(self._unsent)  # it does not want to know
        self._unsent = self._unsent[sent:]
        if not self._unsent and self._child.stdin is not None:
            self._pipes.unregister(handle)
            self._child.stdin.close()
