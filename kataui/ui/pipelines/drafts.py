"""Forms that are being filled, kept over a restart. No Qt and no YAML here: read at the start.

One JSON file a form in the state folder; never a secret's value, for parameters only name secrets.
"""

import datetime as dt
import logging
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import platformdirs

from kataui import files
from kataui.errors import DestinationProblem, KatauiError

log = logging.getLogger(__name__)
FORMAT_VERSION = 1
_MAX_BYTES = 4 << 20
_MOST_CLOSED = 12
_ID = re.compile(r"[0-9a-f]{16}")
_TEXTS = ("id", "template", "version", "title", "kubernetes", "mark", "folder", "when")


@dataclass(frozen=True, slots=True)
class Draft:
    """A form: its template, what was answered, and how it stood.

    ``mark`` is the verdict of the last check or empty, ``folder`` where it was exported to,
    ``when`` the last change (ISO 8601, UTC), ``open`` whether its page is in the sidebar.
    """

    id: str
    template: str
    version: str = ""
    title: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    kubernetes: str = ""
    mark: str = ""
    folder: str = ""
    when: str = ""
    open: bool = True


def new_draft(template: str, title: str, values: Mapping[str, Any] | None = None) -> Draft:
    """A form that was just begun."""
    return Draft(secrets.token_hex(8), template, title=title, values=values or {})


def drafts_folder() -> Path:
    """Where they are kept."""
    return platformdirs.user_state_path("kataui", appauthor=False) / "pipelines"


def load_drafts() -> list[Draft]:
    """All that can be read, the one begun first at the top; others are left where they are."""
    try:
        paths = sorted(drafts_folder().glob("*.json"))
    except OSError:
        return []
    found = [draft for path in paths if (draft := _read(path)) is not None]
    return sorted(found, key=lambda draft: draft.when)


def _read(path: Path) -> Draft | None:
    try:
        data = files.read_bounded(path, limit_bytes=_MAX_BYTES, what="kept answers")
        value = files.parse_json_object(data, what="kept answers")
    except KatauiError as error:
        log.warning("kept answers %s: %s", path.name, error.message)
        return None
    texts = {name: value.get(name, "") for name in _TEXTS}
    values = value.get("values")
    whole = all(isinstance(text, str) for text in texts.values()) and isinstance(values, dict)
    if not whole or not _ID.fullmatch(texts["id"]) or path.stem != texts["id"]:
        return None
    return Draft(**texts, values=values or {}, open=value.get("open") is True)


def save_draft(draft: Draft) -> Draft:
    """Keep a form; gives it with its time. Raises ``DestinationProblem``."""
    stamped = replace(draft, when=dt.datetime.now(dt.UTC).isoformat(timespec="microseconds"))
    folder = drafts_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        reason = files.problem_text(error)
        raise DestinationProblem(f"The answers cannot be kept: {reason}.") from error
    value = {"format": FORMAT_VERSION, **asdict(stamped)}
    path = folder / f"{draft.id}.json"
    files.replace_file(path, files.compact_json(value), mode=0o600)
    return stamped


def forget_draft(draft: Draft) -> None:
    """Take it away for good."""
    (drafts_folder() / f"{draft.id}.json").unlink(missing_ok=True)


def close_draft(draft: Draft) -> None:
    """Keep it as closed, and only the newest closed ones."""
    save_draft(replace(draft, open=False))
    closed = [one for one in load_drafts() if not one.open]
    for old in closed[:-_MOST_CLOSED]:
        forget_draft(old)
