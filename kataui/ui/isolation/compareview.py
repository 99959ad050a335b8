"""A and B: mark, change something, mark again, and see whether it helped."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from kataui.findings import Finding
from kataui.isolation.experiment import WARM_UP_S, Answer, Effect, sentence
from kataui.isolation.measure import Comparison
from kataui.ui import theme
from kataui.ui.widgets.banner import VerdictBanner
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, row
from kataui.ui.widgets.text import label

_HOW = (
    "Mark A while things are as they are. Change one thing on the host. Mark B when the change is "
    f"in place. The first {WARM_UP_S:.0f} s of each side are left out; a minute or more on each "
    "side gives a useful answer."
)
_BANNERS = {
    Answer.BETTER: ("pass", "Better"),
    Answer.WORSE: ("fail", "Worse"),
    Answer.SAME: ("unknown", "No difference I can see"),
    Answer.UNKNOWN: ("unknown", "Not measured"),
}
_PERCENT = ("waits", "waits for others", "own limit", "IO stalls", "memory stalls")


class CompareView(QWidget):
    """``mark`` sets the marker A or B; ``compare`` starts the comparison."""

    def __init__(self, mark: Callable[[str], None], compare: Callable[[], None]) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.u(4))
        layout.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.banner = VerdictBanner()
        self.banner.setVisible(False)
        layout.addWidget(self.banner)
        card = Card("Measure a change")
        self._about = label("", "strong")
        self._about.setVisible(False)
        card.body.addWidget(self._about)
        card.body.addWidget(label(_HOW, "dim"))
        self._a = Button("Mark A", lambda: mark("A"), icon="flag")
        self._b = Button("Mark B", lambda: mark("B"), icon="flag")
        self._compare = Button("Compare A and B", compare, icon="measure", kind="primary")
        self._state = label("", "note")
        card.body.addLayout(row(self._a, self._b, self._compare, None))
        card.body.addWidget(self._state)
        layout.addWidget(card)
        self._result = Card("What changed")
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(theme.u(5))
        self._grid.setVerticalSpacing(theme.u(1.5))
        self._result.body.addLayout(self._grid)
        self._result.setVisible(False)
        layout.addWidget(self._result)
        self.show_markers({})

    def show_markers(self, set_s: dict[str, float]) -> None:
        """Which of A and B are set, and how long ago (s)."""
        words = [f"{name} was marked {ago:.0f} s ago." for name, ago in set_s.items()]
        self._state.setText(" ".join(words) or "Neither A nor B is marked yet.")
        missing = [name for name in ("A", "B") if name not in set_s]
        self._compare.set_reason(f"Mark {' and '.join(missing)} first." if missing else "")

    def begin(self, finding: Finding) -> None:
        """Measure the fix of a finding."""
        self._about.setText(f"To measure: {finding.message}")
        self._about.setVisible(True)

    def show_problem(self, text: str) -> None:
        """Why nothing can be compared."""
        self.banner.setVisible(True)
        self.banner.show_verdict("unknown", text, word="Not measured")

    def show_comparison(self, found: Comparison) -> None:
        """The answer, and every signal under it."""
        main = found.main
        self.banner.setVisible(main is not None)
        if main is not None:
            kind, word = _BANNERS[main.answer]
            scope = f"{main.sandbox}. The first {found.warm_up_s:.0f} s of each side are left out."
            self.banner.show_verdict(kind, sentence(main), scope, word)
        rows = [item for item in found.effects if item.answer is not Answer.UNKNOWN]
        self._fill(rows)

    def _fill(self, rows: list[Effect]) -> None:
        while (taken := self._grid.takeAt(0)) is not None:
            widget = taken.widget()
            if widget is not None:
                widget.deleteLater()
        self._result.setVisible(bool(rows))
        for column, title in enumerate(("Sandbox", "Signal", "A", "B", "Change (95 %)", "Answer")):
            self._grid.addWidget(label(title, "label", wrap=False), 0, column)
        for line, item in enumerate(rows, 1):
            low, high = _value(item.signal, item.low), _value(item.signal, item.high)
            texts = (
                item.sandbox,
                item.signal,
                _value(item.signal, item.mean_a),
                _value(item.signal, item.mean_b),
                f"{_value(item.signal, item.change)} ({low} to {high})",
                item.answer.value,
            )
            for column, text in enumerate(texts):
                self._grid.addWidget(label(text, wrap=False), line, column)
        self._grid.setColumnStretch(6, 1)


def _value(signal: str, value: float) -> str:
    if signal in _PERCENT:
        return f"{100 * value:.1f}\u00a0%"
    return f"{value:.2f}\u00a0cores"
