"""Who makes whom wait: blame from run time on the CPU where somebody waited.

For a vCPU thread t that waited Q on CPU c in an interval, each actor j that ran B_j on c gets
``Q x B_j / (sum B - run of t)``: while t waits, only others run there; it gets B_j at most, for
nobody is waited for longer than he ran. A thread whose last CPU changed waits half on each. What
/proc/stat calls busy beyond all known threads is the actor "unknown". (Definition: the project's
reference, 3.2; the form of sharing is that of CPI2, EuroSys 2013, with run delay in the place of
CPI.)
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from kataui.isolation.layout import (
    IRQ,
    MANY,
    SOFTIRQ,
    UNKNOWN,
    Actor,
    Layout,
    padded,
    rows_of,
)
from kataui.isolation.stream import Array

_IDLE, _IOWAIT, _IRQ, _SOFTIRQ = 3, 4, 5, 6  # columns of cpu_time
_GUEST = 8  # guest columns are in user and nice already
_SMALL = 0.005  # of a CPU's time: actors below are one, "many small ones"
_TOTALS = ("run_us", "wait_us", "sure_us", "alone_us")
_SHOWN = 0.002  # of a victim's wait: shares below are summed up
_LARGEST = 5


@dataclass(frozen=True, slots=True)
class Blame:
    """One interval: what is needed to share the waits, and the totals.

    ``matrix`` (sandboxes x actors, us) is each sandbox's wait because of each actor. It is
    ``weights @ by_cpu``: ``weights`` (sandboxes x CPUs) is the wait over the run time of all others
    there, ``by_cpu`` (CPUs x actors) the run time of each actor in us, interrupts and unknown
    included; the waiting threads' own run is taken off. By sandbox row: ``run_us`` and ``wait_us``
    of the vCPUs, ``sure_us`` the wait on CPUs that are certain, weighted by how much of their time
    is explained, ``alone_us`` the wait while nobody else ran there. All float32.
    """

    layout: Layout = field(repr=False)
    matrix: Array = field(repr=False)
    weights: Array = field(repr=False)
    by_cpu: Array = field(repr=False)
    run_us: Array = field(repr=False)
    wait_us: Array = field(repr=False)
    sure_us: Array = field(repr=False)
    alone_us: Array = field(repr=False)


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
    rest = np.maximum(all_run[pieces.cpu] - pieces.run, 0.0)
    weight = np.where(rest > 1.0, np.minimum(1.0, pieces.wait / np.maximum(rest, 1.0)), 0.0)
    rows = len(layout.view.sandboxes)
    place = pieces.victim.astype(np.int64) * cpus + pieces.cpu
    weights = np.bincount(place, weight, rows * cpus).reshape(rows, cpus)
    own = np.bincount(pieces.victim, weight * pieces.run, rows)
    vcpus = layout.vcpus
    owner = layout.sandbox[vcpus]
    certain = np.where(pieces.sure, pieces.wait, 0.0) * known_share[pieces.cpu]
    return Blame(
        layout=layout,
        matrix=_shared(layout, weights, own, by_cpu),
        weights=weights.astype(np.float32),
        by_cpu=by_cpu.astype(np.float32),
        run_us=np.bincount(owner, run[vcpus], rows),
        wait_us=np.bincount(owner, wait[vcpus], rows),
        sure_us=np.bincount(pieces.victim, certain, rows),
        alone_us=np.bincount(pieces.victim, np.maximum(0.0, pieces.wait - rest), rows),
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


def _shared(layout: Layout, weights: Array, own: Array, by_cpu: Array) -> Array:
    """Who makes whom wait in this interval; ``own`` is the part of the threads' own run."""
    matrix: Array = weights.astype(np.float32) @ by_cpu.astype(np.float32)
    mine = _own_vcpu_actor(layout)
    rows = np.flatnonzero(mine >= 0)
    matrix[rows, mine[rows]] -= own[rows]
    return np.maximum(matrix, 0.0)


def _own_vcpu_actor(layout: Layout) -> Array:
    """By sandbox row: the actor number of its own vCPUs, -1 when it has none."""
    numbers = np.full(len(layout.view.sandboxes), -1, np.int64)
    numbers[layout.sandbox[layout.vcpus]] = layout.actor[layout.vcpus]
    return numbers


@dataclass(frozen=True, slots=True)
class Share:
    """A victim's wait because of one actor, over a window: us.

    ``cpu`` is where most of it was; it is worked out for the largest share only, else -1.
    """

    actor: Actor
    wait_us: float
    cpu: int


@dataclass(frozen=True, slots=True)
class Shares:
    """One sandbox over a window. ``confidence`` 0..1: how certain the CPUs and the runners are.

    ``neighbours`` are the five largest others, ``others_us`` the rest of them; ``self_us`` is
    waiting for its own threads, ``limit_us`` because its own limit held it back, ``unknown_us`` for
    what no counter explains. The parts add up to ``wait_us``. Of the unknown, ``alone_us`` is the
    wait while nobody else ran there.
    """

    run_us: float
    wait_us: float
    self_us: float
    unknown_us: float
    confidence: float
    neighbours: tuple[Share, ...]
    others_us: float = 0.0
    limit_us: float = 0.0
    alone_us: float = 0.0


def limited(shares: Shares, limit_us: float) -> Shares:
    """The same with the wait of its own limit taken off before anybody is blamed.

    While a group is throttled its threads count as waiting, and whoever runs then is innocent. From
    Linux 6.18 on threads are throttled one by one and the group counts less than they wait: where
    nobody else ran, it was the limit, too.
    """
    if not limit_us > 0 or not shares.wait_us > 0:
        return shares
    limit_us = min(max(limit_us, shares.alone_us), shares.wait_us)
    rest = 1.0 - limit_us / shares.wait_us
    others_us = shares.others_us * rest
    blamed_us = others_us + sum(item.wait_us * rest for item in shares.neighbours)
    self_us = shares.self_us * rest
    return replace(
        shares,
        self_us=self_us,
        unknown_us=max(0.0, shares.wait_us - limit_us - self_us - blamed_us),
        others_us=others_us,
        limit_us=limit_us,
        neighbours=tuple(
            Share(item.actor, item.wait_us * rest, item.cpu) for item in shares.neighbours
        ),
    )


class Window:
    """Sums blame over the last intervals, by sandbox key; slots may change between them."""

    def __init__(self, blames: list[Blame]) -> None:
        self._found: dict[str, Shares] = {}
        begin = 0
        for end in range(1, len(blames) + 1):
            if end == len(blames) or blames[end].layout is not blames[begin].layout:
                for key, shares in _summed(blames[begin:end]):
                    before = self._found.get(key)
                    self._found[key] = shares if before is None else _joined(before, shares)
                begin = end

    def shares(self, key: str) -> Shares:
        """The window of one sandbox."""
        return self._found.get(key) or Shares(0.0, 0.0, 0.0, 0.0, 0.0, ())

    def all(self) -> Mapping[str, Shares]:
        """Every sandbox that was seen, by key."""
        return self._found


def _summed(blames: list[Blame]) -> Iterator[tuple[str, Shares]]:
    """Intervals of one layout, in a few operations on matrices."""
    layout = blames[0].layout
    sandboxes = layout.view.sandboxes
    if not sandboxes:
        return
    matrix = np.sum([item.matrix for item in blames], axis=0)
    totals = [np.sum([getattr(item, name) for item in blames], axis=0) for name in _TOTALS]
    kinds = _kinds(layout)
    for row, sandbox in enumerate(sandboxes):
        run, wait, sure, alone = (float(total[row]) for total in totals)
        line = matrix[row]
        own = float(line[kinds.owner == row].sum())
        unknown = float(line[kinds.unknown])
        others = np.where((kinds.owner == row) | kinds.is_unknown, 0.0, line)
        every = float(others.sum())
        top = _largest(others, max(1.0, _SHOWN * wait))
        neighbours = tuple(
            Share(layout.actors[n], float(line[n]), _place(blames, row, n) if n == top[0] else -1)
            for n in top
        )
        shown = sum(share.wait_us for share in neighbours)
        unknown = max(unknown, wait - own - every)
        sureness = min(1.0, sure / wait) if wait > 0 else 0.0
        yield (
            sandbox.key,
            Shares(
                run_us=run,
                wait_us=wait,
                self_us=own,
                unknown_us=unknown,
                confidence=sureness,
                neighbours=neighbours,
                others_us=max(0.0, every - shown),
                alone_us=alone,
            ),
        )


@dataclass(frozen=True, slots=True)
class _Kinds:
    """By actor number: the sandbox row that owns it (-1: nobody's); which one is unknown."""

    owner: Array
    is_unknown: Array
    unknown: int


def _kinds(layout: Layout) -> _Kinds:
    rows = {sandbox.key: row for row, sandbox in enumerate(layout.view.sandboxes)}
    owner = np.array([rows.get(actor.sandbox, -1) for actor in layout.actors], np.int64)
    unknown = layout.actors.index(UNKNOWN)
    return _Kinds(owner, np.arange(len(owner)) == unknown, unknown)


def _largest(values: Array, least: float) -> list[int]:
    """The places of the five largest values of at least ``least``, largest first."""
    places = np.flatnonzero(values >= least)
    return [int(place) for place in places[np.argsort(-values[places])[:_LARGEST]]]


def _place(blames: list[Blame], row: int, actor: int) -> int:
    """The CPU where most of one victim's wait because of one actor was."""
    by_cpu = sum(item.weights[row] * item.by_cpu[:, actor] for item in blames)
    return blames[0].layout.view.cpus[int(np.argmax(by_cpu))][0]


def _joined(first: Shares, second: Shares) -> Shares:
    """Two parts of a window with different layouts."""
    sums: dict[Actor, Share] = {}
    for share in (*first.neighbours, *second.neighbours):
        known = sums.get(share.actor)
        if known is None:
            sums[share.actor] = share
        else:
            larger = max(known, share, key=lambda item: item.wait_us)
            sums[share.actor] = Share(share.actor, known.wait_us + share.wait_us, larger.cpu)
    ordered = sorted(sums.values(), key=lambda share: -share.wait_us)
    wait = first.wait_us + second.wait_us
    sure = first.confidence * first.wait_us + second.confidence * second.wait_us
    rest = sum(share.wait_us for share in ordered[_LARGEST:])
    return Shares(
        run_us=first.run_us + second.run_us,
        wait_us=wait,
        self_us=first.self_us + second.self_us,
        unknown_us=first.unknown_us + second.unknown_us,
        confidence=sure / wait if wait > 0 else 0.0,
        neighbours=tuple(ordered[:_LARGEST]),
        others_us=first.others_us + second.others_us + rest,
        alone_us=first.alone_us + second.alone_us,
    )
