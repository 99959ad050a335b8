"""Plain Kubernetes: pods and what makes pods."""

from collections.abc import Iterator
from typing import Any

from kataui.findings import Finding, Severity
from kataui.kata import classes
from kataui.kata.edits import Put
from kataui.kata.manifest import Document, Path, list_at, mapping_at
from kataui.kata.pods import PodPlace, pods_in
from kataui.pipelines.adopt.changes import Change
from kataui.pipelines.adopt.limits import memory_changes
from kataui.pipelines.adopt.wish import Wish, class_change, place_name

_WHY = "Without a class the pod shares the kernel of its node with everybody else's pods."
_HOSTS = (
    ("hostNetwork", "uses the network of its node"),
    ("hostPID", "sees the processes of its node"),
    ("hostIPC", "shares memory with processes of its node"),
)
_GRAPH_ROOTS = ("/var/lib/docker", "/var/lib/containers", "/var/lib/containerd")


def recognises(document: Document) -> bool:
    """Whether there is a pod in it."""
    return any(True for _ in pods_in(document))


def changes(document: Document, wish: Wish) -> Iterator[Change | Finding]:
    """What would have to change."""
    for place in pods_in(document):
        yield from pod_changes(document, place, wish)


def pod_changes(document: Document, place: PodPlace, wish: Wish) -> Iterator[Change | Finding]:
    """What would have to change for one pod."""
    held = [why for key, why in _HOSTS if place.spec.get(key) is True]
    if held:
        yield Finding(
            "K-ADOPT-HOST",
            Severity.INFO,
            place.name,
            f"It {' and '.join(held)}, which a virtual machine cannot: it stays as it is.",
            location=document.location(place.path),
        )
        return
    yield from _class(document, place, wish)
    for group in ("initContainers", "containers"):
        for number, _ in enumerate(list_at(place.spec, (group,))):
            path: Path = (*place.path, group, number, "resources")
            yield from memory_changes(document, path, wish)
    yield from _graph_roots(document, place)


def _class(document: Document, place: PodPlace, wish: Wish) -> Iterator[Change]:
    name = place.spec.get("runtimeClassName")
    if isinstance(name, str) and name in classes.RETIRED:
        line = document.line_of((*place.path, "runtimeClassName"))
        yield Change(
            f"{place_name(document, 'retired')}-{line}",
            f"Replace the class {name}, which Kata no longer makes",
            classes.RETIRED[name],
            line,
            (Put(document.index, (*place.path, "runtimeClassName"), wish.runtime_class),),
        )
        return
    change = class_change(document, place.path, wish, labels=False, why=_WHY)
    if change:
        yield change


def _graph_roots(document: Document, place: PodPlace) -> Iterator[Change]:
    """Where an image builder keeps its layers: virtio-fs cannot carry overlayfs."""
    mounted: set[str] = {
        str(mount.get("name"))
        for container in list_at(place.spec, ("containers",))
        for mount in list_at(container, ("volumeMounts",))
        if isinstance(mount, dict) and str(mount.get("mountPath")).startswith(_GRAPH_ROOTS)
    }
    for number, volume in enumerate(list_at(place.spec, ("volumes",))):
        if not isinstance(volume, dict) or volume.get("name") not in mounted:
            continue
        if "emptyDir" in volume and not _is_memory(volume):
            path: Path = (*place.path, "volumes", number, "emptyDir")
            line = document.line_of(path)
            yield Change(
                f"{place_name(document, 'graph')}-{line}",
                f"Keep the layers in {volume['name']} in the machine's memory",
                "On virtio-fs overlayfs cannot work: Docker falls back to copying every layer. "
                "What lies there counts towards the memory limit.",
                line,
                (Put(document.index, (*path, "medium"), "Memory"),),
            )


def _is_memory(volume: dict[str, Any]) -> bool:
    return mapping_at(volume, ("emptyDir",)).get("medium") == "Memory"
