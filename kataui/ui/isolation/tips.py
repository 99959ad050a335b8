"""Tool tips of text from outside."""

from PySide6.QtGui import Qt

from kataui.ui.words import tr


def told(text: str) -> str:
    """``text`` as it is to be shown in a tool tip: Qt would read it as markup if it looks so."""
    return Qt.convertFromPlainText(tr(text), Qt.WhiteSpaceMode.WhiteSpaceNormal) if text else ""
