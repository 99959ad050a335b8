"""One field of the form: label and `?` above, the control, and below it help, problem or note."""

import shlex

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QComboBox, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from kataui.pipelines.model import Kind, Parameter, Value
from kataui.ui import icons, theme
from kataui.ui.icons import IconLabel
from kataui.ui.pipelines.controls import AnswerControl, ChoiceControl, ClassControl
from kataui.ui.widgets.card import row
from kataui.ui.widgets.codebox import CodeBox
from kataui.ui.widgets.text import label, restyle
from kataui.ui.words import tr

_PAGE_KEYS = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)


class _Ask(QPushButton):
    """The small question mark; the keyboard has F1, so it is no stop of the Tab key."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.setProperty("kind", "line")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(tr(f"Help: {title}"))
        self.setToolTip(tr("Help (F1)"))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        theme.state().changed.connect(self._draw)
        self._draw()

    def _draw(self) -> None:
        side = theme.u(3.75)
        self.setIcon(icons.icon("help", "text_tertiary", size_px=side))
        self.setFixedSize(theme.u(5), theme.u(5))


class NoteLine(QWidget):
    """A fact that follows from answers; hidden while there is none."""

    def __init__(self) -> None:
        super().__init__()
        layout = row(IconLabel("info", size_u=4), spacing_u=1.5)
        self.words = label("", "note", selectable=True)
        layout.addWidget(self.words, 1)
        self.setLayout(layout)
        self.hide()

    def show_note(self, text: str) -> None:
        """Say it, or nothing."""
        self.words.setText(text)
        self.setHidden(not text)


class AnswerField(QWidget):
    """``changed`` gives (name, value); ``left`` is sent when the focus leaves it."""

    changed = Signal(str, object)
    left = Signal(str)

    def __init__(self, parameter: Parameter, control: AnswerControl) -> None:
        super().__init__()
        self.parameter, self.control = parameter, control
        self._asked = False
        self._problem = ""
        self._build()
        control.name_it(parameter.title)
        control.changed.connect(self._on_changed)
        self._watch()
        self.show_problem("")

    def _build(self) -> None:
        parameter = self.parameter
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.u(1.5))  # the focus ring needs it
        ask = _Ask(parameter.title)
        ask.clicked.connect(self.toggle_help)
        if not parameter.help:
            ask.hide()
        if parameter.kind is Kind.SWITCH:  # the box has the title beside it
            layout.addLayout(row(self.control, ask, None, spacing_u=1))
        else:
            title = label(parameter.title, "label", wrap=False)
            title.setBuddy(self.control.inner[0])
            words = row(title, ask, None, spacing_u=1)
            if not parameter.required:
                words.insertWidget(2, label("optional", "note", wrap=False))
            layout.addLayout(words)
            layout.addWidget(self.control)
        self._help = label(parameter.help, "note")
        layout.addWidget(self._help)
        self._mark = IconLabel("error", size_u=4)
        self._problem_text = label("", "note", tone="fail")
        layout.addLayout(row(self._mark, self._problem_text, spacing_u=1.5))
        self._note = NoteLine()
        layout.addWidget(self._note)
        self._command: CodeBox | None = None
        if parameter.secret_command:
            self._command = CodeBox(name=f"Command that makes {parameter.title}")
            layout.addWidget(self._command)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)

    @property
    def problem(self) -> str:
        """The problem that is shown, or nothing."""
        return self._problem

    @property
    def note(self) -> str:
        """The note that is shown, or nothing."""
        return self._note.words.text()

    @property
    def command(self) -> str:
        """The command that makes the secret, or nothing."""
        return self._command.text if self._command else ""

    def set_value(self, value: Value) -> None:
        """Show an answer."""
        self.control.set_value(value)
        self._watch()
        self._help.setVisible(self._shows_help())

    def take_focus(self) -> None:
        """Put the cursor into it."""
        self.control.inner[0].setFocus(Qt.FocusReason.ShortcutFocusReason)

    def toggle_help(self) -> None:
        """Show the help in place, or hide it."""
        self._asked = not self._asked
        self._help.setVisible(self._shows_help())

    def _shows_help(self) -> bool:
        meant = self._says()
        self._help.setText(self.parameter.help if self._asked or not meant else meant)
        return not self._problem and bool(meant or (self._asked and self.parameter.help))

    def _says(self) -> str:
        """What the chosen value means."""
        known = isinstance(self.control, ChoiceControl | ClassControl)
        return self.control.says if known else ""  # type: ignore[attr-defined]

    def show_problem(self, text: str) -> None:
        """Say what is wrong in the place of the help, or nothing."""
        self._problem = text
        self._mark.setVisible(bool(text))
        self._problem_text.setVisible(bool(text))
        self._problem_text.setText(text)
        self._help.setVisible(self._shows_help())
        for widget in self.control.inner:
            restyle(widget, wrong=bool(text))
            widget.setAccessibleDescription(tr(text or self.parameter.help))

    def show_note(self, text: str) -> None:
        """Say what follows from the answer."""
        self._note.show_note(text)

    def show_command(self, name: str, namespace: str) -> None:
        """Fill the command that makes the secret."""
        if self._command is not None:
            text = self.parameter.secret_command
            text = text.replace("{namespace}", shlex.quote(namespace or "default"))
            self._command.set_text(text.replace("{name}", shlex.quote(name or "NAME")).strip())

    def _on_changed(self, value: Value) -> None:
        self._watch()
        self.changed.emit(self.parameter.name, value)

    def _watch(self) -> None:
        """Lines of a list come and go: each is watched once."""
        for widget in self.control.inner:
            if not widget.property("watched"):
                widget.setProperty("watched", True)  # noqa: FBT003 - a Qt property
                widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Undo belongs to the form, the wheel to the page, and leaving is told."""
        kind = event.type()
        if kind is QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            if any(event.matches(keys) for keys in _PAGE_KEYS):
                event.ignore()
                return True
        elif kind is QEvent.Type.Wheel and isinstance(watched, QComboBox):
            event.ignore()
            return True
        elif kind is QEvent.Type.FocusOut:
            self.left.emit(self.parameter.name)
        return super().eventFilter(watched, event)
