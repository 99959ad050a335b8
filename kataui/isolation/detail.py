"""One sandbox over time: what is kept for no other, made from single intervals as they come.

The first minutes are read back from the stream; live data is added after it.
"""

from collections import deque

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
        self.times: deque[float] = deque(maxlen=SECONDS)
        self._rows: deque[dict[tuple[str, str], float]] = deque(maxlen=SECONDS)

    def add(self, analysis: Analysis) -> None:
        """Take in the newest interval of an analysis; the same one only once."""
        time_s = analysis.interval_end_s
        if time_s is None or (self.times and time_s <= self.times[-1]):
            return
        sandbox = analysis.layout.view.by_key.get(self.key)
        self.times.append(time_s)
        self._rows.append(_values(analysis, sandbox) if sandbox else {})

    def series(self, chart: str) -> dict[str, Array]:
        """Name to values, as long as ``times``."""
        names: dict[str, None] = {}
        for row in self._rows:
            names.update({name: None for group, name in row if group == chart})
        return {
            name: np.array([row.get((chart, name), np.nan) for row in self._rows], np.float32)
            for name in names
        }


def read_back(player: Player, key: str, begin_us: int, end_us: int) -> Detail:
    """The detail of a sandbox between two times, from the stream."""
    detail = Detail(key)
    player.seek(begin_us)
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
