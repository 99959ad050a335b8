"""Hours of made-up samples of busy sandboxes, written as the collector would."""

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from kataui.isolation.analysis import Analysis
from kataui.isolation.collector import stream as wire
from kataui.isolation.collector.tables import (
    CGROUP,
    CPU,
    CPU_TIME,
    GROUP,
    LINK,
    NIC,
    PLACE,
    SANDBOX,
    TABLES,
    THREAD,
)
from kataui.isolation.recording import Recorder
from kataui.isolation.session import overview_of
from kataui.isolation.store import split
from kataui.isolation.stream import Record

_ROLES = ("vcpu", "vcpu", "iothread", "vhost", "vmm")
_CPUS = 16


class Maker:
    """Random loads, new ones each second; real hosts are calmer, and compress better."""

    def __init__(self, sandboxes: int, threads: int) -> None:
        self._random = np.random.default_rng(1)
        self._count = sandboxes * threads
        self._columns = {table.number: wire.Columns(len(table.columns)) for table in TABLES}
        self._run = np.zeros((self._count, 3), np.int64)
        self._links = np.zeros((sandboxes, len(LINK)), np.int64)
        self._groups = np.zeros((sandboxes, len(GROUP)), np.int64)
        self._times = np.zeros((_CPUS, len(CPU_TIME)), np.int64)
        self._time_us = 1_000_000
        self._wall_us = 1_700_000_000_000_000
        self._entities = _entities(sandboxes, threads)

    def head(self) -> list[Record]:
        """What a stream begins with."""
        head = {"host": "bench", "ticks_per_second": 100, "rate_hz": 1, "synthetic": True}
        return split(wire.json_record(wire.HEAD, {**head, "cpus": _CPUS, "page_bytes": 4096}))

    def key(self) -> list[Record]:
        """A new segment."""
        for columns in self._columns.values():
            columns.forget()
        return split(wire.json_record(wire.KEY, {"entities": self._entities}))

    def sample(self) -> list[Record]:
        """The next second."""
        draw = self._random
        self._time_us += 1_000_000
        self._wall_us += 1_000_000
        self._run += np.stack(
            [
                draw.integers(0, 70_000, self._count),
                draw.integers(0, 3_000, self._count),
                draw.integers(1, 300, self._count),
            ],
            axis=1,
        )
        sent = draw.integers(0, 2_000, (len(self._links), 2))
        self._links[:, [1, 5]] += sent  # packets; nothing is dropped
        self._links[:, [0, 4]] += sent * draw.integers(60, 1500, sent.shape)
        self._groups[:, [0, 4, 6, 8]] += draw.integers(0, 50_000, (len(self._groups), 4))
        self._groups[:, [5, 7, 9]] = self._groups[:, [4, 6, 8]] // 2
        self._times += draw.integers(0, 30, self._times.shape)
        tables = {1: self._run, 6: self._links, 7: self._groups, 9: self._times}
        if self._time_us % 2_000_000 == 0:
            place = np.zeros((self._count, len(PLACE)), np.int64)
            place[:, 0] = draw.integers(0, _CPUS, self._count)
            place[:, 1] = self._run[:, 0] // 10_000
            tables[2] = place
        groups = []
        for number, values in tables.items():
            width, data = self._columns[number].differences([c.tolist() for c in values.T])
            groups.append((number, width, 0, len(values), data))
        header = (self._time_us, self._wall_us, self._time_us // 100, 30_000, 100, 0)
        return split(wire.sample_record(header, groups))


def _entities(sandboxes: int, threads: int) -> dict[str, list[list[object]]]:
    made: dict[str, list[list[object]]] = {THREAD: [], SANDBOX: [], NIC: [], CGROUP: []}
    draw = random.Random(1)
    for number in range(sandboxes):
        name = f"{draw.getrandbits(256):064x}"
        key, group = f"{name}@{number}.1", f"/kubepods/pod{number}/{name}"
        given = {"id": name, "key": key, "hypervisor": "qemu", "pid": number, "group": group}
        made[SANDBOX].append([number, {**given, "groups": [group], "pod": {}}])
        made[NIC].append([number, {"sandbox": key, "name": "tap0_kata"}])
        made[CGROUP].append([number, {"path": group, "folders": {}, "mode": "v2"}])
        for index in range(threads):
            role = _ROLES[min(index, len(_ROLES) - 1)]
            tid = number * threads + index
            thread = {"sandbox": key, "role": role, "index": index, "tid": tid, "pid": number}
            made[THREAD].append([tid, {**thread, "name": role, "cpus": f"0-{_CPUS - 1}"}])
    made[CPU] = [[number, {"cpu": number}] for number in range(_CPUS)]
    return made


def busy_hour(path: Path, *, sandboxes: int, threads: int) -> int:
    """Write an hour to a recording, with its overview; gives the number of samples."""
    maker, recorder, analysis = Maker(sandboxes, threads), Recorder(path), Analysis()
    for second in range(3600):
        records = maker.head() if second == 0 else []
        records += maker.key() if second % 60 == 0 else []
        records += maker.sample()
        for record in records:
            recorder.write(record)
            analysis.take(record)
        picture = analysis.picture()
        if picture is not None:
            overview_of(recorder, picture)
    recorder.close()
    return recorder.samples


def play_hours(hours: int, *, sandboxes: int, threads: int) -> Iterator[int]:
    """Analyse hours of samples as fast as they are made; gives the number of each that is over."""
    maker, analysis = Maker(sandboxes, threads), Analysis()
    for record in maker.head():
        analysis.take(record)
    for hour in range(1, hours + 1):
        for second in range(3600):
            records = maker.key() if second % 60 == 0 else []
            for record in records + maker.sample():
                analysis.take(record)
            analysis.picture()
        yield hour
