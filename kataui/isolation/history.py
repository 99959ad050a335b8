"""What is kept in memory for every sandbox: a few signals, one float32 a second and sandbox.

Kept for an hour for all sandboxes: ``SIGNALS``. Everything else (roles, links, pressure, disks,
threads) is read back from the stream for the one sandbox that is looked at (``detail``).
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from kataui.isolation.stream import Array

SIGNALS = ("waits", "external", "score", "cores", "helpers", "limit")
SECONDS = 3600
_GROW = 16


class History:
    """Rings by sandbox key. Each row is written twice, so that any window is one slice."""

    def __init__(self, seconds: int = SECONDS) -> None:
        self._size = seconds
        self._rows: dict[str, int] = {}
        self._free: list[int] = []
        self._data = np.full((0, len(SIGNALS), 2 * seconds), np.nan, np.float32)
        self._times = np.full(2 * seconds, np.nan)
        self._at = 0
        self.count = 0

    def push(self, time_s: float, keys: Sequence[str], columns: Mapping[str, Array]) -> None:
        """One moment: a value a sandbox, in the order of ``keys``. Others get a gap."""
        place = self._at % self._size
        rows = np.array([self._row(key) for key in keys], np.int64)
        self._times[[place, place + self._size]] = time_s
        for twice in (place, place + self._size):
            self._data[:, :, twice] = np.nan
            for index, name in enumerate(SIGNALS):
                self._data[rows, index, twice] = columns[name]
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
        block = self._data[:, SIGNALS.index(signal)]
        end = self._end
        return block[rows, max(end - min(count, self.count), 0) : end]

    @property
    def _end(self) -> int:
        if self._at == 0:
            return 0
        return (self._at - 1) % self._size + 1 + (self._size if self._at > self._size else 0)

    def _window(self, ring: Array, count: int) -> Array:
        end = self._end
        return ring[max(end - min(count, self.count), 0) : end]
