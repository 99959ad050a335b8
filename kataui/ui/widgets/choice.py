"""Choosing one of a few: cards with a consequence, or a segmented switch."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QRadioButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from kataui.ui import theme
from kataui.ui.widgets.card import Chip, row
from kataui.ui.widgets.text import label, restyle
from kataui.ui.words import tr


class _ChoiceCard(QFrame):
    """A radio button with its consequence in one sentence; the whole card is the target."""

    def __init__(self, title: str, consequence: str, chip: str) -> None:
        super().__init__()
        self.radio = QRadioButton(tr(title))
        self.radio.setAccessibleName(tr(title))
        self.radio.setAccessibleDescription(tr(consequence))
        self._words = label(consequence, "dim")
        head = row(self.radio, Chip(chip), None) if chip else row(self.radio, None)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.u(4), theme.u(3), theme.u(4), theme.u(3))
        layout.setSpacing(theme.u(1))
        layout.addLayout(head)
        indent = QHBoxLayout()
        indent.setContentsMargins(theme.u(6), 0, 0, 0)
        indent.addWidget(self._words)
        layout.addLayout(indent)
        self.radio.toggled.connect(self._on_toggled)
        font = theme.font("strong")
        self.radio.setFont(font)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self._on_toggled(on=False)

    def _on_toggled(self, on: bool) -> None:  # noqa: FBT001 - Qt's signal
        restyle(self, look="chosen" if on else "card")
        _stop_at(self.radio, on=on)

    def set_consequence(self, text: str) -> None:
        """Change the sentence."""
        self._words.setText(text)
        self.radio.setAccessibleDescription(tr(text))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose by a click anywhere on the card."""
        if self.radio.isEnabled():
            self.radio.setChecked(True)
            self.radio.setFocus()
        super().mousePressEvent(event)


def _stop_at(button: QAbstractButton, *, on: bool) -> None:
    """Tab stops at the chosen one of a group; the arrows go to the others."""
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus if on else Qt.FocusPolicy.ClickFocus)


def _on_switched(button: QAbstractButton, on: bool) -> None:  # noqa: FBT001 - Qt's signal
    _stop_at(button, on=on)


class ChoiceCards(QWidget):
    """Cards of which one is chosen; ``chosen`` tells its key."""

    chosen = Signal(str)

    def __init__(self, choices: Sequence[tuple[str, str, str, str]]) -> None:
        """Each choice is (key, title, consequence, chip)."""
        super().__init__()
        self._cards: dict[str, _ChoiceCard] = {}
        group = QButtonGroup(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.u(3))
        for key, title, consequence, chip in choices:
            card = _ChoiceCard(title, consequence, chip)
            group.addButton(card.radio)
            card.radio.toggled.connect(lambda on, key=key: self.chosen.emit(key) if on else None)
            self._cards[key] = card
            layout.addWidget(card)

    def choose(self, key: str) -> None:
        """Choose a card."""
        self._cards[key].radio.setChecked(True)

    def set_consequence(self, key: str, text: str, reason: str = "") -> None:
        """Change a card's sentence; a reason disables it and is shown instead."""
        self._cards[key].set_consequence(reason or text)
        self._cards[key].radio.setEnabled(not reason)


class Segmented(QFrame):
    """Two or three views of the same thing, side by side."""

    chosen = Signal(str)

    def __init__(self, items: Sequence[str], *, name: str, current: str = "") -> None:
        super().__init__()
        self.setProperty("look", "sunken")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.setSpacing(2)
        self._group = QButtonGroup(self)
        self._buttons: dict[str, QPushButton] = {}
        for item in items:
            button = QPushButton(tr(item))
            button.setCheckable(True)
            button.setProperty("kind", "segment")
            button.setAccessibleName(tr(f"{name}: {item}"))
            button.setChecked(item == (current or items[0]))
            button.toggled.connect(partial(_on_switched, button))
            _stop_at(button, on=button.isChecked())
            button.clicked.connect(lambda _=False, item=item: self.chosen.emit(item))
            self._group.addButton(button)
            self._buttons[item] = button
            layout.addWidget(button)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    def choose(self, item: str) -> None:
        """Show an item as chosen, without a signal."""
        self._buttons[item].setChecked(True)
