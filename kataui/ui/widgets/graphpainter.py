"""The painter of graphs: time and amounts run from left to right in every language."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget


def graph_painter(place: QWidget) -> QPainter:
    """A painter on a widget, during its paint event, whose words begin at the left."""
    painter = QPainter(place)
    painter.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
    return painter
