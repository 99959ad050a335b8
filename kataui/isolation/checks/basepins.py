"""Checks of vCPUs and the CPUs they were given (CPU-01..06, CPU-12)."""

import re
from collections import defaultdict
from collections.abc import Iterator
from math import isnan

from kataui.isolation.checks.baseevidence import (
    change,
    kinds,
    obeys,
    told,
    unreadable,
    wants_latency,
)
from kataui.isolation.checks.check import (
    Answer,
    Check,
    Level,
    Path,
    Scene,
    fails,
    passes,
    unknown,
    warns,
)
from kataui.isolation.checks.evidence import (
    exclusive_cpus,
    graded,
    last_cpu,
    list_text,
    percent,
    runs_share,
    tick_share,
)
from kataui.isolation.collector import procfs
from kataui.isolation.model import HostView, Role, Sandbox, Thread

_HELPERS = (Role.VMM, Role.VHOST, Role.IOTHREAD, Role.VIRTIOFSD)
_RESERVED = re.compile(r"^reservedSystemCPUs:\s*[\"']?([\d,-]+)", re.MULTILINE)
_SHOWN = 3
_SIBLINGS = "/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"


def _overcommit(scene: Scene) -> Iterator[Answer]:
    """CPU-01: vCPUs for each CPU that kubelet does not keep for the system."""
    view = scene.view
    vcpus = sum(len(sandbox.of_role(Role.VCPU)) for sandbox in view.sandboxes)
    if not vcpus:
        return
    match = _RESERVED.search(view.fact("/var/lib/kubelet/config.yaml") or "")
    reserved = set(procfs.cpu_list(match.group(1))) if match else set()
    usable = max(1, sum(cpu not in reserved for cpu, _ in view.cpus))
    fail_at = 3.0 if any(wants_latency(s) for s in view.sandboxes) else float("inf")
    text = f"{vcpus} vCPUs share {usable} CPUs: {vcpus / usable:.1f} for each."
    # the rule says "more than", the grades "at least"
    yield graded(view.name, vcpus / usable, 1.0 + 1e-9, fail_at + 1e-9, text)


def _clashes(scene: Scene) -> Iterator[Answer]:
    """CPU-02: a CPU to which more than one vCPU is pinned."""
    pinned: dict[int, list[tuple[Sandbox, Thread]]] = {}
    for sandbox in scene.view.sandboxes:
        for thread in sandbox.of_role(Role.VCPU):
            if thread.pinned:
                pinned.setdefault(thread.cpus[0], []).append((sandbox, thread))
    for cpu, tenants in sorted(pinned.items()):
        if len(tenants) == 1:
            yield passes(f"CPU {cpu}")
            continue
        names = [f"vCPU {t.index} of {s.name}" if t.index >= 0 else s.name for s, t in tenants]
        text = f"{', '.join(names)} are pinned to CPU {cpu}: each gets a part of it only."
        yield fails(f"CPU {cpu}", text, **_unpin(scene.view, tenants[0][0]))


def _unpin(view: HostView, sandbox: Sandbox) -> dict[str, str]:
    """NUMA pinning of the Go runtime chooses the same CPUs for everybody (issue 13539)."""
    if told(view, sandbox, "enable_numa") is True:
        numa = change(view, sandbox, "enable_numa", value=False)
        if numa:
            return numa
    return change(view, sandbox, "enable_vcpus_pinning", value=False)


def _pinning_without_effect(scene: Scene) -> Iterator[Answer]:
    """CPU-03: pinning that was asked for, and did not happen."""
    view = scene.view
    for kind in kinds(view):
        missing = unreadable(view, kind)
        if missing:
            yield missing
            continue
        if told(view, kind.first, "enable_vcpus_pinning") is not True:
            continue
        for sandbox in kind.sandboxes:
            vcpus = sandbox.of_role(Role.VCPU)
            if not vcpus or any(thread.pinned for thread in vcpus):
                yield passes(sandbox.name)
                continue
            cpus = {cpu for thread in vcpus for cpu in thread.cpus}
            text = f"Pinning is on, but {len(vcpus)} vCPUs may use {len(cpus)} CPUs: nothing is"
            text += " pinned unless these numbers are equal."
            if not obeys(sandbox, "enable_vcpus_pinning"):
                text = "Pinning is on, but has no effect for this hypervisor and runtime."
            yield warns(sandbox.name, text, **change(view, sandbox, "overhead_vcpus", 0.0))


def _foreign_use(scene: Scene) -> Iterator[Answer]:
    """CPU-04: what others used of CPUs that belong to one sandbox."""
    view, exclusive = scene.view, exclusive_cpus(scene.view)
    used: dict[str, defaultdict[str, float]] = {
        s.key: defaultdict(float) for s in exclusive.values()
    }
    measured = set()
    for thread in view.threads:
        cpu, share = last_cpu(scene, thread), runs_share(scene, thread)
        owner = exclusive.get(cpu) if cpu is not None and not isnan(share) else None
        if owner is None or thread.name.startswith("ksoftirqd/"):  # counted as softirq below
            continue
        measured.add(owner.key)
        if thread.sandbox != owner.key:
            used[owner.key][_who(view, thread)] += share
    slots = dict(view.cpus)
    for cpu, owner in exclusive.items():
        for column in ("irq", "softirq"):
            share = tick_share(scene, slots.get(cpu, -1), column)
            if not isnan(share):
                used[owner.key][f"{column} work"] += share
    for sandbox in view.sandboxes:
        cpus = [cpu for cpu, owner in exclusive.items() if owner.key == sandbox.key]
        if cpus and sandbox.key not in measured:
            yield unknown(sandbox.name, "What runs on its CPUs was not measured yet.")
        elif cpus:
            share = sum(used[sandbox.key].values()) / len(cpus)
            top = sorted(used[sandbox.key].items(), key=lambda item: -item[1])[:_SHOWN]
            names = ", ".join(name for name, part in top if part > 0) or "nobody"
            text = f"Others used {percent(share)} of its CPUs {list_text(cpus)}: {names}."
            yield graded(sandbox.name, share, 0.005, 0.05, text)


def _who(view: HostView, thread: Thread) -> str:
    owner = view.by_key.get(thread.sandbox)
    return f"{thread.role.value} of {owner.name}" if owner else thread.actor or thread.name


def _own_helpers(scene: Scene) -> Iterator[Answer]:
    """CPU-05: helpers that can only run where the own vCPUs are pinned."""
    for sandbox in scene.view.sandboxes:
        vcpus = sandbox.of_role(Role.VCPU)
        helpers = sandbox.of_role(*_HELPERS)
        if not helpers or not vcpus or not all(thread.pinned for thread in vcpus):
            continue
        mine = {thread.cpus[0] for thread in vcpus}
        caught = sorted({t.role.value for t in helpers if t.cpus and set(t.cpus) <= mine})
        if caught:
            text = f"{', '.join(caught)} may run on the CPUs of its own vCPUs only"
            yield warns(sandbox.name, f"{text} ({list_text(mine)}).")
        else:
            yield passes(sandbox.name)


def _siblings(scene: Scene) -> Iterator[Answer]:
    """CPU-06: another sandbox on the other half of a core."""
    view = scene.view
    active = view.fact("/sys/devices/system/cpu/smt/active")
    if active == "0":
        yield passes(view.name, "Simultaneous multithreading is off.")
        return
    siblings = {
        cpu: set(procfs.cpu_list(view.fact(_SIBLINGS.format(cpu)) or "")) - {cpu}
        for cpu, _ in view.cpus
    }
    if not any(siblings.values()):
        if active is None:
            yield unknown(view.name, "The host does not say which CPUs share a core.")
        return
    allowed = {s.key: {c for t in s.of_role(Role.VCPU) for c in t.cpus} for s in view.sandboxes}
    for sandbox in view.sandboxes:
        beside = {other for cpu in allowed[sandbox.key] for other in siblings.get(cpu, ())}
        others = [
            o.name for o in view.sandboxes if o.key != sandbox.key and beside & allowed[o.key]
        ]
        if others:
            more = f" and {len(others) - 1} more" if len(others) > 1 else ""
            text = f"{others[0]}{more} may run on the other half of its cores."
            yield warns(sandbox.name, f"{text} Whether core scheduling is on cannot be read.")
        elif allowed[sandbox.key]:
            yield passes(sandbox.name)


CHECKS: tuple[Check, ...] = (
    Check(
        id="CPU-01",
        path=Path.BASE,
        title="There are not too many vCPUs for the CPUs",
        level=Level.USER,
        why="Where more vCPUs than CPUs want to run, some wait.",
        look=_overcommit,
        fix="Reserve CPUs for the system (reservedSystemCPUs of kubelet), or allow fewer pods.",
        undo="Set kubelet's configuration back.",
    ),
    Check(
        id="CPU-02",
        path=Path.BASE,
        title="No two vCPUs are pinned to one CPU",
        level=Level.USER,
        why="Pinned vCPUs cannot move away: two on one CPU get half of it each, and nothing says"
        " so (kata-containers issue 13539).",
        look=_clashes,
        fix="Switch pinning off for these pods, use cpuManagerPolicy: static of kubelet, and start"
        " the pods anew.",
        undo="Switch pinning on.",
    ),
    Check(
        id="CPU-03",
        path=Path.BASE,
        title="Pinning does what was asked for",
        level=Level.ROOT,
        why="Kata pins only if there are as many vCPUs as CPUs in the cpuset; vCPUs for overhead"
        " (Rust) or the default one (Go) are counted, too.",
        look=_pinning_without_effect,
        fix="Give the pod as many CPUs as the VM has vCPUs: whole numbers, requests equal to"
        " limits, cpuManagerPolicy: static.",
        undo="Set the requests and limits back.",
    ),
    Check(
        id="CPU-04",
        path=Path.BASE,
        title="Exclusive CPUs are used by their owner only",
        level=Level.USER,
        why="Everything else that runs there takes time which one sandbox paid for.",
        look=_foreign_use,
        fix="systemctl set-property --runtime system.slice AllowedCPUs=<other CPUs>; the same for"
        " the group of the helpers (cpuset.cpus of kata_overhead); isolcpus and nohz_full at boot.",
        undo="systemctl set-property --runtime system.slice AllowedCPUs=",
    ),
    Check(
        id="CPU-05",
        path=Path.BASE,
        title="Helpers have a CPU beside the own vCPUs",
        level=Level.USER,
        why="Work for network and disks takes time from the guest, which sees it as steal.",
        look=_own_helpers,
        fix="Give the pod one CPU more than it has vCPUs.",
        undo="Set the pod's CPUs back.",
    ),
    Check(
        id="CPU-06",
        path=Path.BASE,
        title="Nobody else is on the other half of a core",
        level=Level.USER,
        why="The two halves share caches and execution units; there are side channels, too.",
        look=_siblings,
        fix="Give whole cores (full-pcpus-only of kubelet's CPU manager), use core scheduling, or:"
        "\necho off > /sys/devices/system/cpu/smt/control",
        undo="echo on > /sys/devices/system/cpu/smt/control",
        confidential="a neighbour on the same core matters more here.",
    ),
)
