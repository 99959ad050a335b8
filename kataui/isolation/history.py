"""What is kept in memory for every sandbox: a few signals, one float32 a second and sandbox.

Kept for an hour for all sandboxes: ``SIGNALS``. Everything else (roles, links, pressure, disks,
threads) is read back from the stream for the one sandbox that is looked at (``detail``).
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from kataui.isolation.stream import Array

SIGNALS = ("waits", "external")
SECONDS = 3600
_GROW = 16


class History:
    """Rings by sandbox key, float32."""

    def __init__(self, seconds: int = SECONDS) -> None:
        self._size = seconds
        self._rows: dict[str, int] = {}
        self._free: list[int] = []
        self._data = np.full((0, len(SIGNALS), seconds), np.nan, np.float32)
        self._times = np.full(seconds, np.nan)
        self._at = 0
        self.count = 0

    def push(self, time_s: float, keys: Sequence[str], columns: Mapping[str, Array]) -> None:
        """One moment: a value a sandbox, in the order of ``keys``. Others get a gap."""
        place = self._at % self._size
        rows = np.array([self._row(key) for key in keys], np.int64)
        self._times[place] = time_s
        self._data[:, :, place] = np.nan
        for index, name in enumerate(SIGNALS):
            self._data[rows, index, place] = columns[name]
        self._at += 1
        self.count = min(self.count + 1, self._size)

    def _row(self, key: str) -> int:
        row = self._rows.get(key)
        if row is not None:
            return row
        if not self._free:
            before = len(self._data)
            more = np.full((_GROW, *self._data.shape[1:]), np.nan, np.float32)
            self._data = np.concatenate([self._data, more])
            self._free = list(range(before + _GROW - 1, before - 1, -1))
        row = self._rows[key] = self._free.pop()
        self._data[row] = np.nan
        return row

    def adopt(self, other: "History") -> None:
        """Replace the newest moments by those of another history that has more of them."""
        times = other.times(other.count)
        if not len(times):
            return
        while self.count and self.times(1)[0] >= times[0]:
            self._at -= 1
            self.count -= 1
        keys = other.keys
        for place, time_s in enumerate(times):
            columns = {name: other.all(name, other.count)[:, place] for name in SIGNALS}
            self.push(float(time_s), keys, columns)

    def forget_all_but(self, keys: Iterable[str]) -> None:
        """Give up sandboxes that left no value within the ring."""
        keep = set(keys)
        for key in [key for key in self._rows if key not in keep]:
            row = self._rows[key]
            if np.isnan(self._data[row, 0]).all():
                self._free.append(self._rows.pop(key))

    @property
    def keys(self) -> list[str]:
        """The sandboxes that have a row."""
        return list(self._rows)

    def times(self, count: int) -> Array:
        """The last ``count`` moments (seconds, CLOCK_MONOTONIC), oldest first."""
        return self._window(self._times, count)

    def last(self, key: str, signal: str, count: int) -> Array:
        """The last ``count`` values; fewer when there are not as many; empty if never seen."""
        row = self._rows.get(key)
        if row is None:
            return np.zeros(0, np.float32)
        return self._window(self._data[row, SIGNALS.index(signal)], count)

    def all(self, signal: str, count: int) -> Array:
        """Sandboxes x the last ``count`` values, in the order of ``keys``."""
        rows = list(self._rows.values())
        return self._window(self._data[:, SIGNALS.index(signal)], count)[rows]

    def _window(self, ring: Array, count: int) -> Array:
        """The newest of the last axis; a copy only where the window goes over the ring's end."""
        count = min(count, self.count)
        begin = (self._at - count) % self._size
        over = begin + count - self._size
        if over <= 0:
            return ring[..., begin : begin + count]
        return np.concatenate([ring[..., begin:], ring[..., :over]], axis=-1)
