"""Widgets side by side that go on in the next line when the width ends."""

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QSizePolicy, QStyle, QWidget

from kataui.ui import theme


class _Flow(QLayout):
    """Every item has the size that it asks for."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem) -> None:
        """Put an item at the end."""
        self._items.append(item)

    def count(self) -> int:
        """How many there are."""
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        """One of them."""
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        """Give one away."""
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        """None."""
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        """A narrow row has more lines."""
        return True

    def heightForWidth(self, width: int) -> int:
        """The height of all lines."""
        return self._place(width, QPoint(), move=False)

    def sizeHint(self) -> QSize:
        """All in one line."""
        widths = [item.sizeHint().width() for item in self._items if not item.isEmpty()]
        gaps = theme.u(2) * max(0, len(widths) - 1)
        return QSize(sum(widths) + gaps, self.minimumSize().height())

    def minimumSize(self) -> QSize:
        """The largest item."""
        size = QSize()
        for item in self._items:
            size = size.expandedTo(item.minimumSize())
        return size

    def setGeometry(self, rect: QRect) -> None:
        """Put the items where they belong."""
        super().setGeometry(rect)
        self._place(rect.width(), rect.topLeft(), move=True)

    def _place(self, width: int, start: QPoint, *, move: bool) -> int:
        """Go through the lines; gives the height of all in pixels."""
        x = y = line = 0
        holder, room = self.parentWidget(), QRect(start, QSize(width, 0))
        way = holder.layoutDirection() if holder else Qt.LayoutDirection.LeftToRight
        for item in self._items:
            if item.isEmpty():
                continue
            size = item.sizeHint()
            if x and x + size.width() > width:
                x, y, line = 0, y + line + theme.u(2), 0
            if move:
                size.setWidth(min(size.width(), width))
                place = QRect(start + QPoint(x, y), size)
                item.setGeometry(QStyle.visualRect(way, room, place))
            x += size.width() + theme.u(2)
            line = max(line, size.height())
        return y + line


def flow_row(*parts: QWidget) -> QWidget:
    """The widgets in a row that may have several lines."""
    holder = QWidget()
    layout = _Flow(holder)
    for part in parts:
        layout.addWidget(part)
    policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
    policy.setHeightForWidth(True)
    holder.setSizePolicy(policy)
    return holder
