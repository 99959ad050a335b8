"""The table of a pod's containers: what each is, its image, four checks by mark and word."""

from collections.abc import Sequence

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
from kataui.ui.pods.rows import Row

Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()
_HEADERS = ("Container", "Image", "Pinned", "Encrypted", "Signed", "In policy")
_NAME, _IMAGE = 0, 1
_MAX_ROWS = 10
_ROW_U = 12.5
_LEAST_IMAGE_U, _MOST_NAME_U = 45, 60
_BAR_PX = 12  # room for a horizontal scroll bar
_BY_KEY = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)


class ContainerModel(QAbstractTableModel):
    """One row a container; ``UserRole`` gives the ``Row``."""

    def __init__(self, rows: Sequence[Row] = ()) -> None:
        super().__init__()
        self.rows = list(rows)

    def rowCount(self, parent: Index = _ROOT) -> int:
        """One a container."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = _ROOT) -> int:
        """Six."""
        return 0 if parent.isValid() else len(_HEADERS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> object:
        """The names of the columns."""
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _HEADERS[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Texts; the name's cell reads out the whole row."""
        row = self.rows[index.row()]
        texts = (row.name, row.image, *(cell.word for cell in row.cells))
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return texts[index.column()]
            case Qt.ItemDataRole.AccessibleTextRole:
                return row.sentence if index.column() == _NAME else texts[index.column()]
            case Qt.ItemDataRole.ToolTipRole:
                return row.whole_image if index.column() == _IMAGE else texts[index.column()]
            case Qt.ItemDataRole.UserRole:
                return row
        return None


class _Delegate(QStyledItemDelegate):
    """Two lines for the container, the image in mono, a mark before each check's word."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint one cell; an alert row is tinted and has an edge."""
        row: Row = index.data(Qt.ItemDataRole.UserRole)
        rect: QRect = option.rect
        painter.save()
        if row.alert:
            painter.fillRect(rect, theme.color("fail.tint"))
        background = QStyleOptionViewItem(option)
        self.initStyleOption(background, index)
        background.text = ""
        style = background.widget.style()
        style.drawControl(
            style.ControlElement.CE_ItemViewItem, background, painter, background.widget
        )
        if row.alert and index.column() == _NAME:
            edge = QRect(rect.left(), rect.top(), 3, rect.height())
            painter.fillRect(edge, theme.color("fail.text"))
        inner = rect.adjusted(theme.u(3), 0, -theme.u(2), 0)
        if index.column() == _NAME:
            self._paint_name(painter, inner, row)
        elif index.column() == _IMAGE:
            elide = Qt.TextElideMode.ElideMiddle
            _text(painter, inner, row.image, ("mono", "text"), elide)
        else:
            self._paint_cell(painter, inner, row, index.column() - 2)
        painter.restore()

    @staticmethod
    def _paint_name(painter: QPainter, rect: QRect, row: Row) -> None:
        half = rect.height() // 2
        elide = Qt.TextElideMode.ElideRight
        above = rect.adjusted(0, theme.u(1.5), 0, -half)
        below = rect.adjusted(0, half, 0, -theme.u(1.5))
        kind = "fail.text" if row.alert else "text_tertiary"
        _text(painter, above, row.name, ("strong", "text"), elide)
        _text(painter, below, row.kind, ("note", kind), elide)

    @staticmethod
    def _paint_cell(painter: QPainter, rect: QRect, row: Row, number: int) -> None:
        cell, side = row.cells[number], theme.u(4.5)
        ground = "fail.tint" if row.alert else "surface"
        picture = icons.mark(cell.mark, side, ground)
        painter.drawPixmap(rect.left(), rect.center().y() - side // 2, picture)
        words = rect.adjusted(side + theme.u(2), 0, 0, 0)
        _text(painter, words, cell.word, ("body", "text"), Qt.TextElideMode.ElideRight)


def _text(
    painter: QPainter, rect: QRect, text: str, look: tuple[str, str], elide: Qt.TextElideMode
) -> None:
    """One line in a text style and a colour role."""
    style, role = look
    painter.setFont(theme.font(style))
    painter.setPen(theme.color(role))
    shown = painter.fontMetrics().elidedText(text, elide, rect.width())
    painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, shown)


class ContainerTable(QTableView):
    """Read-only; Ctrl+C copies the chosen rows as sentences."""

    def __init__(self) -> None:
        super().__init__()
        self._fixed_width = 0
        self.setItemDelegate(_Delegate(self))
        self.setAccessibleName("Containers")
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        theme.state().changed.connect(self._fit)

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show containers."""
        model = ContainerModel(rows)
        model.setParent(self)
        self.setModel(model)
        self._fit()

    def _fit(self) -> None:
        """Columns as wide as their words; as high as its rows, up to ten."""
        model = self.model()
        if not isinstance(model, ContainerModel):
            return
        mark = theme.u(4.5 + 2 + 3 + 2 + 2)  # mark, gap, and the room around
        strong, body = theme.metrics("strong"), theme.metrics("body")
        names = [strong.horizontalAdvance(row.name) for row in model.rows]
        names += [theme.metrics("note").horizontalAdvance(row.kind) for row in model.rows]
        name = min(max([theme.u(30), *names]) + theme.u(6), theme.u(_MOST_NAME_U))
        self.setColumnWidth(_NAME, name)
        self._fixed_width = name
        for column in range(2, len(_HEADERS)):
            words = [body.horizontalAdvance(row.cells[column - 2].word) for row in model.rows]
            header = strong.horizontalAdvance(_HEADERS[column]) + theme.u(6)
            width = max(header, max(words, default=0) + mark)
            self.setColumnWidth(column, width)
            self._fixed_width += width
        header_view = self.horizontalHeader()
        header_view.setSectionResizeMode(_IMAGE, QHeaderView.ResizeMode.Interactive)
        self.verticalHeader().setDefaultSectionSize(theme.u(_ROW_U))
        self._stretch()

    def _stretch(self) -> None:
        """The images get what is left, but never less than can be read: then the table scrolls."""
        left = self.viewport().width() - self._fixed_width
        least = theme.u(_LEAST_IMAGE_U)
        self.setColumnWidth(_IMAGE, max(least, left))
        count = self.model().rowCount() if self.model() is not None else 0
        bar = _BAR_PX if left < least else 0
        header = self.horizontalHeader().sizeHint().height()
        self.setFixedHeight(header + min(_MAX_ROWS, max(1, count)) * theme.u(_ROW_U) + bar)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width gives the images more or less."""
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
        if event.matches(QKeySequence.StandardKey.Copy) and isinstance(model, ContainerModel):
            chosen = sorted({index.row() for index in self.selectedIndexes()})
            text = "\n".join(model.rows[number].sentence for number in chosen)
            QGuiApplication.clipboard().setText(text)
            return
        super().keyPressEvent(event)
