"""A pod as the unit: every container that runs in its virtual machine, whatever its kind."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from kataui.files import clean
from kataui.findings import Location
from kataui.kata.manifest import Path
from kataui.kata.pods import PodPlace

_PINNED = re.compile(r".+@sha256:[0-9a-f]{64}")
_DIGEST = re.compile(r"(@sha256:[0-9a-f]{12})[0-9a-f]{52}")
_HOST = re.compile(r"[^/]*[.:][^/]*|localhost")
DOCKER_HUB = "docker.io"


class Kind(StrEnum):
    """What a container is for; a native sidecar is an init container that keeps running."""

    MAIN = "main"
    INIT = "init"
    SIDECAR = "sidecar"
    EPHEMERAL = "ephemeral"


@dataclass(frozen=True, slots=True)
class Mount:
    """Something that a container sees at ``path``; ``source`` tells what the volume is."""

    path: str
    source: str
    read_only: bool = False
    sub_path: str = ""


@dataclass(frozen=True, slots=True)
class Container:
    """One container as its manifest tells it.

    ``running`` is the digest that a cluster says it runs (``status.imageID``), empty in a
    manifest that was never started. ``env`` has what a variable is or where it comes from.
    """

    name: str
    kind: Kind
    image: str
    command: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    mounts: tuple[Mount, ...] = ()
    security: Mapping[str, Any] = field(default_factory=dict, repr=False)
    working_dir: str = ""
    running: str = ""
    location: Location | None = None
    path: Path = ()

    @property
    def pinned(self) -> bool:
        """Whether the manifest itself says the digest."""
        return _PINNED.fullmatch(self.image) is not None

    @property
    def digest(self) -> str:
        """The pinned digest, or the one that runs, or nothing."""
        return self.image.rpartition("@")[2] if self.pinned else self.running

    @property
    def repository(self) -> str:
        """The image's repository in full: registry and path, without tag and digest."""
        return repository_of(self.image)


@dataclass(frozen=True, slots=True, eq=False)
class Pod:
    """The pods that one object makes: its containers in the order in which they start.

    ``injectors`` are webhooks that its labels, annotations or namespace ask for.
    """

    place: PodPlace
    containers: tuple[Container, ...]
    labels: Mapping[str, Any] = field(default_factory=dict, repr=False)
    injectors: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """``Deployment web``."""
        return self.place.subject

    @property
    def runtime_class(self) -> str:
        """Its class, or nothing."""
        return self.place.runtime_class


def shown_image(image: str) -> str:
    """A reference as people read it: one line, the digest by its beginning."""
    return clean(_DIGEST.sub(r"\1…", image)) or "no image"


def repository_of(image: str) -> str:
    """The repository of a reference (distribution/reference, familiar names), without its tag."""
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    name = f"{head}{slash}{last.partition(':')[0]}"
    first, slash, _ = name.partition("/")
    if not slash:
        return f"{DOCKER_HUB}/library/{name}" if name else ""
    return name if _HOST.fullmatch(first) else f"{DOCKER_HUB}/{name}"


def tag_of(image: str) -> str:
    """The tag of a reference; ``latest`` when it has neither tag nor digest."""
    name, at, _ = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return tag or ("" if at else "latest")
