"""Text to copy: commands, digests, reports."""

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QFontMetrics, QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QPlainTextEdit, QVBoxLayout, QWidget

from kataui.ui import theme
from kataui.ui.widgets.buttons import Button
from kataui.ui.words import plain, tr

_MAX_LINES = 24
_TOLD_MS = 2000
_WIDE_U = 110  # below this the button shows its icon only


class _Text(QPlainTextEdit):
    """Read-only text, as high as its lines up to a limit."""

    def __init__(self) -> None:
        super().__init__()
        self.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # code is
        self.setReadOnly(True)
        self.setProperty("look", "code")
        self.setProperty("textStyle", "mono")
        self.setTabChangesFocus(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)  # lines break

    def fit(self) -> None:
        """Take the height of all lines as they break at the present width."""
        height_px, block = 0.0, self.document().begin()
        while block.isValid():
            height_px += self.blockBoundingRect(block).height()  # lays the block out
            block = block.next()
        most_px = QFontMetrics(self.font()).lineSpacing() * _MAX_LINES
        policy = Qt.ScrollBarPolicy
        # A bar that comes for a moment would make the lines shorter, and stay for that reason.
        needed = policy.ScrollBarAsNeeded if height_px > most_px else policy.ScrollBarAlwaysOff
        self.setVerticalScrollBarPolicy(needed)
        # The padding and edge of the style sheet, and the document's own margin.
        around_px = 2 * (theme.u(1) + 1 + round(self.document().documentMargin()))
        self.setFixedHeight(round(min(height_px, most_px)) + around_px)

    def keep_free(self, width_px: int) -> None:
        """Leave room at the right."""
        self.setViewportMargins(0, 0, width_px, 0)
        self.fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Break the lines anew, and take their height."""
        super().resizeEvent(event)
        self.fit()

    def changeEvent(self, event: QEvent) -> None:
        """Another font needs another height."""
        super().changeEvent(event)
        if event.type() in {QEvent.Type.FontChange, QEvent.Type.StyleChange}:
            self.fit()


class CodeBox(QWidget):
    """Read-only text in a fixed font, with a Copy button in its corner."""

    def __init__(self, text: str = "", *, name: str) -> None:
        super().__init__()
        self._edit = _Text()
        self._edit.setAccessibleName(tr(name))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._edit)
        self._copy = Button("Copy", self._on_copy, icon="copy", kind="quiet", name=f"Copy: {name}")
        self._copy.setParent(self)
        self._copy.setToolTip(tr("Copy"))
        self._edit.verticalScrollBar().rangeChanged.connect(self._place)
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.timeout.connect(lambda: self._copy.set_icon("copy"))
        theme.state().changed.connect(self._place)
        self.set_text(text)

    @property
    def text(self) -> str:
        """The text as it is copied."""
        return self._text

    def set_text(self, text: str) -> None:
        """Show other text."""
        self._text = text
        self._edit.setFont(theme.font("mono"))
        self.retell()

    def retell(self) -> None:
        """Show the same text as it may be shown now."""
        self._edit.setPlainText(plain(self._text))
        self._edit.fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The button stays in its corner."""
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        """Put the button beside the text, and left of a scroll bar."""
        self._copy.setText(" Copy" if self.width() > theme.u(_WIDE_U) else "")
        size = self._copy.sizeHint()
        self._edit.keep_free(size.width())
        bar = self._edit.verticalScrollBar()
        taken = bar.sizeHint().width() if bar.maximum() > bar.minimum() else 0
        gap = theme.u(0.5)
        left = self.width() - size.width() - taken - gap
        self._copy.setGeometry(left, gap, size.width(), size.height())

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text)
        self._copy.set_icon("check")
        self._again.start(_TOLD_MS)
