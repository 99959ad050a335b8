"""Checks of shared files: virtio-fs, its daemon, and dirty pages (IO-01..06)."""

from collections.abc import Iterator
from math import isnan

from kataui.isolation.checks import kata
from kataui.isolation.checks.baseevidence import (
    as_answer,
    change,
    group_total,
    has_cpu_limit,
    kinds,
    obeys,
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
    notes,
    passes,
    unknown,
    warns,
)
from kataui.isolation.checks.evidence import (
    NBSP,
    device_options,
    graded,
    limits_above,
    percent,
    runs_share,
)
from kataui.isolation.checks.ioevidence import file_servers, load, server_option
from kataui.isolation.collector.commandline import DRAGONBALL, GO
from kataui.isolation.model import HostView, Role, Sandbox
from kataui.isolation.span import at
from kataui.kata.configuration import DropIn

_BUSY = 0.10
_POOL = 4
_USUAL_CACHE = "auto"
_MIB = 1 << 20


def _transport(scene: Scene) -> Iterator[Answer]:
    """IO-01: whether the sandbox's files go through a file server on the host."""
    view = scene.view
    for sandbox in view.sandboxes:
        if not file_servers(sandbox):
            if sandbox.argv or sandbox.hypervisor == DRAGONBALL:
                yield passes(sandbox.name, "No file server runs for it.")
            continue
        shares = [runs_share(scene, t) for t in sandbox.of_role(Role.VIRTIOFSD)]
        busy = sum(share for share in shares if not isnan(share))
        fix: dict[str, str] = {}
        unused = told(view, sandbox, "disable_block_device_use", sandbox.runtime == GO)
        if unused is True:
            fix = change(view, sandbox, "disable_block_device_use", value=False)
        if busy >= _BUSY:
            text = f"virtiofsd uses {percent(busy)} of a CPU: its files are worked hard."
            yield warns(sandbox.name, text, **fix)
        else:
            yield notes(sandbox.name, "Its files go through virtiofsd.", **fix)


def _caching(scene: Scene) -> Iterator[Answer]:
    """IO-02: what the guest may keep of shared files."""
    for sandbox in scene.view.sandboxes:
        if not file_servers(sandbox):
            continue
        cache = server_option(sandbox, "--cache") or _USUAL_CACHE
        fix = change(scene.view, sandbox, "virtio_fs_cache", _USUAL_CACHE)
        if cache == "always":
            text = "virtiofsd lets the guest cache always: changes by other writers are not seen."
            yield warns(sandbox.name, text, **fix)
        elif cache in ("never", "none"):
            text = "virtiofsd lets the guest cache nothing: every look at a file asks the host."
            yield warns(sandbox.name, text, **fix)
        else:
            yield passes(sandbox.name, f"The cache mode is {cache}.")


def _direct_access(scene: Scene) -> Iterator[Answer]:
    """IO-03: the guest's window onto the host's page cache (DAX)."""
    for sandbox in scene.view.sandboxes:
        devices = [
            device
            for device in device_options(sandbox, "-device")
            if device.get("", "").startswith("vhost-user-fs")
        ]
        given = (device.get("cache-size", "") for device in devices)
        sizes = [size for size in given if size.strip("0KMG")]
        if sizes:
            text = f"The guest maps {', '.join(sizes)} of the host's page cache."
            fix = change(scene.view, sandbox, "virtio_fs_cache_size", 0)
            yield warns(sandbox.name, text, **fix)
        elif devices:
            yield passes(sandbox.name, "The guest maps nothing of the host's page cache.")
    for kind in kinds(scene.view):
        if kind.first.hypervisor == DRAGONBALL:
            yield unreadable(scene.view, kind) or _window(scene.view, kind.subject, kind.first)


def _window(view: HostView, subject: str, sandbox: Sandbox) -> Answer:
    """Dragonball has no command line: what its configuration says."""
    size = told(view, sandbox, "virtio_fs_cache_size", 0)
    if isinstance(size, int) and size > 0:
        text = f"The guest maps {size}{NBSP}MiB of the host's page cache."
        return warns(subject, text, **change(view, sandbox, "virtio_fs_cache_size", 0))
    return passes(subject)


def _worker(scene: Scene) -> Iterator[Answer]:
    """IO-04: whether a thread of virtiofsd is used up."""
    for sandbox in scene.view.sandboxes:
        threads = sandbox.of_role(Role.VIRTIOFSD)
        if not threads:
            continue
        known = [value for t in threads if not isnan(value := load(scene, t))]
        if not known:
            yield unknown(sandbox.name, "How busy virtiofsd is was not measured yet.")
            continue
        pool = server_option(sandbox, "--thread-pool-size") or "1"
        text = f"A thread of virtiofsd is busy {percent(max(known))} of the time (pool: {pool})."
        answer = graded(sandbox.name, max(known), 0.70, 0.95, text)
        if answer.severity is None or not obeys(sandbox, "virtio_fs_extra_args"):
            yield answer
        else:
            verdict = fails if max(known) >= 0.95 else warns
            yield verdict(sandbox.name, text, **as_answer(_more_threads(scene.view, sandbox)))


def _more_threads(view: HostView, sandbox: Sandbox) -> DropIn:
    """Four threads; the other arguments stay."""
    base = kata.drop_in(view, sandbox, "virtio_fs_extra_args", "")
    given = told(view, sandbox, "virtio_fs_extra_args")
    given = given if isinstance(given, list) else ["--announce-submounts"]
    kept = [str(a) for a in given if not str(a).startswith("--thread-pool-size")]
    words = ", ".join(f'"{word}"' for word in (f"--thread-pool-size={_POOL}", *kept))
    return DropIn(base.path, base.text.replace(' = ""', f" = [{words}]"))


def _escaped(scene: Scene) -> Iterator[Answer]:
    """IO-05: a file server without a limit while its pod has one."""
    view = scene.view
    for sandbox in view.sandboxes:
        groups = sorted({thread.group for thread in sandbox.of_role(Role.VIRTIOFSD)})
        if not groups:
            continue
        free = [
            what
            for what, test in (("CPU", has_cpu_limit), ("memory", _has_memory_limit))
            if test(view, sandbox.group) and not all(test(view, group) for group in groups)
        ]
        if free:
            text = f"virtiofsd in {', '.join(groups)} has no limit of {' and '.join(free)};"
            fix = change(view, sandbox, "sandbox_cgroup_only", value=True)
            yield fails(sandbox.name, f"{text} its pod has.", **fix)
        else:
            yield passes(sandbox.name)


def _has_memory_limit(view: HostView, group: str) -> bool:
    limits = limits_above(view, group, "memory", "memory.max").values()
    return any(text.isdigit() for text in limits)


def _dirty(scene: Scene) -> Iterator[Answer]:
    """IO-06: how much of what may be unwritten on this host is one sandbox's."""
    view = scene.view
    page = int(view.head.get("page_bytes") or 4096)
    threshold = at(scene.span.now("host", "dirty_threshold_pages"), 0) * page
    columns = [scene.span.now("group_memory", n) for n in ("file_dirty", "file_writeback")]
    for sandbox in view.sandboxes:
        dirty = sum(group_total(view, sandbox, values) for values in columns)
        if isnan(dirty) or not threshold > 0:
            yield unknown(
                sandbox.name, "It has no control group of its own, or memory.stat was not readable."
            )
            continue
        text = f"{dirty / _MIB:.0f}{NBSP}MiB of its data are not on disk yet:"
        text += f" {percent(dirty / threshold)} of what this host allows for all."
        before = view.fact("/proc/sys/vm/dirty_bytes") or "0"
        ratio = view.fact("/proc/sys/vm/dirty_ratio") or "20"
        back = f"dirty_bytes={before}" if before != "0" else f"dirty_ratio={ratio}"
        answer = graded(sandbox.name, dirty / threshold, 0.25, 0.50, text)
        if answer.severity is None:
            yield answer
        else:
            verdict = fails if dirty >= threshold / 2 else warns
            yield verdict(sandbox.name, text, undo=f"sysctl vm.{back}")


CHECKS: tuple[Check, ...] = (
    Check(
        id="IO-01",
        path=Path.IO,
        title="Busy files are on block devices",
        level=Level.USER,
        why="virtio-fs is one more process on the host, with the host's page cache and often"
        " outside the pod's limits.",
        look=_transport,
        fix="Use a snapshotter that gives block devices (devmapper, erofs, blockfile), and block"
        " volumes for databases.",
        undo="Use the snapshotter from before.",
        confidential="shared files are not possible: block devices, or images pulled in the guest.",
    ),
    Check(
        id="IO-02",
        path=Path.IO,
        title="The cache of shared files fits",
        level=Level.USER,
        why="No cache loads the host with small questions; a cache that never asks shows old data.",
        look=_caching,
        fix="Set virtiofsd's --cache to auto.",
        undo="Set it back.",
    ),
    Check(
        id="IO-03",
        path=Path.IO,
        title="Guests do not map the host's page cache",
        level=Level.USER,
        why="Mapped pages are shared with others, and one guest can push out what others use.",
        look=_direct_access,
        fix="Set the size of the DAX window to 0, unless memory matters more than isolation.",
        undo="Set it back.",
        confidential="not possible with private memory.",
    ),
    Check(
        id="IO-04",
        path=Path.IO,
        title="virtiofsd keeps up",
        level=Level.USER,
        why="By default one thread does all work for shared files; what waits for it stands still.",
        look=_worker,
        fix="Give virtiofsd more threads (--thread-pool-size), or use block volumes.",
        undo="Set the number of threads back.",
    ),
    Check(
        id="IO-05",
        path=Path.IO,
        title="virtiofsd is held by the pod's limits",
        level=Level.USER,
        why="What virtiofsd does for the guest escapes the pod's limits.",
        look=_escaped,
        fix="echo '100000 100000' > /sys/fs/cgroup/kata_overhead/cpu.max    # and memory.max",
        undo="echo max > /sys/fs/cgroup/kata_overhead/cpu.max",
    ),
    Check(
        id="IO-06",
        path=Path.IO,
        title="No sandbox fills the host with unwritten data",
        level=Level.USER,
        why="At the limit of dirty pages the kernel stops everybody who writes.",
        look=_dirty,
        fix="sysctl vm.dirty_bytes=268435456    # and memory.high for the pod, or direct IO",
        undo="sysctl vm.dirty_ratio=20",
    ),
)
