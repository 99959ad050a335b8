"""Pods out of manifests and dumps of running pods.

Sources: k8s.io/api core/v1 (PodSpec, Container, ContainerStatus.imageID); istio.io pkg/kube/inject
(labels and annotations that ask for a sidecar); linkerd.io/inject.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any

from kataui.errors import KatauiError
from kataui.files import clean, read_bounded
from kataui.kata.cipods import everything_in
from kataui.kata.manifest import (
    MAX_BYTES,
    Document,
    ManifestError,
    Path,
    list_at,
    mapping_at,
    parse,
    text_at,
)
from kataui.kata.pods import PodPlace, is_sidecar
from kataui.pods.model import Container, Kind, Mount, Pod
from kataui.progress import Control

MOST_CONTAINERS = 20_000
_SUFFIXES = (".yaml", ".yml", ".json")
_LISTS = (("initContainers", Kind.INIT), ("containers", Kind.MAIN))
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_SECURITY = ("securityContext", "stdin", "tty", "ports", "lifecycle", "volumeDevices")
_STATUSES = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")
_NO = ("false", "disabled")


def read_path(path: FilePath, control: Control) -> tuple[Document, ...]:
    """The documents of a manifest, or of all manifests in a folder and below it.

    Raises ``KatauiError`` with a sentence that names the file.
    """
    if not path.is_dir():
        return read_file(path)
    paths = sorted(one for one in path.rglob("*") if one.suffix in _SUFFIXES and one.is_file())
    if not paths:
        raise KatauiError(
            f"{clean(str(path))} has no manifests.", hint="They end in .yaml or .json."
        )
    documents: list[Document] = []
    for one in paths:
        control.check()
        documents += read_file(one)
    return tuple(documents)


def read_file(path: FilePath) -> tuple[Document, ...]:
    """The documents of a manifest; raises ``KatauiError`` with a sentence."""
    data = read_bounded(path, limit_bytes=MAX_BYTES, what="a manifest")
    try:
        return parse(data, clean(str(path)))
    except ManifestError as error:
        raise KatauiError(f"{clean(path.name)}: {error.message}", hint=error.hint) from error


def pods_of(documents: Sequence[Document]) -> tuple[Pod, ...]:
    """All pods of some documents, in their order.

    Raises ``KatauiError`` when there are more than ``MOST_CONTAINERS`` containers.
    """
    meshed = _meshed(documents)
    pods = []
    count = 0
    for document in documents:
        for place in everything_in(document):
            containers = tuple(_containers(place))
            count += len(containers)
            if count > MOST_CONTAINERS:
                raise KatauiError(f"It has more than {MOST_CONTAINERS} containers.")
            if containers:
                pods.append(_pod(place, containers, meshed))
    return tuple(pods)


def _pod(place: PodPlace, containers: tuple[Container, ...], meshed: Mapping[str, str]) -> Pod:
    above = place.path[:-1]
    labels = mapping_at(place.document.value, (*above, "metadata", "labels"))
    return Pod(place, containers, labels, tuple(_injectors(place, labels, meshed)))


def _containers(place: PodPlace) -> Iterator[Container]:
    running = _running(place)
    for group, kind in (*_LISTS, ("ephemeralContainers", Kind.EPHEMERAL)):
        for number, value in enumerate(list_at(place.spec, (group,))):
            if isinstance(value, dict):
                sidecar = group == "initContainers" and is_sidecar(value)
                path = (*place.path, group, number)
                yield _container(place, path, value, Kind.SIDECAR if sidecar else kind, running)


def _container(
    place: PodPlace, path: Path, value: Mapping[str, Any], kind: Kind, running: Mapping[str, str]
) -> Container:
    name = text_at(value, ("name",))
    return Container(
        name=name,
        kind=kind,
        image=text_at(value, ("image",)),
        command=_texts(value.get("command")),
        arguments=_texts(value.get("args")),
        env=dict(_env(value)),
        mounts=tuple(_mounts(place, value)),
        security={key: value[key] for key in _SECURITY if value.get(key)},
        working_dir=text_at(value, ("workingDir",)),
        running=running.get(name, ""),
        location=place.document.location((*path, "image")),
        path=path,
    )


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def _env(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each variable, and whole sets that are taken from elsewhere."""
    for item in list_at(value, ("env",)):
        if isinstance(item, dict):
            source = item.get("valueFrom")
            text = canonical(source) if source else str(item.get("value", ""))
            yield text_at(item, ("name",)), text
    for number, item in enumerate(list_at(value, ("envFrom",))):
        yield f"envFrom[{number}]", canonical(item)


def _mounts(place: PodPlace, value: Mapping[str, Any]) -> Iterator[Mount]:
    volumes = {
        text_at(volume, ("name",)): volume
        for volume in list_at(place.spec, ("volumes",))
        if isinstance(volume, dict)
    }
    for item in list_at(value, ("volumeMounts",)):
        if not isinstance(item, dict):
            continue
        volume = volumes.get(text_at(item, ("name",)), {})
        source = {key: inner for key, inner in volume.items() if key != "name"}
        told = canonical(source) if source else f"volume {text_at(item, ('name',))}"
        yield Mount(
            text_at(item, ("mountPath",)),
            told,
            item.get("readOnly") is True,
            text_at(item, ("subPath",)) or text_at(item, ("subPathExpr",)),
        )


# What a cluster fills in: a dump has it, the manifest that made it does not.
_FILLED_IN = {"defaultMode": 420, "apiVersion": "v1", "protocol": "TCP", "type": ""}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _plain(inner)
            for key, inner in value.items()
            if key not in _FILLED_IN or _FILLED_IN[key] != inner
        }
    return [_plain(item) for item in value] if isinstance(value, list) else value


def canonical(value: Any) -> str:
    """A value as text, the same however it was written or filled in by a cluster."""
    return json.dumps(
        _plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str
    )


def _running(place: PodPlace) -> Mapping[str, str]:
    """The digest of each container's image as a cluster reports it."""
    found = {}
    status = mapping_at(place.document.value, (*place.path[:-1], "status"))
    for group in _STATUSES:
        for item in list_at(status, (group,)):
            digest = _DIGEST.search(text_at(item, ("imageID",)))
            if digest is not None:
                found[text_at(item, ("name",))] = digest[0]
    return found


def _meshed(documents: Sequence[Document]) -> Mapping[str, str]:
    """Namespaces among the documents that ask a mesh to add its sidecar."""
    found = {}
    for document in documents:
        if document.kind != "Namespace":
            continue
        labels = mapping_at(document.value, ("metadata", "labels"))
        annotations = mapping_at(document.value, ("metadata", "annotations"))
        if labels.get("istio-injection") == "enabled" or labels.get("istio.io/rev"):
            found[document.name] = "Istio"
        elif annotations.get("linkerd.io/inject") in ("enabled", "ingress"):
            found[document.name] = "Linkerd"
    return found


def _injectors(
    place: PodPlace, labels: Mapping[str, Any], meshed: Mapping[str, str]
) -> Iterator[str]:
    """The webhooks that will add containers, as far as the manifest shows it."""
    istio = str(
        labels.get("sidecar.istio.io/inject", place.annotations.get("sidecar.istio.io/inject", ""))
    ).lower()
    linkerd = str(place.annotations.get("linkerd.io/inject", "")).lower()
    mesh = meshed.get(place.namespace, "")
    there = {
        text_at(one, ("name",)) for group, _ in _LISTS for one in list_at(place.spec, (group,))
    }
    asked = istio == "true" or labels.get("istio.io/rev") or mesh == "Istio"
    if asked and istio not in _NO and "istio-proxy" not in there:
        yield "Istio"
    asked = linkerd in {"enabled", "ingress"} or mesh == "Linkerd"
    if asked and linkerd not in _NO and "linkerd-proxy" not in there:
        yield "Linkerd"
