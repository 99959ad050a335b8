"""Where an image builder keeps its layers: overlayfs cannot lie on virtio-fs."""

from collections.abc import Iterator, Mapping
from typing import Any

from kataui.findings import Finding
from kataui.kata.manifest import Path, list_at, mapping_at, text_at
from kataui.kata.pods import PodPlace, containers_of
from kataui.kata.rules.scene import WARNING, Scene, finding, on_kata

GRAPH_ROOTS = ("/var/lib/docker", "/var/lib/containers", "/var/lib/containerd")
_WHY = (
    "On Kata's shared file system overlayfs cannot work: Docker then copies every layer whole, "
    "slowly and without a word."
)
_FIX = "emptyDir: {medium: Memory, sizeLimit: 8Gi}\nand a memory limit that is larger"


def check_place(place: PodPlace, _scene: Scene) -> Iterator[Finding]:
    """Graph roots on an ordinary emptyDir, or on the container's own root."""
    if not on_kata(place):
        return
    volumes = {
        text_at(volume, ("name",)): (number, volume)
        for number, volume in enumerate(list_at(place.spec, ("volumes",)))
        if isinstance(volume, dict)
    }
    for path, container in containers_of(place):
        roots = _mounted(container)
        devices = list_at(container, ("volumeDevices",))
        if _is_docker(container) and not roots and not devices:
            yield _found(place, (*path, "image"), "Docker's layers lie on the container's root.")
        for name in roots:
            number, volume = volumes.get(name, (0, {}))
            if "emptyDir" in volume and text_at(volume, ("emptyDir", "medium")) != "Memory":
                where = (*place.path, "volumes", number, "emptyDir")
                yield _found(place, where, f"Layers lie on {name}, an emptyDir on the node's disk.")


def _mounted(container: Mapping[str, Any]) -> list[str]:
    return [
        text_at(mount, ("name",))
        for mount in list_at(container, ("volumeMounts",))
        if text_at(mount, ("mountPath",)).rstrip("/") in GRAPH_ROOTS
    ]


def _is_docker(container: Mapping[str, Any]) -> bool:
    image = text_at(container, ("image",))
    name = image.rsplit("/", 1)[-1].partition("@")[0]
    return name.startswith("docker:") and "dind" in name


def _found(place: PodPlace, path: Path, message: str) -> Finding:
    fix = _FIX
    if mapping_at(place.spec, ("securityContext",)):
        fix = f"{_FIX}, or a class with emptydir_mode = block-plain"
    return finding("K-DIND-1", WARNING, place, path, message, why=_WHY, fix=fix)
