"""Who makes whom wait: blame from run time on the CPU where somebody waited.

For a vCPU thread t that waited Q on CPU c in an interval, each actor j that ran B_j on c gets
``Q x B_j / (sum B - run of t)``: while t waits, only others run there. A thread whose last CPU
changed waits half on each. What /proc/stat calls busy beyond all known threads is the actor
"unknown". (Definition: the project's reference, 3.2; the form of sharing is that of CPI2,
EuroSys 2013, with run delay in the place of CPI.)
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from kataui.isolation.layout import (
    IRQ,
    MANY,
    SOFTIRQ,
    UNKNOWN,
    Actor,
    ActorKind,
    Layout,
    padded,
    rows_of,
)
from kataui.isolation.stream import Array

_IDLE, _IOWAIT, _IRQ, _SOFTIRQ = 3, 4, 5, 6  # columns of cpu_time
_GUEST = 8  # guest columns are in user and nice already
_SMALL = 0.005  # of a CPU's time: actors below are one, "many small ones"
_TOTALS = ("run_us", "wait_us", "sure_us")
_SHOWN = 0.002  # of a victim's wait: shares below are summed up


@dataclass(frozen=True, slots=True)
class Blame:
    """One interval's shares: ``wait_us[n]`` of ``victim[n]`` because of ``actor[n]``.

    ``victims`` are rows of the layout's sandboxes, ``actors`` its actors; the totals are by
    sandbox row: ``run_us``, ``wait_us`` of the vCPUs,
    ``sure_us`` the wait on CPUs that are certain, weighted by how much of them is explained.
    ``by_cpu`` is the run time of each actor on each CPU (us), interrupts and unknown included.
    """

    layout: Layout = field(repr=False)
    victim: Array = field(repr=False)
    actor: Array = field(repr=False)
    share_us: Array = field(repr=False)
    cpu: Array = field(repr=False)
    run_us: Array = field(repr=False)
    wait_us: Array = field(repr=False)
    sure_us: Array = field(repr=False)
    by_cpu: Array = field(repr=False)


@dataclass(frozen=True, slots=True)
class Where:
    """By thread slot: the CPU rows where a thread was seen last and before that; -1 is unknown."""

    now: Array
    before: Array


def places(layout: Layout, now: Array, before: Array) -> Where:
    """Where threads ran, from two readings of their last CPU; pinned ones are certain."""
    size = len(layout.sandbox)
    latest = rows_of(layout, padded(now, size, -1))
    earlier = rows_of(layout, padded(before, size, -1))
    pinned = rows_of(layout, layout.pinned)
    fixed = pinned >= 0
    latest[fixed] = pinned[fixed]
    earlier = np.where(earlier < 0, latest, earlier)
    earlier[fixed] = pinned[fixed]
    return Where(latest, earlier)


def busy_us(layout: Layout, ticks: Array, tick_us: float) -> tuple[Array, Array, Array]:
    """By CPU row: busy, irq and softirq time of an interval, from the steps of ``cpu_time``."""
    rows = np.full((len(layout.cpu_slots), 10), np.nan)
    there = layout.cpu_slots < len(ticks)
    rows[there] = ticks[layout.cpu_slots[there]]
    known = np.nan_to_num(rows) * tick_us
    busy = known[:, :_GUEST].sum(axis=1) - known[:, _IDLE] - known[:, _IOWAIT]
    return busy, known[:, _IRQ], known[:, _SOFTIRQ]


def blame(layout: Layout, deltas: Array, where: Where, busy: tuple[Array, Array, Array]) -> Blame:
    """The shares of one interval. ``deltas``: the step of the table ``run``, by slot."""
    size, cpus, actors = len(layout.sandbox), len(layout.cpu_slots), len(layout.actors)
    run = np.nan_to_num(padded(deltas[:, 0], size))
    wait = np.nan_to_num(padded(deltas[:, 1], size))
    by_cpu = _run_by_cpu(layout, run, where, (cpus, actors))
    total, irq, softirq = busy
    by_cpu[:, layout.actors.index(IRQ)] = irq
    by_cpu[:, layout.actors.index(SOFTIRQ)] = softirq
    explained = by_cpu.sum(axis=1)
    by_cpu[:, layout.actors.index(UNKNOWN)] = np.maximum(0.0, total - explained)
    _merge_small(layout, by_cpu)
    all_run = np.maximum(by_cpu.sum(axis=1), 1e-9)
    known_share = np.minimum(1.0, explained / np.maximum(total, 1e-9))
    pieces = _Pieces(layout, run, wait, where)
    rest = np.maximum(all_run[pieces.cpu] - pieces.run, 1e-9)
    weight = np.where(all_run[pieces.cpu] - pieces.run > 1.0, pieces.wait / rest, 0.0)
    victim, actor, cpu, share = _spread(layout, pieces, weight, by_cpu)
    rows = len(layout.view.sandboxes)
    vcpus = layout.vcpus
    owner = layout.sandbox[vcpus]
    certain = np.where(pieces.sure, pieces.wait, 0.0) * known_share[pieces.cpu]
    return Blame(
        layout=layout,
        victim=victim,
        actor=actor,
        cpu=cpu,
        share_us=share,
        run_us=np.bincount(owner, run[vcpus], rows),
        wait_us=np.bincount(owner, wait[vcpus], rows),
        sure_us=np.bincount(pieces.victim, certain, rows),
        by_cpu=by_cpu,
    )


def _merge_small(layout: Layout, by_cpu: Array) -> None:
    """Who hardly ran is counted with the other small ones: 2000 threads are no 2000 culprits."""
    total = by_cpu.sum(axis=1, keepdims=True)
    small = (by_cpu > 0) & (by_cpu < _SMALL * total)
    small[:, layout.actors.index(UNKNOWN)] = False
    by_cpu[:, layout.actors.index(MANY)] += np.where(small, by_cpu, 0.0).sum(axis=1)
    by_cpu[small] = 0.0


class _Pieces:
    """The waits of vCPU threads on single CPUs: half on each where a thread moved."""

    def __init__(self, layout: Layout, run: Array, wait: Array, where: Where) -> None:
        slots = layout.vcpus[wait[layout.vcpus] > 0]
        now, before = where.now[slots], where.before[slots]
        both = np.concatenate([now, before])
        known = both >= 0
        twice = np.concatenate([slots, slots])[known]
        self.cpu = both[known]
        self.slot = twice
        self.victim = layout.sandbox[twice]
        self.wait = wait[twice] / 2
        stayed = np.concatenate([now == before, now == before])[known]
        self.run = run[twice] * np.where(stayed, 1.0, 0.5)
        self.sure = stayed


def _run_by_cpu(layout: Layout, run: Array, where: Where, shape: tuple[int, int]) -> Array:
    """Run time, CPU rows x actors; half on each CPU where a thread moved."""
    slots = layout.live[run[layout.live] > 0]
    table = np.zeros(shape[0] * shape[1])
    for cpu in (where.now[slots], where.before[slots]):
        known = cpu >= 0
        index = cpu[known].astype(np.int64) * shape[1] + layout.actor[slots[known]]
        table += np.bincount(index, run[slots[known]] / 2, len(table))
    return table.reshape(shape)


def _spread(
    layout: Layout, pieces: _Pieces, weight: Array, by_cpu: Array
) -> tuple[Array, Array, Array, Array]:
    """Each victim's wait on each CPU, shared among who ran there: (victim, actor, cpu, us)."""
    sandboxes, cpus = len(layout.view.sandboxes), len(layout.cpu_slots)
    key = pieces.victim.astype(np.int64) * cpus + pieces.cpu
    weights = np.bincount(key, weight, sandboxes * cpus)
    own = np.bincount(key, weight * pieces.run, sandboxes * cpus)  # their own run: not others'
    pairs = np.flatnonzero(weights)
    victim, cpu = pairs // max(1, cpus), pairs % max(1, cpus)
    ran_cpu, ran_actor = np.nonzero(by_cpu)
    begin = np.searchsorted(ran_cpu, cpu, "left")
    count = np.searchsorted(ran_cpu, cpu, "right") - begin
    which = np.repeat(np.arange(len(pairs)), count)
    within = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    entry = begin[which] + within
    actor = ran_actor[entry]
    share = weights[pairs][which] * by_cpu[ran_cpu[entry], actor]
    mine = _own_vcpu_actor(layout)[victim[which]] == actor
    share[mine] -= own[pairs][which][mine]
    return victim[which], actor, cpu[which], np.maximum(share, 0.0)


def _own_vcpu_actor(layout: Layout) -> Array:
    """By sandbox row: the actor number of its own vCPUs, -1 when it has none."""
    numbers = np.full(len(layout.view.sandboxes), -1, np.int64)
    numbers[layout.sandbox[layout.vcpus]] = layout.actor[layout.vcpus]
    return numbers


@dataclass(frozen=True, slots=True)
class Share:
    """A victim's wait because of one actor, over a window: us, and the CPU where most of it was."""

    actor: Actor
    wait_us: float
    cpu: int


@dataclass(frozen=True, slots=True)
class Shares:
    """One sandbox over a window. ``confidence`` 0..1: how certain the CPUs and the runners are.

    ``neighbours`` are others (largest first), ``self_us`` waiting for its own threads.
    """

    run_us: float
    wait_us: float
    self_us: float
    unknown_us: float
    confidence: float
    neighbours: tuple[Share, ...]


class Window:
    """Sums blame over the last intervals, by sandbox key; slots may change between them."""

    def __init__(self, blames: list[Blame]) -> None:
        self._shares: dict[str, dict[Actor, dict[int, float]]] = {}
        self._totals: dict[str, Array] = {}
        begin = 0
        for end in range(1, len(blames) + 1):
            if end == len(blames) or blames[end].layout is not blames[begin].layout:
                self._add(blames[begin:end])
                begin = end

    def _add(self, blames: list[Blame]) -> None:
        """Intervals of one layout: their sums, without a loop over what is small."""
        layout = blames[0].layout
        sandboxes, actors = layout.view.sandboxes, layout.actors
        cpus = max(1, len(layout.cpu_slots))
        totals = np.stack([sum(getattr(item, name) for item in blames) for name in _TOTALS], axis=1)
        key = np.concatenate(
            [(b.victim.astype(np.int64) * len(actors) + b.actor) * cpus + b.cpu for b in blames]
        )
        places, inverse = np.unique(key, return_inverse=True)
        sums = np.bincount(inverse, np.concatenate([b.share_us for b in blames]), len(places))
        victims = places // (len(actors) * cpus)
        large = np.flatnonzero(sums > np.maximum(1.0, _SHOWN * totals[victims, 1]))
        for row, sandbox in enumerate(sandboxes):
            self._totals[sandbox.key] = self._totals.get(sandbox.key, np.zeros(3)) + totals[row]
        for n in large:
            place = int(places[n])
            by_actor = self._shares.setdefault(sandboxes[victims[n]].key, {})
            by_cpu = by_actor.setdefault(actors[place // cpus % len(actors)], {})
            cpu = layout.view.cpus[place % cpus][0]
            by_cpu[cpu] = by_cpu.get(cpu, 0.0) + float(sums[n])

    def shares(self, key: str) -> Shares:
        """The window of one sandbox."""
        run, wait, sure = (float(total) for total in self._totals.get(key, np.zeros(3)))
        own = unknown = 0.0
        neighbours = []
        for actor, by_cpu in self._shares.get(key, {}).items():
            amount = sum(by_cpu.values())
            if actor.kind is ActorKind.SANDBOX and actor.sandbox == key:
                own += amount
            elif actor.kind is ActorKind.UNKNOWN:
                unknown += amount
            else:
                cpu = max(by_cpu, key=lambda number: by_cpu[number])
                neighbours.append(Share(actor, amount, cpu))
        neighbours.sort(key=lambda share: -share.wait_us)
        explained = own + sum(share.wait_us for share in neighbours)
        unknown = max(unknown, wait - explained)
        confidence = sure / wait if wait > 0 else 0.0
        return Shares(run, wait, own, unknown, min(1.0, confidence), tuple(neighbours))

    def all(self) -> Mapping[str, Shares]:
        """Every sandbox that was seen, by key."""
        return {key: self.shares(key) for key in self._totals}
