"""Alerts: a signal beyond a threshold for some time; told once, and once again when it is over."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from kataui.isolation.analysis import Picture
from kataui.isolation.model import Sandbox
from kataui.isolation.score import least_points
from kataui.isolation.stream import Array


@dataclass(frozen=True, slots=True)
class Rule:
    """A sandbox falls below a grade for ``seconds``, or a signal of it rises above a value.

    ``signal`` is ``grade`` or a name of ``signals.Signals``; fractions are 0..1.
    """

    signal: str = "grade"
    below: str = "C"
    above: float = 0.0
    seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that has lasted: which sandbox, since when (s); ``over`` when it has ended."""

    key: str
    name: str
    sentence: str
    since_s: float
    over: bool = False


class Alerts:
    """Watches pictures by rules."""

    def __init__(self, rules: tuple[Rule, ...] = (Rule(),)) -> None:
        self._rules = rules
        self._since: dict[tuple[int, str], float] = {}
        self._told: set[tuple[int, str]] = set()

    @property
    def active(self) -> frozenset[str]:
        """The keys of sandboxes that have an alert now."""
        return frozenset(key for _, key in self._told)

    def look(self, picture: Picture) -> list[Alert]:
        """What is new or over with this picture."""
        found: list[Alert] = []
        sandboxes = picture.view.sandboxes
        for number, rule in enumerate(self._rules):
            rows = np.flatnonzero(_beyond(rule, picture))
            bad = {sandboxes[row].key: sandboxes[row] for row in rows}
            found += self._ended(number, picture, bad)
            for sandbox in bad.values():
                alert = self._judge(number, picture, sandbox)
                found += [alert] if alert else []
        return found

    def _ended(self, number: int, picture: Picture, bad: Mapping[str, Sandbox]) -> Iterator[Alert]:
        """Forget what is no longer so; a sandbox that is gone leaves without a word."""
        for place in [p for p in self._since if p[0] == number and p[1] not in bad]:
            since, sandbox = self._since.pop(place), picture.view.by_key.get(place[1])
            if place in self._told:
                self._told.discard(place)
                if sandbox is not None:
                    words = f"{sandbox.name} is well again."
                    yield Alert(sandbox.key, sandbox.name, words, since, over=True)

    def _judge(self, number: int, picture: Picture, sandbox: Sandbox) -> Alert | None:
        rule, place = self._rules[number], (number, sandbox.key)
        since = self._since.setdefault(place, picture.time_s)
        if place in self._told or picture.time_s - since < rule.seconds:
            return None
        self._told.add(place)
        words = f"{sandbox.name} {_words(rule)} for {rule.seconds:.0f} s."
        return Alert(sandbox.key, sandbox.name, words, since)


def _beyond(rule: Rule, picture: Picture) -> Array:
    """Which sandboxes are beyond a rule, by row; what was not measured never is."""
    if rule.signal == "grade":
        found: Array = picture.scores.points < least_points(rule.below)
    else:
        found = np.asarray(getattr(picture.signals, rule.signal)) > rule.above
    return found


def _words(rule: Rule) -> str:
    if rule.signal == "grade":
        return f"is below grade {rule.below}"
    return f"has {rule.signal.replace('_', ' ')} above {rule.above:g}"
