"""Rendering of people's own templates: objects with references, never text with holes.

``files`` maps each path to ``objects`` (YAML values) or ``text`` (for what is no YAML). In objects,
a string that is just ``${name}`` becomes the answer with its type; ``${name}`` inside a longer
string is written out in that string. As objects are filled after they were parsed, no answer can
leave its scalar. A mapping with ``$if: {name: value}`` is left out unless the answer has that
value.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any

from kataui.files import clean
from kataui.pipelines.model import Answered, Kind, Made, Output, Renderer, Value
from kataui.pipelines.templatefile import TemplateFault

_REFERENCE = re.compile(r"\$\{([a-z][A-Za-z0-9]*)\}")
_GONE: Any = object()
_LANGUAGES = {".md": "markdown", ".toml": "toml", ".sh": "shell", ".yaml": "yaml", ".yml": "yaml"}


def own_renderer(description: Mapping[str, Any]) -> Renderer:
    """A renderer for the ``files`` of a template. Raises ``TemplateFault``."""
    files = description.get("files")
    if not isinstance(files, dict) or not files:
        raise TemplateFault("It has no files.")
    entries = description.get("parameters") or ()
    names = {str(entry.get("name")) for entry in entries if isinstance(entry, dict)}
    for path, content in files.items():
        _check_file(path, content, names)

    def render(answered: Answered) -> Output:
        return Output(tuple(_made(path, content, answered) for path, content in files.items()))

    return render


def _check_file(path: str, content: Any, names: set[str]) -> None:
    pure = PurePosixPath(path)
    inside = not pure.is_absolute() and ".." not in pure.parts and pure.name and "\\" not in path
    if not inside or path != clean(path):
        raise TemplateFault(f"The file name {clean(path, limit=80)!r} leaves the folder.")
    kinds: dict[str, type] = {"objects": list, "text": str}
    if not isinstance(content, dict) or len(content) != 1 or next(iter(content)) not in kinds:
        raise TemplateFault(f"{path} has neither objects nor text.")
    kind, value = next(iter(content.items()))
    if not isinstance(value, kinds[kind]) or not value:
        raise TemplateFault(f"The {kind} of {path} are of the wrong type.")
    for name in sorted(_names_in(value) - names):
        raise TemplateFault(f"{path} refers to {name}, which is no parameter.")


def _names_in(value: Any) -> set[str]:
    if isinstance(value, str):
        return set(_REFERENCE.findall(value))
    if isinstance(value, dict):
        parts = [part for key, inner in value.items() if key != "$if" for part in (key, inner)]
        return set(value.get("$if") or ()).union(*map(_names_in, parts))
    if isinstance(value, list):
        return set().union(*map(_names_in, value))
    return set()


def _made(path: str, content: Mapping[str, Any], answered: Answered) -> Made:
    language = _LANGUAGES.get(PurePosixPath(path).suffix, "text")
    if "text" in content:
        return Made(path, text=str(_filled(content["text"], answered)), language=language)
    return Made(path, tuple(_filled(content["objects"], answered)), language=language)


def _filled(value: Any, answered: Answered) -> Any:
    if isinstance(value, str):
        whole = _REFERENCE.fullmatch(value)
        if whole:
            return _value(answered, whole[1])
        return _REFERENCE.sub(lambda found: _as_text(_value(answered, found[1])), value)
    if isinstance(value, list):
        return [filled for each in value if (filled := _filled(each, answered)) is not _GONE]
    if isinstance(value, dict):
        conditions = value.get("$if") or {}
        if any(_value(answered, name) != wanted for name, wanted in conditions.items()):
            return _GONE
        return {
            str(_filled(key, answered)): filled
            for key, inner in value.items()
            if key != "$if" and (filled := _filled(inner, answered)) is not _GONE
        }
    return value


def _value(answered: Answered, name: str) -> Value:
    parameter = answered.template.parameter(name)
    kind = parameter.kind if parameter else Kind.TEXT
    readers: dict[Kind, Callable[[str], Value]] = {
        Kind.INTEGER: answered.number,
        Kind.SWITCH: answered.on,
        Kind.LIST: answered.items,
        Kind.MAP: answered.pairs,
    }
    return readers.get(kind, answered.text)(name)


def _as_text(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(value) if isinstance(value, list | dict) else str(value)
