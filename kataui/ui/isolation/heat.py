"""The scale of waiting: seven steps that a viewer can match to the legend, and its legend.

Steps and colours are those of ``palette.json`` ("heat"): upper edges in % of CPU time.
"""

from functools import cache

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLocale, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from kataui.ui import theme
from kataui.ui.isolation import patterns

Steps = npt.NDArray[np.uint8]
NO_DATA = 7  # the step of what was not measured
_CAPTION = "waiting, % of CPU time"
_NOT_MEASURED = "not measured"
_BOX_U, _HEIGHT_U = 8.5, 4.0


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
        self.setAccessibleName(caption)
        self.setAccessibleDescription(f"Steps from {', '.join(edge_texts())}; hatched: {hatched}")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.state().changed.connect(self._on_theme)

    def _on_theme(self) -> None:
        self.updateGeometry()
        self.update()

    def _widths(self) -> tuple[int, int, int]:
        """Caption, a step, and the words for what was not measured; in pixels."""
        note = QFontMetrics(theme.font("note"))
        tick = QFontMetrics(theme.font("tick"))
        box = max(tick.horizontalAdvance(text) for text in edge_texts()) + theme.u(3)
        return (
            note.horizontalAdvance(self._caption),
            max(theme.u(_BOX_U), box),
            note.horizontalAdvance(self._hatched),
        )

    def sizeHint(self) -> QSize:
        """As wide as its words."""
        caption, box, words = self._widths()
        height = max(theme.u(_HEIGHT_U), QFontMetrics(theme.font("note")).height())
        return QSize(caption + (NO_DATA + 1) * box + words + theme.u(8) + NO_DATA, height)

    def minimumSizeHint(self) -> QSize:
        """The same: nothing of it can be left out."""
        return self.sizeHint()

    def paintEvent(self, _: QPaintEvent) -> None:
        """Caption, boxes, hatching."""
        painter = QPainter(self)
        caption, box, words = self._widths()
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setFont(theme.font("note"))
        painter.setPen(theme.color("text_secondary"))
        painter.drawText(QRect(0, 0, caption + 1, self.height()), middle, self._caption)
        left = caption + theme.u(3)
        top = (self.height() - theme.u(_HEIGHT_U)) // 2
        painter.setFont(theme.font("tick"))
        for step, text in enumerate(edge_texts()):
            place = QRect(left, top, box, theme.u(_HEIGHT_U))
            painter.fillRect(place, color(step))
            painter.setPen(text_color(step))
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
            left += box + 1
        left += theme.u(3)
        gap = QRect(left, top, box, theme.u(_HEIGHT_U))
        painter.drawTiledPixmap(gap, patterns.tile(patterns.GAP, self.devicePixelRatioF()))
        painter.setPen(QPen(theme.color("control"), 1))
        painter.drawRect(QRectF(gap).adjusted(0.5, 0.5, -0.5, -0.5))
        painter.setFont(theme.font("note"))
        painter.setPen(theme.color("text_secondary"))
        place = QRect(left + box + theme.u(2), 0, words + 1, self.height())
        painter.drawText(place, middle, self._hatched)
        painter.end()
