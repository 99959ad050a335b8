"""From a picture to what the widgets show; no widget is touched here."""

from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np

from kataui.isolation import cpumap
from kataui.isolation.accuse import Accusation, actor_name
from kataui.isolation.analysis import Analysis, Picture
from kataui.isolation.collector import procfs
from kataui.isolation.history import History
from kataui.isolation.layout import ActorKind
from kataui.isolation.model import HostView, Role
from kataui.isolation.raw import raw_counters
from kataui.isolation.stream import Array
from kataui.ui.isolation import export
from kataui.ui.isolation.hostrows import Category, Cpu
from kataui.ui.isolation.sandboxmodel import SandboxRow

STRIP = 60
_WORTH = 0.01  # of waiting from which on a reason is named
_CATEGORIES = np.array([Category[cell.name] for cell in cpumap.Cell], np.uint8)


def sandbox_rows(picture: Picture, analysis: Analysis) -> list[SandboxRow]:
    """A row a sandbox."""
    rows = []
    stalls, scores = _stalls(picture), picture.scores
    for number, sandbox in enumerate(picture.view.sandboxes):
        waits = float(picture.signals.waits[number])
        because, role = _because(picture, number, stalls.get(sandbox.key, ()))
        rows.append(
            SandboxRow(
                key=sandbox.key,
                name=sandbox.name,
                grade=picture.grades.get(sandbox.key, ""),
                score=_or_none(scores.points[number]),
                waits=_or_none(waits),
                strip=_strip(analysis.history.last(sandbox.key, "waits", STRIP)),
                because=because,
                because_role=role,
                coverage=float(scores.coverage[number]),
                formula=partial(raw_counters, picture, sandbox, "waits"),
            )
        )
    return rows


def table_of(picture: Picture) -> list[tuple[str, ...]]:
    """A row of words a sandbox, for a file: id, name, grade, score, coverage, waits, because."""
    rows = []
    stalls, scores = _stalls(picture), picture.scores
    for number, sandbox in enumerate(picture.view.sandboxes):
        numbers = scores.points[number], scores.coverage[number], picture.signals.waits[number]
        rows.append(
            (
                sandbox.id,
                sandbox.name,
                picture.grades.get(sandbox.key, ""),
                *(export.number(_or_none(value)) for value in numbers),
                _because(picture, number, stalls.get(sandbox.key, ()))[0],
            )
        )
    return rows


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _stalls(picture: Picture) -> dict[str, list[Accusation]]:
    """Who is named for a stall (not for waiting on a CPU), by the victim's key."""
    found: dict[str, list[Accusation]] = {}
    for item in picture.judgement.accusations:
        if item.named and item.cpu < 0:
            found.setdefault(item.victim.key, []).append(item)
    return found


def _because(picture: Picture, row: int, stalls: Iterable[Accusation]) -> tuple[str, str]:
    """The largest reason of a sandbox's wait or stall, and the palette's role for it."""
    waits = float(picture.signals.waits[row])
    shares = picture.shares.get(picture.view.sandboxes[row].key)
    reasons = [
        (item.points, f"{actor_name(picture.view, item.actor)}, stalls", "iothread")
        for item in stalls
    ]
    if shares is not None and waits >= _WORTH:
        reasons += [
            (float(picture.signals.limit[row]), "itself: own CPU limit", "other"),
            (float(picture.signals.own[row]), "itself: own threads", "vcpu"),
        ]
        total = max(shares.run_us + shares.wait_us, 1.0)
        reasons.append((shares.unknown_us / total, "unknown", "other"))
        for share in shares.neighbours[:1]:
            kind = share.actor.kind
            role = share.actor.role.value if kind is ActorKind.SANDBOX else str(kind.value)
            shown = role if role in _ROLES else "other"
            reasons.append((share.wait_us / total, actor_name(picture.view, share.actor), shown))
    _, words, role = max(reasons, key=lambda reason: reason[0], default=(0.0, "", ""))
    return words, role


_ROLES = frozenset({*(role.value for role in Role if role is not Role.HOST), "irq", "softirq"})


def _strip(values: Array) -> Array:
    """Sixty values, the newest last; nothing before the first one."""
    strip = np.full(STRIP, np.nan, np.float32)
    if len(values):
        strip[-len(values) :] = values
    return strip


def cpus(view: HostView) -> list[Cpu]:
    """The host's CPUs with their node, cluster, and how many vCPUs are pinned to each."""
    nodes = {cpu: node for node, members in view.numa_nodes.items() for cpu in members}
    pinned: dict[int, int] = {}
    for thread in view.threads:
        if thread.role is Role.VCPU and thread.pinned:
            pinned[thread.cpus[0]] = pinned.get(thread.cpus[0], 0) + 1
    return [
        Cpu(number, nodes.get(number, 0), _cluster(view, number), pinned.get(number, 0))
        for number, _ in view.cpus
    ]


def _cluster(view: HostView, cpu: int) -> int:
    """The first CPU of its cluster; -1 where the host tells of none."""
    text = view.fact(f"/sys/devices/system/cpu/cpu{cpu}/topology/cluster_cpus_list")
    members = procfs.cpu_list(text) if text else []
    return members[0] if len(members) > 1 else -1


def cells(analysis: Analysis, shown: Sequence[Cpu]) -> Array:
    """The CPU map of the last minute in the widget's categories."""
    found: Array = _CATEGORIES[analysis.cpu_map.cells([cpu.number for cpu in shown])]
    return found


def worst_waits(history: History, seconds: int) -> tuple[Array, Array]:
    """Times and the waiting of the sandbox that waited most, for the time line."""
    values = history.all("waits", seconds)
    times = history.times(seconds)
    if not len(values):
        return times, np.full(len(times), np.nan)
    highest: Array = np.fmax.reduce(values, axis=0)
    return times, highest
