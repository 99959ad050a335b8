"""Experiments: A before, B after; whether it helped, by how much, and how sure that is.

The effect is the difference of means; its interval comes from a moving-block bootstrap, because
seconds that follow one another resemble each other (Kuensch, Annals of Statistics 17, 1989; 95 %
percentile interval). Where zero lies inside, the answer is "no difference I can see", with the
smallest effect that would have been seen (80 % power: 2.8 standard errors).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from kataui.isolation.stream import Array

WARM_UP_S = 20.0
_BLOCK_S = 8
_DRAWS = 2000
_LEAST = 10
_POWER = 2.8  # z(97.5 %) + z(80 %)


class Answer(StrEnum):
    """What can be said about a signal; less of every signal here is better."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "no difference I can see"
    UNKNOWN = "not measured"


@dataclass(frozen=True, slots=True)
class Effect:
    """One signal of one sandbox, A against B; all values in the signal's own unit.

    ``low`` and ``high`` bound the change (95 %); ``seen_from`` is the smallest change that would
    have been seen.
    """

    sandbox: str
    signal: str
    answer: Answer
    mean_a: float
    mean_b: float
    change: float
    low: float
    high: float
    seen_from: float
    samples_a: int
    samples_b: int


@dataclass(frozen=True, slots=True)
class Side:
    """One side of an experiment: times in seconds and values, one a sample; NaN is a gap."""

    times_s: Array = field(repr=False)
    values: Array = field(repr=False)


def steady(side: Side, begin_s: float, end_s: float, warm_up_s: float = WARM_UP_S) -> Array:
    """The values between two times without the warm-up at the beginning, gaps left out."""
    inside = (side.times_s >= begin_s + warm_up_s) & (side.times_s <= end_s)
    values: Array = side.values[inside].astype(float)
    known: Array = values[~np.isnan(values)]
    return known


def effect(
    sandbox: str, signal: str, a: Array, b: Array, *, more_is_better: bool = False
) -> Effect:
    """The change from A to B; fewer than ten samples on a side are "not measured"."""
    if len(a) < _LEAST or len(b) < _LEAST:
        nan = float("nan")
        return Effect(
            sandbox, signal, Answer.UNKNOWN, _mean(a), _mean(b), nan, nan, nan, nan, len(a), len(b)
        )
    draws = _draws(b, 2) - _draws(a, 1)
    low, high = (float(value) for value in np.quantile(draws, (0.025, 0.975)))
    change = _mean(b) - _mean(a)
    answer = Answer.SAME
    if low > 0 or high < 0:
        answer = Answer.BETTER if (change > 0) == more_is_better else Answer.WORSE
    return Effect(
        sandbox=sandbox,
        signal=signal,
        answer=answer,
        mean_a=_mean(a),
        mean_b=_mean(b),
        change=change,
        low=low,
        high=high,
        seen_from=_POWER * float(draws.std()),
        samples_a=len(a),
        samples_b=len(b),
    )


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _draws(values: Array, seed: int) -> Array:
    """Means of resampled series; the seed is fixed, so that a file always gives the same answer."""
    size = len(values)
    block = min(_BLOCK_S, max(1, size // 3))
    count = -(-size // block)
    starts = np.random.default_rng(seed).integers(0, size - block + 1, (_DRAWS, count))
    index = (starts[:, :, None] + np.arange(block)).reshape(_DRAWS, -1)[:, :size]
    means: Array = values[index].mean(axis=1)
    return means


def sentence(found: Effect, unit: str = "points") -> str:
    """The answer in words: waiting in percent points."""
    if found.answer is Answer.UNKNOWN:
        return f"Too little was measured: {found.samples_a} and {found.samples_b} samples."
    if found.answer is Answer.SAME:
        return (
            "No difference I can see. A change of "
            f"{100 * found.seen_from:.1f} {unit} would have been seen."
        )
    word = "fell" if found.change < 0 else "rose"
    low, high = sorted((abs(found.low), abs(found.high)))
    signal = f"{found.signal[:1].upper()}{found.signal[1:]}"
    return (
        f"{signal} {word} by {100 * abs(found.change):.1f} {unit} "
        f"(95\u00a0% interval {100 * low:.1f} to {100 * high:.1f})."
    )


def verdict_of(effects: Sequence[Effect]) -> Answer:
    """The clearest answer of several: the signal with the largest change that was seen."""
    seen = [item for item in effects if item.answer in {Answer.BETTER, Answer.WORSE}]
    if seen:
        return max(seen, key=lambda item: abs(item.change)).answer
    known = any(item.answer is Answer.SAME for item in effects)
    return Answer.SAME if known else Answer.UNKNOWN
