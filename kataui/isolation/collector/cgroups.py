"""Control groups of sandboxes: where they are mounted, and what is read of them."""

from __future__ import annotations

import os

from kataui.isolation.collector import files, procfs
from kataui.isolation.collector.tables import GROUP, GROUP_MEMORY, MISSING

_PRESSURES = ("cpu.pressure", "io.pressure", "memory.pressure")
_STAT_KEYS = (b"file_dirty ", b"file_writeback ", b"anon ", b"file ", b"workingset_refault_file ")
_V1_KEYS = (b"dirty ", b"writeback ", b"rss ", b"cache ", b"workingset_refault_file ")
_NO_LIMIT = 1 << 60  # v1 writes a huge number for "no limit"


class Mounts:
    """Where the controllers are: v2 (``""``), hybrid (v2 in ``unified``), v1 by controller."""

    def __init__(self, sys: str) -> None:
        root = f"{sys}/fs/cgroup"
        self.folders: dict[str, str] = {}
        if os.path.exists(f"{root}/cgroup.controllers"):
            self.folders[""] = root
        else:
            for name in files.listing(root):
                for controller in name.split(","):
                    key = "" if controller == "unified" else controller
                    self.folders[key] = f"{root}/{name}"

    @property
    def mode(self) -> str:
        """v2, v1, hybrid or none."""
        if "" in self.folders:
            return "v2" if len(self.folders) == 1 else "hybrid"
        return "v1" if self.folders else "none"

    def folder(self, controller: str, paths: dict[str, str]) -> str:
        """The folder of a task's group for a controller; v2 holds all of them; empty if none.

        On hybrid hosts the v2 path counts only when it is the same group: Kata moves its threads
        in the v1 hierarchies and leaves them in the v2 group of whoever started it.
        """
        key = controller if controller in self.folders and controller in paths else ""
        if key not in self.folders or key not in paths:
            return ""
        if not key and paths.get("cpu", paths[key]) != paths[key]:
            return ""
        return self.folders[key] + paths[key].rstrip("/")


class Cgroup:
    """One group: the files that are read each second and every few seconds."""

    def __init__(self, folders: dict[str, str], budget: files.Budget) -> None:
        """``folders``: where this group is, by controller (cpu, memory, io, "" for pressure)."""
        self.slot = -1
        self.users = 0
        self._v2_cpu = folders.get("cpu", "") == folders.get("", "-")
        cpu = folders.get("cpu", "")
        self._stat = _kept(cpu, "cpu.stat", budget)
        self._usage = _kept(folders.get("cpuacct", ""), "cpuacct.usage", budget)
        pressure = folders.get("", "")
        self._pressures = [_kept(pressure, name, budget) for name in _PRESSURES]
        self._memory = folders.get("memory", "")
        self._v2_memory = self._memory == pressure
        self._io = folders.get("blkio", "") or folders.get("io", "")  # hybrid: v1 counts

    def read(self) -> list[int]:
        """The columns of ``tables.GROUP``."""
        values = [MISSING] * len(GROUP)
        data = self._stat.read() if self._stat else None
        if data:
            values[1] = procfs.after(data, b"nr_periods ")
            values[2] = procfs.after(data, b"nr_throttled ")
            if self._v2_cpu:
                values[0] = procfs.after(data, b"usage_usec ")
                values[3] = procfs.after(data, b"throttled_usec ")
            else:
                throttled = procfs.after(data, b"throttled_time ")  # ns
                values[3] = throttled // 1000 if throttled >= 0 else MISSING
        if self._usage is not None:
            usage = (self._usage.read() or b"").strip()
            values[0] = int(usage) // 1000 if usage.isdigit() else values[0]
        for index, kept in enumerate(self._pressures):
            data = kept.read() if kept else None
            if data:
                values[4 + 2 * index : 6 + 2 * index] = procfs.pressure(data)
        return values

    def read_memory(self) -> list[int]:
        """The columns of ``tables.GROUP_MEMORY``: bytes, and pages refaulted."""
        values = [MISSING] * len(GROUP_MEMORY)
        names: tuple[str, str] = ("memory.current", "memory.max")
        if not self._v2_memory:
            names = ("memory.usage_in_bytes", "memory.limit_in_bytes")
        if self._memory:
            for index, name in enumerate(names):
                text = (files.read(f"{self._memory}/{name}") or b"").strip()
                number = int(text) if text.isdigit() else MISSING
                values[index] = number if number < _NO_LIMIT else MISSING
            data = files.read(f"{self._memory}/memory.stat") or b""
            keys = _STAT_KEYS if self._v2_memory else _V1_KEYS
            values[2:7] = [procfs.after(data, key) for key in keys]
        values[7:11] = self._read_io()
        return values

    def _read_io(self) -> list[int]:
        """Bytes and requests of all devices (io.stat, or blkio of v1)."""
        data = files.read(f"{self._io}/io.stat") if self._io else None
        if data is not None:
            totals = {b"rbytes": 0, b"wbytes": 0, b"rios": 0, b"wios": 0}
            for field in data.split():
                name, equals, value = field.partition(b"=")
                if equals and name in totals and value.isdigit():
                    totals[name] += int(value)
            return list(totals.values())
        numbers = [MISSING] * 4
        for index, kind in enumerate(("io_service_bytes", "io_serviced")):
            path = f"{self._io}/blkio.throttle.{kind}_recursive"
            counted = files.read(path) if self._io else None
            for word, column in ((b"Read", 2 * index), (b"Write", 2 * index + 1)):
                found = [line.split() for line in (counted or b"").splitlines()]
                sums = [int(f[2]) for f in found if len(f) == 3 and f[1] == word]
                if counted is not None:
                    numbers[column] = sum(sums)
        return numbers

    def close(self) -> None:
        """Give the descriptors back."""
        for kept in (self._stat, self._usage, *self._pressures):
            if kept is not None:
                kept.close()


def _kept(folder: str, name: str, budget: files.Budget) -> files.Kept | None:
    if not folder or not os.path.exists(f"{folder}/{name}"):
        return None
    return files.Kept(f"{folder}/{name}", budget)
