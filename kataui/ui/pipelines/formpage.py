"""A form at the left, the files that come of it at the right, findings below them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from kataui.files import clean, count_text
from kataui.findings import Finding
from kataui.kata.manifest import Path as ValuePath
from kataui.pipelines import checks
from kataui.pipelines.answers import effective, shown
from kataui.pipelines.model import Stage, Template, Value
from kataui.pipelines.render import fields_of
from kataui.ui import theme
from kataui.ui.jobs import Jobs
from kataui.ui.pipelines.checker import Checker
from kataui.ui.pipelines.examine import Examined, examine, verdict
from kataui.ui.pipelines.filesview import FilesView
from kataui.ui.pipelines.findingsbox import FindingsBox
from kataui.ui.pipelines.form import FormView
from kataui.ui.pipelines.formstate import FormState
from kataui.ui.pipelines.strip import StageStrip
from kataui.ui.telling import problem_words
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, hairline, row
from kataui.ui.widgets.choice import Segmented
from kataui.ui.widgets.fields import Combo
from kataui.ui.widgets.page import Page, Scroll
from kataui.ui.widgets.text import label
from kataui.ui.words import tr

_NARROW_U, _LOWEST_U, _MOST_SIZES = 200, 110, 4
_FORM, _FILES = "Form", "Files"


@dataclass(frozen=True, slots=True)
class Outside:
    """What the page tells: that answers changed, the verdict, and that it is to be exported."""

    kept: Callable[[], None]
    told: Callable[[str], None]
    export: Callable[[], None]
    problem: Callable[[str, str], None]
    watch: Callable[[], None]


_MEASURES = "isolation-benchmark"  # its result belongs beside the graphs of the host


class FormPage(Page):
    """``state`` has the answers; the page shows them and what they give."""

    keys = ("Ctrl+Z Undo", "F1 Help", "F8 Next finding", "Ctrl+E Export")

    def __init__(self, jobs: Jobs, state: FormState, outside: Outside) -> None:
        template = state.template
        self._undo = Button("Undo", self.undo, icon="undo")
        self._redo = Button("Redo", self.redo)
        export = Button("Export…", self.export, kind="primary")
        actions: list[QWidget] = [self._undo, self._redo, export]
        if template.id == _MEASURES:
            actions.insert(2, Button("Watch the host", outside.watch, icon="isolation"))
        super().__init__(template.title, actions=actions)
        self.state, self._outside = state, outside
        self.examined: Examined | None = None
        self._seen: set[str] = set()
        self._finding = -1
        self.checker = Checker(jobs, self, str(id(self)))
        self.checker.done.connect(self._on_examined)
        self.checker.failed.connect(lambda e: outside.problem(*problem_words(e)))
        self.strip = StageStrip()
        self.strip.asked.connect(self.go_to_stage)
        self.form = FormView(template)
        self.form.changed.connect(self._on_answer)
        self.form.left.connect(self._on_left)
        self.files = FilesView()
        self.files.asked.connect(self.go_to_field)
        self._build()
        self._add_shortcuts()
        self._show_answers()
        self._show_view()

    def _build(self) -> None:
        self.scroller.use_all()
        self.body.addWidget(self.strip)
        self._switch = Segmented((_FORM, _FILES), name="Show")
        self._switch.chosen.connect(self._show_side)
        self.body.addWidget(self._switch)
        self._left, self._right = Card(), self._make_right()
        scroll = Scroll(margin_u=0, look="inner")
        scroll.body.setContentsMargins(theme.u(1), theme.u(1), theme.u(1), theme.u(1))
        scroll.body.addWidget(self.form)
        self._left.body.addWidget(scroll)
        columns = QHBoxLayout()
        columns.setSpacing(theme.u(4))
        for card, share in ((self._left, 35), (self._right, 65)):
            card.setMinimumHeight(theme.u(_LOWEST_U))
            card.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
            columns.addWidget(card, share)
        self.body.addLayout(columns, 1)
        self._narrow: bool | None = None
        self._side = _FORM

    def _make_right(self) -> Card:
        card = Card()
        card.layout().setContentsMargins(1, theme.u(1), 1, theme.u(1))  # type: ignore[union-attr]
        card.body.setSpacing(0)
        self._missing = label("", "note", tone="warning")
        self._to_missing = Button("Go to field", self._go_to_missing, kind="quiet")
        self._missing_line = QWidget()
        line = row(self._missing, self._to_missing)
        line.setContentsMargins(theme.u(4), 0, theme.u(2), 0)
        self._missing_line.setLayout(line)
        self._versions = self._make_versions()
        self.findings = FindingsBox(*self._versions)
        self.findings.to_line.connect(self.go_to_finding)
        self.findings.to_field.connect(self._field_of_finding)
        for part in (self._missing_line, self.files, hairline(), self.findings):
            card.body.addWidget(part)
        card.body.setStretch(1, 3)
        card.body.setStretch(3, 1)
        return card

    def _make_versions(self) -> tuple[QWidget, ...]:
        """What it is checked for."""
        oldest = _minor(self.state.template.kubernetes)
        known = [text for text in checks.KUBERNETES_VERSIONS if _minor(text) >= oldest]
        self._version = Combo()
        self._version.setAccessibleName(tr("Kubernetes version"))
        for text in known:
            self._version.addItem(tr(f"Kubernetes {text}"), text)
        self._version.setCurrentIndex(self._version.findData(self.state.kubernetes))
        self._version.currentIndexChanged.connect(self._on_version)
        self._version.setMinimumWidth(self._version.sizeHint().width() + theme.u(4))  # the arrow
        return label("Checked for", "note", wrap=False), self._version

    def _add_shortcuts(self) -> None:
        for keys, then in (
            (QKeySequence.StandardKey.Undo, self.undo),
            (QKeySequence.StandardKey.Redo, self.redo),
            ("F8", lambda: self._step_finding(1)),
            ("Shift+F8", lambda: self._step_finding(-1)),
            ("Ctrl+E", self.export),
            ("Ctrl+PgDown", lambda: self.files.turn(1)),
            ("Ctrl+PgUp", lambda: self.files.turn(-1)),
        ):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(then)

    @property
    def template(self) -> Template:
        """What is being filled."""
        return self.state.template

    def take_focus(self) -> None:
        """To the first question."""
        names = shown(self.template, self.state.values)
        if names:
            self.form.go_to(names[0].name)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a narrow window the form and the files take turns."""
        super().resizeEvent(event)
        narrow = self.width() < theme.u(_NARROW_U)
        if narrow is not self._narrow:
            self._narrow = narrow
            self._switch.setVisible(narrow)
            self._show_side(self._side)

    def _show_side(self, side: str) -> None:
        self._side = side
        self._switch.choose(side)
        self._left.setVisible(not self._narrow or side == _FORM)
        self._right.setVisible(not self._narrow or side == _FILES)

    def _on_answer(self, name: str, value: Value) -> None:
        if not self.state.put(name, value):
            return
        parameter = self.template.parameter(name)
        if parameter is not None and any(name in one.show_if for one in self.template.parameters):
            self.form.show_values(self.state.values, shown(self.template, self.state.values))
        self.form.fields[name].show_problem("")
        self._show_view()
        self._outside.kept()

    def _on_left(self, name: str) -> None:
        """Only who has left a field is told what is wrong with it."""
        self._seen.add(name)
        self.state.seal()
        self.form.fields[name].show_problem(self.state.problem(name))

    def undo(self) -> None:
        """Take the last answer back."""
        self._moved(self.state.undo())

    def redo(self) -> None:
        """Give it again."""
        self._moved(self.state.redo())

    def _moved(self, name: str) -> None:
        if not name:
            return
        self._show_answers()
        self._show_view()
        self._outside.kept()
        self._show_side(_FORM)
        self.form.go_to(name)

    def _on_version(self, _: int) -> None:
        self.state.set_kubernetes(str(self._version.currentData()))
        self._show_view()
        self._outside.kept()

    def _show_answers(self) -> None:
        values = self.state.values
        self.form.show_values(values, shown(self.template, values))
        for name in self._seen:
            self.form.fields[name].show_problem(self.state.problem(name))

    def _show_view(self) -> None:
        """What follows from the answers, at once; the checks come after it."""
        view, values = self.state.view, self.state.values
        self._undo.set_reason("" if self.state.can_undo else "Nothing was changed yet.")
        self._redo.set_reason("" if self.state.can_redo else "Nothing was taken back.")
        self.form.show_outcome(values, effective(self.template, values))
        self._show_missing()
        if view.rendered is None:
            self.findings.say("The files come when the form is filled.")
            return
        self.files.show_files(view.rendered.files, view.changed, view.by)
        self.strip.show_stages(view.rendered.stages)
        self.set_facts(_facts(self.template, len(view.rendered.files), len(self.strip.stages)))
        self.findings.show_checking()
        options = checks.Options(kubernetes=self.state.kubernetes)
        self.checker.ask(partial(examine, view.rendered, options))

    def _show_missing(self) -> None:
        titles = [self.form.fields[one.field].parameter.title for one in self.state.view.problems]
        self._missing_line.setVisible(bool(titles))
        if titles:
            many = f" and {len(titles) - 2} more" if len(titles) > 2 else ""
            words = f"Still to answer: {', '.join(titles[:2])}{many}."
            self._missing.setText(f"{words} The files show examples instead.")

    def _go_to_missing(self) -> None:
        problems = self.state.view.problems
        if problems:
            self._show_side(_FORM)
            self.form.go_to(problems[0].field)

    def _on_examined(self, outcome: object) -> None:
        if not isinstance(outcome, Examined):
            return
        self.examined = outcome
        self.findings.show_findings(outcome.findings)
        self.files.show_findings(outcome.findings)
        self.form.show_sizes(_sizes(outcome))
        self._outside.told("" if self.state.view.problems else verdict(outcome.findings))

    def export(self) -> None:
        """Say what is missing, or go on to the export."""
        problems = self.state.view.problems
        for problem in problems:
            self._seen.add(problem.field)
            self.form.fields[problem.field].show_problem(problem.text)
        if problems:
            self._go_to_missing()
        else:
            self._outside.export()

    def go_to_stage(self, stage: Stage) -> None:
        """To the line and the field of a stage."""
        line = self._line_of(stage.file, stage.document, stage.path)
        if line:
            self.files.go_to(stage.file, line, focus=False)
        if not (stage.field and self.form.go_to(stage.field)) and line:
            self._show_side(_FILES)
            self.files.go_to(stage.file, line)

    def _line_of(self, file: str, document: int, path: ValuePath) -> int:
        rendered = self.state.view.rendered
        found = rendered.file(file) if rendered else None
        return found.lines.get((document, path), 1) if found else 0

    def go_to_finding(self, finding: Finding) -> None:
        """To the line of a finding."""
        place = finding.location
        if place is not None and place.line:
            self._show_side(_FILES)
            self.files.go_to(place.file, place.line)

    def _field_of_finding(self, finding: Finding) -> None:
        place = finding.location
        if place is not None and place.line:
            self.files.go_to(place.file, place.line, focus=False)
            self.go_to_field(place.file, place.line)

    def go_to_field(self, file: str, line: int) -> None:
        """To the answer that decides a line; says so when none does."""
        view = self.state.view
        names = []
        if not view.problems:
            names = fields_of(
                self.template, self.state.values, file, line, kubernetes=self.state.kubernetes
            )
        if names:
            self._show_side(_FORM)
            self.form.go_to(names[0])
        elif view.problems:
            self.findings.say("Answer what is missing first; then a line knows its field")
        else:
            self.findings.say(f"No answer decides line {line}: the template does")

    def _step_finding(self, by: int) -> None:
        """To the next finding that has a line."""
        found = [
            finding
            for finding in (self.examined.findings if self.examined else ())
            if finding.location and finding.location.line
        ]
        if found:
            self._finding = (max(self._finding, -1 if by > 0 else 0) + by) % len(found)
            self.go_to_finding(found[self._finding])

    def explain_field(self) -> None:
        """Show or hide the help of the field that has the focus."""
        field = self.form.focused()
        if field is not None:
            field.toggle_help()

    def on_closed(self) -> None:
        """Stop the checks."""
        self.checker.stop()


def _minor(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])


def _facts(template: Template, files: int, stages: int) -> str:
    parts = [template.system, f"template {template.version}"]
    parts.append(count_text(files, "file"))
    if stages:
        parts.append(count_text(stages, "stage"))
    return clean(" · ".join(parts), limit=200)


def _sizes(examined: Examined) -> str:
    """What the pods boot: one sentence when all are alike, else one a pod."""
    told = list(dict.fromkeys(size.told for size in examined.sizes))
    if len(told) <= 1:
        return "".join(told)
    first = {size.told: size.name for size in reversed(examined.sizes)}
    lines = [f"{clean(first[text], limit=60)}: {text}" for text in told[:_MOST_SIZES]]
    more = len(told) - _MOST_SIZES
    return "\n".join([*lines, f"and {more} more"] if more > 0 else lines)
