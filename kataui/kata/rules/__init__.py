"""What goes wrong silently on Kata, found in manifests: the rules K-*."""

from collections.abc import Iterator, Sequence

from kataui.findings import Finding
from kataui.kata.manifest import Document
from kataui.kata.rules import annotations, ci, host, images, memory, runtimeclass, storage
from kataui.kata.rules.scene import Scene, scene_of

_OF_PODS = (
    runtimeclass.check_place,
    memory.check_place,
    host.check_place,
    storage.check_place,
    annotations.check_place,
    images.check_place,
)


def check(documents: Sequence[Document]) -> list[Finding]:
    """What the rules say about documents of one or more files that belong together.

    In the order of the documents. Some rules look across: an agent's flag in one file decides
    about a step in another.
    """
    scene = scene_of(documents)
    return [*scene.unread, *_findings(scene)]


def _findings(scene: Scene) -> Iterator[Finding]:
    for part in scene.parts:
        for place in part.places:
            for rule in _OF_PODS:
                yield from rule(place, scene)
        yield from ci.check_part(part, scene)
        if part.document.kind == "LimitRange":
            yield from memory.check_limit_range(part.document)
        elif part.document.kind == "RuntimeClass":
            yield from runtimeclass.check_class(part.document)
    yield from host.check_psa(scene)
    yield from annotations.check_values(scene)
