"""The signals of the isolation index, one value a sandbox (the project's reference, 3.2).

Every signal is made of kernel counters over a window; NaN is "not measured" or "idle", and
``applies`` says where a signal has no meaning (no vhost thread, one NUMA node).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from kataui.isolation.blame import Shares
from kataui.isolation.layout import ROLE_CODE, Layout, padded
from kataui.isolation.model import HostView, Role, Sandbox
from kataui.isolation.span import Span
from kataui.isolation.stream import Array

# Below 50 ms of running and waiting in ten seconds a sandbox is idle. (The reference says 10 ms; a
# halted guest uses more than that, and a few milliseconds of waiting would make it grade E.)
_IDLE_US = 50_000
_US = 1e-6
_HELPERS = (Role.VHOST, Role.IOTHREAD, Role.VIRTIOFSD, Role.SHIM, Role.VMM)


@dataclass(frozen=True, slots=True)
class Signals:
    """By sandbox row, float64; fractions are 0..1 unless a unit is in the name.

    ``waits`` is the run-delay fraction of the vCPUs, ``external`` what of it is neither its own
    limit (``limit``) nor its own threads (``own``); ``blast_cores`` is what others wait for it.
    """

    waits: Array
    external: Array
    limit: Array
    own: Array
    slice_wait_ms: Array
    overlap: Array
    preempted_hz: Array
    io_stall: Array
    disk_ratio: Array
    drop_ratio: Array
    vhost_load: Array
    memory_stall: Array
    remote_memory: Array
    blast_cores: Array
    throttled: Array
    cores: Mapping[Role, Array] = field(repr=False)
    applies: Mapping[str, Array] = field(repr=False)


def signals(layout: Layout, span: Span, shares: Mapping[str, Shares], disk_ratio: float) -> Signals:
    """All signals of a window; ``disk_ratio`` is the busiest disk's latency over its usual one.

    ``shares`` have each sandbox's own limit taken off already (``blame.limited``).
    """
    threads, groups = _Threads(layout, span), _Groups(layout, span)
    waited, ran, slices = (threads.total(n, threads.vcpus) for n in ("wait_us", "run_us", "slices"))
    busy = np.where(ran + waited >= _IDLE_US, ran + waited, np.nan)
    names = [sandbox.key for sandbox in layout.view.sandboxes]
    own_us = np.array([shares[name].self_us if name in shares else 0.0 for name in names])
    held_us = [shares[name].limit_us if name in shares else np.nan for name in names]
    limit_us = np.fmin(np.fmax(held_us, np.nan_to_num(groups.throttled_us)), waited)
    external = np.maximum(0.0, waited - limit_us - own_us)
    exclusive, foreign = _overlap(layout, threads, span)
    vhost = threads.highest_load(Role.VHOST)
    links, drops = _drops(layout, span)
    moves_bytes = groups.io_bytes_a_second > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        return Signals(
            waits=waited / busy,
            external=external / busy,
            limit=limit_us / busy,
            own=np.fmin(own_us, waited) / busy,
            slice_wait_ms=np.where(slices > 0, external / slices / 1000, np.nan) + 0 * busy,
            overlap=foreign,
            preempted_hz=threads.preempted(),
            io_stall=groups.io_stall,
            disk_ratio=np.where(moves_bytes, disk_ratio, np.nan),
            drop_ratio=drops,
            vhost_load=vhost,
            memory_stall=groups.memory_stall,
            remote_memory=_remote_memories(layout.view),
            blast_cores=_blast(layout, shares, span),
            throttled=groups.throttled,
            cores={role: threads.cores(role) for role in (Role.VCPU, *_HELPERS)},
            applies=_applies(layout, exclusive, links, vhost, moves_bytes),
        )


def _applies(
    layout: Layout, exclusive: Array, links: Array, vhost: Array, moves_bytes: Array
) -> dict[str, Array]:
    """Where a signal has a meaning: CPUs of its own, links, a vhost thread, IO, several nodes."""
    return {
        "overlap": exclusive,
        "drop_ratio": links,
        "vhost_load": ~np.isnan(vhost),
        "disk_ratio": moves_bytes,
        "remote_memory": np.full(len(links), len(layout.view.numa_nodes) > 1),
    }


def limits_us(layout: Layout, span: Span) -> dict[str, float]:
    """How long the vCPUs of each sandbox were throttled by limits of their own groups, by key."""
    throttled = _Groups(layout, span).throttled_us
    return {
        sandbox.key: float(np.nan_to_num(throttled[row]))
        for row, sandbox in enumerate(layout.view.sandboxes)
    }


class _Threads:
    """Sums over the threads of each sandbox."""

    def __init__(self, layout: Layout, span: Span) -> None:
        self._layout = layout
        self._span = span
        self.vcpus = layout.vcpus
        self._rows = len(layout.view.sandboxes)

    def _values(self, kind: str, table: str, column: str) -> Array:
        values = getattr(self._span, kind)(table, column)
        return padded(values, len(self._layout.sandbox))

    def total(self, column: str, slots: Array) -> Array:
        """A counter's growth over the window, summed over slots, by sandbox row."""
        values = np.nan_to_num(self._values("delta", "run", column))
        return np.bincount(self._layout.sandbox[slots], values[slots], self._rows)

    def of_role(self, role: Role) -> Array:
        """The slots of a role."""
        layout = self._layout
        live = layout.live
        mine: Array = live[(layout.role[live] == ROLE_CODE[role]) & (layout.sandbox[live] >= 0)]
        return mine

    def cores(self, role: Role) -> Array:
        """CPU used by a role, in cores."""
        slots = self.of_role(role)
        rates = np.nan_to_num(self._values("rate", "run", "run_us")) * _US
        return np.bincount(self._layout.sandbox[slots], rates[slots], self._rows)

    def preempted(self) -> Array:
        """Involuntary switches a second of the vCPU that has most; NaN before the second look."""
        rates = self._values("rate", "switch", "involuntary")
        return self._highest(rates, self.vcpus)

    def highest_load(self, role: Role) -> Array:
        """Running plus waiting of the thread of a role that has most; 1 is used up."""
        run = self._values("rate", "run", "run_us") * _US
        wait = self._values("rate", "run", "wait_us") * _US
        return self._highest(run + wait, self.of_role(role))

    def _highest(self, values: Array, slots: Array) -> Array:
        result = np.full(self._rows, -np.inf)
        known = slots[~np.isnan(values[slots])]
        np.maximum.at(result, self._layout.sandbox[known], values[known])
        return np.where(np.isneginf(result), np.nan, result)

    def run_rate(self) -> Array:
        """Cores used by every thread, by slot."""
        rates: Array = np.nan_to_num(self._values("rate", "run", "run_us")) * _US
        return rates


class _Groups:
    """What the control groups of each sandbox say."""

    def __init__(self, layout: Layout, span: Span) -> None:
        own, every = layout.own_groups, layout.all_groups
        throttled_us = gathered(span.delta("group", "throttled_us"), own)
        self.throttled_us = np.nansum(throttled_us, axis=1)
        periods = _highest(span.delta("group", "periods"), own)
        throttled = _highest(span.delta("group", "throttled"), own)
        with np.errstate(divide="ignore", invalid="ignore"):
            self.throttled = np.where(periods > 0, throttled / periods, np.nan)
        self.io_stall = _highest(span.rate("group", "io_some_us"), every) * _US
        self.memory_stall = _highest(span.rate("group", "memory_some_us"), every) * _US
        moved = [
            np.nan_to_num(_highest(span.rate("group_memory", name), every))
            for name in ("read_bytes", "write_bytes")
        ]
        self.io_bytes_a_second = moved[0] + moved[1]


def gathered(values: Array, slots: Array) -> Array:
    """Values by slot at a matrix of slots; NaN for -1 and for rows that are not there yet."""
    padded_values = np.append(values, np.nan)
    found: Array = padded_values[np.where((slots < 0) | (slots >= len(values)), -1, slots)]
    return found


def _highest(values: Array, slots: Array) -> Array:
    """The highest known value of each line; NaN where none is known."""
    found = gathered(values, slots)
    if not found.shape[1]:
        return np.full(len(found), np.nan)
    highest: Array = np.fmax.reduce(found, axis=1)
    return highest


def _overlap(layout: Layout, threads: _Threads, span: Span) -> tuple[Array, Array]:
    """Whether a sandbox has CPUs of its own (pinned vCPUs), and how much of them others used.

    Time of interrupts on those CPUs counts as foreign.
    """
    rows = len(layout.view.sandboxes)
    exclusive, foreign = np.zeros(rows, bool), np.full(rows, np.nan)
    pinned = layout.vcpus[layout.pinned[layout.vcpus] >= 0]
    if not len(pinned):
        return exclusive, foreign
    run = threads.run_rate()
    last = padded(span.now("place", "cpu"), len(layout.sandbox))
    tick_s = 1.0 / float(layout.view.head.get("ticks_per_second") or 100)
    irqs = span.rate("cpu_time", "irq") + span.rate("cpu_time", "softirq")
    interrupts = {
        cpu: float(padded(irqs, slot + 1)[slot]) * tick_s for cpu, slot in layout.view.cpus
    }
    for row in np.unique(layout.sandbox[pinned]):
        mine = layout.sandbox == row
        cpus = np.unique(layout.pinned[pinned[layout.sandbox[pinned] == row]])
        there = np.isin(last, cpus) & ~mine
        used = float(run[there].sum()) + float(np.nansum([interrupts.get(int(c), 0) for c in cpus]))
        exclusive[row] = True
        foreign[row] = used / len(cpus)
    return exclusive, foreign


def _drops(layout: Layout, span: Span) -> tuple[Array, Array]:
    """Whether a sandbox has links, and which part of its packets was dropped."""
    columns = ("rx_packets", "tx_packets", "rx_dropped", "tx_dropped")
    sums = [np.nansum(gathered(span.delta("link", name), layout.links), axis=1) for name in columns]
    packets, dropped = sums[0] + sums[1], sums[2] + sums[3]
    there = np.any(layout.links >= 0, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(packets + dropped > 0, dropped / (packets + dropped), 0.0)
    return there, np.where(there, ratio, np.nan)


def _blast(layout: Layout, shares: Mapping[str, Shares], span: Span) -> Array:
    """Cores that others wait because of each sandbox."""
    rows = {sandbox.key: row for row, sandbox in enumerate(layout.view.sandboxes)}
    blast = np.zeros(len(rows))
    seconds = np.nanmax(span.seconds("run", "wait_us"), initial=0.0)
    if seconds > 0:
        for item in shares.values():
            for share in item.neighbours:
                row = rows.get(share.actor.sandbox)
                if row is not None:
                    blast[row] += share.wait_us * _US / seconds
    return blast


def _remote_memories(view: HostView) -> Array:
    if len(view.numa_nodes) < 2:
        return np.full(len(view.sandboxes), np.nan)
    return np.array([_remote_memory(view, sandbox) for sandbox in view.sandboxes])


def _remote_memory(view: HostView, sandbox: Sandbox) -> float:
    """Share of memory on nodes where none of its vCPUs may run (memory.numa_stat, anon pages)."""
    text = view.group_fact(sandbox.group, "", "memory.numa_stat")
    if text is None:
        return float("nan")
    by_node: dict[int, int] = {}
    for line in text.splitlines():
        if line.startswith("anon "):
            for field_ in line.split()[1:]:
                node, _, amount = field_.partition("=")
                if node[1:].isdigit() and amount.isdigit():
                    by_node[int(node[1:])] = int(amount)
    cpus = {cpu for thread in sandbox.of_role(Role.VCPU) for cpu in thread.cpus}
    local = {node for node, members in view.numa_nodes.items() if cpus & set(members)}
    total = sum(by_node.values())
    far = sum(amount for node, amount in by_node.items() if node not in local)
    return far / total if total else float("nan")
