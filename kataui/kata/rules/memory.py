"""Limits: Kata makes the machine as large as they say."""

from collections.abc import Iterator, Mapping
from typing import Any

from kataui.findings import Finding
from kataui.kata import classes, systems
from kataui.kata.manifest import Document, Path, list_at, mapping_at
from kataui.kata.pods import PodPlace, containers_of, is_sidecar
from kataui.kata.quantities import QuantityError, parse_bytes
from kataui.kata.rules.scene import ERROR, INFO, WARNING, Scene, finding, is_hole, on_kata

_BOTH = 'resources:\n  limits:\n    cpu: "2"\n    memory: 4Gi'
_MIB = 1 << 20


def check_place(place: PodPlace, scene: Scene) -> Iterator[Finding]:
    """The limits of a pod on Kata."""
    if not on_kata(place) or place.system == systems.GITLAB:
        return
    known = classes.find(place.runtime_class)
    if known is not None and known.hypervisor == "remote":
        return
    groups = [(path, c) for path, c in containers_of(place) if "initContainers" not in path]
    groups += [(path, c) for path, c in containers_of(place) if is_sidecar(c)]
    if limits_of(place.spec):
        groups = [(place.path, place.spec)]
    if not groups:
        return
    cpu = [path for path, c in groups if "cpu" in limits_of(c)]
    memory = [path for path, c in groups if "memory" in limits_of(c)]
    has_cpu = bool(cpu) or scene.defaulted(place, "cpu")
    has_memory = bool(memory) or scene.defaulted(place, "memory")
    go = known is not None and known.runtime == "go"
    if has_cpu and not has_memory and not go:
        yield _only_cpu(place, cpu[0] if cpu else place.path, known)
    elif has_memory and len(memory) < len(groups) and not scene.defaulted(place, "memory"):
        missing = [path for path, c in groups if "memory" not in limits_of(c)]
        yield _partial(place, missing)
    elif not has_memory and not has_cpu and place.whole:
        yield _none(place, groups[0][0])
    elif has_memory and not has_cpu:
        yield _one_cpu(place, memory[0] if memory else place.path)
    if go and known is not None and memory:
        yield from _go(place, memory[0], known)


def limits_of(container: Mapping[str, Any]) -> Mapping[str, Any]:
    """The limits of a container, a pod as a whole, or a step of Tekton."""
    for key in ("resources", "computeResources"):
        resources = container.get(key)
        if isinstance(resources, dict):
            return mapping_at(resources, ("limits",))
    return {}


def _only_cpu(place: PodPlace, path: Path, known: classes.RuntimeClass | None) -> Finding:
    certain = known is not None and known.runtime == "rust"
    guest = {"": "32", "dev": "32", "se": "768"}.get(known.tee if known else "", "128")
    return finding(
        "K-MEM-1",
        ERROR if certain else WARNING,
        place,
        path,
        "It has a CPU limit and no memory limit.",
        why=f"Kata's Rust runtime then makes a guest of {guest} MiB, which does not start or is "
        "killed at once.",
        fix=_BOTH,
    )


def _partial(place: PodPlace, missing: list[Path]) -> Finding:
    return finding(
        "K-MEM-3",
        WARNING,
        place,
        missing[0],
        f"{len(missing)} of its containers {'has' if len(missing) == 1 else 'have'} no memory "
        "limit, others have one.",
        why="The machine is as large as the limits that are there: what has none takes from them.",
        fix=_BOTH,
    )


def _none(place: PodPlace, path: Path) -> Finding:
    return finding(
        "K-LIMITS",
        INFO,
        place,
        path,
        "It has no limits.",
        why="Kata boots its default machine, 1 CPU and 2 GiB, and the scheduler charges nothing "
        "but the overhead of the class.",
        fix=_BOTH,
    )


def _one_cpu(place: PodPlace, path: Path) -> Finding:
    return finding(
        "K-LIMITS",
        INFO,
        place,
        path,
        "It has a memory limit and no CPU limit.",
        why="Kata boots one CPU, whatever the node has to spare.",
        fix=_BOTH,
    )


def _go(place: PodPlace, path: Path, known: classes.RuntimeClass) -> Iterator[Finding]:
    if known.memory_bytes >= 2048 * _MIB or is_hole(_first_memory(place)):
        return
    yield finding(
        "K-MEM-2",
        WARNING,
        place,
        path,
        f"On {place.runtime_class} the guest is 2 GiB larger than the pod may use.",
        why="The Go runtime adds limits to its default size, but the pod's cgroup holds only the "
        f"limits and {known.memory_bytes >> 20} MiB: a job that fills its memory gets the whole "
        "machine killed.",
        fix=f"runtimeClassName: {classes.DEFAULT}",
    )


def _first_memory(place: PodPlace) -> object:
    for _, container in containers_of(place):
        if "memory" in limits_of(container):
            return limits_of(container)["memory"]
    return limits_of(place.spec).get("memory")


def check_limit_range(document: Document) -> Iterator[Finding]:
    """Defaults that give every pod a CPU limit and leave it without a memory limit."""
    for number, item in enumerate(list_at(document.value, ("spec", "limits"))):
        given = mapping_at(item, ("default",))
        if "cpu" in given and "memory" not in given:
            yield finding(
                "K-MEM-4",
                WARNING,
                document,
                ("spec", "limits", number, "default"),
                "It gives every container a CPU limit, and no memory limit.",
                why="A pod on Kata that has no limits of its own then boots a guest of 32 MiB.",
                fix="default:\n  cpu: ...\n  memory: 4Gi",
            )


def memory_bytes(value: object) -> int | None:
    """A quantity of bytes, None when it cannot be read."""
    try:
        return parse_bytes(value)
    except QuantityError:
        return None
