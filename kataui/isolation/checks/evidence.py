"""What several checks ask: CPUs that belong to one sandbox, use of threads, grades by limits."""

import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kataui.isolation.checks.check import Answer, Scene, fails, passes, warns
from kataui.isolation.collector.commandline import value_of
from kataui.isolation.model import HostView, Role, Sandbox, Thread
from kataui.isolation.span import at

NBSP = "\u00a0"
_US = 1e-6
_GUARANTEED = "guaranteed"


def exclusive_cpus(view: HostView) -> dict[int, Sandbox]:
    """CPUs that one sandbox paid for alone, and whose they are.

    That is a CPU with a pinned vCPU, or one of a Guaranteed pod's cpuset: not larger than its
    number of vCPUs, smaller than the host, and shared with no other sandbox's vCPUs.
    """
    found: dict[int, Sandbox] = {}
    allowed = {
        s.key: frozenset(cpu for t in s.of_role(Role.VCPU) for cpu in t.cpus)
        for s in view.sandboxes
    }
    users = Counter(cpu for cpus in allowed.values() for cpu in cpus)
    for sandbox in view.sandboxes:
        vcpus = sandbox.of_role(Role.VCPU)
        mine = allowed[sandbox.key]
        own_set = (
            sandbox.qos.lower() == _GUARANTEED
            and len(mine) <= len(vcpus)
            and len(mine) < len(view.cpus)
            and all(users[cpu] == 1 for cpu in mine)
        )
        pinned = {thread.cpus[0] for thread in vcpus if thread.pinned}
        for cpu in mine if own_set else pinned:
            found.setdefault(cpu, sandbox)
    return dict(sorted(found.items()))


def graded(subject: str, value: float, warn: float, fail: float, text: str) -> Answer:
    """Below ``warn`` a pass, below ``fail`` a warning, else a failure; NaN is for the caller."""
    if value >= fail:
        return fails(subject, text)
    return warns(subject, text) if value >= warn else passes(subject, text)


def cpu_mask(text: str) -> frozenset[int]:
    """CPUs of a hexadecimal mask as in ``rps_cpus``: ``ff,00000001`` (32 bits a group)."""
    try:
        bits = int(text.strip().replace(",", "") or "0", 16)
    except ValueError:
        return frozenset()
    return frozenset(cpu for cpu in range(bits.bit_length()) if bits >> cpu & 1)


def mask_text(cpus: Iterable[int]) -> str:
    """The hexadecimal mask of some CPUs, as the kernel takes it: groups of 32 bits."""
    bits = sum(1 << cpu for cpu in set(cpus))
    groups = [f"{bits & 0xFFFFFFFF:x}"]
    while bits := bits >> 32:
        groups[0] = groups[0].zfill(8)
        groups.insert(0, f"{bits & 0xFFFFFFFF:x}")
    return ",".join(groups)


def list_text(cpus: Iterable[int]) -> str:
    """CPUs as a list of ranges: ``0-3,8``; ``none`` when there are none."""
    ranges: list[list[int]] = []
    for cpu in sorted(set(cpus)):
        if ranges and cpu == ranges[-1][1] + 1:
            ranges[-1][1] = cpu
        else:
            ranges.append([cpu, cpu])
    return ",".join(f"{a}" if a == b else f"{a}-{b}" for a, b in ranges) or "none"


def housekeeping(view: HostView) -> tuple[int, ...]:
    """The CPUs that belong to no sandbox alone: where work for everybody may run; all if none."""
    exclusive = exclusive_cpus(view)
    cpus = [cpu for cpu, _ in view.cpus]
    return tuple(cpu for cpu in cpus if cpu not in exclusive) or tuple(cpus)


def device_options(sandbox: Sandbox, option: str) -> Iterator[dict[str, str]]:
    """What follows each ``option`` (``-netdev``, ``-device``) of QEMU, by name.

    A first word without ``=`` (the driver) is under ``""``; a doubled comma is a comma.
    """
    argv = sandbox.argv
    for before, argument in itertools.pairwise(argv):
        if before == option and not argument.startswith("{"):
            parts = argument.replace(",,", "\0").split(",")
            found: dict[str, str] = {}
            for index, part in enumerate(parts):
                name, equals, value = part.replace("\0", ",").partition("=")
                if equals:
                    found[name] = value
                elif index == 0:
                    found[""] = name
                else:
                    found[name] = "on"
            yield found


def argument(sandbox: Sandbox, option: str) -> str:
    """The argument of a hypervisor's option; empty when it is not there."""
    return value_of(list(sandbox.argv), option)


def runs_share(scene: Scene, thread: Thread) -> float:
    """Part of a CPU that a thread used (0..1); NaN when it was not measured."""
    return at(scene.span.rate("run", "run_us"), thread.slot) * _US


def waits_share(scene: Scene, thread: Thread) -> float:
    """Part of the time in which a thread was ready and waited for a CPU (0..1)."""
    return at(scene.span.rate("run", "wait_us"), thread.slot) * _US


def last_cpu(scene: Scene, thread: Thread) -> int | None:
    """The CPU on which a thread was seen last."""
    cpu = at(scene.span.now("place", "cpu"), thread.slot)
    return int(cpu) if cpu >= 0 else None


def tick_share(scene: Scene, slot: int, column: str) -> float:
    """Part of a CPU's time (0..1) in a column of ``cpu_time``; NaN when it was not measured."""
    ticks = float(scene.view.head.get("ticks_per_second") or 100)
    return at(scene.span.rate("cpu_time", column), slot) / ticks


def percent(share: float) -> str:
    """A share for people: "12 %", "0.4 %"."""
    value = 100 * share
    return f"{value:.1f}{NBSP}%" if 0 < value < 9.95 else f"{value:.0f}{NBSP}%"


def document(view: HostView, path: str) -> Any:
    """A fact that is JSON; None when it is not there or damaged."""
    text = view.fact(path)
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError):
        return None


def limits_above(view: HostView, group: str, controller: str, name: str) -> Mapping[str, str]:
    """A file of a group and of those above it that are watched, by group, the group first."""
    found = {}
    while group and group != "/":
        text = view.group_fact(group, controller, name)
        if text is not None:
            found[group] = text
        group = group.rpartition("/")[0]
    return found
