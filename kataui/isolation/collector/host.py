"""The host's own counters: CPUs, softirqs, disks, links, pressure and memory."""

from __future__ import annotations

from kataui.isolation.collector import files, procfs
from kataui.isolation.collector.entities import Entities
from kataui.isolation.collector.tables import (
    CPU,
    DISK,
    DISK_STATS,
    HOST,
    MISSING,
    NIC,
    SOFTIRQ,
)

_VMSTAT = (
    *(b"nr_dirty ", b"nr_writeback ", b"pgmajfault ", b"pgscan_kswapd ", b"pgscan_direct "),
    *(b"pgsteal_direct ", b"compact_stall ", b"pswpin ", b"pswpout ", b"nr_dirty_threshold "),
)
_MEMINFO = (b"MemTotal:", b"MemAvailable:", b"SwapTotal:", b"SwapFree:")
_VIRTUAL_DISKS = ("ram", "zram", "loop")  # loop devices show up as the device below, too
_MOST_LINKS = 256


class Host:
    """Reads the host's tables; keeps its CPUs, disks and links as entities."""

    def __init__(self, proc: str, entities: Entities, budget: files.Budget) -> None:
        def kept(name: str) -> files.Kept:
            return files.Kept(f"{proc}/{name}", budget)

        self._entities = entities
        self._stat = kept("stat")
        self._softirqs = kept("softirqs")
        self._softnet = kept("net/softnet_stat")
        self._disks = kept("diskstats")
        self._links = kept("net/dev")
        self._vmstat = kept("vmstat")
        self._meminfo = kept("meminfo")
        self._conntrack = kept("sys/net/netfilter/nf_conntrack_count")
        self._pressures = [kept(f"pressure/{name}") for name in ("cpu", "memory", "io", "irq")]
        self._slots: dict[str, dict[str, int]] = {CPU: {}, DISK: {}, NIC: {}}
        self._totals: dict[str, int] = {}
        entities.add(HOST, {})

    def cpus(self) -> dict[int, list[int]]:
        """The columns of ``cpu_time`` by slot."""
        times, self._totals = procfs.cpu_times(self._stat.read() or b"")
        self._keep(CPU, {str(cpu): {"cpu": cpu} for cpu in times})
        slots = self._slots[CPU]
        return {slots[str(cpu)]: values for cpu, values in times.items()}

    def softirqs(self) -> dict[int, list[int]]:
        """The columns of ``softirq`` by slot, for the CPUs that are known."""
        counts = procfs.softirqs(self._softirqs.read() or b"")
        slots = self._slots[CPU]
        online = sorted(int(cpu) for cpu in slots)
        net = procfs.softnet(self._softnet.read() or b"", online)
        rows = {}
        for cpu in online:
            first = counts.get(cpu, [MISSING] * (len(SOFTIRQ) - 3))
            rows[slots[str(cpu)]] = first + list(net.get(cpu, (MISSING,) * 3))
        return rows

    def disks(self) -> dict[int, list[int]]:
        """The columns of ``disk`` by slot; devices that never did anything are left out."""
        found = procfs.disks(self._disks.read() or b"")
        real = {
            name: (number, values)
            for name, (number, values) in found.items()
            if not name.startswith(_VIRTUAL_DISKS) and any(value > 0 for value in values)
        }
        self._keep(DISK, {n: {"name": n, "number": number} for n, (number, _) in real.items()})
        slots = self._slots[DISK]
        return {slots[name]: values[: len(DISK_STATS)] for name, (_, values) in real.items()}

    def links(self) -> dict[int, list[int]]:
        """The columns of ``link`` by slot, for the host's own links."""
        found = procfs.network(self._links.read() or b"")
        found.pop("lo", None)
        names = list(found)[:_MOST_LINKS]
        self._keep(NIC, {name: {"sandbox": "", "name": name} for name in names})
        return {self._slots[NIC][name]: found[name] for name in names}

    @property
    def link_names(self) -> frozenset[str]:
        """The names of the host's links."""
        return frozenset(self._slots[NIC])

    def totals(self) -> list[int]:
        """The columns of ``host``; call ``cpus`` before."""
        cpu, memory, io, irq = (procfs.pressure(kept.read() or b"") for kept in self._pressures)
        values = [cpu[0], *memory, *io, irq[1]]
        vmstat = self._vmstat.read() or b""
        values += [procfs.after(vmstat, name) for name in _VMSTAT]
        meminfo = self._meminfo.read() or b""
        values += [procfs.after(meminfo, name) for name in _MEMINFO]
        values += [self._totals.get(n, MISSING) for n in ("procs_running", "procs_blocked", "ctxt")]
        conntrack = (self._conntrack.read() or b"").strip()
        values.append(int(conntrack) if conntrack.isdigit() else MISSING)
        return values

    def _keep(self, space: str, wanted: dict[str, dict[str, object]]) -> None:
        """Entities for what is there now: CPUs and disks come and go, too."""
        slots = self._slots[space]
        if len(slots) == len(wanted) and slots.keys() == wanted.keys():
            return
        for name in [name for name in slots if name not in wanted]:
            self._entities.remove(space, slots.pop(name))
        for name, given in wanted.items():
            if name not in slots:
                slots[name] = self._entities.add(space, given)
