"""Looking at what was painted."""

import numpy as np
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget


def pixels(image: QImage) -> set[str]:
    """The names of all colours in an image."""
    plain = image.convertToFormat(QImage.Format.Format_RGB32)
    rows = np.frombuffer(plain.constBits(), np.uint32).reshape(plain.height(), -1)
    return {f"#{value & 0xFFFFFF:06x}" for value in np.unique(rows[:, : plain.width()]).tolist()}


def shown(qtbot, widget: QWidget, width: int = 560, height: int = 300) -> QWidget:
    qtbot.addWidget(widget)
    widget.resize(width, height)
    widget.show()
    return widget
