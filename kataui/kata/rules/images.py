"""What a pod's images promise: a digest says what runs, a tag says what somebody calls it."""

import re
from collections.abc import Iterator

from kataui.findings import Finding
from kataui.kata import classes
from kataui.kata.manifest import mapping_at, text_at
from kataui.kata.pods import PodPlace, containers_of
from kataui.kata.rules.scene import INFO, WARNING, Scene, finding, is_hole, on_kata

_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")


def check_place(place: PodPlace, _scene: Scene) -> Iterator[Finding]:
    """Images of a pod on Kata."""
    if not on_kata(place):
        return
    known = classes.find(place.runtime_class)
    guest = known is not None and known.pulls_in_guest
    for path, container in containers_of(place):
        image = text_at(container, ("image",))
        if not image or is_hole(image) or _DIGEST.search(image):
            continue
        if guest:
            yield finding(
                "K-COCO-2",
                WARNING,
                place,
                (*path, "image"),
                "A confidential pod runs whatever the registry calls by this tag.",
                why="Only a digest says what runs; a policy can hold nothing else.",
                fix="image: NAME@sha256:…",
            )
        elif _moves(image):
            yield finding(
                "K-IMG-1",
                WARNING,
                place,
                (*path, "image"),
                "The image has no tag, or the tag latest: tomorrow it is another one.",
                fix="image: NAME@sha256:…",
            )
        else:
            yield finding(
                "K-IMG-2",
                INFO,
                place,
                (*path, "image"),
                "The image is named by a tag, which can be moved.",
                fix="image: NAME@sha256:…",
            )
    if guest:
        yield from _user(place)


def _moves(image: str) -> bool:
    name = image.rsplit("/", 1)[-1]
    return ":" not in name or name.endswith(":latest")


def _user(place: PodPlace) -> Iterator[Finding]:
    """A guest that pulls the image itself loses the user that the image names."""
    if "runAsUser" in mapping_at(place.spec, ("securityContext",)):
        return
    for path, container in containers_of(place):
        if "runAsUser" not in mapping_at(container, ("securityContext",)):
            yield finding(
                "K-COCO-3",
                WARNING,
                place,
                path,
                "It names no user, and the image's own is lost in a guest that pulls it.",
                why="Kata's Limitations.md: the program then runs as root, or cannot read its "
                "files.",
                fix="securityContext:\n  runAsUser: 65532\n  runAsGroup: 65532",
            )
            return
