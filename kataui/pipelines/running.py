"""What will run: the virtual machine that Kata boots for each pod of some documents."""

from collections.abc import Sequence
from dataclasses import dataclass

from kataui.kata import sizing
from kataui.kata.manifest import Document
from kataui.kata.podspec import pod_spec
from kataui.kata.rules.scene import scene_of
from kataui.pipelines.checks import read_manifests
from kataui.pipelines.model import Rendered


@dataclass(frozen=True, slots=True)
class PodSize:
    """A pod that comes out, where it is described, and what it boots and costs."""

    name: str
    file: str
    line: int
    size: sizing.VmSize

    @property
    def told(self) -> str:
        """The size in two sentences."""
        return sizing.told(self.size)


def pod_sizes(documents: Sequence[Document]) -> tuple[PodSize, ...]:
    """The size of every pod on Kata whose class is known, in their order.

    The documents are taken together: a run in one file says where the tasks of another run.
    """
    found = []
    for place in scene_of(documents).places():
        spec = pod_spec(place)
        size = sizing.size(spec, place.runtime_class) if spec else None
        if size is not None:
            where = place.location()
            found.append(PodSize(place.name or place.kind, where.file, where.line or 1, size))
    return tuple(found)


def sizes_of(rendered: Rendered) -> tuple[PodSize, ...]:
    """The sizes of what the files of a template run."""
    return pod_sizes(
        [
            document
            for file in rendered.files
            if file.language == "yaml"
            for document in read_manifests(file.path, file.text).documents
        ]
    )
