"""What would have to change for a file to run on Kata, and why."""

from collections.abc import Callable, Iterator, Sequence

from kataui.errors import KatauiError
from kataui.findings import Finding, Location, Severity, by_severity
from kataui.kata import rules
from kataui.kata.manifest import Document, ManifestError, decode, parse
from kataui.pipelines.adopt import (
    arc,
    argo,
    gitlab,
    jenkins,
    kubernetes,
    tekton,
    woodpecker,
)
from kataui.pipelines.adopt.changes import TOML, YAML, Change, Extra, Plan, apply
from kataui.pipelines.adopt.wish import Wish

Found = Change | Finding | Extra
_SYSTEMS: tuple[
    tuple[str, Callable[[Document], bool], Callable[[Document, Wish], Iterator[Found]]], ...
] = (
    ("Tekton", tekton.recognises, tekton.changes),
    ("Argo Workflows", argo.recognises, argo.changes),
    ("GitLab runner", gitlab.recognises, gitlab.changes),
    ("GitHub runner scale set", arc.recognises, arc.changes),
    ("Jenkins", jenkins.recognises, jenkins.changes),
    ("Woodpecker", woodpecker.recognises, woodpecker.changes),
    ("Kubernetes", kubernetes.recognises, kubernetes.changes),
)


def plan(name: str, data: bytes, wish: Wish | None = None) -> Plan:
    """The plan for a file: ``name`` is what findings call it, ``data`` its bytes.

    ``notes`` hold what the rules still say once all changes are made. A file in which nothing has
    to change gives a plan without changes. Raises ``ManifestError`` for what cannot be read and
    ``KatauiError`` for what is no pipeline that is known here.
    """
    wanted = wish or Wish()
    text = decode(data)
    if name.endswith(".toml") or gitlab.is_config(text):
        return _toml_plan(name, data, text, wanted)
    documents = parse(text, name)
    systems: list[str] = []
    found: list[Found] = []
    for document in documents:
        for system, recognises, changes in _SYSTEMS:
            if recognises(document):
                systems.append(system)
                found += changes(document, wanted)
                break
    if not systems:
        raise KatauiError(
            "There is no pod and no pipeline in it that is known here.",
            hint="Known: Kubernetes, Tekton, Argo Workflows, GitLab runner, Actions Runner "
            "Controller, Jenkins' configuration as code, Woodpecker.",
        )
    made = _sorted(name, ", ".join(dict.fromkeys(systems)), YAML, data, found)
    return _with_rules(made, documents)


def _toml_plan(name: str, data: bytes, text: str, wish: Wish) -> Plan:
    if not gitlab.is_config(text):
        raise KatauiError("It is no configuration of a GitLab runner: it has no [[runners]].")
    found: list[Found] = list(gitlab.file_changes(text, name, wish))
    return _sorted(name, "GitLab runner", TOML, data, found)


def _sorted(name: str, system: str, language: str, data: bytes, found: Sequence[Found]) -> Plan:
    changes = tuple(each for each in found if isinstance(each, Change))
    notes = tuple(each for each in found if isinstance(each, Finding))
    extras = tuple(each for each in found if isinstance(each, Extra))
    return Plan(name, system, language, data, changes, notes, extras)


def _with_rules(made: Plan, documents: Sequence[Document]) -> Plan:
    """The plan with what the rules say of the result: what no change here could mend."""
    try:
        after = parse(apply(made), made.name) if made.changes else tuple(documents)
    except (KatauiError, ManifestError) as error:
        note = Finding(
            "K-ADOPT-ALL",
            Severity.WARNING,
            made.name,
            f"Not all changes can be made together: {error.message}",
            fix=error.hint or "Take them one by one.",
            location=Location(made.name),
        )
        return _noted(made, [*made.notes, note])
    known = {(note.id, note.location) for note in made.notes}
    left = [f for f in rules.check(after) if (f.id, f.location) not in known]
    return _noted(made, [*made.notes, *left])


def _noted(made: Plan, notes: Sequence[Finding]) -> Plan:
    return Plan(
        made.name,
        made.system,
        made.language,
        made.data,
        made.changes,
        tuple(by_severity(notes)),
        made.extras,
    )
