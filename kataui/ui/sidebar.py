"""The sidebar: home, the tabs and what is open in them, keys and settings."""

from dataclasses import dataclass

from PySide6.QtCore import (
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
    QResizeEvent,
    QStandardItem,
    QStandardItemModel,
)
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from kataui.ui import icons, theme
from kataui.ui.find import KEYS, Find
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.text import label
from kataui.ui.words import tr

_KEY = Qt.ItemDataRole.UserRole
_ENTRY = Qt.ItemDataRole.UserRole + 1
Index = QModelIndex | QPersistentModelIndex
WIDTH_U, RAIL_U = 59, 14
_TAB_U, _OPEN_U, _GAP_U = 8.5, 7.5, 2.5
_WORDS = {"pass": "pass", "fail": "fail", "unknown": "not checked", "info": "checking"}
_WORDS |= {"warning": "warning"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: ``icon`` for a tab, ``mark`` for something open; ``last`` stands at the bottom."""

    title: str
    icon: str = ""
    mark: str = ""
    last: bool = False


class _Delegate(QStyledItemDelegate):
    """Paints a line: accent bar and tint when chosen, the icon or the verdict's mark."""

    def __init__(self, tree: "_Tree") -> None:
        super().__init__(tree)
        self._tree = tree

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Tabs are a little higher than what is open in them."""
        del option
        return QSize(theme.u(10), self._tree.line_height(index))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint one line."""
        entry: Entry | None = index.data(_ENTRY)
        if entry is None:
            return
        rect = QRect(option.rect).adjusted(0, self._tree.gap(index), 0, 0)
        rect.setWidth(self._tree.viewport().width())  # a column may be wider than the rail
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if chosen or hovered:
            self._paint_ground(painter, rect, chosen=chosen)
        if chosen and self._tree.shows_focus:
            painter.setPen(QPen(theme.color("focus"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(rect.adjusted(theme.u(2), 2, -theme.u(2), -2), 6, 6)
        if entry.icon:
            role = "accent" if chosen else "text_secondary"
            side = theme.u(4.5)
            left = (rect.width() - side) // 2 if self._tree.is_rail else theme.u(4)
            picture = icons.pixmap(entry.icon, side, role)
            painter.drawPixmap(left, rect.center().y() - side // 2, picture)
        if self._tree.is_rail:
            self._paint_small(painter, rect, entry)
        else:
            right = rect.right() - theme.u(3)
            right = self._paint_end(painter, entry, rect, right, closing=hovered and not entry.icon)
            self._paint_words(painter, rect, right, entry, chosen=chosen)
        painter.restore()

    @staticmethod
    def _paint_ground(painter: QPainter, rect: QRect, *, chosen: bool) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("selected" if chosen else "hover"))
        painter.drawRoundedRect(rect.adjusted(theme.u(2), 1, -theme.u(2), -1), 6, 6)
        if chosen:
            painter.setBrush(theme.color("accent"))
            bar = QRectF(theme.u(0.75), rect.top() + theme.u(1.5), 3, rect.height() - theme.u(3))
            painter.drawRoundedRect(bar, 1.5, 1.5)

    def _paint_small(self, painter: QPainter, rect: QRect, entry: Entry) -> None:
        """In the rail, something open is its mark, or a dot; the tool tip has its name."""
        if entry.mark:
            self._paint_mark(painter, entry, (rect.width() - theme.u(4)) // 2, rect)
        elif not entry.icon:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("text_tertiary"))
            painter.drawEllipse(QPointF(rect.center()), theme.u(1), theme.u(1))

    @staticmethod
    def _paint_mark(painter: QPainter, entry: Entry, x: int, rect: QRect) -> None:
        side = theme.u(4)
        picture = icons.mark(entry.mark, side, "sidebar")
        painter.drawPixmap(x, rect.center().y() - side // 2, picture)

    def _paint_end(
        self, painter: QPainter, entry: Entry, rect: QRect, right: int, *, closing: bool
    ) -> int:
        """The mark, or the cross that closes; gives where the words must end."""
        side = theme.u(4)
        if closing:
            cross = icons.pixmap("x", side)
            painter.drawPixmap(right - side, rect.center().y() - side // 2, cross)
        elif entry.mark:
            self._paint_mark(painter, entry, right - side, rect)
        return right - (side + theme.u(2) if closing or entry.mark else 0)

    @staticmethod
    def _paint_words(
        painter: QPainter, rect: QRect, right: int, entry: Entry, *, chosen: bool
    ) -> None:
        left = theme.u(11)
        painter.setFont(theme.font("strong" if entry.icon or chosen else "body"))
        painter.setPen(theme.color("text" if entry.icon or chosen else "text_secondary"))
        text = painter.fontMetrics().elidedText(
            tr(entry.title), Qt.TextElideMode.ElideMiddle, right - left
        )
        place = QRect(left, rect.top(), right - left, rect.height())
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, text)


class _Tree(QTreeView):
    """The lines. An empty line that cannot be chosen pushes the last ones to the bottom."""

    close_asked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.is_rail = False
        self._by_key = False
        self.setHeaderHidden(True)
        self.setRootIsDecorated(False)
        self.setIndentation(0)
        self.setItemsExpandable(False)
        self.setEditTriggers(QTreeView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName(tr("Pages"))
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setItemDelegate(_Delegate(self))

    @property
    def shows_focus(self) -> bool:
        """Whether somebody is here who uses the keyboard."""
        return self._by_key and self.hasFocus()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the ring to those who came by a key."""
        keys = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        self._by_key = event.reason() in keys
        super().focusInEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Who presses a key sees the ring."""
        self._by_key = True
        super().keyPressEvent(event)

    def gap(self, index: Index) -> int:
        """Room above a tab that follows what is open in the one before; in pixels."""
        if index.parent().isValid() or not index.row():
            return 0
        before = index.sibling(index.row() - 1, 0)
        return theme.u(_GAP_U) if index.model().hasChildren(before) else 0

    def line_height(self, index: Index) -> int:
        """The height of a line in pixels, its gap included."""
        entry: Entry | None = index.data(_ENTRY)
        if entry is None:
            return self._rest(index)
        return theme.u(_TAB_U if entry.icon else _OPEN_U) + self.gap(index)

    def _rest(self, filler: Index) -> int:
        """What is left of the height when all other lines are shown."""
        model = filler.model()
        used = 0
        for place in range(model.rowCount()):
            tab = model.index(place, 0)
            if tab.row() != filler.row():
                used += self.line_height(tab)
            for inner in range(model.rowCount(tab)):
                used += self.line_height(model.index(inner, 0, tab))
        return max(0, self.viewport().height() - used - theme.u(2))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The empty line is as high as the rest."""
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click on the cross, or with the middle button, closes; others choose."""
        self._by_key = False
        index = self.indexAt(event.position().toPoint())
        on_cross = event.position().x() > self.viewport().width() - theme.u(8) and not self.is_rail
        closes = on_cross or event.button() is Qt.MouseButton.MiddleButton
        if index.parent().isValid() and closes:
            self.close_asked.emit(str(index.data(_KEY)))
        elif event.button() is Qt.MouseButton.LeftButton:
            super().mousePressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The menu of something open; the Menu key brings it too."""
        by_key = event.reason() is QContextMenuEvent.Reason.Keyboard
        index = self.currentIndex() if by_key else self.indexAt(event.pos())
        if not index.parent().isValid():
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        key = str(index.data(_KEY))
        menu.addAction(tr("Close"), lambda: self.close_asked.emit(key))
        rect = self.visualRect(index)
        place = self.viewport().mapToGlobal(rect.center()) if by_key else event.globalPos()
        menu.popup(place)


class Sidebar(QWidget):
    """``chosen`` gives the key of the line that the user went to; ``close_asked``, to close."""

    chosen = Signal(str)
    close_asked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("look", "sidebar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._items: dict[str, QStandardItem] = {}
        self._filler: QStandardItem | None = None
        self._model = QStandardItemModel(self)
        self._tree = _Tree()
        self._tree.setModel(self._model)
        self._tree.selectionModel().currentChanged.connect(self._on_current)
        self._tree.close_asked.connect(self.close_asked)
        self._title = label("kataui", "heading", wrap=False)
        head = QHBoxLayout()
        head.setContentsMargins(theme.u(4), theme.u(4), theme.u(2), theme.u(2))
        head.setSpacing(theme.u(2.5))
        self._logo = icons.IconLabel("logo", size_u=5.5, role="accent")
        head.addWidget(self._logo, 0, Qt.AlignmentFlag.AlignLeft)
        head.addWidget(self._title, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.u(1))
        layout.addLayout(head)
        layout.addLayout(self._make_find())
        layout.addWidget(self._tree, 1)
        theme.state().changed.connect(self._on_theme)
        self._on_theme()

    def _make_find(self) -> QHBoxLayout:
        """The field that finds; in the rail, a button that brings it."""
        self.finder = Find()
        self.finder.left.connect(self._end_find)
        self.finder.done.connect(self.take_focus)
        self._find_button = Button("", self.begin_find, icon="search", kind="quiet", name="Find")
        self._find_button.setToolTip(tr(f"Find or do ({KEYS})"))
        self._rail_again = False
        self._find_line = QHBoxLayout()
        self._find_line.addWidget(self.finder, 1)
        self._find_line.addWidget(self._find_button)
        return self._find_line

    def take_focus(self) -> None:
        """To the lines, which show their own mark."""
        self._tree.setFocus(Qt.FocusReason.OtherFocusReason)

    def begin_find(self) -> None:
        """Put the focus into the field; the rail opens for as long as it is there."""
        self._rail_again = self.is_rail
        self.set_rail(on=False)
        self.finder.begin()

    def _end_find(self) -> None:
        if self._rail_again:
            self._rail_again = False
            self.set_rail(on=True)

    def _on_theme(self) -> None:
        self.set_rail(on=self.is_rail)
        self._tree.scheduleDelayedItemsLayout()
        self._tree.viewport().update()

    @property
    def is_rail(self) -> bool:
        """Whether only icons are shown."""
        return self._tree.is_rail

    def set_rail(self, *, on: bool) -> None:
        """Shrink to icons, or show the words again."""
        self._tree.is_rail = on
        self._title.setVisible(not on)
        self.finder.setVisible(not on)
        self._find_button.setVisible(on)
        left, right = (theme.u(1), theme.u(1)) if on else (theme.u(3), theme.u(2))
        self._find_line.setContentsMargins(left, 0, right, theme.u(1))
        self.setFixedWidth(theme.u(RAIL_U if on else WIDTH_U))
        self._tree.viewport().update()

    def add(self, key: str, entry: Entry, *, under: str = "") -> None:
        """Add a line, or change the one that has this key."""
        item = self._items.get(key)
        if item is None:
            item = QStandardItem()
            self._items[key] = item
            item.setData(key, _KEY)
            self._place(item, entry, under)
        item.setData(entry, _ENTRY)
        item.setToolTip(tr(entry.title))
        word = f", {_WORDS[entry.mark]}" if entry.mark else ""
        item.setAccessibleText(f"{entry.title}{word}")
        self._tree.expandAll()
        self._tree.scheduleDelayedItemsLayout()

    def _place(self, item: QStandardItem, entry: Entry, under: str) -> None:
        """Put a new line where it belongs."""
        root = self._model.invisibleRootItem()
        if under in self._items:
            self._items[under].appendRow(item)
        elif entry.last:
            if self._filler is None:
                self._filler = QStandardItem()
                self._filler.setFlags(Qt.ItemFlag.NoItemFlags)
                root.appendRow(self._filler)
            root.appendRow(item)
        else:
            root.insertRow(root.rowCount() if self._filler is None else self._filler.row(), item)

    def remove(self, key: str) -> None:
        """Take a line away."""
        item = self._items.pop(key)
        self._model.removeRow(item.row(), item.index().parent())
        self._tree.scheduleDelayedItemsLayout()

    def entry(self, key: str) -> Entry:
        """The line that has this key."""
        found = self._items[key].data(_ENTRY)
        return found if isinstance(found, Entry) else Entry("")

    def keys(self) -> list[str]:
        """All keys in the order in which they stand."""
        found = []
        for top in range(self._model.rowCount()):
            item = self._model.item(top)
            if item is self._filler:
                continue
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
