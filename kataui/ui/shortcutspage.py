"""The keys: every shortcut of the window, and of the pages that have their own."""

from collections.abc import Callable

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout

from kataui.ui import theme
from kataui.ui.acts import Items
from kataui.ui.widgets.card import Card, clear
from kataui.ui.widgets.facts import Facts
from kataui.ui.widgets.page import Columns, Page

_EVERYWHERE = (
    ("Tab, Shift+Tab", "To the next field or button, and back"),
    ("Space, Enter", "Press the button"),
    ("Arrow keys", "Within a list, a table, a chart"),
    ("Ctrl+C", "Copy the chosen rows of a table"),
    ("Esc", "Close a question, leave the field"),
)
_CHARTS = (
    ("Space", "Stop and go on"),
    ("Left, Right", "A step back or on"),
    ("Home, End", "To the beginning, to now"),
    ("M", "Mark this moment"),
)
_TALK = (
    ("Space, Right, Page Down", "The next chapter"),
    ("Left, Page Up", "The chapter before"),
    ("B", "Blank the screen"),
    ("+ and -", "Larger or smaller type"),
    ("Esc", "End the talk"),
)


class ShortcutsPage(Page):
    """Made from the window's own list, so that it is never out of date."""

    def __init__(self, shortcuts: Callable[[], Items]) -> None:
        super().__init__("Keyboard", "Everything works without a mouse.")
        self._shortcuts = shortcuts
        columns = Columns(shares=(1, 1), narrow_u=160)
        card = Card("In the window")
        self._window = QVBoxLayout()
        self._window.setSpacing(theme.u(2))
        card.body.addLayout(self._window)
        columns.left.addWidget(card)
        for title, keys in (
            ("Everywhere", _EVERYWHERE),
            ("Live graphs and recordings", _CHARTS),
            ("While presenting (F5)", _TALK),
        ):
            columns.right.addWidget(_card(title, keys))
        self.body.addWidget(columns)

    def showEvent(self, event: QShowEvent) -> None:
        """Tell the window's keys as they are now."""
        super().showEvent(event)
        clear(self._window)
        rows = [(act.keys, act.title) for act in self._shortcuts() if act.keys]
        self._window.addWidget(Facts(rows))


def _card(title: str, keys: tuple[tuple[str, str], ...]) -> Card:
    card = Card(title)
    card.body.addWidget(Facts(keys))
    return card
