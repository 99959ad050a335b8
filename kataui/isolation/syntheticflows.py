"""Packets, requests to disks and pages of a made-up host: what they cost, and what they count.

What moves depends on what its threads were given: a vhost thread that does not get its CPU drops
packets; a disk that is asked for more than it can do makes all wait (Little's law).
"""

from collections.abc import Mapping

from kataui.isolation.model import Role
from kataui.isolation.syntheticparts import (
    PAGE_BYTES,
    Cpu,
    Disk,
    Load,
    Machine,
    Memory,
    Process,
    Task,
)

_VHOST_PACKET_S = 1.6e-6  # of vhost for a packet, either way
_SOFT_PACKET_S = 0.8e-6  # of softirq for a packet that comes from outside
_LOCAL_PACKET_S = 0.3e-6  # of softirq for one that a guest sends
_REQUEST_S = 15e-6  # of an IO thread for a request
_SCAN_S = 1.5e-6  # of kswapd for a page that is looked at
_REFAULT_S = 150e-6  # until a page is there again
_DIRECT_PAGES = 200_000.0  # a second; what kswapd cannot do falls to who asks
_SOFT_MOST = 0.95


class Flows:
    """One step: ``want`` before CPUs are shared, ``book`` after; ``stalls`` by id, 0..1."""

    def __init__(
        self,
        machines: list[Machine],
        processes: list[Process],
        cpus: Mapping[int, Cpu],
        disk: Disk,
        memory: Memory,
    ) -> None:
        self._machines = machines
        self._processes = processes
        self._cpus = cpus
        self._disk = disk
        self._memory = memory
        self._soft: dict[int, float] = {}
        self.stalls = {machine.id: {"io": 0.0, "memory": 0.0} for machine in machines}

    def want(self, loads: Mapping[str, Load]) -> None:
        """Demands on the threads that move packets, requests and pages; time of softirqs."""
        first = next(cpu.number for cpu in self._cpus.values() if cpu.online)
        self._soft = dict.fromkeys(self._cpus, 0.0005)
        for machine in self._machines:
            load = loads.get(machine.spec.name, Load())
            movers = _movers(machine)
            packets = load.rx_packets + load.tx_packets
            _more(movers, packets * _VHOST_PACKET_S)
            _more(_servers(machine), (load.reads + load.writes) * _REQUEST_S)
            # interrupts of the network card come to the first CPU
            self._soft[first] += load.rx_packets * _SOFT_PACKET_S
            for task in movers:
                self._soft[task.cpu] += load.tx_packets * _LOCAL_PACKET_S / len(movers)
        for number, part in self._soft.items():
            self._cpus[number].soft = min(_SOFT_MOST, part)
        pages = self._pages(loads)
        for process in self._processes:
            if process.comm.startswith("kswapd") and pages:
                process.main.want = min(1.0, pages * _SCAN_S)

    def _pages(self, loads: Mapping[str, Load]) -> float:
        return sum(loads.get(m.spec.name, Load()).reclaim_pages for m in self._machines)

    def book(self, seconds: float, loads: Mapping[str, Load]) -> None:
        """What counters say of it."""
        for machine in self._machines:
            self._move_packets(machine, loads.get(machine.spec.name, Load()), seconds)
        for number, part in self._soft.items():
            self._backlog(self._cpus[number], part, seconds)
        self._serve(seconds, loads)
        self._reclaim(seconds, loads)

    def _move_packets(self, machine: Machine, load: Load, seconds: float) -> None:
        movers = _movers(machine)
        wanted = sum(task.want for task in movers)
        packets = load.rx_packets + load.tx_packets
        needed = max(wanted, packets * _VHOST_PACKET_S)
        part = min(1.0, sum(task.got for task in movers) / needed) if needed else 1.0
        rx, tx = load.rx_packets * seconds, load.tx_packets * seconds
        size = load.packet_bytes
        # what the guest receives is sent by the tap; what vhost cannot take is dropped there
        machine.tap.count(rx=tx * part, tx=rx * part, size=size, dropped=rx * (1 - part))
        machine.inner.count(rx=rx, tx=tx * part, size=size)
        machine.veth.count(rx=tx * part, tx=rx, size=size)
        first = next(cpu for cpu in self._cpus.values() if cpu.online)
        first.net_rx += rx / 8
        first.processed += rx
        for task in movers:
            cpu = self._cpus[task.cpu]
            cpu.net_tx += tx * part / 200 / len(movers)
            cpu.net_rx += tx * part / 4 / len(movers)
            cpu.processed += (rx + tx) * part / len(movers)

    def _backlog(self, cpu: Cpu, asked: float, seconds: float) -> None:
        """Above a third of a CPU the budget runs out at times; above all of it packets drop."""
        cpu.squeezed += max(0.0, min(asked, 1.0) - 0.33) * 150 * seconds
        cpu.dropped += max(0.0, asked - _SOFT_MOST) / _SOFT_PACKET_S * seconds

    def _serve(self, seconds: float, loads: Mapping[str, Load]) -> None:
        disk = self._disk
        wishes = {m.id: _asking(m, loads) for m in self._machines}
        asked = sum(rate for rate, _ in wishes.values())
        deep = sum(depth for rate, depth in wishes.values() if rate)
        full = min(0.95, asked / disk.best)
        latency_s = max(disk.base_s / (1 - full), deep / disk.best if asked > disk.best else 0.0)
        served = {}
        for machine in self._machines:
            load = loads.get(machine.spec.name, Load())
            rate, depth = wishes[machine.id]
            done = min(rate, depth / latency_s)
            served[machine.id] = done
            self.stalls[machine.id]["io"] = min(0.97, done * latency_s / depth) if depth else 0.0
            if rate:
                self._count(machine, load, done * seconds, done / rate)
        total = sum(served.values())
        disk.io_ms += min(1.0, total * disk.base_s if asked < disk.best else 1.0) * seconds * 1000
        disk.weighted_ms += total * latency_s * seconds * 1000
        disk.in_flight = round(total * latency_s)
        for machine in self._machines:
            load = loads.get(machine.spec.name, Load())
            self._count_disk(load, served[machine.id] * seconds, latency_s)

    def _count(self, machine: Machine, load: Load, done: float, part: float) -> None:
        """A group's and a process's share of what the disk did."""
        rate = load.reads + load.writes + load.refaults
        reads = done * (load.reads + load.refaults) / rate
        writes = done * load.writes / rate
        for group in machine.group.up():
            group.reads += reads
            group.writes += writes
            group.read_bytes += reads * load.io_bytes
            group.write_bytes += writes * load.io_bytes
            group.refaults += part * done * load.refaults / rate
        process = next(p for p in machine.processes if _servers(machine)[0] in p.tasks)
        process.reads += reads
        process.writes += writes
        process.read_bytes += reads * load.io_bytes
        process.write_bytes += writes * load.io_bytes
        process.read_chars += reads * load.io_bytes
        process.write_chars += writes * load.io_bytes

    def _count_disk(self, load: Load, done: float, latency_s: float) -> None:
        rate = load.reads + load.writes + load.refaults
        if not rate:
            return
        disk = self._disk
        reads = done * (load.reads + load.refaults) / rate
        writes = done - reads
        disk.reads += reads
        disk.writes += writes
        disk.read_sectors += reads * load.io_bytes / 512
        disk.write_sectors += writes * load.io_bytes / 512
        disk.read_ms += reads * latency_s * 1000
        disk.write_ms += writes * latency_s * 1000
        first = next(cpu for cpu in self._cpus.values() if cpu.online)
        first.block += done

    def _reclaim(self, seconds: float, loads: Mapping[str, Load]) -> None:
        memory = self._memory
        pages = self._pages(loads)
        direct = max(0.0, pages - _DIRECT_PAGES)
        memory.scan_kswapd += (pages - direct) * seconds
        memory.scan_direct += direct * seconds
        memory.steal_kswapd += (pages - direct) * 0.6 * seconds
        memory.steal_direct += direct * 0.5 * seconds
        memory.compact_stall += direct / 4096 * seconds
        goal = memory.total_kb * (0.02 if pages else 0.6)
        memory.available_kb += (goal - memory.available_kb) * min(1.0, seconds / 5)
        for machine in self._machines:
            load = loads.get(machine.spec.name, Load())
            own = load.reclaim_pages / pages * min(0.5, direct * 1.2e-6) if pages else 0.0
            part = min(0.95, own + load.refaults * _REFAULT_S)
            self.stalls[machine.id]["memory"] = part
            grown = load.grow_pages * seconds
            machine.primary.rss_pages += grown
            machine.group.memory += grown * PAGE_BYTES
            memory.refaults += load.refaults * seconds
            memory.major_faults += load.refaults / 8 * seconds
        writes = sum(loads.get(m.spec.name, Load()).writes for m in self._machines)
        memory.dirty += (400 + writes * 2 - memory.dirty) * min(1.0, seconds / 5)
        memory.writeback = memory.dirty / 20
        for machine in self._machines:
            load = loads.get(machine.spec.name, Load())
            machine.group.dirty = load.writes * load.io_bytes // PAGE_BYTES * PAGE_BYTES


def _movers(machine: Machine) -> list[Task]:
    """The threads that carry packets: vhost, or the hypervisor's own."""
    found = machine.serving(Role.VHOST, Role.IOTHREAD)
    named = [task for task in found if task.name.startswith(("vhost-", "_net"))]
    return named or found


def _servers(machine: Machine) -> list[Task]:
    """The threads that carry requests to disks."""
    return machine.serving(Role.IOTHREAD, Role.VIRTIOFSD)[:1]


def _more(tasks: list[Task], cores: float) -> None:
    for task in tasks:
        task.want = min(1.0, task.want + cores / len(tasks))


def _asking(machine: Machine, loads: Mapping[str, Load]) -> tuple[float, int]:
    load = loads.get(machine.spec.name, Load())
    return load.reads + load.writes + load.refaults, load.io_depth
