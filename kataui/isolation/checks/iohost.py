"""Checks of the host's disks: the io controller, schedulers, contention (IO-15..23)."""

import re
from collections.abc import Iterator
from math import isnan

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
from kataui.isolation.checks.evidence import NBSP, exclusive_cpus, graded, list_text, percent
from kataui.isolation.checks.ioevidence import (
    bytes_a_second,
    disk_bytes_a_second,
    physical_disks,
    queue,
    scheduler,
    stall,
)
from kataui.isolation.collector import procfs
from kataui.isolation.span import at

_US = 1e-6
_ROOTS = ("/sys/fs/cgroup/", "/sys/fs/cgroup/unified/")
_NVME_QUEUE = re.compile(r"^\s*(\d+):.*\s(nvme\d+q[1-9]\d*)\s*$", re.MULTILINE)
_MANAGED = re.compile(r"\bisolcpus=(?:\w+,)*managed_irq,((?:\w+,)*)([\d,-]+)")
_USUAL_MS = {"1": 75.0, "0": 2.0}  # the kernel's own target (block/blk-wbt.c), by "rotational"


def _controller(scene: Scene) -> Iterator[Answer]:
    """IO-15: whether the kernel counts and limits IO by control group."""
    view = scene.view
    if not view.sandboxes:
        return
    folders = [group.folders for group in view.cgroups.values()]
    if any(folder.get("blkio") and folder["blkio"] != folder.get("") for folder in folders):
        yield passes(view.name, "cgroup v1 has it (blkio).")
        return
    state = [view.fact(f"{root}cgroup.subtree_control") for root in _ROOTS]
    found = next((text for text in state if text is not None), None)
    if found is None:
        yield unknown(view.name, "cgroup.subtree_control was not readable.")
        return
    if "io" not in found.split():
        yield fails(view.name, "The io controller is off for all groups of this host.")
        return
    for sandbox in view.sandboxes:
        if view.group_fact(sandbox.group, "", "cpu.max") is None:
            yield unknown(sandbox.name, "The files of its control group were not readable.")
        elif view.group_fact(sandbox.group, "", "io.max") is None:
            text = f"The io controller is off in {sandbox.group}: nothing limits or counts its IO."
            yield fails(sandbox.name, text)
        else:
            yield passes(sandbox.name)


def _fairness(scene: Scene) -> Iterator[Answer]:
    """IO-16: whether something shares a disk out when several want it."""
    view = scene.view
    if len(view.sandboxes) < 2:
        return
    costs = [view.fact(f"{root}io.cost.qos") for root in _ROOTS]
    qos = next((text for text in costs if text is not None), None)
    targets = " ".join(view.matching("/sys/fs/cgroup/", "/io.latency").values()).split()
    for disk in physical_disks(view):
        weighted = any(
            line.split()[0] == disk.number and "enable=1" in line
            for line in (qos or "").splitlines()
            if line
        )
        if weighted or disk.number in targets or scheduler(view, disk) == "bfq":
            yield passes(disk.name)
        elif qos is None and not view.root:
            yield unknown(disk.name, "Whether iocost is on (io.cost.qos) needs root.")
        else:
            on, off = (f"echo '{disk.number} enable={n}' > {_ROOTS[0]}io.cost.qos" for n in (1, 0))
            text = f"Nothing shares {disk.name} out among sandboxes."
            known = qos is not None  # a kernel with iocost
            yield warns(disk.name, text, fix=on if known else "", undo=off if known else "")


def _schedulers(scene: Scene) -> Iterator[Answer]:
    """IO-17: whether the scheduler fits the disk."""
    view = scene.view
    for disk in physical_disks(view):
        name = scheduler(view, disk)
        path = f"/sys/block/{disk.name}/queue/scheduler"
        wanted = ""
        if disk.name.startswith("nvme") and name == "bfq":
            wanted = "none"
        elif queue(view, disk, "rotational") == "1" and name in ("none", "kyber"):
            wanted = "mq-deadline"
        if wanted:
            fix = f"echo {wanted} > {path}    # and a udev rule"
            text = f"The scheduler {name} does not fit this disk."
            yield warns(disk.name, text, fix=fix, undo=f"echo {name} > {path}")
        else:
            yield passes(disk.name, f"The scheduler is {name}.")


def _background(scene: Scene) -> Iterator[Answer]:
    """IO-18: whether writing in the background gives way to reading."""
    view = scene.view
    writing = at(scene.span.now("host", "writeback_pages"), 0)
    for disk in physical_disks(view):
        target = queue(view, disk, "wbt_lat_usec")
        if target is None or scheduler(view, disk) == "bfq":  # bfq does it itself
            continue
        writes = at(scene.span.delta("disk", "writes"), disk.slot)
        if target == "0" and writing > 0 and writes > 0:
            path = f"/sys/block/{disk.name}/queue/wbt_lat_usec"
            text = "Writeback is not throttled (wbt_lat_usec is 0), and data is written back now."
            yield warns(disk.name, text, fix=f"echo -1 > {path}", undo=f"echo 0 > {path}")
        else:
            yield passes(disk.name)


def _latency(scene: Scene) -> Iterator[Answer]:
    """IO-19: how long requests take, against the kernel's target for such a disk."""
    view = scene.view
    for disk in physical_disks(view):
        counts = [at(scene.span.delta("disk", name), disk.slot) for name in ("reads", "writes")]
        times = [at(scene.span.delta("disk", name), disk.slot) for name in ("read_ms", "write_ms")]
        if isnan(sum(counts) + sum(times)):
            yield unknown(disk.name, "How long its requests take was not measured yet.")
            continue
        if not sum(counts):
            yield passes(disk.name, "It is idle.")
            continue
        usual = _USUAL_MS.get(queue(view, disk, "rotational") or "", _USUAL_MS["0"])
        mean = sum(times) / sum(counts)
        waiting = at(scene.span.rate("disk", "weighted_ms"), disk.slot) / 1000
        text = f"A request takes {mean:.1f}{NBSP}ms; the kernel's target for such a disk is"
        text += f" {usual:.0f}{NBSP}ms. {waiting:.1f} requests are under way."
        yield graded(disk.name, mean / usual, 2.0, 5.0, text)


def _stalls(scene: Scene) -> Iterator[Answer]:
    """IO-20: the time in which somebody waits for IO."""
    view = scene.view
    for sandbox in view.sandboxes:
        share = stall(scene, sandbox)
        if isnan(share):
            yield unknown(
                sandbox.name, "It has no control group of its own, or io.pressure was not readable."
            )
        else:
            text = f"It waits for IO {percent(share)} of the time."
            yield graded(sandbox.name, share, 0.01, 0.10, text)
    share = at(scene.span.rate("host", "io_some_us"), 0) * _US
    if isnan(share):
        yield unknown(view.name, "/proc/pressure/io was not readable.")
    else:
        text = f"Something on this host waits for IO {percent(share)} of the time."
        yield graded(view.name, share, 0.01, 0.10, text)


def _takers(scene: Scene) -> Iterator[Answer]:
    """IO-21: one that moves most of the data while others wait for IO."""
    view = scene.view
    total = disk_bytes_a_second(scene)
    if len(view.sandboxes) < 2 or total == 0:
        return
    stalls = {s.key: stall(scene, s) for s in view.sandboxes}
    for sandbox in view.sandboxes:
        moved = bytes_a_second(scene, sandbox)
        if isnan(moved) or isnan(total):
            yield unknown(sandbox.name, "Its share of the disks' work was not readable (io.stat).")
            continue
        hurt = [o.name for o in view.sandboxes if o.key != sandbox.key and stalls[o.key] >= 0.01]
        share = min(1.0, moved / total)
        if share > 0.6 and hurt:
            text = f"It moves {percent(share)} of the bytes of all disks while {hurt[0]} waits."
            yield warns(sandbox.name, text)
        else:
            yield passes(sandbox.name)


def _interrupts(scene: Scene) -> Iterator[Answer]:
    """IO-22: interrupts of NVMe queues on CPUs that belong to one sandbox."""
    view = scene.view
    exclusive = set(exclusive_cpus(view))
    text = view.fact("/proc/interrupts")
    if not exclusive:
        return
    if text is None:
        yield unknown(view.name, "/proc/interrupts was not readable.")
        return
    managed = _MANAGED.search(view.fact("/proc/cmdline") or "")
    spared = set(procfs.cpu_list(managed.group(2))) if managed else set()
    hit: dict[int, str] = {}
    for number, name in _NVME_QUEUE.findall(text):
        places = view.fact(f"/proc/irq/{number}/effective_affinity_list") or ""
        for cpu in (exclusive - spared) & set(procfs.cpu_list(places)):
            hit[cpu] = name
    if hit:
        cpus = list_text(exclusive)
        message = f"Interrupts of {', '.join(sorted(set(hit.values())))} arrive on CPU"
        fix = f"Boot with isolcpus=managed_irq,domain,{cpus}"
        yield warns(view.name, f"{message} {list_text(hit)}.", fix=fix, undo="Boot without it.")
    else:
        yield passes(view.name)


def _completion(scene: Scene) -> Iterator[Answer]:
    """IO-23: where the end of a request is worked on."""
    view = scene.view
    if not exclusive_cpus(view):
        return
    for disk in physical_disks(view):
        state = queue(view, disk, "rq_affinity")
        path = f"/sys/block/{disk.name}/queue/rq_affinity"
        if state is None:
            yield unknown(disk.name, "rq_affinity was not readable.")
        elif state == "2":
            yield passes(disk.name)
        else:
            text = f"Requests may end on another CPU than they began (rq_affinity is {state})."
            yield notes(disk.name, text, fix=f"echo 2 > {path}", undo=f"echo {state} > {path}")


CHECKS: tuple[Check, ...] = (
    Check(
        id="IO-15",
        path=Path.IO,
        title="IO is counted and limited by control group",
        level=Level.USER,
        why="Without the io controller there is no limit, no weight and no count of IO.",
        look=_controller,
        fix="echo +io > /sys/fs/cgroup/cgroup.subtree_control    # and down to the pods;"
        " systemd: IOAccounting=yes",
        undo="echo -io > /sys/fs/cgroup/cgroup.subtree_control",
    ),
    Check(
        id="IO-16",
        path=Path.IO,
        title="Disks are shared out fairly",
        level=Level.ROOT,
        why="Weights let everybody use an idle disk, and keep the shares when it is busy.",
        look=_fairness,
        fix="Use the scheduler bfq with io.bfq.weight, or a kernel with iocost.",
        undo="Use the scheduler from before.",
    ),
    Check(
        id="IO-17",
        path=Path.IO,
        title="The IO scheduler fits the disk",
        level=Level.USER,
        why="A scheduler costs CPU time on quick disks, and brings order to slow ones.",
        look=_schedulers,
        fix="echo <none or mq-deadline> > /sys/block/<disk>/queue/scheduler",
        undo="Write the scheduler from before back.",
    ),
    Check(
        id="IO-18",
        path=Path.IO,
        title="Reading goes before writing in the background",
        level=Level.USER,
        why="Otherwise a flood of old data to write holds up those who wait for data to read.",
        look=_background,
        fix="echo -1 > /sys/block/<disk>/queue/wbt_lat_usec",
        undo="echo 0 > /sys/block/<disk>/queue/wbt_lat_usec",
    ),
    Check(
        id="IO-19",
        path=Path.IO,
        title="Disks answer as they should",
        level=Level.USER,
        why="Requests that take long stand in line behind others. The kernel's own target stands"
        " in for a measurement of this disk in quiet times.",
        look=_latency,
        fix="See who moves most data, and limit it (io.max).",
        undo="Take the limit away.",
    ),
    Check(
        id="IO-20",
        path=Path.IO,
        title="Nobody stands still for IO",
        level=Level.USER,
        why="This is the time lost, whatever the disk's numbers look like.",
        look=_stalls,
        fix="See who moves most data, and limit it (io.max).",
        undo="Take the limit away.",
    ),
    Check(
        id="IO-21",
        path=Path.IO,
        title="No sandbox holds up the others at the disk",
        level=Level.USER,
        why="Whoever moves most of the data is the likely cause of the others' waiting.",
        look=_takers,
        fix="echo '<major:minor> rbps=100000000 wbps=100000000' > /sys/fs/cgroup/<pod>/io.max",
        undo="echo '<major:minor> rbps=max wbps=max' > /sys/fs/cgroup/<pod>/io.max",
    ),
    Check(
        id="IO-22",
        path=Path.IO,
        title="NVMe interrupts keep off exclusive CPUs",
        level=Level.USER,
        why="They go to the CPU of whoever asked; they cannot be moved, only kept out at boot.",
        look=_interrupts,
        fix="Boot with isolcpus=managed_irq,domain,<CPUs>",
        undo="Boot without it.",
    ),
    Check(
        id="IO-23",
        path=Path.IO,
        title="Requests end where they began",
        level=Level.USER,
        why="The end of one tenant's request is work, and may land on another one's CPU.",
        look=_completion,
        fix="echo 2 > /sys/block/<disk>/queue/rq_affinity",
        undo="echo 1 > /sys/block/<disk>/queue/rq_affinity",
    ),
)
