"""The overview in a recording's index: waits and score of every sandbox, one byte each a sample."""

import base64
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from kataui.isolation.stream import Array

_NONE = 255


class Overview:
    """Waits and score of every sandbox, one byte each a sample."""

    def __init__(self) -> None:
        self.times_us: list[int] = []
        self._rows: dict[str, int] = {}
        self._columns: dict[str, list[tuple[Array, Array]]] = {"waits": [], "score": []}

    def add(self, time_us: int, keys: Sequence[str], waits: Array, scores: Array) -> None:
        """One sample: fractions of waiting and points, in the order of ``keys``; NaN is none."""
        self.times_us.append(time_us)
        rows = np.array([self._rows.setdefault(key, len(self._rows)) for key in keys], np.int32)
        for name, values, scale in (("waits", waits, 200.0), ("score", scores, 2.0)):
            scaled = np.clip(np.nan_to_num(values) * scale, 0, 200).round()
            packed = np.where(np.isnan(values), _NONE, scaled).astype(np.uint8)
            self._columns[name].append((rows, packed))

    def document(self) -> dict[str, Any]:
        """The overview as JSON holds it: times, and a packed matrix a signal."""
        if not self.times_us:
            return {}
        packed = {}
        for name, columns in self._columns.items():
            matrix = np.full((len(self._rows), len(self.times_us)), _NONE, np.uint8)
            for column, (rows, values) in enumerate(columns):
                matrix[rows, column] = values
            packed[name] = base64.b64encode(zlib.compress(matrix.tobytes(), 6)).decode("ascii")
        return {"overview": {"keys": list(self._rows), "times_us": self.times_us, **packed}}


def unpack_overview(document: Any) -> tuple[list[str], Array, Array, Array] | None:
    """Keys, times (s), waits (fraction) and scores (points), keys x times; None if damaged."""
    try:
        keys, times = document["keys"], np.array(document["times_us"], np.int64)
        shape = (len(keys), len(times))
        found = []
        for name, scale in (("waits", 200.0), ("score", 2.0)):
            inflater = zlib.decompressobj()
            size = shape[0] * shape[1]
            raw = inflater.decompress(base64.b64decode(document[name]), size + 1)
            values = np.frombuffer(raw, np.uint8).reshape(shape).astype(np.float32)
            found.append(np.where(values == _NONE, np.nan, values / np.float32(scale)))
    except (KeyError, TypeError, ValueError, OverflowError, zlib.error):
        return None
    return [str(key) for key in keys], times / 1e6, found[0], found[1]
