"""How a made-up host behaves: who runs where, who waits, what flows, what every counter then says.

One step: wishes become demands on threads; each thread gets a CPU; each CPU is shared fairly (as
CFS and EEVDF do, max-min); limits of groups cut that down; what was moved follows from what ran.
The constants are of the order that one sees on a real host; no result of a measurement rests on
them.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from random import Random

from kataui.isolation.model import Role
from kataui.isolation.syntheticflows import Flows
from kataui.isolation.syntheticparts import (
    Cpu,
    Disk,
    Group,
    Load,
    Machine,
    Memory,
    Process,
    Stall,
    Task,
)

_SLICE_S = 0.003  # what a thread runs before the next one of a full CPU has its turn
_WAKE_S = 0.0004  # what it runs at a time on a quiet CPU
_PERIOD_S = 0.1  # cpu.cfs_period_us
_STICKS = 0.25  # a thread stays where it was unless another CPU has that much more room
_LITTLE = 0.002  # who wants no more is not moved, and waits for nobody
_WINDOWS_S = (10.0, 60.0, 300.0)  # psi.rst


@dataclass(slots=True)
class World:
    """All that there is on a host at a moment; ``mono_s`` is the time since it was started."""

    cpus: dict[int, Cpu]
    random: Random
    machines: list[Machine] = field(default_factory=list)
    processes: list[Process] = field(default_factory=list)
    disks: list[Disk] = field(default_factory=list)
    memory: Memory = field(default_factory=Memory)
    pressure: dict[str, Stall] = field(
        default_factory=lambda: {name: Stall() for name in ("cpu", "io", "memory", "irq")}
    )
    mono_s: float = 5000.0
    wall_s: float = 1_780_000_000.0
    switches: float = 0.0
    running: int = 1

    @property
    def every(self) -> list[Process]:
        """All processes: those of sandboxes and the host's own."""
        return [p for machine in self.machines for p in machine.processes] + self.processes

    @property
    def online(self) -> list[Cpu]:
        """The CPUs that are there."""
        return [cpu for cpu in self.cpus.values() if cpu.online]


def advance(world: World, seconds: float, loads: Mapping[str, Load]) -> None:
    """Let time pass, in one step; ``loads`` by name of a pod, or of a process of the host."""
    flows = Flows(world.machines, world.processes, world.cpus, world.disks[0], world.memory)
    _want(world, loads)
    flows.want(loads)
    _place(world)
    for cpu, tasks in _by_cpu(world):
        _share(cpu, tasks)
    _limit(world, seconds)
    for task in _tasks(world):
        _book(task, seconds, world.random)
    flows.book(seconds, loads)
    _count_groups(world, flows, seconds)
    _count_cpus(world, flows, seconds)
    world.mono_s += seconds
    world.wall_s += seconds


def _tasks(world: World) -> Iterable[Task]:
    return (task for process in world.every for task in process.tasks)


def _by_cpu(world: World) -> list[tuple[Cpu, list[Task]]]:
    found: dict[int, list[Task]] = {cpu.number: [] for cpu in world.online}
    for task in _tasks(world):
        found[task.cpu].append(task)
    return [(cpu, found[cpu.number]) for cpu in world.online]


def _want(world: World, loads: Mapping[str, Load]) -> None:
    """What vCPUs and the host's processes want; all others hardly live."""
    for task in _tasks(world):
        task.want = 0.0002 * world.random.uniform(0.5, 1.5)
    for machine in world.machines:
        load = loads.get(machine.spec.name, Load())
        for task in machine.of_role(Role.VCPU):
            task.want = min(1.0, load.cores * world.random.uniform(0.97, 1.03))
    for process in world.processes:
        if process.comm in loads:
            process.main.want = min(1.0, loads[process.comm].cores)


def _place(world: World) -> None:
    """Give each thread a CPU: those that may use one only first, then the hungriest."""
    filled = {cpu.number: cpu.soft for cpu in world.online}
    for task in sorted(_tasks(world), key=lambda task: (len(task.cpus) > 1, -task.want)):
        if task.want < _LITTLE and task.cpu in filled:
            filled[task.cpu] += task.want
            continue
        allowed = [cpu for cpu in task.cpus if cpu in filled] or list(filled)
        best = min(allowed, key=lambda cpu: filled[cpu])
        stays = task.cpu in allowed and filled[task.cpu] <= filled[best] + _STICKS
        if not stays:
            task.migrations += 1
            task.cpu = best
        filled[task.cpu] += task.want


def _share(cpu: Cpu, tasks: list[Task]) -> None:
    """Max-min shares of what softirqs leave; who cannot have what he wants is always ready."""
    room, waiting = 1.0 - cpu.soft, sorted(tasks, key=lambda task: task.want)
    asked = sum(task.want for task in tasks)
    for number, task in enumerate(waiting):
        task.got = min(task.want, room / (len(waiting) - number))
        room -= task.got
        if task.got < task.want - 1e-9:
            task.waited = 1.0 - task.got
        else:  # rarely together: the third power of how full the CPU is with others
            others = min(1.0, asked - task.want + cpu.soft)
            task.waited = min(1.0 - task.got, task.got * others**3 * 1.2)


def _limit(world: World, seconds: float) -> None:
    """Limits of groups: what is used up early in each period stands still for its rest."""
    for machine in world.machines:
        for group in machine.groups:
            if group.quota_cores is None:
                continue
            group.periods += seconds / _PERIOD_S
            mine = [t for p in machine.processes for t in p.tasks if group.holds(t)]
            used = sum(task.got for task in mine)
            part = min(1.0, group.quota_cores / used) if used else 1.0
            if part >= 1.0:
                continue
            rest = 1.0 - part
            group.throttled += seconds / _PERIOD_S * min(1.0, 10 * rest)
            busy = [task for task in mine if task.got > 0.05]
            group.throttled_us += rest * seconds * 1e6 * len({task.cpu for task in busy})
            for task in busy:
                task.got *= part
                task.waited = min(1.0 - task.got, task.waited * part + rest)


def _book(task: Task, seconds: float, random: Random) -> None:
    """What schedstat, stat and status say of a thread."""
    run_s, wait_s = task.got * seconds, task.waited * seconds
    full = task.waited > 0.1
    slices = run_s / (_SLICE_S if full else _WAKE_S) * random.uniform(0.9, 1.1) + seconds
    forced = slices * (0.8 if full else 0.01)
    task.run_ns += run_s * 1e9
    task.wait_ns += wait_s * 1e9 + slices * 2000
    task.slices += slices
    task.involuntary += forced
    task.voluntary += slices - forced
    in_kernel = task.in_kernel if task.books_guest else 1.0
    task.system_s += run_s * in_kernel
    task.user_s += run_s * (1 - in_kernel)
    if task.role is Role.VCPU:
        task.guest_s += run_s * (1 - in_kernel)


def _count_groups(world: World, flows: Flows, seconds: float) -> None:
    """cpu.stat and the pressure of each group and of the host."""
    host = _stalled([task for task in _tasks(world) if task.want > _LITTLE])
    _press(world.pressure["cpu"], (host[0], 0.0), seconds)
    for name in ("io", "memory"):
        stalls = [flows.stalls[machine.id][name] for machine in world.machines]
        some = 1.0 - math.prod(1.0 - part for part in stalls)
        _press(world.pressure[name], (some, min(stalls, default=0.0) * 0.5), seconds)
    soft = sum(cpu.soft for cpu in world.online) / len(world.online)
    _press(world.pressure["irq"], (0.0, soft), seconds)
    for machine in world.machines:
        for process in machine.processes:
            for task in process.tasks:
                for group in task.group.up():
                    group.system_us += task.got * seconds * 1e6 * task.in_kernel
                    group.user_us += task.got * seconds * 1e6 * (1 - task.in_kernel)
        for group in machine.groups:
            _press_group(machine, group, flows, seconds)


def _press_group(machine: Machine, group: Group, flows: Flows, seconds: float) -> None:
    mine = [t for p in machine.processes for t in p.tasks if group.holds(t)]
    _press(group.pressure["cpu"], _stalled([t for t in mine if t.want > _LITTLE]), seconds)
    if group in machine.group.up():
        for name, part in flows.stalls[machine.id].items():
            _press(group.pressure[name], (part, part * 0.8), seconds)


def _stalled(tasks: list[Task]) -> tuple[float, float]:
    """Parts of the time in which some of them waited for a CPU, and all of them (psi.rst)."""
    some = 1.0 - math.prod(1.0 - min(0.99, task.waited) for task in tasks)
    return some, some * math.prod(1.0 - min(1.0, task.got) for task in tasks)


def _press(stall: Stall, parts: tuple[float, float], seconds: float) -> None:
    """Totals, and averages that forget as the kernel's do."""
    stall.some_us += parts[0] * seconds * 1e6
    stall.full_us += parts[1] * seconds * 1e6
    for averages, part in ((stall.some, parts[0]), (stall.full, parts[1])):
        for index, window_s in enumerate(_WINDOWS_S):
            keeps = math.exp(-seconds / window_s)
            averages[index] = averages[index] * keeps + 100 * part * (1 - keeps)


def _count_cpus(world: World, flows: Flows, seconds: float) -> None:
    """/proc/stat and softirqs; the time of a CPU always adds up."""
    blocked = max((part["io"] for part in flows.stalls.values()), default=0.0)
    for cpu, tasks in _by_cpu(world):
        guest = sum(task.got * 0.96 for task in tasks if task.role is Role.VCPU)
        kernel = sum(task.got * task.in_kernel for task in tasks)
        used = sum(task.got for task in tasks)
        idle = max(0.0, 1.0 - used - cpu.soft)
        cpu.guest += guest * seconds
        cpu.user += (used - kernel) * seconds
        cpu.system += kernel * seconds
        cpu.softirq += cpu.soft * seconds
        cpu.iowait += idle * 0.5 * blocked * seconds
        cpu.idle += idle * (1 - 0.5 * blocked) * seconds
        switched = sum(task.got / _SLICE_S + 1 for task in tasks) * seconds
        world.switches += switched
        cpu.timer += (250 if used > 0.1 else 40) * seconds
        cpu.sched += (120 * used + 20) * seconds
        cpu.rcu += (100 * used + 30) * seconds
    world.running = max(1, sum(task.got + task.waited > 0.5 for task in _tasks(world)))
