"""The sidebar: home, the tabs and what is open in them, keys and settings."""

from dataclasses import dataclass

from PySide6.QtCore import (
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from kataui.ui import icons, theme
from kataui.ui.widgets.text import label

_KEY = Qt.ItemDataRole.UserRole
_ENTRY = Qt.ItemDataRole.UserRole + 1
Index = QModelIndex | QPersistentModelIndex
WIDTH_U, RAIL_U = 59, 14
_WORDS = {"pass": "pass", "fail": "fail", "unknown": "not checked", "info": "checking"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: ``icon`` for a tab, ``mark`` for something open."""

    title: str
    icon: str = ""
    mark: str = ""


class _Delegate(QStyledItemDelegate):
    """Paints a line: accent bar and tint when chosen, the icon or the verdict's mark."""

    def __init__(self, sidebar: "Sidebar") -> None:
        super().__init__(sidebar)
        self._sidebar = sidebar

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Tabs are a little higher than what is open in them."""
        del option
        return QSize(theme.u(20), theme.u(8.5 if index.data(_ENTRY).icon else 7.5))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint one line."""
        entry: Entry = index.data(_ENTRY)
        rect = QRect(option.rect)
        state = option.state
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if chosen:
            self._paint_chosen(painter, rect)
        x = theme.u(4)
        if entry.icon:
            role = "accent" if chosen else "text_secondary"
            side = theme.u(4.5)
            picture = icons.pixmap(entry.icon, side, role)
            painter.drawPixmap(x, rect.center().y() - side // 2, picture)
        if not self._sidebar.is_rail:
            self._paint_words(painter, rect, entry, chosen=chosen)
        elif not entry.icon:
            self._paint_small(painter, rect, entry)
        painter.restore()

    @staticmethod
    def _paint_chosen(painter: QPainter, rect: QRect) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("selected"))
        painter.drawRoundedRect(rect.adjusted(theme.u(1), 1, -theme.u(1), -1), 6, 6)
        painter.setBrush(theme.color("accent"))
        bar = QRectF(0, rect.top() + theme.u(1.5), 3, rect.height() - theme.u(3))
        painter.drawRoundedRect(bar, 1.5, 1.5)

    @staticmethod
    def _paint_small(painter: QPainter, rect: QRect, entry: Entry) -> None:
        """In the rail, something open is its mark, or a dot; the tool tip has its name."""
        side = theme.u(4)
        if entry.mark:
            picture = icons.mark(entry.mark, side, "sidebar")
            painter.drawPixmap(theme.u(4), rect.center().y() - side // 2, picture)
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("text_tertiary"))
        painter.drawEllipse(QPoint(theme.u(6), rect.center().y()), theme.u(1), theme.u(1))

    @staticmethod
    def _paint_words(painter: QPainter, rect: QRect, entry: Entry, *, chosen: bool) -> None:
        left, right = theme.u(11), rect.right() - theme.u(3)
        if entry.mark:
            side = theme.u(4)
            right -= side
            picture = icons.mark(entry.mark, side, "sidebar")
            painter.drawPixmap(right, rect.center().y() - side // 2, picture)
            right -= theme.u(2)
        painter.setFont(theme.font("strong" if entry.icon or chosen else "body"))
        painter.setPen(theme.color("text" if entry.icon or chosen else "text_secondary"))
        text = painter.fontMetrics().elidedText(
            entry.title, Qt.TextElideMode.ElideMiddle, right - left
        )
        place = QRect(left, rect.top(), right - left, rect.height())
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, text)


class Sidebar(QWidget):
    """``chosen`` gives the key of the line that the user went to."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("look", "sidebar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.is_rail = False
        self._items: dict[str, QStandardItem] = {}
        self._model = QStandardItemModel(self)
        self._tree = QTreeView()
        self._tree.setModel(self._model)
        self._tree.setHeaderHidden(True)
        self._tree.setRootIsDecorated(False)
        self._tree.setIndentation(0)
        self._tree.setItemsExpandable(False)
        self._tree.setEditTriggers(QTreeView.EditTrigger.NoEditTriggers)
        self._tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._tree.setFrameShape(QFrame.Shape.NoFrame)
        self._tree.setItemDelegate(_Delegate(self))
        self._tree.setAccessibleName("Pages")
        self._tree.selectionModel().currentChanged.connect(self._on_current)
        self._title = label("kataui", "heading", wrap=False)
        head = QHBoxLayout()
        head.setContentsMargins(theme.u(4), theme.u(4), theme.u(2), theme.u(2))
        head.setSpacing(theme.u(2.5))
        self._logo = icons.IconLabel("guest", size_u=5.5, role="accent")
        head.addWidget(self._logo)
        head.addWidget(self._title, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.u(1))
        layout.addLayout(head)
        layout.addWidget(self._tree, 1)
        theme.state().changed.connect(self._on_theme)
        self._on_theme()

    def _on_theme(self) -> None:
        self.set_rail(on=self.is_rail)
        self._tree.scheduleDelayedItemsLayout()
        self._tree.viewport().update()

    def set_rail(self, *, on: bool) -> None:
        """Shrink to icons, or show the words again."""
        self.is_rail = on
        self._title.setVisible(not on)
        self.setFixedWidth(theme.u(RAIL_U if on else WIDTH_U))
        self._tree.viewport().update()

    def add(self, key: str, entry: Entry, *, under: str = "") -> None:
        """Add a line, or change the one that has this key."""
        item = self._items.get(key)
        if item is None:
            item = QStandardItem()
            self._items[key] = item
            item.setData(key, _KEY)
            parent = self._items.get(under)
            (parent or self._model.invisibleRootItem()).appendRow(item)
        item.setData(entry, _ENTRY)
        item.setToolTip(entry.title)
        word = f", {_WORDS[entry.mark]}" if entry.mark else ""
        item.setAccessibleText(f"{entry.title}{word}")
        self._tree.expandAll()

    def remove(self, key: str) -> None:
        """Take a line away."""
        item = self._items.pop(key)
        self._model.removeRow(item.row(), item.index().parent())

    def keys(self) -> list[str]:
        """All keys in the order in which they stand."""
        found = []
        for top in range(self._model.rowCount()):
            item = self._model.item(top)
            found.append(str(item.data(_KEY)))
            found += [str(item.child(n).data(_KEY)) for n in range(item.rowCount())]
        return found

    def choose(self, key: str) -> None:
        """Mark a line as the one that is shown."""
        index = self._items[key].index()
        if self._tree.currentIndex() != index:
            self._tree.setCurrentIndex(index)

    def _on_current(self, index: QModelIndex) -> None:
        if index.isValid():
            self.chosen.emit(str(index.data(_KEY)))
