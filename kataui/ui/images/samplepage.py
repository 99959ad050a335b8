"""The sample: made, protected and proved, with throwaway keys."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QVBoxLayout, QWidget

from kataui.files import clean
from kataui.images.protect import Protected
from kataui.progress import Control
from kataui.ui.images.proofstep import ProofStep, WorkStep
from kataui.ui.jobs import Jobs


class SamplePage(QWidget):
    """Shows the work, then the proof, as the wizard does."""

    def __init__(
        self,
        jobs: Jobs,
        work: Callable[[Control], Protected],
        folder: Path,
        *,
        on_done: Callable[[Protected], None],
        open_image: Callable[[str], None],
    ) -> None:
        super().__init__()
        self.setAccessibleName(f"Sample in {clean(str(folder))}")
        self._on_done = on_done
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._work = WorkStep(lambda: None, self.on_closed)
        self._proof = ProofStep(lambda: None, open_image)
        self._layout.addWidget(self._work)
        self._layout.addWidget(self._proof)
        self._proof.hide()
        self._work.begin()
        self._control = jobs.start(
            work,
            on_done=self._show,
            on_error=self._show_error,
            on_progress=self._work.show_progress,
        )

    def on_closed(self) -> None:
        """Stop."""
        self._control.cancel()

    def _show(self, done: Protected) -> None:
        self._work.hide()
        self._proof.show_done([done])
        self._proof.show()
        self._on_done(done)

    def _show_error(self, error: Exception) -> None:
        self._work.hide()
        self._proof.show_error(error)
        self._proof.show()
