"""The message bar: something could not be done, and what to do about it; or it was done."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from kataui.ui import theme
from kataui.ui.icons import IconLabel
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.text import announce, label, restyle
from kataui.ui.words import tr


class MessageBar(QFrame):
    """Hidden until something is said; it stays until it is closed, and never takes the focus."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("look", "fail")
        self._message = label("", "strong")
        self._hint = label("", "dim")
        words = QVBoxLayout()
        words.setSpacing(theme.u(0.5))
        words.addWidget(self._message)
        words.addWidget(self._hint)
        self._copy = Button("Copy", self._on_copy, kind="quiet", name="Copy the message")
        self._close = Button("Close", self.hide, kind="quiet", name="Close the message")
        line = QHBoxLayout(self)
        line.setContentsMargins(theme.u(4), theme.u(2.5), theme.u(3), theme.u(2.5))
        line.setSpacing(theme.u(3))
        self._mark = IconLabel("fail", size_u=5)
        line.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        line.addLayout(words, 1)
        self._undo = Button("Undo", self._on_undo)
        self._act: Callable[[], object] | None = None
        line.addWidget(self._undo)
        line.addWidget(self._copy)
        line.addWidget(self._close)
        self.hide()

    @property
    def text(self) -> str:
        """What it says; nothing when it is closed."""
        parts = (self._message.text(), self._hint.text())
        return "" if self.isHidden() else "\n".join(part for part in parts if part)

    def show_problem(self, message: str, hint: str = "") -> None:
        """Say what happened and what to do."""
        self._say("fail", message, hint)

    def show_done(
        self, message: str, verb: str = "", undo: Callable[[], object] | None = None
    ) -> None:
        """Say what was done, such as where a file was written; ``verb`` does ``undo``."""
        self._say("pass", message, "", verb, undo)

    def _on_undo(self) -> None:
        self.hide()
        if self._act is not None:
            self._act()

    def _say(
        self,
        verdict: str,
        message: str,
        hint: str,
        verb: str = "",
        undo: Callable[[], object] | None = None,
    ) -> None:
        self._act = undo
        self._undo.setVisible(undo is not None)
        self._undo.set_words(verb or "Undo")
        restyle(self, look=verdict)
        self._mark.set_icon(verdict)
        self._message.setText(message)
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        self.setAccessibleName(tr(f"{message} {hint}".strip()))
        self.show()
        announce(self, self.accessibleName())

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text)
