"""The painted part of the host map: labels, cells, a cursor for the keyboard, and the times."""

from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QFocusEvent,
    QFont,
    QFontMetrics,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip

from kataui.files import clean
from kataui.ui import icons, theme
from kataui.ui.isolation import hostpicture, hostrows, tips
from kataui.ui.isolation.chartparts import keeps_key
from kataui.ui.isolation.hostrows import COLUMNS, Category, Cells, Cpu, MapRow
from kataui.ui.isolation.pin import paint_pin
from kataui.ui.widgets.graphpainter import graph_painter
from kataui.ui.words import tr

Who = Callable[[int, int], str]
_ROW_U, _GROUP_U, _AXIS_U = 6.0, 14.0, 5.0
# The ends first: when there is no room for all, those between are left out.
_TICKS = (
    (0, "\N{MINUS SIGN}60\u00a0s"),
    (COLUMNS - 1, "now"),
    (30, "\N{MINUS SIGN}30"),
    (15, "\N{MINUS SIGN}45"),
    (45, "\N{MINUS SIGN}15"),
)
_STEPS = {Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1)}
_STEPS |= {Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0)}
_STEPS |= {Qt.Key.Key_Home: (0, -COLUMNS), Qt.Key.Key_End: (0, COLUMNS)}
_STEPS |= {Qt.Key.Key_PageUp: (-10, 0), Qt.Key.Key_PageDown: (10, 0)}


class HostCanvas(QAbstractScrollArea):
    """Arrows move the cursor, Enter or a click opens a group.

    ``who`` gives what ran on a CPU (its number) in a column, for tool tip and description.
    """

    def __init__(self, who: Who | None = None) -> None:
        super().__init__()
        self.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # as time runs
        self._who = who
        self._cpus: tuple[Cpu, ...] = ()
        self._cells: Cells = np.zeros((0, COLUMNS), dtype=np.uint8)
        self._rows: list[MapRow] = []
        self._opened: set[tuple[int, int]] = set()
        self._at = (0, COLUMNS - 1)
        self._image: QImage | None = None
        self._label_px = 0
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.viewport().setAutoFillBackground(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("CPUs, the last 60 seconds"))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        theme.state().changed.connect(self._renew)

    def set_data(self, cpus: Sequence[Cpu], cells: Cells) -> bool:
        """Show cells, uint8 of shape (cpus, 60), newest last; tells whether anything changed."""
        same = tuple(cpus) == self._cpus
        if same and np.array_equal(cells, self._cells):
            return False
        self._cells = cells.copy()
        if same:
            self._image = None
            self.viewport().update()
        else:
            self._cpus = tuple(cpus)
            self._renew()
        self._tell()
        return True

    def _renew(self) -> None:
        """Other rows, or another theme."""
        self._rows = hostrows.rows_of(self._cpus, self._opened)
        metrics = QFontMetrics(self._label_font(bold=True))
        words = max((metrics.horizontalAdvance(tr(row.label)) for row in self._rows), default=0)
        inner = theme.u(4) if any(row.group for row in self._rows) else 0
        self._label_px = words + theme.u(4 + 4) + inner
        self._at = (min(self._at[0], max(0, len(self._rows) - 1)), self._at[1])
        self.setMaximumHeight(max(1, len(self._rows)) * self._full_pitch + self._axis_px)
        self._fit()
        self.updateGeometry()

    @staticmethod
    def _label_font(*, bold: bool) -> QFont:
        font = theme.font("note")
        if bold:
            font.setWeight(QFont.Weight.DemiBold)
        return font

    def _fit(self) -> None:
        """The range of the scroll bar; what was painted is old."""
        room = self.viewport().height() - self._axis_px
        self.verticalScrollBar().setRange(0, max(0, len(self._rows) * self._pitch - room))
        self.verticalScrollBar().setPageStep(max(1, room))
        self.verticalScrollBar().setSingleStep(self._pitch)
        self._image = None
        self.viewport().update()

    @property
    def _axis_px(self) -> int:
        return max(theme.u(_AXIS_U), theme.metrics("tick").height() + theme.u(1))

    @property
    def _least_pitch(self) -> int:
        """A group's row has shares in it, and needs more room than a label does."""
        if any(row.group for row in self._rows):
            return theme.u(_ROW_U)
        return QFontMetrics(self._label_font(bold=False)).height() + 1

    @property
    def _pitch(self) -> int:
        """The height of a row in pixels: what there is, within what can be read."""
        room = (self.viewport().height() - self._axis_px) // max(1, len(self._rows))
        return max(self._least_pitch, min(self._full_pitch, room))

    @property
    def _full_pitch(self) -> int:
        """The height of a row where there is room."""
        groups_only = all(row.group for row in self._rows)
        return max(theme.u(_GROUP_U if groups_only else _ROW_U), self._least_pitch)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Rows are as high as there is room."""
        super().resizeEvent(event)
        self._fit()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Other rows come into view."""
        del dx, dy
        self._image = None
        self.viewport().update()

    def sizeHint(self) -> QSize:
        """All rows at their full height, up to sixteen."""
        rows = min(16, max(1, len(self._rows)))
        return QSize(theme.u(92), rows * self._full_pitch + self._axis_px)

    def minimumSizeHint(self) -> QSize:
        """Four rows, and cells that can be told apart."""
        return QSize(self._label_px + COLUMNS * 2, 4 * self._least_pitch + self._axis_px)

    def _visible(self) -> tuple[int, int]:
        """The first and one past the last row in view."""
        top, pitch = self.verticalScrollBar().value(), self._pitch
        bottom = top + self.viewport().height() - self._axis_px
        return top // pitch, min(len(self._rows), -(-bottom // pitch))

    def _grid(self) -> QRect:
        """Where the cells are."""
        room = self.viewport().rect()
        return room.adjusted(self._label_px, 0, 0, -self._axis_px)

    def paintEvent(self, _: QPaintEvent) -> None:
        """Rows in view, the cursor, the times."""
        painter = graph_painter(self.viewport())
        grid = self._grid()
        if self._rows and grid.width() >= COLUMNS:
            self._paint_rows(painter, grid)
            self._paint_axis(painter, grid)
        painter.end()

    def _paint_rows(self, painter: QPainter, grid: QRect) -> None:
        first, last = self._visible()
        pitch = self._pitch
        top = first * pitch - self.verticalScrollBar().value()
        painter.setClipRect(grid.adjusted(-self._label_px, 0, 0, 0))
        if self._image is None:
            self._image = self._picture(first, last, grid.width())
        place = QRect(grid.left(), top, grid.width(), pitch * (last - first))
        painter.drawImage(place, self._image)
        for number in range(first, last):
            line = QRect(0, top + (number - first) * pitch, self._label_px, pitch)
            self._paint_label(painter, line, self._rows[number])
        if self.hasFocus():
            self._paint_cursor(painter, grid)
        painter.setClipping(False)

    def _picture(self, first: int, last: int, width: int) -> QImage:
        ratio = self.devicePixelRatioF()
        pitch = round(self._pitch * ratio)
        return hostpicture.picture(
            self._rows[first:last],
            self._cells,
            width=round(width * ratio),
            pitch=pitch,
            bar=pitch - max(1, round(theme.u(0.75) * ratio)),
            ratio=ratio,
        )

    def _paint_label(self, painter: QPainter, line: QRect, row: MapRow) -> None:
        bar = line.adjusted(0, 0, -theme.u(1.5), -theme.u(0.75))
        if row.clash:
            painter.fillRect(bar, theme.color("warning.tint"))
        role = "warning.text" if row.clash else "text_secondary"
        inner = bar.adjusted(theme.u(1), 0, -theme.u(1.5), 0)
        if row.group:
            side = theme.u(3.5)
            arrow = icons.pixmap("down" if row.opened else "right", side)
            painter.drawPixmap(inner.left(), inner.center().y() - side // 2, arrow)
        font = self._label_font(bold=row.clash or row.group is not None)
        painter.setFont(font)
        painter.setPen(theme.color(role))
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(inner, flags, tr(row.label))
        if row.pinned:
            words = QFontMetrics(font).horizontalAdvance(tr(row.label))
            side = theme.u(3)
            left = inner.right() - words - side - theme.u(1)
            paint_pin(
                painter, QRectF(left, inner.center().y() - side / 2, side, side), theme.color(role)
            )

    def _cell(self, row: int, column: int) -> QRect:
        """Where a cell is in the viewport."""
        grid, pitch = self._grid(), self._pitch
        left = -(-column * grid.width() // COLUMNS)
        right = -(-(column + 1) * grid.width() // COLUMNS)
        top = row * pitch - self.verticalScrollBar().value()
        return QRect(grid.left() + left, top, right - left, pitch - theme.u(0.75))

    def _paint_cursor(self, painter: QPainter, grid: QRect) -> None:
        cell = QRectF(self._cell(*self._at)).adjusted(-2.5, -0.5, 2.5, 0.5)
        left = min(max(cell.left(), grid.left()), grid.right() - cell.width())
        cell.moveLeft(left)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for role, width in (("surface", 5), ("focus", 3)):
            painter.setPen(QPen(theme.color(role), width))
            painter.drawRoundedRect(cell, 2, 2)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)

    def _paint_axis(self, painter: QPainter, grid: QRect) -> None:
        painter.setFont(theme.font("tick"))
        painter.setPen(theme.color("text_tertiary"))
        top = min(grid.bottom() + 1, len(self._rows) * self._pitch)
        taken: list[QRect] = []
        gap = theme.u(2)
        for column, text in _TICKS:
            wide = painter.fontMetrics().horizontalAdvance(tr(text)) + 2
            middle = grid.left() + column * grid.width() // COLUMNS
            left = min(max(grid.left(), middle - wide // 2), grid.right() + 1 - wide)
            place = QRect(left, top, wide, self._axis_px)
            if any(place.adjusted(-gap, 0, gap, 0).intersects(other) for other in taken):
                continue  # no room between its neighbours
            taken.append(place)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, tr(text))

    def words_at(self, row: int, column: int) -> str:
        """What a cell says: which CPU, when, what, and who if that is known."""
        shown = self._rows[row]
        said = f"{hostrows.row_words(shown)}, {hostrows.when_words(column)}: "
        said += hostrows.cell_words(shown, self._cells, column)
        if self._who is not None and shown.group is None:
            who = self._who(self._cpus[shown.members[0]].number, column)
            said += f", {clean(who)}" if who else ""
        return said

    def _tell(self) -> None:
        """The cursor's cell is the accessible description."""
        self.setAccessibleDescription(tr(self.words_at(*self._at) if self._rows else "No CPUs."))

    def _hit(self, place: QPoint) -> tuple[int, int] | None:
        """Row and column under a point; the label counts as the newest column."""
        grid = self._grid()
        row = (place.y() + self.verticalScrollBar().value()) // self._pitch
        if place.y() > grid.bottom() or not 0 <= row < len(self._rows):
            return None
        if place.x() < grid.left():
            return row, COLUMNS - 1
        return row, min(COLUMNS - 1, (place.x() - grid.left()) * COLUMNS // grid.width())

    def viewportEvent(self, event: QEvent) -> bool:
        """The tool tip says what the cell is; another screen may need a sharper image."""
        if event.type() is QEvent.Type.DevicePixelRatioChange:
            self._image = None
        if event.type() is QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            hit = self._hit(event.pos())
            text = tips.told(self.words_at(*hit)) if hit else ""
            QToolTip.showText(event.globalPos(), text, self.viewport())
            return True
        return super().viewportEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Put the cursor there; a group opens or closes."""
        hit = self._hit(event.position().toPoint())
        if hit is not None and event.button() is Qt.MouseButton.LeftButton:
            self._go(*hit)
            self._toggle()

    def event(self, event: QEvent) -> bool:
        """Arrows are for this, not for the page."""
        return keeps_key(event, set(_STEPS)) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the cursor, or open a group."""
        step = _STEPS.get(Qt.Key(event.key()))
        if step is not None and self._rows:
            row = min(max(0, self._at[0] + step[0]), len(self._rows) - 1)
            self._go(row, min(max(0, self._at[1] + step[1]), COLUMNS - 1))
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and self._rows:
            self._toggle()
        else:
            event.ignore()

    def _go(self, row: int, column: int) -> None:
        self._at = (row, column)
        bar, pitch = self.verticalScrollBar(), self._pitch
        lowest = (row + 1) * pitch - bar.pageStep()
        bar.setValue(min(max(bar.value(), lowest), row * pitch))
        self.viewport().update()
        self._tell()

    def _toggle(self) -> None:
        """Open or close the group under the cursor."""
        group = self._rows[self._at[0]].group
        if group is not None:
            self._opened ^= {group}
            self._renew()
            self._tell()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the cursor."""
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Hide the cursor."""
        super().focusOutEvent(event)
        self.viewport().update()

    def categories(self) -> list[Category]:
        """The categories that occur now."""
        return [Category(number) for number in np.unique(self._cells)]
