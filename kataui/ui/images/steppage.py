"""What every page of the protect wizard has: a question, a short why, and answers in and out."""

from collections.abc import Callable

from PySide6.QtWidgets import QVBoxLayout, QWidget

from kataui.ui import theme
from kataui.ui.images.flow import Flow, Step
from kataui.ui.widgets.card import column
from kataui.ui.widgets.fields import Field
from kataui.ui.widgets.page import Scroll
from kataui.ui.widgets.text import label
from kataui.ui.words import tr


class StepPage(Scroll):
    """One question. ``load`` shows the answers, ``store`` gives them back changed.

    ``changed`` is called when an answer changed, so that the wizard can keep it at once.
    """

    step = Step.SOURCE
    question = ""
    why = ""

    def __init__(self, changed: Callable[[], None]) -> None:
        super().__init__()
        self._changed = changed
        self.fields: dict[str, Field] = {}
        self.setAccessibleName(tr(self.question))
        if self.question:
            question, why = label(self.question, "display"), label(self.why, "dim")
            self.body.addLayout(column(question, why, spacing_u=1))
        self._expert = QWidget()
        self.expert_box = QVBoxLayout(self._expert)
        self.expert_box.setContentsMargins(0, 0, 0, 0)
        self.expert_box.setSpacing(theme.u(4))
        self._loading = False

    def add_expert(self) -> None:
        """Put the expert's fields at the end of the page."""
        self.body.addWidget(self._expert)

    def show_expert(self, *, on: bool) -> None:
        """Show or hide details; answers stay."""
        if self._expert.parent() is not None:  # a page without details has not placed it
            self._expert.setVisible(on)

    def load(self, flow: Flow) -> None:
        """Show the answers."""

    def store(self, flow: Flow) -> Flow:
        """The flow with this page's answers."""
        return flow

    def answer_changed(self, *_: object) -> None:
        """Tell the wizard, unless the page is being filled."""
        if not self._loading:
            self._changed()

    def fill(self, flow: Flow) -> None:
        """``load`` without telling the wizard of each change."""
        self._loading = True
        try:
            self.load(flow)
        finally:
            self._loading = False

    def show_problems(self, found: dict[str, str]) -> None:
        """Put each problem under its field; the focus goes to the first."""
        for name, field in self.fields.items():
            field.show_problem(found.get(name, ""))
        for name in found:
            if name in self.fields:
                self.fields[name].control.setFocus()
                self.ensureWidgetVisible(self.fields[name])
                break
