"""Findings of the host's settings: the list at the left, one with its fix and undo at the right."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QSizePolicy,
    QWidget,
)

from kataui.findings import Finding
from kataui.isolation.checks.check import Checked
from kataui.ui import icons, theme
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, clear, row
from kataui.ui.widgets.codebox import CodeBox
from kataui.ui.widgets.page import Scroll
from kataui.ui.widgets.text import label

_FINDING = Qt.ItemDataRole.UserRole
_WORDS = {"error": "Fail", "warning": "Warning", "info": "Note", "unknown": "Could not check"}


class FindingsView(QWidget):
    """``measure`` gives the finding whose fix is to be measured."""

    measure = Signal(object)

    def __init__(self, again: Callable[[], None]) -> None:
        super().__init__()
        self._list = QListWidget()
        self._list.setAccessibleName("Findings")
        self._list.setWordWrap(True)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.currentItemChanged.connect(self._on_chosen)
        self._count = label("", "note")
        self._unknown = Button("Show what could not be checked", self._toggle, kind="quiet")
        self._with_unknown = False
        self._outcomes: Sequence[Checked] = ()
        self._wanted: tuple[str, ...] = ()
        left = Card("Findings", action=Button("Check again", again, kind="quiet"))
        left.body.addWidget(self._list, 1)
        left.body.addWidget(self._count)
        left.body.addLayout(row(self._unknown, None))
        scroll = Scroll(margin_u=0, look="inner")
        self._detail = scroll.body
        self._detail.setSpacing(theme.u(2.5))
        right = Card()
        right.body.addWidget(scroll, 1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.u(4))
        for card, share in ((left, 4), (right, 6)):
            card.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
            layout.addWidget(card, share)
        self._detail.addWidget(label("Checking…", "dim"))

    def show_outcomes(self, outcomes: Sequence[Checked]) -> None:
        """Replace the list; the finding that was chosen stays chosen."""
        self._outcomes = outcomes
        self._fill()

    @property
    def shown(self) -> list[Finding]:
        """The findings in the list."""
        items = (self._list.item(number) for number in range(self._list.count()))
        return [item.data(_FINDING) for item in items]

    def choose(self, *identifiers: str) -> None:
        """Show the first finding that has one of these ids, the first of them if possible."""
        self._wanted = identifiers
        found = [finding.id for finding in self.shown]
        for identifier in identifiers:
            if identifier in found:
                self._list.setCurrentRow(found.index(identifier))
                self._wanted = ()
                return

    def _toggle(self) -> None:
        self._with_unknown = not self._with_unknown
        self._fill()

    def _fill(self) -> None:
        from kataui.isolation.checks.all import findings_of  # noqa: PLC0415 - with its checks

        found = findings_of(list(self._outcomes))
        unknown = sum(not finding.checked for finding in found)
        chosen = [item.data(_FINDING) for item in self._list.selectedItems()]
        before = chosen[0] if chosen else None
        self._list.clear()
        for finding in found:
            if finding.checked or self._with_unknown:
                self._list.addItem(_item(finding))
        passed = sum(outcome.passed for outcome in self._outcomes)
        self._count.setText(f"{passed} checks passed, {unknown} could not be made.")
        hide = "Hide what could not be checked"
        self._unknown.setText(hide if self._with_unknown else "Show what could not be checked")
        self._unknown.setVisible(unknown > 0)
        same = [
            number
            for number, finding in enumerate(self.shown)
            if before and (finding.id, finding.subject) == (before.id, before.subject)
        ]
        if self._list.count():
            self._list.setCurrentRow(same[0] if same else 0)
            self.choose(*self._wanted)
        else:
            self._show(None)

    def _on_chosen(self, item: QListWidgetItem | None) -> None:
        self._show(item.data(_FINDING) if item is not None else None)

    def _show(self, finding: Finding | None) -> None:
        clear(self._detail)
        if finding is None:
            self._detail.addWidget(label("Nothing was found. That is as it should be.", "dim"))
            return
        kind = finding.severity.value if finding.checked else "unknown"
        self._detail.addWidget(label(finding.message, "heading"))
        facts = f"{_WORDS[kind]} · {finding.subject} · {finding.id}"
        self._detail.addWidget(label(facts, "note"))
        if finding.why:
            self._detail.addWidget(label(finding.why))
        if finding.fix:
            self._detail.addWidget(label("Fix", "strong"))
            self._detail.addWidget(CodeBox(finding.fix, name="Fix"))
        if finding.undo:
            self._detail.addWidget(label("Undo", "strong"))
            self._detail.addWidget(CodeBox(finding.undo, name="Undo"))
        if finding.fix:
            note = "kataui changes nothing on the host: make the change yourself, then measure it."
            self._detail.addWidget(label(note, "note"))
            button = Button(
                "Measure it…", lambda: self.measure.emit(finding), icon="measure", kind="primary"
            )
            self._detail.addLayout(row(button, None))


def _item(finding: Finding) -> QListWidgetItem:
    kind = finding.severity.value if finding.checked else "unknown"
    named = finding.subject and finding.subject not in finding.message
    text = f"{finding.subject}: {finding.message}" if named else finding.message
    item = QListWidgetItem(QIcon(icons.mark(kind, theme.u(4))), text)
    item.setData(_FINDING, finding)
    item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{_WORDS[kind]}: {text}")
    return item
