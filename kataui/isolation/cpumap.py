"""What ran on each CPU, second by second: one category and one name a cell."""

from collections import deque
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from kataui.isolation.accuse import actor_name
from kataui.isolation.blame import Blame
from kataui.isolation.layout import Actor, ActorKind
from kataui.isolation.model import HostView, Role
from kataui.isolation.stream import Array

COLUMNS = 60
_BUSY = 0.10  # of a second: a CPU that is used less is shown as idle


class Cell(IntEnum):
    """What a CPU mostly did in a second."""

    NO_DATA = 0
    IDLE = 1
    VCPU = 2
    VHOST = 3
    IOTHREAD = 4
    VIRTIOFSD = 5
    SHIM = 6
    VMM = 7
    IRQ = 8
    SOFTIRQ = 9
    OTHER = 10


_OF_ROLE = {
    Role.VCPU: Cell.VCPU,
    Role.VHOST: Cell.VHOST,
    Role.IOTHREAD: Cell.IOTHREAD,
    Role.VIRTIOFSD: Cell.VIRTIOFSD,
    Role.SHIM: Cell.SHIM,
    Role.VMM: Cell.VMM,
    Role.HOST: Cell.OTHER,
}


def cell_of(actor: Actor) -> Cell:
    """The category of an actor."""
    if actor.kind is ActorKind.IRQ:
        return Cell.IRQ
    if actor.kind is ActorKind.SOFTIRQ:
        return Cell.SOFTIRQ
    return _OF_ROLE[actor.role] if actor.kind is ActorKind.SANDBOX else Cell.OTHER


@dataclass(frozen=True, slots=True)
class _Column:
    """One second: by CPU number the category, who that was, and the CPU's use (0..1)."""

    cells: dict[int, tuple[Cell, Actor | None, float]]


class CpuMap:
    """The last sixty seconds of all CPUs."""

    def __init__(self) -> None:
        self._columns: deque[_Column] = deque(maxlen=COLUMNS)

    def push(self, blame: Blame, seconds: float) -> None:
        """One interval of ``seconds``."""
        layout = blame.layout
        cells: dict[int, tuple[Cell, Actor | None, float]] = {}
        for row, (cpu, _) in enumerate(layout.view.cpus):
            used = blame.by_cpu[row]
            total = float(used.sum()) / 1e6 / max(seconds, 1e-6)
            top = int(np.argmax(used)) if len(used) else 0
            if total < _BUSY or not len(used):
                cells[cpu] = (Cell.IDLE, None, total)
            else:
                actor = layout.actors[top]
                cells[cpu] = (cell_of(actor), actor, total)
        self._columns.append(_Column(cells))

    def cells(self, cpus: list[int]) -> Array:
        """CPUs x 60 categories (uint8), the newest at the right."""
        result = np.full((len(cpus), COLUMNS), Cell.NO_DATA, np.uint8)
        begin = COLUMNS - len(self._columns)
        for column, found in enumerate(self._columns):
            for row, cpu in enumerate(cpus):
                result[row, begin + column] = found.cells.get(cpu, (Cell.NO_DATA, None, 0.0))[0]
        return result

    def text(self, view: HostView, cpu: int, column: int) -> str:
        """What a cell says: who ran there, and how much of the CPU was used."""
        index = column - (COLUMNS - len(self._columns))
        if not 0 <= index < len(self._columns):
            return "Not measured"
        found = self._columns[index].cells.get(cpu)
        if found is None:
            return "This CPU was not there"
        cell, actor, used = found
        if cell is Cell.IDLE or actor is None:
            return f"Idle: {100 * used:.0f}\u00a0% used"
        return f"Mostly {actor_name(view, actor)}; {100 * used:.0f}\u00a0% used"


def clashes(view: HostView) -> dict[int, list[str]]:
    """CPUs to which two or more vCPUs are pinned, with the names of their sandboxes."""
    pinned: dict[int, list[str]] = {}
    for sandbox in view.sandboxes:
        for thread in sandbox.of_role(Role.VCPU):
            if thread.pinned:
                pinned.setdefault(thread.cpus[0], []).append(sandbox.name)
    return {cpu: names for cpu, names in sorted(pinned.items()) if len(names) > 1}
