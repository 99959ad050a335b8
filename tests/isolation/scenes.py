"""Hosts made up for the tests of checks: sandboxes, links, facts and what was counted.

Everything is what the collector would send, decoded by the real code. A counter that is not given
was not measured. ``SECONDS`` pass between the two samples of a scene.
"""

from typing import Any

import numpy as np

from kataui.findings import Finding, Severity
from kataui.isolation.checks.check import Answer, Check, Checked, Scene, run
from kataui.isolation.collector.tables import MISSING, SPACES, TABLES
from kataui.isolation.model import host_view
from kataui.isolation.span import Counters
from kataui.isolation.stream import Group, Sample

SECONDS = 10
_BEGIN = 1_000_000  # what a counter held before


class Host:
    """A host of ``cpus`` CPUs; facts by path, counters by table and slot."""

    def __init__(self, cpus: int = 8, *, root: bool = True, **facts: str) -> None:
        self.head: dict[str, Any] = {"host": "node-1", "root": root, "ticks_per_second": 100}
        self.head.update(page_bytes=4096, cpus=cpus, machine="x86_64", kernel="6.18.0")
        self.facts: dict[str, str] = dict(facts)
        self.entities: dict[str, dict[int, dict[str, Any]]] = {space: {} for space in SPACES}
        self._rows: dict[tuple[str, int], dict[str, tuple[int, int]]] = {}
        self.put("host")
        for cpu in range(cpus):
            self.put("cpu", cpu=cpu)

    def put(self, space: str, **attributes: Any) -> int:
        """An entity as the collector describes it; gives its slot."""
        slot = len(self.entities[space])
        self.entities[space][slot] = attributes
        return slot

    def fact(self, path: str, text: str) -> None:
        """A file of the host."""
        self.facts[path] = text

    def count(self, table: str, slot: int, **grown: float) -> None:
        """How much counters grew in ``SECONDS``."""
        row = self._rows.setdefault((table, slot), {})
        row.update({name: (_BEGIN, _BEGIN + round(value)) for name, value in grown.items()})

    def now(self, table: str, slot: int, **values: int) -> None:
        """What stands there, before and after."""
        row = self._rows.setdefault((table, slot), {})
        row.update({name: (value, value) for name, value in values.items()})

    def sandbox(
        self,
        name: str,
        *argv: str,
        hypervisor: str = "qemu",
        runtime: str = "go",
        qos: str = "burstable",
        group: str = "",
        groups: tuple[str, ...] = (),
    ) -> str:
        """A sandbox with its hypervisor's process; gives its key."""
        pid = 1000 + 100 * len(self.entities["sandbox"])
        key, group = f"{name}@{pid}.1", group or f"/kubepods/{qos}/pod{name}/{name}"
        pod = {"name": name, "namespace": "default", "uid": f"uid-{name}", "qos": qos}
        given = {"key": key, "id": name, "hypervisor": hypervisor, "runtime": runtime}
        self.put(
            "sandbox", **given, pid=pid, pod=pod, group=group, groups=[group, *groups], netns=""
        )
        line = list(argv) or [hypervisor]
        self.put("process", pid=pid, part="vmm", comm=hypervisor, sandbox=key, argv=line)
        self.group(group)
        return key

    def group(self, path: str, **files: str) -> int:
        """A control group (v2) that is watched, with some of its files (``cpu_max`` is cpu.max)."""
        folder = f"/sys/fs/cgroup{path}"
        for name, text in files.items():
            self.fact(f"{folder}/{name.replace('_', '.')}", text)
        for slot, given in self.entities["cgroup"].items():
            if given["path"] == path:
                return slot
        folders = dict.fromkeys(("cpu", "cpuset", "memory", "io", ""), folder)
        return self.put("cgroup", path=path, folders=folders, mode="v2")

    def thread(
        self,
        sandbox: str,
        role: str,
        cpus: str = "0-7",
        *,
        runs: float | None = None,
        waits: float = 0.0,
        last: int | None = None,
        group: str = "",
        name: str = "",
        index: int = -1,
    ) -> int:
        """A thread; ``runs`` and ``waits`` are parts of a CPU, ``last`` where it was seen."""
        owner = next((s for s in self.entities["sandbox"].values() if s["key"] == sandbox), None)
        given = {"role": role, "cpus": cpus, "name": name or role, "index": index}
        slot = self.put(
            "thread",
            **given,
            tid=5000 + len(self.entities["thread"]),
            pid=owner["pid"] if owner else 1,
            sandbox=sandbox,
            actor="" if owner else name,
            evidence="thread name",
            groups={"": group or (owner["group"] if owner else "/")},
        )
        if runs is not None:
            microseconds = SECONDS * 1e6
            self.count("run", slot, run_us=runs * microseconds, wait_us=waits * microseconds)
            self.count("run", slot, slices=1000)
        if last is not None:
            self.now("place", slot, cpu=last)
        return slot

    def link(self, name: str, sandbox: str = "", **grown: float) -> int:
        """A network link of the host or of a sandbox, and what its counters grew."""
        slot = self.put("nic", name=name, sandbox=sandbox)
        self.count("link", slot, **grown)
        return slot

    def disk(self, name: str, number: str = "259:0", **grown: float) -> int:
        """A block device, and what its counters grew."""
        slot = self.put("disk", name=name, number=number)
        self.count("disk", slot, **grown)
        return slot

    def scene(self) -> Scene:
        """What checks look at."""
        counters = Counters()
        for end in (0, 1):
            groups = {table.name: Group(self._values(table.name, end)) for table in TABLES}
            counters.take(Sample(end * SECONDS * 1_000_000 + 1, 0, 0, 0, 0, 0, groups))
        return Scene(host_view(self.head, self.facts, self.entities), counters.span(SECONDS))

    def _values(self, name: str, end: int) -> Any:
        table = next(table for table in TABLES if table.name == name)
        values = np.full((len(self.entities[table.space]), len(table.columns)), MISSING, np.int64)
        for (of, slot), columns in self._rows.items():
            for column, value in columns.items() if of == name else ():
                values[slot, table.columns.index(column)] = value[end]
        return values

    def ask(self, check: Check) -> list[Answer]:
        """A check's answers."""
        return list(check.look(self.scene()))

    def findings(self, check: Check) -> list[Finding]:
        """A check's findings; a pass is none."""
        return list(self.outcome(check).findings)

    def outcome(self, check: Check) -> Checked:
        """A check's outcome."""
        return run(check, self.scene())


def verdict(answers: list[Answer]) -> str:
    """The worst of some answers in a word: fail, warn, unknown, info, pass, or nothing."""
    words = [_word(answer) for answer in answers]
    order = ("fail", "warn", "unknown", "info", "pass")
    return next((word for word in order if word in words), "nothing")


def _word(answer: Answer) -> str:
    if not answer.checked:
        return "unknown"
    words = {Severity.ERROR: "fail", Severity.WARNING: "warn", Severity.INFO: "info"}
    return words[answer.severity] if answer.severity else "pass"
