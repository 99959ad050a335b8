"""The parts of a computer that kataui looks at."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any


class State(StrEnum):
    """Whether a part is here; ``unknown`` is "could not look"."""

    HERE = "here"
    LIMITED = "limited"
    MISSING = "missing"
    UNKNOWN = "unknown"


class Group(StrEnum):
    """What parts are for; the first group is needed, the others are used when they are here."""

    NEEDED = "kataui itself"
    IMAGES = "Images and pods"
    ISOLATION = "Isolation"
    REMOTE = "Pipelines and other hosts"


@dataclass(frozen=True, slots=True)
class Part:
    """One part: ``found`` is its version or a fact, ``without`` what is lost when it is missing.

    ``fix`` is the command that brings it, or a sentence; empty when nothing is to be done.
    """

    id: str
    title: str
    group: Group
    state: State
    found: str
    purpose: str
    without: str
    fix: str = ""

    def as_json(self) -> dict[str, Any]:
        """The members of ``--json``."""
        return {
            "id": self.id,
            "title": self.title,
            "group": self.group.value,
            "state": self.state.value,
            "found": self.found,
            "purpose": self.purpose,
            "without": self.without,
            "fix": self.fix,
        }


@dataclass(frozen=True, slots=True)
class Places:
    """The roots that are read; tests give trees of their own."""

    proc: Path = Path("/proc")
    sys: Path = Path("/sys")
    dev: Path = Path("/dev")


@dataclass(frozen=True, slots=True)
class Ability:
    """Something that a user may want to do here; ``lacks`` says why it cannot, if it cannot."""

    title: str
    lacks: str = ""

    @property
    def possible(self) -> bool:
        """Whether nothing is lacking."""
        return not self.lacks
