"""The command that does what a form does: to read, to copy, to save for a CI job."""

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLineEdit, QWidget

from kataui.errors import KatauiError
from kataui.files import clean, write_new
from kataui.ui.commandtext import broken, script
from kataui.ui.telling import problem_words
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, row
from kataui.ui.widgets.codebox import CodeBox
from kataui.ui.widgets.fields import choose_path
from kataui.ui.widgets.text import label

_KEYS = frozenset({"key", "--key", "--sign-key"})  # what may ask for a passphrase
TITLE, HIDE = "Show as command", "Hide command"
_NOTE = "A passphrase is asked for; a job gives it with --passphrase-file."


class CommandCard(Card):
    """Shows what ``words`` give, anew with each change of a field in ``form``; hidden at first.

    What is missing stands there in capitals. ``ready`` says whether nothing is: else no script is
    saved, and what is missing is told at its field.
    """

    def __init__(
        self, form: QWidget, words: Callable[[], Sequence[str]], ready: Callable[[], bool]
    ) -> None:
        super().__init__("The command that does the same")
        self._form, self._words, self._ready = form, words, ready
        self.code = CodeBox(name="The command that does the same")
        self._told = label(_NOTE, "note")
        self.body.addWidget(self.code)
        self.body.addWidget(self._told)
        self.body.addLayout(row(None, Button("Save as script…", self._choose, icon="save")))
        self._later = QTimer(self)  # one change may come as several signals
        self._later.setSingleShot(True)
        self._later.timeout.connect(self.tell)
        self.toggle = Button(TITLE, self._toggle, icon="term", kind="quiet")
        self._watched = False
        self.hide()

    def _toggle(self) -> None:
        shown = self.isHidden()
        if shown and not self._watched:
            self._watch()
        self.toggle.set_words(HIDE if shown else TITLE)
        self.tell()
        self.setVisible(shown)

    def _watch(self) -> None:
        self._watched = True
        for edit in self._form.findChildren(QLineEdit):
            edit.textChanged.connect(lambda _: self._later.start(0))
        for combo in self._form.findChildren(QComboBox):
            combo.currentIndexChanged.connect(lambda _: self._later.start(0))
        for button in self._form.findChildren(QAbstractButton):
            signal = button.toggled if button.isCheckable() else button.clicked
            signal.connect(lambda *_: self._later.start(0))

    def tell(self) -> None:
        """Show the command as it is now, or why there is none."""
        try:
            words = self._words()
        except KatauiError as error:
            self._say(" ".join(problem_words(error)))
            return
        self.code.set_text(broken([shlex.join(words)]))
        self._told.setText(_NOTE)
        self._told.setVisible(not _KEYS.isdisjoint(words))

    def _choose(self) -> None:
        if not self._ready():
            self._say("Something is missing, or wrong: see the form.")
            return
        name = "-".join(self._words()[1:3])
        choose_path(self, "Save as script", "save", f"{name}.sh", self.save)

    def save(self, path: str) -> None:
        """Write the script, which everybody may run; says why when it cannot."""
        text = script(broken([shlex.join(self._words())]))
        try:
            write_new(Path(path), text.encode(), mode=0o755)
        except KatauiError as error:
            self._say(" ".join(problem_words(error)))
            return
        self._say(f"Saved as {clean(Path(path).name, limit=60)}.")

    def _say(self, text: str) -> None:
        self._told.setText(text)
        self._told.show()
