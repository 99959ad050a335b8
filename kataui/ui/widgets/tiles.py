"""Equal tiles side by side, in two rows or one column where there is less room."""

from collections.abc import Sequence

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from kataui.ui import theme

_NARROWEST_U = 46


class Tiles(QWidget):
    """As many columns as fit, halved until they do, so that no row is ragged."""

    def __init__(self, tiles: Sequence[QWidget]) -> None:
        super().__init__()
        self._tiles = tuple(tiles)
        self._columns = 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(theme.u(4))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self._arrange(len(self._tiles))

    @property
    def columns(self) -> int:
        """How many stand side by side now."""
        return self._columns

    def minimumSizeHint(self) -> QSize:
        """One column is enough."""
        return QSize(theme.u(_NARROWEST_U), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width may have room for other columns."""
        super().resizeEvent(event)
        columns = len(self._tiles)
        while columns > 1 and columns * theme.u(_NARROWEST_U) > self.width():
            columns = (columns + 1) // 2
        self._arrange(columns)

    def _arrange(self, columns: int) -> None:
        if columns == self._columns:
            return
        for column in range(max(columns, self._columns)):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)
        self._columns = columns
        for place, tile in enumerate(self._tiles):
            self._grid.addWidget(tile, place // columns, place % columns)
