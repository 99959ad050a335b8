"""The stages of a pipeline, and what each runs in.

Boundary grammar: a single edge is a container, a tinted box its own VM, a double edge a
confidential VM, a dashed red edge one that is meant to be a VM and is not. Each has its words, too.
"""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from kataui.files import clean
from kataui.pipelines.model import Stage, Where
from kataui.ui import icons, theme
from kataui.ui.widgets.graphpainter import graph_painter
from kataui.ui.words import tr

WORDS = {
    Where.CONTAINER: "container",
    Where.VM: "own VM",
    Where.CONFIDENTIAL: "confidential VM",
    Where.SHARED: "shares the host",
}
_BOX_U, _CAPTION_U, _ARROW_U, _NARROW_U, _WIDE_U = 11.5, 6, 6, 22, 32


def caption(stage: Stage) -> str:
    """What holds a stage, in a few words."""
    return stage.protection or WORDS[stage.where]


def paint_box(painter: QPainter, box: QRectF, where: Where, radius: float) -> None:
    """Paint the boundary of a stage."""
    pen = QPen(theme.color("control"), 1.5)
    fill = "surface"
    if where in {Where.VM, Where.CONFIDENTIAL}:
        pen, fill = QPen(theme.color("accent"), 1.5), "accent_tint"
    elif where is Where.SHARED:
        pen = QPen(theme.color("fail.mark"), 1.75, Qt.PenStyle.DashLine)
    painter.setPen(pen)
    painter.setBrush(theme.color(fill))
    painter.drawRoundedRect(box, radius, radius)
    if where is Where.CONFIDENTIAL:
        gap = max(2.5, box.height() / 12)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        inner = box.adjusted(gap, gap, -gap, -gap)
        painter.drawRoundedRect(inner, max(1.0, radius - gap), max(1.0, radius - gap))


class _StageButton(QPushButton):
    """One stage with the arrow that leads to it; a click goes to where it stands."""

    def __init__(self, stage: Stage, number: int, count: int, *, first: bool) -> None:
        super().__init__()
        self.stage = stage
        self._first = first
        self.setFlat(True)
        self.setProperty("kind", "line")
        self._title = clean(stage.title, limit=60)
        self._caption = clean(caption(stage), limit=60)
        self.setAccessibleName(tr(f"Stage {number} of {count}: {self._title}, {self._caption}"))
        self.setToolTip(tr(f"{self._title}: {self._caption}"))

    def narrowest(self) -> int:
        """The width of the box in pixels at which no word is cut."""
        box = theme.metrics("strong").horizontalAdvance(tr(self._title)) + theme.u(4)
        box += theme.u(6) if self.stage.icon else 0
        below = theme.metrics("note").horizontalAdvance(tr(self._caption)) + theme.u(1)
        below += theme.u(5) if self.stage.where is Where.SHARED else 0
        return max(box, below, theme.u(_NARROW_U))

    def paintEvent(self, _: QPaintEvent) -> None:
        """The arrow, the box with icon and title, the words below."""
        painter = graph_painter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        left = 0 if self._first else theme.u(_ARROW_U)
        box = QRectF(left, 1, self.width() - left, theme.u(_BOX_U) - 2).adjusted(1, 0, -1, 0)
        if not self._first:
            side = theme.u(4.5)
            y = round(box.center().y()) - side // 2
            painter.drawPixmap((left - side) // 2, y, icons.pixmap("arrow", side, "text_tertiary"))
        paint_box(painter, box, self.stage.where, 6)
        self._paint_title(painter, box)
        self._paint_caption(painter, box)
        painter.end()

    def _paint_title(self, painter: QPainter, box: QRectF) -> None:
        painter.setFont(theme.font("strong"))
        shared = self.stage.where is Where.SHARED
        side = theme.u(4) if self.stage.icon else 0
        gap = theme.u(2) if side else 0
        words = painter.fontMetrics().elidedText(
            tr(self._title), Qt.TextElideMode.ElideRight, int(box.width()) - side - gap - theme.u(3)
        )
        width = painter.fontMetrics().horizontalAdvance(words)
        left = box.center().x() - (side + gap + width) / 2
        if side:
            role = "fail.mark" if shared else "text_secondary"
            picture = icons.pixmap(self.stage.icon, side, role)
            painter.drawPixmap(QPointF(left, box.center().y() - side / 2), picture)
        painter.setPen(theme.color("text"))
        place = QRectF(left + side + gap, box.top(), width + 2, box.height())
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, words)

    def _paint_caption(self, painter: QPainter, box: QRectF) -> None:
        shared = self.stage.where is Where.SHARED
        painter.setFont(theme.font("note"))
        painter.setPen(theme.color("fail.text" if shared else "text_tertiary"))
        below = QRectF(box.left(), box.bottom() + theme.u(0.5), box.width(), theme.u(_CAPTION_U))
        side = theme.u(3.5) if shared else 0
        gap = theme.u(1.5) if shared else 0
        words = painter.fontMetrics().elidedText(
            tr(self._caption), Qt.TextElideMode.ElideRight, int(below.width()) - side - gap
        )
        width = painter.fontMetrics().horizontalAdvance(words)
        left = below.center().x() - (side + gap + width) / 2
        if shared:
            mark = icons.mark("error", side)
            painter.drawPixmap(QPointF(left, below.center().y() - side / 2), mark)
        place = QRectF(left + side + gap, below.top(), width + 2, below.height())
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, words)


class StageStrip(QWidget):
    """All stages in a line, or in several where the window is narrow; ``asked`` gives a stage."""

    asked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # as it runs
        self._buttons: list[_StageButton] = []
        self._stages: tuple[Stage, ...] = ()
        self.setAccessibleName(tr("Stages"))
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setSizePolicy(policy)
        theme.state().changed.connect(self._arrange)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """What is shown."""
        return self._stages

    @property
    def buttons(self) -> list[_StageButton]:
        """A button a stage."""
        return self._buttons

    def show_stages(self, stages: Sequence[Stage]) -> None:
        """Show other stages; the same ones stay as they are, with the focus."""
        if tuple(stages) == self._stages:
            return
        self._stages = tuple(stages)
        had = next((n for n, one in enumerate(self._buttons) if one.hasFocus()), -1)
        for button in self._buttons:
            button.setParent(None)
            button.deleteLater()
        self._buttons = []
        for number, stage in enumerate(self._stages):
            button = _StageButton(stage, number + 1, len(self._stages), first=not number)
            button.setParent(self)
            button.clicked.connect(lambda _=False, stage=stage: self.asked.emit(stage))
            button.show()
            self._buttons.append(button)
        if 0 <= had < len(self._buttons):
            self._buttons[had].setFocus()
        self.setVisible(bool(self._stages))
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width may have room for other columns."""
        super().resizeEvent(event)
        self._arrange()

    def minimumSizeHint(self) -> QSize:
        """One stage."""
        widest = max((button.narrowest() for button in self._buttons), default=0)
        return QSize(widest, self.minimumHeight())

    def _arrange(self) -> None:
        if not self._buttons:
            return
        count, high = len(self._buttons), theme.u(_BOX_U + _CAPTION_U + 1)
        narrowest = max(button.narrowest() for button in self._buttons)
        arrow, room = theme.u(_ARROW_U), self.width()
        columns = max(1, min(count, (room + arrow) // (narrowest + arrow)))
        lines = -(-count // columns)
        columns = -(-count // lines)  # no ragged last line
        # Where there are several lines, each but the first begins with the arrow that leads to it.
        arrows = columns - 1 if lines == 1 else columns
        box = min((room - arrows * arrow) // columns, max(narrowest, theme.u(_WIDE_U)))
        for number, button in enumerate(self._buttons):
            before = arrow if number else 0
            left = (number % columns) * (box + arrow) + (arrow if lines > 1 else 0) - before
            button.setGeometry(left, (number // columns) * high, box + before, high)
            button.update()
        self.setFixedHeight(lines * high)


class SmallStrip(QWidget):
    """The boundaries alone, for a card; its words are a description for those who do not see."""

    def __init__(self) -> None:
        super().__init__()
        self.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # as it runs
        self._stages: tuple[Stage, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_stages(self, stages: Sequence[Stage]) -> None:
        """Show the stages of a template."""
        self._stages = tuple(stages)
        words = [f"{stage.title}: {caption(stage)}" for stage in self._stages]
        self.setToolTip(tr(clean(", ".join(words), limit=400)))
        self.updateGeometry()
        self.update()

    @property
    def words(self) -> str:
        """The stages as a sentence."""
        return self.toolTip()

    def sizeHint(self) -> QSize:
        """A box and a line a stage."""
        return QSize(theme.u(7.5) * len(self._stages), theme.u(5))

    def paintEvent(self, _: QPaintEvent) -> None:
        """Boxes on a line."""
        painter = graph_painter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        step, wide, high = theme.u(7.5), theme.u(5.5), theme.u(4)
        top = (self.height() - high) / 2
        for number, stage in enumerate(self._stages):
            box = QRectF(number * step + 1, top, wide, high)
            if number:
                painter.setPen(QPen(theme.color("control"), 1))
                painter.drawLine(
                    QPointF(box.left() - (step - wide), box.center().y()),
                    QPointF(box.left(), box.center().y()),
                )
            paint_box(painter, box, stage.where, 3)
        painter.end()
