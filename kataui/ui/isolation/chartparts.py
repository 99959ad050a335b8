"""What charts and the time line share: series, scales, ticks, gaps, places of labels."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QDateTime, QEvent, QLocale, Qt
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import QWidget

from kataui.ui import theme
from kataui.ui.words import tr

Times = npt.NDArray[np.float64]
Values = npt.NDArray[np.float32]
MOST_POINTS = 3600
TOLD_EVERY_S = 5.0
_VEIL_ALPHA = 200
MINUS = "\N{MINUS SIGN}"
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_TIME_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 180, 300, 600, 900, 1800, 3600, 7200, 14400, 43200)


@dataclass(frozen=True, slots=True, eq=False)
class ChartSeries:
    """A named series: ``role`` of the palette ("vcpu" ...), float32 values, NaN for gaps."""

    name: str
    role: str
    values: Values = field(repr=False)

    @property
    def last(self) -> float:
        """The newest value; NaN when it was not measured."""
        return float(self.values[-1]) if len(self.values) else math.nan


@dataclass(frozen=True, slots=True)
class Flag:
    """A moment with a name, and perhaps a note: seconds on the axis of the data."""

    time_s: float
    name: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis from 0: its top, and the distance of its ticks."""

    top: float
    step: float

    @property
    def ticks(self) -> list[float]:
        """All ticks, 0 and the top included."""
        return [number * self.step for number in range(round(self.top / self.step) + 1)]


def scale_for(peak: float, least: float = 0.0) -> Scale:
    """The smallest scale of 4 or 5 ticks that holds ``peak``; its top is ``least`` or more."""
    wanted = max(peak, least, 1e-9)
    power = 10.0 ** math.floor(math.log10(wanted / 4))
    found = [
        Scale(count * step * power, step * power)
        for step in (*_STEPS, 20.0)
        for count in (4, 3)
        if count * step * power >= wanted * (1 - 1e-6)
    ]
    return min(found, key=lambda scale: scale.top)


def number_text(value: float) -> str:
    """A number in two or three digits, as the locale writes it; a dash when not measured."""
    if math.isnan(value):
        return "-"
    size = abs(value)
    decimals = 0 if size >= 9.95 or size < 1e-9 else 1 if size >= 0.095 else 2
    return QLocale().toString(float(value), "f", decimals)


def tick_text(value: float, step: float) -> str:
    """The value of a tick, with as many decimals as its step needs."""
    decimals = next((n for n in range(6) if abs(step * 10**n - round(step * 10**n)) < 1e-6), 6)
    return QLocale().toString(float(value), "f", decimals)


def tick_texts(scale: Scale, unit: str) -> list[str]:
    """The ticks in words, the unit on the top one."""
    texts = [tick_text(value, scale.step) for value in scale.ticks]
    return [*texts[:-1], f"{texts[-1]}\u00a0{unit}" if unit else texts[-1]]


def gaps(times_s: Times, series: Sequence[ChartSeries]) -> list[tuple[float, float]]:
    """From when to when nothing at all was measured; between the neighbours that were."""
    if not len(times_s) or not series:
        return []
    missing = np.logical_and.reduce([np.isnan(one.values) for one in series])
    runs = []
    for begin, end in runs_of(missing):
        first, last = max(0, begin - 1), min(len(times_s) - 1, end)
        runs.append((float(times_s[first]), float(times_s[last])))
    return runs


def runs_of(wanted: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Where an array is true without a break: the first, and one past the last."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], wanted, [False])).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def thinned(
    times_s: Times, rows: Sequence[Values], columns: int, *, low: bool
) -> tuple[Times, list[Values]]:
    """At most two points a column (one without ``low``): its lowest and highest value.

    A peak is never lost; a column without any value stays a gap. Short series stay as they are.
    """
    if len(times_s) <= 2 * columns:
        return times_s, list(rows)
    span_s = max(1e-9, float(times_s[-1] - times_s[0]))
    place = np.minimum((times_s - times_s[0]) * (columns / span_s), columns - 1).astype(np.int64)
    first = np.flatnonzero(np.diff(place, prepend=-1))
    high = [np.fmax.reduceat(row, first) for row in rows]
    if not low:
        return times_s[first], high
    both = [
        np.stack([np.fmin.reduceat(row, first), top], axis=1).ravel()
        for row, top in zip(rows, high, strict=True)
    ]
    return np.repeat(times_s[first], 2), both


def clock(wall_s: float, *, seconds: bool = False) -> str:
    """A Unix time as the hour of day here."""
    moment = QDateTime.fromMSecsSinceEpoch(round(wall_s * 1000))
    return moment.toString("HH:mm:ss" if seconds else "HH:mm")


def time_ticks(
    begin_s: float, end_s: float, *, wall_offset_s: float | None, last: str, most: int = 5
) -> list[Flag]:
    """Times under an axis, at most ``most`` and the end.

    With an offset to Unix time they are hours of day on round minutes; without, seconds before
    the end. ``last`` names the end itself ("now").
    """
    span_s = max(end_s - begin_s, 1.0)
    step = next((s for s in _TIME_STEPS_S if s * most >= span_s * (1 - 1e-6)), span_s / most)
    found = []
    if wall_offset_s is None:
        for number in range(1, math.floor(span_s / step + 1e-6) + 1):
            inner = (number + 1) * step <= span_s + 1e-6  # only the first one has the unit
            unit = "" if inner else "\u00a0min" if step >= 60 else "\u00a0s"
            ago = number * step / (60 if step >= 60 else 1)
            found.append(Flag(end_s - number * step, f"{MINUS}{ago:.0f}{unit}"))
        found.reverse()
    else:
        first = math.ceil((begin_s + wall_offset_s) / step) * step - wall_offset_s
        at = [first + number * step for number in range(math.floor((end_s - first) / step) + 1)]
        found = [Flag(s, clock(s + wall_offset_s, seconds=step < 60)) for s in at if s < end_s]
    return [*found, Flag(end_s, last)] if last else found


def ticks_from_start(begin_s: float, end_s: float, *, most: int = 5) -> list[Flag]:
    """Seconds after the beginning of an axis, the unit on the last one."""
    span_s = max(end_s - begin_s, 1.0)
    step = next((s for s in _TIME_STEPS_S if s * most >= span_s * (1 - 1e-6)), span_s / most)
    numbers = range(math.floor(span_s / step + 1e-6) + 1)
    texts = [f"{number * step:.0f}" for number in numbers]
    texts[-1] += "\u00a0s"
    return [Flag(begin_s + n * step, text) for n, text in zip(numbers, texts, strict=True)]


def spread(wanted: Sequence[float], apart: float, low: float, high: float) -> list[float]:
    """Places as near to the wanted ones as may be, in their order, at least ``apart``.

    All lie from ``low`` to ``high`` when there is room for them there.
    """
    order = sorted(range(len(wanted)), key=lambda number: wanted[number])
    placed = [0.0] * len(wanted)
    least = low
    for number in order:
        placed[number] = max(least, wanted[number])
        least = placed[number] + apart
    most = high
    for number in reversed(order):
        placed[number] = min(most, placed[number])
        most = placed[number] - apart
    return placed


class Teller:
    """Tells a screen reader what a live widget shows, at most every 5 s."""

    def __init__(self, widget: QWidget, now: Callable[[], float] = time.monotonic) -> None:
        self._widget, self._now = widget, now
        self._next_s = -math.inf

    def tell(self, text: str) -> None:
        """Set the accessible description, unless that was done a moment ago."""
        if self._now() >= self._next_s and text != self._widget.accessibleDescription():
            self._next_s = self._now() + TOLD_EVERY_S
            self._widget.setAccessibleDescription(tr(text))


def keeps_key(event: QEvent, keys: frozenset[Qt.Key] | set[Qt.Key]) -> bool:
    """Accept a key that a shortcut of the page would take otherwise; tells whether it did."""
    if event.type() is not QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
        return False
    plain = event.modifiers() & ~(Qt.KeyboardModifier.KeypadModifier)
    if event.key() in keys and plain in {
        Qt.KeyboardModifier.NoModifier,
        Qt.KeyboardModifier.ShiftModifier,
    }:
        event.accept()
        return True
    return False


def veiled() -> QColor:
    """The surface, a little transparent: words on it can be read before a curve."""
    color = theme.color("surface")
    color.setAlpha(_VEIL_ALPHA)
    return color
