"""The proof that no network was used: what this process opened and started since it began.

``watch`` sees every socket that Python makes and every program that it starts, through audit
events (Python, "Audit events table"), which no later code can take off. ``open_now`` asks the
kernel (proc_pid_fd(5), proc_pid_net(5)) and so sees the sockets of libraries, too.
"""

import contextlib
import datetime as dt
import os
import socket
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kataui.files import clean, count_text

_FAMILIES = (socket.AF_INET, socket.AF_INET6)
_LOOKUPS = frozenset(("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"))
_TABLES = ("tcp", "tcp6", "udp", "udp6", "udplite", "udplite6", "raw", "raw6", "icmp", "icmp6")
_INODE_COLUMN = 9


@dataclass(slots=True)
class _Seen:
    since: dt.datetime | None = None
    sockets: int = 0
    lookups: int = 0
    programs: Counter[str] = field(default_factory=Counter)


_seen = _Seen()


@dataclass(frozen=True, slots=True)
class Used:
    """What was used ``since`` (UTC); None when nobody watched.

    ``sockets`` are AF_INET and AF_INET6, ``lookups`` names that were looked up, ``open_now``
    sockets that the kernel knows at this moment (None where it does not tell), ``programs`` the
    other programs that were started, with how often: what those did is not seen from here.
    """

    since: dt.datetime | None
    sockets: int
    lookups: int
    open_now: int | None
    programs: Mapping[str, int]

    @property
    def nothing(self) -> bool:
        """Whether this process has used no network; other programs may have."""
        return self.since is not None and not (self.sockets or self.lookups or self.open_now)

    @property
    def sentence(self) -> str:
        """What is known, in one or two sentences."""
        if self.since is None:
            return "Nobody watched what network was used."
        when = self.since.isoformat(timespec="seconds")
        if self.nothing:
            said = f"No AF_INET or AF_INET6 socket in this process since its start ({when})."
        else:
            sockets = count_text(max(self.sockets, self.open_now or 0), "network socket")
            said = f"{sockets} in this process since its start ({when})."
        return f"{said} {self.started}"

    @property
    def started(self) -> str:
        """The other programs, in one sentence."""
        if not self.programs:
            return "No other program was started."
        named = (f"{clean(name)} {count}" for name, count in sorted(self.programs.items()))
        return f"Programs started: {', '.join(named)}."


def watch() -> None:
    """Begin to watch; a second call changes nothing."""
    if _seen.since is None:
        _seen.since = dt.datetime.now(dt.UTC)
        sys.addaudithook(_note)


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    """Called for every audit event: it must be quick, and never raise."""
    if event == "socket.__new__":
        if arguments[1] in _FAMILIES:
            _seen.sockets += 1
    elif event == "subprocess.Popen":
        _seen.programs[_name(arguments[0])] += 1
    elif event in _LOOKUPS:
        _seen.lookups += 1


def _name(executable: Any) -> str:
    try:
        return os.path.basename(os.fsdecode(executable))  # noqa: PTH119 - a name may be anything
    except TypeError:
        return "a program"


def used(proc: Path = Path("/proc/self")) -> Used:
    """What was used until now."""
    programs = dict(_seen.programs)
    return Used(_seen.since, _seen.sockets, _seen.lookups, _open_now(proc), programs)


def _open_now(proc: Path) -> int | None:
    """How many of this process's descriptors are sockets of the internet's families."""
    try:
        mine = set(_links(proc / "fd"))
        known = [inode for name in _TABLES for inode in _inodes(proc / "net" / name)]
    except OSError:
        return None
    return sum(f"socket:[{inode}]" in mine for inode in known)


def _links(folder: Path) -> Iterator[str]:
    for entry in os.scandir(folder):
        with contextlib.suppress(OSError):  # closed meanwhile, as that of scandir itself
            yield str(Path(entry.path).readlink())


def _inodes(table: Path) -> list[str]:
    if not table.exists():
        return []  # a kernel without IPv6 has no tables for it
    with table.open(encoding="ascii", errors="replace") as lines:
        next(lines, "")
        return [
            parts[_INODE_COLUMN] for line in lines if len(parts := line.split()) > _INODE_COLUMN
        ]
