"""A list of findings: mark, what, what to do, and why."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from kataui.findings import Finding
from kataui.ui import theme
from kataui.ui.icons import IconLabel
from kataui.ui.telling import in_window
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import clear, hairline
from kataui.ui.widgets.codebox import CodeBox
from kataui.ui.widgets.text import label
from kataui.ui.words import tr

Act = tuple[str, Callable[[], object]]  # the words of a button, and what it does


class FindingRow(QWidget):
    """One finding: a mark by its shape, the message, and what to do; "Why?" tells the reason.

    A finding without anything to do tells its reason at once. ``act`` is a fix that can be taken.
    """

    def __init__(self, finding: Finding, act: Act | None = None) -> None:
        super().__init__()
        kind = finding.severity.value if finding.checked else "unknown"
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(theme.u(2.5))
        self._layout.addWidget(IconLabel(kind), 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(theme.u(0.5))
        words.addWidget(label(finding.message, "strong"))
        if finding.id == "IMG-LEAK-SECRET":
            words.addWidget(label(finding.subject, "mono", selectable=True))
        fix = in_window(finding.fix).strip()
        is_code = "\n" in fix
        if is_code:
            words.addWidget(CodeBox(fix, name="Fix"))
        elif fix:
            words.addWidget(label(fix, "note"))
        self._why = label(finding.why, "note")
        if fix or not finding.why:
            self._why.hide()  # never shown before it has a parent: it would be a window
        words.addWidget(self._why)
        self._layout.addLayout(words, 1)
        if finding.why and fix:
            self._add_why(finding.message)
        if act is not None:
            button = Button(act[0], act[1], name=f"{act[0].rstrip('…')}: {finding.message}")
            self._layout.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        parts = (f"{tr(kind)}: {tr(finding.message)}", tr(finding.why), "" if is_code else tr(fix))
        self.setAccessibleName(" ".join(_sentence(part) for part in parts if part))

    def _add_why(self, message: str) -> None:
        ask = Button("Why?", self._toggle, kind="quiet", name=f"Why: {message}")
        self._layout.addWidget(ask, 0, Qt.AlignmentFlag.AlignTop)

    def _toggle(self) -> None:
        self._why.setVisible(self._why.isHidden())


class FindingList(QWidget):
    """Findings in the order given; ``acts`` gives the fix of one that can be taken, if any."""

    def __init__(
        self,
        findings: Sequence[Finding] = (),
        *,
        empty: str = "",
        acts: Callable[[Finding], Act | None] = lambda _finding: None,
    ) -> None:
        super().__init__()
        self._empty, self._acts = empty, acts
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
            self._layout.addWidget(FindingRow(finding, self._acts(finding)))


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", ":")) else f"{text}."
