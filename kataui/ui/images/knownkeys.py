"""The keys that are known here: which of them would be lost, what each opens, what to do."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from kataui import files, settings
from kataui.errors import DestinationProblem
from kataui.files import clean
from kataui.images import keystate
from kataui.images.keystate import Record, State
from kataui.progress import Control
from kataui.ui.images.keyrows import Row, rows_of, sentence_of, what_opens
from kataui.ui.images.keytable import KeyTable
from kataui.ui.jobs import Jobs
from kataui.ui.telling import problem_words
from kataui.ui.when import moment_text
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, clear
from kataui.ui.widgets.facts import Facts
from kataui.ui.widgets.flowrow import flow_row
from kataui.ui.widgets.text import label

_NONE = (
    "No key is known here yet. A key that you make, show or back up is listed, with the day on "
    "which it was last restored from its backup. Only its fingerprint and its place are kept."
)


class KnownKeys(Card):
    """A card of the page Keys.

    ``act`` gives the name of an act, the key's file, and what else is known: the split to make, or
    the backup to restore from.
    """

    act = Signal(str, str, str)

    def __init__(self, jobs: Jobs, open_images: Callable[[], list[str]]) -> None:
        super().__init__()
        self._jobs, self._open_images = jobs, open_images
        self._opens: dict[str, str] = {}
        self._chosen = ""
        self._control: Control | None = None
        self._sentence = label("", "heading")
        self.table = KeyTable()
        self.table.chosen.connect(self._on_chosen)
        self._detail = QVBoxLayout()
        self.body.addWidget(self._sentence)
        self.body.addWidget(self.table)
        self.body.addLayout(self._detail)

    def refresh(self) -> None:
        """Read the list again, and look what the keys open."""
        records = keystate.load()
        self._show(records)
        if not records:
            return
        recent = [item.path for item in settings.load().recent if item.kind == "image"]
        images = list(dict.fromkeys((*self._open_images(), *recent)))
        self.stop()
        self._control = self._jobs.start(
            partial(what_opens, records, images),
            on_done=self._on_opens,
            on_error=lambda _: None,  # cancelled by the next look
            quiet=True,
        )

    def stop(self) -> None:
        """Look no longer."""
        if self._control is not None:
            self._control.cancel()
            self._control = None

    def _on_opens(self, found: dict[str, str]) -> None:
        if self._control is None:
            return  # the page is closed
        self._opens = found
        self._show(keystate.load())

    def _show(self, records: tuple[Record, ...]) -> None:
        self.table.setVisible(bool(records))
        self._sentence.setText(sentence_of(records) if records else _NONE)
        clear(self._detail)
        self.table.show_rows(rows_of(records, self._opens), self._chosen)

    def _on_chosen(self, row: Row) -> None:
        self._chosen = row.record.fingerprint
        clear(self._detail)
        mono = frozenset({"File", "SHA-256", "Newest backup"})
        self._detail.addWidget(Facts(_facts(row.record), mono=mono))
        self._detail.addWidget(flow_row(*self._buttons(row.record)))

    def _buttons(self, record: Record) -> list[QWidget]:
        newest = record.backups[-1].path if record.backups else ""
        back_up = Button("Back up…", partial(self.act.emit, "keybackup", record.path, ""))
        split = Button("Split…", partial(self.act.emit, "keybackup", record.path, "3/5"))
        drill = Button("Run the drill…", partial(self.act.emit, "keydrill", record.path, newest))
        rotate = Button("Rotate…", partial(self.act.emit, "keyrotate", record.path, ""))
        forget = Button("Forget it", partial(self._forget, record.fingerprint), kind="quiet")
        missing = "" if files.is_file(record.path) else "Its file is not there."
        for button in (back_up, split, rotate):
            button.set_reason(missing)
        if record.state is State.NONE:
            drill.set_reason("There is no backup yet.")
        if record.kind == "cosign":
            rotate.hide()
        return [back_up, split, drill, rotate, forget]

    def _forget(self, fingerprint: str) -> None:
        try:
            keystate.forget(fingerprint)
        except DestinationProblem as error:
            self._detail.addWidget(label(" ".join(problem_words(error)), tone="fail"))
            return
        self.refresh()


def _facts(record: Record) -> list[tuple[str, str]]:
    facts = [("File", clean(record.path, limit=300) or "Not on this computer")]
    if files.is_file(record.path):
        private = files.is_private(Path(record.path))
        told = "only you can read it" if private else "others can read it: chmod 600 it"
        facts.append(("Rights", told))
    facts.append(("SHA-256", clean(record.fingerprint)))
    if record.backups:
        newest = record.backups[-1]
        facts.append(("Newest backup", clean(newest.path, limit=300)))
        facts.append(("Written", moment_text(newest.when)))
    if record.restored:
        facts.append(("Last restored", moment_text(record.restored)))
    return facts
