"""The networking path and the IO path of one sandbox, hop by hop, from what was measured.

Directions are the guest's: what the guest receives is what its tap *sends* (tap TX = eth0 RX).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kataui.files import count_text, size_text
from kataui.isolation.accuse import percent
from kataui.isolation.analysis import Picture
from kataui.isolation.layout import padded
from kataui.isolation.model import Disk, Link, Role, Sandbox, Thread

_NARROW = 0.90  # run plus wait of a thread from which on it is the ceiling (NET-18)
_TIGHT = 0.60
_WAITS = 0.10
_DROPS_A_SECOND = 1.0
_US = 1e-6


@dataclass(frozen=True, slots=True)
class PathHop:
    """A hop: what and where it is, two facts, a mark (pass, warning, fail, unknown), a word."""

    name: str
    where: str
    facts: tuple[str, str]
    mark: str
    word: str
    icon: str


@dataclass(frozen=True, slots=True)
class PathFlow:
    """What flows between two hops: a rate and a count a second in words; NaN is not measured."""

    rate_text: str
    count_text: str
    bytes_a_second: float


@dataclass(frozen=True, slots=True)
class DataPath:
    """A path: hops and the flows between them (one less), and where it is tight."""

    title: str
    note: str
    hops: tuple[PathHop, ...]
    flows: tuple[PathFlow, ...]

    @property
    def tight(self) -> str:
        """The name of the hop that fails; empty when none does."""
        return next((hop.name for hop in self.hops if hop.mark == "fail"), "")


def network_path(picture: Picture, sandbox: Sandbox) -> DataPath | None:
    """To the guest: pod interface, tc, tap, vhost or the VMM, guest; None without links."""
    tap = _link(sandbox, "_kata")
    pod = next((link for link in sandbox.links if link is not tap), None)
    if tap is None and pod is None:
        return None
    backend = _backend(sandbox)
    hops, flows = [], []
    if pod is not None:
        hops.append(_interface(picture, pod))
        flows.append(_flow(picture, pod, "rx"))
        if tap is not None:
            hops.append(_redirect())
            flows.append(_flow(picture, pod, "rx"))
    if tap is not None:
        hops.append(_tap(picture, tap, sandbox))
        flows.append(_flow(picture, tap, "tx"))
    threads = sandbox.of_role(Role.VHOST) if backend == "vhost" else sandbox.of_role(Role.VMM)
    hops.append(_worker(picture, threads, "vhost" if backend == "vhost" else "VMM main loop"))
    flows.append(_flow(picture, tap or pod, "tx" if tap else "rx"))
    hops.append(_guest(picture, sandbox, "virtio-net"))
    return DataPath(
        "Network path",
        "to the guest; each packet costs a turn of the thread",
        tuple(hops),
        tuple(flows),
    )


def io_path(picture: Picture, sandbox: Sandbox) -> DataPath | None:
    """From the guest to the disk: guest, virtiofsd or block thread, host cache, device."""
    files = sandbox.of_role(Role.VIRTIOFSD)
    threads = files or sandbox.of_role(Role.IOTHREAD) or sandbox.of_role(Role.VMM)
    if not threads:
        return None
    calls = _bytes(picture, sandbox, ("read_chars", "write_chars"))
    stored = _bytes(picture, sandbox, ("read_bytes", "write_bytes"))
    name = "virtiofsd" if files else "IO thread" if sandbox.of_role(Role.IOTHREAD) else "VMM"
    hops = [
        _guest(picture, sandbox, "virtio-fs" if files else "virtio-blk"),
        _worker(picture, threads, name),
        _cache(picture, sandbox),
    ]
    flows = [_io_flow(calls), _io_flow(calls), _io_flow(stored)]
    disk = _busiest(picture)
    hops.append(_device(picture, disk))
    return DataPath("IO path", "from the guest to the disk", tuple(hops), tuple(flows))


def _link(sandbox: Sandbox, suffix: str) -> Link | None:
    return next((link for link in sandbox.links if link.name.endswith(suffix)), None)


def _backend(sandbox: Sandbox) -> str:
    return "vhost" if sandbox.of_role(Role.VHOST) else "user"


def _rate(picture: Picture, table: str, column: str, slot: int) -> float:
    values = picture.span.rate(table, column)
    return float(values[slot]) if slot < len(values) else math.nan


def _flow(picture: Picture, link: Link | None, way: str) -> PathFlow:
    if link is None:
        return PathFlow("not measured", "", math.nan)
    moved = _rate(picture, "link", f"{way}_bytes", link.slot)
    packets = _rate(picture, "link", f"{way}_packets", link.slot)
    return PathFlow(bits(moved), _per_second(packets), moved)


def _io_flow(moved: float) -> PathFlow:
    text = "not measured" if math.isnan(moved) else f"{size_text(int(moved))}/s"
    return PathFlow(text, "", moved)


def bits(bytes_a_second: float) -> str:
    """A rate as networks count: 1.4 Gbit/s."""
    if math.isnan(bytes_a_second):
        return "not measured"
    value, unit = bytes_a_second * 8, "bit/s"
    for bigger in ("kbit/s", "Mbit/s", "Gbit/s"):
        if value < 1000:
            break
        value, unit = value / 1000, bigger
    return (
        f"{value:.1f}\u00a0{unit}"
        if value < 9.95 and unit != "bit/s"
        else f"{value:.0f}\u00a0{unit}"
    )


def count(value: float) -> str:
    """A count in two or three digits: 186 k."""
    for unit in ("", "\u00a0k", "\u00a0M"):
        if value < 999.5 or unit.endswith("M"):
            return f"{value:.0f}{unit}" if value >= 9.95 or not unit else f"{value:.1f}{unit}"
        value /= 1000
    return f"{value:.0f}"


def _per_second(value: float, what: str = "") -> str:
    """A count a second in words; empty when it was not measured."""
    return "" if math.isnan(value) else f"{count(value)} {what}/s".replace(" /", "/")


def _drops(picture: Picture, link: Link) -> float:
    parts = [_rate(picture, "link", name, link.slot) for name in ("rx_dropped", "tx_dropped")]
    return float(np.nansum(parts)) if not all(math.isnan(part) for part in parts) else math.nan


def _drop_mark(dropped: float) -> tuple[str, str]:
    if math.isnan(dropped):
        return "unknown", "not measured"
    return ("warning", "drops packets") if dropped >= _DROPS_A_SECOND else ("pass", "nothing lost")


def _interface(picture: Picture, link: Link) -> PathHop:
    dropped = _drops(picture, link)
    mark, word = _drop_mark(dropped)
    sent = _rate(picture, "link", "tx_bytes", link.slot)
    lost = _per_second(dropped, "dropped") or "drops not measured"
    facts = (lost, f"sends {bits(sent)}")
    return PathHop("Pod network", link.name, facts, mark, word, "net")


def _redirect() -> PathHop:
    """Tc in the pod's namespace cannot be read from outside without a right."""
    model = "mirrors both ways"
    return PathHop(
        "tc redirect", "ingress, match all", (model, ""), "unknown", "limits: not measured", "arrow"
    )


def _tap(picture: Picture, link: Link, sandbox: Sandbox) -> PathHop:
    dropped = _drops(picture, link)
    mark, word = _drop_mark(dropped)
    queues = queue_pairs(sandbox)
    where = "queues not known" if queues is None else count_text(queues, "queue")
    received = _rate(picture, "link", "rx_bytes", link.slot)
    lost = _per_second(dropped, "dropped") or "drops not measured"
    facts = (lost, f"from guest {bits(received)}")
    return PathHop(link.name, where, facts, mark, word, "link")


def queue_pairs(sandbox: Sandbox) -> int | None:
    """Queue pairs of the first tap on QEMU's command line: ``fds=a:b`` are two."""
    for argument in sandbox.argv:
        if argument.startswith("tap,"):
            for part in argument.split(","):
                name, _, value = part.partition("=")
                if name == "fds":
                    return len(value.split(":"))
            return 1
    return None


def _worker(picture: Picture, threads: Sequence[Thread], name: str) -> PathHop:
    """The busiest of some threads: how much it runs and waits."""
    size = max((thread.slot for thread in threads), default=-1) + 1
    run = padded(picture.span.rate("run", "run_us"), size) * _US
    wait = padded(picture.span.rate("run", "wait_us"), size) * _US
    known = [thread for thread in threads if not math.isnan(run[thread.slot])]
    if not known:
        return PathHop(name, "no thread seen", ("", ""), "unknown", "not measured", "cpu")
    worst = max(known, key=lambda thread: float(run[thread.slot] + wait[thread.slot]))
    ran, waited = float(run[worst.slot]), float(wait[worst.slot])
    used = ran + waited
    share = waited / used if used > 0.01 else 0.0
    if used >= _NARROW:
        mark, word = "fail", f"{percent(min(1.0, used))} used up"
    elif share >= _WAITS:
        mark, word = "warning", f"waits {percent(waited)}"
    elif used >= _TIGHT:
        mark, word = "warning", f"{percent(used)} used"
    else:
        mark, word = "pass", f"waits {percent(waited)}"
    where = f"CPU\u00a0{worst.cpus[0]}" if worst.pinned else f"{len(threads)} threads"
    where = where if len(threads) > 1 or worst.pinned else "1 thread"
    title = worst.name if worst.name.startswith("vhost-") else name
    return PathHop(
        title, where, (f"runs {percent(ran)}", f"waits {percent(waited)}"), mark, word, "cpu"
    )


def _guest(picture: Picture, sandbox: Sandbox, device: str) -> PathHop:
    vcpus = sandbox.of_role(Role.VCPU)
    row = next(n for n, s in enumerate(picture.view.sandboxes) if s.key == sandbox.key)
    waits = float(picture.signals.waits[row])
    cores = float(picture.signals.cores[Role.VCPU][row])
    mark, word = "pass", "vCPUs run"
    if math.isnan(waits):
        mark, word = "pass", "idle"
    elif waits >= _WAITS:
        mark, word = "warning", f"vCPUs wait {percent(waits)}"
    facts = (f"{cores:.2f} cores", "")
    return PathHop(
        "Guest", f"{device}, {count_text(len(vcpus), 'vCPU')}", facts, mark, word, "guest"
    )


def _bytes(picture: Picture, sandbox: Sandbox, columns: tuple[str, ...]) -> float:
    """Bytes a second of all processes of a sandbox (/proc/PID/io needs a right)."""
    total, known = 0.0, False
    for process in sandbox.processes:
        for column in columns:
            value = _rate(picture, "io", column, process.slot)
            if not math.isnan(value):
                total, known = total + value, True
    return total if known else math.nan


def _cache(picture: Picture, sandbox: Sandbox) -> PathHop:
    dirty = math.nan
    group = picture.view.cgroups.get(sandbox.group)
    if group is not None:
        values = picture.span.now("group_memory", "file_dirty")
        dirty = float(values[group.slot]) if group.slot < len(values) else math.nan
    where = "in its cgroup" if group is not None and sandbox.group != "/" else "of the whole host"
    facts = ("" if math.isnan(dirty) else f"{size_text(int(dirty))} dirty", "")
    mark, word = ("unknown", "not measured") if math.isnan(dirty) else ("pass", "measured")
    return PathHop("Host page cache", where, facts, mark, word, "file")


def _busiest(picture: Picture) -> Disk | None:
    """The device with most requests lately: partitions count below their disk."""
    reads, writes = picture.span.delta("disk", "reads"), picture.span.delta("disk", "writes")
    best, most = None, -1.0
    for disk in picture.view.disks:
        if disk.slot < len(reads):
            requests = float(np.nansum([reads[disk.slot], writes[disk.slot]]))
            if requests > most:
                best, most = disk, requests
    return best


def _device(picture: Picture, disk: Disk | None) -> PathHop:
    if disk is None:
        return PathHop("Disk", "none seen", ("", ""), "unknown", "not measured", "disk")
    span = picture.span

    def grown(column: str) -> float:
        values = span.delta("disk", column)
        return float(values[disk.slot]) if disk.slot < len(values) else math.nan

    requests = grown("reads") + grown("writes")
    spent_ms = grown("read_ms") + grown("write_ms")
    each_ms = spent_ms / requests if requests > 0 else math.nan
    rate = _rate(picture, "disk", "reads", disk.slot) + _rate(picture, "disk", "writes", disk.slot)
    scheduler = picture.view.fact(f"/sys/block/{disk.name}/queue/scheduler") or ""
    chosen = scheduler.partition("[")[2].partition("]")[0]
    ratio = float(np.nanmax([math.nan, *picture.signals.disk_ratio])) if _any(picture) else math.nan
    mark, word = "pass", "as usual"
    if not math.isnan(ratio) and ratio >= 2:
        mark, word = ("fail" if ratio >= 5 else "warning"), f"{ratio:.1f} times its usual"
    elif math.isnan(each_ms):
        word = "idle"
    facts = (
        "" if math.isnan(each_ms) else f"{each_ms:.1f}\u00a0ms a request",
        _per_second(rate, "requests"),
    )
    return PathHop(disk.name, chosen or "block device", facts, mark, word, "disk")


def _any(picture: Picture) -> bool:
    return bool((~np.isnan(picture.signals.disk_ratio)).any())
