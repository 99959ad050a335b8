"""Marking a moment: a name and a note, written in a bar above the time line."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from kataui.isolation.analysis import Picture
from kataui.ui import theme
from kataui.ui.isolation.chartparts import clock
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card
from kataui.ui.widgets.fields import TextField

_NAME_LENGTH, _NOTE_LENGTH = 80, 2000
_NAME_HELP = "A word or two. A and B are the two sides of an experiment."
_NOTE_HELP = "What you did or saw; it stays in the recording. May be empty."


class MarkBar(Card):
    """Hidden until ``begin``. ``marked`` gives name, note, and the picture of the moment.

    The moment is the one at which somebody began to write, not the one at which they ended.
    """

    marked = Signal(str, str, object)

    def __init__(self) -> None:
        super().__init__()
        self._picture: Picture | None = None
        self.name = TextField("Mark this moment as", help_text=_NAME_HELP)
        self.note = TextField("Note", help_text=_NOTE_HELP)
        self.name.edit.setMaxLength(_NAME_LENGTH)
        self.note.edit.setMaxLength(_NOTE_LENGTH)
        for field in (self.name, self.note):
            field.edit.returnPressed.connect(self._on_done)
        self._mark = Button("Mark", self._on_done, icon="flag")
        self._leave = Button("Leave it", self.leave, kind="quiet", name="Leave it unmarked")
        line = QHBoxLayout()
        line.setSpacing(theme.u(3))
        line.addWidget(self.name, 2, Qt.AlignmentFlag.AlignTop)
        line.addWidget(self.note, 3, Qt.AlignmentFlag.AlignTop)
        buttons = QWidget()
        side = QHBoxLayout(buttons)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(theme.u(1))
        side.addWidget(self._mark)
        side.addWidget(self._leave)
        line.addWidget(buttons)
        self.body.addLayout(line)
        self.setVisible(False)

    def begin(self, picture: Picture | None, name: str = "") -> None:
        """Ask for the name of a moment; nothing happens before the first one."""
        if picture is None:
            return
        self._picture = picture
        self.name.set_text(name)
        self.note.set_text("")
        self.name.show_problem("")
        self._mark.setText(f" Mark {clock(picture.wall_s, seconds=True)}")
        self.setVisible(True)
        self.name.edit.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def leave(self) -> None:
        """Hide without marking anything."""
        self._picture = None
        self.setVisible(False)
        page = self.parentWidget()
        if page is not None:
            page.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_done(self) -> None:
        if not self.name.text:
            self.name.show_problem("A marker needs a name.")
            self.name.edit.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        self.marked.emit(self.name.text, self.note.text, self._picture)
        self.leave()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc leaves it."""
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        else:
            super().keyPressEvent(event)
