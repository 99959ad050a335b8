"""A question before something that cannot be undone, and a passphrase prompt; never blocking."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from kataui.ui import theme
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import row
from kataui.ui.widgets.fields import TextField
from kataui.ui.widgets.text import label
from kataui.ui.words import tr


class _Dialog(QDialog):
    """The frame that both share."""

    def __init__(self, parent: QWidget, title: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr(title))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.column = QVBoxLayout(self)
        margin = theme.u(6)
        self.column.setContentsMargins(margin, margin, margin, margin)
        self.column.setSpacing(theme.u(4))
        self.column.addWidget(label(title, "title"))
        self.setMinimumWidth(theme.u(110))


class Confirm(_Dialog):
    """Asks once; ``then`` is called when the user agrees."""

    def __init__(
        self, parent: QWidget, title: str, text: str, verb: str, then: Callable[[], None]
    ) -> None:
        super().__init__(parent, title)
        self.column.addWidget(label(text))
        back = Button("Go back", self.reject)
        agree = Button(verb, self.accept, kind="primary")
        self.column.addLayout(row(None, back, agree))
        self.accepted.connect(then)


class ConfirmTyped(_Dialog):
    """For what cannot be undone: ``word`` must be typed before the verb can be pressed."""

    def __init__(
        self, parent: QWidget, title: str, text: str, *, word: str, then: Callable[[], None]
    ) -> None:
        super().__init__(parent, title)
        self.column.addWidget(label(text))
        self.field = TextField(f"Type {word} to go on")
        self.column.addWidget(self.field)
        self.agree = Button("Go on", self.accept, kind="primary")
        self.agree.set_reason(f"Type {word} first.")
        self.column.addLayout(row(None, Button("Go back", self.reject), self.agree))

        def look() -> None:
            fits = self.field.text.casefold() == word.casefold()
            self.agree.set_reason("" if fits else f"Type {word} first.")

        self.field.edit.textChanged.connect(look)
        self.accepted.connect(then)


class AskSecret(_Dialog):
    """Asks for a passphrase; ``then`` gets it. Nothing keeps it."""

    def __init__(self, parent: QWidget, title: str, then: Callable[[str], None]) -> None:
        super().__init__(parent, title)
        self._then = then
        help_text = "An empty passphrase is allowed. It is not stored."
        self.field = TextField("Passphrase", secret=True, help_text=help_text)
        self.column.addWidget(self.field)
        back = Button("Go back", self.reject)
        agree = Button("Unlock", self.accept, kind="primary")
        agree.setDefault(True)
        self.column.addLayout(row(None, back, agree))
        self.accepted.connect(lambda: self._then(self.field.edit.text()))


class Ask(_Dialog):
    """Asks for one line of text; ``then`` gets it."""

    def __init__(
        self,
        parent: QWidget,
        title: str,
        name: str,
        verb: str,
        then: Callable[[str], None],
        *,
        secret: bool = False,
        help_text: str = "",
    ) -> None:
        super().__init__(parent, title)
        self.field = TextField(name, secret=secret, help_text=help_text)
        self.column.addWidget(self.field)
        agree = Button(verb, self.accept, kind="primary")
        agree.setDefault(True)
        self.column.addLayout(row(None, Button("Go back", self.reject), agree))
        self.accepted.connect(lambda: then(self.field.edit.text()))
