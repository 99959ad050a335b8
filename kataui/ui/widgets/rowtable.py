"""A read-only table of rows: as high as they are, one column stretched, rows copied as text."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import (
    QFocusEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from kataui.ui import icons, theme
from kataui.ui.words import tr

Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()
_BAR_PX = 12  # room for a horizontal scroll bar
_BY_KEY = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)


class RowModel(QAbstractTableModel):
    """``headers`` name the columns, ``right`` are those of numbers; ``UserRole`` gives the row."""

    headers: ClassVar[tuple[str, ...]] = ()
    right: ClassVar[frozenset[int]] = frozenset()

    def __init__(self, rows: Sequence[Any] = ()) -> None:
        super().__init__()
        self.rows = list(rows)

    def texts(self, row: Any) -> tuple[str, ...]:
        """The words of each column."""
        raise NotImplementedError

    def tip(self, row: Any, column: int) -> str:
        """The tool tip; the words themselves, which may be cut."""
        return self.texts(row)[column]

    def read_out(self, row: Any, column: int) -> str:
        """What a screen reader says."""
        return self.texts(row)[column]

    def copied(self, row: Any) -> str:
        """A row as text, for the clipboard."""
        return "\t".join(self.texts(row))

    def rowCount(self, parent: Index = _ROOT) -> int:
        """How many rows there are."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = _ROOT) -> int:
        """How many columns there are."""
        return 0 if parent.isValid() else len(self.headers)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> object:
        """The names of the columns; those of numbers stand at the right."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            at_right = section in self.right
            side = Qt.AlignmentFlag.AlignRight if at_right else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return tr(self.headers[section]) if role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Texts, and the row itself for the delegate."""
        row, column = self.rows[index.row()], index.column()
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return tr(self.texts(row)[column])
            case Qt.ItemDataRole.AccessibleTextRole:
                return tr(self.read_out(row, column))
            case Qt.ItemDataRole.ToolTipRole:
                return tr(self.tip(row, column))
            case Qt.ItemDataRole.UserRole:
                return row
            case Qt.ItemDataRole.TextAlignmentRole if column in self.right:
                return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None


class RowDelegate(QStyledItemDelegate):
    """Paints the background; ``paint_cell`` paints what stands on it."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint one cell."""
        row = index.data(Qt.ItemDataRole.UserRole)
        painter.save()
        painter.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # the mark, then its word
        self.paint_under(painter, option.rect, row, index.column())
        background = QStyleOptionViewItem(option)
        self.initStyleOption(background, index)
        background.text = ""
        style = background.widget.style()
        style.drawControl(
            style.ControlElement.CE_ItemViewItem, background, painter, background.widget
        )
        rect: QRect = option.rect.adjusted(theme.u(2), 0, -theme.u(2), 0)
        self.paint_cell(painter, rect, row, index.column())
        painter.restore()

    def paint_under(self, painter: QPainter, rect: QRect, row: Any, column: int) -> None:
        """What lies under everything, such as a tint."""

    def paint_cell(self, painter: QPainter, rect: QRect, row: Any, column: int) -> None:
        """The words and marks of a cell."""
        raise NotImplementedError


def paint_text(
    painter: QPainter,
    rect: QRect,
    text: str,
    look: tuple[str, str],
    elide: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
) -> None:
    """One line, cut where it ends; ``look`` is a text style and a colour role."""
    style, role = look
    painter.setFont(theme.font(style))
    painter.setPen(theme.color(role))
    shown = painter.fontMetrics().elidedText(tr(text), elide, rect.width())
    painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, shown)


def paint_two(
    painter: QPainter,
    rect: QRect,
    above: tuple[str, tuple[str, str]],
    below: tuple[str, tuple[str, str]],
) -> None:
    """Two lines, each a text and its look."""
    half, edge = rect.height() // 2, theme.u(1.5)
    paint_text(painter, rect.adjusted(0, edge, 0, -half), *above)
    paint_text(painter, rect.adjusted(0, half, 0, -edge), *below)


def paint_mark(
    painter: QPainter, rect: QRect, kind: str, word: str, ground: str = "surface"
) -> None:
    """The mark of a verdict or severity, and its word."""
    side = theme.u(4.5)
    top = rect.center().y() - side // 2
    painter.drawPixmap(rect.left(), top, icons.mark(kind, side, ground))
    paint_text(painter, rect.adjusted(side + theme.u(2), 0, 0, 0), word, ("body", "text"))


class RowTable(QTableView):
    """``widths`` gives the fixed columns; ``stretched`` gets what is left, at least ``least_u``.

    Lengths are in units. More than ``most_rows`` scroll. Ctrl+C copies the chosen rows.
    """

    def __init__(
        self,
        name: str,
        delegate: RowDelegate,
        *,
        row_u: float,
        most_rows: int,
        stretched: int,
        least_u: float,
    ) -> None:
        super().__init__()
        self._row_u, self._most_rows = row_u, most_rows
        self._stretched, self._least_u = stretched, least_u
        self._fixed_width = 0
        delegate.setParent(self)
        self.setItemDelegate(delegate)
        self.setAccessibleName(tr(name))
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        theme.state().changed.connect(self._fit)

    def widths(self, rows: Sequence[Any]) -> Mapping[int, int]:
        """The width of every column but the stretched one, in pixels."""
        raise NotImplementedError

    def show_model(self, model: RowModel) -> None:
        """Show other rows."""
        model.setParent(self)
        self.setModel(model)
        self._fit()

    def _fit(self) -> None:
        """Columns as wide as their words."""
        model = self.model()
        if not isinstance(model, RowModel):
            return
        self.horizontalHeader().setMinimumSectionSize(theme.u(9))
        widths = self.widths(model.rows)
        for column, width in widths.items():
            self.setColumnWidth(column, width)
        self._fixed_width = sum(widths.values())
        self.verticalHeader().setDefaultSectionSize(theme.u(self._row_u))
        self._stretch()

    def _stretch(self) -> None:
        """One column gets what is left, but never less than can be read: then it scrolls."""
        model = self.model()
        if not isinstance(model, RowModel):
            return
        left, least = self.viewport().width() - self._fixed_width, theme.u(self._least_u)
        self.setColumnWidth(self._stretched, max(least, left))
        rows = min(self._most_rows, max(1, model.rowCount()))
        bar = _BAR_PX if left < least else 0
        header = self.horizontalHeader().sizeHint().height()
        self.setFixedHeight(header + rows * theme.u(self._row_u) + bar)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width gives the stretched column more or less."""
        super().resizeEvent(event)
        self._stretch()

    def minimumSizeHint(self) -> QSize:
        """May be narrow: it scrolls then."""
        return QSize(theme.u(60), self.height())

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Who comes by a key sees where the focus is."""
        super().focusInEvent(event)
        if not self.currentIndex().isValid() and event.reason() in _BY_KEY:
            self.selectRow(0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ctrl+C copies."""
        model = self.model()
        if event.matches(QKeySequence.StandardKey.Copy) and isinstance(model, RowModel):
            chosen = sorted({index.row() for index in self.selectedIndexes()})
            text = "\n".join(model.copied(model.rows[number]) for number in chosen)
            QGuiApplication.clipboard().setText(text)
            return
        super().keyPressEvent(event)
