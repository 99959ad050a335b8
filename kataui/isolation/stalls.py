"""Stalls on IO and memory: who stalls is certain (PSI), who causes it is told by what others use.

A sandbox that stalls on IO while somebody else moves most of the bytes is hurt by that one; one
that moves most of them itself, or that is at its own memory limit, hurts itself.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from kataui.isolation.layout import Actor, ActorKind
from kataui.isolation.model import HostView, Process, Role, Sandbox
from kataui.isolation.span import Span, at

STALL = 0.10  # of the time, from which on it is told
_SHARE = 0.3
_AT_LIMIT = 0.95
_PAGES = 256  # growth in a window that is no noise


@dataclass(frozen=True, slots=True)
class Stall:
    """One sandbox that stalls on ``what`` ("IO", "memory") for a part of the time.

    ``actor`` uses ``share`` of the resource (bytes moved; growth), None when nobody stands out.
    ``own`` says why it is its own doing; ``sure`` is false when not all use could be read.
    """

    sandbox: Sandbox
    what: str
    stalled: float
    actor: Actor | None
    share: float
    own: str
    sure: bool


def stalls(
    view: HostView, span: Span, io: Mapping[str, float], memory: Mapping[str, float]
) -> list[Stall]:
    """Every stall that is to be told, worst first; ``io`` and ``memory`` are stalls by key."""
    found = []
    for what, values, use in (("memory", memory, _growth), ("IO", io, _bytes_moved)):
        hurt = [sandbox for sandbox in view.sandboxes if values.get(sandbox.key, 0.0) >= STALL]
        used = use(view, span) if hurt else {}
        for sandbox in hurt:
            full = what == "memory" and _at_limit(view, span, sandbox)
            own = "it is at its own memory limit" if full else ""
            found.append(_stall(sandbox, what, values[sandbox.key], used, own))
    # a shortage of memory makes IO of its own: memory is told first
    return sorted(found, key=lambda item: (bool(item.own), item.what == "IO", -item.stalled))


def _stall(
    sandbox: Sandbox, what: str, stalled: float, used: Mapping[Actor, float], own: str
) -> Stall:
    total = sum(used.values())
    mine = sum(amount for actor, amount in used.items() if actor.sandbox == sandbox.key)
    others = {actor: amount for actor, amount in used.items() if actor.sandbox != sandbox.key}
    top = max(others, key=lambda actor: others[actor], default=None)
    share = others[top] / total if top is not None and total > 0 else 0.0
    if not own and total > 0 and mine / total >= 0.5:
        own = "it moves most of the bytes" if what == "IO" else "it takes most of the memory"
    named = top if share >= _SHARE and not own else None
    return Stall(sandbox, what, stalled, named, share, own, sure=total > 0)


def _actor(view: HostView, process: Process) -> Actor:
    """The actor that a process acts for: a sandbox's IO thread or VMM, or itself."""
    if not process.sandbox:
        return Actor(ActorKind.HOST, name=process.comm)
    sandbox = view.by_key.get(process.sandbox)
    roles = {thread.role for thread in sandbox.threads} if sandbox else set()
    if process.part == "virtiofsd":
        role = Role.VIRTIOFSD
    else:
        role = Role.IOTHREAD if Role.IOTHREAD in roles else Role.VMM
    return Actor(ActorKind.SANDBOX, process.sandbox, role)


def _bytes_moved(view: HostView, span: Span) -> dict[Actor, float]:
    """Bytes a second at the block layer by actor (/proc/PID/io, which needs a right)."""
    read, written = span.rate("io", "read_bytes"), span.rate("io", "write_bytes")
    return _summed(view, lambda slot: np.nansum([at(read, slot), at(written, slot)]))


def _growth(view: HostView, span: Span) -> dict[Actor, float]:
    """Growth of resident memory by actor, in pages."""
    grown = span.delta("whole", "rss_pages")
    sums = _summed(view, lambda slot: at(grown, slot))
    return {actor: amount for actor, amount in sums.items() if amount >= _PAGES}


def _summed(view: HostView, amount: Callable[[int], float]) -> dict[Actor, float]:
    found: dict[Actor, float] = {}
    for process in view.processes:
        value = float(amount(process.slot))
        if value > 0 and not math.isnan(value):
            actor = _actor(view, process)
            found[actor] = found.get(actor, 0.0) + value
    return found


def _at_limit(view: HostView, span: Span, sandbox: Sandbox) -> bool:
    """Whether one of its groups is full: then it reclaims its own memory."""
    current, most = span.now("group_memory", "current"), span.now("group_memory", "max")
    for name in sandbox.groups:
        group = view.cgroups.get(name)
        if group is not None and at(current, group.slot) >= _AT_LIMIT * at(most, group.slot):
            return True
    return False
