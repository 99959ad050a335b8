"""One sandbox over time: what is kept for no other, made from single intervals as they come.

The first minutes are read back from the stream; live data is added after it.
"""

import numpy as np

from kataui.isolation.analysis import Analysis
from kataui.isolation.model import Role, Sandbox, Thread
from kataui.isolation.player import Player
from kataui.isolation.span import Span, at
from kataui.isolation.stream import Array

SECONDS = 900
CPU, WAITING, PRESSURE, SWITCHES, MEMORY = "cpu", "waiting", "pressure", "switches", "memory"
_ROLES = (Role.VCPU, Role.VHOST, Role.IOTHREAD, Role.VIRTIOFSD, Role.SHIM, Role.VMM)
_US = 1e-6


class Detail:
    """Series of one sandbox, by chart and name; one value an interval, NaN for gaps."""

    def __init__(self, key: str) -> None:
        self.key = key
        self._times = np.full(2 * SECONDS, np.nan)
        self._columns: dict[tuple[str, str], Array] = {}
        self._newest: dict[tuple[str, str], float] = {}
        self._end = 0  # one past the newest; at the rings' end the newer half moves to the front

    @property
    def times(self) -> Array:
        """When the values were taken (seconds, CLOCK_MONOTONIC), oldest first."""
        return self._times[self._begin : self._end]

    @property
    def _begin(self) -> int:
        return max(0, self._end - SECONDS)

    def add(self, analysis: Analysis) -> None:
        """Take in the newest interval of an analysis; the same one only once."""
        time_s = analysis.interval_end_s
        if time_s is None or (self._end and time_s <= self._times[self._end - 1]):
            return
        sandbox = analysis.layout.view.by_key.get(self.key)
        self._make_room()
        self._times[self._end] = time_s
        self._newest = _values(analysis, sandbox) if sandbox else {}
        for place, value in self._newest.items():
            column = self._columns.get(place)
            if column is None:
                column = self._columns[place] = np.full(2 * SECONDS, np.nan, np.float32)
            column[self._end] = value
        self._end += 1

    def _make_room(self) -> None:
        if self._end == 2 * SECONDS:
            for ring in (self._times, *self._columns.values()):
                ring[:SECONDS] = ring[SECONDS:]
                ring[SECONDS:] = np.nan
            self._end = SECONDS

    def series(self, chart: str) -> dict[str, Array]:
        """Name to values, as long as ``times``; without what has left the window."""
        return {
            name: ring[self._begin : self._end].copy()
            for (group, name), ring in self._columns.items()
            if group == chart
            and ((group, name) in self._newest or not np.isnan(ring[self._begin :]).all())
        }


def read_back(player: Player, key: str, begin_us: int, end_us: int) -> Detail:
    """The detail of a sandbox between two times, from the stream."""
    detail = Detail(key)
    player.go_to(begin_us)
    while player.time_us < end_us and player.pass_over() is not None:
        detail.add(player.analysis)
    return detail


def _values(analysis: Analysis, sandbox: Sandbox) -> dict[tuple[str, str], float]:
    span = analysis.counters.span(0.5)
    run, wait = span.rate("run", "run_us") * _US, span.rate("run", "wait_us") * _US
    values: dict[tuple[str, str], float] = {}
    for role in _ROLES:
        threads = sandbox.of_role(role)
        if threads:
            values[CPU, role.value] = float(np.nansum([at(run, t.slot) for t in threads]))
    for thread in sandbox.of_role(Role.VCPU, Role.VHOST)[:8]:
        values[WAITING, _name(thread)] = 100 * at(wait, thread.slot)
    values.update(_pressure(span, analysis, sandbox))
    for column in ("voluntary", "involuntary"):
        rates = analysis.counters.span(15.0).rate("switch", column)
        found = [at(rates, t.slot) for t in sandbox.of_role(Role.VCPU)]
        if not np.isnan(found).all():
            values[SWITCHES, column] = float(np.nansum(found))
    pages = span.now("whole", "rss_pages")
    held = [at(pages, process.slot) for process in sandbox.processes]
    if not np.isnan(held).all():
        page_bytes = float(analysis.decoder.head.get("page_bytes") or 4096)
        values[MEMORY, "resident"] = float(np.nansum(held)) * page_bytes / 2**20
    return values


def _pressure(span: Span, analysis: Analysis, sandbox: Sandbox) -> dict[tuple[str, str], float]:
    """Stalls and own throttling of its groups, in % of the time."""
    groups = analysis.layout.view.cgroups
    slots = [groups[name].slot for name in sandbox.groups if name in groups]
    values = {}
    for name, column in (
        ("CPU", "cpu_some_us"),
        ("IO", "io_some_us"),
        ("memory", "memory_some_us"),
        ("own limit", "throttled_us"),
    ):
        rates = span.rate("group", column)
        found = [at(rates, slot) for slot in slots]
        if found and not np.isnan(found).all():
            values[PRESSURE, name] = 100 * float(np.nanmax(found)) * _US
    return values


def _name(thread: Thread) -> str:
    return f"vCPU {thread.index}" if thread.role is Role.VCPU and thread.index >= 0 else thread.name
