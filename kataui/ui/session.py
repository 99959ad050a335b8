"""What was open comes back: the paths of pages, never what was typed into them."""

from dataclasses import replace
from pathlib import Path

from kataui import settings
from kataui.errors import KatauiError
from kataui.files import clean
from kataui.ui.window import Window


def keep(window: Window) -> None:
    """Write down what is open; nothing is lost when that fails."""
    shown = window.path_of(window.current_key)
    now = replace(settings.load(), opened=tuple(window.opened), shown=shown)
    try:
        settings.save(now)
    except KatauiError as error:
        window.show_problem(error.message, error.hint)


def restore(window: Window) -> None:
    """Bring back what was open; each page is made when it is shown.

    What is no longer there is named in one line.
    """
    known = settings.load()
    if not known.reopen:
        return
    here = [path for path in known.opened if _exists(path) and path not in window.opened]
    gone = [clean(Path(path).name, limit=60) for path in known.opened if not _exists(path)]
    window.hold(held=True)
    try:
        window.open_paths(here)
    finally:
        window.hold(held=False)
    if known.shown in here:
        window.open_paths([known.shown])
    if gone:
        window.show_problem(f"No longer there: {', '.join(gone)}.")


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False
