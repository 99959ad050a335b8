"""Questions that ssh asks while a job waits: they come to the window, the answer goes back."""

import queue
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QWidget

from kataui.files import clean
from kataui.ui.widgets.confirm import Ask

_POLL_S = 0.2


class Questions(QObject):
    """``ask`` is for a worker and waits; the dialog is shown in the UI thread.

    After ``close`` every question, also one that is waited for, is answered with None.
    """

    _asked = Signal(str, bool, object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent
        self._closed = False
        self._asked.connect(self._show, Qt.ConnectionType.QueuedConnection)

    def ask(self, prompt: str, secret: bool) -> str | None:  # noqa: FBT001 - the shape of sources
        """The answer to a question of ssh; None is "no". Called by a worker."""
        answer: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._asked.emit(prompt, secret, answer.put)
        while not self._closed:
            try:
                return answer.get(timeout=_POLL_S)
            except queue.Empty:
                continue
        return None

    def close(self) -> None:
        """Nobody answers any more."""
        self._closed = True

    def _show(self, prompt: str, secret: bool, answer: Callable[[str | None], None]) -> None:  # noqa: FBT001 - a signal's slot
        if self._closed:
            return
        text = clean(prompt.replace("\n", " "), limit=600)
        dialog = Ask(self._parent, "ssh asks", text, "Answer", answer, secret=secret)
        dialog.rejected.connect(lambda: answer(None))
        dialog.open()
