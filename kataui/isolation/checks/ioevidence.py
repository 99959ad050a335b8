"""What the checks of the IO path share: drives of QEMU, disks of the host, use of threads."""

import json
from collections.abc import Iterable, Iterator, Mapping
from math import isnan

from kataui.isolation.checks.baseevidence import group_highest, group_total, wants_latency
from kataui.isolation.checks.check import Scene
from kataui.isolation.checks.evidence import device_options, runs_share, waits_share
from kataui.isolation.collector.commandline import value_of
from kataui.isolation.model import Disk, HostView, Process, Sandbox, Thread

_US = 1e-6
_SECTOR_BYTES = 512
_HEAVY_BYTES = 50e6  # a second
_HEAVY_REQUESTS = 1000.0
_STACKED = ("dm-", "md", "nbd", "drbd")


def drives(sandbox: Sandbox) -> Iterator[Mapping[str, str]]:
    """QEMU's drives at boot: the options of ``-drive`` and ``-blockdev``, nested ones dotted."""
    yield from device_options(sandbox, "-drive")
    yield from device_options(sandbox, "-blockdev")
    for before, argument in zip(sandbox.argv, sandbox.argv[1:], strict=False):
        if before == "-blockdev" and argument.startswith("{"):
            try:
                yield dict(_flat("", json.loads(argument)))
            except (ValueError, RecursionError):
                continue


def _flat(prefix: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(f"{prefix}.{name}" if prefix else str(name), inner)
    elif isinstance(value, bool):
        yield prefix, "on" if value else "off"
    else:
        yield prefix, str(value)


def file_servers(sandbox: Sandbox) -> tuple[Process, ...]:
    """Its virtiofsd processes; one that forks has two."""
    return tuple(process for process in sandbox.processes if process.part == "virtiofsd")


def server_option(sandbox: Sandbox, option: str) -> str:
    """An option of its virtiofsd; empty when it is not given."""
    found = (value_of(list(server.argv), option) for server in file_servers(sandbox))
    return next((value for value in found if value), "")


def physical_disks(view: HostView) -> tuple[Disk, ...]:
    """Whole disks of the host: what has a queue of its own, and is made of no other device."""
    return tuple(
        disk
        for disk in view.disks
        if not disk.name.startswith(_STACKED) and queue(view, disk, "scheduler") is not None
    )


def queue(view: HostView, disk: Disk, name: str) -> str | None:
    """A file of a disk's queue."""
    return view.fact(f"/sys/block/{disk.name}/queue/{name}")


def scheduler(view: HostView, disk: Disk) -> str:
    """The IO scheduler in use, the one in brackets."""
    text = queue(view, disk, "scheduler") or ""
    return text.partition("[")[2].partition("]")[0] or text


def load(scene: Scene, thread: Thread) -> float:
    """Running plus waiting, as a part of a CPU: at 1 a thread is used up. NaN: not measured."""
    return runs_share(scene, thread) + waits_share(scene, thread)


def wait_part(scene: Scene, threads: Iterable[Thread]) -> float:
    """Part of the time in which threads want to run that they wait; NaN if idle or unknown."""
    pairs = [(runs_share(scene, t), waits_share(scene, t)) for t in threads]
    known = [(run, wait) for run, wait in pairs if not isnan(run + wait)]
    busy = sum(run + wait for run, wait in known)
    return sum(wait for _, wait in known) / busy if busy >= 0.005 else float("nan")


def stall(scene: Scene, sandbox: Sandbox) -> float:
    """Part of the time in which somebody in its groups waits for IO; NaN: not measured."""
    return group_highest(scene.view, sandbox, scene.span.rate("group", "io_some_us") * _US)


def bytes_a_second(scene: Scene, sandbox: Sandbox) -> float:
    """What its groups read and wrote on disks; NaN: not measured."""
    rates = [scene.span.rate("group_memory", name) for name in ("read_bytes", "write_bytes")]
    return sum(group_total(scene.view, sandbox, rate) for rate in rates)


def is_heavy(scene: Scene, sandbox: Sandbox) -> bool | None:
    """Whether it uses disks much: 50 MB or 1000 requests a second; None: not measured."""
    rates = [scene.span.rate("group_memory", name) for name in ("read_ios", "write_ios")]
    requests = sum(group_total(scene.view, sandbox, rate) for rate in rates)
    moved = bytes_a_second(scene, sandbox)
    if isnan(moved) and isnan(requests):
        return None
    return moved >= _HEAVY_BYTES or requests >= _HEAVY_REQUESTS


def disk_bytes_a_second(scene: Scene) -> float:
    """What all disks of the host read and wrote; NaN: not measured."""
    sectors = [scene.span.rate("disk", name) for name in ("read_sectors", "write_sectors")]
    slots = [disk.slot for disk in physical_disks(scene.view)]
    found = [rate[slot] * _SECTOR_BYTES for rate in sectors for slot in slots if slot < len(rate)]
    known = [float(value) for value in found if not isnan(value)]
    return sum(known) if known else float("nan")


def any_latency(view: HostView) -> bool:
    """Whether some sandbox was given CPUs or guarantees."""
    return any(wants_latency(sandbox) for sandbox in view.sandboxes)
