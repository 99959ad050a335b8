"""Styled text."""

from PySide6.QtCore import QPointF, QRect, Qt
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QPainter,
    QPaintEvent,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import QApplication, QLabel, QSizePolicy, QWidget

from kataui.ui import theme
from kataui.ui.words import tr


def restyle(widget: QWidget, **properties: object) -> None:
    """Set properties that the style sheet looks at, and apply it again."""
    for name, value in properties.items():
        widget.setProperty(name, value)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def announce(widget: QWidget, text: str) -> None:
    """Let a screen reader say something now."""
    QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(widget, tr(text)))


class Label(QLabel):
    """A label that shows its text in the user's language, and without names in a talk."""

    def __init__(self, text: str = "") -> None:
        super().__init__(tr(text))
        self._said = text

    def setText(self, text: str) -> None:
        """Show something else."""
        self._said = text
        super().setText(tr(text))

    def retell(self) -> None:
        """Show the same as it is told now."""
        super().setText(tr(self._said))


def retell_all() -> None:
    """Let everything that is made already be told as it is now."""
    for widget in QApplication.allWidgets():
        retell = getattr(widget, "retell", None)
        if retell is not None:
            retell()
        widget.update()


class WrappedLabel(Label):
    """A label that wraps, and that breaks a word (a digest, a path) which is wider than itself.

    ``QLabel`` alone cuts such a word off at the edge.
    """

    def _too_wide(self, width: int) -> bool:
        metrics = self.fontMetrics()
        return any(metrics.horizontalAdvance(word) > width for word in self.text().split())

    def _broken(self, width: int) -> tuple[QTextLayout, int]:
        """The lines of the text in a width, and their height; both in pixels."""
        option = QTextOption(self.alignment())
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        text = self.text().replace("\n", "\u2028")
        layout = QTextLayout(text, self.font())
        layout.setTextOption(option)
        layout.beginLayout()
        height = 0.0
        while (line := layout.createLine()).isValid():
            line.setLineWidth(width)
            line.setPosition(QPointF(0, height))
            height += line.height()
        layout.endLayout()
        return layout, round(height)

    def heightForWidth(self, width: int) -> int:
        """As high as all lines."""
        if self._too_wide(width):
            return self._broken(max(1, width))[1]
        return super().heightForWidth(width)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint as ``QLabel`` does, unless a word must be broken."""
        rect: QRect = self.contentsRect()
        if not self._too_wide(rect.width()):
            super().paintEvent(event)
            return
        layout, height = self._broken(rect.width())
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        top = rect.top() + max(0, rect.height() - height) / 2
        layout.draw(painter, QPointF(rect.left(), top))
        painter.end()


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
    widget = WrappedLabel(text) if wrap else Label(text)
    widget.setTextFormat(Qt.TextFormat.PlainText)
    widget.setProperty("textStyle", style)
    if style == "mono":
        widget.setFont(theme.font("mono"))  # the sheet sets the size, never a family
    if tone:
        widget.setProperty("tone", tone)
    widget.setWordWrap(wrap)
    if wrap:
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        widget.setSizePolicy(policy)
        widget.setMinimumWidth(1)
    if selectable:
        flags = Qt.TextInteractionFlag.TextSelectableByMouse
        widget.setTextInteractionFlags(flags)
    return widget
