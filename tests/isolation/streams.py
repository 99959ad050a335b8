"""Small streams for tests: what a collector would write about a few sandboxes on a few CPUs."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kataui.isolation.collector import stream as wire
from kataui.isolation.collector.tables import BY_NAME, TABLES
from kataui.isolation.recording import Recorder
from kataui.isolation.stream import Record, Splitter


@dataclass(slots=True)
class Thread:
    """A thread of a sandbox ("" is the host's): where it runs, what it does a second (us)."""

    sandbox: str
    role: str
    cpu: int
    run_us: int
    wait_us: int = 0
    slices: int = 100
    pinned: bool = True
    actor: str = ""
    moves_to: int | None = None


@dataclass(slots=True)
class Writer:
    """Makes a stream second by second; ``busy`` is what /proc/stat says a CPU did (ticks).

    ``past_us`` is by how much each sample is past its whole second.
    """

    threads: list[Thread]
    cpus: int = 2
    busy: dict[int, int] = field(default_factory=dict)
    softirq: dict[int, int] = field(default_factory=dict)
    throttled_us: dict[str, int] = field(default_factory=dict)
    data: bytearray = field(default_factory=bytearray)
    second: int = 0
    past_us: int = 0
    _values: dict[str, list[list[int]]] = field(default_factory=dict)
    _columns: dict[int, wire.Columns] = field(default_factory=dict)

    def __post_init__(self) -> None:
        head = {"host": "node", "ticks_per_second": 100, "rate_hz": 1, "page_bytes": 4096}
        self.data += wire.MAGIC + wire.json_record(wire.HEAD, head)
        self._columns = {table.number: wire.Columns(len(table.columns)) for table in TABLES}
        self._values = {
            "run": [[0, 0, 0] for _ in self.threads],
            "group": [[0] * 10 for _ in self.names],
            "cpu_time": [[0] * 10 for _ in range(self.cpus)],
        }

    @property
    def names(self) -> list[str]:
        """The sandboxes."""
        return sorted({thread.sandbox for thread in self.threads if thread.sandbox})

    def key(self) -> None:
        """Begin a segment."""
        for columns in self._columns.values():
            columns.forget()
        self.data += wire.json_record(wire.KEY, {"entities": self.entities()})

    def entities(self) -> dict[str, list[list[Any]]]:
        """All of them, by space."""
        sandboxes = [
            [
                slot,
                {
                    "id": name * 8,
                    "key": f"{name}@1.1",
                    "hypervisor": "qemu",
                    "pid": slot + 1,
                    "group": f"/pod/{name}",
                    "groups": [f"/pod/{name}"],
                    "pod": {"name": name, "namespace": "ns"},
                },
            ]
            for slot, name in enumerate(self.names)
        ]
        threads = [[slot, self._thread(slot, t)] for slot, t in enumerate(self.threads)]
        groups = [
            [slot, {"path": f"/pod/{name}", "folders": {"": f"/sys/fs/cgroup/pod/{name}"}}]
            for slot, name in enumerate(self.names)
        ]
        cpus = [[cpu, {"cpu": cpu}] for cpu in range(self.cpus)]
        return {"sandbox": sandboxes, "thread": threads, "cgroup": groups, "cpu": cpus}

    def _thread(self, slot: int, thread: Thread) -> dict[str, Any]:
        return {
            "sandbox": f"{thread.sandbox}@1.1" if thread.sandbox else "",
            "actor": thread.actor,
            "role": thread.role,
            "index": slot,
            "tid": 100 + slot,
            "pid": 100,
            "name": thread.role,
            "cpus": str(thread.cpu) if thread.pinned else f"0-{self.cpus - 1}",
            "groups": {"": f"/pod/{thread.sandbox}"},
        }

    def sample(self, seconds: int = 1) -> None:
        """One sample after so many seconds of the threads' work."""
        self.second += seconds
        for thread, row in zip(self.threads, self._values["run"], strict=True):
            for column, amount in enumerate((thread.run_us, thread.wait_us, thread.slices)):
                row[column] += amount * seconds
        for name, row in zip(self.names, self._values["group"], strict=True):
            row[1] += 10 * seconds
            row[2] += (10 if self.throttled_us.get(name) else 0) * seconds
            row[3] += self.throttled_us.get(name, 0) * seconds
        for cpu, row in enumerate(self._values["cpu_time"]):
            default = sum(t.run_us for t in self.threads if t.cpu == cpu) // 10_000
            row[0] += self.busy.get(cpu, default) * seconds
            row[6] += self.softirq.get(cpu, 0) * seconds
        place = [self._place(thread) for thread in self.threads]
        self._write({**self._values, "place": place})

    def _place(self, thread: Thread) -> list[int]:
        moved = thread.moves_to is not None and self.second % 2 == 0
        return [
            thread.moves_to if moved and thread.moves_to is not None else thread.cpu,
            0,
            0,
            0,
            0,
        ]

    def _write(self, tables: dict[str, list[list[int]]]) -> None:
        groups = []
        for name, rows in tables.items():
            table = BY_NAME[name]
            columns = [list(column) for column in zip(*rows, strict=True)]
            width, data = self._columns[table.number].differences(columns)
            groups.append((table.number, width, 0, len(rows), data))
        at_us = self.second * 1_000_000 + self.past_us
        header = (at_us, 1_700_000_000_000_000 + at_us, self.second * 2000, 20_000, 10, 0)
        self.data += wire.sample_record(header, groups)

    def records(self) -> list[Record]:
        """What was written, as records."""
        return Splitter().feed(bytes(self.data))

    def record_to(self, path: Path) -> Path:
        """The stream as a closed recording."""
        recorder = Recorder(path)
        for record in self.records():
            recorder.write(record)
        recorder.close()
        return path


def written(threads: list[Thread], seconds: int = 12, **more: Any) -> Writer:
    """A stream of so many seconds."""
    writer = Writer(threads, **more)
    writer.key()
    for _ in range(seconds):
        writer.sample()
    return writer
