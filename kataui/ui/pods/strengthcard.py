"""How much to encrypt: one handle, the piles, what it leaves open in words, and what it costs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QIntValidator
from PySide6.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QLabel,
    QLineEdit,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from kataui.images.estimate import DEFAULT_NODES, STOPS, Estimate, Strength, estimate
from kataui.images.estimatewords import Figure, Target
from kataui.images.speed import Speed
from kataui.pods.strength import PodPiles as Stacks
from kataui.ui import theme
from kataui.ui.icons import IconLabel
from kataui.ui.pods.podpiles import PodPiles
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, column, hairline, row
from kataui.ui.widgets.page import Columns
from kataui.ui.widgets.text import announce, label, restyle
from kataui.ui.words import tr

_NAMES = {
    Strength.NOTHING: "Nothing",
    Strength.ABOVE_BASE: "Above the base",
    Strength.EVERYTHING: "Everything",
}
_FROM = "Estimates: a 0.2 s test on this computer, and the digests of these layers."
_MOST_NODES = 100_000
_COLUMNS = 3


@dataclass(frozen=True, slots=True)
class Measured:
    """What the handle is moved over: the images, and how fast this computer is."""

    stacks: Stacks
    speed: Speed


class _Figure(QWidget):
    """One number, big, with its unit; what it is below."""

    def __init__(self) -> None:
        super().__init__()
        self._value = label("", "number", wrap=False)
        self._unit = label("", "dim", wrap=False)
        self._what = label("", "note")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        base = row(self._value, self._unit, None, spacing_u=1.5)
        layout.addLayout(base)
        layout.addWidget(self._what)

    def show_figure(self, figure: Figure) -> None:
        """Change in place; where it comes from is the tool tip."""
        self._value.setText(figure.value)
        self._unit.setText(figure.unit)
        self._what.setText(figure.what)
        self.setToolTip(tr(f"From {figure.source}." if figure.source else ""))
        self.setAccessibleName(tr(f"{figure.value} {figure.unit} {figure.what}"))
        self.setAccessibleDescription(tr(figure.source))


class StrengthCard(Card):
    """``moved`` is called with each new estimate; the arrow keys move the handle."""

    def __init__(self, measured: Measured, moved: Callable[[Estimate], object]) -> None:
        super().__init__()
        self._measured, self._moved = measured, moved
        self.found: Estimate | None = None
        self.signed = QCheckBox(tr("Signed as a whole"))
        self.signed.setChecked(True)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, len(STOPS) - 1)
        self.slider.setPageStep(1)
        self.slider.setValue(len(STOPS) - 1)
        self.slider.setAccessibleName(tr("How much to encrypt"))
        self.nodes = QLineEdit(str(DEFAULT_NODES))
        self.nodes.setValidator(QIntValidator(1, _MOST_NODES, self))
        self.nodes.setAccessibleName(tr("Nodes"))
        self.nodes.setFixedWidth(theme.u(18))
        self.piles = PodPiles()
        self.piles.show_piles(measured.stacks.piles, measured.stacks.missing)
        self._stops = [self._stop(stop) for stop in STOPS]
        columns = Columns(shares=(53, 47), narrow_u=170, gap_u=8)
        self._build_left(columns)
        self._build_right(columns)
        self.body.addWidget(columns)
        self.slider.valueChanged.connect(self._on_moved)
        self.nodes.textChanged.connect(self._on_moved)
        self.signed.toggled.connect(self._on_moved)
        self._on_moved()

    def _stop(self, stop: Strength) -> QLabel:
        sides = {
            Strength.NOTHING: Qt.AlignmentFlag.AlignLeft,
            Strength.ABOVE_BASE: Qt.AlignmentFlag.AlignHCenter,
            Strength.EVERYTHING: Qt.AlignmentFlag.AlignRight,
        }
        made = label(_NAMES[stop])
        made.setAlignment(sides[stop])
        return made

    def _build_left(self, columns: Columns) -> None:
        columns.left.setSpacing(theme.u(2))
        heading = label("How much to encrypt", "heading", wrap=False)
        columns.left.addLayout(row(heading, None, self.signed))
        columns.left.addWidget(self.piles)
        columns.left.addWidget(self.slider)
        columns.left.addLayout(row(*self._stops))
        left = self._measured.stacks.left
        if left:
            more = f"{left} more images are not drawn and not counted."
            columns.left.addWidget(label(more, "note"))

    def _build_right(self, columns: Columns) -> None:
        columns.right.setSpacing(theme.u(2.5))
        self._mark = IconLabel("warning", size_u=5)
        self._sentence = label("", "strong")
        self._scope = label("", "dim")
        words = column(self._sentence, self._scope, spacing_u=0.5)
        line = row(spacing_u=3)
        line.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        line.addLayout(words, 1)
        columns.right.addLayout(line)
        columns.right.addWidget(hairline())
        self._figures = [_Figure() for _ in range(2 * _COLUMNS)]
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.u(4))
        grid.setVerticalSpacing(theme.u(2))
        for number, figure in enumerate(self._figures):
            grid.addWidget(figure, number // _COLUMNS, number % _COLUMNS)
            grid.setColumnStretch(number % _COLUMNS, 1)
        columns.right.addLayout(grid)
        columns.right.addWidget(hairline())
        self._targets: list[tuple[IconLabel, QLabel]] = []
        for _ in range(3):
            mark, text = IconLabel("pass", size_u=4), label()
            self._targets.append((mark, text))
            columns.right.addLayout(row(mark, text, spacing_u=2))
        how = Button("How?", self._toggle, kind="quiet", name="Where the figures come from")
        name = label("Nodes", "note", wrap=False)
        name.setBuddy(self.nodes)
        columns.right.addLayout(row(label(_FROM, "note"), how, name, self.nodes))
        self._sources = label("", "note", selectable=True)
        self._sources.hide()
        columns.right.addWidget(self._sources)

    def _toggle(self) -> None:
        self._sources.setVisible(self._sources.isHidden())

    @property
    def strength(self) -> Strength:
        """Where the handle stands."""
        return STOPS[self.slider.value()]

    def _on_moved(self) -> None:
        stacks = self._measured.stacks
        found = estimate(
            stacks.piles,
            self.strength,
            signed=self.signed.isChecked(),
            speed=self._measured.speed,
            nodes=int(self.nodes.text()) if self.nodes.hasAcceptableInput() else 1,
            beside=stacks.beside,
        )
        self._show(found)
        if self.found is not None and self.found.sentence != found.sentence:
            announce(self.slider, found.sentence)
        self.found = found
        self._moved(found)

    def _show(self, found: Estimate) -> None:
        for stop, text in zip(STOPS, self._stops, strict=True):
            restyle(text, textStyle="strong" if stop is self.strength else "dim")
        described = f"{_NAMES[self.strength]}. {found.sentence}"
        self.slider.setAccessibleDescription(tr(described))
        self._mark.set_icon(found.verdict)
        self._sentence.setText(found.sentence)
        self._scope.setText(found.scope)
        for widget, figure in zip(self._figures, found.figures, strict=True):
            widget.show_figure(figure)
        self._show_targets(found.targets)
        told = [f"{one.what}: from {one.source}." for one in found.figures]
        told += [f"{one.name}: from {one.source}." for one in found.targets if one.source]
        self._sources.setText("\n".join(told))
        self.piles.show_selected(found.selected)

    def _show_targets(self, targets: Sequence[Target]) -> None:
        marks = {True: "pass", False: "fail", None: "warning"}
        for number, (mark, text) in enumerate(self._targets):
            target = targets[number] if number < len(targets) else None
            mark.setVisible(target is not None)
            text.setVisible(target is not None)
            if target is not None:
                mark.set_icon(marks[target.opens])
                text.setText(target.sentence)
