"""What the time line shows: the waiting of the sandbox that waits most, all the time."""

import numpy as np

from kataui.isolation.analysis import Analysis
from kataui.isolation.history import SECONDS
from kataui.isolation.history import History as Kept
from kataui.isolation.recording import Recording
from kataui.isolation.store import Marker
from kataui.isolation.stream import Array
from kataui.ui.isolation.chartparts import Flag
from kataui.ui.isolation.shown import worst_waits
from kataui.ui.isolation.timeline import History

_LIVE_S = 900


def live(analysis: Analysis, markers: list[Marker], wall_offset_s: float | None) -> History:
    """The last fifteen minutes."""
    times, waits = worst_waits(analysis.history, _LIVE_S)
    return History(times, waits.astype(np.float32), _flags(markers), wall_offset_s)


def recorded(recording: Recording, past: Kept | None, wall_offset_s: float | None) -> History:
    """The whole recording: from its overview, else from what was worked out."""
    overview = recording.overview
    if overview is None:
        times, waits = worst_waits(past or Kept(1), SECONDS)
    else:
        _, times, values, _ = overview
        waits = worst(values)
    return History(times, waits.astype(np.float32), _flags(recording.markers), wall_offset_s)


def worst(values: Array) -> Array:
    """The highest of each column; NaN where nothing is known."""
    if not len(values):
        return np.full(values.shape[1], np.nan)
    highest: Array = np.fmax.reduce(values, axis=0)
    return highest


def _flags(markers: list[Marker]) -> tuple[Flag, ...]:
    return tuple(Flag(marker.mono_us / 1e6, marker.name) for marker in markers)
