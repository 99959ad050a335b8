"""The threads that are watched: their role, their files, and what is read of them."""

from __future__ import annotations

import os

from kataui.isolation.collector import commandline, files, procfs, roles
from kataui.isolation.collector.entities import Entities
from kataui.isolation.collector.processes import Process
from kataui.isolation.collector.tables import MISSING, PLACE, SWITCH, THREAD

HOST = "host"  # the role of threads outside of sandboxes
_MOST_THREADS = 512  # of one process; a VMM with more is described by its first ones
_GONE = (MISSING, MISSING, MISSING)
_QUIET_US = 1000
_PLACE_US = 500  # of running and waiting: less cannot matter to anybody
_YOUNG = 3  # scans in which names, roles and groups still settle
_LATER = 12  # scans between two looks at an old process whose threads are the same


class Thread:
    """One thread: its slot, its files, and the values read last."""

    __slots__ = (
        *("_placed_us", "_switched_us", "attributes", "place", "run", "sched", "schedstat"),
        *("rests", "slot", "stat", "status", "switch", "tid"),
    )

    def __init__(self, folder: str, tid: int, budget: files.Budget) -> None:
        self.tid = tid
        self.slot = -1
        self.schedstat = files.Kept(folder + "/schedstat", budget)
        self.stat = files.Kept(folder + "/stat", budget)
        self.status = folder + "/status"
        self.sched = folder + "/sched"
        self.attributes: dict[str, object] = {}
        self.run = _GONE
        self.place = [MISSING] * len(PLACE)
        self.switch = [MISSING] * len(SWITCH)
        self._placed_us = self._switched_us = 0
        self.rests = False

    def read_run(self) -> None:
        """Read its schedstat: the one thing that is done for every thread again and again.

        A thread that ran and waited for less than a millisecond is read at every second sample
        only: on a host most are like that, and a late millisecond changes no verdict.
        """
        if self.rests:
            self.rests = False
            return
        try:
            data = os.pread(self.schedstat.handle, 64, 0)
        except OSError:  # not open yet, or gone
            data = self.schedstat.read() or b""
        fields = data.split()
        if len(fields) < 3:
            self.run = _GONE
            return
        before = self.run[0] + self.run[1]
        run, wait = int(fields[0]) // 1000, int(fields[1]) // 1000
        self.run = (run, wait, int(fields[2]))
        self.rests = run + wait - before < _QUIET_US

    def read_place(self) -> None:
        """Read where it ran; what hardly ran or waited since is where it was."""
        active_us = self.run[0] + self.run[1]
        if abs(active_us - self._placed_us) >= _PLACE_US or self.place[0] == MISSING:
            data = self.stat.read()
            values = procfs.place(data) if data else None
            if values is not None:
                self.place = values
                self._placed_us = active_us

    @property
    def idle(self) -> bool:
        """Whether it hardly did anything since its switches were read; asking ends the time."""
        active_us = self.run[0] + self.run[1]
        quiet = abs(active_us - self._switched_us) < _PLACE_US and self.switch[0] != MISSING
        self._switched_us = active_us
        return quiet

    def read_switch(self, *, migrations: bool) -> str | None:
        """Read its switches (and migrations: a long file); gives the CPUs that it may use."""
        data = files.read(self.status)
        if data is None:
            return None
        self.switch[0] = procfs.after(data, b"voluntary_ctxt_switches:")
        self.switch[1] = procfs.after(data, b"nonvoluntary_ctxt_switches:")
        if migrations:
            sched = files.read(self.sched) or b""
            at = sched.find(b"se.nr_migrations")
            value = sched[at:].split(b":", 1)[-1].split(None, 1)[:1] if at >= 0 else []
            self.switch[2] = int(value[0]) if value and value[0].isdigit() else MISSING
        at = data.find(b"Cpus_allowed_list:")
        return data[at + 18 :].split(None, 1)[0].decode("ascii", "replace") if at >= 0 else ""

    def close(self) -> None:
        """Give its descriptors back."""
        self.schedstat.close()
        self.stat.close()


class Group:
    """The threads of one process, kept up to date."""

    __slots__ = (
        *("_budget", "_entities", "_folder", "_proc", "_scans", "_unnamed"),
        *("actor", "process", "sandbox", "threads"),
    )

    def __init__(
        self, roots: tuple[str, str], process: Process, entities: Entities, budget: files.Budget
    ) -> None:
        self.process = process
        self.sandbox = ""
        self.actor = "" if process.member else process.comm
        self.threads: dict[int, Thread] = {}
        self._proc, sys = roots
        self._folder = f"{self._proc}/{process.pid}/task"
        self._entities = entities
        self._budget = budget
        self._scans = 0
        self._unnamed = roles.Unnamed(self._proc, sys, process.pid, process.argv)

    def refresh(self) -> bool:
        """Find threads that came or went, and name their roles; whether anything was looked at."""
        tids = [int(name) for name in files.listing(self._folder) if name.isdigit()]
        tids = sorted(tids)[:_MOST_THREADS]
        self._scans += 1
        settled = self._scans > _YOUNG and (self._scans + self.process.pid) % _LATER
        if settled and tids == list(self.threads):
            return False
        for tid in [tid for tid in self.threads if tid not in tids]:
            self.drop(tid)
        stats = {tid: stat for tid in tids for stat in [self._stat(tid)] if stat is not None}
        main = stats.get(self.process.pid)
        if main is not None and main.field(22) != self.process.start:
            self.process.replaced = True  # the next scan finds out who that is
            self.close()
            return True
        for tid, role in sorted(self._roles(stats).items()):
            thread = self.threads.get(tid)
            if thread is None:
                thread = Thread(f"{self._folder}/{tid}", tid, self._budget)
                allowed = thread.read_switch(migrations=False) or ""
                thread.attributes = self._attributes(stats[tid], tid, role, allowed)
                thread.slot = self._entities.add(THREAD, thread.attributes)
                self.threads[tid] = thread
                self.threads = dict(sorted(self.threads.items()))
            else:
                now = self._attributes(stats[tid], tid, role, str(thread.attributes["cpus"]))
                self.change(thread, now)
        return True

    def change(self, thread: Thread, attributes: dict[str, object]) -> None:
        """A thread has other attributes now."""
        thread.attributes = attributes
        self._entities.change(THREAD, thread.slot, attributes)

    def drop(self, tid: int) -> None:
        """A thread is gone."""
        thread = self.threads.pop(tid)
        thread.close()
        self._entities.remove(THREAD, thread.slot)

    def close(self) -> None:
        """The process is gone."""
        for tid in list(self.threads):
            self.drop(tid)

    def _stat(self, tid: int) -> procfs.Stat | None:
        data = files.read(f"{self._folder}/{tid}/stat")
        return procfs.stat(data) if data else None

    def _roles(self, stats: dict[int, procfs.Stat]) -> dict[int, roles.Role]:
        member = self.process.member
        if member is None:
            return {tid: roles.Role(HOST, evidence=roles.BY_PROCESS) for tid in stats}
        found = {}
        rest = {}
        for tid, stat in stats.items():
            role = roles.by_name(member.part, stat.comm)
            if role is None:
                rest[tid] = stat
            else:
                found[tid] = role
        if member.hypervisor == commandline.QEMU:
            found.update(self._unnamed.roles(rest, found))
        else:
            found.update({tid: roles.Role(roles.VMM, evidence=roles.BY_PROCESS) for tid in rest})
        return found

    def _attributes(
        self, stat: procfs.Stat, tid: int, role: roles.Role, allowed: str
    ) -> dict[str, object]:
        groups = files.read(f"{self._folder}/{tid}/cgroup") or b""
        return {
            "sandbox": self.sandbox,
            "actor": self.actor,
            "role": role.role,
            "index": role.index,
            "evidence": role.evidence,
            "pid": self.process.pid,
            "tid": tid,
            "start": stat.field(22),
            "name": stat.comm,
            "cpus": allowed,
            "policy": stat.field(41),
            "groups": procfs.cgroup_paths(groups),
        }
