"""What is done with a file that somebody has, in a worker: read it, check it, plan. No Qt."""

from dataclasses import dataclass, field
from pathlib import Path

from kataui.errors import KatauiError
from kataui.files import clean, read_bounded
from kataui.findings import Finding
from kataui.kata.manifest import MAX_BYTES, ManifestError, decode
from kataui.pipelines.adopt.changes import Plan, apply, with_needs
from kataui.pipelines.adopt.plan import plan
from kataui.pipelines.adopt.wish import Wish
from kataui.pipelines.checks import Options, check_file
from kataui.progress import Control

_MOST_LINES = 20_000
_CRD = "kind: CustomResourceDefinition"


@dataclass(frozen=True, slots=True)
class Looked:
    """A file as it is: ``cut`` says that only its first lines are shown in ``text``.

    ``adopt`` is the plan for Kata, or None with the reason in ``why_not``; ``crds`` says that
    kinds are defined in it.
    """

    path: Path
    data: bytes = field(repr=False)
    text: str = field(repr=False)
    cut: bool
    language: str
    findings: tuple[Finding, ...]
    adopt: Plan | None = field(repr=False)
    why_not: str = ""
    crds: bool = False


@dataclass(frozen=True, slots=True)
class Tried:
    """A file with the changes that were chosen, and those that they need."""

    chosen: frozenset[str]
    after: str = field(repr=False)


def look(path: Path, options: Options, wish: Wish, control: Control) -> Looked:
    """Read and check a file, and plan its way to Kata. Raises ``KatauiError``."""
    data = read_bounded(path, limit_bytes=MAX_BYTES, what="a pipeline")
    name = clean(path.name, limit=200)
    text = _text(data)
    control.check()
    findings = tuple(check_file(name, data, options))
    control.check()
    made, why_not = _plan(name, data, wish)
    lines = text.split("\n")
    return Looked(
        path,
        data,
        "\n".join(lines[:_MOST_LINES]),
        len(lines) > _MOST_LINES,
        language_of(path),
        findings,
        made,
        why_not,
        _CRD in text,
    )


def plan_again(name: str, data: bytes, wish: Wish, control: Control) -> Plan:
    """The plan for another wish. Raises ``KatauiError``."""
    control.check()
    return plan(name, data, wish)


def try_changes(made: Plan, chosen: frozenset[str], control: Control) -> Tried:
    """The file with some of the changes. Raises ``EditProblem``."""
    control.check()
    return Tried(with_needs(made, chosen), decode(apply(made, chosen)))


def language_of(path: Path) -> str:
    """What it is coloured as."""
    if path.suffix.lower() == ".toml":
        return "toml"
    return "groovy" if path.name == "Jenkinsfile" else "yaml"


def _plan(name: str, data: bytes, wish: Wish) -> tuple[Plan | None, str]:
    try:
        return plan(name, data, wish), ""
    except KatauiError as error:
        return None, error.message


def _text(data: bytes) -> str:
    """The text as far as it is one; the checks tell what is wrong with it."""
    try:
        return decode(data).replace("\r\n", "\n")
    except ManifestError:
        return data.decode("utf-8", errors="replace").replace("\0", "\ufffd")
