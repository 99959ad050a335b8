"""From signals to a score: 0 to 100 by the weakest link, with grade and coverage.

Each signal maps to 100 at a good and to 0 at a bad anchor, logarithmically between them (the
project's reference, 3.3). CPU, network, IO and memory are the minimum of their signals, the score
is the minimum of those: a mean could hide the total loss of one path.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kataui.isolation.signals import Signals

CPU, NETWORK, IO, MEMORY = "CPU", "network", "IO", "memory"
_GRADES = ((85, "A"), (70, "B"), (50, "C"), (30, "D"), (-1, "E"))
_ENOUGH_COVERAGE = 0.6  # below it nothing is better than B
_WINDOWS = 3  # a grade changes after so many windows


@dataclass(frozen=True, slots=True)
class Anchor:
    """A signal's name in ``Signals``, its part, words, unit, and its two anchors."""

    signal: str
    part: str
    title: str
    unit: str
    good: float
    bad: float
    formula: str


ANCHORS = (
    Anchor(
        "external",
        CPU,
        "waits for others",
        "%",
        0.01,
        0.20,
        "(wait - own limit - own threads) / (run + wait) of the vCPUs, schedstat",
    ),
    Anchor(
        "slice_wait_ms",
        CPU,
        "mean wait a timeslice",
        "ms",
        0.1,
        5.0,
        "(wait - own limit - own threads) / timeslices of the vCPUs, schedstat",
    ),
    Anchor(
        "overlap",
        CPU,
        "its own CPUs used by others",
        "%",
        0.005,
        0.10,
        "(run time of others + irq + softirq) on CPUs with a pinned vCPU / time",
    ),
    Anchor(
        "preempted_hz",
        CPU,
        "preempted",
        "a second",
        20.0,
        2000.0,
        "nonvoluntary_ctxt_switches of the vCPU that has most, a second",
    ),
    Anchor(
        "drop_ratio",
        NETWORK,
        "packets dropped",
        "%",
        1e-6,
        1e-3,
        "dropped / (packets + dropped) on its links, /proc/PID/net/dev",
    ),
    Anchor(
        "vhost_load",
        NETWORK,
        "vhost thread used up",
        "%",
        0.60,
        0.98,
        "(run + wait) / time of the vhost thread that has most",
    ),
    Anchor(
        "io_stall",
        IO,
        "stalls on IO",
        "%",
        0.01,
        0.30,
        "growth of total in io.pressure (some) / time",
    ),
    Anchor(
        "disk_ratio",
        IO,
        "disk slower than usual",
        "x",
        1.2,
        10.0,
        "time a request now / its median here, /proc/diskstats",
    ),
    Anchor(
        "memory_stall",
        MEMORY,
        "stalls on memory",
        "%",
        0.005,
        0.20,
        "growth of total in memory.pressure (some) / time",
    ),
    Anchor(
        "remote_memory",
        MEMORY,
        "memory on other nodes",
        "%",
        0.05,
        0.60,
        "anon pages on nodes without its vCPUs / all, memory.numa_stat",
    ),
)
BLAST = Anchor(
    "blast_cores",
    CPU,
    "makes others wait",
    "cores",
    0.01,
    1.0,
    "wait of others that is blamed on it / time",
)


@dataclass(frozen=True, slots=True)
class Part:
    """One signal of one sandbox: its value and points; None is not measured."""

    anchor: Anchor
    value: float | None
    points: float | None


@dataclass(frozen=True, slots=True)
class Score:
    """``points`` 0..100 or None (nothing measured); ``weakest`` holds it down.

    ``coverage`` is the share of applicable signals that were measured.
    """

    points: float | None
    coverage: float
    weakest: Part | None
    parts: tuple[Part, ...] = field(repr=False)

    @property
    def grade(self) -> str:
        """A to E; nothing better than B with little coverage; empty without points."""
        return grade_of(self.points, self.coverage)


def points_of(anchor: Anchor, value: float) -> float:
    """0..100 by log-linear interpolation between the anchors."""
    if value <= anchor.good:
        return 100.0
    if value >= anchor.bad:
        return 0.0
    return 100.0 * (1.0 - math.log(value / anchor.good) / math.log(anchor.bad / anchor.good))


def grade_of(points: float | None, coverage: float = 1.0) -> str:
    """The grade of a score."""
    if points is None:
        return ""
    grade = next(grade for edge, grade in _GRADES if points >= edge)
    return "B" if grade == "A" and coverage < _ENOUGH_COVERAGE else grade


def least_points(grade: str) -> int:
    """The points from which on a score has this grade."""
    return next(edge for edge, name in _GRADES if name == grade)


def score(signals: Signals, row: int, anchors: Mapping[str, tuple[float, float]]) -> Score:
    """The score of the sandbox in ``row``; ``anchors`` replace the default ones by signal."""
    parts = []
    applicable = 0
    for anchor in ANCHORS:
        applies = signals.applies.get(anchor.signal)
        if applies is not None and not applies[row]:
            continue
        applicable += 1
        value = float(getattr(signals, anchor.signal)[row])
        if math.isnan(value):
            parts.append(Part(anchor, None, None))
            continue
        good, bad = anchors.get(anchor.signal, (anchor.good, anchor.bad))
        used = anchor if (good, bad) == (anchor.good, anchor.bad) else _moved(anchor, good, bad)
        parts.append(Part(used, value, points_of(used, value)))
    measured = [part for part in parts if part.points is not None]
    weakest = min(measured, key=lambda part: part.points or 0.0, default=None)
    coverage = len(measured) / applicable if applicable else 0.0
    return Score(weakest.points if weakest else None, coverage, weakest, tuple(parts))


def _moved(anchor: Anchor, good: float, bad: float) -> Anchor:
    return Anchor(anchor.signal, anchor.part, anchor.title, anchor.unit, good, bad, anchor.formula)


class Scores(Mapping[str, Score]):
    """The scores of all sandboxes by key: points and coverage at once, a ``Score`` when asked."""

    def __init__(
        self, keys: Sequence[str], signals: Signals, anchors: Mapping[str, tuple[float, float]]
    ) -> None:
        self._rows = {key: row for row, key in enumerate(keys)}
        self._signals = signals
        self._anchors = anchors
        shape = (len(ANCHORS), len(keys))
        points, applies = np.full(shape, np.nan), np.ones(shape, bool)
        for number, anchor in enumerate(ANCHORS):
            good, bad = anchors.get(anchor.signal, (anchor.good, anchor.bad))
            values = np.asarray(getattr(signals, anchor.signal), float)
            fraction = np.log(np.maximum(values, good) / good) / np.log(bad / good)
            points[number] = 100.0 * (1.0 - np.minimum(fraction, 1.0))
            applies[number] = signals.applies.get(anchor.signal, True)
        points[~applies] = np.nan
        known = ~np.isnan(points)
        lowest = np.where(known, points, np.inf).min(axis=0, initial=np.inf)
        self.points = np.where(np.isinf(lowest), np.nan, lowest)
        self.coverage = known.sum(axis=0) / np.maximum(applies.sum(axis=0), 1)

    def grades(self) -> dict[str, str]:
        """The grade of every sandbox."""
        return {
            key: grade_of(None if np.isnan(p) else float(p), float(c))
            for key, p, c in zip(self._rows, self.points, self.coverage, strict=True)
        }

    def __getitem__(self, key: str) -> Score:
        return score(self._signals, self._rows[key], self._anchors)

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


class Grades:
    """Grades that change only after three windows say so, by sandbox key."""

    def __init__(self) -> None:
        self._shown: dict[str, str] = {}
        self._next: dict[str, tuple[str, int]] = {}

    def show(self, key: str, grade: str) -> str:
        """The grade to show for a sandbox whose latest window has ``grade``."""
        shown = self._shown.setdefault(key, grade)
        if grade == shown:
            self._next.pop(key, None)
            return shown
        wanted, times = self._next.get(key, (grade, 0))
        times = times + 1 if wanted == grade else 1
        if times >= _WINDOWS or not shown:
            self._shown[key] = grade
            self._next.pop(key, None)
            return grade
        self._next[key] = (grade, times)
        return shown

    def forget(self, keys: set[str]) -> None:
        """Keep only these sandboxes."""
        self._shown = {key: value for key, value in self._shown.items() if key in keys}
        self._next = {key: value for key, value in self._next.items() if key in keys}


def host_points(points: list[float]) -> float | None:
    """The host: the worst decile of its sandboxes, less the share of those below C."""
    if not points:
        return None
    ordered = sorted(points)
    decile = ordered[: max(1, len(ordered) // 10)]
    below = sum(value < 50 for value in ordered) / len(ordered)
    return max(0.0, sum(decile) / len(decile) - 10.0 * below)
