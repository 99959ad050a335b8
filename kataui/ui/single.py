"""One window a user: a second start hands its file over and ends."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import platformdirs
from PySide6.QtCore import QObject
from PySide6.QtNetwork import QLocalServer, QLocalSocket

_VERSION = 1
_MAX_MESSAGE_BYTES = 64 << 10
_WAIT_MS = 1000


def server_name() -> str:
    """A socket that only this user can reach: in the session's folder, else in the cache.

    Never in a folder such as /tmp, where somebody else could be first.
    """
    session = os.environ.get("XDG_RUNTIME_DIR")
    cache = platformdirs.user_cache_path("kataui", appauthor=False)
    folder = Path(session) / "kataui" if session else cache
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)  # it may be older than this rule
    return str(folder / "window")


def hand_over(name: str, path: str) -> bool:
    """Give ``path`` (absolute, or empty to come forward) to the running window, if there is one."""
    socket = QLocalSocket()
    socket.connectToServer(name)
    if not socket.waitForConnected(_WAIT_MS):
        return False
    message = json.dumps({"version": _VERSION, "open": path}).encode() + b"\n"
    socket.write(message)
    taken = socket.waitForBytesWritten(_WAIT_MS)
    socket.disconnectFromServer()
    return bool(taken)


class Server(QObject):
    """Listens for second starts; ``on_open`` gets the path, which may be empty."""

    def __init__(self, name: str, on_open: Callable[[str], None], parent: QObject) -> None:
        super().__init__(parent)
        self._on_open = on_open
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._on_connection)
        if not self._server.listen(name):
            QLocalServer.removeServer(name)  # nobody answered there: a crash left it behind
            self._server.listen(name)

    @property
    def listening(self) -> bool:
        """Whether second starts are heard."""
        return self._server.isListening()

    def close(self) -> None:
        """Stop listening."""
        self._server.close()

    def _on_connection(self) -> None:
        socket = self._server.nextPendingConnection()
        socket.readyRead.connect(lambda: self._on_ready(socket))
        socket.disconnected.connect(socket.deleteLater)
        self._on_ready(socket)

    def _on_ready(self, socket: QLocalSocket) -> None:
        if socket.canReadLine():
            path = parse_message(bytes(socket.readLine(_MAX_MESSAGE_BYTES).data()))
            socket.disconnectFromServer()  # one message a connection
            if path is not None:
                self._on_open(path)
        elif socket.bytesAvailable() >= _MAX_MESSAGE_BYTES:
            socket.abort()


def parse_message(data: bytes) -> str | None:
    """The path in a message, or ``None`` when the message is not one of ours."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or value.get("version") != _VERSION:
        return None
    path = value.get("open")
    return path if isinstance(path, str) and "\0" not in path else None
