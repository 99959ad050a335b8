"""Checks of block devices of a sandbox: how QEMU does IO, IO threads, limits (IO-07..14)."""

from collections.abc import Callable, Iterator
from math import isnan
from typing import Any

from kataui.isolation.checks import kata
from kataui.isolation.checks.baseevidence import (
    as_answer,
    change,
    kinds,
    obeys,
    pod_group,
    told,
    unreadable,
)
from kataui.isolation.checks.check import (
    Answer,
    Check,
    Level,
    Path,
    Scene,
    fails,
    passes,
    unknown,
    warns,
)
from kataui.isolation.checks.evidence import (
    device_options,
    exclusive_cpus,
    last_cpu,
    limits_above,
    list_text,
    percent,
    runs_share,
)
from kataui.isolation.checks.ioevidence import drives, is_heavy, load, physical_disks, wait_part
from kataui.isolation.collector.commandline import QEMU
from kataui.isolation.model import HostView, Role, Sandbox
from kataui.kata import configuration

_LIMITS = ("disk_rate_limiter_bw_max_rate", "disk_rate_limiter_ops_max_rate")
_IO_URING = "io_uring"
_EXAMPLE = 100_000_000  # bytes a second: a number to start from


def _seen(
    scene: Scene,
    at_boot: Callable[[Sandbox], Answer | None],
    configured: Callable[[HostView, Sandbox, str], Answer],
) -> Iterator[Answer]:
    """The drives at boot of each QEMU, and what the configuration says for those added later."""
    for kind in kinds(scene.view):
        if obeys(kind.first, "block_device_cache_direct"):
            for sandbox in kind.sandboxes:
                answer = at_boot(sandbox)
                if answer is not None:
                    yield answer
            yield unreadable(scene.view, kind) or configured(scene.view, kind.first, kind.subject)


def _way_of_io(scene: Scene) -> Iterator[Answer]:
    """IO-07: how QEMU hands requests to the kernel."""
    view = scene.view
    for kind in kinds(view):
        if not obeys(kind.first, "block_device_aio"):
            continue
        for sandbox in kind.sandboxes:
            ways = {drive["aio"] for drive in drives(sandbox) if "aio" in drive}
            if "threads" in ways:
                fix = change(view, sandbox, "block_device_aio", _IO_URING)
                yield warns(sandbox.name, "A drive does its IO with a pool of threads.", **fix)
            elif ways:
                yield passes(sandbox.name)
        missing = unreadable(view, kind)
        way = told(view, kind.first, "block_device_aio", _IO_URING)
        disabled = view.number("/proc/sys/kernel/io_uring_disabled") or 0
        if missing:
            yield missing
        elif way == "threads":
            fix = change(view, kind.first, "block_device_aio", _IO_URING)
            yield warns(kind.subject, "New volumes do their IO with a pool of threads.", **fix)
        elif way == _IO_URING and disabled:
            yield warns(
                kind.subject,
                f"Volumes shall use io_uring, which kernel.io_uring_disabled={disabled} forbids"
                f" {'to all' if disabled == 2 else 'to most'}.",
                fix="sysctl kernel.io_uring_disabled=0",
                undo=f"sysctl kernel.io_uring_disabled={disabled}",
            )
        else:
            yield passes(kind.subject)


def _native(scene: Scene) -> Iterator[Answer]:
    """IO-08: native IO needs the page cache to be left out."""

    def at_boot(sandbox: Sandbox) -> Answer | None:
        native = [drive for drive in drives(sandbox) if drive.get("aio") == "native"]
        if not native:
            return None
        if all(_is_direct(drive) for drive in native):
            return passes(sandbox.name)
        text = "A drive uses aio=native without cache.direct=on."
        return fails(sandbox.name, text, **_direct(scene.view, sandbox))

    def configured(view: HostView, sandbox: Sandbox, subject: str) -> Answer:
        native = told(view, sandbox, "block_device_aio") == "native"
        if not native or _is_set_direct(view, sandbox):
            return passes(subject)
        text = "block_device_aio is native, but block_device_cache_direct is off."
        return fails(subject, text, **_direct(view, sandbox))

    if any(sandbox.hypervisor == QEMU for sandbox in scene.view.sandboxes):
        yield from _seen(scene, at_boot, configured)


def _direct_io(scene: Scene) -> Iterator[Answer]:
    """IO-09: whether volumes go around the host's page cache."""
    shared = len(scene.view.sandboxes) > 1

    def at_boot(sandbox: Sandbox) -> Answer | None:
        found = [d for d in drives(sandbox) if not _is_read_only(d)]
        if not found:
            return None
        if all(_is_direct(drive) for drive in found) or not shared:
            return passes(sandbox.name)
        text = "A drive goes through the host's page cache."
        return warns(sandbox.name, text, **_direct(scene.view, sandbox))

    def configured(view: HostView, sandbox: Sandbox, subject: str) -> Answer:
        if _is_set_direct(view, sandbox) or not shared:
            return passes(subject)
        text = "Volumes go through the host's page cache, which all share."
        return warns(subject, text, **_direct(view, sandbox))

    yield from _seen(scene, at_boot, configured)


def _flushes(scene: Scene) -> Iterator[Answer]:
    """IO-10: whether a guest's "write it now" is obeyed."""

    def at_boot(sandbox: Sandbox) -> Answer | None:
        found = [drive for drive in drives(sandbox) if not _is_read_only(drive)]
        if not found:
            return None
        if any(drive.get("cache.no-flush") == "on" for drive in found):
            return fails(sandbox.name, "A drive ignores flushes: cache.no-flush=on.")
        return passes(sandbox.name)

    def configured(view: HostView, sandbox: Sandbox, subject: str) -> Answer:
        if told(view, sandbox, "block_device_cache_noflush") is True:
            drop_in = kata.drop_in(view, sandbox, "block_device_cache_noflush", value=False)
            text = "Volumes ignore flushes: block_device_cache_noflush is on."
            return fails(subject, text, **as_answer(drop_in))
        return passes(subject)

    yield from _seen(scene, at_boot, configured)


def _is_direct(drive: Any) -> bool:
    return drive.get("cache.direct") == "on" or drive.get("cache") in ("none", "directsync")


def _is_read_only(drive: Any) -> bool:
    return "on" in (drive.get("readonly"), drive.get("read-only"))


def _is_set_direct(view: HostView, sandbox: Sandbox) -> bool:
    keys = ("block_device_cache_set", "block_device_cache_direct")
    return all(told(view, sandbox, key) is True for key in keys)


def _direct(view: HostView, sandbox: Sandbox) -> dict[str, str]:
    """Both keys are needed: one says that the other counts."""
    if not obeys(sandbox, "block_device_cache_direct"):
        return {}
    section = configuration.section_of(sandbox.hypervisor, sandbox.runtime)
    keys = ("block_device_cache_set", "block_device_cache_direct")
    changes = [(section, key, True) for key in keys]
    return as_answer(configuration.drop_in(kata.of_sandbox(view, sandbox), changes))


def _io_threads(scene: Scene) -> Iterator[Answer]:
    """IO-11: whether QEMU has a thread for disks."""
    for sandbox in scene.view.sandboxes:
        if sandbox.hypervisor != QEMU or not sandbox.argv:
            continue
        objects = {given.get("") for given in device_options(sandbox, "-object")}
        heavy = is_heavy(scene, sandbox)
        if "iothread" in objects or sandbox.of_role(Role.IOTHREAD):
            yield passes(sandbox.name)
        elif heavy is None:
            text = "It has no IO thread; how much it uses disks was not readable."
            yield unknown(sandbox.name, text)
        elif heavy:
            text = "It uses disks much, and QEMU's main loop does all the work."
            fix = change(scene.view, sandbox, "enable_iothreads", value=True)
            yield warns(sandbox.name, text, **fix)
        else:
            yield passes(sandbox.name, "It uses disks little.")


def _io_thread_waits(scene: Scene) -> Iterator[Answer]:
    """IO-12: whether IO threads get the CPU they need."""
    for sandbox in scene.view.sandboxes:
        threads = sandbox.of_role(Role.IOTHREAD)
        if not threads:
            continue
        loads = [value for t in threads if not isnan(value := load(scene, t))]
        if not loads:
            yield unknown(sandbox.name, "How busy its IO threads are was not measured yet.")
            continue
        share = wait_part(scene, threads)
        text = f"An IO thread is busy {percent(max(loads))} of the time"
        text += "." if isnan(share) else f"; they wait {percent(share)} of their time for a CPU."
        if max(loads) >= 0.95 or share >= 0.10:
            yield fails(sandbox.name, text)
        elif max(loads) >= 0.70 or share >= 0.02:
            yield warns(sandbox.name, text)
        else:
            yield passes(sandbox.name, text)


def _io_thread_places(scene: Scene) -> Iterator[Answer]:
    """IO-13: IO threads on CPUs that belong to others."""
    exclusive = exclusive_cpus(scene.view)
    for sandbox in scene.view.sandboxes:
        foreign = {cpu for cpu, owner in exclusive.items() if owner.key != sandbox.key}
        allowed, used = set[int](), set[int]()
        for thread in sandbox.of_role(Role.IOTHREAD):
            allowed |= foreign & set(thread.cpus)
            cpu = last_cpu(scene, thread)
            if cpu in foreign and runs_share(scene, thread) > 0:
                used.add(cpu)
        owners = sorted({exclusive[cpu].name for cpu in used or allowed})
        if used:
            text = f"Its IO threads ran on CPU {list_text(used)} of {', '.join(owners)}."
            yield fails(sandbox.name, text)
        elif allowed:
            text = f"Its IO threads may run on CPU {list_text(allowed)} of {', '.join(owners)}."
            yield warns(sandbox.name, text)
        elif sandbox.of_role(Role.IOTHREAD):
            yield passes(sandbox.name)


def _disk_limits(scene: Scene) -> Iterator[Answer]:
    """IO-14: whether something keeps one guest from taking the whole disk."""
    view = scene.view
    for kind in kinds(view):
        readable = unreadable(view, kind) is None
        keys = [key for key in _LIMITS if _is_positive(told(view, kind.first, key))]
        works = obeys(kind.first, "disk_rate_limiter_bw_max_rate")
        if keys and not works:
            text = f"{', '.join(keys)} has no effect for {kind.subject}."
            yield fails(kind.subject, text)
        for sandbox in kind.sandboxes:
            limits = limits_above(view, sandbox.group, "io", "io.max")
            v1 = limits_above(view, sandbox.group, "blkio", "blkio.throttle.write_bps_device")
            if any(limits.values()) or any(v1.values()) or (keys and works):
                yield passes(sandbox.name)
            elif (works and not readable) or not (view.root or limits or v1):
                text = "Whether its disk use is limited was not readable; this needs root."
                yield unknown(sandbox.name, text)
            else:
                text = "Nothing limits how much it uses disks."
                yield warns(sandbox.name, text, **_io_max(view, sandbox))


def _io_max(view: HostView, sandbox: Sandbox) -> dict[str, str]:
    """A limit for the pod's group on the first disk (cgroup-v2.rst, io.max)."""
    found, disks = view.cgroups.get(sandbox.group), physical_disks(view)
    unified = found.folders.get("", "") if found else ""
    if not disks or not unified or unified.startswith("/sys/fs/cgroup/unified/"):
        return {}  # cgroup v1 has no such file
    path = unified.removesuffix(sandbox.group) + pod_group(sandbox) + "/io.max"
    limit = f"{disks[0].number} rbps={_EXAMPLE} wbps={_EXAMPLE}"
    back = f"{disks[0].number} rbps=max wbps=max"
    return {"fix": f"echo '{limit}' > {path}", "undo": f"echo '{back}' > {path}"}


def _is_positive(value: Any) -> bool:
    return isinstance(value, int) and value > 0


CHECKS: tuple[Check, ...] = (
    Check(
        id="IO-07",
        path=Path.IO,
        title="QEMU's IO does not need a pool of threads",
        level=Level.ROOT,
        why="The threads of the pool come and go, and run wherever they may.",
        look=_way_of_io,
        fix="Set block_device_aio to io_uring in QEMU's section of Kata's configuration.",
        undo="Set it back.",
    ),
    Check(
        id="IO-08",
        path=Path.IO,
        title="Native IO goes around the page cache",
        level=Level.ROOT,
        why="Through the page cache, native IO blocks the thread that hands it in.",
        look=_native,
        fix="Use cache.direct=on, or io_uring.",
        undo="Set it back.",
    ),
    Check(
        id="IO-09",
        path=Path.IO,
        title="Volumes go around the host's page cache",
        level=Level.ROOT,
        why="Otherwise data is cached twice, pushes out what others use, and is written later at"
        " the cost of others.",
        look=_direct_io,
        fix="Use cache.direct=on.",
        undo="Set it back.",
        confidential="on for encrypted block volumes.",
    ),
    Check(
        id="IO-10",
        path=Path.IO,
        title="Flushes are obeyed",
        level=Level.ROOT,
        why="A guest that was told its data is safe loses it when the host stops.",
        look=_flushes,
        fix="Take block_device_cache_noflush out of Kata's configuration.",
        undo="Put it back.",
    ),
    Check(
        id="IO-11",
        path=Path.IO,
        title="Disks have a thread of their own in QEMU",
        level=Level.USER,
        why="In the main loop, disk work delays network and control.",
        look=_io_threads,
        fix="Use a configuration with enable_iothreads for these pods.",
        undo="Use the configuration from before.",
    ),
    Check(
        id="IO-12",
        path=Path.IO,
        title="IO threads get their CPU",
        level=Level.USER,
        why="What an IO thread waits for a CPU is added to every request.",
        look=_io_thread_waits,
        fix="Give the pod one CPU more than it has vCPUs. (indep_iothreads adds threads, but the"
        " Go runtime uses only the first for volumes that come later.)",
        undo="Set the pod's CPUs back.",
    ),
    Check(
        id="IO-13",
        path=Path.IO,
        title="IO threads keep off the CPUs of others",
        level=Level.USER,
        why="One tenant's disk work takes time that another one paid for.",
        look=_io_thread_places,
        fix="echo <other CPUs> > /sys/fs/cgroup/<group of the IO threads>/cpuset.cpus",
        undo="Write the value from before back.",
    ),
    Check(
        id="IO-14",
        path=Path.IO,
        title="No guest can take the whole disk",
        level=Level.ROOT,
        why="Without a limit one guest can use all that a disk gives. Kata's keys for that are"
        " ignored for QEMU.",
        look=_disk_limits,
        fix="echo '<major:minor> rbps=100000000 wbps=100000000' > /sys/fs/cgroup/<pod>/io.max",
        undo="echo '<major:minor> rbps=max wbps=max' > /sys/fs/cgroup/<pod>/io.max",
    ),
)
