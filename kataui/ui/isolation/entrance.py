"""The way into the tab Isolation: its modules (and numpy) are loaded when it is first used."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from kataui.isolation.collector.stream import MAGIC
from kataui.ui.sideline import Entry
from kataui.ui.window import Window

if TYPE_CHECKING:
    from kataui.ui.isolation.opening import Isolations

TAB = "isolation"


class Entrance(QObject):
    """Adds the tab; opens recordings and this host."""

    recent_changed = Signal()

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        self._inside: Isolations | None = None

    @property
    def inside(self) -> "Isolations":
        """The tab's own controller, loaded now if it was not yet."""
        if self._inside is None:
            from kataui.ui.isolation.opening import Isolations  # noqa: PLC0415 - it loads numpy

            self._inside = Isolations(self._window)
            self._inside.recent_changed.connect(self.recent_changed)
        return self._inside

    def add_pages(self) -> None:
        """The tab itself."""
        self._window.add_page(TAB, Entry("Isolation", "isolation"), self._make_tab)

    def _make_tab(self) -> QWidget:
        return self.inside.make_tab()

    def open_paths(self, paths: list[str]) -> None:
        """Open recordings."""
        self.inside.open_paths(paths)


def is_recording(path: str) -> bool:
    """Whether a file begins like a recording."""
    try:
        with Path(path).open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False
