"""The one place where work leaves the UI thread."""

import logging
import queue
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal
from shiboken6 import isValid

from kataui.errors import Cancelled, KatauiError
from kataui.progress import Control, Progress

log = logging.getLogger(__name__)
Call = Callable[[], None]


@dataclass(slots=True, eq=False)
class _Job:
    """One piece of work: what to run and whom to tell.

    ``latest`` is the newest progress; ``told`` whether the UI thread knows that it is to be shown.
    """

    work: Callable[[Control], Any]
    on_done: Callable[[Any], None]
    on_error: Callable[[Exception], None]
    on_progress: Callable[[Progress], None] | None
    target: str
    quiet: bool = False
    control: Control = field(default_factory=Control)
    latest: Progress | None = None
    told: bool = False


class Jobs(QObject):
    """Owns the worker threads; every callback runs in the UI thread.

    A job is no QObject: one signal of this object, which lives as long as the window, wakes the
    UI thread, so no QObject dies in or under a worker. Jobs with the same ``target`` run one
    after the other. Methods of a page that was closed in between are not called.
    """

    _wake = Signal()
    busy_changed = Signal()

    def __init__(self, parent: QObject | None = None, *, workers: int = 2) -> None:
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="job")
        self._calls: queue.SimpleQueue[Call] = queue.SimpleQueue()
        self._running: list[_Job] = []
        self._waiting: list[_Job] = []
        self._closed = False
        self._wake.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        """Whether any job runs or waits that somebody would miss."""
        return any(not job.quiet for job in (*self._running, *self._waiting))

    @property
    def idle(self) -> bool:
        """Whether nothing at all runs or waits, no quiet job either."""
        return not self._running and not self._waiting

    @property
    def closed(self) -> bool:
        """Whether no work runs any more, and none will."""
        return self._closed

    def start(
        self,
        work: Callable[[Control], Any],
        *,
        on_done: Callable[[Any], None],
        on_error: Callable[[Exception], None],
        on_progress: Callable[[Progress], None] | None = None,
        target: str = "",
        quiet: bool = False,
    ) -> Control:
        """Run ``work`` in a worker; ``on_error`` also gets ``Cancelled``.

        ``quiet`` is for looks at a live source: cancelling them loses nothing.
        """
        job = _Job(work, on_done, on_error, on_progress, target, quiet)
        if on_progress is not None:
            job.control = Control(lambda progress: self._progress(job, progress))
        if target and any(other.target == target for other in self._running):
            self._waiting.append(job)
        else:
            self._submit(job)
        self.busy_changed.emit()
        return job.control

    def shutdown(self) -> None:
        """Cancel everything and wait; no callback runs after it."""
        self._closed = True
        for job in (*self._running, *self._waiting):
            job.control.cancel()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _submit(self, job: _Job) -> None:
        self._running.append(job)
        future = self._pool.submit(self._run, job)
        future.add_done_callback(lambda done: self._post(lambda: self._finish(job, done)))

    @staticmethod
    def _run(job: _Job) -> Any:
        job.control.check()
        return job.work(job.control)

    def _progress(self, job: _Job, progress: Progress) -> None:
        """From the worker: only the newest report is shown when the UI thread is late."""
        job.latest = progress  # before the flag is read: a report is never left without a wake-up
        if not job.told:
            job.told = True
            self._post(lambda: self._show(job))

    @staticmethod
    def _show(job: _Job) -> None:
        job.told = False  # before the report is taken, for the same reason
        if job.latest is not None and job.on_progress is not None and _is_alive(job.on_progress):
            job.on_progress(job.latest)

    def _post(self, call: Call) -> None:
        if not self._closed:
            self._calls.put(call)
            self._wake.emit()

    def _finish(self, job: _Job, done: "Future[Any]") -> None:
        self._running.remove(job)
        for other in self._waiting:
            if all(other.target != running.target for running in self._running):
                self._waiting.remove(other)
                self._submit(other)
                break
        self.busy_changed.emit()
        error = done.exception()
        if error is None:
            if _is_alive(job.on_done):
                job.on_done(done.result())
        elif isinstance(error, Exception):
            if not isinstance(error, KatauiError):
                log.error("job failed", exc_info=error)
            elif not isinstance(error, Cancelled):
                log.info("job ended: %s", error.message)
            if _is_alive(job.on_error):
                job.on_error(error)

    def _deliver(self) -> None:
        while not self._closed and not self._calls.empty():
            self._calls.get()()


def _is_alive(call: Callable[..., None]) -> bool:
    """Whether the object whose method this is, if any, still stands behind its Python half."""
    owner = getattr(getattr(call, "func", call), "__self__", None)
    return not isinstance(owner, QObject) or isValid(owner)
