"""Where in a document pods are described: Kubernetes' own kinds and those shaped like them.

Source of the places: k8s.io/api (core/v1, apps/v1, batch/v1), Knative Serving v1, OpenShift apps.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kataui.findings import Location
from kataui.kata.manifest import Document, Path, list_at, mapping_at, text_at, value_at

KUBERNETES = "Kubernetes"
_TEMPLATE: Path = ("spec", "template", "spec")
_PLACES: Mapping[str, Path] = {
    "Pod": ("spec",),
    "PodTemplate": ("template", "spec"),
    "Deployment": _TEMPLATE,
    "StatefulSet": _TEMPLATE,
    "DaemonSet": _TEMPLATE,
    "ReplicaSet": _TEMPLATE,
    "ReplicationController": _TEMPLATE,
    "Job": _TEMPLATE,
    "CronJob": ("spec", "jobTemplate", *_TEMPLATE),
    "DeploymentConfig": _TEMPLATE,
    "Service": _TEMPLATE,  # Knative's; the core kind of this name has no template
    "Configuration": _TEMPLATE,
    "Revision": ("spec",),
    "Rollout": _TEMPLATE,
    "JobSet": (),
}
_GROUPS: Mapping[str, str | tuple[str, ...]] = {  # kinds whose name others use too
    "Service": "serving.knative.dev/",
    "Configuration": "serving.knative.dev/",
    "Revision": "serving.knative.dev/",
    "DeploymentConfig": ("apps.openshift.io/", "v1"),  # v1: OpenShift 3
    "Rollout": "argoproj.io/",
    "JobSet": "jobset.x-k8s.io/",
}
CONTAINER_LISTS = ("initContainers", "containers", "ephemeralContainers")
_MORE_LISTS = ("steps", "sidecars")  # Tekton and Argo


@dataclass(frozen=True, slots=True, eq=False)
class PodPlace:
    """A pod's description: ``path`` leads to its spec in the document.

    ``annotations`` are those of the pod itself, ``namespace`` is the object's. ``whole`` is false
    for a patch or template that names no containers because somebody else adds them. ``inherited``
    is the class that the pod gets from what encloses it.
    """

    document: Document
    path: Path
    spec: Mapping[str, Any] = field(repr=False)
    kind: str = "Pod"
    name: str = ""
    annotations: Mapping[str, Any] = field(default_factory=dict, repr=False)
    system: str = KUBERNETES
    namespace: str = ""
    whole: bool = True
    inherited: str = ""

    @property
    def runtime_class(self) -> str:
        """The class that it asks for or inherits; empty when there is none."""
        own = self.spec.get("runtimeClassName")
        return own if isinstance(own, str) and own else self.inherited

    @property
    def subject(self) -> str:
        """What findings call it: ``Deployment web``."""
        return f"{self.kind} {self.name}" if self.name else self.kind

    def inheriting(self, runtime_class: str) -> "PodPlace":
        """The same place with a class from what encloses it."""
        return replace(self, inherited=runtime_class)

    def annotation_path(self, key: str) -> Path:
        """Where an annotation of the pod stands."""
        return (*self.path[:-1], "metadata", "annotations", key)

    def location(self, *path: str | int) -> Location:
        """Where something below the pod's spec is."""
        return self.document.location((*self.path, *path))


def pods_in(document: Document) -> Iterator[PodPlace]:
    """The pods that a document makes, in its order; the items of a List too."""
    yield from _pods(document, document.mapping, (), 0)


def _pods(document: Document, value: Mapping[str, Any], at: Path, depth: int) -> Iterator[PodPlace]:
    kind = value.get("kind")
    if not isinstance(kind, str):
        return
    if kind.endswith("List") and isinstance(value.get("items"), list) and depth < 3:
        for number, item in enumerate(value["items"]):
            if isinstance(item, dict):
                yield from _pods(document, item, (*at, "items", number), depth + 1)
        return
    way = _PLACES.get(kind)
    if way is None or not _is_of_group(kind, value):
        return
    if kind == "JobSet":
        for number, job in enumerate(list_at(value, ("spec", "replicatedJobs"))):
            path: Path = ("spec", "replicatedJobs", number, "template", *_TEMPLATE)
            yield from _place(document, value, at, path)
            del job
        return
    yield from _place(document, value, at, way)


def _place(document: Document, value: Mapping[str, Any], at: Path, way: Path) -> Iterator[PodPlace]:
    spec = value_at(value, way)
    if isinstance(spec, dict) and spec:
        metadata = mapping_at(value, (*way[:-1], "metadata"))
        yield PodPlace(
            document,
            (*at, *way),
            spec,
            str(value["kind"]),
            name_of(value),
            mapping_at(metadata, ("annotations",)),
            namespace=text_at(value, ("metadata", "namespace")),
        )


def _is_of_group(kind: str, value: Mapping[str, Any]) -> bool:
    group = _GROUPS.get(kind)
    return group is None or text_at(value, ("apiVersion",)).startswith(group)


def name_of(value: Mapping[str, Any]) -> str:
    """The name of an object, or what its generated name begins with."""
    name = text_at(value, ("metadata", "name"))
    return name or text_at(value, ("metadata", "generateName"))


def containers_of(place: PodPlace) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """(path in the document, container) of all containers, also Tekton's steps and sidecars."""
    for group in (*CONTAINER_LISTS, *_MORE_LISTS):
        containers = place.spec.get(group)
        if isinstance(containers, list):
            for number, container in enumerate(containers):
                if isinstance(container, dict):
                    yield (*place.path, group, number), container
    for single in ("container", "script"):  # Argo's templates
        container = place.spec.get(single)
        if isinstance(container, dict):
            yield (*place.path, single), container
    for number, container in enumerate(list_at(place.spec, ("containerSet", "containers"))):
        if isinstance(container, dict):
            yield (*place.path, "containerSet", "containers", number), container


def is_sidecar(container: Mapping[str, Any]) -> bool:
    """Whether an init container keeps running beside the others (a native sidecar)."""
    return container.get("restartPolicy") == "Always"
