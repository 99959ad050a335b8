"""The pile of layers, top layer first: locked or open, with the base under a dashed line."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from kataui.files import size_text
from kataui.ui import icons, theme
from kataui.ui.widgets.graphpainter import graph_painter
from kataui.ui.words import tr

_LOW_U, _MORE_U = 8.0, 5.0  # the lowest row, and what the biggest layer gets on top of that
_MANY = 12  # more rows than this are all low
_GAP_U = 1.0
_LINE_U = 6.0


@dataclass(frozen=True, slots=True)
class PileRow:
    """One layer: its name, size, whether it is (to be) encrypted, and whether it is the base's.

    ``state`` stands in the place of size and "encrypted" or "readable"; ``now``: it is at work.
    """

    name: str
    size_bytes: int
    encrypted: bool
    base: bool
    state: str = ""
    now: bool = False

    @property
    def words(self) -> str:
        """What stands at the right."""
        kind = "encrypted" if self.encrypted else "readable"
        return self.state or f"{size_text(self.size_bytes)}  {kind}"


class LayerPile(QWidget):
    """Paints the rows given; the accessible description tells them in words."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[PileRow, ...] = ()
        self._base_name = ""
        self.setAccessibleName(tr("Layers, top layer first"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_rows(self, rows: Sequence[PileRow], base_name: str) -> None:
        """Show layers given from the base up."""
        self._rows = tuple(reversed(rows))
        self._base_name = base_name
        self.setAccessibleDescription(tr("; ".join(f"{r.name}: {r.words}" for r in self._rows)))
        self.setToolTip(tr("\n".join(f"{r.name}: {r.words}" for r in self._rows)))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """High enough for all rows."""
        height = sum(self._height(row) + theme.u(_GAP_U) for row in self._rows)
        line = theme.u(_LINE_U) if any(row.base for row in self._rows) else 0
        return QSize(theme.u(80), height + line)

    def _height(self, row: PileRow) -> int:
        """Higher for a bigger layer, in pixels: by the root, so that small ones can be read."""
        biggest = max((other.size_bytes for other in self._rows), default=0) or 1
        share = 0.0 if len(self._rows) > _MANY else (row.size_bytes / biggest) ** 0.5
        return theme.u(_LOW_U + _MORE_U * share)

    def minimumSizeHint(self) -> QSize:
        """The same height; the width may shrink."""
        return QSize(theme.u(40), self.sizeHint().height())

    def paintEvent(self, _: QPaintEvent) -> None:
        """Paint the rows from the top."""
        painter = graph_painter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        y = 1.0
        was_base = False
        for item in self._rows:
            if item.base and not was_base:
                self._paint_line(painter, y)
                y += theme.u(_LINE_U)
                was_base = True
            self._paint_row(painter, item, y)
            y += self._height(item) + theme.u(_GAP_U)
        painter.end()

    def _paint_line(self, painter: QPainter, y: float) -> None:
        text = f"Base: {self._base_name}" if self._base_name else "Base"
        painter.setFont(theme.font("note"))
        painter.setPen(theme.color("text_secondary"))
        height = theme.u(_LINE_U)
        shown = painter.fontMetrics().elidedText(
            tr(text), Qt.TextElideMode.ElideMiddle, self.width() // 2
        )
        rect = QRectF(theme.u(3), y, self.width(), height)
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, shown)
        left = theme.u(3) + theme.u(2) + painter.fontMetrics().horizontalAdvance(shown)
        painter.setPen(QPen(theme.color("control"), 1, Qt.PenStyle.DashLine))
        middle = int(y + height / 2)
        painter.drawLine(left, middle, self.width(), middle)

    def _paint_row(self, painter: QPainter, item: PileRow, y: float) -> None:
        rect = QRectF(1, y, self.width() - 2, self._height(item) - 1)
        edge = "accent" if item.encrypted or item.now else "control"
        painter.setPen(QPen(theme.color(edge), 2.5 if item.now else 1.5))
        painter.setBrush(theme.color("accent_tint" if item.encrypted else "surface"))
        painter.drawRoundedRect(rect, 5, 5)
        side = theme.u(4)
        role = "accent" if item.encrypted else "text_secondary"
        picture = icons.pixmap("lock" if item.encrypted else "eye", side, role)
        middle = int(rect.center().y() - side / 2)
        painter.drawPixmap(int(rect.left()) + theme.u(3), middle, picture)
        state = item.words
        painter.setFont(theme.font("note"))
        painter.setPen(theme.color("text_secondary"))
        inner = rect.adjusted(theme.u(10), 0, -theme.u(3), 0)
        flags = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(inner, flags | Qt.AlignmentFlag.AlignRight, tr(state))
        room = inner.width() - painter.fontMetrics().horizontalAdvance(tr(state)) - theme.u(3)
        painter.setFont(theme.font("body"))
        painter.setPen(theme.color("text"))
        name = painter.fontMetrics().elidedText(
            tr(item.name), Qt.TextElideMode.ElideRight, int(room)
        )
        painter.drawText(inner, flags | Qt.AlignmentFlag.AlignLeft, name)
