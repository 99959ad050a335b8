"""The form: the template's questions in their groups, those for experts folded away."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from kataui.kata.classes import offered
from kataui.pipelines.model import Kind, Parameter, Template, Value, Values
from kataui.ui import theme
from kataui.ui.pipelines.answerfield import AnswerField, NoteLine
from kataui.ui.pipelines.controls import AnswerControl, single
from kataui.ui.pipelines.listcontrols import ListControl, MapControl
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.page import Columns, top_down
from kataui.ui.widgets.text import label

_PAIRS = ((Kind.CPU, Kind.MEMORY),)


class _Group(QWidget):
    """A heading, its fields, and those for experts behind a button."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._fields: list[AnswerField] = []
        self._sizes: list[tuple[AnswerField, NoteLine]] = []
        self._open = False
        self._names: frozenset[str] = frozenset()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(theme.u(3))
        if title:
            self._layout.addWidget(label(title, "heading", wrap=False))
        self._fold = Button("", self._toggle, kind="quiet")

    def add(self, fields: Sequence[AnswerField]) -> None:
        """One field, or two side by side."""
        self._fields += fields
        if len(fields) == 1:
            self._layout.addWidget(fields[0])
            return
        columns = Columns(narrow_u=0, shares=(1, 1), gap_u=3)
        columns.left.addWidget(fields[0])
        columns.right.addWidget(fields[1])
        self._layout.addWidget(columns)
        self._sizes.append((fields[0], note := NoteLine()))  # the machine follows from both
        self._layout.addWidget(note)

    def show_sizes(self, text: str) -> bool:
        """Say below the first amounts that count what is booted; gives whether there are any."""
        told = False
        for field, note in self._sizes:
            counts = not told and field.parameter.name in self._names
            note.show_note(text if counts else "")
            told = told or counts
        return told

    def close_up(self) -> None:
        """All fields are in."""
        self._layout.addWidget(self._fold)

    def show_names(self, names: frozenset[str]) -> None:
        """Show the fields that count."""
        self._names = names
        folded = 0
        for field in self._fields:
            counts = field.parameter.name in names
            hidden = field.parameter.expert and not self._open
            field.setVisible(counts and not hidden)
            folded += counts and field.parameter.expert
        words = "Fewer settings" if self._open else f"{folded} more for experts"
        self._fold.set_words(words)
        self._fold.setVisible(folded > 0)
        self.setVisible(any(field.parameter.name in names for field in self._fields))

    def unfold(self) -> None:
        """Show also what is for experts."""
        self._open = True
        self.show_names(self._names)

    def _toggle(self) -> None:
        self._open = not self._open
        self.show_names(self._names)

    def holds(self, field: AnswerField) -> bool:
        """Whether the field is one of this group."""
        return field in self._fields


class FormView(QWidget):
    """``changed`` gives (name, value), ``left`` the field that the focus left."""

    changed = Signal(str, object)
    left = Signal(str)

    def __init__(self, template: Template) -> None:
        super().__init__()
        self._template = template
        self._groups: list[_Group] = []
        self.fields: dict[str, AnswerField] = {}
        self._classes = [(one.name, one.note) for one in offered()]
        self._shown: list[Parameter] = []
        inner, outer = top_down(QVBoxLayout(self))
        inner.setSpacing(theme.u(5))
        outer.setContentsMargins(0, 0, theme.u(1), 0)
        for title, parameters in _grouped(template.parameters):
            group = _Group(title)
            for together in _lines(parameters):
                group.add([self._make(parameter) for parameter in together])
            group.close_up()
            self._groups.append(group)
            inner.addWidget(group)

    def _make(self, parameter: Parameter) -> AnswerField:
        field = AnswerField(parameter, self._control(parameter))
        field.changed.connect(self.changed)
        field.left.connect(self.left)
        self.fields[parameter.name] = field
        return field

    def _control(self, parameter: Parameter) -> AnswerControl:
        def names() -> list[tuple[str, str]]:
            return [
                (one.name, one.title)
                for one in self._shown
                if one.name != parameter.name and one.kind not in {Kind.LIST, Kind.MAP}
            ]

        if parameter.kind is Kind.LIST:
            return ListControl(parameter, names)
        if parameter.kind is Kind.MAP:
            return MapControl(parameter, names)
        return single(parameter, names, self._classes)

    def show_values(self, values: Values, shown: Sequence[Parameter]) -> None:
        """Show answers, and only the questions that count with them."""
        self._shown = list(shown)
        names = frozenset(parameter.name for parameter in shown)
        for name, field in self.fields.items():
            field.set_value(values[name])
        for group in self._groups:
            group.show_names(names)

    def show_outcome(self, values: Values, whole: Mapping[str, Value]) -> None:
        """Say what references become, and fill the commands that make secrets."""
        namespace = str(whole.get("namespace", ""))
        for name, field in self.fields.items():
            raw, became = values[name], whole[name]
            refers = isinstance(raw, str) and "${" in raw and raw != became
            if field.parameter.kind not in {Kind.CPU, Kind.MEMORY}:
                field.show_note(f"Becomes {became}" if refers else "")
            if field.parameter.secret_command:
                field.show_command(str(became), namespace)

    def show_sizes(self, text: str) -> None:
        """Say what the pods boot, below the first CPU and memory amounts."""
        for group in self._groups:
            if group.show_sizes(text):
                text = ""

    def go_to(self, name: str) -> bool:
        """Put the cursor into a field; gives whether it can be seen."""
        field = self.fields.get(name)
        if field is None or field.parameter not in self._shown:
            return False
        if field.parameter.expert:
            next(group for group in self._groups if group.holds(field)).unfold()
        field.take_focus()
        return True

    def focused(self) -> AnswerField | None:
        """The field that has the focus."""
        widget = QApplication.focusWidget()
        while widget is not None and not isinstance(widget, AnswerField):
            widget = widget.parentWidget()
        return widget if widget in self.fields.values() else None


def _grouped(parameters: Sequence[Parameter]) -> list[tuple[str, list[Parameter]]]:
    """Groups in the order in which they first occur; those for experts last in each."""
    groups: dict[str, list[Parameter]] = {}
    for parameter in parameters:
        groups.setdefault(parameter.group, []).append(parameter)
    return [(title, sorted(found, key=lambda p: p.expert)) for title, found in groups.items()]


def _lines(parameters: Sequence[Parameter]) -> list[list[Parameter]]:
    """A CPU amount and the memory that follows it stand side by side."""
    lines: list[list[Parameter]] = []
    for parameter in parameters:
        last = lines[-1] if lines else []
        pair = len(last) == 1 and (last[0].kind, parameter.kind) in _PAIRS
        if pair and last[0].expert == parameter.expert and last[0].show_if == parameter.show_if:
            last.append(parameter)
        else:
            lines.append([parameter])
    return lines
