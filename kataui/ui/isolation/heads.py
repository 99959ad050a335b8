"""Heads of cards that stay in the window (the note is elided), a chip, and what hugs."""

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QSizePolicy, QWidget

from kataui.ui import theme
from kataui.ui.icons import IconLabel
from kataui.ui.widgets.card import row
from kataui.ui.widgets.page import Scroll
from kataui.ui.widgets.text import Label, label, restyle

_LEAST_NOTE_U = 12


class Elided(Label):
    """One line that ends in dots where there is no room; the tool tip has it whole."""

    def __init__(self, text: str = "", style: str = "note") -> None:
        super().__init__(text)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("textStyle", style)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def minimumSizeHint(self) -> QSize:
        """May vanish."""
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, _: QPaintEvent) -> None:
        """The beginning, as much as fits."""
        told = self.text()
        text = self.fontMetrics().elidedText(told, Qt.TextElideMode.ElideRight, self.width())
        whole = told if text != told else ""
        if self.toolTip() != whole:
            self.setToolTip(whole)
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter, text)
        painter.end()


class Head(QWidget):
    """Title, note, and actions at the right; below the title where it is narrow."""

    def __init__(self, title: str, note: str, actions: QWidget) -> None:
        super().__init__()
        self.title = label(title, "heading", wrap=False)
        self.note = Elided(note)
        self._actions = actions
        self._layout = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(theme.u(2))
        self._layout.addLayout(row(self.title, self.note), 1)
        self._layout.addWidget(actions)
        self._layout.setAlignment(actions, Qt.AlignmentFlag.AlignLeft)

    def minimumSizeHint(self) -> QSize:
        """The wider of title and actions: they can stand one below the other."""
        wide = max(self.title.minimumSizeHint().width(), self._actions.minimumSizeHint().width())
        return QSize(wide, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Turn when the words and the actions do not fit side by side."""
        super().resizeEvent(event)
        words = self.title.sizeHint().width() + theme.u(_LEAST_NOTE_U)
        narrow = words + self._actions.sizeHint().width() > self.width()
        directions = QBoxLayout.Direction
        self._layout.setDirection(directions.TopToBottom if narrow else directions.LeftToRight)


class VerdictChip(QFrame):
    """A mark and at most three words on the verdict's tint."""

    def __init__(self) -> None:
        super().__init__()
        self._mark = IconLabel("unknown", size_u=3.5)
        self._words = label("", "note", wrap=False)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.u(2), theme.u(0.5), theme.u(2.5), theme.u(0.5))
        layout.setSpacing(theme.u(1.5))
        layout.addWidget(self._mark)
        layout.addWidget(self._words)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Maximum)
        self.setStyleSheet("QFrame[look] { border-radius: 5px; }")

    def show_verdict(self, verdict: str, words: str) -> None:
        """Show another verdict."""
        if words != self._words.text():
            self._mark.set_icon(verdict)
            self._words.setText(words)
            restyle(self, look=verdict)
            restyle(self._words, tone=verdict)


class Hugging(Scroll):
    """The inside of a card that is as high as its content, and scrolls where there is less room."""

    def __init__(self) -> None:
        super().__init__(margin_u=0, look="inner")
        self.body.setContentsMargins(0, 0, 0, 0)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def sizeHint(self) -> QSize:
        """As high as the words are at this width."""
        layout, width = self.body, max(1, self.viewport().width())
        high = layout.heightForWidth(width) if layout.hasHeightForWidth() else 0
        return QSize(theme.u(60), max(high, layout.sizeHint().height() if high <= 0 else 0) + 2)

    def minimumSizeHint(self) -> QSize:
        """A few lines."""
        return QSize(theme.u(40), theme.u(30))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Other content may need another height."""
        if event.type() is QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width needs another height."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()
