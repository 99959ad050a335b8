"""Text to copy: commands, digests, reports."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QFontMetrics, QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QPlainTextEdit, QVBoxLayout, QWidget

from kataui.ui import theme
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import row

_MAX_LINES = 14


class _Box(QPlainTextEdit):
    """Tells when its width has changed, and its lines are broken anew."""

    resized = Signal()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Break the lines, then tell."""
        super().resizeEvent(event)
        self.resized.emit()


class CodeBox(QWidget):
    """Read-only text in a fixed font, with a Copy button."""

    def __init__(self, text: str = "", *, name: str) -> None:
        super().__init__()
        self._edit = _Box()
        self._edit.resized.connect(self._fit)
        self._edit.setReadOnly(True)
        self._edit.setProperty("look", "code")
        self._edit.setProperty("textStyle", "mono")
        self._edit.setTabChangesFocus(True)
        self._edit.setAccessibleName(name)
        self._copy = Button("Copy", self._on_copy, icon="copy", kind="quiet", name=f"Copy: {name}")
        self._edit.document().documentLayout().documentSizeChanged.connect(self._fit)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.u(1))
        layout.addWidget(self._edit)
        layout.addLayout(row(None, self._copy))
        self.set_text(text)

    @property
    def text(self) -> str:
        """The text as it is copied."""
        return self._edit.toPlainText()

    def set_text(self, text: str) -> None:
        """Show other text."""
        self._edit.setFont(theme.font("mono"))
        self._edit.setPlainText(text)

    def _fit(self, *_: object) -> None:
        """As high as the lines, up to a limit; the document counts in lines."""
        height = QFontMetrics(self._edit.font()).lineSpacing()
        lines = min(_MAX_LINES, max(1, round(self._edit.document().size().height())))
        self._edit.setFixedHeight(height * lines + theme.u(5))

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text)
        self._copy.setText("Copied")
