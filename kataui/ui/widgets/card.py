"""Cards and chips."""

from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from kataui.ui import theme
from kataui.ui.icons import IconLabel
from kataui.ui.widgets.text import label


def row(*parts: QWidget | int | None, spacing_u: float = 2) -> QHBoxLayout:
    """Widgets side by side; ``None`` stretches, a number is a gap in units."""
    layout = QHBoxLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(theme.u(spacing_u))
    for part in parts:
        if part is None:
            layout.addStretch(1)
        elif isinstance(part, int):
            layout.addSpacing(theme.u(part))
        else:
            layout.addWidget(part)
    return layout


def column(*parts: QWidget | QHBoxLayout | QVBoxLayout, spacing_u: float = 2) -> QVBoxLayout:
    """Widgets and layouts one under the other."""
    layout = QVBoxLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(theme.u(spacing_u))
    for part in parts:
        if isinstance(part, QWidget):
            layout.addWidget(part)
        else:
            layout.addLayout(part)
    return layout


class Card(QFrame):
    """A surface with an optional heading and one quiet action; fill ``body``."""

    def __init__(
        self, title: str = "", *, note: str = "", action: QWidget | None = None, look: str = "card"
    ) -> None:
        super().__init__()
        self.setProperty("look", look)
        outer = QVBoxLayout(self)
        pad = theme.u(4.5)
        outer.setContentsMargins(pad, theme.u(3.5), pad, pad)
        outer.setSpacing(theme.u(3))
        if title:
            parts: list[QWidget | None] = [label(title, "heading", wrap=False)]
            parts.append(label(note, "note") if note else None)
            outer.addLayout(row(*parts, *([action] if action is not None else [])))
        self.body = QVBoxLayout()
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(theme.u(2.5))
        outer.addLayout(self.body)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)


class Chip(QFrame):
    """A fact of at most three words."""

    def __init__(self, text: str, *, mark: str = "") -> None:
        super().__init__()
        self.setProperty("look", "chip")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.u(2), theme.u(0.5), theme.u(2), theme.u(0.5))
        layout.setSpacing(theme.u(1))
        if mark:
            layout.addWidget(IconLabel(mark, size_u=3.5))
        layout.addWidget(label(text, "note", wrap=False))
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Maximum)


def hairline(*, upright: bool = False) -> QFrame:
    """A thin line between things."""
    line = QFrame()
    line.setProperty("look", "edge")
    if upright:
        line.setFixedWidth(1)
    else:
        line.setFixedHeight(1)
    return line


def clear(layout: QVBoxLayout | QHBoxLayout) -> None:
    """Remove everything from a layout."""
    while (item := layout.takeAt(0)) is not None:
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            widget.hide()
            widget.setParent(None)
            widget.deleteLater()
        elif isinstance(inner, QVBoxLayout | QHBoxLayout):
            clear(inner)
