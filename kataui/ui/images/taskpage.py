"""A page with a form at the left and the outcome of one job at the right."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtWidgets import QVBoxLayout, QWidget

from kataui.errors import Cancelled, KatauiError
from kataui.images.keymaking import describe_key
from kataui.progress import Control
from kataui.ui import theme
from kataui.ui.jobs import Jobs
from kataui.ui.telling import problem_words
from kataui.ui.widgets.banner import VerdictBanner
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, clear, row
from kataui.ui.widgets.commandcard import CommandCard
from kataui.ui.widgets.confirm import AskSecret, ConfirmTyped
from kataui.ui.widgets.fields import Field
from kataui.ui.widgets.page import Columns, Page
from kataui.ui.widgets.progress import ProgressPanel

Work = Callable[[Control], object]


class TaskPage(Page):
    """``fields`` go into the form; ``begin`` gives the work, ``show_result`` shows what it gave."""

    def __init__(self, jobs: Jobs, title: str, facts: str, *, verb: str, icon: str) -> None:
        super().__init__(title, facts)
        self._jobs = jobs
        self._control: Control | None = None
        self.run_button = Button(verb, self.start, kind="primary", icon=icon)
        columns = Columns(shares=(1, 1), narrow_u=200)
        self.form = Card()
        self._left = columns.left
        self._left.addWidget(self.form)
        self.command_card = CommandCard(self, self.as_command, self.is_ready)
        self._left.addWidget(self.command_card)
        self.result = QVBoxLayout()
        self.result.setSpacing(theme.u(4))
        self._right = columns.right
        self._right.addLayout(self.result)
        self.body.addWidget(columns)

    def add_around(self, above: Sequence[QWidget], beside: QWidget) -> None:
        """Put cards above the form, and one at the right, under the outcome."""
        for place, card in enumerate(above):
            self._left.insertWidget(place, card)
        self._right.addWidget(beside)

    def add_fields(self, *fields: QWidget) -> None:
        """Put the fields into the form, the button under them."""
        for field in fields:
            self.form.body.addWidget(field)
        self.form.body.addLayout(row(self.command_card.toggle, None, self.run_button))

    def as_command(self) -> list[str]:
        """The command line that does the same, as words; what is missing is in capitals."""
        raise NotImplementedError

    def missing(self) -> dict[Field, str]:
        """Fields that must be filled, with what to say."""
        return {}

    def locked_keys(self) -> list[str]:
        """Key files that may ask for a passphrase."""
        return []

    def work(self, secrets: dict[str, str]) -> Work:
        """What to do; ``secrets`` maps prompts to passphrases."""
        raise NotImplementedError

    def show_result(self, outcome: object) -> None:
        """Show what the work gave."""

    def irreversible(self) -> tuple[str, str]:
        """What cannot be undone, as a sentence, and the word to type; both empty for nothing."""
        return "", ""

    def is_ready(self) -> bool:
        """Say what is missing; whether nothing is."""
        wrong = self.missing()
        for field, text in wrong.items():
            field.show_problem(text)
        if wrong:
            next(iter(wrong)).control.setFocus()
        return not wrong

    def start(self) -> None:
        """Say what is missing, ask what must be asked, and begin."""
        if not self.is_ready():
            return
        sentence, word = self.irreversible()
        if sentence:
            title = "This cannot be undone"
            ConfirmTyped(self, title, sentence, word=word, then=self._ask_secrets).open()
            return
        self._ask_secrets()

    def _ask_secrets(self) -> None:
        files = [path for path in self.locked_keys() if path and Path(path).is_file()]
        locked = []
        for path in dict.fromkeys(files):
            try:
                locked += [path] if describe_key(Path(path)).locked else []
            except KatauiError:
                continue  # the work says what is wrong with it
        self._unlock(locked, {})

    def _unlock(self, locked: list[str], secrets: dict[str, str]) -> None:
        if not locked:
            self._begin(secrets)
            return
        prompt = f"Passphrase of {Path(locked[0]).name}"

        def keep(secret: str) -> None:
            self._unlock(locked[1:], {**secrets, prompt: secret})

        AskSecret(self, prompt, keep).open()

    def _begin(self, secrets: dict[str, str]) -> None:
        clear(self.result)
        panel = ProgressPanel(self.on_closed)
        self.result.addWidget(panel)
        self.run_button.set_reason("It is being done.")
        self._control = self._jobs.start(
            self.work(secrets),
            on_done=self._on_done,
            on_error=self._on_error,
            on_progress=panel.show_progress,
        )

    def on_closed(self) -> None:
        """Stop what is going on."""
        if self._control is not None:
            self._control.cancel()

    def _on_done(self, outcome: object) -> None:
        self.run_button.set_reason("")
        clear(self.result)
        self.show_result(outcome)

    def _on_error(self, error: Exception) -> None:
        self.run_button.set_reason("")
        clear(self.result)
        if isinstance(error, Cancelled):
            self.say("unknown", "Cancelled. Nothing was written.")
        else:
            self.say("fail", *problem_words(error), word="Not done")

    def say(self, verdict: str, sentence: str, scope: str = "", word: str = "") -> None:
        """Show a banner."""
        banner = VerdictBanner()
        banner.show_verdict(verdict, sentence, scope, word)
        self.result.addWidget(banner)
