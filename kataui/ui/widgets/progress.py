"""The progress of one job: step, bar, bytes, rate, remaining time, cancel."""

import time
from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QProgressBar

from kataui.files import size_text
from kataui.progress import Progress
from kataui.ui import theme
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, row
from kataui.ui.widgets.text import announce, label
from kataui.ui.words import tr

ENDING = "It was asked to end, and ends where nothing is left half done."
_FULL = 1000  # per mille: byte counts do not fit a 32 bit bar
_ESTIMATE_AFTER_S = 3.0
_ANNOUNCE_EVERY = 100


class ProgressPanel(Card):
    """Shows ``Progress`` reports; Cancel calls back once and says so at once.

    With ``whole`` the bytes of a report are those of all the work, whatever its step: then the
    share is told in percent, and rate and remaining time are those of the whole. ``changed`` is
    sent after each change, for those who show the same elsewhere.
    """

    changed = Signal()

    def __init__(
        self, on_cancel: Callable[[], object], *, note: str = "", whole: bool = False
    ) -> None:
        super().__init__()
        self._on_cancel, self._whole = on_cancel, whole
        self._began_s = time.monotonic()
        self._step = ""
        self._told = 0
        self._name = label("Starting…", "heading")
        self._numbers = label("", "note", wrap=False)
        self._bar = QProgressBar()
        self._bar.setRange(0, _FULL)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(tr("Progress"))
        self._button = Button("Cancel", self.cancel, icon="x")
        self.body.addWidget(self._name)
        self.body.addWidget(self._bar)
        self.body.addLayout(row(self._numbers, None, self._button))
        if note:
            self.body.addSpacing(theme.u(1))
            self.body.addWidget(label(note, "note"))

    @property
    def step(self) -> str:
        """What is being done."""
        return self._name.text()

    @property
    def figures(self) -> str:
        """Bytes, rate and remaining time as they are shown."""
        return self._numbers.text()

    @property
    def per_mille(self) -> int | None:
        """How much of the step is done, or ``None`` when nobody knows."""
        return self._bar.value() if self._bar.maximum() else None

    @property
    def cancelled(self) -> bool:
        """Whether Cancel was pressed."""
        return not self._button.isEnabled()

    def cancel(self) -> None:
        """Ask the work to end, once, and say so."""
        if self.cancelled:
            return
        self._button.set_reason(ENDING)
        self._name.setText("Cancelling…")
        self._on_cancel()
        self.changed.emit()

    def show_progress(self, progress: Progress) -> None:
        """Show one report."""
        if not self.cancelled:
            self._show(progress)
            self.changed.emit()

    def show_step(self, step: str) -> None:
        """Show what is being done; the bar stays where it is."""
        if not self.cancelled:
            self._name.setText(step)
            self.changed.emit()

    def _show(self, progress: Progress) -> None:
        if progress.step != self._step and not self._whole:
            self._began_s = time.monotonic()
            self._told = 0
        self._step = progress.step
        self._name.setText(progress.step)
        if not progress.total_bytes:
            self._bar.setRange(0, 0)
            return
        self._bar.setRange(0, _FULL)
        share = progress.done_bytes * _FULL // progress.total_bytes
        self._bar.setValue(share)
        self._numbers.setText(self._words(progress))
        if share - self._told >= _ANNOUNCE_EVERY:
            self._told = share
            text = f"{progress.step}, {share // 10} percent"
            announce(self, text)

    def _words(self, progress: Progress) -> str:
        done, total = size_text(progress.done_bytes), size_text(progress.total_bytes)
        took_s = time.monotonic() - self._began_s
        percent = progress.done_bytes * 100 // progress.total_bytes
        parts = [f"{percent}\u00a0%" if self._whole else f"{done} of {total}"]
        if took_s > 1 and progress.done_bytes:
            rate = progress.done_bytes / took_s
            parts.append(f"{size_text(int(rate))}/s")
            if took_s > _ESTIMATE_AFTER_S:
                left_s = (progress.total_bytes - progress.done_bytes) / rate
                parts.append(f"about {max(1, round(left_s))} s left")
        return ", ".join(parts)
