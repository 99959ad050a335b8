"""Names with values, in two columns."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from kataui.ui import theme
from kataui.ui.widgets.text import label


class Facts(QWidget):
    """A grid of facts: the name in the second colour, the value selectable."""

    def __init__(
        self, facts: Sequence[tuple[str, str]], *, mono: frozenset[str] = frozenset()
    ) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.u(6))
        grid.setVerticalSpacing(theme.u(1.5))
        grid.setColumnStretch(1, 1)
        for line, (name, value) in enumerate(facts):
            title = label(name, "dim", wrap=False)
            style = "mono" if name in mono else "body"
            grid.addWidget(title, line, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(label(value, style, selectable=True), line, 1)
