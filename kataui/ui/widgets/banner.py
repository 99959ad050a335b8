"""The verdict banner: mark, word, sentence, and what was not checked."""

from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from kataui.ui import theme
from kataui.ui.icons import IconLabel
from kataui.ui.widgets.text import announce, label, restyle
from kataui.ui.words import tr

WORDS = {"pass": "Pass", "fail": "Fail", "unknown": "Unknown", "info": "Checking"}


class VerdictBanner(QFrame):
    """One a page. ``show_verdict`` sets it; the accessible name is word and sentence.

    A new verdict is announced to screen readers once; "checking" is not.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("look", "info")
        self._mark = IconLabel("info", size_u=8.5)
        self._word = label("", "strong", tone="info", wrap=False)
        self._sentence = label("", "heading", selectable=True)
        self._scope = label("", "dim")
        words = QVBoxLayout()
        words.setSpacing(theme.u(0.5))
        for part in (self._word, self._sentence, self._scope):
            words.addWidget(part)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(theme.u(5), theme.u(3.5), theme.u(4), theme.u(3.5))
        self._row.setSpacing(theme.u(4))
        self._row.addWidget(self._mark)
        self._row.addLayout(words, 1)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)

    def show_verdict(self, verdict: str, sentence: str, scope: str = "", word: str = "") -> None:
        """Show a verdict ("pass", "fail", "unknown", or "info" while checking)."""
        restyle(self, look=verdict)
        shown = word or WORDS[verdict]
        self._mark.set_icon(verdict)
        self._word.setText(shown)
        restyle(self._word, tone=verdict)
        self._sentence.setText(sentence)
        self._scope.setText(scope)
        self._scope.setVisible(bool(scope))
        told = f"{shown}. {sentence} {scope}".strip()
        if verdict != "info" and told != self.accessibleName():
            announce(self, told)
        self.setAccessibleName(tr(told))

    def add_action(self, button: QWidget) -> None:
        """A small button at the right; at most two."""
        self._row.addWidget(button)
