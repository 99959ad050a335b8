"""What the time line shows: the waiting of the sandbox that waits most, all the time."""

import numpy as np

from kataui.isolation.analysis import Analysis, Picture
from kataui.isolation.history import SECONDS
from kataui.isolation.history import History as Kept
from kataui.isolation.recording import Recording
from kataui.isolation.store import Marker
from kataui.isolation.stream import Array
from kataui.ui.isolation.chartparts import Flag
from kataui.ui.isolation.shown import worst_waits
from kataui.ui.isolation.timeline import History

_LIVE_S = 900


def live(analysis: Analysis, markers: list[Marker], picture: Picture) -> History:
    """The last fifteen minutes; the picture tells the hour of day."""
    times, waits = worst_waits(analysis.history, _LIVE_S)
    return _history(times, waits, markers, picture)


def recorded(recording: Recording, past: Kept | None, picture: Picture) -> History:
    """The whole recording: from its overview, else from what was worked out."""
    overview = recording.overview
    if overview is None:
        times, waits = worst_waits(past or Kept(1), SECONDS)
    else:
        _, times, values, _ = overview
        waits = worst(values)
    return _history(times, waits, recording.markers, picture)


def _history(times: Array, waits: Array, markers: list[Marker], picture: Picture) -> History:
    flags = tuple(Flag(marker.mono_us / 1e6, marker.name, marker.note) for marker in markers)
    return History(times, waits.astype(np.float32), flags, picture.wall_s - picture.time_s)


def worst(values: Array) -> Array:
    """The highest of each column; NaN where nothing is known."""
    if not len(values):
        return np.full(values.shape[1], np.nan)
    highest: Array = np.fmax.reduce(values, axis=0)
    return highest
