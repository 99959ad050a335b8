"""Text to copy: commands, digests, reports."""

from PySide6.QtGui import QFontMetrics, QGuiApplication
from PySide6.QtWidgets import QPlainTextEdit, QVBoxLayout, QWidget

from kataui.ui import theme
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import row

_MAX_LINES = 14


class CodeBox(QWidget):
    """Read-only text in a fixed font, with a Copy button."""

    def __init__(self, text: str = "", *, name: str) -> None:
        super().__init__()
        self._edit = QPlainTextEdit()
        self._edit.setReadOnly(True)
        self._edit.setProperty("look", "code")
        self._edit.setProperty("textStyle", "mono")
        self._edit.setTabChangesFocus(True)
        self._edit.setAccessibleName(name)
        self._copy = Button("Copy", self._on_copy, icon="copy", kind="quiet", name=f"Copy: {name}")
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
        """Show other text; the box is as high as its lines, up to a limit."""
        self._edit.setFont(theme.font("mono"))
        self._edit.setPlainText(text)
        height = QFontMetrics(self._edit.font()).lineSpacing()
        columns = max(
            20, theme.u(170) // max(1, QFontMetrics(self._edit.font()).averageCharWidth())
        )
        lines = sum(1 + len(line) // columns for line in text.splitlines()) or 1
        self._edit.setFixedHeight(height * (min(lines, _MAX_LINES) + 1) + theme.u(4))

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text)
        self._copy.setText("Copied")
