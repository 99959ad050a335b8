"""Who waits because of whom: rows are victims, columns culprits in three groups."""

import math

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QFont,
    QFontMetrics,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip

from kataui.files import clean
from kataui.ui import theme
from kataui.ui.isolation import heat, matrixpaint, tips
from kataui.ui.isolation.chartparts import Teller, keeps_key
from kataui.ui.isolation.matrixmodel import GROUP_WORDS, Group, Matrix
from kataui.ui.widgets.graphpainter import graph_painter
from kataui.ui.words import tr

_CELL_U, _MOST_CELL_U, _ROW_U, _MOST_ROW_U = 13.0, 24.0, 8.5, 14.0
_GAP_U, _GROUP_GAP_U = 0.75, 5.0
_NAMES_U = 56.0  # no wider, however long the names
_FAR = 1 << 20
_STEPS = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
    Qt.Key.Key_Home: (0, -_FAR),
    Qt.Key.Key_End: (0, _FAR),
    Qt.Key.Key_PageUp: (-10, 0),
    Qt.Key.Key_PageDown: (10, 0),
}
_KEYS = frozenset({*_STEPS, Qt.Key.Key_Return, Qt.Key.Key_Enter})
_CENTER = Qt.AlignmentFlag.AlignCenter


class MatrixView(QAbstractScrollArea):
    """Arrows move the cursor, Enter or a double click opens; both give the keys of the pair."""

    opened = Signal(str, str)
    current_changed = Signal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        empty = np.zeros((0, 0), np.float32)
        self._matrix = Matrix((), (), empty)
        self._steps = heat.steps(empty)
        self._lefts: list[int] = []
        self._names: list[tuple[str, str]] = []
        self._strong: tuple[list[bool], list[bool]] = ([], [])
        self._at = (0, 0)
        self._side_px, self._cell, self._pitch = 0, QSize(1, 1), (1, 1)
        self._grid = QRect()  # where the cells are; around it stand the names
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.viewport().setAutoFillBackground(False)
        self.setStyleSheet("QAbstractScrollArea::corner { background: transparent; border: none; }")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("Who waits, because of whom"))
        self._teller = Teller(self)
        theme.state().changed.connect(self._fit)

    def set_matrix(self, matrix: Matrix) -> None:
        """Show another matrix; the cursor stays with its pair, or goes to the darkest cell."""
        before = self.current()
        self._matrix = matrix
        self._steps = heat.steps(matrix.shares)
        self._strong = (matrix.strong_rows(), matrix.strong_columns())
        place = matrix.place(*before) if before else None
        if matrix.victims and matrix.culprits:
            self._at = place or matrix.darkest()
        self._fit()
        if place:
            self._teller.tell(self.words())
        else:
            self._tell()

    def current(self) -> tuple[str, str] | None:
        """The keys of victim and culprit under the cursor; None when there is nothing."""
        if not self._matrix.victims or not self._matrix.culprits:
            return None
        row, column = self._at
        return self._matrix.victims[row].key, self._matrix.culprits[column].key

    def words(self) -> str:
        """The cell under the cursor as a sentence."""
        return self._matrix.words(*self._at) if self.current() else "Nobody waits here."

    def to_csv(self) -> str:
        """All cells as fractions of CPU time; empty where it cannot be told."""
        return self._matrix.to_csv()

    def _tell(self) -> None:
        """The cursor moved: this is told at once."""
        self.setAccessibleDescription(tr(self.words()))

    def _fit(self) -> None:
        """Where the columns are, and how far there is to scroll."""
        self._side_px = self._wanted_side_px()
        self._cell = self._wanted_cell()
        gap = theme.u(_GAP_U)
        self._pitch = (self._cell.width() + gap, self._cell.height() + gap)
        self._grid = self.viewport().rect().adjusted(self._side_px, self._head_px, 0, 0)
        self._lefts, left = [], 0
        for number, one in enumerate(self._matrix.culprits):
            if number and one.group is not self._matrix.culprits[number - 1].group:
                left += theme.u(_GROUP_GAP_U)
            self._lefts.append(left)
            left += self._pitch[0]
        metrics = QFontMetrics(matrixpaint.name_font(strong=True))
        room = self._cell.width() + theme.u(_GAP_U)
        self._names = [
            matrixpaint.two_lines(clean(c.name), metrics, room) for c in self._matrix.culprits
        ]
        grid = self._grid
        across, down = self.horizontalScrollBar(), self.verticalScrollBar()
        across.setRange(0, max(0, left - theme.u(_GAP_U) - grid.width()))
        across.setPageStep(max(1, grid.width()))
        across.setSingleStep(self._pitch[0])
        down.setRange(0, max(0, len(self._matrix.victims) * self._pitch[1] - grid.height()))
        down.setPageStep(max(1, grid.height()))
        down.setSingleStep(self._pitch[1])
        self.viewport().update()

    @property
    def _head_px(self) -> int:
        """The group's name, a rule, and two lines of a column's name."""
        return 3 * theme.metrics("tick").height() + theme.u(4)

    def _wanted_side_px(self) -> int:
        """The names of the victims; never more than a third of the width."""
        metrics = QFontMetrics(matrixpaint.name_font(strong=True))
        widths = [metrics.horizontalAdvance(tr(clean(v.name))) for v in self._matrix.victims]
        most = min(theme.u(_NAMES_U), max(theme.u(20), self.viewport().width() // 3))
        return min(max(widths, default=0), most) + theme.u(3)

    @property
    def _gaps_px(self) -> int:
        groups = {one.group for one in self._matrix.culprits}
        return theme.u(_GROUP_GAP_U) * max(0, len(groups) - 1)

    def _wanted_cell(self) -> QSize:
        """A cell in pixels: what there is, from what can be read to what looks well."""
        bold = QFontMetrics(matrixpaint.number_font(strong=True))
        wide = max(theme.u(_CELL_U), bold.horizontalAdvance("100\u00a0%") + theme.u(2))
        high = max(theme.u(_ROW_U), bold.height() + theme.u(1.5))
        columns = max(1, len(self._matrix.culprits))
        rows = max(1, len(self._matrix.victims))
        view, gap = self.viewport().size(), theme.u(_GAP_U)
        across = (view.width() - self._side_px - self._gaps_px) // columns - gap
        down = (view.height() - self._head_px) // rows - gap
        most = QSize(max(theme.u(_MOST_CELL_U), wide), max(theme.u(_MOST_ROW_U), high))
        return QSize(max(wide, min(most.width(), across)), max(high, min(most.height(), down)))

    def sizeHint(self) -> QSize:
        """Ten rows and ten columns, or what there is."""
        rows = min(10, max(3, len(self._matrix.victims)))
        columns = min(10, max(4, len(self._matrix.culprits)))
        wide = self._side_px + self._gaps_px + columns * theme.u(_CELL_U + _GAP_U)
        return QSize(wide, self._head_px + rows * theme.u(_MOST_ROW_U + _GAP_U))

    def minimumSizeHint(self) -> QSize:
        """Three by three."""
        return QSize(
            self._side_px + 3 * theme.u(_CELL_U), self._head_px + 3 * theme.u(_ROW_U + _GAP_U)
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Cells take the room that there is."""
        super().resizeEvent(event)
        self._fit()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """The names stay, the cells move."""
        del dx, dy
        self.viewport().update()

    def _rect(self, row: int, column: int) -> QRect:
        """Where a cell is in the viewport."""
        grid = self._grid
        left = grid.left() + self._lefts[column] - self.horizontalScrollBar().value()
        top = grid.top() + row * self._pitch[1] - self.verticalScrollBar().value()
        return QRect(QPoint(left, top), self._cell)

    def paintEvent(self, _: QPaintEvent) -> None:
        """What is in view."""
        if self.current() is None:
            return
        painter = graph_painter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        grid, pitch = self._grid, self._pitch[1]
        first = self.verticalScrollBar().value() // pitch
        last = min(len(self._matrix.victims), first + grid.height() // pitch + 2)
        columns = [
            n
            for n in range(len(self._lefts))
            if self._rect(0, n).intersects(
                QRect(grid.left(), self._rect(0, n).top(), grid.width(), 1)
            )
        ]
        # Room for the ring of the cursor around the first row and column.
        painter.setClipRect(grid.adjusted(-matrixpaint.FOCUS_PX, -matrixpaint.FOCUS_PX, 0, 0))
        fonts = (matrixpaint.number_font(strong=False), matrixpaint.number_font(strong=True))
        for row in range(first, last):
            for column in columns:
                self._paint_cell(painter, row, column, fonts)
        matrixpaint.cursor(painter, self._rect(*self._at), focused=self.hasFocus())
        painter.setClipRect(QRect(0, grid.top(), grid.left(), grid.height()))
        for row in range(first, last):
            self._paint_victim(painter, row)
        more = theme.u(_GROUP_GAP_U) // 2
        painter.setClipRect(QRect(grid.left() - more, 0, grid.width() + more, grid.top()))
        for column in columns:
            self._paint_culprit(painter, column)
        self._paint_groups(painter)
        painter.end()

    def _paint_cell(
        self, painter: QPainter, row: int, column: int, fonts: tuple[QFont, QFont]
    ) -> None:
        place, share = self._rect(row, column), self._matrix.share(row, column)
        if self._matrix.is_itself(row, column):
            matrixpaint.itself(painter, place)
        elif math.isnan(share):
            matrixpaint.unknown(painter, place, self.devicePixelRatioF())
        else:
            matrixpaint.cell(painter, place, share, int(self._steps[row, column]), fonts)

    def _paint_victim(self, painter: QPainter, row: int) -> None:
        font = matrixpaint.name_font(strong=self._strong[0][row])
        place = self._rect(row, 0)
        place.setLeft(0)
        place.setRight(self._grid.left() - theme.u(3))
        here = row == self._at[0]
        painter.setFont(font)
        painter.setPen(theme.color("text" if here or self._strong[0][row] else "text_secondary"))
        text = QFontMetrics(font).elidedText(
            tr(clean(self._matrix.victims[row].name)), Qt.TextElideMode.ElideMiddle, place.width()
        )
        painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_culprit(self, painter: QPainter, column: int) -> None:
        strong = self._strong[1][column]
        font, high = matrixpaint.name_font(strong=strong), theme.metrics("tick").height()
        place = self._rect(0, column)
        painter.setFont(font)
        painter.setPen(theme.color("text" if strong or column == self._at[1] else "text_secondary"))
        upper, lower = self._names[column]
        top = self._grid.top() - theme.u(1.5) - 2 * high
        lines = [upper, lower] if lower else [upper]
        top += 0 if lower else high // 2
        for number, text in enumerate(lines):
            line = QRect(place.left() - 4, top + number * high, place.width() + 8, high)
            painter.drawText(line, _CENTER, text)

    def _paint_groups(self, painter: QPainter) -> None:
        """A rule over the columns of each group, and its name where it fits."""
        font = theme.font("tick")
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        metrics, grid = QFontMetrics(font), self._grid
        for group in Group:
            members = [n for n, one in enumerate(self._matrix.culprits) if one.group is group]
            if not members:
                continue
            left = max(grid.left(), self._rect(0, members[0]).left())
            right = min(grid.right(), self._rect(0, members[-1]).right())
            if right <= left:
                continue
            y = metrics.height() + theme.u(1)
            painter.setPen(QPen(theme.color("control"), 1))
            painter.drawLine(QPointF(left, y + 0.5), QPointF(right, y + 0.5))
            painter.setPen(theme.color("text_secondary"))
            more = theme.u(_GROUP_GAP_U - 1) // 2  # into the gaps beside a narrow group
            place = QRect(left - more, 0, right - left + 2 * more, metrics.height())
            words = metrics.elidedText(
                tr(GROUP_WORDS[group]), Qt.TextElideMode.ElideRight, place.width()
            )
            painter.drawText(place, _CENTER, words)

    def cell_at(self, place: QPoint) -> tuple[int, int] | None:
        """The row and column under a point of the viewport."""
        grid = self._grid
        if not grid.contains(place) or self.current() is None:
            return None
        row = (place.y() - grid.top() + self.verticalScrollBar().value()) // self._pitch[1]
        x = place.x() - grid.left() + self.horizontalScrollBar().value()
        column = int(np.searchsorted(self._lefts, x, side="right")) - 1
        inside = row < len(self._matrix.victims) and x - self._lefts[column] < self._pitch[0]
        return (row, column) if inside else None

    def name_at(self, place: QPoint) -> str:
        """The whole name of the row or column beside whose cells a point is; or nothing."""
        grid = self._grid
        inside = QPoint(max(place.x(), grid.left()), max(place.y(), grid.top()))
        hit = self.cell_at(inside)
        if hit is None or (place.x() < grid.left()) == (place.y() < grid.top()):
            return ""
        row, column = hit
        above = place.y() < grid.top()
        name = self._matrix.culprits[column].name if above else self._matrix.victims[row].name
        return clean(name)

    def viewportEvent(self, event: QEvent) -> bool:
        """The tool tip says the cell, or the whole name beside it."""
        if event.type() is QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            hit = self.cell_at(event.pos())
            text = self._matrix.words(*hit) if hit else self.name_at(event.pos())
            QToolTip.showText(event.globalPos(), tips.told(text), self.viewport())
            return True
        return super().viewportEvent(event)

    def event(self, event: QEvent) -> bool:
        """Arrows are for this, not for the page."""
        return keeps_key(event, _KEYS) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the cursor, or open its pair."""
        step = _STEPS.get(Qt.Key(event.key()))
        if self.current() is None:
            event.ignore()
        elif step is not None:
            self._go(self._at[0] + step[0], self._at[1] + step[1])
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._open()
        else:
            event.ignore()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Put the cursor there."""
        hit = self.cell_at(event.position().toPoint())
        if hit is not None and event.button() is Qt.MouseButton.LeftButton:
            self._go(*hit)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Open that pair."""
        hit = self.cell_at(event.position().toPoint())
        if hit is not None and event.button() is Qt.MouseButton.LeftButton:
            self._go(*hit)
            self._open()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Whoever took the press takes this too."""
        event.accept()

    def _open(self) -> None:
        pair = self.current()
        if pair is not None:
            self.opened.emit(*pair)

    def _go(self, row: int, column: int) -> None:
        """Put the cursor on a cell, and the cell into view."""
        row = min(max(0, row), len(self._matrix.victims) - 1)
        column = min(max(0, column), len(self._matrix.culprits) - 1)
        changed = (row, column) != self._at
        self._at = (row, column)
        for bar, begin, size in (
            (self.verticalScrollBar(), row * self._pitch[1], self._pitch[1]),
            (self.horizontalScrollBar(), self._lefts[column], self._pitch[0]),
        ):
            bar.setValue(min(max(bar.value(), begin + size - bar.pageStep()), begin))
        self.viewport().update()
        self._tell()
        if changed:
            self.current_changed.emit(
                self._matrix.victims[row].key, self._matrix.culprits[column].key
            )

    def focusInEvent(self, event: QFocusEvent) -> None:
        """A thicker ring."""
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """A thinner ring."""
        super().focusOutEvent(event)
        self.viewport().update()
