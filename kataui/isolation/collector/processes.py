"""The processes of a host: those of sandboxes, and the few others that use much CPU."""

from __future__ import annotations

import os

from kataui.isolation.collector import commandline, files, procfs

_TICKS = os.sysconf("SC_CLK_TCK")
_BUSY_SHARE = 0.01  # of a CPU between two scans: what can make somebody wait
_MOST_BUSY = 32
_MEASURED_A_SCAN = 1500
_KTHREADD = 2
ALWAYS = ("ksoftirqd/", "kswapd")  # these are named culprits even when they are quiet


class Process:
    """A process as a scan saw it; ``identity`` survives that its number is used again."""

    __slots__ = ("argv", "comm", "member", "pid", "ppid", "replaced", "scans", "start", "ticks")

    def __init__(self, pid: int, stat: procfs.Stat) -> None:
        self.pid = pid
        self.ppid = stat.field(4)
        self.start = stat.field(22)
        self.comm = stat.comm
        self.ticks = max(0, stat.field(14)) + max(0, stat.field(15))
        self.argv: list[str] = []
        self.member: commandline.Member | None = None
        self.scans = 0
        self.replaced = False  # its number belongs to another one now

    @property
    def identity(self) -> str:
        """Number and start time."""
        return f"{self.pid}.{self.start}"

    @property
    def is_kernel_thread(self) -> bool:
        """Whether kthreadd made it."""
        return _KTHREADD in {self.ppid, self.pid}


class Processes:
    """Scans ``/proc``: the whole list each time, but only new processes are read."""

    def __init__(self, proc: str) -> None:
        self._proc = proc
        self.known: dict[int, Process] = {}
        self._measured_s: dict[int, float] = {}
        self._rotation: list[int] = []
        self._share: dict[int, float] = {}

    @property
    def hidden(self) -> bool:
        """Whether other users' processes cannot be seen (hidepid): then 1 is missing."""
        return files.read(f"{self._proc}/1/stat") is None

    def scan(self) -> None:
        """Bring ``known`` up to date."""
        now = {int(name) for name in files.listing(self._proc) if name.isdigit()}
        for pid in [pid for pid in self.known if pid not in now]:
            self.forget(pid)
        for pid in now:
            process = self.known.get(pid)
            if process is None or process.replaced:
                data = files.read(f"{self._proc}/{pid}/stat")
                stat = procfs.stat(data) if data else None
                if stat is None:
                    continue
                process = self.known[pid] = Process(pid, stat)
            if process.scans < 2:  # between fork and exec a child still shows its parent's line
                self._read_command(process)
                process.scans += 1

    def forget(self, pid: int) -> None:
        """A process is gone, or its number belongs to another one now."""
        self.known.pop(pid, None)
        self._share.pop(pid, None)
        self._measured_s.pop(pid, None)

    def _read_command(self, process: Process) -> None:
        data = files.read(f"{self._proc}/{process.pid}/cmdline") or b""
        text = data.rstrip(b"\0").decode("utf-8", "replace")
        process.argv = text.split("\0")[:1024] if text else []
        process.member = commandline.member(process.argv)

    def busy(self, now_s: float) -> list[Process]:
        """Processes outside of sandboxes that used over 1 % of a CPU lately, busiest first.

        At most ``_MEASURED_A_SCAN`` are measured a call, in turn, so that a host with many
        thousands costs no more.
        """
        if not self._rotation:
            self._rotation = list(self.known)
        batch, self._rotation = (
            self._rotation[:_MEASURED_A_SCAN],
            self._rotation[_MEASURED_A_SCAN:],
        )
        for pid in batch:
            process = self.known.get(pid)
            if process is not None and process.member is None:
                self._measure(process, now_s)
        named = [p for p in self.known.values() if p.member is None and self._interesting(p)]
        named.sort(key=lambda process: -self._share.get(process.pid, 0.0))
        return named[:_MOST_BUSY]

    def _interesting(self, process: Process) -> bool:
        if self._share.get(process.pid, 0.0) >= _BUSY_SHARE:
            return True
        return process.is_kernel_thread and process.comm.startswith(ALWAYS)

    def _measure(self, process: Process, now_s: float) -> None:
        data = files.read(f"{self._proc}/{process.pid}/stat")
        stat = procfs.stat(data) if data else None
        if stat is None or stat.field(22) != process.start:
            self.forget(process.pid)
            return
        ticks = stat.field(14) + stat.field(15)
        before_s = self._measured_s.get(process.pid)
        if before_s is not None and now_s > before_s:
            self._share[process.pid] = (ticks - process.ticks) / _TICKS / (now_s - before_s)
        process.comm = stat.comm
        process.ticks = ticks
        self._measured_s[process.pid] = now_s
