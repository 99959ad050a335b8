"""A short list of things, each of which can be removed."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from kataui.files import clean
from kataui.ui import theme
from kataui.ui.icons import IconLabel
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import clear, row
from kataui.ui.widgets.text import label
from kataui.ui.words import tr


class ItemList(QWidget):
    """Items are (key, text); ``removed`` gives the key of the one that was taken out."""

    removed = Signal(str)

    def __init__(self, name: str, *, empty: str, icon: str = "file") -> None:
        super().__init__()
        self.setAccessibleName(tr(name))
        self._empty, self._icon = empty, icon
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(theme.u(1))

    def show_items(self, items: Sequence[tuple[str, str]]) -> None:
        """Replace what is shown."""
        clear(self._layout)
        if not items:
            self._layout.addWidget(label(self._empty, "dim"))
        for key, text in items:
            shown = label(clean(text, limit=200), "body")
            shown.setToolTip(tr(clean(text, limit=500)))
            remove = Button(
                "Remove",
                lambda key=key: self.removed.emit(key),  # type: ignore[misc]
                kind="quiet",
                name=f"Remove {clean(text, limit=100)}",
            )
            self._layout.addLayout(row(IconLabel(self._icon), shown, remove))
