"""The tables of the stream: which counters are sampled, how often, and in which unit.

A table belongs to a *space* of entities; each entity has a slot (a row number) in its space, and
every table of the space has a row for it. All values are 64-bit integers as the kernel gives them;
``MISSING`` stands for a value that could not be read. Counters stay counters: rates are made by the
reader.
"""

from __future__ import annotations

MISSING = -1

SANDBOX = "sandbox"
THREAD = "thread"
PROCESS = "process"
NIC = "nic"
CGROUP = "cgroup"
CPU = "cpu"
DISK = "disk"
HOST = "host"
SPACES = (SANDBOX, THREAD, PROCESS, NIC, CGROUP, CPU, DISK, HOST)

# kernel Documentation/scheduler/sched-stats.rst: time on the CPU, time waiting to run (both ns
# there, whole microseconds here), number of timeslices
RUN = ("run_us", "wait_us", "slices")
# proc(5), fields 39, 14, 15, 43, 42 of stat
PLACE = ("cpu", "user_ticks", "system_ticks", "guest_ticks", "blkio_ticks")
# status: context switches; sched: se.nr_migrations
SWITCH = ("voluntary", "involuntary", "migrations")
# the whole process (all threads): stat fields 14, 15, 20, 24
WHOLE = ("user_ticks", "system_ticks", "threads", "rss_pages")
# /proc/PID/io; storage bytes are counted at the block layer
IO = ("read_chars", "write_chars", "read_calls", "write_calls", "read_bytes", "write_bytes")
LINK = (
    *("rx_bytes", "rx_packets", "rx_errors", "rx_dropped"),
    *("tx_bytes", "tx_packets", "tx_errors", "tx_dropped"),
)
# cgroup v2 cpu.stat and *.pressure (totals in us); v1 gives what it has
GROUP = (
    *("usage_us", "periods", "throttled", "throttled_us"),
    *("cpu_some_us", "cpu_full_us", "io_some_us", "io_full_us", "memory_some_us", "memory_full_us"),
)
GROUP_MEMORY = (
    *("current", "max", "file_dirty", "file_writeback", "anon", "file", "refaults"),
    *("read_bytes", "write_bytes", "read_ios", "write_ios"),
)
CPU_TIME = (
    *("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest", "guest_nice"),
)
SOFTIRQ = (
    *("hi", "timer", "net_tx", "net_rx", "block", "irq_poll", "tasklet", "sched", "hrtimer", "rcu"),
    *("processed", "dropped", "squeezed"),
)
# Documentation/admin-guide/iostats.rst; sectors are 512 bytes always
DISK_STATS = (
    *("reads", "read_merges", "read_sectors", "read_ms"),
    *("writes", "write_merges", "write_sectors", "write_ms"),
    *("in_flight", "io_ms", "weighted_ms"),
    *("discards", "discard_merges", "discard_sectors", "discard_ms", "flushes", "flush_ms"),
)
HOST_TOTALS = (
    *("cpu_some_us", "memory_some_us", "memory_full_us", "io_some_us", "io_full_us", "irq_full_us"),
    *("dirty_pages", "writeback_pages", "major_faults", "scan_kswapd", "scan_direct"),
    *("steal_direct", "compact_stall", "swap_in", "swap_out", "dirty_threshold_pages"),
    *("memory_total_kb", "memory_available_kb", "swap_total_kb", "swap_free_kb"),
    *("running", "blocked", "context_switches", "conntrack_count"),
)


class Table:
    """One table: its number in the stream, its space, columns, and how often it is sampled.

    ``every`` counts samples: 1 is each one, 2 every second one; ``seconds`` is a floor beside it.
    """

    __slots__ = ("columns", "every", "name", "number", "seconds", "space")

    def __init__(  # noqa: PLR0917 - the table below reads as a table
        self,
        number: int,
        name: str,
        space: str,
        columns: tuple[str, ...],
        every: int = 1,
        seconds: float = 0.0,
    ) -> None:
        self.number = number
        self.name = name
        self.space = space
        self.columns = columns
        self.every = every
        self.seconds = seconds


TABLES = (
    Table(1, "run", THREAD, RUN),
    Table(2, "place", THREAD, PLACE, every=2),
    Table(3, "switch", THREAD, SWITCH, every=10, seconds=10.0),
    Table(4, "whole", PROCESS, WHOLE, every=5, seconds=5.0),
    Table(5, "io", PROCESS, IO, every=2),
    Table(6, "link", NIC, LINK),
    Table(7, "group", CGROUP, GROUP),
    Table(8, "group_memory", CGROUP, GROUP_MEMORY, every=5, seconds=5.0),
    Table(9, "cpu_time", CPU, CPU_TIME),
    Table(10, "softirq", CPU, SOFTIRQ),
    Table(11, "disk", DISK, DISK_STATS),
    Table(12, "host", HOST, HOST_TOTALS),
)
BY_NAME = {table.name: table for table in TABLES}
BY_NUMBER = {table.number: table for table in TABLES}
