"""What answers of several values are given with: a line an item, or a name and a value a line."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from kataui.files import clean
from kataui.pipelines.model import Parameter, Value
from kataui.ui import theme
from kataui.ui.pipelines.controls import AnswerControl, Names, ReferringLine
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import clear, row
from kataui.ui.words import tr


class _Several(AnswerControl):
    """Lines with a Remove each, and Add below; Enter in the last line adds one."""

    def __init__(self, parameter: Parameter, names: Names, *, pairs: bool) -> None:
        super().__init__()
        self._parameter, self._names, self._pairs = parameter, names, pairs
        self._rows: list[tuple[QLineEdit, ...]] = []
        self._title = parameter.title
        self._add = Button("Add", self._on_add, icon="plus", kind="quiet")
        self._add.setAccessibleName(tr(f"Add to {parameter.title}"))
        self._lines = QVBoxLayout()
        self._lines.setSpacing(theme.u(1.5))
        outer = QVBoxLayout()
        outer.setSpacing(theme.u(1))
        outer.addLayout(self._lines)
        outer.addLayout(row(self._add, None))
        self._line.addLayout(outer, 1)

    @property
    def inner(self) -> list[QWidget]:
        """All lines, then Add."""
        return [*(edit for edits in self._rows for edit in edits), self._add]

    def name_it(self, name: str) -> None:
        """Each line is named after its number."""
        self._title = name
        for number, edits in enumerate(self._rows):
            for edit, part in zip(edits, _PARTS[self._pairs], strict=True):
                edit.setAccessibleName(tr(f"{name}, {part} {number + 1}"))

    def _texts(self) -> list[tuple[str, ...]]:
        return [tuple(edit.text().strip() for edit in edits) for edits in self._rows]

    def _show(self, texts: Sequence[tuple[str, ...]]) -> None:
        clear(self._lines)
        self._rows = []
        for number, parts in enumerate(texts):
            edits = tuple(self._edit(text) for text in parts)
            if self._pairs:
                edits[0].setPlaceholderText(tr("name"))
                edits[1].setPlaceholderText(tr("value"))
            else:
                edits[0].setPlaceholderText(self._parameter.example)
            remove = Button("", partial(self._on_remove, number), icon="x", kind="quiet")
            remove.setAccessibleName(tr(f"Remove {clean(parts[0], limit=60) or 'the empty one'}"))
            remove.setToolTip(tr("Remove"))
            self._rows.append(edits)
            line = row(*edits, remove, spacing_u=1.5)
            for place, share in enumerate((3, 2)[: len(edits)]):
                line.setStretch(place, share)
            self._lines.addLayout(line)
        self.name_it(self._title)

    def _edit(self, text: str) -> QLineEdit:
        edit = ReferringLine(self._names)
        edit.setText(text)
        edit.textChanged.connect(self._emit)
        edit.returnPressed.connect(self._on_add)
        edit.setMinimumWidth(theme.u(12))
        return edit

    def _on_add(self) -> None:
        self._show([*self._texts(), ("",) * (2 if self._pairs else 1)])
        self._rows[-1][0].setFocus(Qt.FocusReason.TabFocusReason)
        self._emit()

    def _on_remove(self, number: int) -> None:
        texts = self._texts()
        self._show(texts[:number] + texts[number + 1 :])
        rest = self._rows[min(number, len(self._rows) - 1)][0] if self._rows else self._add
        rest.setFocus(Qt.FocusReason.TabFocusReason)
        self._emit()

    def _emit(self) -> None:
        raise NotImplementedError


_PARTS = {False: ("item",), True: ("name", "value")}


class ListControl(_Several):
    """A list of texts."""

    def __init__(self, parameter: Parameter, names: Names) -> None:
        super().__init__(parameter, names, pairs=False)

    def set_value(self, value: Value) -> None:
        """Show a list; one that is there already keeps its cursor."""
        items = [(str(item),) for item in value] if isinstance(value, list) else []
        if items != self._texts():
            self._show(items)

    def _emit(self) -> None:
        self.changed.emit([parts[0] for parts in self._texts()])


class MapControl(_Several):
    """Names with values. A name that is there twice counts once: its last value."""

    def __init__(self, parameter: Parameter, names: Names) -> None:
        super().__init__(parameter, names, pairs=True)

    def set_value(self, value: Value) -> None:
        """Show a map; one that is there already keeps its cursor."""
        pairs = [(str(k), str(v)) for k, v in value.items()] if isinstance(value, dict) else []
        if dict(self._pairs_now()) != dict(pairs):
            self._show(pairs)

    def _pairs_now(self) -> list[tuple[str, str]]:
        return [(parts[0], parts[1]) for parts in self._texts()]

    def _emit(self) -> None:
        self.changed.emit(dict(self._pairs_now()))
