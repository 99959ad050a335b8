"""The findings below the files: what, where, and the way there."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QVBoxLayout, QWidget

from kataui.files import clean, count_text
from kataui.findings import Finding, Severity
from kataui.ui import theme
from kataui.ui.icons import IconLabel
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import clear, hairline, row
from kataui.ui.widgets.codebox import CodeBox
from kataui.ui.widgets.page import Columns, Scroll
from kataui.ui.widgets.text import label
from kataui.ui.words import tr

_SIDE_BY_SIDE_U = 120
_MOST_SHOWN = 100


def kind_of(finding: Finding) -> str:
    """The mark of a finding."""
    return finding.severity.value if finding.checked else "unknown"


def counted(findings: Sequence[Finding]) -> str:
    """How many there are of each kind: "1 error, 2 warnings"."""
    checked = [one.severity for one in findings if one.checked]
    errors, warnings = checked.count(Severity.ERROR), checked.count(Severity.WARNING)
    notes, unknown = checked.count(Severity.INFO), len(findings) - len(checked)
    words = (
        count_text(errors, "error") if errors else "",
        count_text(warnings, "warning") if warnings else "",
        count_text(notes, "note") if notes else "",
        f"{unknown} not checked" if unknown else "",
    )
    return ", ".join(filter(None, words)) or "Nothing was found"


class FindingLine(QWidget):
    """One finding; `Why?` opens the reason and the fix in place."""

    def __init__(
        self,
        finding: Finding,
        to_line: Callable[[Finding], object] | None,
        to_field: Callable[[Finding], object] | None,
    ) -> None:
        super().__init__()
        self.finding = finding
        self._more: QWidget | None = None
        message = clean(finding.message, limit=400)
        self._words = QVBoxLayout()
        self._words.setSpacing(theme.u(0.5))
        self._words.addWidget(label(message, "strong"))
        self._words.addWidget(label(_where(finding), "note"))
        self.buttons: dict[str, Button] = {}
        if to_line and finding.location and finding.location.line:
            self._add("Go to line", lambda: to_line(finding), message)
        if to_field and finding.location and finding.location.line:
            self._add("Go to field", lambda: to_field(finding), message)
        if finding.why or finding.fix:
            self._add("Why?", self.toggle, message)
        self._line = QHBoxLayout()
        self._line.setSpacing(theme.u(1))
        self._line.addLayout(self._words, 1)
        self._line.addLayout(row(*self.buttons.values(), spacing_u=0.5))
        outer = QHBoxLayout(self)
        outer.setContentsMargins(0, theme.u(1.5), 0, theme.u(1.5))
        outer.setSpacing(theme.u(2.5))
        top = Qt.AlignmentFlag.AlignTop
        outer.addWidget(IconLabel(kind_of(finding)), 0, top)
        outer.addLayout(self._line, 1)
        self.setAccessibleName(tr(f"{kind_of(finding)}: {message} {_where(finding)}"))

    def _add(self, text: str, then: Callable[[], object], message: str) -> None:
        name = f"{text.rstrip('?')}: {message}"
        self.buttons[text] = Button(text, then, kind="quiet", name=name)

    def toggle(self) -> None:
        """Show why it matters and what to do, or hide it."""
        if self._more is None:
            self._more = self._explain()
            self._words.addWidget(self._more)
            return
        self._more.setVisible(self._more.isHidden())

    def _explain(self) -> QWidget:
        holder = QWidget()
        layout = QVBoxLayout(holder)
        layout.setContentsMargins(0, theme.u(1), 0, theme.u(1))
        layout.setSpacing(theme.u(1.5))
        finding = self.finding
        if finding.why:
            layout.addWidget(label(clean(finding.why, limit=1000), selectable=True))
        if "\n" in finding.fix.strip():
            layout.addWidget(CodeBox(finding.fix.strip(), name="Fix"))
        elif finding.fix:
            fix = clean(finding.fix, limit=1000)
            layout.addWidget(label(f"To fix it: {fix}", selectable=True))
        layout.addWidget(label(f"Rule {finding.id}", "note"))
        return holder

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The buttons go below the words where there is little room."""
        super().resizeEvent(event)
        wide = self.width() >= theme.u(_SIDE_BY_SIDE_U)
        way = QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom
        if self._line.direction() is not way:
            self._line.setDirection(way)


def _where(finding: Finding) -> str:
    place = finding.location
    parts = [clean(finding.subject, limit=120)]
    if place is not None:
        line = f", line {place.line}" if place.line else ""
        parts.insert(0, f"{clean(place.file, limit=120)}{line}")
    return " · ".join(part for part in parts if part)


class FindingsBox(QWidget):
    """``to_line`` and ``to_field`` give the finding to which the user wants to go."""

    to_line = Signal(object)
    to_field = Signal(object)

    def __init__(self, *aside: QWidget, fields: bool = True) -> None:
        super().__init__()
        self._fields = fields
        self.lines: list[FindingLine] = []
        self._count = label("Checking…", "dim", wrap=False)
        head = Columns(narrow_u=0, gap_u=1)
        head.left.addLayout(row(label("Findings", "heading", wrap=False), self._count, None))
        head.right.addLayout(row(None, *aside))
        scroll = Scroll(margin_u=0, look="inner")
        scroll.body.setContentsMargins(0, 0, 0, 0)
        scroll.body.setSpacing(0)
        self._body = scroll.body
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.u(4), theme.u(2), theme.u(3), theme.u(2))
        layout.setSpacing(theme.u(1))
        layout.addWidget(head)
        layout.addWidget(scroll, 1)

    @property
    def words(self) -> str:
        """How many there are, in words."""
        return self._count.text()

    def show_checking(self) -> None:
        """Say that it is being looked at; the last findings stay until then."""
        self._count.setText("Checking…")

    def say(self, words: str) -> None:
        """Say something in the place of the number."""
        self._count.setText(words)

    def show_findings(self, findings: Sequence[Finding]) -> None:
        """Replace what is shown, unless it is the same."""
        self._count.setText(counted(findings))
        if [line.finding for line in self.lines] == list(findings[:_MOST_SHOWN]):
            return
        clear(self._body)
        self.lines = []
        for number, finding in enumerate(findings[:_MOST_SHOWN]):
            if number:
                self._body.addWidget(hairline())
            to_field = self.to_field.emit if self._fields else None
            line = FindingLine(finding, self.to_line.emit, to_field)
            self.lines.append(line)
            self._body.addWidget(line)
        if len(findings) > _MOST_SHOWN:
            more = f"{len(findings) - _MOST_SHOWN} more are not shown; fix some of these first."
            self._body.addWidget(label(more, "note"))
