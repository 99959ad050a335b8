"""The crash dialog: a report that can be read and copied, and is never sent."""

import sys
from collections.abc import Callable
from types import TracebackType

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from kataui import logs
from kataui.errors import KatauiError
from kataui.ui import theme
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import row
from kataui.ui.widgets.codebox import CodeBox
from kataui.ui.widgets.text import label
from kataui.ui.words import tr


class CrashDialog(QDialog):
    """Shows one report."""

    def __init__(self, report: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("kataui met a defect"))
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
    """The exception hook: it logs in whatever thread, and tells in the UI thread.

    A ``KatauiError`` that nobody caught is no defect: ``on_problem`` gets its message and hint.
    """

    _crashed = Signal(str)
    _refused = Signal(str, str)

    def __init__(self, window: QWidget, on_problem: Callable[[str, str], None]) -> None:
        super().__init__(window)
        self._window = window
        self._crashed.connect(self._show, Qt.ConnectionType.QueuedConnection)
        self._refused.connect(on_problem, Qt.ConnectionType.QueuedConnection)

    def install(self) -> None:
        """Take over uncaught exceptions."""
        sys.excepthook = self._hook

    def _hook(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        logs.log_uncaught(kind, error, trace)
        if isinstance(error, KatauiError):
            self._refused.emit(error.message, error.hint)
        elif not issubclass(kind, KeyboardInterrupt):
            self._crashed.emit(logs.crash_report(kind, error, trace))

    def _show(self, report: str) -> None:
        CrashDialog(report, self._window).open()
