"""What /proc says of a whole host, as the kernel writes it.

Sources: Linux 6.12, fs/proc/{stat,softirqs,meminfo,loadavg}.c, block/genhd.c (diskstats),
net/core/net-procfs.c (softnet_stat, dev), mm/vmstat.c, kernel/sched/psi.c, kernel/irq/proc.c.
"""

from collections.abc import Iterator

from kataui.isolation.collector.tables import MISSING
from kataui.isolation.syntheticgrouptexts import pressure
from kataui.isolation.syntheticmodel import World
from kataui.isolation.syntheticparts import TICKS_PER_SECOND, Cpu, Disk, Link
from kataui.isolation.synthetictasktexts import net_dev

_SOFTIRQS = (
    *(("HI", ""), ("TIMER", "timer"), ("NET_TX", "net_tx"), ("NET_RX", "net_rx")),
    *(("BLOCK", "block"), ("IRQ_POLL", ""), ("TASKLET", ""), ("SCHED", "sched")),
    *(("HRTIMER", ""), ("RCU", "rcu")),
)


def host_files(world: World, links: list[Link]) -> Iterator[tuple[str, str]]:
    """All of them, below /proc."""
    yield "/proc/stat", _stat(world)
    yield "/proc/softirqs", _softirqs(world)
    yield "/proc/interrupts", _interrupts(world)
    yield "/proc/net/softnet_stat", "".join(_softnet(cpu) for cpu in world.online)
    yield "/proc/net/dev", net_dev([*links, *(machine.veth for machine in world.machines)])
    yield "/proc/diskstats", "".join(_disk(disk) for disk in world.disks)
    yield "/proc/vmstat", _vmstat(world)
    yield "/proc/meminfo", _meminfo(world)
    for kind in ("cpu", "io", "memory"):
        yield f"/proc/pressure/{kind}", pressure(world.pressure[kind])
    yield "/proc/pressure/irq", pressure(world.pressure["irq"], only_full=True)


def cpu_row(cpu: Cpu) -> list[int]:
    """The ten counters in ticks: user, nice, system, idle, iowait, irq, softirq, steal, guests."""
    parts = (cpu.user, 0, cpu.system, cpu.idle, cpu.iowait, 0, cpu.softirq, 0, cpu.guest, 0)
    return [int(part * TICKS_PER_SECOND) for part in parts]


def softirq_row(cpu: Cpu) -> list[int]:
    """Ten kinds of softirqs; packets processed, dropped, and times the budget was too small."""
    counted = [int(getattr(cpu, name)) if name else 0 for _, name in _SOFTIRQS]
    return [*counted, int(cpu.processed), int(cpu.dropped), int(cpu.squeezed)]


def disk_row(disk: Disk) -> list[int]:
    """The fifteen columns of ``tables.DISK_STATS`` that are known, and what follows as zero."""
    values = (
        *(disk.reads, 0, disk.read_sectors, disk.read_ms, disk.writes, 0, disk.write_sectors),
        *(disk.write_ms, disk.in_flight, disk.io_ms, disk.weighted_ms, 0, 0, 0, 0, 0, 0),
    )
    return [int(value) for value in values]


def host_row(world: World) -> list[int]:
    """The columns of ``tables.HOST_TOTALS``; connections are not tracked here."""
    memory, stalls = world.memory, world.pressure
    values = (
        *(stalls["cpu"].some_us, stalls["memory"].some_us, stalls["memory"].full_us),
        *(stalls["io"].some_us, stalls["io"].full_us, stalls["irq"].full_us),
        *(memory.dirty, memory.writeback, memory.major_faults, memory.scan_kswapd),
        *(memory.scan_direct, memory.steal_direct, memory.compact_stall, 0, 0),
        *(_dirty_threshold(world), memory.total_kb, memory.available_kb, 0, 0),
        *(world.running, 0, world.switches, MISSING),
    )
    return [int(value) for value in values]


def _stat(world: World) -> str:
    rows = {cpu.number: cpu_row(cpu) for cpu in world.online}
    total = [sum(column) for column in zip(*rows.values(), strict=True)]
    soft = [sum(column) for column in zip(*map(softirq_row, world.online), strict=True)][:10]
    lines = ["cpu  " + " ".join(map(str, total))]
    lines += [f"cpu{number} " + " ".join(map(str, row)) for number, row in rows.items()]
    lines += [
        "intr 0",
        f"ctxt {int(world.switches)}",
        f"btime {int(world.wall_s - world.mono_s)}",
        f"processes {sum(len(p.tasks) for p in world.every)}",
        f"procs_running {world.running}",
        "procs_blocked 0",
        f"softirq {sum(soft)} " + " ".join(map(str, soft)),
    ]
    return "\n".join(lines) + "\n"


def _softirqs(world: World) -> str:
    """Of all CPUs that can be, also of those that are offline."""
    cpus = list(world.cpus.values())
    head = " " * 20 + "".join(f"CPU{cpu.number:<8}" for cpu in cpus) + "\n"
    rows = {cpu.number: softirq_row(cpu) for cpu in cpus}
    lines = [
        f"{name:>12}:" + "".join(f" {rows[cpu.number][index]:10d}" for cpu in cpus) + "\n"
        for index, (name, _) in enumerate(_SOFTIRQS)
    ]
    return head + "".join(lines)


def _interrupts(world: World) -> str:
    cpus = world.online
    head = " " * 11 + "".join(f"CPU{cpu.number:<8}" for cpu in cpus) + "\n"
    first = [int(cpu.net_rx) if cpu is cpus[0] else 0 for cpu in cpus]
    card = "".join(f"{count:10d} " for count in first)
    local = "".join(f"{int(cpu.timer):10d} " for cpu in cpus)
    return (
        f"{head} 24: {card}PCI-MSIX-0000:00:05.0   0-edge      ens5-Tx-Rx-0\n"
        f"LOC: {local}  Local timer interrupts\n"
    )


def _softnet(cpu: Cpu) -> str:
    *_, processed, dropped, squeezed = softirq_row(cpu)
    values = (processed, dropped, squeezed, *([0] * 9), cpu.number, 0, 0)
    return " ".join(f"{value & 0xFFFFFFFF:08x}" for value in values) + "\n"


def _disk(disk: Disk) -> str:
    counters = " ".join(map(str, disk_row(disk)))
    return f"{disk.major:4d} {disk.minor:7d} {disk.name} {counters}\n"


def _dirty_threshold(world: World) -> int:
    return int(world.memory.available_kb / 4 * 0.2)


def _vmstat(world: World) -> str:
    memory = world.memory
    rows = {
        "nr_free_pages": memory.available_kb / 8,
        "workingset_refault_file": memory.refaults,
        "nr_dirty": memory.dirty,
        "nr_writeback": memory.writeback,
        "nr_dirty_threshold": _dirty_threshold(world),
        "nr_dirty_background_threshold": _dirty_threshold(world) // 2,
        "pswpin": 0,
        "pswpout": 0,
        "pgfault": 0,
        "pgmajfault": memory.major_faults,
        "pgsteal_kswapd": memory.steal_kswapd,
        "pgsteal_direct": memory.steal_direct,
        "pgscan_kswapd": memory.scan_kswapd,
        "pgscan_direct": memory.scan_direct,
        "compact_stall": memory.compact_stall,
    }
    return "".join(f"{name} {int(value)}\n" for name, value in rows.items())


def _meminfo(world: World) -> str:
    memory = world.memory
    rows = {
        "MemTotal": memory.total_kb,
        "MemFree": memory.available_kb / 2,
        "MemAvailable": memory.available_kb,
        "Buffers": 0,
        "Cached": memory.available_kb / 2,
        "SwapTotal": 0,
        "SwapFree": 0,
        "Dirty": memory.dirty * 4,
    }
    return "".join(f"{name + ':':<16}{int(value):8d} kB\n" for name, value in rows.items())
