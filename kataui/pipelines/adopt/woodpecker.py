"""Woodpecker: each step is a pod; its backend options name the class.

Source: woodpecker 3.17 and later, docs/20-usage/20-workflow-syntax.md (backend_options) and the
agent's settings: newer agents ignore a step's class unless they are told to allow it.
"""

from collections.abc import Iterator
from typing import Any

from kataui.findings import Finding, Severity
from kataui.kata.edits import Put
from kataui.kata.manifest import Document, Path, mapping_at, text_at, value_at
from kataui.pipelines.adopt.changes import Change, Edit
from kataui.pipelines.adopt.wish import Wish, place_name

_ALLOW = "WOODPECKER_BACKEND_K8S_RUNTIME_CLASS_ALLOW_FROM_STEP"
_WHY = "Each step and service is a pod of its own, so each has to name the class."


def recognises(document: Document) -> bool:
    """Whether this is a Woodpecker pipeline, or the values of its agent."""
    return _is_pipeline(document) or _is_values(document)


def _is_pipeline(document: Document) -> bool:
    value = document.mapping
    steps = value.get("steps")
    if document.kind or "on" in value or "jobs" in value or not isinstance(steps, list | dict):
        return False
    each = steps if isinstance(steps, list) else list(steps.values())
    return bool(each) and all(isinstance(s, dict) and ("image" in s or "uses" in s) for s in each)


def _is_values(document: Document) -> bool:
    env = mapping_at(document.value, ("agent", "env"))
    return any(name.startswith("WOODPECKER_") for name in env)


def changes(document: Document, wish: Wish) -> Iterator[Change | Finding]:
    """What would have to change."""
    if _is_values(document):
        yield from _values(document)
        return
    edits: list[Edit] = []
    for path, _ in _steps(document):
        here = ("backend_options", "kubernetes", "runtimeClassName")
        if not text_at(document.value, (*path, *here)):
            edits.append(Put(document.index, (*path, *here), wish.runtime_class))
    line = document.line_of(("steps",))
    if edits:
        title = "Run every step in a virtual machine of its own"
        yield Change(place_name(document, "class"), title, _WHY, line, tuple(edits))
    yield Finding(
        "K-WP-1",
        Severity.WARNING,
        "steps",
        "Agents after 3.17 ignore a step's class unless they are told to allow it.",
        why="They say nothing about it: the step runs on the host's kernel.",
        fix=f"Set {_ALLOW}=true for the agent, and refuse other pods by a policy.",
        location=document.location(("steps",)),
    )


def _steps(document: Document) -> Iterator[tuple[Path, dict[str, Any]]]:
    for group in ("steps", "services"):
        found = document.mapping.get(group)
        pairs: Any = enumerate(found) if isinstance(found, list) else ()
        if isinstance(found, dict):
            pairs = found.items()
        for key, step in pairs:
            if isinstance(step, dict):
                yield (group, key), step


def _values(document: Document) -> Iterator[Change]:
    path: Path = ("agent", "env", _ALLOW)
    if str(value_at(document.value, path)).lower() != "true":
        yield Change(
            place_name(document, "allow"),
            "Let steps choose the class",
            "Agents after 3.17 ignore a step's class without this.",
            document.line_of(("agent", "env")),
            (Put(document.index, path, "true"),),
        )
