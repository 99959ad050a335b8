"""How the cells of the matrix are painted, and how long names are broken."""

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPen

from kataui.ui import theme
from kataui.ui.isolation import heat, patterns
from kataui.ui.isolation.matrixmodel import cell_text
from kataui.ui.words import tr

FOCUS_PX = 3
_CHOSEN_PX, _RADIUS_PX = 2, 3
_DARK = 3  # the step from which on a number is strong
_CANNOT = "cannot tell"
_CENTER = Qt.AlignmentFlag.AlignCenter


def cell(
    painter: QPainter, place: QRect, share: float, step: int, fonts: tuple[QFont, QFont]
) -> None:
    """A share (0..1) in the colour of its step; the number from the second step on.

    ``fonts`` are those of a number and of a strong one: made once for all cells.
    """
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(heat.color(step))
    painter.drawRoundedRect(place, _RADIUS_PX, _RADIUS_PX)
    if step > 0:
        painter.setPen(heat.text_color(step))
        painter.setFont(fonts[step >= _DARK])
        painter.drawText(place, _CENTER, cell_text(share))


def itself(painter: QPainter, place: QRect) -> None:
    """A dash: where a sandbox meets itself."""
    painter.setPen(QPen(theme.color("control"), 1))
    middle, half = QRectF(place).center(), theme.u(2)
    painter.drawLine(middle - QPointF(half, 0), middle + QPointF(half, 0))


def unknown(painter: QPainter, place: QRect, ratio: float) -> None:
    """Hatched, with words where they fit."""
    painter.drawTiledPixmap(place, patterns.tile(patterns.GAP, ratio))
    metrics = theme.metrics("tick")
    if metrics.horizontalAdvance(tr(_CANNOT)) + 4 <= place.width():
        band = QRect(place.left(), 0, place.width(), metrics.height() + 2)
        band.moveCenter(place.center())
        painter.fillRect(band, theme.color("surface"))
        painter.setPen(theme.color("text_secondary"))
        painter.setFont(theme.font("tick"))
        painter.drawText(place, _CENTER, tr(_CANNOT))


def cursor(painter: QPainter, place: QRect, *, focused: bool) -> None:
    """A ring with a gap to the cell, thicker with the focus."""
    width = FOCUS_PX if focused else _CHOSEN_PX
    painter.setPen(QPen(theme.color("focus"), width))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    ring = QRectF(place).adjusted(-0.5, -0.5, 0.5, 0.5)
    painter.drawRoundedRect(ring, _RADIUS_PX + 1, _RADIUS_PX + 1)
    painter.setPen(QPen(theme.color("surface"), 1))
    inset = width / 2 + 0.5
    inner = ring.adjusted(inset, inset, -inset, -inset)
    painter.drawRoundedRect(inner, _RADIUS_PX - 1, _RADIUS_PX - 1)


def two_lines(name: str, metrics: QFontMetrics, width: int) -> tuple[str, str]:
    """A name on one line or two, broken after a sign where that fits, and elided where not."""
    name = tr(name)
    if metrics.horizontalAdvance(name) <= width:
        return name, ""
    places = [n for n, sign in enumerate(name[:-1], 1) if sign in "/-_.: "]
    fitting = [n for n in places if metrics.horizontalAdvance(name[:n].strip()) <= width]
    cut = next(
        (n for n in fitting if metrics.horizontalAdvance(name[n:]) <= width),
        max(fitting, default=0),
    )
    if not cut:
        return metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, width), ""
    rest = metrics.elidedText(name[cut:], Qt.TextElideMode.ElideMiddle, width)
    return name[:cut].strip(), rest


def name_font(*, strong: bool) -> QFont:
    """The font of names beside the cells."""
    font = theme.font("tick")
    font.setWeight(QFont.Weight.DemiBold if strong else QFont.Weight.Normal)
    return font


def number_font(*, strong: bool) -> QFont:
    """The font of numbers in the cells."""
    return theme.font("strong" if strong else "note")
