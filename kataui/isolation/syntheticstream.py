"""The stream of a made-up host, without files: what the collector would send, made faster."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kataui import __version__
from kataui.isolation.collector import commandline, pods, procfs
from kataui.isolation.collector import stream as wire
from kataui.isolation.collector.cgroups import shown_folders
from kataui.isolation.collector.entities import Entities
from kataui.isolation.collector.tables import (
    BY_NAME,
    CGROUP,
    CPU,
    DISK,
    HOST,
    MISSING,
    NIC,
    PROCESS,
    SANDBOX,
    TABLES,
    THREAD,
)
from kataui.isolation.model import Role
from kataui.isolation.store import Marker
from kataui.isolation.syntheticgrouptexts import group_row, memory_row
from kataui.isolation.synthetichost import Host
from kataui.isolation.synthetichosttexts import cpu_row, disk_row, host_row, softirq_row
from kataui.isolation.syntheticmachine import evidence
from kataui.isolation.syntheticparts import PAGE_BYTES, TICKS_PER_SECOND, Link, Load, Process, Task
from kataui.isolation.synthetictasktexts import cgroup, cpu_list, status

NOTE = "Made by a generator (kataui.isolation.synthetic): nothing in it was measured."
_SEGMENT_S = 60.0
