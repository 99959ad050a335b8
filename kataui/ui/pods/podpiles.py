"""A pod's images side by side as piles: what is encrypted is filled, what stays open is hollow."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from kataui.files import size_text
from kataui.images.piles import Pile
from kataui.ui import icons, theme
from kataui.ui.widgets.graphpainter import graph_painter
from kataui.ui.words import tr

_HEIGHT_U, _LEAST_PILE_U, _GAP_U, _LEAST_WIDTH_U = 68, 14, 4.5, 16
_LOWEST_PX, _ICON_ABOVE_U, _WIDEST_U = 7, 7, 36
_NO_SIZE = "not here"


@dataclass(frozen=True, slots=True)
class _Block:
    """One layer as it is painted: its share of the pile's height."""

    share: float
    encrypted: bool


class PodPiles(QWidget):
    """``show_piles`` sets the piles, ``show_selected`` what is encrypted; bases lie below."""

    def __init__(self) -> None:
        super().__init__()
        self._piles: tuple[Pile, ...] = ()
        self._missing: tuple[str, ...] = ()
        self._blocks: list[list[_Block]] = []
        self.setAccessibleName(tr("Images as piles of layers"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_piles(self, piles: Sequence[Pile], missing: Sequence[str]) -> None:
        """Show images, and the names of those that are not here, as dashed piles."""
        self._piles, self._missing = tuple(piles), tuple(missing)
        self.updateGeometry()

    def show_selected(self, selected: Sequence[frozenset[int]]) -> None:
        """Fill the layers that are encrypted then, and say so in words."""
        self._blocks = [
            [_Block(_share(layer.size_bytes), layer.index in chosen) for layer in pile.layers]
            for pile, chosen in zip(self._piles, selected, strict=True)
        ]
        told = [
            f"{pile.name}: {len(chosen)} of {len(pile.layers)} layers encrypted"
            for pile, chosen in zip(self._piles, selected, strict=True)
        ]
        told += [f"{name}: {_NO_SIZE}" for name in self._missing]
        self.setAccessibleDescription(tr("; ".join(told)))
        self.setToolTip(tr("\n".join(told)))
        self.update()

    def sizeHint(self) -> QSize:
        """As wide as all piles want to be."""
        count = max(1, len(self._piles) + len(self._missing))
        return QSize(theme.u((_LEAST_WIDTH_U + _GAP_U) * count), theme.u(_HEIGHT_U))

    def minimumSizeHint(self) -> QSize:
        """Narrow piles are still piles."""
        return QSize(theme.u(60), theme.u(_HEIGHT_U))

    def paintEvent(self, _: QPaintEvent) -> None:
        """Paint each pile from its base up, its name and size below."""
        count = len(self._piles) + len(self._missing)
        if not count:
            return
        painter = graph_painter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        gap = min(theme.u(_GAP_U), self.width() / count / 4)
        width = min((self.width() - gap * (count - 1)) / count, theme.u(_WIDEST_U))
        biggest = max((_share(pile.size_bytes) for pile in self._piles), default=1.0)
        names = theme.metrics("note").height() * 2 + theme.u(2)
        room = self.height() - names - theme.u(1)
        for number, (pile, blocks) in enumerate(zip(self._piles, self._blocks, strict=True)):
            left = number * (width + gap)
            share = max(theme.u(_LEAST_PILE_U) / room, _share(pile.size_bytes) / biggest)
            self._paint_pile(painter, QRectF(left, room * (1 - share), width, room * share), blocks)
            self._paint_name(painter, left, width, pile.name, size_text(pile.size_bytes))
        for number, name in enumerate(self._missing, len(self._piles)):
            left = number * (width + gap)
            self._paint_missing(painter, QRectF(left, room * 0.55, width, room * 0.45))
            self._paint_name(painter, left, width, name, _NO_SIZE)
        painter.end()

    @staticmethod
    def _paint_pile(painter: QPainter, rect: QRectF, blocks: Sequence[_Block]) -> None:
        total = sum(block.share for block in blocks) or 1.0
        low = min(_LOWEST_PX, rect.height() / max(1, len(blocks)))
        heights = [max(low, rect.height() * block.share / total) for block in blocks]
        scale = rect.height() / (sum(heights) or 1.0)
        y, side = rect.bottom(), theme.u(4)
        for block, height in zip(blocks, (one * scale for one in heights), strict=True):
            y -= height
            inset = 1.5 if height > 2 * _LOWEST_PX / 2 else 0.5
            place = QRectF(rect.left() + 1, y + inset, rect.width() - 2, height - 2 * inset)
            painter.setPen(QPen(theme.color("accent" if block.encrypted else "control"), 1.5))
            painter.setBrush(theme.color("accent_tint" if block.encrypted else "surface"))
            painter.drawRoundedRect(place, 3, 3)
            if height > theme.u(_ICON_ABOVE_U) and rect.width() > 2 * side:
                role = "accent" if block.encrypted else "text_secondary"
                picture = icons.pixmap("lock" if block.encrypted else "eye", side, role)
                middle = place.center()
                painter.drawPixmap(int(middle.x() - side / 2), int(middle.y() - side / 2), picture)

    @staticmethod
    def _paint_missing(painter: QPainter, rect: QRectF) -> None:
        painter.setPen(QPen(theme.color("unknown.text"), 1.25, Qt.PenStyle.DashLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(rect.adjusted(1, 1, -1, -2), 3, 3)
        side = theme.u(4)
        middle = rect.center()
        picture = icons.mark("unknown", side)
        painter.drawPixmap(int(middle.x() - side / 2), int(middle.y() - side / 2), picture)

    def _paint_name(
        self, painter: QPainter, left: float, width: float, name: str, size: str
    ) -> None:
        line = theme.metrics("note").height()
        top = self.height() - 2 * line
        centre = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter
        for number, (text, role, bold) in enumerate(
            ((name, "text", True), (size, "text_tertiary", False))
        ):
            painter.setFont(theme.font("note", bold=bold))
            painter.setPen(theme.color(role))
            elide = Qt.TextElideMode.ElideRight
            shown = painter.fontMetrics().elidedText(tr(text), elide, int(width))
            painter.drawText(QRectF(left, top + number * line, width, line), centre, shown)


def _share(size_bytes: int) -> float:
    """By the root, so that a small layer beside a big one can still be seen."""
    return math.sqrt(max(1, size_bytes))
