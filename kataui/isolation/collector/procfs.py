"""What the files of /proc and cgroups say: bytes in, integers out; nothing is opened here.

Every function gives None (or ``MISSING``) for text that is not what the kernel documents, for a
task may vanish and a file may be damaged between two reads. Sources: proc(5), kernel
Documentation/{scheduler/sched-stats,accounting/psi,admin-guide/iostats,admin-guide/cgroup-v2}.rst.
"""

from __future__ import annotations

from kataui.isolation.collector.tables import MISSING

_SOFTIRQS = (
    *(b"HI:", b"TIMER:", b"NET_TX:", b"NET_RX:", b"BLOCK:", b"IRQ_POLL:", b"TASKLET:"),
    *(b"SCHED:", b"HRTIMER:", b"RCU:"),
)
SOFTIRQ_ROWS = {name: index for index, name in enumerate(_SOFTIRQS)}


class Stat:
    """``/proc/PID/stat`` or ``/proc/PID/task/TID/stat``: the fields that are used."""

    __slots__ = ("comm", "fields")

    def __init__(self, comm: str, fields: list[bytes]) -> None:
        self.comm = comm
        self.fields = fields

    def field(self, number: int) -> int:
        """Field ``number`` as proc(5) counts them (3 is the state); ``MISSING`` if absent."""
        try:
            return int(self.fields[number - 3])
        except (IndexError, ValueError):
            return MISSING

    @property
    def state(self) -> str:
        """R, S, D, Z ..."""
        return self.fields[0].decode("ascii", "replace")


def stat(data: bytes) -> Stat | None:
    """One stat line; the command is between the first ``(`` and the last ``)``."""
    begin, end = data.find(b"("), data.rfind(b")")
    if not 0 < begin < end:
        return None
    fields = data[end + 2 :].split()
    if len(fields) < 20:
        return None
    return Stat(data[begin + 1 : end].decode("utf-8", "replace"), fields)


def place(data: bytes) -> list[int] | None:
    """Last CPU, user, system and guest ticks, block IO delay of a thread (39, 14, 15, 43, 42)."""
    fields = data[data.rfind(b")") + 2 :].split(None, 42)
    try:
        return [
            int(fields[36]),
            int(fields[11]),
            int(fields[12]),
            int(fields[40]),
            int(fields[39]),
        ]
    except (IndexError, ValueError):
        return None


def schedstat(data: bytes) -> tuple[int, int, int] | None:
    """Time running and waiting in us, number of timeslices."""
    fields = data.split()
    try:
        return int(fields[0]) // 1000, int(fields[1]) // 1000, int(fields[2])
    except (IndexError, ValueError):
        return None


def colon_values(data: bytes) -> dict[str, str]:
    """``Name: value`` lines (status, sched), whitespace stripped."""
    values = {}
    for line in data.decode("utf-8", "replace").splitlines():
        name, colon, value = line.partition(":")
        if colon:
            values[name.strip()] = value.strip()
    return values


def after(data: bytes, name: bytes) -> int:
    """The integer after ``name`` in ``name value`` lines."""
    if data.startswith(name):
        begin = len(name)
    else:
        found = data.find(b"\n" + name)
        if found < 0:
            return MISSING
        begin = found + 1 + len(name)
    try:
        return int(data[begin : begin + 40].split(None, 1)[0].strip(b":"))
    except (IndexError, ValueError):
        return MISSING


def pressure(data: bytes) -> tuple[int, int]:
    """The totals of ``some`` and ``full`` in us (psi.rst)."""
    totals = [MISSING, MISSING]
    for line in data.splitlines():
        which = 0 if line.startswith(b"some") else 1 if line.startswith(b"full") else -1
        at = line.rfind(b"total=")
        if which >= 0 and at >= 0:
            try:
                totals[which] = int(line[at + 6 :])
            except ValueError:
                continue
    return totals[0], totals[1]


def network(data: bytes) -> dict[str, list[int]]:
    """``/proc/net/dev``: bytes, packets, errors, drops received, then the same sent, by name."""
    links = {}
    for line in data.splitlines()[2:]:
        name, colon, rest = line.rpartition(b":")
        fields = rest.split()
        if not colon or len(fields) < 16:
            continue
        try:
            numbers = [int(field) for field in (*fields[0:4], *fields[8:12])]
        except ValueError:
            continue
        links[name.strip().decode("utf-8", "replace")] = numbers
    return links


def cpu_times(data: bytes) -> tuple[dict[int, list[int]], dict[str, int]]:
    """``/proc/stat``: ten tick counters a CPU, and ctxt, procs_running, procs_blocked."""
    times = {}
    totals = {}
    for line in data.splitlines():
        if line.startswith(b"cpu") and line[3:4].isdigit():
            fields = line.split()
            try:
                values = [int(field) for field in fields[1:11]]
                times[int(fields[0][3:])] = values + [0] * (10 - len(values))
            except ValueError:
                continue
        elif line.startswith((b"ctxt", b"procs_")):
            name, _, value = line.partition(b" ")
            if value.strip().isdigit():
                totals[name.decode("ascii", "replace")] = int(value)
    return times, totals


def softirqs(data: bytes) -> dict[int, list[int]]:
    """``/proc/softirqs``: ten counts a CPU, in the order of ``tables.SOFTIRQ``."""
    lines = data.splitlines()
    if not lines:
        return {}
    cpus = [int(name[3:]) for name in lines[0].split() if name[3:].isdigit()]
    counts = {cpu: [MISSING] * len(SOFTIRQ_ROWS) for cpu in cpus}
    for line in lines[1:]:
        fields = line.split()
        row = SOFTIRQ_ROWS.get(fields[0], -1) if fields else -1
        if row < 0:
            continue
        for cpu, value in zip(cpus, fields[1:]):
            counts[cpu][row] = int(value) if value.isdigit() else MISSING
    return counts


def softnet(data: bytes, cpus: list[int]) -> dict[int, tuple[int, int, int]]:
    """``/proc/net/softnet_stat``: processed, dropped, squeezed a CPU.

    Column 12 names the CPU where it exists; rows of older kernels are the online CPUs in order.
    """
    rows = {}
    for index, line in enumerate(data.splitlines()):
        fields = line.split()
        try:
            values = [int(field, 16) for field in fields]
        except ValueError:
            continue
        if len(values) < 9:
            continue
        cpu = values[12] if len(values) > 12 else cpus[index] if index < len(cpus) else -1
        if cpu >= 0:
            rows[cpu] = (values[0], values[1], values[2])
    return rows


def disks(data: bytes) -> dict[str, tuple[str, list[int]]]:
    """``/proc/diskstats``: "major:minor" and seventeen counters a device, missing ones -1."""
    devices = {}
    for line in data.splitlines():
        fields = line.split()
        if len(fields) < 14:
            continue
        try:
            values = [int(field) for field in fields[3:20]]
        except ValueError:
            continue
        number = f"{fields[0].decode('ascii', 'replace')}:{fields[1].decode('ascii', 'replace')}"
        name = fields[2].decode("utf-8", "replace")
        devices[name] = (number, values + [MISSING] * (17 - len(values)))
    return devices


def cgroup_paths(data: bytes) -> dict[str, str]:
    """``/proc/PID/cgroup``: path by v1 controller; the v2 path has the key ``""``."""
    paths = {}
    for line in data.decode("utf-8", "replace").splitlines():
        parts = line.split(":", 2)
        if len(parts) == 3:
            for controller in parts[1].split(","):
                paths[controller] = parts[2]
    return paths


def cpu_list(text: str) -> list[int]:
    """A list as in ``Cpus_allowed_list``: ``0-3,8``; nothing for text that is none."""
    cpus: list[int] = []
    for part in text.strip().split(","):
        low, _, high = part.partition("-")
        if not low.isdigit() or (high and not high.isdigit()):
            continue
        cpus.extend(range(int(low), min(int(high or low), int(low) + 8192) + 1))
    return cpus
