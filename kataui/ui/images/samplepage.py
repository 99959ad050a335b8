"""The sample: made, protected and proved, with throwaway keys."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from kataui.files import clean
from kataui.images.protect import Protected
from kataui.progress import Control
from kataui.ui import theme
from kataui.ui.images.proofstep import ProofStep
from kataui.ui.images.workstep import WorkStep
from kataui.ui.jobs import Jobs
from kataui.ui.widgets.card import column
from kataui.ui.widgets.text import label
from kataui.ui.words import tr

_THROWAWAY = "Made with throwaway keys: they lie beside it, so it keeps no secret from anybody."


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
        deploy: Callable[[str], None],
    ) -> None:
        super().__init__()
        self.setProperty("look", "page")
        self.setAccessibleName(tr(f"Sample in {clean(str(folder))}"))
        self._on_done = on_done
        self._stack = QStackedWidget()
        self._work = WorkStep(lambda: None, self.on_closed)
        self._proof = ProofStep(lambda: None, open_image, deploy)
        for page in (self._work, self._proof):
            page.body.setContentsMargins(theme.u(7), theme.u(3), theme.u(7), theme.u(7))
            self._stack.addWidget(page)
        title = column(label("Sample image", "title"), label(_THROWAWAY, "dim"), spacing_u=0.5)
        title.setContentsMargins(theme.u(7), theme.u(5), theme.u(7), theme.u(1))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(title)
        layout.addWidget(self._stack, 1)
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
        self._work.end()
        self._proof.show_done(done)
        self._stack.setCurrentWidget(self._proof)
        self._on_done(done)

    def _show_error(self, error: Exception) -> None:
        self._work.end()
        self._proof.show_error(error)
        self._stack.setCurrentWidget(self._proof)
