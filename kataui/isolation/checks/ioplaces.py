"""Checks of where a sandbox's IO goes: queues, workers, loop devices, images (IO-24..32)."""

import re
from collections.abc import Iterator

from kataui.isolation.checks import kata
from kataui.isolation.checks.baseevidence import (
    as_answer,
    change,
    kinds,
    obeys,
    told,
    unreadable,
    wants_latency,
)
from kataui.isolation.checks.check import (
    Answer,
    Check,
    Level,
    Path,
    Scene,
    fails,
    is_confidential,
    notes,
    passes,
    unknown,
    warns,
)
from kataui.isolation.checks.evidence import (
    device_options,
    exclusive_cpus,
    last_cpu,
    runs_share,
)
from kataui.isolation.collector.commandline import RUST
from kataui.isolation.model import HostView, Role, Sandbox

_MANY_VCPUS = 4
_MANY_WORKERS = 4
_POLLER = re.compile(r"reactor_\d+$")  # SPDK names its pollers so
_DATA = ("/var/lib/kubelet/", "/run/kata-containers/", "/var/lib/containerd/", "/run/containerd/")
_PLACES = {
    "/var/lib/etcd": "etcd",
    "/var/lib/containerd": "containerd",
    "/var/log": "logs",
    "/var/lib/kubelet": "volumes",
}


def _queues(scene: Scene) -> Iterator[Answer]:
    """IO-24: one queue for a guest with many vCPUs on a quick disk."""
    view = scene.view
    if not any(disk.name.startswith("nvme") for disk in view.disks):
        return
    for sandbox in view.sandboxes:
        vcpus = len(sandbox.of_role(Role.VCPU))
        devices = device_options(sandbox, "-device")
        counts = [
            d.get("num-queues", "") for d in devices if d.get("", "").startswith("virtio-blk")
        ]
        known = [int(count) for count in counts if count.isdigit()]
        if vcpus < _MANY_VCPUS:
            continue
        if not known and sandbox.runtime == RUST and obeys(sandbox, "num_queues"):
            if kata.of_sandbox(view, sandbox) is None:
                yield unknown(sandbox.name, "Its number of block queues (num_queues) needs root.")
                continue
            known = [told(view, sandbox, "num_queues", 1)]
        if known and min(known) == 1:
            text = f"One block queue serves {vcpus} vCPUs on NVMe."
            yield warns(sandbox.name, text, **change(view, sandbox, "num_queues", vcpus))
        else:
            yield passes(sandbox.name)


def _workers(scene: Scene) -> Iterator[Answer]:
    """IO-25: workers of io_uring, which mean that requests block or go through the cache."""
    for sandbox in scene.view.sandboxes:
        workers = [t for t in sandbox.threads if t.name.startswith("iou-wrk-")]
        running = [t for t in workers if runs_share(scene, t) > 0]
        if len(running) > _MANY_WORKERS:
            text = (
                f"{len(running)} workers of io_uring run for it; they may run on any of its CPUs."
            )
            fix = change(scene.view, sandbox, "block_device_cache_direct", value=True)
            yield warns(sandbox.name, text, **fix)
        elif sandbox.threads:
            yield passes(sandbox.name)


def _loops(scene: Scene) -> Iterator[Answer]:
    """IO-26: volumes that are files behind a loop device."""
    view = scene.view
    found = view.matching("/sys/block/", "/loop/backing_file")
    for name, path in sorted(found.items()):
        if path.startswith(_DATA):
            yield warns(name, f"A loop device serves {path}.")
    if not any(path.startswith(_DATA) for path in found.values()) and view.sandboxes:
        yield passes(view.name)


def _scratch(scene: Scene) -> Iterator[Answer]:
    """IO-27: where emptyDir volumes are."""
    view = scene.view
    where = {
        "shared-fs": "on the host's disk, through virtio-fs",
        "block-plain": "in an image for each pod",
        "block-encrypted": "in an encrypted image for each pod",
    }
    for kind in kinds(view):
        missing = unreadable(view, kind)
        if missing:
            yield missing
            continue
        default = "shared-fs"
        if all(is_confidential(sandbox) for sandbox in kind.sandboxes):
            default = "block-encrypted"
        mode = str(told(view, kind.first, "emptydir_mode", default))
        text = f"emptyDir volumes are {where.get(mode, 'of an unknown kind')} ({mode})."
        yield notes(kind.subject, text)


def _images(scene: Scene) -> Iterator[Answer]:
    """IO-28: the guest image as memory that several sandboxes share."""
    users: dict[str, list[Sandbox]] = {}
    for sandbox in scene.view.sandboxes:
        devices = {d.get("") for d in device_options(sandbox, "-device")}
        images = [
            given["mem-path"]
            for given in device_options(sandbox, "-object")
            if given.get("", "").startswith("memory-backend-file")
            and given.get("mem-path", "").endswith((".img", ".image", ".raw"))
        ]
        if "nvdimm" not in devices or not images:
            if sandbox.argv:
                yield passes(sandbox.name)
            continue
        for image in images:
            users.setdefault(image, []).append(sandbox)
    for image, sharing in sorted(users.items()):
        for sandbox in sharing:
            fix = change(scene.view, sandbox, "disable_image_nvdimm", value=True)
            if is_confidential(sandbox):
                text = f"A confidential guest maps {image} of the host."
                yield fails(sandbox.name, text, **fix)
            elif len(sharing) > 1:
                text = f"{len(sharing)} sandboxes map {image}: they share its pages."
                yield warns(sandbox.name, text, **fix)
            else:
                yield passes(sandbox.name, "Nobody else maps its image.")


def _pollers(scene: Scene) -> Iterator[Answer]:
    """IO-29: threads of SPDK, which never sleep, on CPUs that belong to a sandbox."""
    view = scene.view
    exclusive = exclusive_cpus(view)
    pollers = [thread for thread in view.threads if _POLLER.match(thread.name)]
    for thread in pollers:
        cpu = thread.cpus[0] if thread.pinned else last_cpu(scene, thread)
        owner = exclusive.get(cpu) if cpu is not None else None
        if owner is None:
            yield passes(thread.name)
        else:
            text = f"{thread.name} polls on CPU {cpu}, which belongs to {owner.name}."
            yield fails(thread.name, text)
    for kind in kinds(view):
        if pollers:
            continue
        missing = unreadable(view, kind)
        if missing:
            yield missing
        elif told(view, kind.first, "enable_vhost_user_store") is True:
            text = "vhost-user storage is on, but no poller was busy enough to be seen."
            yield unknown(kind.subject, text)
        else:
            yield passes(kind.subject, "vhost-user storage is off.")


def _shared_disk(scene: Scene) -> Iterator[Answer]:
    """IO-30: the control plane's files on the disk of the pods' volumes."""
    view = scene.view
    text = view.fact("/proc/mounts")
    if not view.sandboxes:
        return
    if text is None:
        yield unknown(view.name, "/proc/mounts was not readable.")
        return
    mounts = [line.split()[:2] for line in text.splitlines() if len(line.split()) > 2]
    sources = {point.replace("\\040", " "): source for source, point in mounts}
    disks = {what: _disk_of(sources, place) for place, what in _PLACES.items()}
    volumes = disks.pop("volumes")
    if not any(thread.name == "etcd" for thread in view.threads):
        del disks["etcd"]
    beside = [what for what, disk in disks.items() if disk == volumes]
    if volumes.startswith("/dev/") and beside:
        text = f"{', '.join(beside)} are on the disk of the pods' volumes ({volumes})."
        yield warns(view.name, text)
    elif volumes.startswith("/dev/"):
        yield passes(view.name)
    else:
        yield unknown(view.name, f"The disk of the pods' volumes is not known ({volumes}).")


def _disk_of(sources: dict[str, str], place: str) -> str:
    """The disk that holds a folder: of the longest mount point above it, without partition."""
    while place not in sources and place != "/":
        place = place.rpartition("/")[0] or "/"
    source = sources.get(place, "")
    numbered = re.fullmatch(r"(/dev/(?:nvme\d+n\d+|mmcblk\d+))p\d+|(/dev/[a-z]+)\d+", source)
    return next((name for name in numbered.groups() if name), source) if numbered else source


def _guest_swap(scene: Scene) -> Iterator[Answer]:
    """IO-31: guests that swap onto the host's disk."""
    view: HostView = scene.view
    for kind in kinds(view):
        missing = unreadable(view, kind)
        if missing:
            yield missing
        elif told(view, kind.first, "enable_guest_swap") is not True:
            yield passes(kind.subject)
        else:
            drop_in = kata.drop_in(view, kind.first, "enable_guest_swap", value=False)
            strict = any(wants_latency(s) or is_confidential(s) for s in kind.sandboxes)
            text = "Guests swap onto the host's disk."
            yield (warns if strict else notes)(kind.subject, text, **as_answer(drop_in))


def _limits_of_pods(scene: Scene) -> Iterator[Answer]:
    """IO-32: what a pod's own IO limits mean under Kata."""
    if scene.view.sandboxes:
        text = "IO limits of a container hold inside its guest only; weights have no effect."
        yield notes(scene.view.name, text)


CHECKS: tuple[Check, ...] = (
    Check(
        id="IO-24",
        path=Path.IO,
        title="Guests with many vCPUs have several block queues",
        level=Level.USER,
        why="All vCPUs wait for the lock of the one queue.",
        look=_queues,
        fix="Go follows the number of vCPUs for volumes that are added later; Rust has num_queues.",
        undo="Set it back.",
    ),
    Check(
        id="IO-25",
        path=Path.IO,
        title="io_uring needs no workers",
        level=Level.USER,
        why="Workers mean that requests block or go through the page cache; they use CPU time"
        " wherever they may run.",
        look=_workers,
        fix="Use cache.direct=on for volumes.",
        undo="Set it back.",
    ),
    Check(
        id="IO-26",
        path=Path.IO,
        title="Volumes are not behind loop devices",
        level=Level.USER,
        why="A loop device works in kernel threads that belong to no pod.",
        look=_loops,
        fix="Use block volumes, or volumes that are assigned directly"
        " (kata-runtime direct-volume).",
        undo="Use the volumes from before.",
        confidential="common here, where emptyDir volumes are block devices.",
    ),
    Check(
        id="IO-27",
        path=Path.IO,
        title="It is known where scratch data goes",
        level=Level.ROOT,
        why="emptyDir volumes on the host's disk compete with everything else there.",
        look=_scratch,
        fix="Choose emptydir_mode in [runtime] of Kata's configuration: shared-fs, block-plain or"
        " block-encrypted.",
        undo="Set it back.",
        confidential="encrypted images; the encryption costs CPU time in the guest.",
    ),
    Check(
        id="IO-28",
        path=Path.IO,
        title="Tenants do not share pages of the guest image",
        level=Level.USER,
        why="Shared pages save memory, and tell by their timing what others read.",
        look=_images,
        fix="Set disable_image_nvdimm = true in QEMU's section of Kata's configuration.",
        undo="Set it back.",
        confidential="it must be true.",
    ),
    Check(
        id="IO-29",
        path=Path.IO,
        title="Storage pollers keep off the CPUs of others",
        level=Level.ROOT,
        why="A poller never sleeps: nobody else gets that CPU.",
        look=_pollers,
        fix="Start SPDK with a reactor mask without these CPUs (-m), and with huge pages.",
        undo="Start it with the mask from before.",
        confidential="other processes cannot reach private memory.",
    ),
    Check(
        id="IO-30",
        path=Path.IO,
        title="The control plane has a disk of its own",
        level=Level.USER,
        why="A pod that fills the disk's queue makes the whole node stand still.",
        look=_shared_disk,
        fix="Put volumes on another disk; or: systemctl set-property system.slice"
        " 'IODeviceLatencyTargetSec=<disk> 25ms'",
        undo="systemctl set-property system.slice IODeviceLatencyTargetSec=",
    ),
    Check(
        id="IO-31",
        path=Path.IO,
        title="Guests do not swap",
        level=Level.ROOT,
        why="What a guest swaps becomes IO of the host.",
        look=_guest_swap,
        fix="Set enable_guest_swap = false in the hypervisor's section of Kata's configuration.",
        undo="Set it back.",
        confidential="keep it off.",
    ),
    Check(
        id="IO-32",
        path=Path.IO,
        title="IO limits of pods are set on the host",
        level=Level.USER,
        why="Kata applies a container's IO limits in the guest: the host's disk is not protected.",
        look=_limits_of_pods,
        fix="echo '<major:minor> rbps=100000000 wbps=100000000' > /sys/fs/cgroup/<pod>/io.max",
        undo="echo '<major:minor> rbps=max wbps=max' > /sys/fs/cgroup/<pod>/io.max",
    ),
)
