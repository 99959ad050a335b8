"""What changed over the last seconds: differences of counters, with gaps kept as gaps."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from kataui.isolation.collector.tables import BY_NAME, MISSING, TABLES
from kataui.isolation.stream import Array, Sample

_US = 1e-6


@dataclass(frozen=True, slots=True)
class Step:
    """The differences of one table between two samples: rows x columns, NaN where unknown.

    ``begin_us`` and ``end_us`` are the monotonic times of the two readings.
    """

    begin_us: int
    end_us: int
    deltas: Array = field(repr=False)

    @property
    def seconds(self) -> float:
        """The time between the two readings."""
        return (self.end_us - self.begin_us) * _US


class Counters:
    """Keeps the last values of every table, and the steps of the last ``keep_s`` seconds.

    A counter that went back is a restart: that step is unknown, not a spike. A slot that was
    given to somebody else begins anew.
    """

    def __init__(self, keep_s: float = 60.0) -> None:
        self._keep_us = int(keep_s / _US)
        self.steps: dict[str, deque[Step]] = {table.name: deque() for table in TABLES}
        self.values: dict[str, Array] = {}
        self._read_us: dict[str, int] = {}

    def forget(self, space: str, slots: list[int]) -> None:
        """Slots of a space belong to new entities now."""
        for table in TABLES:
            values = self.values.get(table.name)
            if table.space != space or values is None:
                continue
            mine = [slot for slot in slots if slot < len(values)]
            values[mine] = MISSING
            for step in self.steps[table.name]:
                step.deltas[[slot for slot in mine if slot < len(step.deltas)]] = np.nan

    def restart(self) -> None:
        """Another segment with other slots begins after a gap: nothing can be compared."""
        for steps in self.steps.values():
            steps.clear()
        self.values.clear()
        self._read_us.clear()

    def take(self, sample: Sample) -> None:
        """Take in one sample."""
        for name, group in sample.groups.items():
            end_us = sample.mono_us + group.offset_us
            before, begin_us = self.values.get(name), self._read_us.get(name, 0)
            self.values[name], self._read_us[name] = group.values, end_us
            if before is None or end_us <= begin_us:
                continue
            steps = self.steps[name]
            steps.append(Step(begin_us, end_us, _difference(before, group.values)))
            while steps[0].end_us <= end_us - self._keep_us:
                steps.popleft()

    def span(self, seconds: float) -> "Span":
        """What happened in the last ``seconds``."""
        return Span(self, seconds)


def _difference(before: Array, now: Array) -> Array:
    deltas = np.full(now.shape, np.nan)
    rows = min(len(before), len(now))
    old, new = before[:rows], now[:rows]
    known = (old != MISSING) & (new != MISSING) & (new >= old)
    deltas[:rows][known] = (new - old)[known]
    return deltas


class Span:
    """Sums and rates over the last seconds, by slot; NaN where nothing is known."""

    def __init__(self, counters: Counters, seconds: float) -> None:
        self._counters = counters
        self._seconds = seconds
        self._sums: dict[str, tuple[Array, Array]] = {}

    def delta(self, table: str, column: str) -> Array:
        """How much a counter grew, by slot."""
        return self._sum(table)[0][:, BY_NAME[table].columns.index(column)]

    def seconds(self, table: str, column: str) -> Array:
        """The time over which that was seen, by slot."""
        return self._sum(table)[1][:, BY_NAME[table].columns.index(column)]

    def rate(self, table: str, column: str) -> Array:
        """Growth a second, by slot (us a second for times in us)."""
        seconds = self.seconds(table, column)
        with np.errstate(divide="ignore", invalid="ignore"):
            rates: Array = self.delta(table, column) / seconds
        rates[~(seconds > 0)] = np.nan
        return rates

    def now(self, table: str, column: str) -> Array:
        """The value read last, by slot; NaN where it is missing."""
        values = self._counters.values.get(table)
        if values is None:
            return np.zeros(0)
        column_values: Array = values[:, BY_NAME[table].columns.index(column)].astype(float)
        column_values[column_values == MISSING] = np.nan
        return column_values

    def steps(self, table: str) -> list[Step]:
        """The single steps, oldest first."""
        steps = self._counters.steps[table]
        if not steps:
            return []
        begin_us = steps[-1].end_us - int(self._seconds / _US)
        return [step for step in steps if step.end_us > begin_us]

    def _sum(self, table: str) -> tuple[Array, Array]:
        """Deltas and seconds, rows x columns."""
        if table not in self._sums:
            steps = self.steps(table)
            rows = max((len(step.deltas) for step in steps), default=0)
            shape = (rows, len(BY_NAME[table].columns))
            total, seconds = np.zeros(shape), np.zeros(shape)
            for step in steps:
                known = ~np.isnan(step.deltas)
                total[: len(known)] += np.where(known, step.deltas, 0.0)
                seconds[: len(known)] += known * step.seconds
            total[seconds == 0] = np.nan
            self._sums[table] = (total, seconds)
        return self._sums[table]


def at(values: Array, slot: int) -> float:
    """One slot's value; NaN when the table has no such row (yet)."""
    return float(values[slot]) if 0 <= slot < len(values) else float("nan")
