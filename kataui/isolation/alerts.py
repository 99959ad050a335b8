"""Alerts: a signal beyond a threshold for some time; told once, and once again when it is over."""

import math
from dataclasses import dataclass

from kataui.isolation.analysis import Picture
from kataui.isolation.model import Sandbox
from kataui.isolation.score import grade_of

_GRADES = "EDCBA"  # from the worst to the best


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
        found = []
        names = {sandbox.key: sandbox.name for sandbox in picture.view.sandboxes}
        for number in range(len(self._rules)):
            for row, sandbox in enumerate(picture.view.sandboxes):
                alert = self._judge(number, picture, row, sandbox)
                if alert is not None:
                    found.append(alert)
        for place in [place for place in self._since if place[1] not in names]:
            del self._since[place]
            self._told.discard(place)
        return found

    def _judge(self, number: int, picture: Picture, row: int, sandbox: Sandbox) -> Alert | None:
        rule, key, name = self._rules[number], sandbox.key, sandbox.name
        place = (number, key)
        beyond, words = _beyond(rule, picture, row)
        if not beyond:
            since = self._since.pop(place, picture.time_s)
            if place in self._told:
                self._told.discard(place)
                return Alert(key, name, f"{name} is well again.", since, over=True)
            return None
        since = self._since.setdefault(place, picture.time_s)
        if place in self._told or picture.time_s - since < rule.seconds:
            return None
        self._told.add(place)
        return Alert(key, name, f"{name} {words} for {rule.seconds:.0f} s.", since)


def _beyond(rule: Rule, picture: Picture, row: int) -> tuple[bool, str]:
    if rule.signal == "grade":
        points = float(picture.scores.points[row])
        grade = grade_of(None if math.isnan(points) else points)
        bad = bool(grade) and _GRADES.index(grade) < _GRADES.index(rule.below)
        return bad, f"is below grade {rule.below}"
    value = float(getattr(picture.signals, rule.signal)[row])
    return value > rule.above, f"has {rule.signal.replace('_', ' ')} above {rule.above:g}"
