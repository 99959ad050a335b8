"""What answers of one value are given with: a line, several lines, a choice, a switch."""

import re
from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLineEdit, QMenu, QPlainTextEdit, QWidget

from kataui.pipelines.model import Kind, Parameter, Value
from kataui.ui import theme
from kataui.ui.widgets.fields import Combo
from kataui.ui.widgets.text import label
from kataui.ui.words import tr

_WHOLE = re.compile(r"-?[0-9]{1,15}")
Names = Callable[[], Sequence[tuple[str, str]]]  # (name, title) of the answers that can be used


class AnswerControl(QWidget):
    """``changed`` gives the value as it stands, also while it is not right yet.

    ``inner`` are the widgets that take the focus.
    """

    changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._line = QHBoxLayout(self)
        self._line.setContentsMargins(0, 0, 0, 0)
        self._line.setSpacing(theme.u(2))

    @property
    def inner(self) -> list[QWidget]:
        """The widgets that take the focus."""
        raise NotImplementedError

    def set_value(self, value: Value) -> None:
        """Show a value, without a signal."""
        raise NotImplementedError

    def name_it(self, name: str) -> None:
        """Name what takes the focus."""
        for widget in self.inner:
            widget.setAccessibleName(tr(name))


class ReferringLine(QLineEdit):
    """One line in which other answers can be used: Ctrl+Space, or the menu, offers them."""

    def __init__(self, names: Names) -> None:
        super().__init__()
        self._names = names

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ctrl+Space offers the other answers."""
        control = event.modifiers() == Qt.KeyboardModifier.ControlModifier
        if control and event.key() == Qt.Key.Key_Space:
            self._offer(self.mapToGlobal(self.cursorRect().bottomLeft()))
            return
        super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The usual menu, and the other answers in it."""
        menu = self.createStandardContextMenu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._add_names(menu.addMenu("Use another answer"))
        menu.popup(event.globalPos())

    def _offer(self, place: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._add_names(menu)
        menu.popup(place)

    def _add_names(self, menu: QMenu) -> None:
        for name, title in self._names():
            menu.addAction(tr(f"{title}  ${{{name}}}"), partial(self.insert, f"${{{name}}}"))


class TextControl(AnswerControl):
    """One line, with the unit outside of it."""

    def __init__(self, parameter: Parameter, names: Names) -> None:
        super().__init__()
        self.edit = ReferringLine(names)
        self.edit.setPlaceholderText(parameter.example)
        self.edit.textChanged.connect(self._on_text)
        self._line.addWidget(self.edit, 1)
        if parameter.unit:
            self._line.addWidget(label(parameter.unit, "note", wrap=False))

    @property
    def inner(self) -> list[QWidget]:
        """The line."""
        return [self.edit]

    def _on_text(self, text: str) -> None:
        self.changed.emit(text.strip())

    def set_value(self, value: Value) -> None:
        """Show a text; one that is there already keeps its cursor."""
        text = str(value)
        if text != self.edit.text().strip():
            blocked = self.edit.blockSignals(True)  # noqa: FBT003 - Qt's own
            self.edit.setText(text)
            self.edit.blockSignals(blocked)


class NumberControl(TextControl):
    """A whole number; what is none is given as it was typed, so that the problem is told."""

    def _on_text(self, text: str) -> None:
        plain = text.strip()
        self.changed.emit(int(plain) if _WHOLE.fullmatch(plain) else plain)


class LinesControl(AnswerControl):
    """Text of several lines."""

    def __init__(self, parameter: Parameter) -> None:
        super().__init__()
        self.edit = QPlainTextEdit()
        self.edit.setTabChangesFocus(True)
        self.edit.setPlaceholderText(parameter.example)
        self.edit.setProperty("textStyle", "mono")
        self.edit.setFont(theme.font("mono"))
        self.edit.setMinimumHeight(theme.u(24))
        self.edit.textChanged.connect(lambda: self.changed.emit(self.edit.toPlainText()))
        self._line.addWidget(self.edit, 1)

    @property
    def inner(self) -> list[QWidget]:
        """The text."""
        return [self.edit]

    def set_value(self, value: Value) -> None:
        """Show a text."""
        if str(value) != self.edit.toPlainText():
            blocked = self.edit.blockSignals(True)  # noqa: FBT003 - Qt's own
            self.edit.setPlainText(str(value))
            self.edit.blockSignals(blocked)


class SwitchControl(AnswerControl):
    """Yes or no."""

    def __init__(self, parameter: Parameter) -> None:
        super().__init__()
        self.box = QCheckBox(tr(parameter.title))
        self.box.toggled.connect(self.changed.emit)
        self._line.addWidget(self.box)
        self._line.addStretch(1)

    @property
    def inner(self) -> list[QWidget]:
        """The box."""
        return [self.box]

    def set_value(self, value: Value) -> None:
        """Tick it or not."""
        blocked = self.box.blockSignals(True)  # noqa: FBT003 - Qt's own
        self.box.setChecked(value is True)
        self.box.blockSignals(blocked)


class ChoiceControl(AnswerControl):
    """One of a few; ``says`` is what the chosen one means."""

    def __init__(self, parameter: Parameter) -> None:
        super().__init__()
        self._helps = {choice.value: choice.help for choice in parameter.choices}
        self.combo = Combo()
        for choice in parameter.choices:
            self.combo.addItem(tr(choice.title), choice.value)
        self.combo.currentIndexChanged.connect(lambda _: self.changed.emit(self.value))
        self._line.addWidget(self.combo, 1)

    @property
    def inner(self) -> list[QWidget]:
        """The box."""
        return [self.combo]

    @property
    def value(self) -> str:
        """What is chosen."""
        return str(self.combo.currentData())

    @property
    def says(self) -> str:
        """What the chosen one means."""
        return self._helps.get(self.value, "")

    def set_value(self, value: Value) -> None:
        """Choose one."""
        blocked = self.combo.blockSignals(True)  # noqa: FBT003 - Qt's own
        self.combo.setCurrentIndex(self.combo.findData(value))
        self.combo.blockSignals(blocked)


class ClassControl(AnswerControl):
    """A runtime class: those that are known are offered, others are typed."""

    def __init__(self, offered: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._helps = dict(offered)
        self.combo = Combo()
        self.combo.setEditable(True)
        self.combo.setInsertPolicy(Combo.InsertPolicy.NoInsert)
        for name, _ in offered:
            self.combo.addItem(tr(name), name)
        self.combo.setMaxVisibleItems(16)
        self.combo.editTextChanged.connect(lambda text: self.changed.emit(text.strip()))
        self._line.addWidget(self.combo, 1)

    @property
    def inner(self) -> list[QWidget]:
        """The box, and the line in it."""
        edit = self.combo.lineEdit()
        return [self.combo] if edit is None else [self.combo, edit]

    @property
    def says(self) -> str:
        """What is known of the class that stands there."""
        return self._helps.get(self.combo.currentText().strip(), "")

    def set_value(self, value: Value) -> None:
        """Show a class."""
        if str(value) != self.combo.currentText().strip():
            blocked = self.combo.blockSignals(True)  # noqa: FBT003 - Qt's own
            self.combo.setEditText(str(value))
            self.combo.blockSignals(blocked)


def single(parameter: Parameter, names: Names, classes: Sequence[tuple[str, str]]) -> AnswerControl:
    """The control for an answer of one value."""
    match parameter.kind:
        case Kind.SWITCH:
            return SwitchControl(parameter)
        case Kind.CHOICE:
            return ChoiceControl(parameter)
        case Kind.CLASS:
            return ClassControl(classes)
        case Kind.INTEGER:
            return NumberControl(parameter, names)
        case Kind.LINES:
            return LinesControl(parameter)
        case _:
            return TextControl(parameter, names)
