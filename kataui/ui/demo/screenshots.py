"""``kataui demo --screenshots``: a picture of every screen, without a display."""

import os
import shutil
import sys
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

from kataui import settings
from kataui.errors import ExitStatus
from kataui.files import clean
from kataui.progress import Control
from kataui.ui.demo.scratch import Scratch, make_scratch

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

    from kataui.ui.demo.stage import Stage

_BETWEEN_S, _PATIENCE_S = 0.05, 3.0

Shape = tuple[str, int, tuple[int, int]]


def main(place: Path, folder: Path, shapes: Sequence[Shape], only: Collection[str] = ()) -> int:
    """Write ``NAME-THEME-PERCENT-WIDTHxHEIGHT.png`` into a folder for each screen and shape.

    ``place`` is a scratch folder for the sample data. The folder is made when it is not there;
    pictures of the same name are replaced. Gives the exit status; raises ``KatauiError`` when the
    sample data cannot be made.
    """
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from kataui.ui import app as application  # noqa: PLC0415 - after the platform is chosen

    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    application.make_application([])
    qInstallMessageHandler(_say)
    for number, shape in enumerate(shapes):
        scratch = make_scratch(place / f"shop-{number}", Control())
        count += _take(folder, scratch, shape, only)
        shutil.rmtree(scratch.folder)
    print(f"{count} pictures in {clean(str(folder))}")  # noqa: T201 - a command's answer
    return ExitStatus.DONE


def _say(kind: QtMsgType, _context: QMessageLogContext, text: str) -> None:
    """The platform without a display says at each window what it cannot do."""
    if not text.startswith("This plugin does not support"):
        sys.stderr.write(f"{kind.name}: {text}\n")


def _take(folder: Path, scratch: Scratch, shape: Shape, only: Collection[str]) -> int:
    from kataui.ui import app as application  # noqa: PLC0415 - as above
    from kataui.ui import theme  # noqa: PLC0415 - as above
    from kataui.ui.computer.around import look_around  # noqa: PLC0415 - as above
    from kataui.ui.demo.stage import Stage  # noqa: PLC0415 - as above
    from kataui.ui.demo.tour import screens  # noqa: PLC0415 - as above

    name, percent, (width, height) = shape
    settings.save(settings.Settings(theme=name, text_percent=percent))
    theme.set_theme(name, percent)
    window = application.make_window()
    window.resize(width, height)
    window.show()
    count = 0
    look_around(window)
    stage = Stage(window, scratch)
    for screen in screens(stage):
        if not only or screen in only:
            picture = _at_rest(stage)
            picture.save(str(folder / f"{screen}-{name}-{percent}-{width}x{height}.png"))
            count += 1
    stage.clear()  # a form that stays open would come back in the next window
    window.close()
    window.deleteLater()
    return count


def _at_rest(stage: "Stage") -> "QImage":
    """The window's picture once it no longer changes: texts that break settle turn by turn."""
    until_s = time.monotonic() + _PATIENCE_S
    before, now = None, stage.window.grab().toImage()
    while now != before and time.monotonic() < until_s:
        stage.settle(_BETWEEN_S)
        before, now = now, stage.window.grab().toImage()
    return now
