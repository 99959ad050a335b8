"""The crash dialog: a report that can be read and copied, and is never sent."""

import sys
from types import TracebackType

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from kataui import logs
from kataui.ui import theme
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import row
from kataui.ui.widgets.codebox import CodeBox
from kataui.ui.widgets.text import label


class CrashDialog(QDialog):
    """Shows one report."""

    def __init__(self, report: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("kataui met a defect")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        layout = QVBoxLayout(self)
        margin = theme.u(6)
        layout.setContentsMargins(margin, margin, margin, margin)
        layout.setSpacing(theme.u(3))
        layout.addWidget(label("kataui met a defect", "title"))
        text = (
            "What was written before is whole; what was being written is not there. Nothing was "
            "sent to anybody. Copy the report if you want to tell the makers."
        )
        layout.addWidget(label(text))
        layout.addWidget(CodeBox(report, name="Crash report"))
        layout.addLayout(row(None, Button("Close", self.close, kind="primary")))
        self.resize(theme.u(190), theme.u(130))


class CrashReporter(QObject):
    """The exception hook: it logs in whatever thread, and shows the dialog in the UI thread."""

    _crashed = Signal(str)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._crashed.connect(self._show, Qt.ConnectionType.QueuedConnection)

    def install(self) -> None:
        """Take over uncaught exceptions."""
        sys.excepthook = self._hook

    def _hook(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        logs.log_uncaught(kind, error, trace)
        if not issubclass(kind, KeyboardInterrupt):
            self._crashed.emit(logs.crash_report(kind, error, trace))

    def _show(self, report: str) -> None:
        CrashDialog(report, self._window).open()
