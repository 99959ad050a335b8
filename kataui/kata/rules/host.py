"""What a pod wants of its node, and gets of its guest or not at all."""

from collections.abc import Iterator, Mapping
from typing import Any

from kataui.findings import Finding
from kataui.kata import classes, systems
from kataui.kata.manifest import Path, list_at, mapping_at, text_at
from kataui.kata.pods import PodPlace, containers_of
from kataui.kata.rules.scene import (
    ERROR,
    INFO,
    WARNING,
    Kind,
    Scene,
    finding,
    kind_of,
    on_kata,
)

_SOCKET_DIRS = ("/run/containerd", "/var/run/containerd", "/run/spire", "/var/run/spire")
_ENGINES = ("docker.sock", "containerd.sock", "crio.sock", "podman.sock", "buildkitd.sock")
_JOBS = (
    systems.TEKTON,
    systems.ARGO,
    systems.ARC,
    systems.JENKINS,
    systems.CIRCLECI,
    systems.PROW,
)


def check_place(place: PodPlace, _scene: Scene) -> Iterator[Finding]:
    """Privileges, sockets, namespaces and files of the node."""
    kata = on_kata(place)
    yield from _privileged(place, kata=kata)
    volumes = list_at(place.spec, ("volumes",))
    for number, volume in enumerate(volumes):
        path = text_at(volume, ("hostPath", "path"))
        if path:
            where = (*place.path, "volumes", number, "hostPath", "path")
            yield from _host_path(place, where, path, kata=kata)
    if kata:
        yield from _namespaces(place)
        yield from _containers(place)
        yield from _seccomp(place)


def _privileged(place: PodPlace, *, kata: bool) -> Iterator[Finding]:
    for path, container in containers_of(place):
        if mapping_at(container, ("securityContext",)).get("privileged") is not True:
            continue
        where = (*path, "securityContext", "privileged")
        name = text_at(container, ("name",))
        if kata:
            yield finding(
                "K-PRIV-2",
                INFO,
                place,
                where,
                f"{name or 'A container'} is privileged, in its own machine.",
                why="That holds where containerd has privileged_without_host_devices = true, as "
                "kata-deploy sets it; otherwise devices of the node are passed in.",
                fix="crictl info shows privileged_without_host_devices of the class.",
            )
        elif kind_of(place.runtime_class) is not Kind.HOLE:
            yield _root_of_node(place, where, name)


def _root_of_node(place: PodPlace, where: Path, name: str) -> Finding:
    job = place.system in _JOBS
    return finding(
        "K-PRIV-1",
        WARNING,
        place,
        where,
        f"{name or 'A container'} is privileged and no class of Kata is set.",
        why="It is root of its node. "
        + ("Whoever may change the job takes the node over." if job else "So is what breaks in."),
        fix=f"runtimeClassName: {classes.DEFAULT}",
    )


def _host_path(place: PodPlace, where: Path, path: str, *, kata: bool) -> Iterator[Finding]:
    socket = path.endswith(".sock") or path.rstrip("/").startswith(_SOCKET_DIRS)
    known = classes.find(place.runtime_class)
    if socket and kata:
        yield finding(
            "K-SOCK-1",
            ERROR,
            place,
            where,
            f"A socket of the node ({path}) cannot be used from the guest.",
            why="A Unix socket joins processes of one kernel, and the guest has its own.",
            fix="Run the service as a container of the same pod (its socket on an emptyDir), or "
            "reach it by TCP.",
        )
    elif path.endswith(_ENGINES):
        yield finding(
            "K-SOCK-1",
            WARNING,
            place,
            where,
            f"The container engine's socket ({path}) makes the pod root of its node.",
            why="Whoever reaches it starts any container on the node; Kata cannot hold that.",
            fix="Build with buildah, BuildKit or Docker inside the pod, on Kata.",
        )
    elif kata and known is not None and not known.shares_files:
        yield finding(
            "K-SHARE",
            WARNING,
            place,
            where,
            f"{known.name} shares no files with the node: {path} is copied once or is empty.",
            why="Changes do not come back, and a confidential guest must not trust the node.",
            fix="Use an emptyDir, a block volume, or fetch the files.",
        )


def _namespaces(place: PodPlace) -> Iterator[Finding]:
    if place.spec.get("hostNetwork") is True:
        yield finding(
            "K-NET-1",
            ERROR,
            place,
            (*place.path, "hostNetwork"),
            "A guest cannot be in the network of its node.",
            why="Kata does not support hostNetwork (Limitations.md): the pod does not start, or "
            "has no network.",
            fix="Take hostNetwork away, and use a Service or hostPort.",
        )
    for key, what in (("hostPID", "processes"), ("hostIPC", "shared memory")):
        if place.spec.get(key) is True:
            yield finding(
                "K-HOST",
                WARNING,
                place,
                (*place.path, key),
                f"{key} gives the {what} of the guest, not of the node.",
                why="The guest has a kernel of its own: a tool that looks at nodes sees nothing.",
                fix=f"Take {key} away, or run this tool without Kata.",
            )


def _containers(place: PodPlace) -> Iterator[Finding]:
    for path, container in containers_of(place):
        for number, mount in enumerate(list_at(container, ("volumeMounts",))):
            key = "subPath" if text_at(mount, ("subPath",)) else "subPathExpr"
            if text_at(mount, (key,)):
                yield finding(
                    "K-SUBPATH",
                    INFO,
                    place,
                    (*path, "volumeMounts", number, key),
                    "subPath is not supported by Kata.",
                    why="Kata's Limitations.md lists it; where it works, later changes of the "
                    "file do not show.",
                    fix="Mount the whole volume, and set the path in the program.",
                )


def _seccomp(place: PodPlace) -> Iterator[Finding]:
    key = "io.katacontainers.config.runtime.disable_guest_seccomp"
    if str(place.annotations.get(key, "")).lower() == "false":
        return
    holders: list[tuple[Path, Mapping[str, Any]]] = [(place.path, place.spec)]
    for path, holder in [*holders, *containers_of(place)]:
        profile = mapping_at(holder, ("securityContext", "seccompProfile"))
        if profile.get("type") == "Localhost":
            yield finding(
                "K-SECCOMP",
                INFO,
                place,
                (*path, "securityContext", "seccompProfile"),
                "The seccomp profile is passed to the guest, and not used there by default.",
                why="Kata sets disable_guest_seccomp = true.",
                fix=f'{key}: "false"',
            )
            return


def check_psa(scene: Scene) -> Iterator[Finding]:
    """Privileged pods in a namespace whose Pod Security Standard refuses them."""
    key = "pod-security.kubernetes.io/enforce"
    levels = {
        part.document.name: text_at(part.document.value, ("metadata", "labels", key))
        for part in scene.parts
        if part.document.kind == "Namespace"
    }
    for place in scene.places() if levels else ():
        level = levels.get(place.namespace, "")
        if level not in ("baseline", "restricted"):
            continue
        for path, container in containers_of(place):
            if mapping_at(container, ("securityContext",)).get("privileged") is True:
                yield finding(
                    "K-PSA",
                    ERROR,
                    place,
                    (*path, "securityContext", "privileged"),
                    f"The namespace {place.namespace} refuses privileged pods ({level}).",
                    why="Pod Security does not know that the pod is in a machine of its own.",
                    fix=f"{key}: privileged\nwith a policy that allows privileged pods only with "
                    "a class of Kata.",
                )
