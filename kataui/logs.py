"""The log file (no secrets) and the crash report, which is shown and never sent."""

import contextlib
import faulthandler
import logging
import logging.handlers
import os
import platform
import re
import sys
import traceback
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType

import platformdirs

import kataui
from kataui.files import clean

_MAX_BYTES = 512 << 10
_KEPT_FILES = 2
_LINES_IN_REPORT = 50
_PEM = re.compile(r"-----BEGIN.*?(-----END[^-]*-----|$)", re.DOTALL)


class _Formatter(logging.Formatter):
    """One line a record, control characters cleaned, PEM blocks cut (a second line of defence)."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; a traceback follows on lines of its own."""
        record.message = clean(_PEM.sub("(key removed)", record.getMessage()), limit=1000)
        record.asctime = self.formatTime(record)
        line = f"{record.asctime} {record.levelname} {record.name}: {record.message}"
        if record.exc_info:
            trace = _PEM.sub("(key removed)", self.formatException(record.exc_info))
            line = "\n".join([line, *(clean(part, limit=1000) for part in trace.splitlines())])
        return line


class _PrivateFile(logging.handlers.RotatingFileHandler):
    """A rotating log file, of which the old and the new ones are their owner's only."""

    def _open(self) -> TextIOWrapper:
        return _open_private(Path(self.baseFilename))


def _open_private(path: Path) -> TextIOWrapper:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    os.fchmod(handle, 0o600)  # it may be older than this rule
    return os.fdopen(handle, "a", encoding="utf-8", errors="backslashreplace")


def log_file() -> Path:
    """The log file of this user."""
    return platformdirs.user_log_path("kataui", appauthor=False) / "kataui.log"


def setup(*, to_stderr: bool) -> None:
    """Log to a rotating file that only its owner can read; a crash in C leaves its trace there.

    Without a writable place nothing is logged: a log is no reason to fail.
    """
    root = logging.getLogger("kataui")
    for old in list(root.handlers):
        root.removeHandler(old)
        old.close()
    root.setLevel(logging.INFO)
    path = log_file()
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _open_private(path).close()
        _add(_PrivateFile(path, maxBytes=_MAX_BYTES, backupCount=_KEPT_FILES, delay=True))
    if to_stderr:
        _add(logging.StreamHandler())


def _add(handler: logging.Handler) -> None:
    handler.setFormatter(_Formatter())
    logging.getLogger("kataui").addHandler(handler)


def watch_crashes() -> None:
    """Add the stacks of all threads to ``crash.log`` when the process dies of a signal.

    Does nothing when somebody (a test, ``python -X faulthandler``) watches already.
    """
    if faulthandler.is_enabled():
        return
    with contextlib.suppress(OSError):
        path = log_file().with_name("crash.log")
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        faulthandler.enable(_open_private(path))


def crash_report(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> str:
    """A report for people to read and copy: versions, the traceback, the last lines of the log."""
    lines = [
        f"kataui {kataui.__version__}, Python {platform.python_version()}, {platform.platform()}",
        "",
        "".join(traceback.format_exception(kind, error, trace)).rstrip(),
        "",
        "Last lines of the log:",
        *_last_lines(),
    ]
    report = _PEM.sub("(key removed)", "\n".join(lines))
    home = str(Path.home()).rstrip("/")
    return re.sub(re.escape(home) + r"(?![\w.-])", "~", report) if home else report


def _last_lines() -> list[str]:
    try:
        text = log_file().read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ["(none)"]
    return text.splitlines()[-_LINES_IN_REPORT:]


def log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """An exception hook that only logs; the window adds its own."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger("kataui").error("uncaught", exc_info=(kind, error, trace))
