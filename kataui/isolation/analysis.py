"""The analysis of one stream: records in, a picture of each moment out.

Live, remote and replay are one path: whoever has records feeds them here.
"""

import statistics
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from kataui.isolation.accuse import Judgement, State, correlation, judge
from kataui.isolation.blame import (
    Blame,
    Shares,
    Where,
    Window,
    blame,
    busy_us,
    limited,
    places,
)
from kataui.isolation.collector import stream as wire
from kataui.isolation.cpumap import CpuMap
from kataui.isolation.history import SIGNALS, History
from kataui.isolation.layout import Actor, Layout, layout, padded
from kataui.isolation.model import HostView, host_view
from kataui.isolation.score import Grades, Scores
from kataui.isolation.signals import Signals, limits_us, signals
from kataui.isolation.span import Counters, Span
from kataui.isolation.stalls import stalls
from kataui.isolation.stream import Array, Decoder, Record, Sample

WINDOW_S = 10.0
_CORRELATE_S = 600
_GAP_FACTOR = 3.5  # periods without a sample that are a gap
_SUSPECTS = 5  # of each victim, whose use is correlated


@dataclass(frozen=True, slots=True)
class Picture:
    """One moment, judged: what the screens and the command line show.

    ``time_s`` is CLOCK_MONOTONIC of the host, ``wall_s`` its time of day; ``scores`` and
    ``grades`` are by sandbox key, ``signals`` by row of ``view.sandboxes``.
    """

    time_s: float
    wall_s: float
    view: HostView = field(repr=False)
    span: Span = field(repr=False)
    shares: Mapping[str, Shares] = field(repr=False)
    signals: Signals = field(repr=False)
    scores: Scores = field(repr=False)
    grades: Mapping[str, str] = field(repr=False)
    judgement: Judgement
    cost: float
    dropped: int

    @property
    def time_us(self) -> int:
        """``time_s`` as the stream has it: rounded, for cut off it would be the sample before."""
        return round(self.time_s * 1e6)


@dataclass(frozen=True, slots=True)
class _Interval:
    """What blame needs of one step; it is worked out when somebody looks."""

    layout: Layout = field(repr=False)
    end_us: int
    deltas: Array = field(repr=False)
    where: Where = field(repr=False)
    busy: tuple[Array, Array, Array] = field(repr=False)


class Analysis:
    """Takes records; ``picture`` judges the last ten seconds, ``history`` keeps the hour."""

    def __init__(self, anchors: Mapping[str, tuple[float, float]] | None = None) -> None:
        self.decoder = Decoder()
        self.counters = Counters()
        self.history = History()
        self.grades = Grades()
        self.cpu_map = CpuMap()
        self.logs: deque[str] = deque(maxlen=50)
        self._anchors = anchors or {}
        self._layout: Layout | None = None
        self._version = -1
        self._intervals: deque[_Interval] = deque()
        self._blames: dict[int, Blame] = {}
        self._actor_use: dict[Actor, deque[tuple[float, float]]] = {}
        self._disk_usual: dict[str, deque[float]] = {}
        self._last: Sample | None = None
        self._before: Sample | None = None
        self._was: Array = np.zeros(0)
        self._mapped = True

    @property
    def last(self) -> Sample | None:
        """The sample taken last."""
        return self._last

    @property
    def layout(self) -> Layout:
        """The current entities as arrays."""
        if self._layout is None or self._version != self.decoder.version:
            decoder = self.decoder
            view = host_view(decoder.head, decoder.facts, decoder.entities)
            self._layout, self._version = layout(view), decoder.version
        return self._layout

    def take(self, record: Record) -> bool:
        """Take in one record; whether it was a sample. Raises ``StreamDamaged``."""
        if record.kind == wire.KEY:
            self._take_key(record)
            return False
        if record.kind == wire.HEAD:
            self.counters.restart()  # another collector: its slots mean something else
            self._intervals.clear()
            self._blames.clear()
        elif record.kind == wire.ENTITIES:
            self._forget_reused(record)
        elif record.kind == wire.LOG:
            self.logs.append(str(record.json().get("text", ""))[:500])
        sample = self.decoder.take(record)
        if sample is None:
            return False
        self._take_sample(sample)
        return True

    def _take_key(self, record: Record) -> None:
        """After a key the same slots go on, unless entities differ: those count anew."""
        before = {s: dict(e) for s, e in self.decoder.entities.items()}
        self.decoder.take(record)
        for space, now in self.decoder.entities.items():
            was = before.get(space, {})
            other = [
                slot for slot, given in now.items() if _identity(was.get(slot)) != _identity(given)
            ]
            self.counters.forget(space, other)

    def _forget_reused(self, record: Record) -> None:
        news = record.json().get("add")
        by_space: dict[str, list[int]] = {}
        for row in news if isinstance(news, list) else ():
            if isinstance(row, list) and len(row) == 3 and isinstance(row[1], int):
                by_space.setdefault(str(row[0]), []).append(row[1])
        for space, slots in by_space.items():
            self.counters.forget(space, slots)

    def _take_sample(self, sample: Sample) -> None:
        place = sample.table("place")
        if place is not None:
            now = self.counters.values.get("place")
            self._was = now[:, 0].astype(float) if now is not None else place[:, 0].astype(float)
        self.counters.take(sample)
        self._before, self._last = self._last, sample
        steps = self.counters.steps["run"]
        times = self.counters.steps["cpu_time"]
        if not steps or not times or steps[-1].end_us < sample.mono_us:
            return
        current = self.layout
        last = self.counters.values.get("place")
        now = last[:, 0].astype(float) if last is not None else np.zeros(0)
        tick_us = 1e6 / float(self.decoder.head.get("ticks_per_second") or 100)
        interval = _Interval(
            current,
            steps[-1].end_us,
            steps[-1].deltas,
            places(current, now, self._was),
            busy_us(current, times[-1].deltas, tick_us),
        )
        self._intervals.append(interval)
        self._mapped = False
        while self._intervals[0].end_us <= interval.end_us - WINDOW_S * 1e6:
            self._blames.pop(id(self._intervals.popleft()), None)

    def picture(self) -> Picture | None:
        """The last ten seconds, judged; None before the second sample."""
        if not self._intervals or self._last is None:
            return None
        current = self.layout
        span = self.counters.span(WINDOW_S)
        self._map_cpus()
        shares = self._shares(list(self._intervals), current, span)
        measured = signals(current, span, shares, self._disk_ratio(span, current.view))
        view = current.view
        scores = Scores([sandbox.key for sandbox in view.sandboxes], measured, self._anchors)
        grades = {key: self.grades.show(key, grade) for key, grade in scores.grades().items()}
        time_s = self._last.mono_us / 1e6
        self._remember(time_s, view, measured)
        judgement = judge(view, self._state(view, measured, shares))
        return Picture(
            time_s=time_s,
            wall_s=self._last.wall_us / 1e6,
            view=view,
            span=span,
            shares=shares,
            signals=measured,
            scores=scores,
            grades=grades,
            judgement=judgement,
            cost=self._cost(),
            dropped=self._last.dropped,
        )

    def glance(self) -> None:
        """Note the newest interval in the CPU map and the history, without judging it."""
        if not self._intervals:
            return
        self._map_cpus()
        current, end_us = self.layout, self._intervals[-1].end_us
        time_s, view = end_us / 1e6, current.view
        measured = signals(current, self.counters.span(0.5), {}, float("nan"))
        self._remember(time_s, view, measured)

    def _map_cpus(self) -> None:
        """The newest interval into the CPU map, once."""
        if not self._mapped:
            self._mapped = True
            step = self.counters.steps["run"][-1]
            self.cpu_map.push(self._blame(self._intervals[-1]), step.seconds)

    @property
    def interval_end_s(self) -> float | None:
        """The end of the newest interval (s, CLOCK_MONOTONIC of the host)."""
        return self._intervals[-1].end_us / 1e6 if self._intervals else None

    def instant(self) -> tuple[float, HostView, Signals] | None:
        """The last interval alone: its end (s), who was there, their signals (no average)."""
        if not self._intervals:
            return None
        current = self.layout
        last = self._intervals[-1]
        span = self.counters.span(0.5)  # the newest step of each table
        shares = self._shares([last], current, span)
        return last.end_us / 1e6, current.view, signals(current, span, shares, float("nan"))

    def _shares(self, intervals: list[_Interval], current: Layout, span: Span) -> dict[str, Shares]:
        """Who waits for whom in some intervals, without what their own limits explain."""
        limits = limits_us(current, span)
        found = Window([self._blame(item) for item in intervals]).all()
        return {key: limited(item, limits.get(key, 0.0)) for key, item in found.items()}

    def _blame(self, item: _Interval) -> Blame:
        found = self._blames.get(id(item))
        if found is None:
            found = blame(item.layout, item.deltas, item.where, item.busy)
            self._blames[id(item)] = found
        return found

    def _cost(self) -> float:
        """The collector's own use of CPU between the last two samples, in cores."""
        now, before = self._last, self._before
        if now is None or before is None or now.mono_us <= before.mono_us:
            return float("nan")
        return (now.cpu_us - before.cpu_us) / (now.mono_us - before.mono_us)

    def _disk_ratio(self, span: Span, view: HostView) -> float:
        """How much slower the busiest disk is than it usually was here."""
        ratio = float("nan")
        requests = span.delta("disk", "reads") + span.delta("disk", "writes")
        spent = span.delta("disk", "read_ms") + span.delta("disk", "write_ms")
        for disk in view.disks:
            if disk.slot >= len(requests) or not requests[disk.slot] > 0:
                continue
            each_ms = float(spent[disk.slot] / requests[disk.slot])
            usual = self._disk_usual.setdefault(disk.name, deque(maxlen=600))
            if len(usual) >= 30:
                median = max(statistics.median(usual), 0.05)
                ratio = float(np.fmax(ratio, each_ms / median))
            usual.append(each_ms)
        return ratio

    def _remember(self, time_s: float, view: HostView, measured: Signals) -> None:
        columns = {name: getattr(measured, name) for name in SIGNALS}
        self.history.push(time_s, [sandbox.key for sandbox in view.sandboxes], columns)
        self._remember_use(time_s)

    def _remember_use(self, time_s: float) -> None:
        """CPU use by actor for the correlation: only of those who ran."""
        item = self._intervals[-1]
        current = item.layout
        run = np.nan_to_num(padded(item.deltas[:, 0], len(current.sandbox)))
        use = np.bincount(current.actor[current.live], run[current.live], len(current.actors))
        for number in np.flatnonzero(use > 1000.0):
            ring = self._actor_use.setdefault(current.actors[number], deque(maxlen=_CORRELATE_S))
            ring.append((time_s, float(use[number])))
        old = [a for a, ring in self._actor_use.items() if ring[-1][0] < time_s - _CORRELATE_S]
        for actor in old:
            del self._actor_use[actor]

    def _state(self, view: HostView, measured: Signals, shares: Mapping[str, Shares]) -> State:
        def by_key(values: Array) -> dict[str, float]:
            return {s.key: float(values[row]) for row, s in enumerate(view.sandboxes)}

        external = by_key(measured.external)
        correlations = {
            key: {
                share.actor: self._correlation(key, share.actor)
                for share in found.neighbours[:_SUSPECTS]
            }
            for key, found in shares.items()
            if external.get(key, 0.0) > 0.01
        }
        return State(
            external=external,
            limit=by_key(measured.limit),
            waits=by_key(measured.waits),
            throttled=by_key(measured.throttled),
            stalls=stalls(
                view,
                self.counters.span(WINDOW_S),
                by_key(measured.io_stall),
                by_key(measured.memory_stall),
            ),
            shares=shares,
            correlations=correlations,
            not_measured=_not_measured(view, measured),
        )

    def _correlation(self, key: str, actor: Actor) -> float | None:
        """The victim's waits with the suspect's use; without an entry an actor did not run."""
        ring = self._actor_use.get(actor)
        if ring is None:
            return None
        times = self.history.times(_CORRELATE_S)
        waits = self.history.last(key, "external", _CORRELATE_S).astype(float)
        use = np.zeros(len(times))
        at = np.searchsorted(times, [time_s for time_s, _ in ring])
        inside = at < len(times)
        use[at[inside]] = np.array([amount for _, amount in ring])[inside]
        return correlation(np.nan_to_num(waits), use)


def _identity(given: Mapping[str, object] | None) -> tuple[object, ...] | None:
    """What makes two descriptions the same entity."""
    if given is None:
        return None
    return tuple(
        given.get(n) for n in ("key", "tid", "pid", "start", "name", "sandbox", "path", "cpu")
    )


def _not_measured(view: HostView, measured: Signals) -> tuple[str, ...]:
    """What no sandbox has a value for, in words; cache and bandwidth need resctrl."""
    missing = [
        words
        for words, values in (
            ("IO stalls", measured.io_stall),
            ("memory stalls", measured.memory_stall),
        )
        if len(values) and np.isnan(values).all()
    ]
    if view.fact("/sys/fs/resctrl/schemata") is None:
        missing += ["cache", "memory bandwidth"]
    return tuple(missing)
