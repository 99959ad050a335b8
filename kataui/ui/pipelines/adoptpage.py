"""Putting a pipeline on Kata: the changes one by one or all, the diff, then the file."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QBoxLayout, QCheckBox, QSizePolicy, QVBoxLayout, QWidget

from kataui.files import clean, count_text
from kataui.kata.classes import offered
from kataui.kata.manifest import decode
from kataui.pipelines.adopt.changes import Change, Plan, apply
from kataui.pipelines.adopt.save import Saved, save
from kataui.pipelines.adopt.wish import DEFAULT_CLASS, Wish
from kataui.progress import Control
from kataui.ui import theme
from kataui.ui.jobs import Jobs
from kataui.ui.pipelines.checker import Checker
from kataui.ui.pipelines.controls import ClassControl
from kataui.ui.pipelines.findingsbox import FindingLine
from kataui.ui.pipelines.looking import Looked, Tried, language_of, plan_again, try_changes
from kataui.ui.telling import problem_words
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, clear, column, hairline, row
from kataui.ui.widgets.codebox import CodeBox
from kataui.ui.widgets.confirm import Confirm
from kataui.ui.widgets.diffview import DiffView
from kataui.ui.widgets.page import Page, Scroll
from kataui.ui.widgets.text import label
from kataui.ui.words import tr

_NARROW_U, _LOWEST_U = 200, 100


class _ChangeLine(QWidget):
    """A change that can be taken or left: what, where, and why."""

    def __init__(self, change: Change, toggled: Callable[[], None]) -> None:
        super().__init__()
        self.change = change
        self.box = QCheckBox(tr(clean(change.title, limit=120)))
        self.box.setChecked(True)
        self.box.setAccessibleDescription(tr(f"Line {change.line}. {clean(change.why, limit=500)}"))
        self.box.toggled.connect(lambda _: toggled())
        why = label(clean(change.why, limit=500), "note")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, theme.u(1.5), 0, theme.u(1.5))
        layout.setSpacing(theme.u(0.5))
        layout.addWidget(self.box)
        below = column(label(f"Line {change.line}", "note", wrap=False), why, spacing_u=0.5)
        below.setContentsMargins(theme.u(6), 0, 0, 0)
        layout.addLayout(below)


class AdoptPage(Page):
    """Nothing is written before "Save"; comments, order and all else stay as they are."""

    keys = ("F7 Next change", "Ctrl+S Save")

    def __init__(self, jobs: Jobs, looked: Looked, made: Plan, back: Callable[[], object]) -> None:
        self._save = Button("Save…", self.ask_save, kind="primary")
        self._copy = Button("Copy", self.copy, icon="copy", name="Copy the changed file")
        actions: list[QWidget] = [Button("Back", back, icon="left"), self._copy, self._save]
        super().__init__(f"Put {clean(looked.path.name, limit=60)} on Kata", actions=actions)
        self._jobs, self._looked, self._plan = jobs, looked, made
        self.lines: list[_ChangeLine] = []
        self.chosen: frozenset[str] = made.ids()
        self.saved: Callable[[Saved], object] = lambda _saved: None
        self.problem: Callable[[str, str], object] = lambda _message, _hint: None
        self._tries = Checker(jobs, self, f"try:{id(self)}")
        self._tries.done.connect(self._on_tried)
        self._tries.failed.connect(self._on_failed)
        self._plans = Checker(jobs, self, f"plan:{id(self)}")
        self._plans.done.connect(self._on_planned)
        self._plans.failed.connect(self._on_failed)
        keys = QShortcut(QKeySequence.StandardKey.Save, self)
        keys.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        keys.activated.connect(self._save.click)
        self._build()
        self._show_plan()

    @property
    def wanted_class(self) -> str:
        """The runtime class that is chosen or typed."""
        return str(self.runtime_class.combo.currentText()).strip() or DEFAULT_CLASS

    @property
    def takes_all(self) -> bool:
        """Whether no change is left out."""
        return self.chosen == self._plan.ids()

    def _build(self) -> None:
        self.scroller.use_all()
        self.runtime_class = ClassControl([(one.name, one.note) for one in offered()])
        self.runtime_class.set_value(DEFAULT_CLASS)
        self.runtime_class.name_it("Runtime class")
        self.runtime_class.changed.connect(lambda _: self._plan_again())
        self._all = Button("Take all", partial(self._take, on=True), kind="quiet")
        self._none = Button("Take none", partial(self._take, on=False), kind="quiet")
        card = Card("What would change")
        card.body.addLayout(column(label("Runtime class", "label"), self.runtime_class))
        card.body.addLayout(row(self._all, self._none, None))
        scroll = Scroll(margin_u=0, look="inner")
        scroll.body.setContentsMargins(theme.u(1), 0, theme.u(1), 0)
        scroll.body.setSpacing(0)
        self._changes = scroll.body
        card.body.addWidget(scroll, 1)
        self.diff = DiffView(clean(self._looked.path.name, limit=80))
        right = Card()
        right.layout().setContentsMargins(1, theme.u(1), 1, theme.u(1))  # type: ignore[union-attr]
        right.body.addWidget(self.diff, 1)
        self._columns = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._columns.setSpacing(theme.u(4))
        for part, share in ((card, 35), (right, 65)):
            part.setMinimumHeight(theme.u(_LOWEST_U))
            part.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
            self._columns.addWidget(part, share)
        self.body.addLayout(self._columns, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The diff goes below the changes where there is little room."""
        super().resizeEvent(event)
        narrow = self.width() < theme.u(_NARROW_U)
        way = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        if self._columns.direction() is not way:
            self._columns.setDirection(way)

    def take_focus(self) -> None:
        """To the first change."""
        first = self.lines[0].box if self.lines else self._save
        first.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_plan(self) -> None:
        made = self._plan
        clear(self._changes)
        self.lines = [_ChangeLine(change, self._on_toggled) for change in made.changes]
        if not made.changes:
            words = "Nothing has to change: it runs on Kata as it is."
            self._changes.addWidget(label(words, "dim"))
        for line in self.lines:
            self._changes.addWidget(line)
            self._changes.addWidget(hairline())
        for extra in made.extras:
            self._changes.addSpacing(theme.u(3))
            self._changes.addWidget(label(f"Also needed: {clean(extra.name)}", "strong"))
            self._changes.addWidget(label(clean(extra.why, limit=500), "note"))
            self._changes.addWidget(CodeBox(extra.text, name=clean(extra.name)))
        if made.notes:
            self._changes.addSpacing(theme.u(4))
            self._changes.addWidget(label("What remains for you", "heading"))
        for note in made.notes:
            self._changes.addWidget(FindingLine(note, None, None))
        many = count_text(len(made.changes), "change")
        self.set_facts(f"{made.system} · {many} · comments and order stay")
        self._choose(made.ids())

    def _on_toggled(self) -> None:
        self._choose(frozenset(one.change.id for one in self.lines if one.box.isChecked()))

    def _take(self, *, on: bool) -> None:
        self._choose(self._plan.ids() if on else frozenset())

    def _choose(self, chosen: frozenset[str]) -> None:
        self.chosen = chosen
        self._tries.ask(partial(try_changes, self._plan, chosen), at_once=True)

    def _on_tried(self, outcome: object) -> None:
        """Show the diff; a change that another one needs is taken with it."""
        if not isinstance(outcome, Tried):
            return
        self.chosen = outcome.chosen
        for line in self.lines:
            blocked = line.box.blockSignals(True)  # noqa: FBT003 - Qt's own
            line.box.setChecked(line.change.id in outcome.chosen)
            line.box.blockSignals(blocked)
        before = decode(self._plan.data).replace("\r\n", "\n")
        after = outcome.after.replace("\r\n", "\n")
        self.diff.show_diff(before, after, language_of(self._looked.path))
        self._save.set_reason("" if outcome.chosen else "Nothing is chosen that would change it.")

    def _on_failed(self, error: Exception) -> None:
        self._save.set_reason("These changes do not go together.")
        self.problem(*problem_words(error))

    def _plan_again(self) -> None:
        name = clean(self._looked.path.name, limit=200)
        wish = Wish(self.wanted_class)
        self._plans.ask(partial(plan_again, name, self._looked.data, wish))

    def _on_planned(self, outcome: object) -> None:
        if isinstance(outcome, Plan):
            self._plan = outcome
            self._show_plan()

    def copy(self) -> None:
        """The changed file, to the clipboard."""
        QGuiApplication.clipboard().setText(decode(apply(self._plan, self.chosen)))
        self._copy.set_words("Copied", icon="check")

    def ask_save(self) -> None:
        """Say what will be written, then write it."""
        path = self._looked.path
        extras = [clean(extra.name) for extra in self._plan.extras]
        beside = f" Beside it: {', '.join(extras)}." if extras else ""
        words = (
            f"{len(self.chosen)} of {len(self.lines)} changes go into {clean(str(path))}. "
            f"The file as it was stays beside it, as {clean(path.name)}.bak and the time.{beside}"
        )
        Confirm(self, "Save the changes?", words, "Save", self.save).open()

    def save(self) -> None:
        """Write the file; the old one stays beside it."""
        made, path, chosen = self._plan, self._looked.path, self.chosen

        def work(control: Control) -> Saved:
            control.check()
            return save(made, path, chosen)

        self._save.set_reason("It is being saved.")
        self._jobs.start(work, on_done=self._on_saved, on_error=self._on_failed)

    def _on_saved(self, outcome: Saved) -> None:
        self._save.set_reason("It is saved.")
        self.saved(outcome)

    def on_closed(self) -> None:
        """Nothing is tried any more."""
        self._tries.stop()
        self._plans.stop()
