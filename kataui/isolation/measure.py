"""A and B of a recording: series of signals between markers, compared (see ``experiment``)."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from kataui.errors import KatauiError
from kataui.files import clean
from kataui.isolation.experiment import WARM_UP_S, Answer, Effect, Side, effect, steady
from kataui.isolation.model import Role
from kataui.isolation.player import Player
from kataui.isolation.store import Marker
from kataui.isolation.stream import Array

SIGNALS = (
    *("waits", "waits for others", "own limit", "IO stalls", "memory stalls", "CPU of helpers"),
)
_LEAST_S = 15.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a recording: seconds of its own clock (CLOCK_MONOTONIC of the host)."""

    name: str
    begin_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two stretches compared. ``series``: sandbox name to signal to (times, values)."""

    a: Stretch
    b: Stretch
    effects: tuple[Effect, ...]
    series: dict[str, dict[str, Side]] = field(repr=False)
    warm_up_s: float = WARM_UP_S

    @property
    def main(self) -> Effect | None:
        """The effect to show first: the waiting that changed most."""
        waits = [
            item
            for item in self.effects
            if item.signal == "waits" and item.answer is not Answer.UNKNOWN
        ]
        return max(waits, key=lambda item: abs(item.change), default=None)


def stretches(markers: list[Marker], end_s: float, a: str, b: str) -> tuple[Stretch, Stretch]:
    """From marker ``a`` to the next marker, and from ``b`` to the next or the end.

    Raises ``KatauiError`` when a marker is not there.
    """
    ordered = sorted(markers, key=lambda marker: marker.mono_us)

    def stretch(name: str) -> Stretch:
        for number, marker in enumerate(ordered):
            if marker.name == name:
                later = ordered[number + 1 :]
                end = later[0].mono_us / 1e6 if later else end_s
                return Stretch(name, marker.mono_us / 1e6, end)
        names = ", ".join(clean(marker.name) for marker in ordered) or "none"
        raise KatauiError(f"There is no marker {clean(name)!r}.", hint=f"Markers here: {names}.")

    return stretch(a), stretch(b)


def collect(
    player: Player, begin_s: float, end_s: float, *, on_time: Callable[[int], None] | None = None
) -> dict[str, dict[str, Side]]:
    """Signals of every sandbox between two times, by sandbox name, a value a sample."""
    player.seek(round(begin_s * 1e6))
    times: dict[str, list[float]] = {}
    values: dict[str, list[tuple[float, ...]]] = {}
    end_us = round(end_s * 1e6)
    while player.pass_over() is not None and player.time_us <= end_us:
        found = player.analysis.instant()
        if found is None:
            continue
        time_s, view, signals = found
        helpers = sum(
            (v for role, v in signals.cores.items() if role is not Role.VCPU),
            np.zeros(len(view.sandboxes)),
        )
        columns = (
            *(signals.waits, signals.external, signals.limit),
            *(signals.io_stall, signals.memory_stall, helpers),
        )
        for row, sandbox in enumerate(view.sandboxes):
            times.setdefault(sandbox.name, []).append(time_s)
            values.setdefault(sandbox.name, []).append(tuple(float(c[row]) for c in columns))
        if on_time is not None:
            on_time(player.time_us)
    return {
        name: {
            signal: Side(np.array(times[name]), np.array(rows)[:, column])
            for column, signal in enumerate(SIGNALS)
        }
        for name, rows in values.items()
    }


def compare(
    player_a: Player,
    a: Stretch,
    player_b: Player,
    b: Stretch,
    *,
    warm_up_s: float = WARM_UP_S,
    on_time: Callable[[int], None] | None = None,
) -> Comparison:
    """A against B, for every sandbox that is in both (by name). Raises ``KatauiError``.

    The signals are those of single intervals; seconds that follow one another resemble each other,
    which the blocks of the bootstrap take care of.
    """
    for stretch in (a, b):
        if stretch.end_s - stretch.begin_s < warm_up_s + _LEAST_S:
            raise KatauiError(
                f"{clean(stretch.name)} lasts only {stretch.end_s - stretch.begin_s:.0f} s.",
                hint=f"{warm_up_s:.0f} s of warm-up and {_LEAST_S:.0f} s of measuring are needed.",
            )
    series_a = collect(player_a, a.begin_s, a.end_s, on_time=on_time)
    series_b = collect(player_b, b.begin_s, b.end_s, on_time=on_time)
    shared = [name for name in series_a if name in series_b]
    if not shared:
        raise KatauiError("No sandbox is in both A and B.")
    effects = []
    for name in shared:
        for signal in SIGNALS:
            before = steady(series_a[name][signal], a.begin_s, a.end_s, warm_up_s)
            after = steady(series_b[name][signal], b.begin_s, b.end_s, warm_up_s)
            effects.append(effect(name, signal, before, after))
    merged = {name: _joined(series_a[name], series_b[name]) for name in shared}
    return Comparison(a, b, tuple(effects), merged, warm_up_s)


def _joined(a: dict[str, Side], b: dict[str, Side]) -> dict[str, Side]:
    def both(first: Array, second: Array) -> Array:
        return np.concatenate([first, second])

    return {
        name: Side(both(a[name].times_s, b[name].times_s), both(a[name].values, b[name].values))
        for name in a
    }
