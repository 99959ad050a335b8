"""How long work reports progress and notices cancellation. No Qt here."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from kataui.errors import Cancelled


@dataclass(frozen=True, slots=True)
class Progress:
    """One progress report.

    ``step`` is a phrase for people ("Encrypting layer 4 of 7"); ``done_bytes`` of
    ``total_bytes`` belong to that step; ``total_bytes`` is 0 when unknown.
    """

    step: str
    done_bytes: int
    total_bytes: int


class Control:
    """Handed to every long function of the core."""

    def __init__(
        self,
        on_progress: Callable[[Progress], None] | None = None,
        *,
        interval_s: float = 0.1,
    ) -> None:
        self._on_progress = on_progress
        self._interval_s = interval_s
        self._last_s = 0.0
        self._last_step = ""
        self._cancel = threading.Event()

    def cancel(self) -> None:
        """Ask the work to stop; callable from any thread."""
        self._cancel.set()

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked to stop."""
        return self._cancel.is_set()

    def check(self) -> None:
        """Raise ``Cancelled`` when the user asked to stop."""
        if self._cancel.is_set():
            raise Cancelled

    def report(self, step: str, done_bytes: int, total_bytes: int) -> None:
        """Report progress, at most once an interval; raises ``Cancelled`` on request."""
        self.check()
        if self._on_progress is None:
            return
        now_s = time.monotonic()
        late = now_s - self._last_s >= self._interval_s
        if late or step != self._last_step or done_bytes == total_bytes:
            self._last_s = now_s
            self._last_step = step
            self._on_progress(Progress(step, done_bytes, total_bytes))
