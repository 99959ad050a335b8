"""The glyph of a pinned vCPU."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

# On a grid of 12: a head, a body that widens, and below them the needle.
_BODY = ((3.5, 1.0), (8.5, 1.0), (7.6, 4.6), (10.0, 7.4), (2.0, 7.4), (4.4, 4.6))
_NEEDLE = ((6.0, 7.4), (6.0, 11.4))


def paint_pin(painter: QPainter, place: QRectF, color: QColor) -> None:
    """Paint a drawing pin."""
    scale = place.width() / 12
    points = [place.topLeft() + QPointF(x, y) * scale for x, y in _BODY]
    path = QPainterPath(points[0])
    for point in points[1:]:
        path.lineTo(point)
    path.closeSubpath()
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(color, scale, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.setBrush(color)
    painter.drawPath(path)
    start, end = (place.topLeft() + QPointF(x, y) * scale for x, y in _NEEDLE)
    painter.drawLine(start, end)
    painter.restore()
