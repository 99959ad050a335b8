"""A scratch folder for a demo: all that kataui writes goes there, and is gone afterwards."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from kataui import settings

_PLACES = ("CONFIG", "STATE", "CACHE", "DATA")


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A folder below the system's temporary one (``TMPDIR``), for the time of the block.

    From then on settings, logs, caches and data of this process are in it (XDG Base Directory
    Specification); the settings begin with the user's theme and text size.
    """
    known = settings.load()
    with TemporaryDirectory(prefix="kataui-demo-", ignore_cleanup_errors=True) as name:
        for place in _PLACES:
            os.environ[f"XDG_{place}_HOME"] = str(Path(name) / place.lower())
        settings.save(settings.Settings(theme=known.theme, text_percent=known.text_percent))
        yield Path(name)
