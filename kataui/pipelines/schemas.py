"""Schemas of Kubernetes objects: found by their kind, compiled when first needed, and kept.

Three sources: those of Kubernetes itself, a version each (package kubernetes-validate, strict: what
the API server would drop is refused), our own strict ones in ``resources/schemas``, and CRDs that a
person imports, which win over our own.
"""

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema_rs

from kataui import resources
from kataui.errors import KatauiError
from kataui.files import clean
from kataui.kata.manifest import parse
from kataui.kata.quantities import AMOUNT
from kataui.pipelines.crds import Imported, imported

Gvk = tuple[str, str, str]  # group, version, kind
DEFINITIONS = "https://kubernetes.io/api/_definitions.json"
_OWN_URI = "https://kataui.invalid/schemas/"
_GVKS = "x-kubernetes-group-version-kind"
POD_SPEC = f"{DEFINITIONS}#/$defs/io.k8s.api.core.v1.PodSpec"
_FOLDER = re.compile(r"v(\d+)\.(\d+)\.0-local-strict")
_AMOUNT = {"type": ["string", "number", "null"], "pattern": AMOUNT, "minimum": 0}
_ANY_INTEGER = {"type": ["string", "integer", "null"]}
# oneOf takes no null there, which the API server does, and tells nobody what is wrong.
_PLAINER = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": _AMOUNT,
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": _ANY_INTEGER,
}
# What the API server refuses besides, from the descriptions of these fields (API reference); the
# schemas that Kubernetes publishes only say that they are texts.
_CHOICES = {
    ("Container", "imagePullPolicy"): ("Always", "IfNotPresent", "Never"),
    ("Container", "terminationMessagePolicy"): ("File", "FallbackToLogsOnError"),
    ("ContainerPort", "protocol"): ("TCP", "UDP", "SCTP"),
    ("PodSpec", "restartPolicy"): ("Always", "OnFailure", "Never"),
    ("PodSpec", "dnsPolicy"): ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"),
    ("PersistentVolumeClaimSpec", "volumeMode"): ("Filesystem", "Block"),
    ("SeccompProfile", "type"): ("RuntimeDefault", "Localhost", "Unconfined"),
    ("ServicePort", "protocol"): ("TCP", "UDP", "SCTP"),
    ("ServiceSpec", "type"): ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"),
    ("Toleration", "effect"): ("NoSchedule", "PreferNoSchedule", "NoExecute"),
}
# OpenShift serves these below Kubernetes' own "v1", too.
_OPENSHIFT = frozenset(
    ("BuildConfig", "DeploymentConfig", "ImageStream", "Project", "Route", "Template")
)
_KEPT = 8
_LINEAR = jsonschema_rs.RegexOptions()  # RE2's kind, as the API server has; it never runs away


class UnknownVersion(KatauiError):
    """A Kubernetes version whose schemas are not here."""


def _root() -> Path:
    spec = find_spec("kubernetes_validate")  # not imported: that costs a fifth of a second
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise ImportError("kubernetes-validate is not installed")
    return Path(places[0]) / "kubernetes-json-schema"


def _versions() -> tuple[str, ...]:
    found = filter(None, (_FOLDER.fullmatch(path.name) for path in _root().iterdir()))
    numbers = sorted((int(match[1]), int(match[2])) for match in found)
    return tuple(f"{major}.{minor}" for major, minor in numbers)


KUBERNETES_VERSIONS = _versions()
NEWEST = KUBERNETES_VERSIONS[-1]
DEFAULT = KUBERNETES_VERSIONS[-3]  # the oldest of the three that Kubernetes maintains


def version_of(text: str) -> str:
    """A version as a person or a cluster writes it ("v1.34.2", "1.34") as the one of its schemas.

    Raises ``UnknownVersion``.
    """
    found = re.fullmatch(r"v?(\d{1,3}\.\d{1,3})([.+-].{0,60})?", text.strip())
    if found is None or found[1] not in KUBERNETES_VERSIONS:
        raise UnknownVersion(
            f"There are no schemas of Kubernetes {clean(text, limit=40)!r} here.",
            hint=f"There are those of {KUBERNETES_VERSIONS[0]} to {NEWEST}.",
        )
    return found[1]


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of a kind: a ``validator``; or why there is none.

    ``wrong`` says that Kubernetes itself would refuse it; else nobody here knows the kind, which is
    never taken for valid. ``source`` names whose schema it is.
    """

    validator: jsonschema_rs.Validator | None = field(repr=False, default=None)
    source: str = ""
    wrong: bool = False
    message: str = ""
    fix: str = ""


class Schemas:
    """The schemas of one Kubernetes version and of imported CRDs."""

    def __init__(self, version: str, crds: Imported) -> None:
        self.version = version
        self._documents: dict[str, Any] = {DEFINITIONS: definitions(version), **crds.documents}
        own = _own_documents()
        self._documents.update(own)
        self._places: dict[Gvk, tuple[str, str]] = {}
        for uri, document in own.items():
            self._places.update(_index(uri, document, f"kataui's own schema {Path(uri).stem}"))
        self._places.update(
            _index(DEFINITIONS, self._documents[DEFINITIONS], f"Kubernetes {version}")
        )
        for uri, document in crds.documents.items():
            source = f"the CRD {clean(str(document.get('title', uri)), limit=80)}"
            self._places.update(_index(uri, document, source))
        self._registry = jsonschema_rs.Registry(list(self._documents.items()))
        self._validators: dict[str, jsonschema_rs.Validator] = {}

    def find(self, api_version: str, kind: str) -> Found:
        """The validator of a kind, or why there is none."""
        group, _, version = api_version.rpartition("/")
        place = self._places.get((group, version, kind))
        if place is not None:
            return Found(self.compiled(place[0]), place[1])
        if group in _groups() and not (api_version == "v1" and kind in _OPENSHIFT):
            return self._wrong(group, version, kind)
        return Found(message=f"No schema of {api_version} {kind} is here: it was not checked.")

    def compiled(self, reference: str) -> jsonschema_rs.Validator:
        """The validator of a reference such as ``https://...#/$defs/name``."""
        if reference not in self._validators:
            self._validators[reference] = jsonschema_rs.validator_for(
                {"$ref": reference},
                registry=self._registry,
                offline=True,
                pattern_options=_LINEAR,
            )
        return self._validators[reference]

    def at(self, location: str) -> Any:
        """The piece of schema at an absolute keyword location, or None."""
        uri, _, pointer = location.partition("#")
        return resolve(self._documents.get(uri), pointer)

    def _wrong(self, group: str, version: str, kind: str) -> Found:
        """A kind that is not there, in a group that Kubernetes itself serves."""
        name = f"{group}/{version}" if group else version
        since = [known for known in KUBERNETES_VERSIONS if (group, version, kind) in _kinds(known)]
        message = f"Kubernetes {self.version} has no {kind} in {name}."
        if since:
            there = f"It is there from {since[0]} to {since[-1]}."
            return Found(wrong=True, message=message, fix=self._elsewhere(group, kind) or there)
        kinds = sorted({k for g, v, k in self._places if (g, v) == (group, version)})
        near = difflib.get_close_matches(kind, kinds, n=1)
        fix = f"Did you mean {near[0]}?" if near else self._elsewhere(group, kind)
        return Found(wrong=True, message=message, fix=fix)

    def _elsewhere(self, group: str, kind: str) -> str:
        """Where this version has the kind."""
        found = [(g, v) for g, v, k in self._places if k == kind and g in _groups()]
        if not found:
            return ""
        best = min(found, key=lambda place: (place[0] != group, "alpha" in place[1], place))
        return f"Write apiVersion: {'/'.join(filter(None, best))}."


def schemas_for(version: str, crds: Sequence[Path] = ()) -> Schemas:
    """The schemas of a version and of CRDs in files or folders; kept until a file changes.

    Raises ``UnknownVersion``, and ``KatauiError`` when a CRD cannot be read.
    """
    return _kept(version_of(version), imported(tuple(crds)))


@lru_cache(maxsize=_KEPT)
def _kept(version: str, crds: Imported) -> Schemas:
    return Schemas(version, crds)


@lru_cache(maxsize=3)
def definitions(version: str) -> dict[str, Any]:
    """All definitions of a Kubernetes version, as one JSON Schema document."""
    path = _root() / f"v{version}.0-local-strict" / "_definitions.json"
    document: dict[str, Any] = json.loads(path.read_bytes())
    for name, plainer in _PLAINER.items():
        document["$defs"][name] = plainer
    for (kind, member), choices in _CHOICES.items():
        properties = document["$defs"][f"io.k8s.api.core.v1.{kind}"]["properties"]
        properties[member] = {"enum": [*choices, "", None]}  # an empty one is the default
    return document


@cache
def _own_documents() -> dict[str, Any]:
    found = {}
    for path in sorted(resources.path("schemas").glob("*.yaml")):
        (document,) = parse(path.read_bytes(), path.name)
        found[_OWN_URI + path.name] = {**document.mapping, "$id": _OWN_URI + path.name}
    return found


@cache
def _kinds(version: str) -> frozenset[Gvk]:
    """The kinds that a Kubernetes version serves by itself."""
    return frozenset(_index(DEFINITIONS, definitions(version), ""))


@cache
def _groups() -> frozenset[str]:
    """The groups that Kubernetes serves, or once served, by itself."""
    return frozenset(
        one["group"]
        for version in (KUBERNETES_VERSIONS[0], NEWEST)
        for definition in definitions(version)["$defs"].values()
        for one in definition.get(_GVKS, ())
    )


def _index(uri: str, document: Mapping[str, Any], source: str) -> dict[Gvk, tuple[str, str]]:
    """Kind -> (reference, source), of the definitions that stand for one kind."""
    return {
        (one["group"], one["version"], one["kind"]): (f"{uri}#/$defs/{_escaped(name)}", source)
        for name, definition in document["$defs"].items()
        for one in definition.get(_GVKS, ())
        if len(definition[_GVKS]) == 1
    }


def own(file: str, name: str) -> str:
    """The reference of a definition in one of our own schemas."""
    return f"{_OWN_URI}{file}.yaml#/$defs/{name}"


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def resolve(value: Any, pointer: str) -> Any:
    """JSON pointer (RFC 6901)."""
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        else:
            return None
    return value
