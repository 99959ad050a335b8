"""Findings of the host's settings: the list at the left, one with its fix and undo at the right."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from kataui.files import clean
from kataui.findings import Finding
from kataui.isolation.checks.check import Checked
from kataui.ui import theme
from kataui.ui.isolation import export
from kataui.ui.isolation.findinglist import WORDS, FindingPicker, kind_of
from kataui.ui.isolation.heads import Hugging
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, clear, row
from kataui.ui.widgets.codebox import CodeBox
from kataui.ui.widgets.page import Columns
from kataui.ui.widgets.text import label

_NOTE = "kataui changes nothing on the host: make the change yourself, then measure it."


class FindingsView(QWidget):
    """``measure`` gives the finding whose fix is to be measured."""

    measure = Signal(object)

    def __init__(self, again: Callable[[], None]) -> None:
        super().__init__()
        self.list = FindingPicker()
        self.list.currentItemChanged.connect(self._on_chosen)
        self._count = label("", "note")
        self._unknown = Button("Show what could not be checked", self._toggle, kind="quiet")
        self._unknown.setVisible(False)
        self._with_unknown = False
        self._outcomes: Sequence[Checked] = ()
        self._wanted: tuple[str, ...] = ()
        self._told: Finding | None = None
        left = Card("Findings")
        left.body.addWidget(self.list, 1)
        left.body.addWidget(self._count)
        left.body.addLayout(row(self._unknown, None))
        left.body.addLayout(row(Button("Check again", again, kind="quiet"), None))
        scroll = Hugging()
        self._detail = scroll.body
        self._detail.setSpacing(theme.u(2))
        right = Card()
        right.body.addWidget(scroll, 1)
        columns = Columns(shares=(4, 6), narrow_u=150)
        columns.left.addWidget(left)
        columns.right.addWidget(right)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(columns)
        self._detail.addWidget(label("Checking…", "dim"))

    def show_outcomes(self, outcomes: Sequence[Checked]) -> None:
        """Replace the list; the finding that was chosen stays chosen."""
        self._outcomes = outcomes
        self._fill()

    @property
    def shown(self) -> list[Finding]:
        """The findings in the list."""
        return self.list.findings

    def choose(self, *identifiers: str) -> None:
        """Show the first finding that has one of these ids, the first of them if possible."""
        self._wanted = identifiers
        found = [finding.id for finding in self.shown]
        for identifier in identifiers:
            if identifier in found:
                self.list.setCurrentRow(found.index(identifier))
                self._wanted = ()
                return

    def to_csv(self) -> str:
        """All findings, also those that could not be checked."""
        return export.table(
            ("id", "severity", "subject", "message", "why", "fix", "undo"),
            [
                (one.id, kind_of(one), one.subject, one.message, one.why, one.fix, one.undo)
                for one in self._all()
            ],
        )

    def _all(self) -> list[Finding]:
        from kataui.isolation.checks.all import findings_of  # noqa: PLC0415 - with its checks

        return findings_of(list(self._outcomes))

    def _toggle(self) -> None:
        self._with_unknown = not self._with_unknown
        self._fill()

    def _fill(self) -> None:
        found, before = self._all(), self.list.chosen
        unknown = sum(not finding.checked for finding in found)
        shown = [finding for finding in found if finding.checked or self._with_unknown]
        if shown != self.shown:
            self.list.show_findings(shown)
        passed = sum(outcome.passed for outcome in self._outcomes)
        self._count.setText(f"{passed} checks passed, {unknown} could not be made.")
        hide = "Hide what could not be checked"
        self._unknown.setText(hide if self._with_unknown else "Show what could not be checked")
        self._unknown.setVisible(unknown > 0)
        same = [
            number
            for number, finding in enumerate(shown)
            if before and (finding.id, finding.subject) == (before.id, before.subject)
        ]
        if shown:
            self.list.setCurrentRow(same[0] if same else 0)
            self.choose(*self._wanted)
        self._show(self.list.chosen)

    def _on_chosen(self) -> None:
        self._show(self.list.chosen)

    def _show(self, finding: Finding | None) -> None:
        if finding is not None and finding == self._told:
            return
        self._told = finding
        clear(self._detail)
        if finding is None:
            words = "Nothing was found." if self._outcomes else "Checking…"
            self._detail.addWidget(label(words, "dim"))
            return
        self._detail.addWidget(label(clean(finding.message, limit=300), "heading"))
        facts = (WORDS[kind_of(finding)], clean(finding.subject, limit=200), finding.id)
        self._detail.addWidget(label(" · ".join(fact for fact in facts if fact), "note"))
        if finding.why:
            self._detail.addWidget(label(finding.why))
        for name, text in (("Fix", finding.fix), ("Undo", finding.undo)):
            if text:
                self._detail.addSpacing(theme.u(2))
                self._detail.addWidget(label(name, "strong"))
                self._detail.addWidget(CodeBox(text, name=name))
        if finding.fix:
            self._detail.addSpacing(theme.u(2))
            button = Button(
                "Measure it…", lambda: self.measure.emit(finding), icon="measure", kind="primary"
            )
            self._detail.addLayout(row(button, None))
            self._detail.addWidget(label(_NOTE, "note"))
