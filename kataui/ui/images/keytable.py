"""The table of known keys: name and kind, its backup, what it opens, its fingerprint."""

from collections.abc import Sequence

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelection,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
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
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from kataui.ui import icons, theme
from kataui.ui.images.keyrows import Row

Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()
_HEADERS = ("Key", "Backup", "Opens", "Fingerprint")
_NAME, _BACKUP, _OPENS, _PRINT = range(4)
_MAX_ROWS = 8
_ROW_U = 12.5
_LEAST_U, _MOST_U = 30, 60
_BAR_PX = 12  # room for a horizontal scroll bar
_BY_KEY = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)


class KeyModel(QAbstractTableModel):
    """One row a key; ``UserRole`` gives the ``Row``."""

    def __init__(self, rows: Sequence[Row] = ()) -> None:
        super().__init__()
        self.rows = list(rows)

    def rowCount(self, parent: Index = _ROOT) -> int:
        """One a key."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = _ROOT) -> int:
        """Four."""
        return 0 if parent.isValid() else len(_HEADERS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> object:
        """The names of the columns."""
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _HEADERS[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Texts; the name's cell reads out the whole row."""
        row = self.rows[index.row()]
        texts = (row.name, row.backup, row.opens, row.words)
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return texts[index.column()]
            case Qt.ItemDataRole.AccessibleTextRole:
                return row.sentence if index.column() == _NAME else texts[index.column()]
            case Qt.ItemDataRole.ToolTipRole:
                return row.record.path if index.column() == _NAME else texts[index.column()]
            case Qt.ItemDataRole.UserRole:
                return row
        return None


class _Delegate(QStyledItemDelegate):
    """Two lines for name and fingerprint, a mark before the state of the backup."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint one cell."""
        row: Row = index.data(Qt.ItemDataRole.UserRole)
        background = QStyleOptionViewItem(option)
        self.initStyleOption(background, index)
        background.text = ""
        style = background.widget.style()
        style.drawControl(
            style.ControlElement.CE_ItemViewItem, background, painter, background.widget
        )
        rect: QRect = option.rect.adjusted(theme.u(2), 0, -theme.u(2), 0)
        painter.save()
        match index.column():
            case 0:
                _two(painter, rect, (row.name, "strong"), (row.kind, "note"))
            case 1:
                side = theme.u(4.5)
                top = rect.center().y() - side // 2
                painter.drawPixmap(rect.left(), top, icons.mark(row.mark, side))
                words = rect.adjusted(side + theme.u(2), 0, 0, 0)
                _line(painter, words, row.backup, ("body", "text"))
            case 2:
                _line(painter, rect, row.opens, ("body", "text_secondary"))
            case _:
                _two(painter, rect, (row.words, "body"), (row.digest, "mono"))
        painter.restore()


def _two(painter: QPainter, rect: QRect, above: tuple[str, str], below: tuple[str, str]) -> None:
    """Two lines, each a text in a style."""
    half, edge = rect.height() // 2, theme.u(1.5)
    _line(painter, rect.adjusted(0, edge, 0, -half), above[0], (above[1], "text"))
    _line(painter, rect.adjusted(0, half, 0, -edge), below[0], (below[1], "text_tertiary"))


def _line(painter: QPainter, rect: QRect, text: str, look: tuple[str, str]) -> None:
    """One line in a text style and a colour role."""
    style, role = look
    painter.setFont(theme.font(style))
    painter.setPen(theme.color(role))
    shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
    painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, shown)


class KeyTable(QTableView):
    """Read-only, one key chosen; ``chosen`` gives its row. Ctrl+C copies it as a sentence."""

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._fixed_width = 0
        self.setItemDelegate(_Delegate(self))
        self.setAccessibleName("Keys")
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        theme.state().changed.connect(self._fit)

    def show_rows(self, rows: Sequence[Row], fingerprint: str = "") -> None:
        """Show keys; the one with ``fingerprint``, or else the first, is chosen."""
        model = KeyModel(rows)
        model.setParent(self)
        self.setModel(model)
        self._fit()
        marks = [row.record.fingerprint for row in rows]
        if marks:
            self.selectRow(marks.index(fingerprint) if fingerprint in marks else 0)

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        """Tell which key is chosen."""
        super().selectionChanged(selected, deselected)
        row = next((index.data(Qt.ItemDataRole.UserRole) for index in selected.indexes()), None)
        if row is not None:
            self.chosen.emit(row)

    def _fit(self) -> None:
        """Columns as wide as their words, the fingerprint gets the rest."""
        model = self.model()
        if not isinstance(model, KeyModel):
            return
        strong, body = theme.metrics("strong"), theme.metrics("body")
        note = theme.metrics("note")
        names = [strong.horizontalAdvance(row.name) for row in model.rows]
        names += [note.horizontalAdvance(row.kind) for row in model.rows]
        opens = [body.horizontalAdvance(row.opens) for row in model.rows]
        backup = [body.horizontalAdvance(row.backup) + theme.u(6.5) for row in model.rows]
        self._fixed_width = 0
        for column, texts in ((_NAME, names), (_BACKUP, backup), (_OPENS, opens)):
            width = max([theme.u(_LEAST_U), *texts]) + theme.u(6)
            width = width if column == _BACKUP else min(width, theme.u(_MOST_U))
            self.setColumnWidth(column, width)
            self._fixed_width += width
        self.verticalHeader().setDefaultSectionSize(theme.u(_ROW_U))
        self._stretch()

    def _stretch(self) -> None:
        """The fingerprints get what is left, but never less than some words: then it scrolls."""
        left = self.viewport().width() - self._fixed_width
        least = theme.u(_MOST_U)
        self.setColumnWidth(_PRINT, max(least, left))
        count = self.model().rowCount() if self.model() is not None else 0
        bar = _BAR_PX if left < least else 0
        header = self.horizontalHeader().sizeHint().height()
        self.setFixedHeight(header + min(_MAX_ROWS, max(1, count)) * theme.u(_ROW_U) + bar)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width gives the fingerprints more or less."""
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
        if event.matches(QKeySequence.StandardKey.Copy) and isinstance(model, KeyModel):
            chosen = sorted({index.row() for index in self.selectedIndexes()})
            text = "\n".join(model.rows[number].sentence for number in chosen)
            QGuiApplication.clipboard().setText(text)
            return
        super().keyPressEvent(event)
