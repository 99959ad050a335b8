"""The pod that a place of a CI system becomes, as Kubernetes would say it: its containers' amounts.

Sources: Tekton (steps and sidecars are containers of one pod; ``stepTemplate`` gives what they
lack); Argo Workflows (``container`` or ``script`` beside the sidecars); GitLab runner's Kubernetes
executor (build, helper and service containers, each with its own keys); Woodpecker's Kubernetes
backend (one container a step).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from kataui.kata import systems
from kataui.kata.manifest import list_at, mapping_at, value_at
from kataui.kata.pods import PodPlace, containers_of

_AMOUNTS = ("resources", "computeResources")


def pod_spec(place: PodPlace) -> Mapping[str, Any] | None:
    """A spec with containers, init containers and their resources; None when there are none."""
    if place.system == systems.GITLAB:
        settings = mapping_at(value_at(place.document.value, place.path), ())
        return {"containers": list(_gitlab(settings))} if settings else None
    usual = mapping_at(place.spec, ("stepTemplate",))
    ones = [(path, _container(one, usual)) for path, one in containers_of(place)]
    if not ones:
        own = _resources(place.spec)
        return {"containers": [{"resources": own}]} if own else None
    return {
        "containers": [one for path, one in ones if "initContainers" not in path],
        "initContainers": [one for path, one in ones if "initContainers" in path],
        **{key: place.spec[key] for key in ("resources", "overhead") if key in place.spec},
    }


def _container(one: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    return {**one, "resources": _resources(one) or _resources(usual)}


def _resources(one: Mapping[str, Any]) -> Mapping[str, Any]:
    return next((one[key] for key in _AMOUNTS if isinstance(one.get(key), dict)), {})


def _gitlab(settings: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    services = len(list_at(settings, ("services",)))
    for part, count in (("", 1), ("helper_", 1), ("service_", services)):
        kinds = {
            f"{kind}s": {
                name: settings[f"{part}{name}_{kind}"]
                for name in ("cpu", "memory")
                if settings.get(f"{part}{name}_{kind}")
            }
            for kind in ("limit", "request")
        }
        yield from [{"resources": kinds}] * count
