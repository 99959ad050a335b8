"""The scale of waiting: seven steps that a viewer can match to the legend, and its legend.

Steps and colours are those of ``palette.json`` ("heat"): upper edges in % of CPU time.
"""

from functools import cache

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLocale, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from kataui.ui import theme
from kataui.ui.isolation import patterns
from kataui.ui.widgets.graphpainter import graph_painter
from kataui.ui.words import tr

Steps = npt.NDArray[np.uint8]
NO_DATA = 7  # the step of what was not measured
_CAPTION = "waiting, % of CPU time"
_NOT_MEASURED = "not measured"
_BOX_U, _HEIGHT_U, _LINE_U, _GAP_U = 8.5, 4.0, 5.5, 3.0


@cache
def edges() -> npt.NDArray[np.float32]:
    """The lower edges of the steps from the second on, as fractions (0..1)."""
    upper = theme.tokens()["light"]["heat"]["upper_edges"]
    return np.array([edge / 100 for edge in upper if edge is not None], dtype=np.float32)


def steps(values: npt.NDArray[np.float32]) -> Steps:
    """The step of each fraction (0..1), in the same shape; NaN is ``NO_DATA``.

    A value on an edge belongs to the step above, whose lower edge the legend prints.
    """
    given = np.asarray(values, dtype=np.float32)
    found = np.searchsorted(edges(), given, side="right").astype(np.uint8)
    found[np.isnan(given)] = NO_DATA
    return found


def color(step: int) -> QColor:
    """The colour of a step below ``NO_DATA``."""
    return QColor(theme.colors()["heat"]["colors"][step])


def text_color(step: int) -> QColor:
    """The colour of words on a step; on hatching it is that of the text."""
    if step == NO_DATA:
        return theme.color("text")
    return QColor(theme.colors()["heat"]["text"][step])


def image(values: npt.NDArray[np.float32]) -> QImage:
    """All strips in one image: a pixel a value, shape (strips, values).

    What was not measured is transparent: paint ``patterns.tile(GAP)`` below it.
    """
    colors = [color(step).rgba() for step in range(NO_DATA)]
    return patterns.image_of(np.array([*colors, 0], dtype=np.uint32)[steps(values)])


def edge_texts() -> list[str]:
    """The lower edge of each step in words."""
    locale = QLocale()
    lower = [locale.toString(round(float(edge) * 100, 2), "g", 3) for edge in edges()]
    return ["0\u00a0%", *lower[:-1], f"{lower[-1]}\u00a0+"]


class HeatLegend(QWidget):
    """The steps with their lower edges, and the hatching of what was not measured."""

    def __init__(self, caption: str = _CAPTION, hatched: str = _NOT_MEASURED) -> None:
        super().__init__()
        self._caption, self._hatched = caption, hatched
        self.setAccessibleName(tr(caption))
        self.setAccessibleDescription(
            tr(f"Steps from {', '.join(edge_texts())}; hatched: {hatched}")
        )
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        theme.state().changed.connect(self._on_theme)

    def _on_theme(self) -> None:
        self.updateGeometry()
        self.update()

    @staticmethod
    def _box() -> int:
        """The width of a step in pixels."""
        tick = theme.metrics("tick")
        widest = max(tick.horizontalAdvance(tr(text)) for text in edge_texts())
        return max(theme.u(_BOX_U), widest + theme.u(3))

    def _places(self, width: int) -> tuple[QRect, QRect, QRect]:
        """Where caption, steps and hatching stand; a narrow legend has several lines."""
        note = theme.metrics("note")
        height, box = max(theme.u(_LINE_U), note.height()), self._box()
        wide = (
            note.horizontalAdvance(tr(self._caption)) + 1,
            NO_DATA * (box + 1) - 1,
            box + theme.u(2) + note.horizontalAdvance(tr(self._hatched)) + 1,
        )
        places, at = [], QPoint(0, 0)
        for part in wide:
            if at.x() and at.x() + part > width:
                at = QPoint(0, at.y() + height)
            places.append(QRect(at, QSize(part, height)))
            at.setX(at.x() + part + theme.u(_GAP_U))
        return places[0], places[1], places[2]

    def heightForWidth(self, width: int) -> int:
        """As many lines as it needs."""
        return self._places(width)[-1].bottom() + 1

    def hasHeightForWidth(self) -> bool:
        """It has."""
        return True

    def sizeHint(self) -> QSize:
        """All in one line."""
        last = self._places(1 << 20)[-1]
        return QSize(last.right() + 1, last.bottom() + 1)

    def minimumSizeHint(self) -> QSize:
        """The steps stay together."""
        places = self._places(0)
        return QSize(max(place.width() for place in places), places[0].height())

    def paintEvent(self, _: QPaintEvent) -> None:
        """Caption, boxes, hatching."""
        painter = graph_painter(self)
        caption, boxes, gap = self._places(self.width())
        painter.setFont(theme.font("note"))
        painter.setPen(theme.color("text_secondary"))
        painter.drawText(caption, Qt.AlignmentFlag.AlignVCenter, tr(self._caption))
        painter.setFont(theme.font("tick"))
        size = QSize(self._box(), theme.u(_HEIGHT_U))
        for step, text in enumerate(edge_texts()):
            left = boxes.left() + step * (size.width() + 1)
            place = QRect(QPoint(left, boxes.center().y() - size.height() // 2), size)
            painter.fillRect(place, color(step))
            painter.setPen(text_color(step))
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, tr(text))
        self._paint_gap(painter, gap, size)
        painter.end()

    def _paint_gap(self, painter: QPainter, whole: QRect, size: QSize) -> None:
        """The hatching of what was not measured, and what it means."""
        place = QRect(QPoint(whole.left(), whole.center().y() - size.height() // 2), size)
        painter.drawTiledPixmap(place, patterns.tile(patterns.GAP, self.devicePixelRatioF()))
        painter.setPen(QPen(theme.color("control"), 1))
        painter.drawRect(QRectF(place).adjusted(0.5, 0.5, -0.5, -0.5))
        painter.setFont(theme.font("note"))
        painter.setPen(theme.color("text_secondary"))
        words = whole.adjusted(size.width() + theme.u(2), 0, 1, 0)
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, tr(self._hatched))
