"""What kataui remembers between starts: theme, text size, recent files. No secrets."""

import contextlib
import itertools
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import platformdirs

from kataui import files
from kataui.errors import DestinationProblem, KatauiError

log = logging.getLogger(__name__)
FORMAT_VERSION = 1
THEMES = ("system", "light", "dark", "contrast")
ALERT_GRADES = ("B", "C", "D", "never")
TEXT_PERCENTS = (100, 125, 150, 200)
LANGUAGES = ("system", "en", "de")
RATES_HZ = (0.5, 1.0, 2.0, 5.0, 10.0)
_MAX_OPEN = 30
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
    told on the desktop, without a sound. ``rate_hz``: samples a second of what is watched live.
    ``folder``: where choosing a file begins, empty for where it was last. ``reopen``: what was open
    comes back; ``opened`` are its paths, ``shown`` that of the page in front. No secrets.
    """

    version: int = FORMAT_VERSION
    theme: str = "system"
    text_percent: int = 100
    expert: bool = False
    alert_below: str = "C"
    alert_desktop: bool = False
    language: str = "system"
    rate_hz: float = 1.0
    folder: str = ""
    reopen: bool = True
    opened: tuple[str, ...] = ()
    shown: str = ""
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


_FITS: dict[str, Callable[[Any], bool]] = {
    "theme": lambda value: value in THEMES,
    "text_percent": lambda value: type(value) is int and value in TEXT_PERCENTS,
    "alert_below": lambda value: value in ALERT_GRADES,
    "language": lambda value: value in LANGUAGES,
    "rate_hz": lambda value: type(value) is float and value in RATES_HZ,
    "folder": lambda value: isinstance(value, str),
    "shown": lambda value: isinstance(value, str),
    **dict.fromkeys(("expert", "alert_desktop", "reopen"), lambda value: isinstance(value, bool)),
}


def _checked(value: Mapping[str, Any]) -> Settings:
    """What fits; each that does not is its default. Text where a number is wanted does not fit."""
    known = {
        name: value[name]
        for name, fits in _FITS.items()
        if isinstance(value.get(name), str | int | float) and fits(value[name])
    }
    opened, recent = (
        items if isinstance(items, list) else []
        for items in (value.get("opened"), value.get("recent"))
    )
    return replace(
        Settings(),
        **known,
        opened=tuple(path for path in opened if isinstance(path, str) and path)[:_MAX_OPEN],
        recent=tuple(_recent(item) for item in recent if _is_recent(item))[:_MAX_RECENT],
    )


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
