"""The signals of an experiment: A, B, the change with its whisker, and the answer in words."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from kataui.files import clean
from kataui.isolation.experiment import Answer, Effect
from kataui.ui import theme
from kataui.ui.icons import IconLabel
from kataui.ui.isolation.whisker import Whisker
from kataui.ui.widgets.card import row
from kataui.ui.widgets.text import label

_MOST = 24
_CORES = "CPU of helpers"
_HEADER = ("Sandbox", "Signal", "A", "B", "Change", "", "Answer")
_MARKS = {Answer.BETTER: "pass", Answer.WORSE: "fail", Answer.SAME: "unknown"}
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_NUMBERS = range(2, 5)
_BAR = 5


class EffectTable(QWidget):
    """The clearest changes first; what is left out is counted."""

    def __init__(self) -> None:
        super().__init__()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._holder: QWidget | None = None

    def show_effects(self, effects: Sequence[Effect]) -> None:
        """Replace what is shown."""
        if self._holder is not None:
            self._layout.removeWidget(self._holder)
            self._holder.deleteLater()
        ordered = sorted(effects, key=lambda one: (one.answer is Answer.SAME, -abs(one.change)))
        self._holder = self._made(ordered[:_MOST], len(ordered) - _MOST)
        self._layout.addWidget(self._holder)

    def _made(self, effects: Sequence[Effect], left_out: int) -> QWidget:
        holder = QWidget()
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.u(4))
        grid.setVerticalSpacing(theme.u(1.5))
        grid.setColumnStretch(_BAR, 1)
        for column, title in enumerate(_HEADER):
            head = label(title, "label", wrap=False)
            grid.addWidget(head, 0, column, _RIGHT if column in _NUMBERS else Qt.AlignmentFlag(0))
        for line, found in enumerate(effects, 1):
            _add_row(grid, line, found, _scale(effects, found))
        if left_out > 0:
            words = f"and {left_out} more, with smaller changes or none"
            grid.addWidget(label(words, "note"), len(effects) + 1, 0, 1, len(_HEADER))
        return holder


def _scale(effects: Sequence[Effect], found: Effect) -> float:
    """The widest interval of the same unit."""
    same = [one for one in effects if (one.signal == _CORES) == (found.signal == _CORES)]
    return max(abs(bound) for one in same for bound in (one.low, one.high))


def _add_row(grid: QGridLayout, line: int, found: Effect, scale: float) -> None:
    texts = (
        clean(found.sandbox, limit=40),
        found.signal,
        value_text(found.signal, found.mean_a),
        value_text(found.signal, found.mean_b),
        change_text(found.signal, found.change),
    )
    for column, text in enumerate(texts):
        side = _RIGHT if column in _NUMBERS else Qt.AlignmentFlag.AlignVCenter
        grid.addWidget(label(text, wrap=False), line, column, side)
    low, high = (change_text(found.signal, bound) for bound in (found.low, found.high))
    bar = Whisker()
    words = f"{texts[0]}, {found.signal}: {texts[4]}, 95\u00a0% interval {low} to {high}"
    bar.show_effect(found, scale, words)
    grid.addWidget(bar, line, _BAR)
    answer = QWidget()
    mark = IconLabel(_MARKS.get(found.answer, "unknown"), size_u=4)
    answer.setLayout(row(mark, label(found.answer.value, wrap=False), None, spacing_u=1.5))
    grid.addWidget(answer, line, _BAR + 1)


def value_text(signal: str, value: float) -> str:
    """A mean with its unit."""
    if signal == _CORES:
        return f"{value:.2f}\u00a0cores"
    return f"{100 * value:.1f}\u00a0%"


def change_text(signal: str, value: float) -> str:
    """A change with its sign: points of percent, or cores."""
    sign = "+" if value > 0 else "\N{MINUS SIGN}" if value < 0 else ""
    if signal == _CORES:
        return f"{sign}{abs(value):.2f}\u00a0cores"
    return f"{sign}{100 * abs(value):.1f}\u00a0points"
