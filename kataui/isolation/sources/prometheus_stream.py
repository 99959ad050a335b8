"""The child process that reads a Prometheus server and writes the stream.

The task comes as one line of JSON on standard input, whose end is the end: the address may hold a
password, which is nothing for a command line. An error is one line of JSON on standard error.
"""

import json
import math
import re
import select
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from kataui import __version__
from kataui.errors import KatauiError
from kataui.files import clean
from kataui.isolation.collector import stream as wire
from kataui.isolation.collector.tables import BY_NAME, SANDBOX, TABLES
from kataui.isolation.sources.prometheus_rules import (
    ALL,
    KATA,
    NODE,
    PAGE_BYTES,
    TICKS_PER_SECOND,
    missing,
)
from kataui.isolation.sources.prometheus_server import Server, TooMuch, quoted
from kataui.isolation.sources.prometheus_table import (
    CLOCK,
    DISK_INFO,
    Rows,
    Stretch,
    columns_at,
)

MOST_STEPS = 2000
_FIRST_STEPS = 50
_SANDBOX_STEPS = 120  # sandboxes come and go between stretches, so these are short
_MOST_POINTS = 200_000  # of one answer: about 6 MB of JSON
_LOOK_BACK_S = 300.0  # how long a server repeats a value (query.lookback-delta)
_SHOWN_INSTANCES = 20


@dataclass(frozen=True, slots=True)
class Task:
    """What to read. Times are seconds of Unix time; ``end_s`` None goes on with what comes.

    ``instance`` is the label of one host; empty is the only one there is.
    """

    url: str
    instance: str
    begin_s: float
    end_s: float | None
    step_s: float

    def line(self) -> bytes:
        """The task as the child reads it."""
        return json.dumps(asdict(self)).encode() + b"\n"


def instances(server: Server, begin_s: float, end_s: float) -> list[str]:
    """The hosts of a server: instances of node-exporter, and hosts that only kata-monitor has."""
    nodes = server.values("instance", "node_cpu_seconds_total", begin_s, end_s)
    hosts = {host_of(node) for node in nodes}
    kata = server.values("instance", "kata_hypervisor_threads", begin_s, end_s)
    return nodes + [name for name in kata if name not in nodes and host_of(name) not in hosts]


def host_of(instance: str) -> str:
    """An instance without its port."""
    return re.sub(r":\d+$", "", instance)


class Reader:
    """Reads one host from a server and writes the stream."""

    def __init__(self, task: Task, write: Callable[[bytes], object]) -> None:
        self._server = Server(task.url)
        self._task = task
        self._write = write
        self._rows = Rows()
        self._columns = {table.number: wire.Columns(len(table.columns)) for table in TABLES}
        self._selectors: list[str] = []
        self._clock_us = self._mono_us = self._at_us = -1

    def run(self, wait: Callable[[float], bool]) -> None:
        """Read to the end; ``wait`` pauses for some seconds and tells whether to go on.

        Raises ``PrometheusProblem``.
        """
        task = self._task
        end_s = time.time() if task.end_s is None else task.end_s
        self._begin(min(task.begin_s, end_s), end_s)
        at_s, steps = task.begin_s, _FIRST_STEPS
        while True:
            end_s = time.time() if task.end_s is None else task.end_s
            left = math.floor((end_s - at_s) / task.step_s) + 1
            if left <= 0:
                if task.end_s is not None or not wait(at_s - end_s):
                    return
                continue
            count = min(left, steps)
            try:
                points = self._stretch(at_s, count)
            except TooMuch:
                if count == 1:
                    raise
                steps = count // 2
                continue
            at_s += count * task.step_s
            most = _SANDBOX_STEPS if self._rows.entities.rows(SANDBOX) else MOST_STEPS
            steps = max(1, min(most, _MOST_POINTS * count // max(1, points)))

    def _begin(self, begin_s: float, end_s: float) -> None:
        """Find what there is, and write the head."""
        since_s = begin_s - _LOOK_BACK_S
        name = self._task.instance or self._only(since_s, end_s)
        exact = f"instance={quoted(name)}"
        names = set(self._server.names(f"{{{exact}}}", since_s, end_s))
        kata, kata_names = exact, names & KATA.keys()
        if not kata_names:  # kata-monitor listens at another port than node-exporter
            pattern = re.escape(host_of(name)) + "(:[0-9]+)?"
            kata = f"instance=~{quoted(pattern)}"
            selector = f'{{__name__=~"kata_.*",{kata}}}'
            kata_names = set(self._server.names(selector, since_s, end_s)) & KATA.keys()
        node_names = names & (NODE.keys() | {CLOCK, DISK_INFO})
        for match, found in ((exact, node_names), (kata, kata_names)):
            if found:
                self._selectors.append(f'{{__name__=~"{"|".join(sorted(found))}",{match}}}')
        if not (node_names | kata_names) & ALL.keys():
            message = f"{self._server.name} knows nothing about {clean(name, limit=80)}."
            hint = "Choose another instance, or another time."
            raise KatauiError(message, hint=hint)
        head = self._head(name, end_s, end_s - since_s)
        head["missing"] = missing(node_names | kata_names)
        self._write(wire.MAGIC + wire.json_record(wire.HEAD, head))

    def _only(self, begin_s: float, end_s: float) -> str:
        found = instances(self._server, begin_s, end_s)
        if len(found) == 1:
            return found[0]
        if not found:
            message = f"{self._server.name} has no series of node-exporter or kata-monitor."
            raise KatauiError(message, hint="Let it scrape the Kata hosts.")
        names = ", ".join(clean(name, limit=40) for name in found[:_SHOWN_INSTANCES])
        message = f"{self._server.name} knows {len(found)} hosts: {names}."
        raise KatauiError(message, hint="Choose one: prometheus:URL#INSTANCE.")

    def _head(self, name: str, end_s: float, length_s: float) -> dict[str, object]:
        """What the collector's head says, as far as it is known here."""
        selector = f"node_uname_info{{instance={quoted(name)}}}[{math.ceil(length_s)}s]"
        found = self._server.query(f"last_over_time({selector})", end_s)
        labels = found[0].labels if found else {}
        return {
            "source": "prometheus",
            "server": self._server.name,
            "instance": name,
            "host": labels.get("nodename") or host_of(name),
            "kernel": labels.get("release", ""),
            "machine": labels.get("machine", ""),
            "ticks_per_second": TICKS_PER_SECOND,
            "page_bytes": PAGE_BYTES,
            "root": False,
            "format": wire.VERSION,
            "kataui": __version__,
            "rate_hz": 1 / self._task.step_s,
            "started_us": round(self._task.begin_s * 1e6),
            "captured": True,
        }

    def _stretch(self, begin_s: float, count: int) -> int:
        """Read and write some steps as one segment; gives how many points there were."""
        step_s = self._task.step_s
        stretch = Stretch(self._rows, begin_s, step_s, count)
        for selector in self._selectors:
            end_s = begin_s + (count - 1) * step_s
            stretch.take(self._server.query_range(selector, begin_s, end_s, step_s))
        self._rows.end()
        key = {"entities": self._rows.entities.whole()}
        self._write(wire.json_record(wire.KEY, key))
        for columns in self._columns.values():
            columns.forget()
        tables = stretch.tables()
        for step, at_us, clock_us in stretch.moments():
            if clock_us == self._clock_us:
                continue
            self._advance(at_us, clock_us)
            groups = []
            for name, table in tables.items():
                number = BY_NAME[name].number
                width, data = self._columns[number].differences(columns_at(table, step))
                groups.append((number, width, 0, len(table[0]), data))
            header = (self._mono_us, clock_us, 0, 0, 0, 0)
            self._write(wire.sample_record(header, groups))
        return stretch.points

    def _advance(self, at_us: int, clock_us: int) -> None:
        """Time that only goes forward, as the host's clock tells it unless that is set back."""
        passed_us = clock_us - self._clock_us
        if self._mono_us < 0:
            self._mono_us = clock_us
        else:
            self._mono_us += passed_us if passed_us > 0 else max(1, at_us - self._at_us)
        self._clock_us, self._at_us = clock_us, at_us


def _wait(seconds: float) -> bool:
    """Pause; False when whoever started us is gone."""
    sys.stdout.buffer.flush()
    ready, _, _ = select.select([sys.stdin], [], [], max(0.0, seconds))
    return not ready


def main() -> int:
    """Do the task on standard input."""
    try:
        Reader(Task(**json.loads(sys.stdin.readline())), sys.stdout.buffer.write).run(_wait)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        return 0
    except KatauiError as error:
        sys.stdout.buffer.flush()
        sys.stderr.write(json.dumps({"message": error.message, "hint": error.hint}) + "\n")
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
