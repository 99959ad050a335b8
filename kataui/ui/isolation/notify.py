"""Telling alerts on the desktop: one quiet message, if the user wants it and the desktop can."""

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QSystemTrayIcon

from kataui.ui import icons

_SHOWN_MS = 10_000


class Notifier(QObject):
    """The tray icon is there only once there was something to tell."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._tray: QSystemTrayIcon | None = None

    def tell(self, title: str, text: str) -> None:
        """Show a message without a sound; nothing happens where there is no tray."""
        if not QSystemTrayIcon.isSystemTrayAvailable():
            return
        if self._tray is None:
            self._tray = QSystemTrayIcon(icons.window_icon(), self)
            self._tray.show()
        icon = QSystemTrayIcon.MessageIcon.NoIcon
        self._tray.showMessage(title, text, icon, _SHOWN_MS)
