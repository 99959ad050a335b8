"""The rows of the host map: CPUs, or groups of them that open; what each cell is in words."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

Cells = npt.NDArray[np.uint8]
COLUMNS = 60
GROUPS_FROM_CPUS = 64
_SHOWN_CLASHES = 2


class Category(IntEnum):
    """What a CPU did most of the time of a cell."""

    IDLE = 0
    VCPU = 1
    VHOST = 2
    IOTHREAD = 3
    VIRTIOFSD = 4
    SHIM = 5
    VMM = 6
    IRQ = 7
    SOFTIRQ = 8
    OTHER = 9
    NO_DATA = 10


WORDS = {
    Category.IDLE: "idle",
    Category.VCPU: "vCPU",
    Category.VHOST: "vhost",
    Category.IOTHREAD: "IO thread",
    Category.VIRTIOFSD: "virtiofsd",
    Category.SHIM: "shim",
    Category.VMM: "VMM",
    Category.IRQ: "IRQ",
    Category.SOFTIRQ: "softirq",
    Category.OTHER: "other",
    Category.NO_DATA: "not measured",
}


@dataclass(frozen=True, slots=True)
class Cpu:
    """A CPU of the host; ``pinned`` vCPUs may run on it alone. ``cluster`` is -1 for none."""

    number: int
    node: int = 0
    cluster: int = -1
    pinned: int = 0

    @property
    def group(self) -> tuple[int, int]:
        """Its NUMA node, and its cluster in there."""
        return self.node, self.cluster


@dataclass(frozen=True, slots=True)
class MapRow:
    """A line of the map; ``members`` are rows of the cells.

    ``group`` is None for a CPU; ``inner`` is a CPU under its group. ``clash``: two or more vCPUs
    are pinned to one and the same CPU.
    """

    label: str
    members: tuple[int, ...]
    pinned: int
    clash: bool
    group: tuple[int, int] | None = None
    opened: bool = False
    inner: bool = False


def rows_of(cpus: Sequence[Cpu], opened: AbstractSet[tuple[int, int]]) -> list[MapRow]:
    """A row a CPU; on large hosts a row a group, with the CPUs under those that are open."""
    if len(cpus) < GROUPS_FROM_CPUS:
        return [_row(place, cpu, inner=False) for place, cpu in enumerate(cpus)]
    groups: dict[tuple[int, int], list[int]] = {}
    for place, cpu in enumerate(cpus):
        groups.setdefault(cpu.group, []).append(place)
    nodes = len({node for node, _ in groups})
    rows = []
    for group, members in sorted(groups.items()):
        label = _group_label(*group, nodes=nodes)
        rows.append(_group_row(label, group, members, cpus, is_open=group in opened))
        if group in opened:
            rows += [_row(place, cpus[place], inner=True) for place in members]
    return rows


def _row(place: int, cpu: Cpu, *, inner: bool) -> MapRow:
    label = f"CPU\u00a0{cpu.number}"
    return MapRow(label, (place,), cpu.pinned, clash=cpu.pinned > 1, inner=inner)


def _group_label(node: int, cluster: int, *, nodes: int) -> str:
    if cluster < 0:
        return f"Node\u00a0{node}"
    return f"Cluster\u00a0{cluster}" if nodes == 1 else f"Node\u00a0{node}, cluster\u00a0{cluster}"


def _group_row(
    label: str,
    group: tuple[int, int],
    members: list[int],
    cpus: Sequence[Cpu],
    *,
    is_open: bool,
) -> MapRow:
    pins = [cpus[place].pinned for place in members]
    clash = max(pins) > 1
    return MapRow(label, tuple(members), sum(pins), clash=clash, group=group, opened=is_open)


def clash_words(cpus: Sequence[Cpu]) -> str:
    """Which CPUs have more than one vCPU pinned to them; empty when there is none."""
    clashes = sorted((cpu for cpu in cpus if cpu.pinned > 1), key=lambda cpu: -cpu.pinned)
    if not clashes:
        return ""
    first, *others = (f"{cpu.pinned}\u00a0vCPUs pinned to CPU\u00a0{cpu.number}" for cpu in clashes)
    if not others:
        return first
    if len(clashes) == _SHOWN_CLASHES:
        second = clashes[1]
        return f"{first}, {second.pinned} to CPU\u00a0{second.number}"
    return f"{first}, several also to {len(others)} more CPUs"


def cell_words(row: MapRow, cells: Cells, column: int) -> str:
    """What a cell shows: one word, or for a group how many of its CPUs did what, most first."""
    found, counts = np.unique(cells[list(row.members), column], return_counts=True)
    if row.group is None:
        return WORDS[Category(found[0])]
    order = np.argsort(-counts, kind="stable")
    parts = [f"{counts[n]} {WORDS[Category(found[n])]}" for n in order]
    return f"of {len(row.members)} CPUs: {', '.join(parts)}"


def when_words(column: int) -> str:
    """How long ago a column is."""
    ago = COLUMNS - 1 - column
    return "now" if not ago else f"{ago}\u00a0s ago"


def row_words(row: MapRow) -> str:
    """The label, with what its tint and glyph say."""
    vcpus = "vCPU" if row.pinned == 1 else "vCPUs"
    return f"{row.label}, {row.pinned}\u00a0{vcpus} pinned" if row.pinned else row.label
