"""Markers from outside: ``kataui isolation mark`` leaves a note that every running recording reads.

Written: one small JSON file a marker in the user's state folder; those older than an hour go.
"""

import contextlib
import json
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from kataui.errors import KatauiError
from kataui.files import parse_json_object, read_bounded, write_new

_OLD_S = 3600.0
_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class Mark:
    """A marker that was asked for: its name, its note, and when (Unix time)."""

    name: str
    note: str
    wall_s: float


def folder() -> Path:
    """Where the notes are."""
    return platformdirs.user_state_path("kataui") / "marks"


def post(name: str, note: str = "") -> Mark:
    """Leave a marker for everything that is recording now."""
    place = folder()
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    for old in place.glob("*.json"):
        with contextlib.suppress(OSError):
            if old.stat().st_mtime < time.time() - _OLD_S:
                old.unlink()
    mark = Mark(name, note, time.time())
    given = {"version": 1, "name": name, "note": note, "wall_s": mark.wall_s}
    file = place / f"{time.time_ns()}-{secrets.token_hex(4)}.json"
    write_new(file, json.dumps(given).encode("utf-8"), mode=0o600)
    return mark


class Inbox:
    """Reads the markers that come after it was made; each once."""

    def __init__(self) -> None:
        self._seen = set(self._names())

    def _names(self) -> list[str]:
        try:
            return sorted(path.name for path in folder().glob("*.json"))
        except OSError:
            return []

    def read(self) -> list[Mark]:
        """The new ones, oldest first."""
        found = []
        for name in self._names():
            if name in self._seen:
                continue
            self._seen.add(name)
            with contextlib.suppress(KatauiError):
                data = read_bounded(folder() / name, limit_bytes=_BYTES, what="a marker")
                given = parse_json_object(data, what="a marker")
                text, wall_s = given.get("name"), given.get("wall_s")
                if isinstance(text, str) and isinstance(wall_s, int | float):
                    note = given.get("note")
                    found.append(Mark(text, note if isinstance(note, str) else "", float(wall_s)))
        return found
