"""From shares to a sentence: who waits, who makes it wait, how sure, and what was not measured."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kataui.findings import Verdict
from kataui.isolation.blame import Share, Shares
from kataui.isolation.layout import Actor, ActorKind
from kataui.isolation.model import HostView, Role, Sandbox
from kataui.isolation.stalls import Stall
from kataui.isolation.stream import Array

HURT = 0.02  # external wait from which on somebody is hurt (CPU-07)
_SHARE = 0.3
_CONFIDENCE = 0.8
_CORRELATION = 0.35  # CPI2, EuroSys 2013
_LIMIT = 0.05  # wait because of its own limit that is worth a sentence
ROLE_WORDS = {
    Role.VCPU: "the vCPUs",
    Role.VHOST: "the vhost thread",
    Role.IOTHREAD: "an IO thread",
    Role.VIRTIOFSD: "virtiofsd",
    Role.SHIM: "the shim",
    Role.VMM: "the VMM's own threads",
}


@dataclass(frozen=True, slots=True)
class Accusation:
    """One victim and one actor. ``share`` is of the victim's whole wait, ``points`` of its time.

    ``named`` says whether the evidence is enough to name the actor: a share of 0.3 and either a
    confidence of 0.8 (threads that are pinned or did not move) or a correlation of 0.35.
    """

    victim: Sandbox
    actor: Actor
    share: float
    points: float
    cpu: int
    confidence: float
    correlation: float | None
    named: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on a host at one moment.

    ``sentence`` says who waits for whom, ``scope`` how sure that is and what was not measured.
    """

    verdict: Verdict
    headline: str
    sentence: str
    scope: str
    accusations: tuple[Accusation, ...] = field(repr=False)


def correlation(waits: Array, usage: Array, threshold: float = HURT) -> float | None:
    """CPI2's correlation of a victim's waits with a suspect's CPU use, -1..1.

    None when the two were not seen together for a minute, or the suspect did not run.
    """
    size = min(len(waits), len(usage))
    waits, usage = waits[-size:] if size else waits[:0], usage[-size:] if size else usage[:0]
    known = ~(np.isnan(waits) | np.isnan(usage))
    waits, usage = waits[known], usage[known]
    total = float(usage.sum())
    if len(waits) < 60 or total <= 0:
        return None
    weights = usage / total
    above = waits > threshold
    up = float((weights[above] * (1 - threshold / waits[above])).sum())
    down = float((weights[~above] * (waits[~above] / threshold - 1)).sum())
    return up + down


def accuse(
    sandbox: Sandbox, shares: Shares, external: float, correlations: Mapping[Actor, float | None]
) -> list[Accusation]:
    """What this sandbox can be said to wait for, largest first; nothing unless it is hurt."""
    if not external >= HURT or shares.wait_us <= 0:
        return []
    found = []
    for share in _whole(shares.neighbours):
        part = share.wait_us / shares.wait_us
        together = correlations.get(share.actor)
        strong = shares.confidence >= _CONFIDENCE
        witness = together is not None and together >= _CORRELATION
        points = share.wait_us / (shares.run_us + shares.wait_us)
        found.append(
            Accusation(
                victim=sandbox,
                actor=share.actor,
                share=part,
                points=points,
                cpu=share.cpu,
                confidence=shares.confidence,
                correlation=together,
                named=part >= _SHARE and (strong or witness) and share.actor.is_neighbour,
            )
        )
    return found


def _whole(neighbours: Sequence[Share]) -> list[Share]:
    return [share for share in neighbours if share.actor.kind is not ActorKind.UNKNOWN]


def actor_name(view: HostView, actor: Actor) -> str:
    """An actor in a few words: "ci/runner, vhost", "kata-07, softirq", "stress-ng"."""
    if actor.kind is ActorKind.SANDBOX:
        sandbox = view.by_key.get(actor.sandbox)
        name = sandbox.name if sandbox else actor.sandbox.partition("@")[0][:12]
        return f"{name}, {actor.role.value}"
    if actor.kind in {ActorKind.IRQ, ActorKind.SOFTIRQ}:
        return f"{view.name}, {actor.name}"
    return actor.name


def _owner(view: HostView, actor: Actor) -> str:
    """Who is behind an actor, without the role."""
    sandbox = view.by_key.get(actor.sandbox)
    return sandbox.name if sandbox else f"{actor.name}, a process of the host"


def _who(view: HostView, actor: Actor) -> str:
    """An actor as part of a sentence."""
    if actor.kind is ActorKind.SANDBOX:
        sandbox = view.by_key.get(actor.sandbox)
        name = sandbox.name if sandbox else actor.sandbox.partition("@")[0][:12]
        return f"{ROLE_WORDS.get(actor.role, actor.role.value)} of {name}"
    if actor.kind is ActorKind.SOFTIRQ:
        return "network and timer work of the host (softirq)"
    if actor.kind is ActorKind.IRQ:
        return "interrupts of the host"
    return f"{actor.name}, a process of the host"


def percent(fraction: float) -> str:
    """A fraction as people say it: 31 %, 0.6 %."""
    value = 100 * fraction
    if math.isnan(value):
        return "-"
    return f"{value:.0f}\u00a0%" if value >= 9.5 else f"{value:.1f}\u00a0%"


@dataclass(frozen=True, slots=True)
class State:
    """What is judged, by sandbox key; fractions of time, or of periods (``throttled``)."""

    external: Mapping[str, float]
    limit: Mapping[str, float]
    waits: Mapping[str, float]
    throttled: Mapping[str, float]
    stalls: Sequence[Stall]
    shares: Mapping[str, Shares]
    correlations: Mapping[str, Mapping[Actor, float | None]]
    not_measured: tuple[str, ...]


def judge(view: HostView, state: State) -> Judgement:
    """The verdict: fail when somebody is hurt by somebody who can be named."""
    accusations = []
    for sandbox in view.sandboxes:
        shares = state.shares.get(sandbox.key)
        if shares is not None:
            external = state.external.get(sandbox.key, float("nan"))
            given = state.correlations.get(sandbox.key, {})
            accusations += accuse(sandbox, shares, external, given)
    accusations.sort(key=lambda item: (not item.named, -item.points))
    missing = ", ".join(state.not_measured)
    scope = f"Not measured: {missing}." if missing else ""
    named = [item for item in accusations if item.named]
    if named:
        return _named(view, state, named, accusations, scope)
    for judgement in (_stalled(view, state, scope), _limits(view, state, scope)):
        if judgement is not None:
            return judgement
    if accusations:
        worst = accusations[0]
        sentence = (
            f"{worst.victim.name} waits {percent(state.waits[worst.victim.key])} of its time; "
            f"{_who(view, worst.actor)} may be the reason."
        )
        text = f"Confidence {percent(worst.confidence)}: its threads move between CPUs. {scope}"
        return Judgement(
            Verdict.UNKNOWN,
            "Somebody waits, and the reason is not certain",
            sentence,
            text.strip(),
            tuple(accusations),
        )
    return _calm(view, state, scope)


def _named(
    view: HostView, state: State, named: list[Accusation], every: list[Accusation], scope: str
) -> Judgement:
    worst = named[0]
    culprits = {item.actor.sandbox or item.actor.name for item in named}
    victims = {item.victim.key for item in named}
    if culprits == victims:
        headline = f"{_count(len(victims), 'sandbox', 'sandboxes')} hurt each other"
    else:
        hurt = "hurts" if len(culprits) == 1 else "hurt"
        whom = _count(len(victims), "sandbox", "sandboxes").lower()
        headline = f"{_count(len(culprits), 'neighbour')} {hurt} {whom}"
    sentence = (
        f"{worst.victim.name} waits {percent(state.waits[worst.victim.key])} of its time, "
        f"mostly for {_who(view, worst.actor)} on CPU\u00a0{worst.cpu}."
    )
    if _both_pinned(view, worst):
        sentence = f"{sentence[:-1]}: both are pinned to it."
    sure = "High" if worst.confidence >= _CONFIDENCE else "Fair"
    text = (
        f"{sure} confidence ({percent(worst.confidence)}): {percent(worst.share)} of its wait is "
        f"explained by this. {scope}"
    )
    return Judgement(Verdict.FAIL, headline, sentence, text.strip(), tuple(every))


def _both_pinned(view: HostView, item: Accusation) -> bool:
    """Whether vCPUs of the victim and of the culprit may run on that CPU alone."""
    culprit = view.by_key.get(item.actor.sandbox)
    if culprit is None or item.actor.role is not Role.VCPU:
        return False
    return all(
        any(thread.cpus == (item.cpu,) for thread in sandbox.of_role(Role.VCPU))
        for sandbox in (item.victim, culprit)
    )


def _stalled(view: HostView, state: State, scope: str) -> Judgement | None:
    """Stalls on IO and memory; what a sandbox does to itself is no failure."""
    hurt = [item for item in state.stalls if not item.own]
    if not hurt:
        return None
    worst = hurt[0]
    named = tuple(
        Accusation(
            victim=item.sandbox,
            actor=item.actor,
            share=item.share,
            points=item.stalled * item.share,
            cpu=-1,
            confidence=item.share if item.sure else 0.0,
            correlation=None,
            named=True,
        )
        for item in hurt
        if item.actor is not None
    )
    sentence = f"{worst.sandbox.name} stalls on {worst.what} {percent(worst.stalled)} of the time"
    if worst.actor is not None:
        does = "moves" if worst.what == "IO" else "takes"
        what = "bytes" if worst.what == "IO" else "memory"
        sentence += (
            f", mostly because of {_owner(view, worst.actor)}: it {does} {percent(worst.share)} of "
            f"the {what}."
        )
    else:
        sentence += "; who causes it was not seen."
    count = _count(len({item.sandbox.key for item in hurt}), "sandbox", "sandboxes")
    stalls = "stalls" if len(hurt) == 1 else "stall"
    verdict = Verdict.FAIL if worst.actor is not None else Verdict.UNKNOWN
    return Judgement(verdict, f"{count} {stalls} on {worst.what}", sentence, scope, named)


def _own_stalls(state: State) -> str:
    """A sentence about sandboxes that stall because of themselves."""
    own = [item for item in state.stalls if item.own]
    if not own:
        return ""
    worst = own[0]
    return (
        f" {worst.sandbox.name} stalls on {worst.what} {percent(worst.stalled)} of the time, "
        f"but {worst.own}."
    )


def _limits(view: HostView, state: State, scope: str) -> Judgement | None:
    """Own quotas: no neighbour's fault."""
    hit = {
        key: max(state.limit.get(key, 0.0), value)
        for key, value in state.throttled.items()
        if value >= 0.10 or state.limit.get(key, 0.0) >= _LIMIT
    }
    if not hit:
        return None
    key = max(hit, key=lambda name: hit[name])
    sandbox = view.by_key.get(key)
    name = sandbox.name if sandbox else key
    return Judgement(
        Verdict.PASS,
        "No neighbour hurts anybody",
        f"{name} is held back by its own CPU limit in {percent(state.throttled[key])} of its "
        "periods. That is not a neighbour." + _own_stalls(state),
        scope,
        (),
    )


def _calm(view: HostView, state: State, scope: str) -> Judgement:
    if not view.sandboxes:
        return Judgement(
            Verdict.UNKNOWN,
            "No sandbox runs here",
            "There is no Kata sandbox on this host now.",
            scope,
            (),
        )
    known = [value for value in state.external.values() if not math.isnan(value)]
    if not known:
        return Judgement(
            Verdict.UNKNOWN,
            "Nothing to judge yet",
            "All sandboxes are idle, or too few samples were taken.",
            scope,
            (),
        )
    count = _count(len(view.sandboxes), "sandbox", "sandboxes")
    return Judgement(
        Verdict.PASS,
        "Nobody hurts anybody",
        f"{count}; none waits more than {percent(max(known))} of its time for others."
        + _own_stalls(state),
        scope,
        (),
    )


def _count(number: int, one: str, many: str = "") -> str:
    words = ("no", "one", "two", "three", "four", "five", "six")
    word = words[number] if number < len(words) else str(number)
    text = f"{word} {one if number == 1 else many or one + 's'}"
    return text[0].upper() + text[1:] if text else text
