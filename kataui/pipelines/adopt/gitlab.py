"""GitLab runner: ``config.toml``, or the chart's values with that text inside.

Source: GitLab runner 19.4, docs/executors/kubernetes (settings), and its Helm chart's values.yaml,
where ``runners.config`` is the text and a top-level ``runtimeClassName`` is the manager's own.
"""

import tomllib
from collections.abc import Iterator
from typing import Any

from kataui.findings import Finding, Location, Severity
from kataui.kata.edits import Drop
from kataui.kata.manifest import Document, Path, text_at, value_at
from kataui.pipelines.adopt.changes import TOML, Change, Inside, PutToml
from kataui.pipelines.adopt.wish import Wish, place_name

_CONFIG: Path = ("runners", "config")
_POLL_S = 600
_LIMITS = ("", "service_", "helper_")
_OVERWRITES = (
    "pod_annotations_overwrite_allowed",
    "node_selector_overwrite_allowed",
    "service_account_overwrite_allowed",
)


def recognises(document: Document) -> bool:
    """Whether these are the values of the runner's chart."""
    return "[[runners]]" in text_at(document.value, _CONFIG)


def changes(document: Document, wish: Wish) -> Iterator[Change | Finding]:
    """What would have to change in the chart's values."""
    line = document.line_of(_CONFIG)
    for what, title, why, edits in _toml_changes(text_at(document.value, _CONFIG), wish):
        inside = Inside(document.index, _CONFIG, TOML, edits)
        yield Change(f"{place_name(document, what)}-{line}", title, why, line, (inside,))
    if value_at(document.value, ("runtimeClassName",)):
        line = document.line_of(("runtimeClassName",))
        yield Change(
            f"{place_name(document, 'manager')}-{line}",
            "Take the class away from the runner's manager",
            "At the top it is for the manager's pod alone; jobs do not get it.",
            line,
            (Drop(document.index, ("runtimeClassName",)),),
        )
    yield from _notes(text_at(document.value, _CONFIG), document.location(_CONFIG))


def is_config(text: str) -> bool:
    """Whether a TOML text is a runner's configuration."""
    return bool(_runners(text))


def file_changes(text: str, name: str, wish: Wish) -> Iterator[Change | Finding]:
    """What would have to change in a ``config.toml``."""
    for what, title, why, edits in _toml_changes(text, wish):
        yield Change(what, title, why, _line(text), edits)
    yield from _notes(text, Location(name, _line(text), "runners"))


def _line(text: str) -> int:
    before = text.partition("[[runners]]")[0]
    return before.count("\n") + 1


def _runners(text: str) -> list[dict[str, Any]]:
    try:
        found = tomllib.loads(text).get("runners")
    except (tomllib.TOMLDecodeError, RecursionError):
        return []
    return [r for r in found if isinstance(r, dict)] if isinstance(found, list) else []


def _toml_changes(text: str, wish: Wish) -> Iterator[tuple[str, str, str, tuple[PutToml, ...]]]:
    for number, runner in enumerate(_runners(text)):
        if runner.get("executor") != "kubernetes":
            continue
        pod = runner.get("kubernetes")
        pod = pod if isinstance(pod, dict) else {}
        place: Path = ("runners", number, "kubernetes")
        suffix = f"-{number}" if number else ""
        yield from _class(pod, place, suffix, wish)
        yield from _limits(pod, place, suffix, wish)
        if int(pod.get("poll_timeout") or 180) < _POLL_S:
            yield (
                f"timeout{suffix}",
                f"Wait {_POLL_S} s for a job's pod",
                "A virtual machine boots and pulls the image first; 180 s are soon over.",
                (PutToml((*place, "poll_timeout"), _POLL_S),),
            )
        open_to_jobs = [name for name in _OVERWRITES if pod.get(name)]
        if open_to_jobs:
            yield (
                f"overwrite{suffix}",
                "Let no job change its annotations, node or account",
                "Annotations of Kata change the virtual machine itself; a job could weaken it.",
                tuple(PutToml((*place, name), "") for name in open_to_jobs),
            )


def _class(
    pod: dict[str, Any], place: Path, suffix: str, wish: Wish
) -> Iterator[tuple[str, str, str, tuple[PutToml, ...]]]:
    edits = []
    if not pod.get("runtime_class_name"):
        edits.append(PutToml((*place, "runtime_class_name"), wish.runtime_class))
    selector = pod.get("node_selector")
    for label, value in wish.node_labels.items():
        if not isinstance(selector, dict) or label not in selector:
            edits.append(PutToml((*place, "node_selector", label), value))
    if edits:
        yield (
            f"class{suffix}",
            "Run every job in a virtual machine of its own",
            "A job cannot choose the class, its runner's tag does. Services run in the same VM.",
            tuple(edits),
        )


def _limits(
    pod: dict[str, Any], place: Path, suffix: str, wish: Wish
) -> Iterator[tuple[str, str, str, tuple[PutToml, ...]]]:
    edits = []
    for part in _LIMITS:
        if pod.get(f"{part}cpu_limit") and not pod.get(f"{part}memory_limit"):
            memory = str(pod.get(f"{part}memory_request") or wish.memory)
            edits.append(PutToml((*place, f"{part}memory_limit"), memory))
    if edits:
        yield (
            f"memory{suffix}",
            "Limit the memory of what has a CPU limit",
            "With a CPU limit alone the Rust runtime boots a guest of 32 MiB, and the job dies.",
            tuple(edits),
        )


def _notes(text: str, location: Location) -> Iterator[Finding]:
    for runner in _runners(text):
        if runner.get("executor") != "kubernetes":
            name = str(runner.get("executor") or "none")
            yield Finding(
                "K-ADOPT-EXECUTOR",
                Severity.INFO,
                str(runner.get("name") or "runner"),
                f"The executor {name} makes no pods, so no runtime class can reach its jobs.",
                fix="Use the executor kubernetes for jobs that need a kernel of their own.",
                location=location,
            )
