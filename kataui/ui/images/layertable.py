"""The table of layers: number, name and command, size with a bar, origin, encrypted, recipients."""

from collections.abc import Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import (
    QFocusEvent,
    QFontMetrics,
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

from kataui.files import size_text
from kataui.images.inspect import LayerRow
from kataui.ui import icons, theme

Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()
_HEADERS = ("", "Layer", "Size", "From", "Encrypted", "Recipients")
_NUMBER, _LAYER, _SIZE, _FROM, _ENCRYPTED, _RECIPIENTS = range(6)
_ORIGINS = {"base": "Base", "own": "Yours", "unknown": "Not known"}
_MAX_ROWS = 12
_ROW_U = 11.5
_RECIPIENTS_U = 60
_BY_KEY = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
_BAR_PX = 12  # room for a horizontal scroll bar


class LayerModel(QAbstractTableModel):
    """Rows of ``LayerRow``; the size column sorts by bytes (``UserRole``)."""

    def __init__(self, rows: Sequence[LayerRow] = ()) -> None:
        super().__init__()
        self.rows = list(rows)

    def rowCount(self, parent: Index = _ROOT) -> int:
        """One a layer."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = _ROOT) -> int:
        """Six."""
        return 0 if parent.isValid() else len(_HEADERS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> object:
        """The names of the columns; that of the numbers stands at the right."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if section == _SIZE else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return _HEADERS[section] if role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Texts, and native values for the delegate."""
        row = self.rows[index.row()]
        texts = (
            str(row.index),
            row.name,
            size_text(row.size_bytes),
            _ORIGINS[row.origin],
            "Encrypted" if row.encrypted else "Readable",
            row.recipients or "None",
        )
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole:
                return texts[index.column()]
            case Qt.ItemDataRole.ToolTipRole:
                return row.command if index.column() == _LAYER else texts[index.column()]
            case Qt.ItemDataRole.UserRole:
                return row
            case Qt.ItemDataRole.TextAlignmentRole if index.column() == _SIZE:
                return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def text_of(self, row: int) -> str:
        """A row as text, for the clipboard."""
        cells = (self.data(self.index(row, column)) for column in range(len(_HEADERS)))
        return "\t".join(str(cell) for cell in cells)


class _Delegate(QStyledItemDelegate):
    """Two lines for the layer, a bar behind the size, a mark before "encrypted"."""

    biggest_bytes = 1

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint one cell."""
        row: LayerRow = index.data(Qt.ItemDataRole.UserRole)
        background = QStyleOptionViewItem(option)
        self.initStyleOption(background, index)
        background.text = ""
        style = background.widget.style()
        style.drawControl(
            style.ControlElement.CE_ItemViewItem, background, painter, background.widget
        )
        rect: QRect = option.rect.adjusted(theme.u(2), 0, -theme.u(2), 0)
        painter.save()
        if index.column() == _LAYER:
            self._paint_layer(painter, rect, row)
        elif index.column() == _SIZE:
            self._paint_size(painter, rect, row)
        elif index.column() == _ENCRYPTED:
            self._paint_mark(painter, rect, row)
        else:
            self._paint_text(painter, rect, str(index.data()), last=index.column() == _RECIPIENTS)
        painter.restore()

    @staticmethod
    def _paint_text(painter: QPainter, rect: QRect, text: str, *, last: bool) -> None:
        painter.setPen(theme.color("text_secondary" if last else "text"))
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, shown)

    @staticmethod
    def _paint_layer(painter: QPainter, rect: QRect, row: LayerRow) -> None:
        for style, role, text, part in (
            ("strong", "text", row.name, rect.adjusted(0, theme.u(1), 0, -rect.height() // 2)),
            (
                "mono",
                "text_tertiary",
                row.command,
                rect.adjusted(0, rect.height() // 2, 0, -theme.u(1)),
            ),
        ):
            painter.setFont(theme.font(style))
            painter.setPen(theme.color(role))
            elide = Qt.TextElideMode.ElideRight
            shown = painter.fontMetrics().elidedText(text, elide, part.width())
            painter.drawText(part, Qt.AlignmentFlag.AlignVCenter, shown)

    def _paint_size(self, painter: QPainter, rect: QRect, row: LayerRow) -> None:
        bar = theme.u(14)
        painter.setPen(theme.color("text"))
        text = rect.adjusted(0, 0, -bar - theme.u(2), 0)
        flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(text, flags, size_text(row.size_bytes))
        height = theme.u(2)
        groove = QRect(rect.right() - bar, rect.center().y() - height // 2, bar, height)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("line"))
        painter.drawRoundedRect(groove, height / 2, height / 2)
        share = max(height, bar * row.size_bytes // max(1, self.biggest_bytes))
        painter.setBrush(theme.color("text_tertiary" if row.origin == "base" else "accent"))
        painter.drawRoundedRect(
            QRect(groove.left(), groove.top(), share, height), height / 2, height / 2
        )

    @staticmethod
    def _paint_mark(painter: QPainter, rect: QRect, row: LayerRow) -> None:
        side = theme.u(4)
        role = "accent" if row.encrypted else "text_secondary"
        picture = icons.pixmap("lock" if row.encrypted else "eye", side, role)
        painter.drawPixmap(rect.left(), rect.center().y() - side // 2, picture)
        painter.setPen(theme.color("text"))
        words = rect.adjusted(side + theme.u(2), 0, 0, 0)
        text = "Encrypted" if row.encrypted else "Readable"
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, text)


class LayerTable(QTableView):
    """Read-only; Ctrl+C copies the chosen rows as text."""

    def __init__(self) -> None:
        super().__init__()
        self._fixed_width = 0
        self._delegate = _Delegate(self)
        self.setItemDelegate(self._delegate)
        self.setAccessibleName("Layers")
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        theme.state().changed.connect(self._fit)

    def show_rows(self, rows: Sequence[LayerRow]) -> None:
        """Show layers."""
        model = LayerModel(rows)
        model.setParent(self)
        self._delegate.biggest_bytes = max((row.size_bytes for row in rows), default=1)
        self.setModel(model)
        self._fit()

    def _fit(self) -> None:
        """As high as its rows, up to a dozen; columns as wide as their words."""
        model = self.model()
        if not isinstance(model, LayerModel):
            return
        metrics = QFontMetrics(self.font())
        widths = {
            _NUMBER: theme.u(10),
            _SIZE: metrics.horizontalAdvance("888.8 MB") + theme.u(20),
            _FROM: metrics.horizontalAdvance("Not known") + theme.u(6),
            _ENCRYPTED: metrics.horizontalAdvance("Encrypted") + theme.u(13),
            _RECIPIENTS: self._recipients_width(model, metrics),
        }
        header = self.horizontalHeader()
        for column, width in widths.items():
            self.setColumnWidth(column, width)
        header.setSectionResizeMode(_LAYER, QHeaderView.ResizeMode.Interactive)
        header.setMinimumSectionSize(theme.u(9))
        self._fixed_width = sum(widths.values())
        self._stretch()
        self.verticalHeader().setDefaultSectionSize(theme.u(_ROW_U))
        self._take_height()

    @staticmethod
    def _recipients_width(model: LayerModel, metrics: QFontMetrics) -> int:
        words = (*(row.recipients for row in model.rows), _HEADERS[_RECIPIENTS])
        wanted = max(metrics.horizontalAdvance(text) for text in words) + theme.u(6)
        return min(wanted, theme.u(_RECIPIENTS_U))

    def _take_height(self) -> None:
        """Of its header, its rows, and a bar when the columns do not fit."""
        model = self.model()
        rows = min(_MAX_ROWS, max(1, model.rowCount()))
        bar = _BAR_PX if self.columnWidth(_LAYER) > self._left() else 0
        header = self.horizontalHeader().sizeHint().height()
        self.setFixedHeight(header + rows * theme.u(_ROW_U) + bar)

    def _left(self) -> int:
        return self.viewport().width() - self._fixed_width

    def _stretch(self) -> None:
        """The names get what is left, but never less than can be read: then the table scrolls."""
        self.setColumnWidth(_LAYER, max(theme.u(45), self._left()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width gives the names more or less."""
        super().resizeEvent(event)
        self._stretch()
        if isinstance(self.model(), LayerModel):
            self._take_height()

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
        if event.matches(QKeySequence.StandardKey.Copy) and isinstance(model, LayerModel):
            rows = sorted({index.row() for index in self.selectedIndexes()})
            QGuiApplication.clipboard().setText("\n".join(model.text_of(row) for row in rows))
            return
        super().keyPressEvent(event)
