"""Swatches with words, as many lines as they need."""

from collections.abc import Iterator, Sequence

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from kataui.ui import theme
from kataui.ui.isolation import patterns
from kataui.ui.widgets.graphpainter import graph_painter
from kataui.ui.words import tr

_SWATCH_U, _GAP_U, _LINE_U = 3.0, 4.0, 5.5


class Legend(QWidget):
    """Items are (role of the palette, word)."""

    def __init__(self) -> None:
        super().__init__()
        self._items: tuple[tuple[str, str], ...] = ()
        self.setAccessibleName(tr("Legend"))
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        theme.state().changed.connect(self._renew)

    def show_items(self, items: Sequence[tuple[str, str]]) -> None:
        """Explain these."""
        if tuple(items) != self._items:
            self._items = tuple(items)
            self.setAccessibleDescription(tr(", ".join(word for _, word in items)))
            self._renew()

    def _renew(self) -> None:
        self.updateGeometry()
        self.update()

    def _places(self, width: int) -> Iterator[tuple[str, str, QRect]]:
        """Role, word as it is shown, and place of each item."""
        metrics = theme.metrics("note")
        height = max(theme.u(_LINE_U), metrics.height())
        at = QPoint(0, 0)
        for role, english in self._items:
            word = tr(english)
            wide = theme.u(_SWATCH_U + 1.5) + metrics.horizontalAdvance(word) + 1
            if at.x() and at.x() + wide > width:
                at = QPoint(0, at.y() + height)
            yield role, word, QRect(at, QSize(wide, height))
            at.setX(at.x() + wide + theme.u(_GAP_U))

    def heightForWidth(self, width: int) -> int:
        """As many lines as the items need."""
        return max((place.bottom() + 1 for _, _, place in self._places(width)), default=0)

    def sizeHint(self) -> QSize:
        """All in the width that there is."""
        width = self.width() if self.testAttribute(Qt.WidgetAttribute.WA_Resized) else theme.u(80)
        return QSize(theme.u(80), self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        """May be narrow."""
        return QSize(theme.u(40), self.sizeHint().height())

    def paintEvent(self, _: QPaintEvent) -> None:
        """Swatch and word, one after the other."""
        painter = graph_painter(self)
        painter.setFont(theme.font("note"))
        painter.setPen(theme.color("text_secondary"))
        side = theme.u(_SWATCH_U)
        for role, word, place in self._places(self.width()):
            picture = patterns.swatch(role, side, self.devicePixelRatioF())
            painter.drawPixmap(place.left(), place.center().y() - side // 2, picture)
            words = place.adjusted(theme.u(_SWATCH_U + 1.5), 0, 1, 0)
            painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, word)
        painter.end()
