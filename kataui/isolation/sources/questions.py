"""Questions of ssh (host key, password, passphrase), brought to the user."""

import contextlib
import hmac
import json
import secrets
import shlex
import shutil
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

from kataui.children import argv_alone
from kataui.errors import Cancelled
from kataui.files import clean, write_new

Ask = Callable[[str, bool], str | None]  # prompt, secret -> answer; None refuses

_REQUEST_BYTES = 64 << 10
_REQUEST_S = 5.0
_LINES = 40
_SOCKET_PATH_BYTES = 107  # unix(7)
_NOTICE = "none"
_CONFIRM = "confirm"


class Questions:
    """A private folder (0700) with a socket, and the script that ssh starts for each question.

    Nobody else can reach the socket; the token is a second lock. OpenSSH 8.4 or newer is needed
    for SSH_ASKPASS_REQUIRE.
    """

    def __init__(self, host: str, ask: Ask) -> None:
        self._host = host
        self._ask = ask
        self._token = secrets.token_urlsafe(32)
        self._folder = Path(tempfile.mkdtemp(prefix="kataui-"))
        if len(str(self._folder / "socket").encode()) > _SOCKET_PATH_BYTES:
            self._folder.rmdir()
            self._folder = Path(tempfile.mkdtemp(prefix="kataui-", dir="/tmp"))
        path = self._folder / "socket"
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.bind(str(path))
        self._server.listen()
        command = shlex.join(argv_alone("kataui.isolation.sources.askpass", str(path)))
        # the token is in a file that only we may read: neither arguments nor ssh's environment
        script = f'#!/bin/sh\nKATAUI_ASKPASS_TOKEN={self._token} exec {command} "$@"\n'
        write_new(self._folder / "askpass", script.encode(), mode=0o700)

    @property
    def environment(self) -> dict[str, str]:
        """What ssh needs to know (ssh(1), ENVIRONMENT)."""
        return {
            "SSH_ASKPASS": str(self._folder / "askpass"),
            "SSH_ASKPASS_REQUIRE": "force",
        }

    @property
    def handle(self) -> int:
        """Readable when there is a question."""
        return self._server.fileno()

    def answer(self, _handle: int) -> None:
        """Take one question to the user; raises ``Cancelled`` when there is no answer."""
        line, _ = self._server.accept()
        with line:
            line.settimeout(_REQUEST_S)
            question = self._received(line)
            if question is None:
                return
            kind = question.get("kind")
            if kind == _NOTICE:  # a security key waits for a touch: nothing is to be answered
                self._reply(line, "")
                return
            prompt = _shown(str(question.get("prompt", "")))
            secret = kind != _CONFIRM and "(yes/no" not in prompt
            answer = self._ask(prompt, secret)
            self._reply(line, answer)
        if answer is None:
            raise Cancelled(f"Not connected to {self._host}: ssh's question was not answered.")

    def _received(self, line: socket.socket) -> dict[str, object] | None:
        """The question; None for somebody without the token."""
        try:
            with line.makefile("rb") as asked:
                question = json.loads(asked.readline(_REQUEST_BYTES))
        except (OSError, ValueError):
            return None
        if not isinstance(question, dict):
            return None
        token = str(question.get("token", "")).encode()
        return question if hmac.compare_digest(token, self._token.encode()) else None

    def _reply(self, line: socket.socket, answer: str | None) -> None:
        with contextlib.suppress(OSError):  # ssh has given up meanwhile
            line.sendall(json.dumps(answer).encode() + b"\n")

    def close(self) -> None:
        """Remove the folder and all in it."""
        self._server.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def _shown(prompt: str) -> str:
    """The prompt, cleaned line by line: a host may have written parts of it."""
    return "\n".join(clean(line) for line in prompt.splitlines()[:_LINES]).strip()
