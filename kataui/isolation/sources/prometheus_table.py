"""Series of one stretch of time as rows of the stream's tables."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from kataui.isolation.collector import tables
from kataui.isolation.collector.entities import Entities
from kataui.isolation.collector.tables import (
    BY_NAME,
    CPU,
    DISK,
    HOST,
    MISSING,
    NIC,
    PROCESS,
    SANDBOX,
    THREAD,
)
from kataui.isolation.sources.prometheus_rules import ALL, Rule, Target
from kataui.isolation.sources.prometheus_server import Series
from kataui.isolation.stream import Attributes

CLOCK = "node_time_seconds"  # the host's clock when it was scraped
DISK_INFO = "node_disk_info"
_MOST = 1 << 62
_CPU_NUMBER = re.compile(r"[0-9]{1,4}")
_ORIGIN = "prometheus"
Key = tuple[str, ...]


class Rows:
    """Gives every host, CPU, device and sandbox its row, and keeps it from stretch to stretch."""

    def __init__(self) -> None:
        self.entities = Entities()
        self._slots: dict[Key, int] = {(HOST,): self.entities.add(HOST, {})}
        self._seen: set[Key] = {(HOST,)}

    def begin(self) -> None:
        """A new stretch: nothing was seen in it yet."""
        self._seen = {(HOST,)}

    def end(self) -> None:
        """What was not seen in this stretch is gone."""
        for key in self._slots.keys() - self._seen:
            self.entities.remove(key[0], self._slots.pop(key))

    def slot(self, rule: Rule, labels: Mapping[str, str]) -> int | None:
        """The row of a series; None for one that is left out."""
        name = labels.get(rule.entity, "")
        if rule.space in {CPU, THREAD} and not _CPU_NUMBER.fullmatch(name):
            return None  # kata_guest_cpu_time has a row "total", too
        if rule.space == CPU:
            return self._row((CPU, name), {"cpu": int(name)})
        if rule.space == DISK:
            return self._row((DISK, name), {"name": name, "number": ""})
        if rule.space == HOST:
            return self._slots[HOST,]
        if labels.get("__name__", "").startswith("node_"):
            return None if name == "lo" else self._row((NIC, "", name), _link("", name))
        return self._of_sandbox(rule, name, labels)

    def number_disk(self, labels: Mapping[str, str]) -> None:
        """``node_disk_info`` tells a device's numbers."""
        name = labels.get("device", "")
        number = f"{labels.get('major', '')}:{labels.get('minor', '')}"
        slot = self._row((DISK, name), {"name": name, "number": number})
        self.entities.change(DISK, slot, {"name": name, "number": number})

    def _of_sandbox(self, rule: Rule, name: str, labels: Mapping[str, str]) -> int | None:
        sandbox = labels.get("sandbox_id", "")
        if not sandbox:
            return None
        key = f"{sandbox}@{_ORIGIN}"
        pod = {part: labels.get(f"cri_{part}", "") for part in ("name", "namespace", "uid")}
        self._row((SANDBOX, sandbox), {"id": sandbox, "key": key, "pod": pod})
        if rule.space == NIC:
            return self._row((NIC, sandbox, name), _link(key, name))
        if rule.space == PROCESS:
            given: Attributes = {"sandbox": key, "part": rule.part, "comm": rule.part}
            return self._row((PROCESS, sandbox, rule.part), given)
        return self._row((THREAD, sandbox, name), _vcpu(key, int(name)))

    def _row(self, key: Key, attributes: Attributes) -> int:
        self._seen.add(key)
        if key not in self._slots:
            self._slots[key] = self.entities.add(key[0], attributes)
        return self._slots[key]


def _link(sandbox: str, name: str) -> Attributes:
    return {"sandbox": sandbox, "name": name}


def _vcpu(sandbox: str, index: int) -> Attributes:
    return {
        "sandbox": sandbox,
        "name": f"vCPU {index}",
        "role": "vcpu",
        "index": index,
        "evidence": "kata_guest_cpu_time",
    }


class Stretch:
    """The values of some steps: ``count`` of them from ``begin_s`` on, ``step_s`` apart."""

    def __init__(self, rows: Rows, begin_s: float, step_s: float, count: int) -> None:
        self._rows = rows
        self._begin_s = begin_s
        self._step_s = step_s
        self._count = count
        self._clock: list[int] | None = None
        self._known = [False] * count
        # by table, row and column: one list of values for each item that is summed up in it
        self._values: dict[tuple[str, int, str], dict[str, list[int]]] = {}
        self.points = 0
        rows.begin()

    def take(self, found: Iterable[Series]) -> None:
        """Sort series into the tables."""
        for series in found:
            self.points += len(series.points)
            if series.name == CLOCK:
                self._clock = self._merged(self._clock, series, Target("", "", 1e6))
            elif series.name == DISK_INFO:
                self._rows.number_disk(series.labels)
            elif series.name in ALL:
                self._sort(ALL[series.name], series)

    def _sort(self, rule: Rule, series: Series) -> None:
        item = series.labels.get(rule.item, "") if rule.item else ""
        target = rule.targets.get(item)
        slot = self._rows.slot(rule, series.labels) if target else None
        if target is None or slot is None:
            return
        items = self._values.setdefault((target.table, slot, target.column), {})
        items[item] = self._merged(items.get(item), series, target)

    def _merged(self, before: list[int] | None, series: Series, target: Target) -> list[int]:
        """A series on the grid of steps; two of one thing (two jobs) fill each other's gaps."""
        values = before or [MISSING] * self._count
        for at_s, value in series.points:
            step = round((at_s - self._begin_s) / self._step_s)
            if 0 <= step < self._count:
                self._known[step] = True
                if values[step] == MISSING:
                    values[step] = _integer(value, target)
        return values

    def moments(self) -> Iterator[tuple[int, int, int]]:
        """The steps that have something new: step, its time and the host's clock, both in us.

        The server repeats a value until the next one is scraped; the host's clock tells.
        """
        for step, known in enumerate(self._known):
            at_us = round((self._begin_s + step * self._step_s) * 1e6)
            if self._clock is None and known:
                yield step, at_us, at_us
            elif self._clock is not None and self._clock[step] != MISSING:
                yield step, at_us, self._clock[step]

    def tables(self) -> dict[str, list[list[Sequence[int] | None]]]:
        """For each table that has anything: its columns, their rows, the row's values by step."""
        found: dict[str, list[list[Sequence[int] | None]]] = {}
        for (name, slot, column), items in self._values.items():
            table = BY_NAME[name]
            if name not in found:
                count = self._rows.entities.rows(table.space)
                found[name] = [[None] * count for _ in table.columns]
            found[name][table.columns.index(column)][slot] = _summed(list(items.values()))
        return found


def _integer(value: float, target: Target) -> int:
    """A value in the stream's unit; NaN, infinite, negative and huge ones are missing."""
    scaled = value * target.scale
    if not 0 <= scaled < _MOST or (scaled == 0 and not target.zero_known):
        return MISSING
    return round(scaled)


def _summed(items: list[list[int]]) -> list[int]:
    if len(items) == 1:
        return items[0]
    return [MISSING if MISSING in values else sum(values) for values in zip(*items, strict=True)]


def columns_at(table: list[list[Sequence[int] | None]], step: int) -> list[list[int]]:
    """One step of one table, as ``stream.Columns`` takes it."""
    return [
        [tables.MISSING if values is None else values[step] for values in column]
        for column in table
    ]
