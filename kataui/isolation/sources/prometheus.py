"""A Prometheus server as a source: many hosts, and weeks, from series that are kept already.

node-exporter's and kata-monitor's series become the same records that the collector writes; what
they do not tell is listed in the head as ``missing``.
"""

import dataclasses
import json
import math
import time
import zlib

from kataui.children import argv, importable
from kataui.errors import KatauiError
from kataui.isolation.collector import stream as wire
from kataui.isolation.sources import prometheus_stream
from kataui.isolation.sources.child import Child
from kataui.isolation.sources.prometheus_server import PrometheusProblem, Server
from kataui.isolation.sources.prometheus_stream import MOST_STEPS, Task
from kataui.isolation.sources.retrying import USUAL, ChildFeed, Ending, Patience
from kataui.isolation.stream import Record

_HOUR_S = 3600.0
_STEP_S = 15.0  # how often most servers scrape
_ANSWER_S = 60.0


def instances(url: str, *, begin_s: float | None = None, end_s: float | None = None) -> list[str]:
    """The hosts that a server knows, by instance label; by default those of the last hour.

    It waits for the server. Raises ``KatauiError``.
    """
    end_s = time.time() if end_s is None else end_s
    begin_s = end_s - _HOUR_S if begin_s is None else begin_s
    return prometheus_stream.instances(Server(url), begin_s, end_s)


class PrometheusFeed(ChildFeed):
    """Samples of one host from a server, ``[begin_s, end_s]`` in seconds of Unix time.

    Without ``end_s`` it goes on with what is scraped; without ``begin_s`` it begins an hour before.
    ``step_s`` is 15 s unless given, longer where that were more than 2000 steps. ``instance`` may
    be left out where there is only one. The line is ENDED after the last step.
    """

    def __init__(
        self,
        url: str,
        *,
        instance: str = "",
        begin_s: float | None = None,
        end_s: float | None = None,
        step_s: float | None = None,
        patience: Patience = USUAL,
    ) -> None:
        last_s = time.time() if end_s is None else end_s
        first_s = last_s - _HOUR_S if begin_s is None else begin_s
        if not (math.isfinite(last_s - first_s) and 0 <= first_s <= last_s):
            raise KatauiError("The time range ends before it begins.")
        if step_s is None:
            step_s = max(_STEP_S, math.ceil((last_s - first_s) / MOST_STEPS))
        if not 1 <= step_s <= last_s:
            raise KatauiError("The step is not possible.", hint="Use one second or more.")
        self._task = Task(url, instance, first_s, end_s, step_s)
        patience = dataclasses.replace(patience, silence_s=max(patience.silence_s, _ANSWER_S))
        super().__init__(Server(url).name, period_s=step_s, patience=patience)

    def read(self, timeout_s: float) -> list[Record]:
        """What came, as ``Feed.read`` says; raises ``KatauiError``."""
        records = super().read(timeout_s)
        for record in records:
            if record.kind == wire.SAMPLE:
                self._remember(record)
        return records

    def _remember(self, record: Record) -> None:
        """After a lost line, it goes on where it was."""
        data = zlib.decompressobj().decompress(record.payload, wire.HEADER.size)
        seen_s = wire.HEADER.unpack(data)[1] / 1e6 + self._task.step_s
        if seen_s > self._task.begin_s:
            self._task = dataclasses.replace(self._task, begin_s=seen_s)

    def _start(self) -> Child:
        command = argv(prometheus_stream.__name__)
        return Child(command, input_bytes=self._task.line(), env=importable())

    def _ending(self, child: Child) -> Ending:
        if child.status == 0:
            return Ending(None)
        said = child.words[-1] if child.words else ""
        try:
            given = json.loads(said)
            return Ending(PrometheusProblem(str(given["message"]), hint=str(given["hint"])))
        except (ValueError, TypeError, LookupError):
            message = f"Reading {self._name} ended with status {child.status} ({said})."
            return Ending(PrometheusProblem(message))
