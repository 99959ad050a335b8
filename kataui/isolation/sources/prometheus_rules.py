"""Which series of node-exporter and kata-monitor are which columns of the stream.

Sources: the collectors of node_exporter 1.5, and Kata's ``docs/design/kata-metrics.md``.
Kata types kernel counters as gauges; they are counters here, as in /proc.
"""

from dataclasses import dataclass

from kataui.isolation.collector import tables
from kataui.isolation.collector.tables import CPU, DISK, HOST, NIC, PROCESS, THREAD

TICKS_PER_SECOND = 100  # what both exporters took their seconds from (USER_HZ)
PAGE_BYTES = 4096
_US = 1_000_000
_TICK_US = _US // TICKS_PER_SECOND
_SECTOR = 1 / 512


@dataclass(frozen=True, slots=True)
class Target:
    """A column, and what a value is multiplied with. ``zero_known``: 0 is a value, too."""

    table: str
    column: str
    scale: float = 1.0
    zero_known: bool = True


@dataclass(frozen=True, slots=True)
class Rule:
    """Where one metric goes.

    ``entity`` is the label that names the row, ``item`` the one that names the column in
    ``targets``; without ``item`` the only target has the name ``""``. ``part`` is the process of a
    sandbox that it is about.
    """

    space: str
    targets: dict[str, Target]
    entity: str = ""
    item: str = ""
    part: str = ""


def _node(
    space: str, entity: str, table: str, names: dict[str, tuple[str, float]]
) -> dict[str, Rule]:
    return {
        f"node_{name}": Rule(space, {"": Target(table, column, scale)}, entity)
        for name, (column, scale) in names.items()
    }


_LINKS = {
    f"network_{way}_{name}_total": (f"{short}_{column}", 1.0)
    for way, short in (("receive", "rx"), ("transmit", "tx"))
    for name, column in (
        *(("bytes", "bytes"), ("packets", "packets"), ("errs", "errors"), ("drop", "dropped")),
    )
}
_DISKS = {
    "disk_reads_completed_total": ("reads", 1.0),
    "disk_reads_merged_total": ("read_merges", 1.0),
    "disk_read_bytes_total": ("read_sectors", _SECTOR),
    "disk_read_time_seconds_total": ("read_ms", 1000.0),
    "disk_writes_completed_total": ("writes", 1.0),
    "disk_writes_merged_total": ("write_merges", 1.0),
    "disk_written_bytes_total": ("write_sectors", _SECTOR),
    "disk_write_time_seconds_total": ("write_ms", 1000.0),
    "disk_io_now": ("in_flight", 1.0),
    "disk_io_time_seconds_total": ("io_ms", 1000.0),
    "disk_io_time_weighted_seconds_total": ("weighted_ms", 1000.0),
    "disk_discards_completed_total": ("discards", 1.0),
    "disk_discards_merged_total": ("discard_merges", 1.0),
    "disk_discarded_sectors_total": ("discard_sectors", 1.0),
    "disk_discard_time_seconds_total": ("discard_ms", 1000.0),
    "disk_flush_requests_total": ("flushes", 1.0),
    "disk_flush_requests_time_seconds_total": ("flush_ms", 1000.0),
}
_HOST = {
    "pressure_cpu_waiting_seconds_total": ("cpu_some_us", float(_US)),
    "pressure_memory_waiting_seconds_total": ("memory_some_us", float(_US)),
    "pressure_memory_stalled_seconds_total": ("memory_full_us", float(_US)),
    "pressure_io_waiting_seconds_total": ("io_some_us", float(_US)),
    "pressure_io_stalled_seconds_total": ("io_full_us", float(_US)),
    "pressure_irq_stalled_seconds_total": ("irq_full_us", float(_US)),
    "memory_Dirty_bytes": ("dirty_pages", 1 / PAGE_BYTES),
    "memory_Writeback_bytes": ("writeback_pages", 1 / PAGE_BYTES),
    "vmstat_pgmajfault": ("major_faults", 1.0),
    "vmstat_pgscan_kswapd": ("scan_kswapd", 1.0),
    "vmstat_pgscan_direct": ("scan_direct", 1.0),
    "vmstat_pgsteal_direct": ("steal_direct", 1.0),
    "vmstat_compact_stall": ("compact_stall", 1.0),
    "vmstat_pswpin": ("swap_in", 1.0),
    "vmstat_pswpout": ("swap_out", 1.0),
    "vmstat_nr_dirty_threshold": ("dirty_threshold_pages", 1.0),
    "memory_MemTotal_bytes": ("memory_total_kb", 1 / 1024),
    "memory_MemAvailable_bytes": ("memory_available_kb", 1 / 1024),
    "memory_SwapTotal_bytes": ("swap_total_kb", 1 / 1024),
    "memory_SwapFree_bytes": ("swap_free_kb", 1 / 1024),
    "procs_running": ("running", 1.0),
    "procs_blocked": ("blocked", 1.0),
    "context_switches_total": ("context_switches", 1.0),
    "nf_conntrack_entries": ("conntrack_count", 1.0),
}
_SOFTNET = {
    "softnet_processed_total": ("processed", 1.0),
    "softnet_dropped_total": ("dropped", 1.0),
    "softnet_times_squeezed_total": ("squeezed", 1.0),
}
_CPU_MODES = {mode: Target("cpu_time", mode, TICKS_PER_SECOND) for mode in tables.CPU_TIME[:8]}
_GUEST_MODES = {
    "user": Target("cpu_time", "guest", TICKS_PER_SECOND),
    "nice": Target("cpu_time", "guest_nice", TICKS_PER_SECOND),
}
NODE: dict[str, Rule] = {
    "node_cpu_seconds_total": Rule(CPU, _CPU_MODES, "cpu", "mode"),
    "node_cpu_guest_seconds_total": Rule(CPU, _GUEST_MODES, "cpu", "mode"),
    "node_softirqs_functions_total": Rule(
        CPU, {name.upper(): Target("softirq", name) for name in tables.SOFTIRQ[:10]}, "cpu", "type"
    ),
    **_node(CPU, "cpu", "softirq", _SOFTNET),
    **_node(NIC, "device", "link", _LINKS),
    **_node(DISK, "device", "disk", _DISKS),
    **_node(HOST, "", "host", _HOST),
}

_IO_ITEMS = {
    "rchar": "read_chars",
    "wchar": "write_chars",
    "syscr": "read_calls",
    "syscw": "write_calls",
    "readbytes": "read_bytes",  # the Go runtime's names
    "writebytes": "write_bytes",
    "read_bytes": "read_bytes",  # the Rust runtime's
    "write_bytes": "write_bytes",
}
_NET_ITEMS = {
    f"{way}_{item}": Target("link", f"{short}_{column}")
    for way, short in (("recv", "rx"), ("sent", "tx"))
    for item, column in (
        *(("bytes", "bytes"), ("packets", "packets"), ("errs", "errors"), ("drop", "dropped")),
    )
}


def _process(prefix: str, part: str) -> dict[str, Rule]:
    stat = {
        "utime": Target("whole", "user_ticks"),
        "stime": Target("whole", "system_ticks"),
    }
    io = {item: Target("io", column) for item, column in _IO_ITEMS.items()}
    threads = {"": Target("whole", "threads")}
    return {
        f"kata_{prefix}_proc_stat": Rule(PROCESS, stat, item="item", part=part),
        f"kata_{prefix}_io_stat": Rule(PROCESS, io, item="item", part=part),
        f"kata_{prefix}_threads": Rule(PROCESS, threads, part=part),
    }


# The guest's own view of its vCPUs: time that it used, and time stolen from it, which KVM takes
# from the vCPU thread's run delay. Steal that never was more than 0 says nothing: many guests
# have no steal clock.
_GUEST_CPU = {
    item: Target("run", "run_us", _TICK_US) for item in ("user", "nice", "system", "irq", "softirq")
} | {"steal": Target("run", "wait_us", _TICK_US, zero_known=False)}
_RSS = {"vmrss": Target("whole", "rss_pages", 1 / PAGE_BYTES)}  # bytes: only the Go runtime has it
KATA: dict[str, Rule] = {
    **_process("hypervisor", "vmm"),
    **_process("shim", "shim"),
    **_process("virtiofsd", "virtiofsd"),
    "kata_hypervisor_proc_status": Rule(PROCESS, _RSS, item="item", part="vmm"),
    "kata_virtiofsd_proc_status": Rule(PROCESS, _RSS, item="item", part="virtiofsd"),
    "kata_hypervisor_netdev": Rule(NIC, _NET_ITEMS, "interface", "item"),
    "kata_guest_cpu_time": Rule(THREAD, _GUEST_CPU, "cpu", "item"),
}
ALL = {**NODE, **KATA}


def missing(names: set[str]) -> list[str]:
    """The columns, as TABLE.COLUMN, that no metric of ``names`` gives; a whole table as TABLE."""
    given = {
        (target.table, target.column)
        for name in names & ALL.keys()
        for target in ALL[name].targets.values()
    }
    absent = []
    for table in tables.TABLES:
        columns = [column for column in table.columns if (table.name, column) not in given]
        whole = len(columns) == len(table.columns)
        absent += [table.name] if whole else [f"{table.name}.{column}" for column in columns]
    return absent
