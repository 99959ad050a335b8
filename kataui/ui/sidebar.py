"""The sidebar: home, the tabs and what is open in them, keys and settings."""

from PySide6.QtCore import (
    QModelIndex,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QResizeEvent,
    QStandardItem,
    QStandardItemModel,
)
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QMenu,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from kataui.ui import icons, theme
from kataui.ui.find import KEYS, Find
from kataui.ui.sideline import ENTRY, KEY, Entry, Index, LineDelegate
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.text import label
from kataui.ui.words import tr

WIDTH_U, RAIL_U = 59, 14
_TAB_U, _OPEN_U, _GAP_U = 8.5, 7.5, 2.5
_WORDS = {"pass": "pass", "fail": "fail", "unknown": "not checked", "info": "checking"}
_WORDS |= {"warning": "warning"}


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
        self._painter = LineDelegate(self)
        self.setItemDelegate(self._painter)

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
        entry: Entry | None = index.data(ENTRY)
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
        x, wide = event.position().x(), self.viewport().width()
        on_cross = (wide - x if self.isRightToLeft() else x) > wide - theme.u(8)
        closes = (on_cross and not self.is_rail) or event.button() is Qt.MouseButton.MiddleButton
        if index.parent().isValid() and closes:
            self.close_asked.emit(str(index.data(KEY)))
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
        key = str(index.data(KEY))
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
            item.setData(key, KEY)
            self._place(item, entry, under)
        item.setData(entry, ENTRY)
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
        found = self._items[key].data(ENTRY)
        return found if isinstance(found, Entry) else Entry("")

    def keys(self) -> list[str]:
        """All keys in the order in which they stand."""
        found = []
        for top in range(self._model.rowCount()):
            item = self._model.item(top)
            if item is self._filler:
                continue
            found.append(str(item.data(KEY)))
            found += [str(item.child(n).data(KEY)) for n in range(item.rowCount())]
        return found

    def choose(self, key: str) -> None:
        """Mark a line as the one that is shown."""
        index = self._items[key].index()
        if self._tree.currentIndex() != index:
            self._tree.setCurrentIndex(index)

    def _on_current(self, index: QModelIndex) -> None:
        if index.isValid():
            self.chosen.emit(str(index.data(KEY)))
