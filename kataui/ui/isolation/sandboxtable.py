"""The table of sandboxes: who waits, how much, since when, and because of whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np
from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFont,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from kataui.files import clean
from kataui.isolation.filter import Filter, matches
from kataui.ui import icons, theme
from kataui.ui.isolation import patterns
from kataui.ui.isolation.sandboxmodel import (
    ARROWS,
    BECAUSE,
    FIRST_ORDERS,
    HEADERS,
    MARKS,
    NAME,
    NOT_MEASURED,
    SCORE,
    STRIP,
    WAITS,
    Index,
    SandboxModel,
    SandboxRow,
    because_text,
    waits_text,
)
from kataui.ui.widgets.graphpainter import graph_painter
from kataui.ui.words import tr

__all__ = ["SandboxRow", "SandboxTable"]

_ROW_U = 9.5
_STRIP_HEIGHT_U = 5.25
_STRIP_WIDTH_U = 42.0
_LEAST_NAME_U, _LEAST_BECAUSE_U = 36.0, 38.0
_NAME_SHARE = 0.5  # of what the fixed columns leave to the two that hold words
_BAR_PX = 3
_MIDDLE = Qt.AlignmentFlag.AlignVCenter
_RIGHT = _MIDDLE | Qt.AlignmentFlag.AlignRight


@dataclass(frozen=True, slots=True)
class _Look:
    """What the delegate needs of the theme, looked up once a theme and not once a cell."""

    body: QFont
    strong: QFont
    text: QColor
    faint: QColor
    dim: QColor
    selected: QColor
    line: QColor
    accent: QColor
    unit: int
    mark: int
    swatch: int
    strip: int
    pictures: dict[str, QPixmap]  # marks, swatches, and the hatching under the strips

    @classmethod
    def now(cls, ratio: float) -> Self:
        """The theme that is shown, for a screen."""
        roles = theme.colors()["roles"]
        side, mark = theme.u(3), theme.u(4.5)
        pictures = {role: patterns.swatch(role, side, ratio) for role in roles}
        for grade, kind in MARKS.items():
            for ground in ("surface", "selected"):
                pictures[grade + ground] = icons.mark(kind, mark, ground)
        pictures[patterns.GAP] = patterns.tile(patterns.GAP, ratio)
        return cls(
            body=theme.font("body"),
            strong=theme.font("strong"),
            text=theme.color("text"),
            faint=theme.color("text_tertiary"),
            dim=theme.color("text_secondary"),
            selected=theme.color("selected"),
            line=theme.color("line_faint"),
            accent=theme.color("accent"),
            unit=theme.u(1),
            mark=mark,
            swatch=side,
            strip=theme.u(_STRIP_HEIGHT_U),
            pictures=pictures,
        )


class _Delegate(QStyledItemDelegate):
    """Paints every cell itself: a style sheet would cost most of the time."""

    def __init__(self, view: "SandboxTable") -> None:
        super().__init__(view)
        self._view = view
        self.look = _Look.now(view.devicePixelRatioF())

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint one cell."""
        look, model, column = self.look, self._view.rows_model, index.column()
        row = model.rows[index.row()]
        rect: QRect = option.rect
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen:
            painter.fillRect(rect, look.selected)
        painter.fillRect(rect.left(), rect.bottom(), rect.width(), 1, look.line)
        if chosen and column == NAME:
            painter.fillRect(rect.left(), rect.top(), _BAR_PX, rect.height(), look.accent)
        inner = rect.adjusted(2 * look.unit, 0, -2 * look.unit, 0)
        bad = row.grade in MARKS
        painter.setFont(look.strong if bad and column in {NAME, WAITS} else look.body)
        painter.setPen(look.text)
        match column:
            case 0:
                self._words(painter, inner, clean(row.name), Qt.TextElideMode.ElideMiddle)
            case 1:
                self._paint_score(painter, inner, row, chosen=chosen)
            case 2:
                painter.setPen(look.faint if row.waits is None else painter.pen())
                painter.drawText(inner, _RIGHT, tr(waits_text(row)))
            case 3:
                self._paint_strip(painter, inner, row, index.row())
            case _:
                self._paint_because(painter, inner, row)

    @staticmethod
    def _words(painter: QPainter, rect: QRect, text: str, elide: Qt.TextElideMode) -> None:
        metrics, text = painter.fontMetrics(), tr(text)
        if metrics.horizontalAdvance(text) > rect.width():
            text = metrics.elidedText(text, elide, rect.width())
        painter.drawText(rect, _MIDDLE, text)

    def _paint_score(
        self, painter: QPainter, rect: QRect, row: SandboxRow, *, chosen: bool
    ) -> None:
        """A mark from C down, the letter, and the number in a column of its own."""
        look = self.look
        if row.score is None:
            painter.setPen(look.faint)
            painter.drawText(rect, _MIDDLE, tr(NOT_MEASURED))
            return
        if row.grade in MARKS:
            ground = "selected" if chosen else "surface"
            picture = look.pictures[row.grade + ground]
            painter.drawPixmap(rect.left(), rect.center().y() - look.mark // 2, picture)
        letter = rect.adjusted(look.mark + 2 * look.unit, 0, 0, 0)
        painter.drawText(letter, _MIDDLE, row.grade)
        number = letter.adjusted(0, 0, letter.left() + self._view.number_right - letter.right(), 0)
        painter.drawText(number, _RIGHT, f"{row.score:.0f}")

    def _paint_strip(self, painter: QPainter, rect: QRect, row: SandboxRow, place: int) -> None:
        look = self.look
        target = QRect(rect.left(), rect.center().y() - look.strip // 2, rect.width(), look.strip)
        strips = self._view.rows_model.strips()
        if np.isnan(row.strip).any():
            painter.drawTiledPixmap(target, look.pictures[patterns.GAP])
        painter.drawImage(target, strips, QRect(0, place, strips.width(), 1))

    def _paint_because(self, painter: QPainter, rect: QRect, row: SandboxRow) -> None:
        look = self.look
        if not row.because:
            painter.setPen(look.faint)
        elif row.because_role:
            picture = look.pictures.get(row.because_role, look.pictures["other"])
            top = rect.center().y() - look.swatch // 2
            painter.drawPixmap(rect.left(), top, picture)
            rect = rect.adjusted(look.swatch + 2 * look.unit, 0, 0, 0)
        self._words(painter, rect, because_text(row), Qt.TextElideMode.ElideRight)


class SandboxTable(QTableView):
    """Worst first. ``opened`` (Enter, double click) and ``chosen`` give the key of a sandbox.

    ``chosen`` is "" when no sandbox is selected any more.
    """

    opened = Signal(str)
    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.rows_model = SandboxModel(self)
        self.number_right = 0  # where the numbers of the scores end, from their letter
        self._all: Sequence[SandboxRow] = ()
        self._filter = Filter()
        self._chosen = ""
        self._fixed_px = self._least_strip_px = self._wanted_rows = 0
        self.setModel(self.rows_model)
        self._delegate = _Delegate(self)
        self.setItemDelegate(self._delegate)
        self.setAccessibleName(tr("Sandboxes"))
        self._build()
        self.doubleClicked.connect(self._on_opened)
        self.selectionModel().selectionChanged.connect(self._on_selection)
        theme.state().changed.connect(self._on_theme)
        self._on_theme()

    def _build(self) -> None:
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.setCornerWidget(QWidget())  # the style draws a box there otherwise
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSortIndicator(*self.rows_model.sorting)
        self.setSortingEnabled(True)
        header.setSortIndicatorShown(False)  # the arrow stands beside the word and grows with it

    def set_rows(self, rows: Sequence[SandboxRow]) -> None:
        """Show sandboxes; selection, scroll and order stay. Cheap enough for each second."""
        self._all = rows
        shown = [row for row in rows if matches(self._filter, row)]
        self.rows_model.set_rows(shown)
        self.viewport().update()
        if len(shown) != self._wanted_rows:
            self._wanted_rows = len(shown)
            self.updateGeometry()

    def set_filter(self, wanted: Filter) -> None:
        """Show only what matches, now and later."""
        self._filter = wanted
        self.set_rows(self._all)

    @property
    def chosen_key(self) -> str:
        """The key of the selected sandbox, or nothing."""
        return self._chosen

    def choose(self, key: str) -> None:
        """Select a sandbox and bring it into view; unknown keys are left alone."""
        place = self.rows_model.row_of(key)
        if place >= 0:
            index = self.rows_model.index(place, NAME)
            flags = QItemSelectionModel.SelectionFlag
            self.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
            self.scrollTo(index)

    def _on_selection(self) -> None:
        selected = self.selectionModel().selectedRows()
        key = self.rows_model.rows[selected[0].row()].key if selected else ""
        if key != self._chosen:
            self._chosen = key
            self.chosen.emit(key)

    def _on_opened(self, index: QModelIndex) -> None:
        if index.isValid():
            self.opened.emit(self.rows_model.rows[index.row()].key)

    def _on_theme(self) -> None:
        self._delegate.look = _Look.now(self.devicePixelRatioF())
        numbers = theme.metrics("body")
        words = theme.metrics("strong")
        arrow = words.horizontalAdvance(ARROWS[0])
        self.number_right = numbers.horizontalAdvance("W") + theme.u(2)
        self.number_right += numbers.horizontalAdvance("100")
        pad = theme.u(4)
        score = self._delegate.look.mark + theme.u(2) + self.number_right + theme.u(2)
        score = max(score, numbers.horizontalAdvance(tr(NOT_MEASURED)))
        widths = {
            SCORE: max(score, words.horizontalAdvance(tr(HEADERS[SCORE])) + arrow) + pad,
            WAITS: words.horizontalAdvance(tr(HEADERS[WAITS])) + arrow + pad,
        }
        self.horizontalHeader().setMinimumSectionSize(theme.u(9))
        for column, width in widths.items():
            self.setColumnWidth(column, width)
        self._fixed_px = sum(widths.values())
        self._least_strip_px = words.horizontalAdvance(tr(HEADERS[STRIP])) + arrow + pad
        self._stretch()
        self.verticalHeader().setMinimumSectionSize(theme.u(_ROW_U))
        self.verticalHeader().setDefaultSectionSize(theme.u(_ROW_U))
        self.viewport().update()

    def _stretch(self) -> None:
        """Strip and words share what is left; when that is too little, the table scrolls."""
        left = self.viewport().width() - self._fixed_px
        room = left - theme.u(_LEAST_NAME_U) - theme.u(_LEAST_BECAUSE_U)
        strip = max(self._least_strip_px, min(theme.u(_STRIP_WIDTH_U), room))
        name = max(theme.u(_LEAST_NAME_U), round((left - strip) * _NAME_SHARE))
        self.setColumnWidth(STRIP, strip)
        self.setColumnWidth(NAME, name)
        self.setColumnWidth(BECAUSE, max(theme.u(_LEAST_BECAUSE_U), left - strip - name))

    def event(self, event: QEvent) -> bool:
        """Another screen may need sharper pictures."""
        if event.type() is QEvent.Type.DevicePixelRatioChange:
            self._on_theme()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width gives the words more or less."""
        super().resizeEvent(event)
        self._stretch()

    def sizeHint(self) -> QSize:
        """As high as its rows: below them there is nothing to see."""
        rows = max(1, self._wanted_rows) * theme.u(_ROW_U)
        bar = self.horizontalScrollBar()
        below = bar.sizeHint().height() if bar.maximum() > bar.minimum() else 0
        return QSize(theme.u(120), self.horizontalHeader().sizeHint().height() + rows + below)

    def minimumSizeHint(self) -> QSize:
        """May be small: it scrolls then."""
        return QSize(theme.u(60), theme.u(4 * _ROW_U))

    def paintEvent(self, event: QPaintEvent) -> None:
        """The rows, or a word why there are none."""
        super().paintEvent(event)
        if not self.rows_model.rows:
            text = "No sandbox matches the filter." if self._all else "No sandboxes."
            painter = graph_painter(self.viewport())
            painter.setFont(self._delegate.look.body)
            painter.setPen(self._delegate.look.dim)
            rect = self.viewport().rect().adjusted(theme.u(2), theme.u(3), 0, 0)
            painter.drawText(rect, Qt.AlignmentFlag.AlignTop, tr(text))
            painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter opens, Ctrl+C copies the row."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self._copy()
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._on_opened(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def _copy(self) -> None:
        rows = self.selectionModel().selectedRows()
        QGuiApplication.clipboard().setText(
            "\n".join(self.rows_model.text_of(index.row()) for index in rows)
        )

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open, copy, sort; the Menu key brings it too."""
        by_key = event.reason() is QContextMenuEvent.Reason.Keyboard
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        index = self.currentIndex()
        if index.isValid():
            menu.addAction(tr("Open"), lambda: self._on_opened(self.currentIndex()))
            menu.addAction(tr("Copy row"), self._copy)
            menu.addSeparator()
        header = self.horizontalHeader()
        for column, title in enumerate(HEADERS):
            action = menu.addAction(tr(f"Sort by {title.lower()}"))
            action.triggered.connect(partial(header.setSortIndicator, column, FIRST_ORDERS[column]))
        corner = self.visualRect(index).center() if by_key else event.pos()
        menu.popup(self.viewport().mapToGlobal(corner))
