"""Find or do: pages and acts by a part of their name."""

from collections.abc import Callable

from PySide6.QtCore import QRect, QStringListModel, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QCompleter, QLineEdit, QListView

from kataui.ui import icons, theme

Items = list[tuple[str, Callable[[], object]]]
KEYS = "Ctrl+K"
_MOST_ROWS = 14
_LIST_U = 110


class Find(QLineEdit):
    """A field that offers what ``items`` gives.

    ``left`` is sent when the focus goes, ``done`` when it should: something was chosen, or Esc.
    """

    left = Signal()
    done = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.items: Callable[[], Items] = list
        self._known: Items = []
        self.setAccessibleName("Find or do")
        self.setPlaceholderText("Find or do…")
        self.setToolTip(f"Find a page or an act ({KEYS})")
        self.setProperty("look", "find")
        self._names = QStringListModel(self)
        self._list = QCompleter(self._names, self)
        self._list.setFilterMode(Qt.MatchFlag.MatchContains)
        self._list.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._list.setMaxVisibleItems(_MOST_ROWS)
        self._popup = QListView()
        self._popup.setAccessibleName("What can be found")
        self._popup.setProperty("look", "popup")
        self._popup.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setPopup(self._popup)
        self._list.activated.connect(self._run)
        self.setCompleter(self._list)
        self.returnPressed.connect(self._run_first)

    def begin(self) -> None:
        """Take the focus and offer everything."""
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.selectAll()
        self._offer()

    def _offer(self) -> None:
        self._know()
        self._popup.setMinimumWidth(theme.u(_LIST_U))
        self._list.setCompletionPrefix(self.text())
        self._list.complete()

    def _know(self) -> None:
        self._known = self.items()
        self._names.setStringList([name for name, _ in self._known])

    def _run(self, name: str) -> None:
        """Do what was chosen, after the list has put its text into the field."""
        act = next((act for known, act in self._known if known == name), None)
        if act is not None:
            QTimer.singleShot(0, self, lambda: self._do(act))

    def _do(self, act: Callable[[], object]) -> None:
        self.clear()
        self.done.emit()
        act()

    def _run_first(self) -> None:
        """Enter without a choice takes the first that fits."""
        typed = self.text().strip().casefold()
        fitting = [name for name, _ in self._known if typed and typed in name.casefold()]
        if fitting:
            self._run(fitting[0])

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Know what there is now."""
        super().focusInEvent(event)
        self._know()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Tell, unless only the list came up."""
        super().focusOutEvent(event)
        if event.reason() is not Qt.FocusReason.PopupFocusReason:
            self.left.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Down offers everything; Esc leaves."""
        if event.key() == Qt.Key.Key_Escape:
            self.clear()
            self.done.emit()
        elif event.key() == Qt.Key.Key_Down and not self._popup.isVisible():
            self._offer()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The glass at the left, the keys at the right while nothing is typed."""
        super().paintEvent(event)
        painter = QPainter(self)
        side = theme.u(4)
        middle = (self.height() - side) // 2
        painter.drawPixmap(theme.u(2.5), middle, icons.pixmap("search", side))
        if not self.text():
            painter.setPen(theme.color("text_tertiary"))
            painter.setFont(theme.font("note"))
            place = QRect(0, 0, self.width() - theme.u(2.5), self.height())
            flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
            painter.drawText(place, flags, KEYS)
        painter.end()
