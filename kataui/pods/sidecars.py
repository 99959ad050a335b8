"""Sidecars that a webhook will add: prepared from an image of their own, before they are there.

Sources: istio, the injection template (``sidecar.istio.io/proxyImage`` names the image of
istio-proxy and istio-init alike); linkerd2, ``config.linkerd.io/proxy-image`` and
``proxy-version`` (joined by a colon, so that no digest can be asked for).
"""

from collections.abc import Iterator, Mapping, Sequence

from kataui.errors import KatauiError
from kataui.files import clean
from kataui.findings import Finding, Severity
from kataui.kata.edits import Put
from kataui.pods.model import Container, Kind, Pod

ISTIO_IMAGE = "sidecar.istio.io/proxyImage"
_PROXIES = {"Istio": "istio-proxy", "Linkerd": "linkerd-proxy"}
# What the webhook starts from the same image
_TOGETHER = {"istio-proxy": ("istio-init", "istio-validation")}


def sidecars_of(given: Sequence[str]) -> tuple[Container, ...]:
    """The containers that NAME=IMAGE announce. Raises ``KatauiError``."""
    found = []
    for text in given:
        name, _, image = text.partition("=")
        if not name or not image:
            raise KatauiError(
                f"{clean(text)!r} is no sidecar.", hint="Write NAME=IMAGE, as istio-proxy=IMAGE."
            )
        found.append(Container(name, Kind.SIDECAR, image))
    return tuple(found)


def names_of(sidecar: Container) -> tuple[str, ...]:
    """The names under which a webhook starts this image."""
    return (sidecar.name, *_TOGETHER.get(sidecar.name, ()))


def pin_edits(
    pods: Sequence[Pod], sidecars: Sequence[Container], pins: Mapping[str, str]
) -> Iterator[Put]:
    """Tell Istio's webhook which image to take, by its digest."""
    for sidecar in sidecars:
        for pod in pods if sidecar.name == _PROXIES["Istio"] else ():
            if "Istio" in pod.injectors:
                path = pod.place.annotation_path(ISTIO_IMAGE)
                yield Put(pod.place.document.index, path, pins[sidecar.image])


def open_questions(
    pods: Sequence[Pod], sidecars: Sequence[Container], pins: Mapping[str, str]
) -> Iterator[Finding]:
    """What a webhook will add that is not prepared, or that cannot be pinned from here."""
    by_name = {one.name: one for one in sidecars}
    for pod in pods:
        for mesh in pod.injectors:
            sidecar = by_name.get(_PROXIES[mesh])
            if sidecar is None:
                message = f"{mesh} will add containers that are not prepared."
                fix = f"Name its image with --sidecar {_PROXIES[mesh]}=IMAGE, or give the manifest"
                fix += " as it is after injection."
                yield Finding("PREP-INJECT", Severity.WARNING, pod.subject, message, fix=fix)
            elif mesh == "Linkerd":
                repository = pins[sidecar.image].partition("@")[0]
                message = "Linkerd takes its proxy by a tag: whoever has the registry chooses."
                fix = f"Set config.linkerd.io/proxy-image to {repository}; the guest's policy"
                fix += " refuses what is not signed."
                yield Finding("PREP-INJECT", Severity.WARNING, pod.subject, message, fix=fix)
