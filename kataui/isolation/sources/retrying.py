"""A feed from a child process: started, listened to, started again after the line was lost."""

import contextlib
import os
import select
import signal
import threading
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass

from kataui.errors import KatauiError
from kataui.isolation.sources.child import Child, seconds_left
from kataui.isolation.sources.feed import Line, State
from kataui.isolation.stream import Record, StreamDamaged

_CLOSE_S = 1.9


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited: between attempts, for the next record, for the first one."""

    waits_s: tuple[float, ...] = (1.0, 2.0, 5.0, 10.0, 30.0)
    silence_s: float = 10.0
    connect_s: float = 60.0


USUAL = Patience()
_PERIODS = 5  # as many records may be late before the other side counts as hanging


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a child ended; None is a good end. ``again``: trying again may help."""

    error: KatauiError | None
    again: bool = True


class ChildFeed(ABC):
    """A ``Feed`` whose stream is what a child process writes.

    Before the first record every failure is raised; after it, a lost line is tried again. What
    trying again would not mend is raised always; ``read`` after that begins anew.
    """

    def __init__(self, name: str, *, period_s: float, patience: Patience = USUAL) -> None:
        self._name = name
        self._patience = patience
        self._silence_s = max(patience.silence_s, _PERIODS * period_s)
        self._state = State(Line.CONNECTING, f"Connecting to {name}.")
        self._child: Child | None = None
        self._lock = threading.Lock()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._closed = False
        self._was_live = False
        self._failures = 0
        self._heard_s = 0.0

    @abstractmethod
    def _start(self) -> Child:
        """Start the child."""

    @abstractmethod
    def _ending(self, child: Child) -> Ending:
        """Say why the child ended."""

    @property
    def state(self) -> State:
        """How it stands with the line now."""
        return self._state

    def read(self, timeout_s: float) -> list[Record]:
        """What came, as ``Feed.read`` says; raises ``KatauiError``."""
        with self._lock:
            try:
                return self._read(time.monotonic() + timeout_s)
            finally:
                if self._closed:
                    self._discard()

    def close(self) -> None:
        """End the child within two seconds; a ``read`` in another thread returns at once."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(OSError):  # a reader that saw it first has closed it
            os.eventfd_write(self._wake, 1)
        child = self._child
        if child is not None:
            child.signal(signal.SIGTERM)
        # a reader that waits for the user's answer cleans up itself when it comes back
        if self._lock.acquire(timeout=_CLOSE_S):
            try:
                self._discard()
            finally:
                self._lock.release()

    def _read(self, end_s: float) -> list[Record]:
        while not self._closed:
            if self._state.line is Line.ENDED:
                self._pause(end_s)
                return []
            if self._child is None:
                retry_s = self._state.retry_s or 0.0
                self._pause(min(end_s, retry_s))
                if time.monotonic() < retry_s or self._closed:
                    return []
                self._connect()
            else:
                records = self._listen(self._child, end_s)
                lost = self._child is None  # told at once, so that it can be shown
                if records or lost or time.monotonic() >= end_s:
                    return records
        return []

    def _pause(self, end_s: float) -> None:
        """Wait until a time, or until somebody closes."""
        waiting = select.poll()
        waiting.register(self._wake, select.POLLIN)
        waiting.poll(seconds_left(end_s) * 1000)

    def _connect(self) -> None:
        self._state = State(Line.CONNECTING, f"Connecting to {self._name}.")
        self._child = self._start()
        self._child.watch(self._wake, lambda _: None)
        self._heard()

    def _heard(self) -> None:
        """The other side is there."""
        self._heard_s = time.monotonic()

    def _listen(self, child: Child, end_s: float) -> list[Record]:
        if child.ended:
            self._over(self._ending(child))
            return []
        live = self._state.line is Line.LIVE
        patience_s = self._silence_s if live else self._patience.connect_s
        try:
            records = child.read(seconds_left(min(end_s, self._heard_s + patience_s)))
        except KatauiError as error:
            self._over(Ending(error, again=isinstance(error, StreamDamaged)))
            return []
        if records:
            self._heard()
            self._was_live, self._failures = True, 0
            self._state = State(Line.LIVE, f"Live from {self._name}.")
        elif time.monotonic() >= self._heard_s + patience_s and not child.ended:
            message = f"Nothing came from {self._name} for {patience_s:.0f}\u00a0s."
            self._over(Ending(KatauiError(message, hint="Look whether it hangs.")))
        return records

    def _over(self, ending: Ending) -> None:
        """The child has ended or is given up: say so, and when it is tried again."""
        if self._child is not None:
            self._child.stop()
            self._child = None
        if self._closed:
            return
        if ending.error is None:
            self._state = State(Line.ENDED, f"All of {self._name} was read.")
            return
        if not (ending.again and self._was_live):
            self._state = State(Line.LOST, ending.error.message)
            raise ending.error
        waits_s = self._patience.waits_s
        wait_s = waits_s[min(self._failures, len(waits_s) - 1)]
        self._failures += 1
        self._state = State(Line.LOST, ending.error.message, time.monotonic() + wait_s)

    def _discard(self) -> None:
        if self._child is not None:
            self._child.stop()
            self._child = None
        if self._wake >= 0:
            os.close(self._wake)
            self._wake = -1
