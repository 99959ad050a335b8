"""The way into the tab Pipelines: its modules (and YAML) are loaded when it is first used."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from kataui.ui.pipelines.drafts import Draft, close_draft, load_drafts
from kataui.ui.sideline import Entry
from kataui.ui.window import Window

if TYPE_CHECKING:
    from kataui.ui.pipelines.opening import Pipelines

TAB = "pipelines"
ANSWERS = ".kataui-answers.yaml"
_SUFFIXES = (".yaml", ".yml", ".toml")
_NAMES = ("Jenkinsfile", ANSWERS)
_LOOK_BYTES = 4096


class Entrance(QObject):
    """Adds the tab and the forms that were open; opens pipelines that people have."""

    recent_changed = Signal()

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        self._inside: Pipelines | None = None
        self._unmade: dict[str, Draft] = {}

    @property
    def inside(self) -> "Pipelines":
        """The tab's own controller, loaded now if it was not yet."""
        if self._inside is None:
            from kataui.ui.pipelines.opening import Pipelines  # noqa: PLC0415 - it loads YAML

            self._inside = Pipelines(self._window)
            self._inside.recent_changed.connect(self.recent_changed)
        return self._inside

    def add_pages(self) -> None:
        """The tab itself, and under it the forms that were open when kataui ended."""
        self._window.add_page(TAB, Entry("Pipelines", "pipeline"), self._make_tab)
        for draft in load_drafts():
            if draft.open:
                key = form_key(draft)
                self._unmade[key] = draft
                entry = Entry(draft.title or draft.template, mark=draft.mark)
                self._window.add_page(key, entry, partial(self._make_form, key), under=TAB)
        self._window.sidebar.close_asked.connect(self._on_close)

    def _make_tab(self) -> QWidget:
        return self.inside.make_tab()

    def _make_form(self, key: str) -> QWidget:
        return self.inside.make_form(self._unmade.pop(key))

    def _on_close(self, key: str) -> None:
        """A form that was never shown has no page that keeps it as closed."""
        if key in self._unmade:
            close_draft(self._unmade.pop(key))

    def open_paths(self, paths: list[str]) -> None:
        """Open pipelines, manifests, or answers that were exported."""
        self.inside.open_paths(paths)

    def adopt(self, path: str) -> None:
        """Show what would put a manifest on Kata."""
        self.inside.adopt(path)

    def fill(self, name: str, answers: Mapping[str, str]) -> None:
        """Show a template's form, with some answers filled in."""
        inside = self.inside
        inside.open_template(inside.catalogue.get(name), dict(answers))

    def choose(self) -> None:
        """Let the user choose one to put on Kata."""
        self.inside.choose()


def form_key(draft: Draft) -> str:
    """The key of a form's page."""
    return f"pipeline:{draft.id}"


def is_pipeline(path: str) -> bool:
    """Whether a file looks like a pipeline or a manifest, or a folder like an exported one."""
    place = Path(path)
    try:
        if place.is_dir():
            return (place / ANSWERS).is_file()
        if place.suffix.lower() in _SUFFIXES or place.name in _NAMES:
            return place.is_file()
        if place.suffix.lower() != ".json":
            return False
        with place.open("rb") as file:
            head = file.read(_LOOK_BYTES)
    except OSError:
        return False
    return b'"apiVersion"' in head and b'"kind"' in head
