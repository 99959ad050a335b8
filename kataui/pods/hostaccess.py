"""What a pod shares with its host or with other pods, and what will be pushed into it.

Sources: k8s.io/api core/v1; Kubernetes keeps Secrets and ConfigMaps where the host reads them.
"""

from collections.abc import Iterator

from kataui.files import clean
from kataui.findings import Finding, Severity
from kataui.kata.manifest import list_at, mapping_at, text_at
from kataui.pods.model import Kind, Pod

_WARNING, _INFO = Severity.WARNING, Severity.INFO
_NAMESPACES = {
    "hostNetwork": "the node's network",
    "hostPID": "the node's processes",
    "hostIPC": "the node's shared memory",
    "shareProcessNamespace": "the processes of all its containers",
}


def check(pod: Pod) -> Iterator[Finding]:
    """Host namespaces and paths, secrets that the host reads, sidecars and ephemeral containers."""
    spec = pod.place.spec
    for name, shared in _NAMESPACES.items():
        if spec.get(name) is True:
            message = f"It shares {shared}."
            place = pod.place.location(name)
            yield Finding("POD-HOST", _WARNING, pod.subject, message, location=place)
    for number, volume in enumerate(list_at(spec, ("volumes",))):
        path = text_at(volume, ("hostPath", "path"))
        if path:
            message = f"It sees the path {clean(path)} of the node."
            place = pod.place.location("volumes", number)
            yield Finding("POD-HOST", _WARNING, pod.subject, message, location=place)
    yield from _secrets(pod)
    yield from _pushed(pod)


def _secrets(pod: Pod) -> Iterator[Finding]:
    names = dict.fromkeys(_secret_names(pod))
    if names:
        shown = ", ".join(clean(name, limit=80) for name in list(names)[:10])
        message = f"The host can read its Kubernetes Secrets: {shown}."
        fix = "Use sealed secrets, or let the guest get them from the key broker."
        yield Finding("POD-SECRET", _WARNING, pod.subject, message, fix=fix)


def _secret_names(pod: Pod) -> Iterator[str]:
    for volume in list_at(pod.place.spec, ("volumes",)):
        yield from filter(None, [text_at(volume, ("secret", "secretName"))])
        for source in list_at(volume, ("projected", "sources")):
            yield from filter(None, [text_at(source, ("secret", "name"))])
    for group in ("initContainers", "containers"):
        for container in list_at(pod.place.spec, (group,)):
            for item in list_at(container, ("env",)):
                reference = mapping_at(item, ("valueFrom", "secretKeyRef"))
                yield from filter(None, [text_at(reference, ("name",))])
            for item in list_at(container, ("envFrom",)):
                yield from filter(None, [text_at(item, ("secretRef", "name"))])


def _pushed(pod: Pod) -> Iterator[Finding]:
    for name in pod.injectors:
        message = f"{name} will add containers that this manifest does not name."
        why = "A policy made from this manifest does not cover them."
        fix = "Audit what the cluster runs, or inject before the audit."
        yield Finding("POD-INJECT", _WARNING, pod.subject, message, why=why, fix=fix)
    for container in pod.containers:
        if container.kind is Kind.EPHEMERAL:
            message = f"Somebody pushed the container {clean(container.name)} into the running pod."
            place = container.location
            yield Finding("POD-EPHEMERAL", Severity.ERROR, pod.subject, message, location=place)
