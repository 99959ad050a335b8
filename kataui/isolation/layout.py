"""Who is in which row: arrays over thread slots, so that a tick is a few numpy operations."""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from kataui.isolation.model import HostView, Role, Thread
from kataui.isolation.stream import Array

ROLES = tuple(Role)
ROLE_CODE = {role: code for code, role in enumerate(ROLES)}


class ActorKind(StrEnum):
    """Who can be the reason of a wait."""

    SANDBOX = "sandbox"
    HOST = "host"
    IRQ = "irq"
    SOFTIRQ = "softirq"
    SELF = "self"
    LIMIT = "limit"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Actor:
    """One who makes others wait: a sandbox's threads of one role, or something of the host."""

    kind: ActorKind
    sandbox: str = ""
    role: Role = Role.HOST
    name: str = ""

    @property
    def is_neighbour(self) -> bool:
        """Whether it is somebody else than the one who waits."""
        return self.kind not in {ActorKind.SELF, ActorKind.LIMIT, ActorKind.UNKNOWN}


SOFTIRQ = Actor(ActorKind.SOFTIRQ, name="softirq")
IRQ = Actor(ActorKind.IRQ, name="irq")
MANY = Actor(ActorKind.HOST, name="many small ones")
UNKNOWN = Actor(ActorKind.UNKNOWN, name="unknown")
SELF = Actor(ActorKind.SELF, name="itself")
LIMIT = Actor(ActorKind.LIMIT, name="own limit")


@dataclass(frozen=True, slots=True)
class Layout:
    """A view as arrays.

    By thread slot: ``sandbox`` (row in ``view.sandboxes``, -1 for the host's own), ``role`` (code
    in ``ROLES``), ``actor`` (number in ``actors``), ``pinned`` (its only CPU or -1). ``live`` are
    the slots in use, ``vcpus`` those of vCPUs. CPUs are numbered densely: ``cpu_row`` maps a CPU's
    number to its row, ``cpu_slots`` a row to its slot in the stream. ``own_groups`` and
    ``all_groups`` (sandboxes x some, -1 for none) are the slots of the control groups whose limits
    hold for the vCPUs, and of all groups of a sandbox; ``links`` those of its network links.
    """

    view: HostView = field(repr=False)
    sandbox: Array
    role: Array
    actor: Array
    pinned: Array
    live: Array
    vcpus: Array
    actors: tuple[Actor, ...] = field(repr=False)
    cpu_row: Array
    cpu_slots: Array
    own_groups: Array = field(repr=False)
    all_groups: Array = field(repr=False)
    links: Array = field(repr=False)


def layout(view: HostView) -> Layout:
    """The arrays for a view."""
    size = max((thread.slot for thread in view.threads), default=-1) + 1
    rows = {sandbox.key: row for row, sandbox in enumerate(view.sandboxes)}
    numbers: dict[Actor, int] = {UNKNOWN: 0, IRQ: 1, SOFTIRQ: 2, MANY: 3}
    sandbox = np.full(size, -1, np.int32)
    role = np.full(size, ROLE_CODE[Role.HOST], np.int8)
    actor = np.zeros(size, np.int32)
    pinned = np.full(size, -1, np.int32)
    for thread in view.threads:
        slot = thread.slot
        sandbox[slot] = rows.get(thread.sandbox, -1)
        role[slot] = ROLE_CODE[thread.role]
        actor[slot] = numbers.setdefault(_actor(thread), len(numbers))
        if len(thread.cpus) == 1:
            pinned[slot] = thread.cpus[0]
    live = np.array(sorted(thread.slot for thread in view.threads), np.int64)
    vcpus = live[(role[live] == ROLE_CODE[Role.VCPU]) & (sandbox[live] >= 0)] if size else live
    cpu_row = np.full(max((cpu for cpu, _ in view.cpus), default=-1) + 1, -1, np.int32)
    for row, (cpu, _) in enumerate(view.cpus):
        cpu_row[cpu] = row
    return Layout(
        view=view,
        sandbox=sandbox,
        role=role,
        actor=actor,
        pinned=pinned,
        live=live,
        vcpus=vcpus,
        actors=tuple(numbers),
        cpu_row=cpu_row,
        cpu_slots=np.array([slot for _, slot in view.cpus], np.int64),
        own_groups=_group_slots(view, own=True),
        all_groups=_group_slots(view, own=False),
        links=_matrix([[link.slot for link in sandbox.links] for sandbox in view.sandboxes]),
    )


def _group_slots(view: HostView, *, own: bool) -> Array:
    """Slots of each sandbox's groups; ``own``: those on the path of its vCPUs' group only."""
    found = [
        [
            view.cgroups[name].slot
            for name in sandbox.groups
            if name in view.cgroups
            and (
                not own or (name != "/" and f"{sandbox.group}/".startswith(f"{name.rstrip('/')}/"))
            )
        ]
        for sandbox in view.sandboxes
    ]
    return _matrix(found)


def _matrix(rows: list[list[int]]) -> Array:
    """Lists of slots as one array, filled up with -1."""
    width = max((len(slots) for slots in rows), default=0)
    filled = [slots + [-1] * (width - len(slots)) for slots in rows]
    return np.array(filled, np.int64).reshape(len(rows), width)


def _actor(thread: Thread) -> Actor:
    if thread.sandbox:
        return Actor(ActorKind.SANDBOX, thread.sandbox, thread.role)
    return Actor(ActorKind.HOST, name=thread.actor)


def rows_of(layout_: Layout, cpus: Array) -> Array:
    """CPU numbers as rows; -1 stays and unknown ones become -1."""
    known = (cpus >= 0) & (cpus < len(layout_.cpu_row))
    rows = np.full(cpus.shape, -1, np.int32)
    rows[known] = layout_.cpu_row[cpus[known].astype(np.int64)]
    return rows


def padded(values: Array, size: int, fill: float = np.nan) -> Array:
    """The first ``size`` values; missing ones are ``fill``."""
    if len(values) >= size:
        return values[:size]
    return np.concatenate([values, np.full(size - len(values), fill)])
