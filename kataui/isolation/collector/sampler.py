"""One sample after another: which table is due, who is read, what it cost."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from kataui.isolation.collector import facts, files, procfs, roles, stream
from kataui.isolation.collector.host import Host
from kataui.isolation.collector.rounds import Rounds
from kataui.isolation.collector.tables import BY_NAME, CGROUP, MISSING, SANDBOX, TABLES, Table
from kataui.isolation.collector.threads import Thread
from kataui.isolation.collector.watch import Member, Watch

SEGMENT_S = 60.0
SCAN_S = 5.0
_EARLY_SCANS_S = (1.0, 2.0)  # to know soon who is busy
_SWITCH_ROLES = (roles.VCPU, roles.VHOST, roles.IOTHREAD)
_IO_FIELDS = (b"rchar: ", b"wchar: ", b"syscr: ", b"syscw: ", b"read_bytes: ", b"write_bytes: ")

if TYPE_CHECKING:
    Rows = Mapping[int, Sequence[int]]  # values by slot


class Sampler:
    """Writes the stream: ``begin`` once, then ``sample`` as often as wanted."""

    def __init__(
        self, write: Callable[[bytes], object], *, proc: str, sys: str, rate_hz: float
    ) -> None:
        self._write = write
        self._roots = (proc, sys)
        self._rate_hz = rate_hz
        self.limit = files.raise_limit()
        self._budget = files.Budget(self.limit)
        self._watch = Watch(self._roots, self._budget)
        self._host = Host(proc, self._watch.entities, self._budget)
        self._columns = {table.number: stream.Columns(len(table.columns)) for table in TABLES}
        self._due = {table.number: 0.0 for table in TABLES}
        self._rounds = Rounds(self._roots)
        self._segment_s = float("-inf")
        self._scan_s = float("-inf")
        self._scans = 0
        self._begun_s = 0.0
        self.dropped = 0

    def begin(self, *, version: str) -> None:
        """Write the head: who, where, how."""
        head = facts.identity()
        head.update(
            format=stream.VERSION,
            kataui=version,
            rate_hz=self._rate_hz,
            started_us=time.time_ns() // 1000,
            cgroups=self._watch.mounts.mode,
            descriptors=self.limit,
            captured=self._roots != ("/proc", "/sys"),
        )
        self._begun_s = time.monotonic()
        self._write(stream.MAGIC + stream.json_record(stream.HEAD, head))

    def log(self, text: str) -> None:
        """A sentence for the user."""
        self._write(stream.json_record(stream.LOG, {"text": text}))

    def sample(self, *, late_us: int = 0) -> None:
        """Read everything that is due and write it."""
        now_s = time.monotonic()
        self._look_around(now_s)
        header = (
            time.monotonic_ns() // 1000,
            time.time_ns() // 1000,
            time.process_time_ns() // 1000,
            _memory_kib(),
            late_us,
            self.dropped,
        )
        begin_ns = time.monotonic_ns()
        read = []
        for table, rows in self._read(now_s):
            read.append((table, rows, (time.monotonic_ns() - begin_ns) // 1000))
        self._write_entities(now_s)
        groups = []
        for table, rows, offset_us in read:
            count = self._watch.entities.rows(table.space)
            columns = _columns(rows, count, len(table.columns))
            width, data = self._columns[table.number].differences(columns)
            groups.append((table.number, width, offset_us, count, data))
        self._write(stream.sample_record(header, groups))

    def _look_around(self, now_s: float) -> None:
        """Scan for processes, and for facts that changed."""
        age_s = now_s - self._begun_s
        early = self._scans <= len(_EARLY_SCANS_S) and any(
            age_s >= due_s for due_s in _EARLY_SCANS_S[self._scans - 1 : self._scans]
        )
        if now_s - self._scan_s >= SCAN_S - 0.05 or early:
            self._watch.scan(now_s)
            self._scan_s = now_s
            self._scans += 1
            if self._scans == 1 and self._watch.processes.hidden:
                self.log(
                    "Other users' processes are hidden here (hidepid): run as root to see them."
                )
        entities = self._watch.entities
        pids = [sandbox["pid"] for sandbox in entities.all(SANDBOX) if "pid" in sandbox]
        news = self._rounds.news(now_s, entities.all(CGROUP), pids)
        if news:
            self._write(stream.json_record(stream.FACTS, {"files": news}))

    def _write_entities(self, now_s: float) -> None:
        """A new segment from time to time; else only the news. New slots count from zero."""
        entities = self._watch.entities
        if now_s - self._segment_s >= SEGMENT_S:
            self._segment_s = now_s
            self._write(stream.json_record(stream.KEY, {"entities": entities.whole()}))
            for columns in self._columns.values():
                columns.forget()
            return
        news = entities.news()
        if news is not None:
            for space, slot, _ in news["add"]:
                for table in TABLES:
                    if table.space == space and isinstance(slot, int):
                        self._columns[table.number].clear(slot)
            self._write(stream.json_record(stream.ENTITIES, news))

    def _is_due(self, name: str, now_s: float) -> bool:
        table = BY_NAME[name]
        if now_s < self._due[table.number]:
            return False
        period_s = 1 / self._rate_hz
        every_s = max(table.every * period_s, table.seconds)
        self._due[table.number] = now_s + every_s - period_s / 2  # half a period: never skips one
        return True

    def _read(self, now_s: float) -> Iterator[tuple[Table, Rows]]:
        """Each table that is due, with its rows; threads first, together."""
        for name, read in (
            ("run", self._runs),
            ("place", self._places),
            ("switch", self._switches),
            ("cpu_time", self._host.cpus),
            ("softirq", self._host.softirqs),
            ("link", self._links),
            ("group", self._groups),
            ("whole", self._wholes),
            ("io", self._ios),
            ("group_memory", self._group_memory),
            ("disk", self._host.disks),
            ("host", self._host_totals),
        ):
            if self._is_due(name, now_s):
                yield BY_NAME[name], read()

    def _members(self) -> Iterator[Member]:
        for sandbox in self._watch.sandboxes.values():
            yield from sandbox.members.values()
        yield from self._watch.others.values()

    def _threads(self) -> Iterator[Thread]:
        for member in self._members():
            yield from member.group.threads.values()

    def _runs(self) -> Rows:
        rows: dict[int, tuple[int, int, int]] = {}
        for thread in self._threads():
            thread.read_run()
            rows[thread.slot] = thread.run
        return rows

    def _places(self) -> Rows:
        rows: dict[int, list[int]] = {}
        for thread in self._threads():
            thread.read_place()
            rows[thread.slot] = thread.place
        return rows

    def _switches(self) -> Rows:
        """Switches of the threads that matter for waiting, and the CPUs that they may use."""
        rows: dict[int, list[int]] = {}
        for member in self._members():
            for thread in list(member.group.threads.values()):
                role = thread.attributes["role"]
                if role in _SWITCH_ROLES and not thread.idle:
                    allowed = thread.read_switch(migrations=role == roles.VCPU)
                    if allowed and allowed != thread.attributes["cpus"]:
                        member.group.change(thread, {**thread.attributes, "cpus": allowed})
                rows[thread.slot] = thread.switch
        return rows

    def _links(self) -> Rows:
        rows = self._host.links()
        names = self._host.link_names
        for sandbox in self._watch.sandboxes.values():
            found = self._watch.links(sandbox, names)
            rows.update({slot: found[name] for name, slot in sandbox.links.items()})
        return rows

    def _groups(self) -> Rows:
        return {group.slot: group.read() for group in self._watch.cgroups.values()}

    def _group_memory(self) -> Rows:
        return {group.slot: group.read_memory() for group in self._watch.cgroups.values()}

    def _wholes(self) -> Rows:
        rows: dict[int, list[int]] = {}
        for member in self._members():
            data = member.stat.read()
            stat = procfs.stat(data) if data else None
            if stat is not None:
                rows[member.slot] = [stat.field(number) for number in (14, 15, 20, 24)]
                if stat.field(20) != len(member.group.threads):
                    member.group.refresh()
        return rows

    def _ios(self) -> Rows:
        rows: dict[int, list[int]] = {}
        for member in self._members():
            data = member.io.read()
            if data:
                rows[member.slot] = [procfs.after(data, name) for name in _IO_FIELDS]
        return rows

    def _host_totals(self) -> Rows:
        return {0: self._host.totals()}


def _columns(rows: Rows, count: int, width: int) -> list[list[int]]:
    """Rows by slot as columns; slots without a row are missing."""
    blank = [MISSING] * width
    whole = [rows.get(slot, blank) for slot in range(count)]
    return [list(column) for column in zip(*whole)] if whole else [[] for _ in range(width)]


def _memory_kib() -> int:
    """Resident memory of this process."""
    data = files.read("/proc/self/statm") or b"0 0"
    return int(data.split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024
