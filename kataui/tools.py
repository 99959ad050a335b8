"""Other people's programs: finding them, running them, stopping them."""

import contextlib
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from kataui.errors import Cancelled, NotPossibleHere
from kataui.files import clean
from kataui.progress import Control

_MAX_OUTPUT_BYTES = 16 << 20
_POLL_S = 0.05
_GRACE_S = 2.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended; both outputs are bounded, ``stderr`` is not cleaned."""

    name: str
    status: int
    stdout: bytes = field(repr=False)
    stderr: str = field(repr=False)

    def problem(self) -> str:
        """What it said last, cleaned, as part of a sentence."""
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
            f"{purpose} needs {name}, which is not installed here.", hint=_install_hint(name)
        )
    return path


def _install_hint(name: str) -> str:
    package = {"gpg": "gnupg"}.get(name, name)
    try:
        system = Path("/etc/os-release").read_text(encoding="utf-8")
    except OSError:
        system = ""
    if "fedora" in system:
        return f"Install it: sudo dnf install {package}"
    return f"Install it: sudo apt install {package}"


def run(
    argv: Sequence[str],
    *,
    control: Control | None = None,
    on_line: Callable[[str], None] | None = None,
    input_bytes: bytes = b"",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Outcome:
    """Run a program to its end, in a process group of its own.

    ``on_line`` gets each line that it says (both outputs, cleaned), from another thread.
    Cancelling stops the whole group, politely first, and raises ``Cancelled``.
    """
    child = subprocess.Popen(  # noqa: S603 - a list, never a shell
        list(argv),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})},
        cwd=cwd,
        start_new_session=True,
    )
    stdout, stderr = _Reader(child.stdout, on_line), _Reader(child.stderr, on_line)
    feeder = threading.Thread(target=_feed, args=(child.stdin, input_bytes), name="tool-input")
    feeder.start()
    try:
        _wait(child, control)
    finally:
        _stop(child)
        feeder.join()
        stdout.join()
        stderr.join()
    text = stderr.data.decode("utf-8", "replace")
    return Outcome(Path(argv[0]).name, child.returncode, stdout.data, text)


def _feed(stream: IO[bytes] | None, data: bytes) -> None:
    if stream is not None:
        with contextlib.suppress(BrokenPipeError), stream:
            stream.write(data)


def _wait(child: subprocess.Popen[bytes], control: Control | None) -> None:
    while True:
        try:
            child.wait(_POLL_S)
        except subprocess.TimeoutExpired:
            if control is not None and control.cancelled:
                raise Cancelled from None
        else:
            return


def _stop(child: subprocess.Popen[bytes]) -> None:
    """The ladder: interrupt, terminate, kill; nothing to do when it has ended."""
    for step in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        if child.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, step)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE_S)


class _Reader:
    """Drains one output in a thread; keeps at most 16 MiB of it."""

    def __init__(self, stream: IO[bytes] | None, on_line: Callable[[str], None] | None) -> None:
        self.data = b""
        self._stream = stream
        self._on_line = on_line
        self._thread = threading.Thread(target=self._drain, name="tool-output")
        self._thread.start()

    def _drain(self) -> None:
        if self._stream is None:
            return
        kept: list[bytes] = []
        size = 0
        with self._stream as stream:
            for line in iter(lambda: stream.readline(1 << 16), b""):
                if size < _MAX_OUTPUT_BYTES:
                    kept.append(line)
                    size += len(line)
                if self._on_line is not None:
                    self._on_line(clean(line.decode("utf-8", "replace").rstrip("\r\n"), limit=500))
        self.data = b"".join(kept)

    def join(self) -> None:
        """Wait until the output is closed."""
        self._thread.join()
