"""Checks of what vCPUs wait for, and of the CPUs' settings (CPU-07..12)."""

from collections import defaultdict
from collections.abc import Iterator
from math import isnan

from kataui.isolation.checks.baseevidence import (
    change,
    group_value,
    kinds,
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
    is_confidential,
    notes,
    passes,
    unknown,
    warns,
)
from kataui.isolation.checks.evidence import NBSP, graded, list_text, percent
from kataui.isolation.collector.commandline import FIRECRACKER, RUST, STRATOVIRT
from kataui.isolation.model import HostView, Role, Sandbox, Thread
from kataui.isolation.span import at
from kataui.isolation.stream import Array

_US = 1e-6
_IDLE = 0.005  # of a CPU, running and waiting: below it there is nothing to judge
_USUAL_POLL_NS = 200_000  # KVM's own default on x86
_ON_BY_DEFAULT_IN_GO = (FIRECRACKER, STRATOVIRT)


class _Waits:
    """Who ran where lately: what is needed to tell waiting for others from waiting for oneself."""

    def __init__(self, scene: Scene) -> None:
        self._run: Array = scene.span.rate("run", "run_us") * _US
        self._wait: Array = scene.span.rate("run", "wait_us") * _US
        self._cpu: Array = scene.span.now("place", "cpu")
        self._all: defaultdict[float, float] = defaultdict(float)
        self._own: defaultdict[tuple[float, str], float] = defaultdict(float)
        for thread in scene.view.threads:
            run, cpu = at(self._run, thread.slot), at(self._cpu, thread.slot)
            if not isnan(run) and cpu >= 0:
                self._all[cpu] += run
                self._own[cpu, thread.sandbox] += run

    def of(self, thread: Thread) -> tuple[float, float, float]:
        """Parts of a CPU: running, waiting, and waiting for threads of its own sandbox."""
        run, wait = at(self._run, thread.slot), at(self._wait, thread.slot)
        cpu = at(self._cpu, thread.slot)
        others = self._all[cpu] - run
        own = self._own[cpu, thread.sandbox] - run
        return run, wait, wait * own / others if others > 0 else 0.0


def _waiting(scene: Scene) -> Iterator[Answer]:
    """CPU-07: waiting that is neither the own limit nor the own threads (reference, 3.2)."""
    waits = _Waits(scene)
    throttled = scene.span.rate("group", "throttled_us") * _US
    for sandbox in scene.view.sandboxes:
        found = [waits.of(thread) for thread in sandbox.of_role(Role.VCPU)]
        known = [item for item in found if not isnan(item[0] + item[1])]
        if found and not known:
            yield unknown(sandbox.name, "How long its vCPUs wait was not measured yet.")
            continue
        run, wait, own = (sum(item[part] for item in known) for part in range(3))
        if run + wait < _IDLE:
            continue
        limit = _throttle(scene.view, sandbox, throttled)
        share = max(0.0, wait - own - limit) / (run + wait)
        text = f"Its vCPUs wait for others {percent(share)} of the time in which they want to run."
        yield graded(sandbox.name, share, 0.02, 0.10, text)


def _throttle(view: HostView, sandbox: Sandbox, throttled: Array) -> float:
    """Time a second in which a quota on the way to its group was used up."""
    group, total = sandbox.group, 0.0
    while group and group != "/":
        value = group_value(view, group, throttled)
        total += 0.0 if isnan(value) else value
        group = group.rpartition("/")[0]
    return total


def _remote_memory(scene: Scene) -> Iterator[Answer]:
    """CPU-08: memory on NUMA nodes where none of the vCPUs may run."""
    view = scene.view
    if len(view.numa_nodes) < 2:
        return
    for sandbox in view.sandboxes:
        by_node = _memory_by_node(view.group_fact(sandbox.group, "memory", "memory.numa_stat"))
        total = sum(by_node.values())
        if not total:
            yield unknown(sandbox.name, "On which nodes its memory is was not readable.")
            continue
        cpus = {cpu for thread in sandbox.of_role(Role.VCPU) for cpu in thread.cpus}
        near = {node for node, members in view.numa_nodes.items() if cpus & set(members)}
        share = sum(amount for node, amount in by_node.items() if node not in near) / total
        text = f"{percent(share)} of its memory is on nodes where none of its vCPUs may run."
        yield graded(sandbox.name, share, 0.10, 0.40, text)


def _memory_by_node(text: str | None) -> dict[int, int]:
    """Anonymous and shared memory by node (cgroup-v2.rst, memory.numa_stat)."""
    found: defaultdict[int, int] = defaultdict(int)
    for line in (text or "").splitlines():
        name, *parts = line.split() or [""]
        for part in parts if name in ("anon", "shmem") else ():
            node, _, amount = part.partition("=")
            if node[1:].isdigit() and amount.isdigit():
                found[int(node[1:])] += int(amount)
    return found


def _migrations(scene: Scene) -> Iterator[Answer]:
    """CPU-09: how often a vCPU changes its CPU."""
    rates = scene.span.rate("switch", "migrations")
    for sandbox in scene.view.sandboxes:
        found = [at(rates, thread.slot) for thread in sandbox.of_role(Role.VCPU)]
        known = [rate for rate in found if not isnan(rate)]
        if known:
            text = f"A vCPU changes its CPU {max(known):.0f} times a second."
            yield graded(sandbox.name, max(known), 5.0, 50.0, text)
        elif found:
            yield unknown(sandbox.name, "Moves between CPUs are counted every ten seconds.")


def _polling(scene: Scene) -> Iterator[Answer]:
    """CPU-10: how long the host polls for a halted vCPU."""
    view = scene.view
    poll = view.number("/sys/module/kvm/parameters/halt_poll_ns")
    if poll is None:
        if view.sandboxes:
            yield unknown(view.name, "How long KVM polls (halt_poll_ns) was not readable.")
    elif poll == 0:
        yield passes(view.name, "KVM does not poll.")
    elif poll > _USUAL_POLL_NS:
        text = f"KVM polls up to {poll / 1000:.0f}{NBSP}\u00b5s for a halted vCPU; usual are 200."
        yield warns(view.name, text, undo=f"echo {poll} > /sys/module/kvm/parameters/halt_poll_ns")
    else:
        text = "How much of the polling is in vain is in debugfs (root), which is not read."
        yield unknown(view.name, f"KVM polls up to {poll / 1000:.0f}{NBSP}\u00b5s. {text}")


def _governors(scene: Scene) -> Iterator[Answer]:
    """CPU-11: the frequency governor, and which vulnerabilities are open."""
    view = scene.view
    prefix = "/sys/devices/system/cpu/"
    by_governor: dict[str, list[int]] = {}
    for name, governor in view.matching(f"{prefix}cpu", "/cpufreq/scaling_governor").items():
        if name.isdigit():
            by_governor.setdefault(governor, []).append(int(name))
    for governor, cpus in sorted(by_governor.items()):
        subject, text = f"CPU {list_text(cpus)}", f"The frequency governor is {governor}."
        if governor == "performance":
            yield passes(subject, text)
        elif governor == "powersave":
            undo = f"cpupower -c {list_text(cpus)} frequency-set -g powersave"
            yield warns(subject, text, undo=undo)
        else:
            yield notes(subject, text)
    if not by_governor:
        yield unknown(view.name, "The host shows no frequency governor (is it a virtual machine?).")
    for name, state in sorted(view.matching(f"{prefix}vulnerabilities/").items()):
        if state.startswith("Vulnerable"):
            fix = "Keep mitigations on (no mitigations=off) and update the microcode."
            yield notes(view.name, f"{name}: {state}.", fix=fix)


def _fixed_size(scene: Scene) -> Iterator[Answer]:
    """CPU-12: whether the number of vCPUs is settled at boot."""
    view = scene.view
    for kind in kinds(view):
        missing = unreadable(view, kind)
        if missing:
            yield missing
            continue
        sandbox = kind.first
        default = sandbox.runtime == RUST or sandbox.hypervisor in _ON_BY_DEFAULT_IN_GO
        needs = (
            told(view, sandbox, "enable_vcpus_pinning") is True
            or told(view, sandbox, "enable_numa") is True
            or any(wants_latency(s) or is_confidential(s) for s in kind.sandboxes)
        )
        if told(view, sandbox, "static_sandbox_resource_mgmt", default) is True or not needs:
            yield passes(kind.subject)
        else:
            text = "The number of vCPUs changes after boot, which undoes pinning."
            fix = change(view, sandbox, "static_sandbox_resource_mgmt", value=True)
            yield warns(kind.subject, text, **fix)


CHECKS: tuple[Check, ...] = (
    Check(
        id="CPU-07",
        path=Path.BASE,
        title="vCPUs do not wait for others",
        level=Level.USER,
        why="Waiting while others run is interference itself. The own limit and the own threads"
        " are taken off.",
        look=_waiting,
        fix="See who is blamed for the waiting; give one of them other CPUs (a cpuset).",
        undo="Set the cpuset back.",
        confidential="what the guest calls steal is not to be trusted; this is the host's count.",
    ),
    Check(
        id="CPU-08",
        path=Path.BASE,
        title="Memory is near its vCPUs",
        level=Level.USER,
        why="Memory of another node is slower, and its way is shared with others.",
        look=_remote_memory,
        fix="topologyManagerPolicy: single-numa-node in kubelet's configuration, with"
        " cpuManagerPolicy: static; then start the pods anew.",
        undo="Set topologyManagerPolicy back.",
        confidential="accepted pages are not moved later: it must be right at the start.",
    ),
    Check(
        id="CPU-09",
        path=Path.BASE,
        title="vCPUs stay on their CPUs",
        level=Level.USER,
        why="A vCPU that moves leaves its caches behind.",
        look=_migrations,
        fix="Give the pod CPUs of its own: cpuManagerPolicy: static, requests equal to limits.",
        undo="Set kubelet's configuration back.",
    ),
    Check(
        id="CPU-10",
        path=Path.BASE,
        title="Idle guests do not burn CPU time by polling",
        level=Level.ROOT,
        why="While the host polls for a halted vCPU nobody else can use the CPU.",
        look=_polling,
        fix="echo 50000 > /sys/module/kvm/parameters/halt_poll_ns",
        undo="echo 200000 > /sys/module/kvm/parameters/halt_poll_ns",
    ),
    Check(
        id="CPU-11",
        path=Path.BASE,
        title="CPUs are quick to wake, and mitigations are on",
        level=Level.USER,
        why="A CPU that saves power answers late. Mitigations are what keeps tenants apart.",
        look=_governors,
        fix="cpupower frequency-set -g performance    # or: tuned-adm profile virtual-host",
        undo="cpupower frequency-set -g <the governor before>",
        confidential="keep the mitigations on here, too.",
    ),
    Check(
        id="CPU-12",
        path=Path.BASE,
        title="The size of a sandbox is settled at boot",
        level=Level.ROOT,
        why="vCPUs that are added later change their number, and pinning is undone.",
        look=_fixed_size,
        fix="Set static_sandbox_resource_mgmt = true in [runtime] of Kata's configuration.",
        undo="Take that line out.",
        confidential="required: vCPUs and memory cannot be added.",
    ),
)
