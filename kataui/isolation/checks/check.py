"""What a check is: who is asked, what it needs, and how its answer becomes a finding."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from kataui.findings import Finding, Severity
from kataui.isolation.model import HostView, Sandbox
from kataui.isolation.span import Span


class Level(StrEnum):
    """What reading a check's evidence needs (reference, section 4)."""

    USER = "U"
    ROOT = "R"


class Path(StrEnum):
    """Which path of the host a check belongs to."""

    NETWORK = "network"
    IO = "io"
    BASE = "base"


_PROTECTED = ("sev-snp-guest", "sev-guest", "tdx-guest", "s390-pv-guest")  # QEMU's objects


@dataclass(frozen=True, slots=True)
class Scene:
    """What checks look at: the host with its facts, and what was measured lately.

    ``span`` covers the last ten seconds or more; without samples its rates are all NaN.
    """

    view: HostView
    span: Span = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a check found about one subject.

    ``severity`` None is a pass. ``checked`` false: it could not be looked at, and ``message`` says
    what was missing. ``subject`` is a sandbox's name, "CPU 7", a link or disk, or the host's name.
    ``fix`` and ``undo`` stand in for the check's own texts where they depend on what was found.
    """

    subject: str
    message: str
    severity: Severity | None = None
    checked: bool = True
    fix: str = ""
    undo: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One check. ``why``, ``fix`` and ``undo`` are plain sentences or a file and its lines.

    ``confidential`` is what is different for a confidential guest; empty: the same.
    """

    id: str
    path: Path
    title: str
    level: Level
    why: str
    look: Callable[[Scene], Iterable[Answer]] = field(repr=False)
    fix: str = ""
    undo: str = ""
    confidential: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """One check's outcome: its findings; none of them means that everything passed."""

    check: Check
    findings: tuple[Finding, ...]
    passed: int


def run(check: Check, scene: Scene) -> Checked:
    """Ask one check; findings carry its reasons and its fix."""
    findings = []
    passed = 0
    for answer in check.look(scene):
        if answer.severity is None and answer.checked:
            passed += 1
            continue
        why = check.why
        if check.confidential and any(is_confidential(s) for s in scene.view.sandboxes):
            why += f" Confidential guests: {check.confidential}"
        findings.append(
            Finding(
                id=check.id,
                severity=answer.severity or Severity.INFO,
                subject=answer.subject,
                message=answer.message,
                why=why,
                fix=answer.fix or (check.fix if answer.severity is not None else ""),
                undo=answer.undo or (check.undo if answer.severity is not None else ""),
                checked=answer.checked,
            )
        )
    return Checked(check, tuple(findings), passed)


def passes(subject: str, message: str = "") -> Answer:
    """Looked at, and good."""
    return Answer(subject, message)


def warns(subject: str, message: str, *, fix: str = "", undo: str = "") -> Answer:
    """Looked at, and not as it should be."""
    return Answer(subject, message, Severity.WARNING, fix=fix, undo=undo)


def fails(subject: str, message: str, *, fix: str = "", undo: str = "") -> Answer:
    """Looked at, and bad."""
    return Answer(subject, message, Severity.ERROR, fix=fix, undo=undo)


def notes(subject: str, message: str, *, fix: str = "", undo: str = "") -> Answer:
    """Looked at, and worth knowing."""
    return Answer(subject, message, Severity.INFO, fix=fix, undo=undo)


def unknown(subject: str, message: str) -> Answer:
    """Could not be looked at; ``message`` says what was missing."""
    return Answer(subject, message, checked=False)


def is_confidential(sandbox: Sandbox) -> bool:
    """Whether a sandbox is a confidential guest (its QEMU has a guest-memory-protection object)."""
    line = " ".join(sandbox.argv)
    return any(
        word in line for word in ("sev-snp-guest", "sev-guest", "tdx-guest", "s390-pv-guest")
    )
