"""Checks beside typing: they begin when the fingers rest, and what is out of date is dropped."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal

from kataui.errors import Cancelled
from kataui.progress import Control
from kataui.ui.jobs import Jobs

_REST_MS = 250


class Checker(QObject):
    """``done`` gives what the last work gave, ``failed`` its error."""

    done = Signal(object)
    failed = Signal(object)

    def __init__(self, jobs: Jobs, parent: QObject, name: str) -> None:
        super().__init__(parent)
        self._jobs, self._target = jobs, f"check:{name}"
        self._work: Callable[[Control], object] | None = None
        self._number = 0
        self._control: Control | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._begin)

    def ask(self, work: Callable[[Control], object], *, at_once: bool = False) -> None:
        """Do this soon, and nothing of what was asked before."""
        self.stop()
        self._work = work
        self._timer.start(0 if at_once else _REST_MS)

    def stop(self) -> None:
        """Do not do it; what is on its way is dropped."""
        self._number += 1
        self._timer.stop()
        if self._control is not None:
            self._control.cancel()
            self._control = None

    def _begin(self) -> None:
        if self._work is None or self._jobs.closed:
            return
        self._control = self._jobs.start(
            self._work,
            on_done=partial(self._on_done, self._number),
            on_error=partial(self._on_error, self._number),
            target=self._target,
            quiet=True,
        )

    def _on_done(self, number: int, outcome: object) -> None:
        if number == self._number:
            self.done.emit(outcome)

    def _on_error(self, number: int, error: Exception) -> None:
        if number == self._number and not isinstance(error, Cancelled):
            self.failed.emit(error)
