"""The list of a wizard's steps: number, name, and the answer given; done steps are links."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QPushButton, QSizePolicy, QVBoxLayout, QWidget

from kataui.ui import icons, theme
from kataui.ui.words import tr

_WORDS_U, WIDE_U, NARROW_U = 12, 58, 19


@dataclass(frozen=True, slots=True)
class Step:
    """One step as it is shown."""

    name: str
    answer: str = ""
    done: bool = False
    current: bool = False
    reachable: bool = False


class _StepButton(QPushButton):
    """Paints a step: a circle with its number or a check, the name, the answer."""

    def __init__(self, number: int, *, last: bool) -> None:
        super().__init__()
        self._number, self._last = number, last
        self._step = Step("")
        self.setFlat(True)
        self.setProperty("kind", "quiet")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        theme.state().changed.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        """Room for two lines of text."""
        return QSize(theme.u(50), theme.u(13))

    def minimumSizeHint(self) -> QSize:
        """Room for one line at least."""
        return QSize(theme.u(10), theme.u(8))

    def show_step(self, step: Step) -> None:
        """Show a step."""
        self._step = step
        self.setEnabled(step.reachable or step.current)
        state = "current step" if step.current else ("done" if step.done else "to come")
        self.setAccessibleName(
            tr(f"Step {self._number}: {step.name}, {state}. {step.answer}".strip())
        )
        reason = "" if self.isEnabled() else "The steps before it come first."
        self.setToolTip(tr(f"{step.name}: {step.answer or reason}".rstrip(": ")))
        self.setAccessibleDescription(tr(reason))
        self.update()

    def paintEvent(self, _: QPaintEvent) -> None:
        """Paint the circle, the line to the next step and the two lines of text."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        size = theme.u(6.5)
        reversed_ = self.isRightToLeft()
        begin = self.width() - theme.u(1) - size if reversed_ else theme.u(1)
        circle = QRectF(begin, theme.u(1), size, size)
        self._paint_circle(painter, circle)
        if not self._last:
            role = "accent" if self._step.done else "line"
            painter.setPen(QPen(theme.color(role), 2))
            x = circle.center().x()
            painter.drawLine(int(x), int(circle.bottom()) + 2, int(x), self.height())
        gap = theme.u(3.5)
        width = self.width() - size - gap - theme.u(2)
        left = theme.u(1) if reversed_ else circle.right() + gap
        if width < theme.u(_WORDS_U):  # a narrow window: the tool tip has the words
            painter.end()
            return
        on = self._step.current or self._step.done
        painter.setPen(theme.color("text" if on else "text_tertiary"))
        painter.setFont(theme.font("strong" if self._step.current else "body"))
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.drawText(QRectF(left, circle.top(), width, size), flags, tr(self._step.name))
        painter.setFont(theme.font("note"))
        painter.setPen(theme.color("text_tertiary"))
        rest = QRectF(left, circle.bottom() - theme.u(1), width, theme.u(5))
        if rest.bottom() > self.height():  # a low window: the tool tip has the answer
            painter.end()
            return
        answer = painter.fontMetrics().elidedText(
            tr(self._step.answer), Qt.TextElideMode.ElideMiddle, int(width)
        )
        painter.drawText(rest, flags, answer)
        painter.end()

    def _paint_circle(self, painter: QPainter, circle: QRectF) -> None:
        step = self._step
        painter.setPen(QPen(theme.color("accent" if step.done or step.current else "control"), 1.5))
        ground = "accent" if step.current else ("accent_tint" if step.done else "window")
        painter.setBrush(theme.color(ground))
        painter.drawEllipse(circle)
        if step.done and not step.current:
            size = int(circle.width() * 0.62)
            picture = icons.pixmap("check", size, "accent")
            spot = circle.center().toPoint()
            painter.drawPixmap(spot.x() - size // 2, spot.y() - size // 2, picture)
            return
        painter.setFont(theme.font("strong"))
        painter.setPen(theme.color("on_accent" if step.current else "text_tertiary"))
        painter.drawText(circle, Qt.AlignmentFlag.AlignCenter, str(self._number))


class StepList(QWidget):
    """All steps; ``asked`` gives the index of a step that was clicked."""

    asked = Signal(int)

    def __init__(self, count: int) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.u(5), theme.u(4), theme.u(3), theme.u(4))
        layout.setSpacing(0)
        self._buttons = []
        for index in range(count):
            button = _StepButton(index + 1, last=index == count - 1)
            button.clicked.connect(lambda _=False, index=index: self.asked.emit(index))
            self._buttons.append(button)
            layout.addWidget(button)
        layout.addStretch(1)

    def set_narrow(self, *, narrow: bool) -> None:
        """Show the circles only, or the names too."""
        self.setFixedWidth(theme.u(NARROW_U if narrow else WIDE_U))

    def take_focus(self, index: int) -> None:
        """Put the focus on a step."""
        self._buttons[index].setFocus(Qt.FocusReason.OtherFocusReason)

    def paintEvent(self, _: QPaintEvent) -> None:
        """Paint the line that parts the steps from the page."""
        painter = QPainter(self)
        painter.fillRect(self.width() - 1, 0, 1, self.height(), theme.color("line"))
        painter.end()

    def show_steps(self, steps: Sequence[Step]) -> None:
        """Show the steps."""
        for button, step in zip(self._buttons, steps, strict=True):
            button.show_step(step)
