"""The catalogue: templates that come with kataui, and those that people add in a folder.

A template is a folder with a ``template.yaml`` (format 1): what it is and its parameters. Ours name
a ``renderer`` (a module of ``kataui.pipelines.renderers``); people's own have ``files`` (see
``own.py``), for a folder that somebody sent runs no code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import platformdirs

from kataui import resources
from kataui.errors import KatauiError
from kataui.files import clean, problem_text
from kataui.kata.manifest import parse
from kataui.pipelines.model import Broken, Renderer, Template
from kataui.pipelines.own import own_renderer
from kataui.pipelines.templatefile import TemplateFault, template_of

_FILE = "template.yaml"
_COMMON = "common.yaml"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All templates, and the folders that hold a broken one."""

    templates: tuple[Template, ...]
    broken: tuple[Broken, ...] = ()

    def get(self, identity: str) -> Template:
        """The template of that id. Raises ``KatauiError`` with the ids that there are."""
        found = next((t for t in self.templates if t.id == identity), None)
        if found is None:
            raise KatauiError(
                f"There is no template {clean(identity, limit=60)!r}.",
                hint=f"There are: {', '.join(t.id for t in self.templates)}.",
            )
        return found


def own_folder() -> Path:
    """Where people put templates of their own."""
    return platformdirs.user_data_path("kataui", appauthor=False) / "templates"


def load(folder: Path | None = None) -> Catalogue:
    """Our templates, then those of ``folder`` (or of the user's own folder).

    An own template with the id of another is broken, as is any that cannot be read; the rest work.
    """
    ours = _ours()
    templates, broken = list(ours), []
    place = folder or own_folder()
    try:
        found = sorted(path for path in place.iterdir() if (path / _FILE).is_file())
    except OSError:
        found = []
    for path in found:
        try:
            template = _load_own(path)
            if any(template.id == other.id for other in templates):
                raise TemplateFault(f"The id {template.id} is taken by another template.")
            templates.append(template)
        except KatauiError as error:
            broken.append(Broken(str(path), error.message))
    return Catalogue(tuple(templates), tuple(broken))


@cache
def _ours() -> tuple[Template, ...]:
    root = resources.path("templates")
    common = {
        str(entry["name"]): entry
        for entry in _document(root / _COMMON)["parameters"]
        if isinstance(entry, dict)
    }
    order = [str(name) for name in _document(root / "order.yaml")["order"]]
    return tuple(_load_ours(root / name, common) for name in order)


def _load_ours(folder: Path, common: Mapping[str, Mapping[str, Any]]) -> Template:
    description = _document(folder / _FILE)
    name = str(description["renderer"])

    def render(answered: Any) -> Any:
        renderer: Renderer = import_module(f"kataui.pipelines.renderers.{name}").render
        return renderer(answered)

    return template_of(description, render, common=common)


def _load_own(folder: Path) -> Template:
    description = _document(folder / _FILE)
    return template_of(description, own_renderer(description), own=True)


def _document(path: Path) -> dict[str, Any]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TemplateFault(f"{path.name} cannot be read: {problem_text(error)}.") from error
    documents = parse(data, path.name)
    if len(documents) != 1 or not documents[0].mapping:
        raise TemplateFault(f"{clean(path.name)} must hold one mapping.")
    return documents[0].mapping
