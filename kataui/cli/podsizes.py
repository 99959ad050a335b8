"""How the verbs of ``pipeline`` tell what will run."""

from collections.abc import Iterator, Sequence
from typing import Any

from kataui.files import clean
from kataui.pipelines.running import PodSize


def told_sizes(sizes: Sequence[PodSize]) -> Iterator[str]:
    """A line a pod, under a heading."""
    if sizes:
        yield "What will run:"
    for one in sizes:
        yield f"  {clean(one.name, limit=60)}: {one.told}"


def json_sizes(sizes: Sequence[PodSize]) -> list[dict[str, Any]]:
    """The same for scripts: bytes, and CPUs as numbers."""
    return [
        {
            "name": one.name,
            "file": one.file,
            "line": one.line,
            "vcpus": one.size.vcpus,
            "memory_bytes": one.size.memory_bytes,
            "charged_cpus": float(one.size.charged_cpus),
            "charged_bytes": one.size.charged_bytes,
            "notes": list(one.size.notes),
        }
        for one in sizes
    ]
