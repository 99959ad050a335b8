"""The status line says what network this process has used, as it was seen."""

from PySide6.QtCore import QTimer

from kataui import network
from kataui.ui.window import Window

_LOOK_MS = 5000


class NetworkProof(QTimer):
    """Looks again every five seconds; tells the window when it changed."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        self._said = True
        self.timeout.connect(self._look)
        self.start(_LOOK_MS)

    def _look(self) -> None:
        nothing = network.used().nothing
        if self._said and not nothing:
            self._said = False
            self._window.set_network("The network was used: see This computer")
