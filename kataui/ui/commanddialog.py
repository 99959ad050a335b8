"""The command that does what the page does which is shown."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from kataui.ui import theme
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import row
from kataui.ui.widgets.commandcard import HIDE, TITLE, CommandCard
from kataui.ui.window import Window
from kataui.ui.words import tr

KEYS = "Ctrl+Shift+C"


class CommandDialog(QDialog):
    """Shows it, and saves it as a script; the page stays as it is."""

    def __init__(self, parent: QWidget, page: QWidget, words: Callable[[], Sequence[str]]) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr(TITLE))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.card = CommandCard(page, words, getattr(page, "is_ready", lambda: True))
        self.card.tell()
        self.card.show()
        column = QVBoxLayout(self)
        margin = theme.u(5)
        column.setContentsMargins(margin, margin, margin, margin)
        column.addWidget(self.card)
        column.addLayout(row(None, Button("Close", self.reject)))
        self.setMinimumWidth(theme.u(150))


def add_to(window: Window) -> None:
    """The act, with its key."""

    def show() -> None:
        page = window.page(window.current_key)
        words = getattr(page, "as_command", None)
        for button in page.findChildren(Button):  # the page shows it by itself
            if button.isVisible() and button.accessibleName() in map(tr, (TITLE, HIDE)):
                button.click()
                return
        if words is None:
            window.show_done("This page has no command of its own.")
        else:
            CommandDialog(window, page, words).open()

    item = QAction(tr(TITLE), window)
    item.setShortcut(QKeySequence(KEYS))
    item.triggered.connect(lambda _checked=False: show())
    window.addAction(item)
