"""What kataui remembers between starts: theme, text size, recent files. No secrets."""

import contextlib
import itertools
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import platformdirs

from kataui import files
from kataui.errors import DestinationProblem, KatauiError

log = logging.getLogger(__name__)
FORMAT_VERSION = 1
THEMES = ("system", "light", "dark")
ALERT_GRADES = ("B", "C", "D", "never")
TEXT_PERCENTS = (100, 125, 150, 200)
_MAX_BYTES = 1 << 20
_MAX_RECENT = 12


@dataclass(frozen=True, slots=True)
class Recent:
    """Something that was open: path, what it is, the verdict then, and when (ISO 8601, UTC)."""

    path: str
    kind: str
    verdict: str = ""
    sentence: str = ""
    when: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings; a bad value in the file gives its default.

    ``alert_below``: a sandbox below this grade for 30 s is an alert; ``alert_desktop``: it is also
    told on the desktop, without a sound.
    """

    version: int = FORMAT_VERSION
    theme: str = "system"
    text_percent: int = 100
    expert: bool = False
    alert_below: str = "C"
    alert_desktop: bool = False
    recent: tuple[Recent, ...] = field(default=())


def settings_file() -> Path:
    """Where they are kept."""
    return platformdirs.user_config_path("kataui", appauthor=False) / "settings.json"


def load() -> Settings:
    """Read the settings; a file that cannot be parsed is put aside as ``.bad``, never lost."""
    try:
        return _checked(_members())
    except KatauiError as error:
        log.warning("settings not read: %s", error.message)
        _put_aside()
        return Settings()


def _members() -> dict[str, Any]:
    """What stands in the file; nothing when there is none."""
    path = settings_file()
    if not path.exists():
        return {}
    data = files.read_bounded(path, limit_bytes=_MAX_BYTES, what="the settings")
    return files.parse_json_object(data, what="settings file", odd_names=True)


def _put_aside() -> None:
    path = settings_file()
    names = (f"{path.name}.bad{number or ''}" for number in itertools.count())
    with contextlib.suppress(OSError):
        path.rename(next(p for p in map(path.with_name, names) if not p.exists()))


def _checked(value: Mapping[str, Any]) -> Settings:
    settings = Settings()
    if value.get("theme") in THEMES:
        settings = replace(settings, theme=value["theme"])
    percent = value.get("text_percent")
    if isinstance(percent, int) and percent in TEXT_PERCENTS:
        settings = replace(settings, text_percent=percent)
    if value.get("alert_below") in ALERT_GRADES:
        settings = replace(settings, alert_below=value["alert_below"])
    for name in ("expert", "alert_desktop"):
        if isinstance(value.get(name), bool):
            settings = replace(settings, **{name: value[name]})
    recent = value.get("recent")
    items = recent if isinstance(recent, list) else []
    return replace(settings, recent=tuple(_recent(x) for x in items if _is_recent(x))[:_MAX_RECENT])


def _is_recent(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(value.get(item.name, ""), str) for item in fields(Recent)
    )


def _recent(value: Mapping[str, str]) -> Recent:
    return Recent(**{item.name: value.get(item.name, "") for item in fields(Recent)})


def save(settings: Settings) -> None:
    """Write the settings at once; members that a newer kataui has put there stay.

    Raises ``DestinationProblem`` when that is not possible.
    """
    path = settings_file()
    try:
        kept = _members()
    except KatauiError:
        _put_aside()
        kept = {}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"Cannot write the settings: {files.problem_text(error)}."
        raise DestinationProblem(message) from error
    text = json.dumps({**kept, **asdict(settings)}, indent=2) + "\n"
    files.replace_file(path, text.encode(), mode=0o600)


def remember(settings: Settings, item: Recent) -> Settings:
    """The settings with ``item`` first among the recent things."""
    others = tuple(old for old in settings.recent if old.path != item.path)
    return replace(settings, recent=(item, *others)[:_MAX_RECENT])
