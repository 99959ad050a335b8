"""Tool tips of text from outside."""

from PySide6.QtGui import Qt


def plain(text: str) -> str:
    """Text for a tool tip, which Qt would otherwise read as markup when it looks like it."""
    return Qt.convertFromPlainText(text, Qt.WhiteSpaceMode.WhiteSpaceNormal)
