"""Reading small files often: descriptors that stay open, and a count of what they cost."""

from __future__ import annotations

import os
import resource

_SPARE = 128  # descriptors that stay free for scans, sockets and the interpreter
_BYTES = 1 << 16
_PAGE_RECORDS = 2048  # less than this is never a part: seq_file fills a page before it stops
_LIMIT = 1 << 22


def read(path: str, limit: int = 1 << 20) -> bytes | None:
    """A whole small file; None when it is not there or not ours to read."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        data = os.read(handle, _BYTES)
        if len(data) < _PAGE_RECORDS:
            return data
        parts = [data]
        size = len(data)
        while data and size < limit:
            data = os.read(handle, _BYTES)
            parts.append(data)
            size += len(data)
        return b"".join(parts)
    except OSError:
        return None
    finally:
        os.close(handle)


def listing(path: str) -> list[str]:
    """The names in a folder; none when it cannot be read."""
    try:
        return os.listdir(path)
    except OSError:
        return []


def raise_limit() -> int:
    """Use the hard limit of open files; gives how many may be open now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = hard if hard != resource.RLIM_INFINITY else 1 << 20
    wanted = max(soft, min(wanted, 1 << 20))
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):
        return soft
    return wanted


class Budget:
    """How many descriptors may still stay open; without any, files are opened for each read."""

    __slots__ = ("left",)

    def __init__(self, limit: int) -> None:
        self.left = max(0, limit - _SPARE)


class Kept:
    """A file of procfs, sysfs or a cgroup that is read again and again from its beginning.

    The descriptor of a task's file stays bound to that task, even if its number is used again.
    """

    __slots__ = ("_budget", "_path", "handle")

    def __init__(self, path: str, budget: Budget) -> None:
        self._path = path
        self._budget = budget
        self.handle = -1  # -1: not open; others may read it, never close it

    def read(self) -> bytes | None:
        """The content now; None when the task, group or device is gone."""
        if self.handle < 0:
            if self._budget.left <= 0:
                return read(self._path)
            try:
                self.handle = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                if error.errno in (23, 24):  # ENFILE, EMFILE: the limit is lower than it said
                    self._budget.left = 0
                return None
            self._budget.left -= 1
        try:
            data = os.pread(self.handle, _BYTES, 0)
            size = len(data)
            if size >= _PAGE_RECORDS:  # a file of many records comes a page at a time
                parts = [data]
                while data and size < _LIMIT:
                    data = os.pread(self.handle, _BYTES, size)
                    parts.append(data)
                    size += len(data)
                data = b"".join(parts)
        except OSError:
            self.close()
            return None
        return data or None

    def close(self) -> None:
        """Give the descriptor back."""
        if self.handle >= 0:
            os.close(self.handle)
            self.handle = -1
            self._budget.left += 1


def link(path: str) -> str:
    """Where a symbolic link points; empty when it cannot be read."""
    try:
        return os.readlink(path)
    except OSError:
        return ""
