"""The stream of a made-up host, without files: what the collector would send, made faster."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from kataui import __version__
from kataui.isolation.collector import stream as wire
from kataui.isolation.collector.entities import Entities
from kataui.isolation.collector.tables import BY_NAME, MISSING, TABLES, Table
from kataui.isolation.store import Marker
from kataui.isolation.syntheticentities import Key, entities, facts
from kataui.isolation.syntheticgrouptexts import group_row, memory_row
from kataui.isolation.synthetichost import Host
from kataui.isolation.synthetichosttexts import cpu_row, disk_row, host_row, softirq_row
from kataui.isolation.syntheticparts import (
    PAGE_BYTES,
    TICKS_PER_SECOND,
    Link,
    Load,
    Process,
    Task,
)

NOTE = "Made by a generator (kataui.isolation.synthetic): nothing in it was measured."
_SEGMENT_S = 60.0
_COST_US, _MEMORY_KIB = 3000, 22_000  # of a collector, for each sample
Loads = Callable[[float], Mapping[str, Load]]


def stream(
    host: Host,
    seconds: float,
    loads: Loads | None = None,
    *,
    rate_hz: float = 1.0,
    marks: Mapping[float, str] | None = None,
) -> bytes:
    """Let ``seconds`` pass on a host and give the stream that a collector would have written.

    ``loads`` tells what is wanted at a time (seconds since the beginning); ``marks`` are names of
    markers by such times. The head says ``"synthetic": true``, with ``NOTE``.
    """
    writer = _Writer(host, rate_hz)
    parts = [wire.MAGIC, wire.json_record(wire.HEAD, head(host, rate_hz))]
    todo = sorted((marks or {}).items())
    for number in range(int(seconds * rate_hz) + 1):
        now_s = number / rate_hz
        if number:
            host.advance(1 / rate_hz, loads(now_s) if loads else None)
        parts += writer.sample()
        while todo and todo[0][0] <= now_s:
            name = todo.pop(0)[1]
            at_us, wall_us = round(host.world.mono_s * 1e6), round(host.world.wall_s * 1e6)
            parts.append(Marker(name, at_us, wall_us).record())
    return b"".join(parts)


def head(host: Host, rate_hz: float) -> dict[str, Any]:
    """The first record's document."""
    return {
        "host": "synthetic-host",
        "kernel": "6.12.0-synthetic",
        "machine": "x86_64",
        "ticks_per_second": TICKS_PER_SECOND,
        "page_bytes": PAGE_BYTES,
        "cpus": len(host.numbers),
        "root": True,
        "python": "",
        "format": wire.VERSION,
        "kataui": __version__,
        "rate_hz": rate_hz,
        "descriptors": 1 << 20,
        "started_us": round(host.world.wall_s * 1e6),
        "cgroups": host.mode.value,
        "captured": False,
        "synthetic": True,
        "note": NOTE,
    }


class _Writer:
    """Keeps slots and differences, as the collector's sampler does."""

    def __init__(self, host: Host, rate_hz: float) -> None:
        self._host = host
        self._rate_hz = rate_hz
        self._entities = Entities()
        self._slots: dict[Key, int] = {}
        self._columns = {table.number: wire.Columns(len(table.columns)) for table in TABLES}
        self._version = -1
        self._samples = 0
        self._facts: dict[str, str] = {}
        self._segment_s = float("-inf")

    def sample(self) -> Iterator[bytes]:
        """The records of one moment."""
        world = self._host.world
        begins = world.mono_s - self._segment_s >= _SEGMENT_S - 1e-6
        if self._version != self._host.version:
            self._version = self._host.version
            self._follow()
        if begins:
            yield from self._news_of_facts()
            yield wire.json_record(wire.KEY, {"entities": self._entities.whole()})
            self._segment_s = world.mono_s
            for columns in self._columns.values():
                columns.forget()
        else:
            yield from self._news()
        due = [table for table in TABLES if self._samples % self._every(table) == 0]
        groups = []
        for table in due:
            width, data = self._columns[table.number].differences(self._values(table))
            rows = self._entities.rows(table.space)
            groups.append((table.number, width, 0, rows, data))
        self._samples += 1
        times = (round(world.mono_s * 1e6), round(world.wall_s * 1e6))
        cost = (self._samples * _COST_US, _MEMORY_KIB, 0, 0)
        yield wire.sample_record((*times, *cost), groups)

    def _every(self, table: Table) -> int:
        return max(table.every, round(table.seconds * self._rate_hz))

    def _follow(self) -> None:
        """Slots for what came, none for what went."""
        wanted = entities(self._host)
        for key in [key for key in self._slots if key not in wanted]:
            self._entities.remove(key[0], self._slots.pop(key))
        for key, attributes in wanted.items():
            if key in self._slots:
                self._entities.change(key[0], self._slots[key], attributes)
            else:
                self._slots[key] = self._entities.add(key[0], attributes)

    def _news(self) -> Iterator[bytes]:
        news = self._entities.news()
        if news is None:
            return
        for space, slot, _ in news["add"]:
            for table in TABLES:
                if table.space == space and isinstance(slot, int):
                    self._columns[table.number].clear(slot)
        yield wire.json_record(wire.ENTITIES, news)

    def _news_of_facts(self) -> Iterator[bytes]:
        now = facts(self._host)
        news: dict[str, str | None] = {p: t for p, t in now.items() if self._facts.get(p) != t}
        news.update({path: None for path in self._facts if path not in now})
        self._facts = now
        if news:
            yield wire.json_record(wire.FACTS, {"files": news})

    def _values(self, table: Table) -> list[list[int]]:
        """The columns of a table: rows of what has one, the others missing."""
        count, width = self._entities.rows(table.space), len(table.columns)
        rows: list[Sequence[int]] = [[MISSING] * width] * count
        for key, values in rows_of(self._host, table.name):
            slot = self._slots.get((table.space, *key))
            if slot is not None:
                rows[slot] = values
        columns = [list(column) for column in zip(*rows, strict=True)]
        return columns or [[] for _ in range(width)]


def rows_of(host: Host, table: str) -> Iterator[tuple[tuple[Any, ...], Sequence[int]]]:
    """Rows of a table with the rest of the key of what they belong to."""
    world = host.world
    if table in _OF_TASKS:
        tasks = ((process, task) for process in world.every for task in process.tasks)
        make = _OF_TASKS[table]
        yield from (((task.tid, process.start), make(task)) for process, task in tasks)
    elif table in _OF_PROCESSES:
        row = _OF_PROCESSES[table]
        yield from (((process.pid, process.start), row(process)) for process in world.every)
    elif table == "link":
        yield from _links(host)
    elif table in {"group", "group_memory"}:
        for group in (group for machine in world.machines for group in machine.groups):
            of_group = table == "group"
            yield (group.path,), group_row(group, host.mode) if of_group else memory_row(group)
    elif table in _OF_CPUS:
        for cpu in world.online:
            yield (cpu.number,), _OF_CPUS[table](cpu)
    else:
        yield from _of_host(host, table)


def _of_host(host: Host, table: str) -> Iterator[tuple[tuple[Any, ...], Sequence[int]]]:
    if table == "host":
        yield (), host_row(host.world)
    else:
        for disk in host.world.disks:
            yield (disk.name,), disk_row(disk)[: len(BY_NAME[table].columns)]


def _run(task: Task) -> list[int]:
    return [int(task.run_ns) // 1000, int(task.wait_ns) // 1000, int(task.slices)]


def _place(task: Task) -> list[int]:
    seconds = (task.user_s, task.system_s, task.guest_s)
    return [task.cpu, *(int(part * TICKS_PER_SECOND) for part in seconds), 0]


def _switch(task: Task) -> list[int]:
    migrations = task.migrations if task.role == "vcpu" else MISSING
    return [int(task.voluntary), int(task.involuntary), migrations]


def _whole(process: Process) -> list[int]:
    ticks = [int(process.seconds(kind) * TICKS_PER_SECOND) for kind in ("user_s", "system_s")]
    return [*ticks, len(process.tasks), 0 if process.kernel_made else int(process.rss_pages)]


def _io(process: Process) -> list[int]:
    values = (
        *(process.read_chars, process.write_chars, process.reads, process.writes),
        *(process.read_bytes, process.write_bytes),
    )
    return [int(value) for value in values]


def _links(host: Host) -> Iterator[tuple[tuple[Any, ...], Sequence[int]]]:
    for link in host.links:
        yield ("", link.name), _link(link)
    for machine in host.world.machines:
        yield ("", machine.veth.name), _link(machine.veth)
        for link in (machine.tap, machine.inner):
            yield (machine.id, link.name), _link(link)


def _link(link: Link) -> list[int]:
    received = (link.rx_bytes, link.rx_packets, 0, link.rx_dropped)
    sent = (link.tx_bytes, link.tx_packets, 0, link.tx_dropped)
    return [int(value) for value in (*received, *sent)]


_OF_TASKS = {"run": _run, "place": _place, "switch": _switch}
_OF_PROCESSES = {"whole": _whole, "io": _io}
_OF_CPUS = {"cpu_time": cpu_row, "softirq": softirq_row}
