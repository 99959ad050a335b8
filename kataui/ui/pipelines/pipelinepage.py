"""A form and its export as one page of the window; its answers are kept as they are given."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QStackedWidget

from kataui.errors import KatauiError
from kataui.pipelines.answers import holds_secret
from kataui.pipelines.exportwrite import Exported
from kataui.ui.jobs import Jobs
from kataui.ui.pipelines import exportpage
from kataui.ui.pipelines.drafts import Draft, close_draft, save_draft
from kataui.ui.pipelines.formpage import FormPage, Outside
from kataui.ui.pipelines.formstate import FormState
from kataui.ui.pipelines.rendering import rendering
from kataui.ui.telling import problem_words
from kataui.ui.widgets.card import Card
from kataui.ui.widgets.page import Page
from kataui.ui.widgets.text import label
from kataui.ui.words import tr

_KEEP_MS = 400
_SAVED, _SAVING = ("Answers saved",), ("Saving answers…",)


@dataclass(frozen=True, slots=True)
class Keeping:
    """What the page tells the window: its line in the sidebar, its status, problems.

    ``network`` says which was used, ``shown`` that another part of it is shown, ``closed`` that
    it was closed; ``remember`` gets the folder that was written; ``watch``
    shows the tab Isolation.
    """

    title: Callable[[str, str], None]
    status: Callable[[], None]
    problem: Callable[[str, str], None]
    network: Callable[[str], None]
    shown: Callable[[], None]
    closed: Callable[[], None]
    remember: Callable[[Path, str, str], None]
    watch: Callable[[], None]


class PipelinePage(QStackedWidget):
    """The form first; the export when it is asked for."""

    def __init__(self, jobs: Jobs, state: FormState, draft: Draft, keeping: Keeping) -> None:
        super().__init__()
        self.setProperty("look", "page")
        self.setAccessibleName(tr(draft.title))
        self._jobs, self.state, self.draft, self._keeping = jobs, state, draft, keeping
        self.status: tuple[str, ...] = _SAVED
        outside = Outside(
            kept=self._keep_soon,
            told=self._on_told,
            export=self.export,
            problem=keeping.problem,
            watch=keeping.watch,
        )
        self.exporting: exportpage.ExportPage | None = None
        self.form = FormPage(jobs, state, outside)
        self.addWidget(self.form)
        leave = QShortcut(QKeySequence("Esc"), self)
        leave.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        leave.activated.connect(self.back)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.keep)
        self.keep()

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of what is shown."""
        found: tuple[str, ...] = getattr(self.currentWidget(), "keys", ())
        return found

    def as_command(self) -> list[str]:
        """As words; raises ``KatauiError`` for an answer that no option can give."""
        return rendering(self.state, self.draft.folder or "FOLDER")

    def take_focus(self) -> None:
        """To the first question."""
        self.form.take_focus()

    def _keep_soon(self) -> None:
        if self.status != _SAVING:
            self.status = _SAVING
            self._keeping.status()
        self._timer.start(_KEEP_MS)

    def keep(self) -> None:
        """Keep the answers now."""
        self._timer.stop()
        self.draft = replace(
            self.draft,
            version=self.state.template.version,
            values={name: v for name, v in self.state.answered.items() if not holds_secret(v)},
            kubernetes=self.state.kubernetes,
        )
        try:
            self.draft = save_draft(self.draft)
        except KatauiError as error:
            self._keeping.problem(*problem_words(error))
            self.status = ("Answers not saved",)
        else:
            self.status = _SAVED
        self._keeping.status()

    def _on_told(self, verdict: str) -> None:
        if verdict != self.draft.mark:
            self.draft = replace(self.draft, mark=verdict)
            self._keep_soon()
        self._keeping.title(self.draft.title, verdict)

    def export(self) -> None:
        """Show what would be written."""
        rendered = self.state.view.rendered
        if rendered is None or self.state.view.problems:
            return
        self._leave_export()
        what = exportpage.What(
            self.state.template, self.state.values, rendered, self.state.kubernetes
        )
        outside = exportpage.Outside(
            back=self.back,
            written=self._on_written,
            problem=self._keeping.problem,
            network=self._keeping.network,
        )
        self.exporting = exportpage.ExportPage(self._jobs, what, self.draft.folder, outside)
        self.addWidget(self.exporting)
        self.setCurrentWidget(self.exporting)
        self.exporting.take_focus()
        self._keeping.shown()

    def back(self) -> None:
        """To the form."""
        if self.exporting is None:
            return
        self._leave_export()
        self.form.take_focus()
        self._keeping.shown()

    def _leave_export(self) -> None:
        if self.exporting is not None:
            self.exporting.on_closed()
            self.removeWidget(self.exporting)
            self.exporting.deleteLater()
            self.exporting = None

    def _on_written(self, done: Exported) -> None:
        self.draft = replace(self.draft, folder=str(done.folder))
        self.keep()
        sentence = f"{len(done.written)} files of {self.draft.title}"
        self._keeping.remember(done.folder, self.draft.mark or "unknown", sentence)

    def on_closed(self) -> None:
        """Keep the answers, and stop the checks; when the window ends, the form stays open."""
        self.form.on_closed()
        self._leave_export()
        self.keep()
        if not self._jobs.closed:
            close_draft(self.draft)
            self._keeping.closed()


class MissingTemplate(Page):
    """A form whose template is not here any more: its answers are kept all the same."""

    def __init__(self, title: str, problem: str) -> None:
        super().__init__(title)
        card = Card()
        card.body.addWidget(label(problem, "strong"))
        words = "Your answers are kept. Put the template back, and open this again."
        card.body.addWidget(label(words, "dim"))
        self.body.addWidget(card)
