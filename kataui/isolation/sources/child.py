"""A program that writes the stream: its records, its last words, and its end."""

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from kataui.errors import NotPossibleHere
from kataui.files import clean, problem_text
from kataui.isolation.collector.stream import MAGIC
from kataui.isolation.stream import Record, Splitter, StreamDamaged

_CHUNK_BYTES = 1 << 16
_GREETING_BYTES = 1 << 16  # what a remote shell's start-up files may say before the stream
_WORDS = 50
_GRACE_S = 0.7


class Child:
    """Runs ``argv`` in a session of its own, so that nothing asks at our terminal.

    ``input_bytes`` go to its standard input, which stays open until ``stop``: its end tells the
    program that we are gone. Raises ``NotPossibleHere`` when it cannot be started.
    """

    def __init__(
        self, argv: Sequence[str], *, input_bytes: bytes = b"", env: Mapping[str, str] | None = None
    ) -> None:
        try:
            self._process = subprocess.Popen(  # noqa: S603 - a list, never a shell
                list(argv),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )
        except OSError as error:
            name = clean(Path(argv[0]).name)
            message = f"{name} cannot be started: {problem_text(error)}."
            raise NotPossibleHere(
                message, hint="Check that it is installed and may run."
            ) from error
        self._unsent = memoryview(input_bytes)
        self._splitter = Splitter()
        self._greeting: bytes | None = b""
        self._records: list[Record] = []
        self._words: deque[str] = deque(maxlen=_WORDS)
        self._word = b""
        self._pipes = selectors.DefaultSelector()
        self.ended = False
        for pipe, act in ((self._process.stdout, self._hear), (self._process.stderr, self._note)):
            if pipe is not None:
                self.watch(pipe.fileno(), act)
        if self._process.stdin is not None and input_bytes:
            handle = self._process.stdin.fileno()
            os.set_blocking(handle, False)
            self._pipes.register(handle, selectors.EVENT_WRITE, self._send)

    def watch(self, handle: int, act: Callable[[int], None]) -> None:
        """Call ``act`` within ``read`` when there is something to read at ``handle``."""
        self._pipes.register(handle, selectors.EVENT_READ, act)

    def read(self, timeout_s: float) -> list[Record]:
        """The records that came; ``ended`` tells that no more will. Raises ``StreamDamaged``.

        Returns early when something else happened that was watched for.
        """
        for key, _ in self._pipes.select(timeout_s):
            if key.fd in self._pipes.get_map():  # not closed by the one before
                key.data(key.fd)
        records, self._records = self._records, []
        return records

    @property
    def status(self) -> int:
        """How it ended: an exit status, or negative for a signal; 0 while it runs."""
        return self._process.returncode or 0

    @property
    def words(self) -> list[str]:
        """Its last lines on standard error, cleaned."""
        lines = [*self._words, clean(self._word.decode("utf-8", "replace"))]
        return [line for line in lines if line.strip()]

    def _hear(self, handle: int) -> None:
        data = os.read(handle, _CHUNK_BYTES)
        if not data:
            self._pipes.unregister(handle)
            self._finish()
            return
        if self._greeting is not None:
            self._greeting += data
            at = self._greeting.find(MAGIC)
            if at < 0:
                if len(self._greeting) > _GREETING_BYTES:
                    raise StreamDamaged("What came is no kataui stream.")
                return
            data, self._greeting = self._greeting[at:], None
        self._records += self._splitter.feed(data)

    def _note(self, handle: int) -> None:
        data = os.read(handle, _CHUNK_BYTES)
        if not data:
            self._pipes.unregister(handle)
        *lines, self._word = (self._word + data).replace(b"\r", b"\n").split(b"\n")
        self._words += [clean(line.decode("utf-8", "replace"), limit=2000) for line in lines]
        self._word = self._word[:_CHUNK_BYTES]

    def _send(self, handle: int) -> None:
        try:
            sent = os.write(handle, self._unsent[:_CHUNK_BYTES])
        except BlockingIOError:
            return
        except BrokenPipeError:
            sent = len(self._unsent)  # it ended; its last words tell why
        self._unsent = self._unsent[sent:]
        if not self._unsent:
            self._pipes.unregister(handle)

    def _finish(self) -> None:
        """Nothing more will come: wait for the exit status and the last words."""
        self._end(None, signal.SIGTERM, signal.SIGKILL)
        if self._process.stderr is not None:
            handle = self._process.stderr.fileno()
            # what is in the pipe is read; one whom it was given to may keep it open
            while handle in self._pipes.get_map():
                if not any(key.fd == handle for key, _ in self._pipes.select(0)):
                    break
                self._note(handle)
        self.ended = True

    def _end(self, *steps: signal.Signals | None) -> None:
        """Wait for its end after each step; None only waits."""
        for step in steps:
            if step is not None:
                self.signal(step)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE_S)
                return

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it and to the programs that it started."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)

    def stop(self) -> None:
        """End it, at most two seconds from now, and close our ends of the pipes."""
        process = self._process
        if process.stdin is not None:
            process.stdin.close()
        self._end(signal.SIGTERM, signal.SIGKILL)
        self._pipes.close()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
        self.ended = True


def seconds_left(end_s: float) -> float:
    """From now to a time of ``time.monotonic()``; never negative."""
    return max(0.0, end_s - time.monotonic())
