"""A Docker daemon in a pod on Kata: what it runs as, and where its layers lie."""

from typing import Any

from kataui.pipelines import parts
from kataui.pipelines.model import Answered

GRAPH = "/var/lib/docker"


def daemon(answered: Answered, limits: tuple[str, str], *, block: bool = False) -> dict[str, Any]:
    """The daemon as a native sidecar; its socket is shared, for both are in one guest.

    Privileged in the guest only: kata-deploy keeps the host's devices out of such containers.
    """
    start = "dockerd --host=unix:///var/run/docker/docker.sock --group=123"
    if block:
        start = f"mkfs.ext4 -q -F /dev/layers && mount /dev/layers {GRAPH} && exec {start}"
    mounts = [{"name": "socket", "mountPath": "/var/run/docker"}]
    place: dict[str, Any] = {"volumeDevices": [{"name": "layers", "devicePath": "/dev/layers"}]}
    if not block:
        mounts.append({"name": "layers", "mountPath": GRAPH})
        place = {}
    probe = ["docker", "--host=unix:///var/run/docker/docker.sock", "info"]
    return {
        "name": "docker",
        "image": answered.text("dindImage"),
        "restartPolicy": "Always",
        "command": ["sh", "-c", start],
        "securityContext": {"privileged": True},
        "startupProbe": {"exec": {"command": probe}, "periodSeconds": 2, "failureThreshold": 60},
        "resources": parts.limits(*limits),
        "volumeMounts": mounts,
        **place,
    }


def volumes(answered: Answered) -> list[dict[str, Any]]:
    """The socket, and the layers: in memory, or on an emptyDir that Kata makes a disk."""
    layers: dict[str, Any] = {}
    if answered.text("layers") == "memory":
        layers = {"medium": "Memory", "sizeLimit": answered.text("layersSize")}
    return [{"name": "socket", "emptyDir": {}}, {"name": "layers", "emptyDir": layers}]
