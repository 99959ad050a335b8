"""The overview: sandboxes worst first, and what ran on each CPU."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from kataui.files import clean
from kataui.isolation.analysis import Analysis, Picture
from kataui.ui import theme
from kataui.ui.isolation import export, shown
from kataui.ui.isolation.filterbar import FilterBar
from kataui.ui.isolation.heat import HeatLegend
from kataui.ui.isolation.hostmap import HostMap
from kataui.ui.isolation.sandboxtable import SandboxTable
from kataui.ui.widgets.card import Card, row
from kataui.ui.widgets.page import Columns
from kataui.ui.widgets.text import label

_FILTER_U = 54


class Overview(QWidget):
    """Two cards; ``opened`` gives the key of the sandbox that is to be shown alone."""

    opened = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._analysis: Analysis | None = None
        self._picture: Picture | None = None
        self.filter = FilterBar()
        self.filter.setFixedWidth(theme.u(_FILTER_U))
        self.table = SandboxTable()
        self.table.opened.connect(self.opened)
        self.filter.filter_changed.connect(self.table.set_filter)
        self._wrong = label("", "note", tone="fail")
        self._wrong.setVisible(False)
        self.filter.problem_changed.connect(self._on_problem)
        self.map = HostMap(self._who)
        self._left = Card("Sandboxes", action=self.filter)
        self._left.body.addWidget(self._wrong)
        self._left.body.addWidget(self.table, 1)
        self._left.body.addWidget(HeatLegend("waiting, % of CPU time"))
        self._cpus = label("CPUs", "heading", wrap=False)
        self._right = Card()
        self._right.body.addLayout(row(self._cpus, None, self.map.warning))
        self._right.body.addWidget(self.map, 1)
        columns = Columns(shares=(16, 9), narrow_u=200)
        columns.left.addWidget(self._left)
        columns.right.addWidget(self._right)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(columns)

    def _on_problem(self, text: str) -> None:
        self._wrong.setText(text)
        self._wrong.setVisible(bool(text))

    def show_picture(self, picture: Picture, analysis: Analysis) -> None:
        """A new moment."""
        self._picture, self._analysis = picture, analysis
        self.table.set_rows(shown.sandbox_rows(picture, analysis))
        self._cpus.setText(f"CPUs of {clean(picture.view.name, limit=40)}")
        cpus = shown.cpus(picture.view)
        self.map.set_data(cpus, shown.cells(analysis, cpus))

    def to_csv(self) -> str:
        """The sandboxes of the moment that is shown, all of them; waiting as fractions."""
        if self._picture is None:
            return ""
        return export.table(
            ("id", "name", "grade", "score", "coverage", "waits", "because of"),
            shown.table_of(self._picture),
        )

    def _who(self, cpu: int, column: int) -> str:
        if self._analysis is None or self._picture is None:
            return ""
        return self._analysis.cpu_map.text(self._picture.view, cpu, column)
