"""The host map: what each CPU did in the last minute, and where pinned vCPUs meet."""

from collections.abc import Sequence

from PySide6.QtWidgets import QVBoxLayout, QWidget

from kataui.ui import theme
from kataui.ui.icons import IconLabel
from kataui.ui.isolation import hostrows
from kataui.ui.isolation.hostcanvas import HostCanvas, Who
from kataui.ui.isolation.hostpicture import role_of
from kataui.ui.isolation.hostrows import WORDS, Category, Cells, Cpu
from kataui.ui.isolation.legend import Legend
from kataui.ui.widgets.card import row
from kataui.ui.widgets.text import label
from kataui.ui.words import tr

_RING_PX = 5  # room for the focus ring
__all__ = ["Category", "Cpu", "HostMap", "PinWarning"]


class PinWarning(QWidget):
    """Says which CPUs have two or more vCPUs pinned to them; hidden when none has."""

    def __init__(self) -> None:
        super().__init__()
        self._words = label("", "body", wrap=False)
        self.setLayout(row(IconLabel("warning", size_u=4), self._words, None, spacing_u=2))
        self.setVisible(False)

    def show_cpus(self, cpus: Sequence[Cpu]) -> None:
        """Look at these."""
        words = hostrows.clash_words(cpus)
        self._words.setText(words)
        self._words.setAccessibleName(tr(f"Warning: {words}" if words else ""))
        self.setVisible(bool(words))


class HostMap(QWidget):
    """A row a CPU (a NUMA node and cluster from 64 CPUs on), a column a second, newest right.

    ``warning`` stands above the rows; a page may take it into the head of its card instead.
    """

    def __init__(self, who: Who | None = None) -> None:
        """``who(cpu number, column)`` gives what ran there in words, or nothing."""
        super().__init__()
        self.warning = PinWarning()
        self.canvas = HostCanvas(who)
        self._legend = Legend()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.u(2))
        layout.addWidget(self.warning)
        inset = QVBoxLayout()
        inset.setContentsMargins(_RING_PX, _RING_PX, _RING_PX, 0)
        inset.addWidget(self.canvas)
        layout.addLayout(inset, 100)
        layout.addWidget(self._legend)
        layout.addStretch(1)  # what the rows do not need

    def set_data(self, cpus: Sequence[Cpu], cells: Cells) -> None:
        """Show cells (``Category``, uint8 of shape (cpus, 60), in the order of ``cpus``).

        Nothing is painted when nothing changed.
        """
        if self.canvas.set_data(cpus, cells):
            self.warning.show_cpus(cpus)
            found = self.canvas.categories()
            order = sorted(
                found, key=lambda item: (item in {Category.IDLE, Category.NO_DATA}, item)
            )
            self._legend.show_items([(role_of(item), WORDS[item]) for item in order])
