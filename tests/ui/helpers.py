"""What every screen must keep: names for all that takes the focus, and no clipped words."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget


def shown(root: QWidget) -> list[QWidget]:
    return [child for child in root.findChildren(QWidget) if child.isVisibleTo(root)]


def unnamed(root: QWidget) -> list[str]:
    """Focusable widgets without an accessible name."""
    return [
        f"{type(child).__name__} in {type(child.parent()).__name__}"
        for child in shown(root)
        if child.focusPolicy() & Qt.FocusPolicy.TabFocus
        and not child.accessibleName()
        and not child.objectName().startswith("qt_")
    ]


def clipped(root: QWidget) -> list[str]:
    """Labels and buttons that have less room than their words need."""
    found = []
    for child in shown(root):
        if isinstance(child, QLabel) and child.text():
            need = child.heightForWidth(child.width()) if child.wordWrap() else 0
            low = child.wordWrap() and need > child.height() + 1
            wide = not child.wordWrap() and child.sizeHint().width() > child.width() + 1
            if low or wide:
                found.append(f"label {child.text()!r}: {child.size()} needs {child.sizeHint()}")
        if isinstance(child, QAbstractButton) and child.text():
            hint = child.minimumSizeHint()
            if hint.width() > child.width() + 2 or hint.height() > child.height() + 2:
                found.append(f"button {child.text()!r}: {child.size()} needs {hint}")
    return found
