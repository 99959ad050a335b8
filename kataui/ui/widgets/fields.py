"""Form fields: label above, help or the problem below, never scolding while one types first."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QRect, QSize, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QLineEdit,
    QSizePolicy,
    QStyle,
    QVBoxLayout,
    QWidget,
)

from kataui import settings
from kataui.ui import icons, theme
from kataui.ui.icons import IconLabel
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import row
from kataui.ui.widgets.text import label, restyle
from kataui.ui.words import tr

_last: dict[str, str] = {}  # the folder where somebody chose something, until the end
_LEAST_U = 30
_WORDS = {"open": "File…", "folder": "Folder…", "save": "Choose…"}


class Field(QWidget):
    """A labelled field; ``show_problem`` puts a sentence in the place of the help."""

    def __init__(self, name: str, control: QWidget, *, help_text: str = "") -> None:
        super().__init__()
        self.control = control
        self._help_text = help_text
        self._title = label(name, "label", wrap=False)
        self._title.setBuddy(control)
        control.setAccessibleName(tr(name))
        self._mark = IconLabel("error", size_u=4)
        self._below = label(help_text, "note")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.u(1.5))  # the focus ring needs it
        layout.addWidget(self._title)
        self._line = row(control)
        layout.addLayout(self._line)
        layout.addLayout(row(self._mark, self._below, spacing_u=1.5))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.show_problem("")

    @property
    def problem(self) -> str:
        """The problem that is shown, or nothing."""
        return self._below.text() if self._mark.isVisibleTo(self) else ""

    def set_help(self, text: str) -> None:
        """Show another help, and no problem."""
        self._help_text = text
        self.show_problem("")

    def show_problem(self, text: str) -> None:
        """Say what is wrong, or show the help again."""
        self._mark.setVisible(bool(text))
        self._below.setText(text or self._help_text)
        restyle(self._below, tone="fail" if text else "")
        restyle(self.control, wrong=bool(text))
        self._below.setVisible(bool(text or self._help_text))
        self.control.setAccessibleDescription(tr(text or self._help_text))


class TextField(Field):
    """One line of text."""

    changed = Signal(str)

    def __init__(
        self, name: str, *, help_text: str = "", placeholder: str = "", secret: bool = False
    ) -> None:
        self.edit = QLineEdit()
        self.edit.setPlaceholderText(tr(placeholder))
        if secret:
            self.edit.setEchoMode(QLineEdit.EchoMode.Password)
        super().__init__(name, self.edit, help_text=help_text)
        self.edit.textChanged.connect(self._on_changed)

    def _on_changed(self, text: str) -> None:
        self.show_problem("")
        self.changed.emit(text)

    @property
    def text(self) -> str:
        """What was typed, without blanks around it."""
        return self.edit.text().strip()

    def set_text(self, text: str) -> None:
        """Fill the field."""
        if text != self.edit.text():
            self.edit.setText(text)


class Combo(QComboBox):
    """A combo box whose arrow follows the theme (a style sheet takes Qt's own away)."""

    def minimumSizeHint(self) -> QSize:
        """A narrow one cuts its text; its list shows all of it."""
        size = super().minimumSizeHint()
        return QSize(min(size.width(), theme.u(_LEAST_U)), size.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the arrow at the right."""
        super().paintEvent(event)
        side = theme.u(4)
        painter = QPainter(self)
        arrow = icons.pixmap("down", side)
        place = QRect(self.width() - side - theme.u(2), (self.height() - side) // 2, side, side)
        painter.drawPixmap(QStyle.visualRect(self.layoutDirection(), self.rect(), place), arrow)
        painter.end()


class ChoiceField(Field):
    """One of a few words; items are (value, text)."""

    changed = Signal(str)

    def __init__(self, name: str, items: list[tuple[str, str]], *, help_text: str = "") -> None:
        self.combo = Combo()
        for value, text in items:
            self.combo.addItem(tr(text), value)
        super().__init__(name, self.combo, help_text=help_text)
        self.combo.currentIndexChanged.connect(lambda _: self.changed.emit(self.value))

    @property
    def value(self) -> str:
        """The value of the chosen item."""
        return str(self.combo.currentData())

    def set_value(self, value: str) -> None:
        """Choose an item."""
        self.combo.setCurrentIndex(max(0, self.combo.findData(value)))


class PathField(TextField):
    """A path that can be typed, chosen or dropped.

    ``mode`` is "open", "folder", "save", or "image": a file or a folder, each with its button.
    """

    def __init__(
        self, name: str, *, mode: str = "open", help_text: str = "", placeholder: str = ""
    ) -> None:
        super().__init__(name, help_text=help_text, placeholder=placeholder)
        self._name = name
        for kind in ("open", "folder") if mode == "image" else (mode,):
            what = f"Choose a {'folder' if kind == 'folder' else 'file'}: {name}"
            self._line.addWidget(Button(_WORDS[kind], partial(self._choose, kind), name=what))
        self.setAcceptDrops(True)
        self.edit.setAcceptDrops(False)

    def _choose(self, kind: str) -> None:
        choose_path(self, self._name, kind, self.text, self.set_text)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take one local path."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Fill the field with what was dropped."""
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            self.set_text(paths[0])
            event.acceptProposedAction()


def choose_path(
    parent: QWidget, title: str, mode: str, start: str, then: Callable[[str], None]
) -> None:
    """Let the user choose a file or folder; ``then`` gets the path. Never blocks."""
    dialog = QFileDialog(parent, title)
    if mode == "folder":
        dialog.setFileMode(QFileDialog.FileMode.Directory)
    elif mode == "save":
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
    else:
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    usual = Path(_last.get("folder", "") or settings.load().folder)
    begin = Path(start).parent if start else usual
    if start and not begin.is_dir():
        begin = usual
    dialog.setDirectory(str(begin if begin.is_absolute() and begin.is_dir() else Path.home()))

    def chosen(path: str) -> None:
        _last["folder"] = str(Path(path).parent)
        then(path)

    dialog.fileSelected.connect(chosen)
    dialog.open()
