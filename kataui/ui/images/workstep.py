"""Step 7: the work going on: which layer, how much of all, how long still, and Cancel."""

from collections.abc import Callable

from PySide6.QtWidgets import QVBoxLayout

from kataui.progress import Progress
from kataui.ui import theme
from kataui.ui.images.flow import Step
from kataui.ui.images.pile import LayerPile
from kataui.ui.images.steppage import StepPage
from kataui.ui.images.worklines import WorkPlan
from kataui.ui.widgets.card import Card, clear
from kataui.ui.widgets.progress import ProgressPanel

_NOTE = "Nothing is at the destination until all of it is checked."


class WorkStep(StepPage):
    """Shows the progress of the job; Cancel leaves nothing behind."""

    step = Step.PROTECT
    question = "Encrypting, signing, proving"
    why = "You can leave this page; the work goes on. Closing the window cancels it."

    def __init__(self, changed: Callable[[], None], on_cancel: Callable[[], None]) -> None:
        super().__init__(changed)
        self._on_cancel = on_cancel
        self._box = QVBoxLayout()
        self._box.setSpacing(theme.u(4))
        self.body.addLayout(self._box)
        self._plan = WorkPlan()
        self.panel: ProgressPanel | None = None
        self._card: Card | None = None
        self.pile = LayerPile()

    def begin(self, work: WorkPlan | None = None) -> None:
        """Start with an empty bar; with a plan, each layer is shown too."""
        clear(self._box)
        self._plan = work or WorkPlan()
        self.panel = ProgressPanel(self._on_cancel, note=_NOTE, whole=bool(self._plan.images))
        self._box.addWidget(self.panel)
        self.pile = LayerPile()
        self._card = Card("Layers", note="top layer first")
        self._card.body.addWidget(self.pile)
        self._card.hide()
        self._box.addWidget(self._card)

    def end(self) -> None:
        """The work is over, one way or another."""
        clear(self._box)
        self.panel = self._card = None

    def show_progress(self, progress: Progress) -> None:
        """Show one report."""
        if self.panel is None or self._card is None:
            return
        place = self._plan.place(progress)
        if place is not None:
            self.panel.show_progress(self._plan.whole(progress, place))
            self.pile.show_rows(self._plan.rows(place), "")
            self._card.show()
        elif self._plan.images:
            self.panel.show_step(progress.step)
        else:
            self.panel.show_progress(progress)
