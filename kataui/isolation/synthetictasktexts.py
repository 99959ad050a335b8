"""What /proc says of a process and of a thread, as the kernel writes it.

Sources: Linux 6.12, fs/proc/array.c (stat, status), fs/proc/base.c (schedstat, io, cmdline),
kernel/sched/debug.c (sched), net/core/net-procfs.c (net/dev), kernel/cgroup (cgroup).
"""

from collections.abc import Iterable, Iterator

from kataui.isolation.model import Role
from kataui.isolation.syntheticgrouptexts import UNIFIED
from kataui.isolation.syntheticparts import (
    PAGE_BYTES,
    TICKS_PER_SECOND,
    Group,
    Link,
    Mode,
    Process,
    Task,
)

_V1 = (
    *("11:blkio", "10:cpuset", "9:pids", "8:memory", "7:freezer", "6:cpu,cpuacct"),
    *("5:devices", "1:name=systemd"),
)

_NET_HEAD = (
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|"
    "bytes    packets errs drop fifo colls carrier compressed\n"
)
_ADDRESS = 94614612459520


def process_files(folder: str, process: Process, mode: Mode) -> Iterator[tuple[str, str]]:
    """The files of a process itself; its ``stat`` is of all its threads together."""
    user, system, guest = (process.seconds(kind) for kind in ("user_s", "system_s", "guest_s"))
    yield f"{folder}/cmdline", "".join(f"{part}\0" for part in process.argv)
    yield f"{folder}/comm", f"{process.comm}\n"
    yield f"{folder}/stat", stat(process, process.main, user, system, guest)
    yield f"{folder}/status", status(process, process.main)
    yield f"{folder}/schedstat", schedstat(process.main)
    yield f"{folder}/cgroup", cgroup(process.main.group, mode)
    yield f"{folder}/io", io(process)


def task_files(
    folder: str, process: Process, task: Task, mode: Mode, links: Iterable[Link]
) -> Iterator[tuple[str, str]]:
    """The files of a thread."""
    yield f"{folder}/comm", f"{task.name}\n"
    yield f"{folder}/stat", stat(process, task, task.user_s, task.system_s, task.guest_s)
    yield f"{folder}/status", status(process, task)
    yield f"{folder}/schedstat", schedstat(task)
    yield f"{folder}/sched", sched(process, task)
    yield f"{folder}/cgroup", cgroup(task.group, mode)
    if task is process.main or task.role is Role.VCPU:
        text = net_dev(links)
        yield f"{folder}/net/dev", text
        if task is process.main:
            yield f"{folder.rpartition('/task/')[0]}/net/dev", text


def schedstat(task: Task) -> str:
    """Nanoseconds running, nanoseconds waiting, slices."""
    return f"{int(task.run_ns)} {int(task.wait_ns)} {int(task.slices)}\n"


def stat(process: Process, task: Task, user_s: float, system_s: float, guest_s: float) -> str:
    """The 52 fields."""
    ticks = [int(part * TICKS_PER_SECOND) for part in (user_s, system_s, guest_s)]
    memory = (0, 0) if process.kernel_made else (508145664, int(process.rss_pages))
    state = "R" if task.got > 0.5 else "S"
    fields = (
        *(task.tid, f"({task.name})", state, process.ppid, process.pid, process.pid, 0, -1),
        *(4194560, 5333, 0, 16, 0, ticks[0], ticks[1], 0, 0, 20, 0, len(process.tasks), 0),
        *(process.start, *memory, 18446744073709551615, _ADDRESS, _ADDRESS + 5858800),
        *(140729463453584, 0, 0, 0, 268444224, 4096, 16963, 0, 0, 0, 17, task.cpu, 0, 0, 0),
        *(ticks[2], 0, _ADDRESS + 8972512, _ADDRESS + 14176688),
        *(_ADDRESS + 234409984, 140729463458180, 140729463458537, 140729463458537),
        *(140729463459804, 0),
    )
    return " ".join(str(part) for part in fields) + "\n"


def status(process: Process, task: Task) -> str:
    """The lines, and the two counts of switches."""
    mask = sum(1 << cpu for cpu in task.cpus)
    lines = [
        *(f"Name:\t{task.name}", "Umask:\t0022", "State:\tS (sleeping)", f"Tgid:\t{process.pid}"),
        *("Ngid:\t0", f"Pid:\t{task.tid}", f"PPid:\t{process.ppid}", "TracerPid:\t0"),
        *("Uid:\t0\t0\t0\t0", "Gid:\t0\t0\t0\t0", "FDSize:\t256", "Groups:\t "),
        *(f"NStgid:\t{process.pid}", f"NSpid:\t{task.tid}", f"NSpgid:\t{process.pid}", "NSsid:\t0"),
        f"Kthread:\t{int(process.kernel_made)}",
        *(() if process.kernel_made else _memory(int(process.rss_pages) * PAGE_BYTES // 1024)),
        *(f"Threads:\t{len(process.tasks)}", "SigQ:\t1/96365"),
        *(f"SigPnd:\t{0:016x}", f"ShdPnd:\t{0:016x}", f"SigBlk:\t{task.blocked:016x}"),
        *(f"SigIgn:\t{0:016x}", f"SigCgt:\t{0:016x}"),
        *(f"{name}:\t{0:016x}" for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")),
        *("NoNewPrivs:\t0", "Seccomp:\t0", "Seccomp_filters:\t0"),
        *("Speculation_Store_Bypass:\tvulnerable", "SpeculationIndirectBranch:\talways enabled"),
        *(f"Cpus_allowed:\t{mask:x}", f"Cpus_allowed_list:\t{cpu_list(task.cpus)}"),
        *("Mems_allowed:\t00000000,00000001", "Mems_allowed_list:\t0"),
        f"voluntary_ctxt_switches:\t{int(task.voluntary)}",
        f"nonvoluntary_ctxt_switches:\t{int(task.involuntary)}",
    ]
    return "\n".join(lines) + "\n"


def _memory(rss_kb: int) -> list[str]:
    sizes = {
        "VmPeak": 546876,
        "VmSize": 496236,
        "VmLck": 0,
        "VmPin": 0,
        "VmHWM": rss_kb,
        "VmRSS": rss_kb,
        "RssAnon": rss_kb // 2,
        "RssFile": rss_kb - rss_kb // 2,
        "RssShmem": 0,
        "VmData": 191160,
        "VmStk": 132,
        "VmExe": 5724,
        "VmLib": 14600,
        "VmPTE": 228,
        "VmSwap": 0,
        "HugetlbPages": 0,
    }
    lines = [f"{name}:\t{size:8d} kB" for name, size in sizes.items()]
    return [*lines, "CoreDumping:\t0", "THP_enabled:\t1", "untag_mask:\t0xffffffffffffffff"]


def sched(process: Process, task: Task) -> str:
    """As far as it is read: the scheduler's view of a thread."""
    rows = (
        ("se.exec_start", f"{process.start * 10:.6f}"),
        ("se.vruntime", f"{task.run_ns / 2e6:.6f}"),
        ("se.sum_exec_runtime", f"{task.run_ns / 1e6:.6f}"),
        ("se.nr_migrations", str(task.migrations)),
        ("nr_switches", str(int(task.voluntary) + int(task.involuntary))),
        ("nr_voluntary_switches", str(int(task.voluntary))),
        ("nr_involuntary_switches", str(int(task.involuntary))),
        ("policy", "0"),
        ("prio", "120"),
    )
    head = f"{task.name} ({task.tid}, #threads: {len(process.tasks)})\n"
    lines = "".join(f"{name:<45}:{value:>21}\n" for name, value in rows)
    return f"{head}{'-' * 67}\n{lines}"


def io(process: Process) -> str:
    """Bytes asked for, calls, bytes at the block layer."""
    rows = (
        *(("rchar", process.read_chars), ("wchar", process.write_chars)),
        *(("syscr", process.reads), ("syscw", process.writes)),
        *(("read_bytes", process.read_bytes), ("write_bytes", process.write_bytes)),
        ("cancelled_write_bytes", 0),
    )
    return "".join(f"{name}: {int(value)}\n" for name, value in rows)


def cgroup(group: Group, mode: Mode) -> str:
    """One line a hierarchy."""
    if mode is Mode.V2:
        return f"0::{group.path}\n"
    lines = [f"{name}:{group.path}\n" for name in _V1]
    return "".join(lines) + (f"0::{UNIFIED}\n" if mode is Mode.HYBRID else "")


def net_dev(links: Iterable[Link]) -> str:
    """Counters of links; ``lo`` is always there."""
    rows = []
    for link in (Link("lo"), *links):
        rx = tuple(int(v) for v in (link.rx_bytes, link.rx_packets, 0, link.rx_dropped))
        tx = tuple(int(v) for v in (link.tx_bytes, link.tx_packets, 0, link.tx_dropped))
        received = "{:7d} {:7d} {:4d} {:4d} {:4d} {:5d} {:10d} {:9d}".format(*rx, 0, 0, 0, 0)
        sent = "{:8d} {:7d} {:4d} {:4d} {:4d} {:5d} {:7d} {:10d}".format(*tx, 0, 0, 0, 0)
        rows.append(f"{link.name:>6}: {received} {sent}\n")
    return _NET_HEAD + "".join(rows)


def cpu_list(cpus: Iterable[int]) -> str:
    """As the kernel writes a list of CPUs: ``0-3,8``."""
    parts: list[list[int]] = []
    for cpu in sorted(cpus):
        if parts and cpu == parts[-1][1] + 1:
            parts[-1][1] = cpu
        else:
            parts.append([cpu, cpu])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in parts)
