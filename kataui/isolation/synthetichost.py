"""A host that does not exist, and what passes on it."""

import uuid
from collections.abc import Mapping
from pathlib import Path
from random import Random

from kataui.isolation.model import Role
from kataui.isolation.syntheticmachine import Site, machine
from kataui.isolation.syntheticmodel import World, advance
from kataui.isolation.syntheticparts import (
    TICKS_PER_SECOND,
    Cpu,
    Disk,
    Group,
    Link,
    Load,
    Machine,
    Mode,
    Process,
    Spec,
    Task,
)
from kataui.isolation.synthetictree import Tree, facts_of


class Host:
    """A host with ``cpus`` CPUs; everything follows from ``seed``.

    With a ``root`` its files are kept in ``root/proc`` and ``root/sys``, in the kernel's formats,
    and are written again in place by whatever changes something here: whoever keeps them open sees
    that. ``vhost_tasks``: vhost workers are threads of the VMM (Linux >= 6.4), not of the kernel.
    Raises ``OSError`` when the files cannot be written.
    """

    def __init__(
        self,
        root: Path | None = None,
        *,
        cpus: int = 8,
        seed: int = 1,
        mode: Mode = Mode.V2,
        vhost_tasks: bool = True,
    ) -> None:
        self.mode = mode
        self.vhost_tasks = vhost_tasks
        random = Random(seed)  # noqa: S311 - a model's noise, no secret
        self.world = World({number: Cpu(number) for number in range(cpus)}, random)
        self.world.disks.append(Disk("nvme0n1", 259, 0))
        self.links = [Link("ens5")]
        self.version = 0  # grows when something comes or goes
        self._pid = 900
        self._netns = 4026532000
        self._tree = Tree(root) if root is not None else None
        self._usual_processes()
        self.write()

    @property
    def numbers(self) -> tuple[int, ...]:
        """Its CPUs that are online."""
        return tuple(cpu.number for cpu in self.world.online)

    @property
    def facts(self) -> dict[str, str]:
        """The files about the host itself that never change, by their usual path."""
        return facts_of(self.world, self.mode)

    def add(self, spec: Spec) -> Machine:
        """Start a sandbox."""
        random = self.world.random
        name = spec.id or f"{random.getrandbits(256):064x}"
        pod = str(uuid.UUID(int=random.getrandbits(128), version=4))
        self._netns += 1
        site = Site(
            pid=self._next_pid,
            start=self._ticks,
            cpus=self.numbers,
            mode=self.mode,
            vhost_tasks=self.vhost_tasks,
            netns=self._netns,
        )
        made = machine(spec, name, pod, site)
        self.world.machines.append(made)
        self._changed()
        return made

    def remove(self, gone: Machine) -> None:
        """End a sandbox with all that it had."""
        self.world.machines.remove(gone)
        self._changed()

    def process(self, comm: str, *, kernel: bool = False, cpus: tuple[int, ...] = ()) -> Process:
        """Start a process of the host itself, with one thread."""
        pid = self._next_pid()
        return self._start(comm, pid, 2 if kernel else 1, cpus)

    def set_online(self, cpu: int, *, online: bool) -> None:
        """Take a CPU away, or bring it back; what ran there goes elsewhere."""
        self.world.cpus[cpu].online = online
        self._changed()

    def advance(self, seconds: float, loads: Mapping[str, Load] | None = None) -> None:
        """Let ``seconds`` pass in one step; ``loads`` by name of a pod or of a host's process.

        A sandbox without a load is nearly idle. Every counter moves as the model says.
        """
        before = {m.id: (m.veth.rx_packets, m.veth.tx_packets) for m in self.world.machines}
        advance(self.world, seconds, loads or {})
        for item in self.world.machines:  # what leaves a pod leaves the host, and the other way
            rx, tx = before[item.id]
            size = (loads or {}).get(item.spec.name, Load()).packet_bytes
            sent, received = item.veth.rx_packets - rx, item.veth.tx_packets - tx
            self.links[0].count(rx=received, tx=sent, size=size)
        self.write()

    def write(self) -> None:
        """Write the files again; only needed after changing parts by hand."""
        if self._tree is not None:
            self._tree.write(self.world, self.mode, self.links)

    @property
    def _ticks(self) -> int:
        return int(self.world.mono_s * TICKS_PER_SECOND)

    def _changed(self) -> None:
        self.version += 1
        self.write()

    def _next_pid(self) -> int:
        self._pid += 1
        return self._pid

    def _usual_processes(self) -> None:
        self._start("systemd", 1, 0, ())
        self._start("kthreadd", 2, 0, ())
        for number in self.numbers:
            self._start(f"ksoftirqd/{number}", 15 + number, 2, (number,))
        for comm, kernel in (("kswapd0", True), ("kubelet", False), ("containerd", False)):
            self.process(comm, kernel=kernel)

    def _start(self, comm: str, pid: int, ppid: int, cpus: tuple[int, ...]) -> Process:
        group = Group("/" if 2 in {pid, ppid} else f"/system.slice/{comm}.service")
        allowed = cpus or self.numbers
        task = Task(pid, comm, Role.HOST, allowed, group, cpu=allowed[0])
        argv = () if 2 in {pid, ppid} else (f"/usr/bin/{comm}",)
        made = Process(pid, ppid, comm, argv, 10 + pid, "", [task])
        self.world.processes.append(made)
        self._changed()
        return made
