"""Styled text."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget


def restyle(widget: QWidget, **properties: object) -> None:
    """Set properties that the style sheet looks at, and apply it again."""
    for name, value in properties.items():
        widget.setProperty(name, value)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def label(
    text: str = "",
    style: str = "body",
    *,
    tone: str = "",
    wrap: bool = True,
    selectable: bool = False,
) -> QLabel:
    """Plain text in a style of the palette ("display", "note" ...); ``tone`` is a verdict's colour.

    Text from outside is never read as markup.
    """
    widget = QLabel(text)
    widget.setTextFormat(Qt.TextFormat.PlainText)
    widget.setProperty("textStyle", style)
    if tone:
        widget.setProperty("tone", tone)
    widget.setWordWrap(wrap)
    if wrap:
        widget.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        widget.setMinimumWidth(1)
    if selectable:
        flags = Qt.TextInteractionFlag.TextSelectableByMouse
        widget.setTextInteractionFlags(flags)
    return widget
