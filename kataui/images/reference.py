"""Where an image is, as a person writes it (design, section 4).

Source of the transport names: containers-transports(5) of containers/image.
"""

import re
from dataclasses import dataclass

from kataui.errors import DestinationProblem, ImageError
from kataui.files import clean, is_there
from kataui.images.source import Transport

DOCKER = "docker"
CONTAINERS_STORAGE = "containers-storage"
_FILE_PREFIXES = {f"{transport}:": transport for transport in Transport}
_REMOTE_PREFIXES = {"docker://": DOCKER, "containers-storage:": CONTAINERS_STORAGE}
# OCI distribution-spec v1.1, "Pulling manifests": what a tag may be
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reference:
    """An image's place.

    ``transport`` is None for a bare path (its content tells), ``DOCKER`` or
    ``CONTAINERS_STORAGE`` for what skopeo fetches; ``path`` is then the whole rest. ``tag`` is
    empty when none was written, and never contains ``/``.
    """

    transport: Transport | str | None
    path: str
    tag: str = ""


def parse_reference(text: str) -> Reference:
    """Read ``PATH[:TAG]``, ``oci:PATH[:TAG]``, ``dir:PATH``, ``docker://…`` and so on.

    A path that exists as it is written, colons included, wins over splitting off a tag.
    Raises ``ImageError`` when nothing is named.
    """
    for prefix, remote in _REMOTE_PREFIXES.items():
        if text.startswith(prefix):
            return Reference(remote, _named(text.removeprefix(prefix), text))
    for prefix, transport in _FILE_PREFIXES.items():
        if text.startswith(prefix):
            rest = _named(text.removeprefix(prefix), text)
            if transport is Transport.DIR:  # a dir: image has no tags
                return Reference(transport, rest)
            return Reference(transport, *_split(rest))
    return Reference(None, *_split(_named(text, text)))


def _named(rest: str, text: str) -> str:
    if not rest or "\0" in rest:
        raise ImageError(
            f"{clean(text)!r} names no image.",
            hint="Write PATH[:TAG], oci:PATH[:TAG] or docker://REGISTRY/REPOSITORY:TAG.",
        )
    return rest


def _split(text: str) -> tuple[str, str]:
    path, colon, tag = text.rpartition(":")
    if not colon or not path or "/" in tag or is_there(text):
        return text, ""
    if tag and not _TAG.fullmatch(tag):
        raise ImageError(
            f"{clean(tag)!r} is not a tag.",
            hint="A tag has letters, digits, dots, dashes and underscores.",
        )
    return path, tag


def parse_destination(text: str) -> Reference:
    """Read where to write: a bare path is an OCI layout folder.

    Raises ``DestinationProblem`` for a place that cannot hold the keys of encrypted layers or
    that this program does not write to.
    """
    reference = parse_reference(text)
    if reference.transport is None:
        return Reference(Transport.OCI, reference.path, reference.tag)
    if reference.transport == Transport.DOCKER_ARCHIVE:
        raise DestinationProblem(
            "A docker-archive has no annotations, so the keys of encrypted layers would be lost.",
            hint="Write to oci-archive:PATH or to an OCI layout folder.",
        )
    if reference.transport == DOCKER:
        push = f"skopeo copy --all --preserve-digests oci:FOLDER {clean(text)}"
        raise DestinationProblem(
            "kataui does not push to registries.", hint=f"Write to a folder, then: {push}"
        )
    if reference.transport not in {Transport.OCI, Transport.OCI_ARCHIVE}:
        raise DestinationProblem(
            f"kataui does not write {reference.transport}: images.",
            hint="Write to an OCI layout folder or to oci-archive:PATH.",
        )
    return reference
