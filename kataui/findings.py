"""Findings and the verdict that is computed from them (design, section 3)."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Verdict(StrEnum):
    """The answer to "is it what I want?"; ``unknown`` is never a pass."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Location:
    """Where in a person's file: 1-based line, dotted field."""

    file: str
    line: int | None = None
    field: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact that somebody should know, and what to do about it.

    ``checked`` is false for "could not check", which is never a pass. ``subject`` names the
    thing (a layer, a signature, an image); all texts are plain text.
    """

    id: str
    severity: Severity
    subject: str
    message: str
    why: str = ""
    fix: str = ""
    undo: str = ""
    location: Location | None = None
    checked: bool = True

    def as_json(self) -> dict[str, Any]:
        """The finding as the command line's ``--json`` shows it."""
        place = self.location
        return {
            "id": self.id,
            "severity": self.severity.value,
            "subject": self.subject,
            "message": self.message,
            "why": self.why,
            "fix": self.fix,
            "undo": self.undo,
            "location": None
            if place is None
            else {"file": place.file, "line": place.line, "field": place.field},
            "checked": self.checked,
        }


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with one answer of a form; ``field`` is the answer's name."""

    field: str
    text: str


_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


def by_severity(findings: Iterable[Finding]) -> list[Finding]:
    """Errors first, then warnings, then notes; the order within each is kept."""
    return sorted(findings, key=lambda finding: _ORDER[finding.severity])
