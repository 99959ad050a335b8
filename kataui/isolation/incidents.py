"""Recorded incidents that come with kataui, for learning and for demos."""

import json
from dataclasses import dataclass
from pathlib import Path

from kataui import resources

_FOLDER = "incidents"


@dataclass(frozen=True, slots=True)
class Incident:
    """One recording: its file, a title, what happens in it, how it was made, if it is synthetic."""

    id: str
    title: str
    note: str
    made: str
    synthetic: bool
    path: Path


def incidents() -> list[Incident]:
    """All that come with this kataui, in the order of the catalogue."""
    catalogue = resources.path(f"{_FOLDER}/catalogue.json")
    if not catalogue.is_file():
        return []
    return [
        Incident(
            id=item["id"],
            title=item["title"],
            note=item["note"],
            made=item["made"],
            synthetic=item["synthetic"],
            path=resources.path(f"{_FOLDER}/{item['id']}.kataui-rec"),
        )
        for item in json.loads(catalogue.read_text(encoding="utf-8"))["incidents"]
    ]
