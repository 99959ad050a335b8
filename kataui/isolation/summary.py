"""A whole recording in one answer: its worst moments, each sandbox's worst windows, the verdict."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kataui.findings import Finding, Verdict
from kataui.isolation.accuse import Judgement, actor_name
from kataui.isolation.analysis import Picture
from kataui.isolation.blame import Shares
from kataui.isolation.model import HostView, Sandbox
from kataui.isolation.player import Player

_LASTS = 3  # windows that a dip must last to count


@dataclass(frozen=True, slots=True)
class SandboxSummary:
    """One sandbox at its worst: the time, its score, how long it waited, and for whom."""

    sandbox: Sandbox
    time_s: float
    points: float | None
    coverage: float
    waits: float | None
    blame: tuple[tuple[str, float, float], ...]  # actor, share of the wait, confidence

    def as_json(self) -> dict[str, Any]:
        """As the command line's ``report --json`` gives it."""
        return {
            "id": self.sandbox.id,
            "name": self.sandbox.name,
            "score": None if self.points is None else round(self.points, 1),
            "coverage": round(self.coverage, 3),
            "run_delay_fraction": None if self.waits is None else round(self.waits, 4),
            "blame": [
                {"actor": actor, "share": round(share, 4), "confidence": round(sure, 4)}
                for actor, share, sure in self.blame
            ],
        }


@dataclass(frozen=True, slots=True)
class Summary:
    """A recording, judged. ``worst`` is the picture that the verdict is about."""

    verdict: Verdict
    judgement: Judgement
    worst: Picture = field(repr=False)
    sandboxes: tuple[SandboxSummary, ...]
    times_s: tuple[float, ...] = field(repr=False)
    findings: tuple[Finding, ...] = ()


def summarize(
    player: Player, *, on_time: Callable[[int], None] | None = None, every: int = 1
) -> Summary | None:
    """Play everything; None when there is nothing to judge. ``every``: judge each n-th sample."""
    keeper = _Keeper()
    for picture in _pictures(player, every):
        keeper.add(picture)
        if on_time is not None:
            on_time(player.time_us)
    return keeper.result()


def _pictures(player: Player, every: int) -> Iterator[Picture]:
    player.seek(player.begin_us)
    number = 0
    while player.pass_over() is not None:
        number += 1
        if number % every == 0:
            picture = player.analysis.picture()
            if picture is not None:
                yield picture


class _Keeper:
    """Keeps what is worst for three windows in a row."""

    def __init__(self) -> None:
        self._points: dict[str, deque[float]] = {}
        self._worst: dict[str, tuple[float, SandboxSummary]] = {}
        self._verdicts: deque[tuple[float, Picture]] = deque(maxlen=_LASTS)
        self._found: tuple[float, Picture] | None = None
        self._last: Picture | None = None
        self._times: list[float] = []

    def add(self, picture: Picture) -> None:
        """One moment."""
        self._last = picture
        self._times.append(picture.time_s)
        self._verdicts.append((_badness(picture), picture))
        if len(self._verdicts) == _LASTS:
            lasting = min(self._verdicts, key=lambda item: item[0])
            if self._found is None or lasting[0] > self._found[0]:
                self._found = lasting
        for row, sandbox in enumerate(picture.view.sandboxes):
            self._add_sandbox(picture, row, sandbox)

    def _add_sandbox(self, picture: Picture, row: int, sandbox: Sandbox) -> None:
        score = picture.scores[sandbox.key]
        recent = self._points.setdefault(sandbox.key, deque(maxlen=_LASTS))
        recent.append(np.inf if score.points is None else score.points)
        lasting = max(recent) if len(recent) == _LASTS else np.inf
        known = self._worst.get(sandbox.key)
        if known is None or lasting < known[0]:
            waits = float(picture.signals.waits[row])
            self._worst[sandbox.key] = (
                lasting,
                SandboxSummary(
                    sandbox=sandbox,
                    time_s=picture.time_s,
                    points=score.points,
                    coverage=score.coverage,
                    waits=None if np.isnan(waits) else waits,
                    blame=blame_of(picture.view, picture.shares.get(sandbox.key)),
                ),
            )

    def result(self) -> Summary | None:
        """The summary of all that was added."""
        worst = self._found[1] if self._found else self._last
        if worst is None:
            return None
        rows = sorted(
            (item for _, item in self._worst.values()),
            key=lambda item: (item.points is None, item.points or 0.0),
        )
        return Summary(
            worst.judgement.verdict, worst.judgement, worst, tuple(rows), tuple(self._times)
        )


def _badness(picture: Picture) -> float:
    """How bad a moment is: a failure above all, then by how much is waited."""
    judgement = picture.judgement
    rank = {Verdict.FAIL: 100.0, Verdict.UNKNOWN: 0.0, Verdict.PASS: 1.0}[judgement.verdict]
    if judgement.verdict is Verdict.UNKNOWN and judgement.accusations:
        rank = 10.0
    named = [item.points for item in judgement.accusations if item.named]
    stalls = np.nanmax([0.0, *picture.signals.io_stall, *picture.signals.memory_stall])
    throttled = np.nanmax([0.0, *picture.signals.throttled])
    return rank + max(named, default=0.0) + float(stalls) + 0.1 * float(throttled)


def blame_of(view: HostView, shares: Shares | None) -> tuple[tuple[str, float, float], ...]:
    """Who a sandbox waits for, by share of its wait, with "own limit", "itself" and "unknown"."""
    if shares is None or shares.wait_us <= 0:
        return ()
    wait = shares.wait_us
    parts = [
        (actor_name(view, share.actor), share.wait_us / wait, shares.confidence)
        for share in shares.neighbours
    ]
    parts.append(("own limit", shares.limit_us / wait, 1.0))
    parts.append(("itself", shares.self_us / wait, shares.confidence))
    parts.append(("others", shares.others_us / wait, shares.confidence))
    parts.append(("unknown", shares.unknown_us / wait, 1.0))
    shown = (part for part in parts if part[1] >= 0.005)
    return tuple(sorted(shown, key=lambda part: -part[1]))
