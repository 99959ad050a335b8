"""Export: what would be written where, against what is there; then the writing."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QIcon, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QListWidget, QListWidgetItem, QSizePolicy

from kataui.files import clean, count_text, write_new
from kataui.pipelines.export import Plan, PlannedFile, State, plan
from kataui.pipelines.exportwrite import Exported, write
from kataui.pipelines.model import Rendered, Template, Values
from kataui.progress import Control
from kataui.ui import icons, theme
from kataui.ui.jobs import Jobs
from kataui.ui.pipelines.applycard import ApplyCard
from kataui.ui.pipelines.checker import Checker
from kataui.ui.telling import problem_words
from kataui.ui.widgets.banner import VerdictBanner
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, row
from kataui.ui.widgets.diffview import DiffView
from kataui.ui.widgets.fields import PathField, choose_path
from kataui.ui.widgets.flowrow import flow_row
from kataui.ui.widgets.page import Page
from kataui.ui.widgets.text import label
from kataui.ui.words import tr

_NARROW_U, _LOWEST_U = 200, 80
_WORDS = {
    State.NEW: "new",
    State.SAME: "as it is",
    State.CHANGED: "changes",
    State.MERGED: "merged with your edits",
    State.CONFLICT: "both changed the same lines",
    State.EDITED: "your edits stay",
    State.REPLACED: "replaces another file",
    State.REMOVED: "goes away",
    State.LEFT: "left alone",
    State.DELETED: "stays away",
    State.BACK: "comes back",
}
_MARKS = {State.CONFLICT: "error", State.REPLACED: "warning", State.BACK: "warning"}
_HELP = (
    "What is there is kept beside it, as NAME.bak and the time. The answers go with the files, so "
    "that they can be opened and changed again."
)


@dataclass(frozen=True, slots=True)
class What:
    """What is exported: a rendered template with its answers."""

    template: Template
    values: Values
    rendered: Rendered
    kubernetes: str


@dataclass(frozen=True, slots=True)
class Outside:
    """What the page tells: back to the form, where it was written, problems, network use."""

    back: Callable[[], object]
    written: Callable[[Exported], object]
    problem: Callable[[str, str], object]
    network: Callable[[str], object]


class ExportPage(Page):
    """Nothing is written before "Write" is pressed, and then all of it or nothing."""

    keys = ("F7 Next change", "Esc Back")

    def __init__(self, jobs: Jobs, what: What, folder: str, outside: Outside) -> None:
        self._write = Button("Write", self.write, kind="primary", icon="save")
        back = Button("Back to the form", outside.back, icon="left")
        super().__init__(f"Export {what.template.title}", actions=[back, self._write])
        self._jobs, self._what, self._outside = jobs, what, outside
        self.plan: Plan | None = None
        self._checker = Checker(jobs, self, f"plan:{id(self)}")
        self._checker.done.connect(self._on_planned)
        self._checker.failed.connect(self._on_unplanned)
        self.scroller.use_all()
        self.banner = VerdictBanner()
        self.banner.hide()
        self.body.addWidget(self.banner)
        self.folder = PathField("Folder", mode="folder", help_text=_HELP)
        self.folder.changed.connect(lambda _: self.look())
        where = Card()
        where.body.addWidget(self.folder)
        self._copy = Button("Copy as patch", self.copy_patch, icon="copy")
        self._save = Button("Save as patch…", self.choose_patch, icon="save")
        where.body.addWidget(flow_row(self._copy, self._save))
        self.body.addWidget(where)
        self._build_files()
        self.apply = ApplyCard(jobs, what.rendered, what.kubernetes, outside.network)
        self.body.addWidget(self.apply)
        self._say("Choose a folder.")
        self.folder.set_text(folder)

    def _build_files(self) -> None:
        self.files = QListWidget()
        self.files.setAccessibleName(tr("Files that would be written"))
        self.files.currentRowChanged.connect(self._show_file)
        self._sentence = label("", "strong")
        self._note = label("", "note")
        left = Card("What would be written")
        left.body.addWidget(self._sentence)
        left.body.addWidget(self.files, 1)
        self.diff = DiffView("The file")
        right = Card()
        right.layout().setContentsMargins(1, theme.u(1), 1, theme.u(1))  # type: ignore[union-attr]
        note = row(self._note)
        note.setContentsMargins(theme.u(4), theme.u(1), theme.u(3), 0)
        right.body.addLayout(note)
        right.body.addWidget(self.diff, 1)
        self._columns = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._columns.setSpacing(theme.u(4))
        for part, share in ((left, 3), (right, 7)):
            part.setMinimumHeight(theme.u(_LOWEST_U))
            part.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
            self._columns.addWidget(part, share)
        self.body.addLayout(self._columns, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The diff goes below the files where there is little room."""
        super().resizeEvent(event)
        narrow = self.width() < theme.u(_NARROW_U)
        way = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        if self._columns.direction() is not way:
            self._columns.setDirection(way)

    def take_focus(self) -> None:
        """To the folder."""
        self.folder.edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def look(self) -> None:
        """See what the folder has, and what would be written."""
        self.plan = None
        if not self.folder.text:
            self._checker.stop()
            self.files.clear()
            self._say("Choose a folder.")
            return
        self._say("Looking…")
        what, folder = self._what, Path(self.folder.text).expanduser()

        def work(control: Control) -> Plan:
            control.check()
            return plan(
                what.template, what.values, what.rendered, folder, kubernetes=what.kubernetes
            )

        self._checker.ask(work)

    def _say(self, words: str) -> None:
        """Say why nothing can be written now."""
        self._sentence.setText(words)
        self._write.set_reason(words)
        self._copy.set_reason(words)
        self._save.set_reason(words)

    def _on_unplanned(self, error: Exception) -> None:
        message, hint = problem_words(error)
        self.files.clear()
        self._say(message)
        self.folder.show_problem(f"{message} {hint}".strip())

    def _on_planned(self, outcome: object) -> None:
        if not isinstance(outcome, Plan):
            return
        self.plan = outcome
        self.files.blockSignals(True)  # noqa: FBT003 - Qt's own
        self.files.clear()
        for file in outcome.files:
            self.files.addItem(_item(file))
        self.files.blockSignals(False)  # noqa: FBT003 - Qt's own
        changes = outcome.changes
        reason = "" if changes else "The folder has all of it already."
        for button in (self._write, self._copy, self._save):
            button.set_reason(reason)
        self._write.set_words(f"Write {count_text(len(changes), 'file')}")
        self._sentence.setText(told(outcome))
        first = next((n for n, file in enumerate(outcome.files) if file.differs), 0)
        self.files.setCurrentRow(first)
        self._show_file(first)

    def _show_file(self, number: int) -> None:
        if self.plan is None or not 0 <= number < len(self.plan.files):
            return
        file = self.plan.files[number]
        before, after = (_text(data) for data in (file.before, file.after))
        found = self._what.rendered.file(file.path)
        self._note.setText(file.note)
        self._note.setHidden(not file.note)
        self.diff.show_diff(before, after, found.language if found else "yaml")

    def copy_patch(self) -> None:
        """All changes as a patch, to the clipboard."""
        if self.plan is not None:
            QGuiApplication.clipboard().setText(self.plan.patch())
            self._copy.set_words("Copied", icon="check")

    def choose_patch(self) -> None:
        """Let the user choose where the patch goes."""
        choose_path(self, "Save the patch", "save", "", self.save_patch)

    def save_patch(self, path: str) -> None:
        """Write the patch into a new file."""
        if self.plan is None:
            return
        place = Path(path)
        place = place if place.suffix else place.with_name(f"{place.name}.patch")
        patch = self.plan.patch().encode()

        def work(_control: Control) -> Path:
            write_new(place, patch)
            return place

        self._jobs.start(
            work,
            on_done=lambda done: self._done(
                f"The patch is in {clean(str(done))}.", "git apply it."
            ),
            on_error=self._on_error,
        )

    def write(self) -> None:
        """Do what is shown."""
        if self.plan is None:
            return
        self._write.set_reason("It is being written.")
        self._jobs.start(
            partial(write, self.plan), on_done=self._on_written, on_error=self._on_error
        )

    def _on_written(self, done: Exported) -> None:
        many = len(done.written)
        words = f"{count_text(many, 'file')} written to {clean(str(done.folder))}."
        kept = "What they replaced is kept beside them." if done.backups else ""
        self._done(words, f"README.md there has the commands. {kept}".rstrip())
        self._outside.written(done)
        self.look()

    def _done(self, words: str, scope: str) -> None:
        self.banner.show_verdict("pass", words, scope, word="Done")
        self.banner.show()

    def _on_error(self, error: Exception) -> None:
        self.banner.show_verdict("fail", *problem_words(error), word="Not done")
        self.banner.show()
        self.look()

    def on_closed(self) -> None:
        """Nothing is looked at any more."""
        self._checker.stop()
        self.apply.on_closed()


def told(made: Plan) -> str:
    """What an export will do, in a sentence."""
    changes, conflicts = made.changes, made.conflicts
    if not changes:
        return "The folder has all of it already."
    new = sum(1 for file in changes if file.before is None)
    parts = [f"{new} new"] if new else []
    if len(changes) > new:
        parts.append(f"{len(changes) - new} changed, with a backup")
    if conflicts:
        parts.append(f"{len(conflicts)} where you and the template changed the same lines")
    return f"{', '.join(parts).capitalize()}."


def _item(file: PlannedFile) -> QListWidgetItem:
    words = f"{clean(file.path, limit=200)}\n{_WORDS[file.state]}"
    item = QListWidgetItem(words)
    mark = _MARKS.get(file.state)
    side = theme.u(4)
    picture = icons.mark(mark, side) if mark else icons.pixmap("file", side)
    item.setIcon(QIcon(picture))
    item.setToolTip(tr(clean(file.note or file.path, limit=300)))
    return item


def _text(data: bytes | None) -> str:
    return (data or b"").decode("utf-8", errors="replace").replace("\r\n", "\n")
