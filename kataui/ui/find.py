"""Find or do: pages and acts by a part of their name."""

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QRect, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QStandardItem,
    QStandardItemModel,
)
from PySide6.QtWidgets import (
    QCompleter,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from kataui.ui import icons, theme
from kataui.ui.acts import Items, fitting
from kataui.ui.words import tr

KEYS = "Ctrl+K"
_MOST_ROWS = 14
_LIST_U = 110
_KEYS_ROLE = Qt.ItemDataRole.UserRole
_REASON_ROLE = Qt.ItemDataRole.UserRole + 1


class _Row(QStyledItemDelegate):
    """The title, the keys at the right; dimmed with its reason when it cannot be done."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:  # type: ignore[override]
        """Paint one row."""
        reason = index.data(_REASON_ROLE)
        aside = reason or index.data(_KEYS_ROLE)
        shown = QStyleOptionViewItem(option)
        metrics = theme.metrics("note")
        wide = min(metrics.horizontalAdvance(aside) + theme.u(4), option.rect.width() // 2)
        if reason:
            colour = theme.color("text_tertiary")
            shown.palette.setColor(shown.palette.ColorRole.Text, colour)
        super().paint(painter, shown, index)
        if aside:
            place = option.rect.adjusted(option.rect.width() - wide, 0, -theme.u(2), 0)
            painter.save()
            painter.setFont(theme.font("note"))
            painter.setPen(theme.color("text_secondary"))
            text = metrics.elidedText(aside, Qt.TextElideMode.ElideRight, place.width())
            flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
            painter.drawText(place, flags, text)
            painter.restore()


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
        self._offered: Items = []
        self.setAccessibleName(tr("Find or do"))
        self.setPlaceholderText(tr("Find or do…"))
        self.setToolTip(tr(f"Find a page or an act ({KEYS})"))
        self.setProperty("look", "find")
        self._model = QStandardItemModel(self)
        self._list = QCompleter(self._model, self)
        self._list.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self._list.setMaxVisibleItems(_MOST_ROWS)
        self._popup = QListView()
        self._popup.setItemDelegate(_Row(self))
        self._popup.setAccessibleName(tr("What can be found"))
        self._popup.setProperty("look", "popup")
        self._popup.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setPopup(self._popup)
        self._list.activated[QModelIndex].connect(self._run)  # type: ignore[index] # an overload
        self._list.setWidget(self)
        self.textEdited.connect(self._offer)
        self.returnPressed.connect(self._run_first)

    def begin(self) -> None:
        """Take the focus and offer everything."""
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.selectAll()
        self._know()
        self._offer()

    def _know(self) -> None:
        self._known = self.items()

    def _offer(self) -> None:
        self._offered = fitting(self._known, self.text())
        self._model.clear()
        for act in self._offered:
            item = QStandardItem(tr(act.title))
            item.setData(act.keys, _KEYS_ROLE)
            item.setData(tr(act.reason), _REASON_ROLE)
            item.setEditable(False)
            told = ", ".join(filter(None, (tr(act.title), act.keys, tr(act.reason))))
            item.setData(told, Qt.ItemDataRole.AccessibleTextRole)
            self._model.appendRow(item)
        self._popup.setMinimumWidth(theme.u(_LIST_U))
        self._list.complete()

    def _run(self, index: QModelIndex) -> None:
        """Do what was chosen, after the list has closed."""
        act = self._offered[index.row()]
        if not act.reason:
            QTimer.singleShot(0, self, lambda: self._do(act.run))

    def _do(self, act: Callable[[], object]) -> None:
        self.clear()
        self.done.emit()
        act()

    def _run_first(self) -> None:
        """Enter without a choice takes the first that fits."""
        found = fitting(self._known, self.text()) if self.text().strip() else []
        possible = [act for act in found if not act.reason]
        if possible and not self._popup.isVisible():
            self._do(possible[0].run)
        elif possible:
            self._popup.hide()
            QTimer.singleShot(0, self, lambda: self._do(possible[0].run))

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
        place = QRect(theme.u(2.5), (self.height() - side) // 2, side, side)
        place = QStyle.visualRect(self.layoutDirection(), self.rect(), place)
        painter.drawPixmap(place, icons.pixmap("search", side))
        if not self.text():
            painter.setPen(theme.color("text_tertiary"))
            painter.setFont(theme.font("note"))
            place = self.rect().adjusted(theme.u(2.5), 0, -theme.u(2.5), 0)
            flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
            painter.drawText(place, flags, tr(KEYS))
        painter.end()
