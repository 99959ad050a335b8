"""What control groups say, v2 and v1, as the kernel writes it.

Sources: Linux 6.12, kernel/sched/core.c (cpu.stat of both), kernel/sched/psi.c (pressure),
mm/memcontrol.c and memcontrol-v1.c (memory.*), block/blk-cgroup.c and blk-throttle.c (io, blkio).
"""

from collections.abc import Iterator

from kataui.isolation.collector.tables import MISSING
from kataui.isolation.syntheticmodel import World
from kataui.isolation.syntheticparts import Group, Mode, Stall

_V1_FOLDERS = ("blkio", "cpu,cpuacct", "cpuset", "memory", "systemd")
_PERIOD_US = 100_000
_V1_NO_LIMIT = 9223372036854771712
UNIFIED = "/system.slice/containerd.service"  # where Kata leaves its processes on hybrid hosts


def group_files(world: World, mode: Mode) -> Iterator[tuple[str, str]]:
    """The files of all groups of sandboxes, and what the root of each hierarchy needs."""
    root = "/sys/fs/cgroup"
    groups = {group.path: group for machine in world.machines for group in machine.groups}
    number = world.disks[0].number
    if mode is not Mode.V2:
        for name in _V1_FOLDERS:
            yield f"{root}/{name}/cgroup.procs", ""
    if mode is Mode.HYBRID:
        for kind in ("cpu", "io", "memory"):
            yield f"{root}/unified{UNIFIED}/{kind}.pressure", pressure(world.pressure[kind])
    for path, group in groups.items():
        if mode is Mode.V2:
            yield from _v2(root + path, group, number)
        else:
            yield from _v1(root, path, group, number)


def pressure(stall: Stall, *, only_full: bool = False) -> str:
    """Averages in percent, totals in us."""
    lines = []
    for word, averages, total in (
        ("some", stall.some, stall.some_us),
        ("full", stall.full, stall.full_us),
    ):
        named = zip(("avg10", "avg60", "avg300"), averages, strict=True)
        text = " ".join(f"{name}={value:.2f}" for name, value in named)
        lines.append(f"{word} {text} total={int(total)}\n")
    return lines[1] if only_full else "".join(lines)


def _v2(folder: str, group: Group, number: str) -> Iterator[tuple[str, str]]:
    quota = "max" if group.quota_cores is None else str(round(group.quota_cores * _PERIOD_US))
    yield f"{folder}/cpu.max", f"{quota} {_PERIOD_US}\n"
    yield f"{folder}/cpu.weight", "100\n"
    yield f"{folder}/cpu.stat", _rows(_cpu_stat(group))
    for kind, stall in group.pressure.items():
        yield f"{folder}/{kind}.pressure", pressure(stall)
    limit = "max" if group.memory_max is None else str(group.memory_max)
    yield f"{folder}/memory.max", f"{limit}\n"
    yield f"{folder}/memory.current", f"{int(group.memory)}\n"
    yield f"{folder}/memory.stat", _rows(_memory_stat(group))
    counted = (
        *(("rbytes", group.read_bytes), ("wbytes", group.write_bytes)),
        *(("rios", group.reads), ("wios", group.writes), ("dbytes", 0), ("dios", 0)),
    )
    fields = " ".join(f"{name}={int(value)}" for name, value in counted)
    yield f"{folder}/io.stat", f"{number} {fields}\n"


def _cpu_stat(group: Group) -> dict[str, float]:
    return {
        "usage_usec": group.usage_us,
        "user_usec": group.user_us,
        "system_usec": group.system_us,
        "nice_usec": 0,
        "core_sched.force_idle_usec": 0,
        "nr_periods": group.periods,
        "nr_throttled": group.throttled,
        "throttled_usec": group.throttled_us,
        "nr_bursts": 0,
        "burst_usec": 0,
    }


def _memory_stat(group: Group) -> dict[str, float]:
    return {
        "anon": group.memory * 0.8,
        "file": group.memory * 0.2,
        "kernel": 4 << 20,
        "shmem": 0,
        "file_mapped": 0,
        "file_dirty": group.dirty,
        "file_writeback": 0,
        "pgfault": 0,
        "pgmajfault": group.refaults / 8,
        "workingset_refault_anon": 0,
        "workingset_refault_file": group.refaults,
    }


def _v1(root: str, path: str, group: Group, number: str) -> Iterator[tuple[str, str]]:
    folder = f"{root}/cpu,cpuacct{path}"
    quota = -1 if group.quota_cores is None else round(group.quota_cores * _PERIOD_US)
    yield f"{folder}/cpu.cfs_quota_us", f"{quota}\n"
    yield f"{folder}/cpu.cfs_period_us", f"{_PERIOD_US}\n"
    stat = {
        "nr_periods": group.periods,
        "nr_throttled": group.throttled,
        "throttled_time": group.throttled_us * 1000,
        "nr_bursts": 0,
        "burst_time": 0,
    }
    yield f"{folder}/cpu.stat", _rows(stat)
    yield f"{folder}/cpuacct.usage", f"{group.usage_us * 1000}\n"
    folder = f"{root}/memory{path}"
    limit = _V1_NO_LIMIT if group.memory_max is None else group.memory_max
    yield f"{folder}/memory.limit_in_bytes", f"{limit}\n"
    yield f"{folder}/memory.usage_in_bytes", f"{int(group.memory)}\n"
    memory = {
        "cache": group.memory * 0.2,
        "rss": group.memory * 0.8,
        "rss_huge": 0,
        "shmem": 0,
        "mapped_file": 0,
        "dirty": group.dirty,
        "writeback": 0,
        "workingset_refault_anon": 0,
        "workingset_refault_file": group.refaults,
    }
    yield f"{folder}/memory.stat", _rows(memory)
    folder = f"{root}/blkio{path}"
    for kind, read, write in (
        ("io_service_bytes", group.read_bytes, group.write_bytes),
        ("io_serviced", group.reads, group.writes),
    ):
        counted = {"Read": int(read), "Write": int(write), "Sync": int(read), "Async": int(write)}
        total = int(read) + int(write)
        lines = [f"{number} {word} {value}\n" for word, value in counted.items()]
        text = "".join(lines) + f"{number} Discard 0\n{number} Total {total}\nTotal {total}\n"
        yield f"{folder}/blkio.throttle.{kind}_recursive", text


def _rows(values: dict[str, float]) -> str:
    return "".join(f"{name} {int(value)}\n" for name, value in values.items())


def group_row(group: Group, mode: Mode) -> list[int]:
    """The columns of ``tables.GROUP`` as the collector reads them from these files."""
    row = [group.usage_us, group.periods, group.throttled, group.throttled_us]
    for kind in ("cpu", "io", "memory"):
        stall = group.pressure[kind] if mode is Mode.V2 else None
        row += [stall.some_us, stall.full_us] if stall else [MISSING, MISSING]
    return [int(value) for value in row]


def memory_row(group: Group) -> list[int]:
    """The columns of ``tables.GROUP_MEMORY``."""
    limit = MISSING if group.memory_max is None else group.memory_max
    values = (
        *(group.memory, limit, group.dirty, 0, group.memory * 0.8, group.memory * 0.2),
        *(group.refaults, group.read_bytes, group.write_bytes, group.reads, group.writes),
    )
    return [int(value) for value in values]
