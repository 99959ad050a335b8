"""A list of findings: mark, what, why, and what to do."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from kataui.findings import Finding
from kataui.ui import theme
from kataui.ui.icons import IconLabel
from kataui.ui.widgets.card import clear, hairline
from kataui.ui.widgets.text import label


class FindingRow(QWidget):
    """One finding; a mark by its shape, the message, and a line of why or what to do."""

    def __init__(self, finding: Finding) -> None:
        super().__init__()
        kind = finding.severity.value if finding.checked else "unknown"
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.u(2.5))
        layout.addWidget(IconLabel(kind), 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(theme.u(0.5))
        words.addWidget(label(finding.message, "strong"))
        if finding.id == "IMG-LEAK-SECRET":
            words.addWidget(label(finding.subject, "mono", selectable=True))
        for text in (finding.why, finding.fix):
            if text:
                words.addWidget(label(text, "note"))
        layout.addLayout(words, 1)
        self.setAccessibleName(f"{kind}: {finding.message} {finding.why} {finding.fix}".strip())


class FindingList(QWidget):
    """Findings in the order given."""

    def __init__(self, findings: Sequence[Finding] = (), *, empty: str = "") -> None:
        super().__init__()
        self._empty = empty
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(theme.u(2.5))
        self.show_findings(findings)

    def show_findings(self, findings: Sequence[Finding]) -> None:
        """Replace what is shown."""
        clear(self._layout)
        if not findings and self._empty:
            self._layout.addWidget(label(self._empty, "dim"))
        for number, finding in enumerate(findings):
            if number:
                self._layout.addWidget(hairline())
            self._layout.addWidget(FindingRow(finding))
