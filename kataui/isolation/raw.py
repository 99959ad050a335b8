"""The raw counters behind a signal of one sandbox: what grew in the window, by its kernel name."""

from collections.abc import Callable, Sequence

import numpy as np

from kataui.isolation.analysis import Picture
from kataui.isolation.model import Role, Sandbox
from kataui.isolation.span import at

_S, _MS = 1e-6, 1e-3


def raw_counters(picture: Picture, sandbox: Sandbox, signal: str) -> str:
    """The counters of a signal (a name in ``signals.Signals``) over the window, in words.

    Empty where a signal is made of no counter (a level, such as memory on other nodes).
    """
    made = _RAW.get(signal)
    return made(picture, sandbox) if made else ""


def _grown(picture: Picture, table: str, column: str, slots: Sequence[int]) -> float:
    """How much a counter grew, summed over slots; what was not read counts as nothing."""
    values = picture.span.delta(table, column)
    return float(np.nansum([at(values, slot) for slot in slots])) if slots else 0.0


def _window_s(picture: Picture) -> float:
    seconds = picture.span.seconds("run", "wait_us")
    return float(np.nanmax(seconds, initial=0.0))


def _in(picture: Picture, text: str) -> str:
    return f"{text}; in {_window_s(picture):.1f}\u00a0s"


def waiting(picture: Picture, sandbox: Sandbox) -> str:
    """What the vCPUs ran and waited (schedstat), and what of the waiting is its own doing."""
    slots = [thread.slot for thread in sandbox.of_role(Role.VCPU)]
    ran, waited = (_grown(picture, "run", name, slots) * _S for name in ("run_us", "wait_us"))
    slices = _grown(picture, "run", "slices", slots)
    shares = picture.shares.get(sandbox.key)
    text = f"run {ran:.2f}\u00a0s, wait {waited:.2f}\u00a0s, {slices:.0f} timeslices"
    if shares is not None:
        own = shares.self_us * _S
        text += f", own limit {shares.limit_us * _S:.2f}\u00a0s, own threads {own:.2f}\u00a0s"
    return _in(picture, text)


def _overlap(picture: Picture, sandbox: Sandbox) -> str:
    cpus = sorted({thread.cpus[0] for thread in sandbox.of_role(Role.VCPU) if thread.pinned})
    slots = [slot for cpu, slot in picture.view.cpus if cpu in cpus]
    irq, softirq = (_grown(picture, "cpu_time", name, slots) for name in ("irq", "softirq"))
    names = ", ".join(str(cpu) for cpu in cpus)
    return _in(picture, f"irq {irq:.0f} and softirq {softirq:.0f} ticks on CPUs {names}")


def _preempted(picture: Picture, sandbox: Sandbox) -> str:
    grown = picture.span.delta("switch", "involuntary")
    counts = [at(grown, thread.slot) for thread in sandbox.of_role(Role.VCPU)]
    most = float(np.nanmax(counts)) if counts and not np.isnan(counts).all() else 0.0
    return f"{most:.0f} nonvoluntary_ctxt_switches"


def _drops(picture: Picture, sandbox: Sandbox) -> str:
    slots = [link.slot for link in sandbox.links]
    names = ("rx_packets", "tx_packets", "rx_dropped", "tx_dropped")
    parts = [f"{name} {_grown(picture, 'link', name, slots):.0f}" for name in names]
    return _in(picture, ", ".join(parts))


def _vhost(picture: Picture, sandbox: Sandbox) -> str:
    run, wait = (picture.span.delta("run", name) for name in ("run_us", "wait_us"))
    used = [
        (at(run, thread.slot) + at(wait, thread.slot), thread)
        for thread in sandbox.of_role(Role.VHOST)
    ]
    known = [pair for pair in used if not np.isnan(pair[0])]
    if not known:
        return ""
    _, worst = max(known, key=lambda pair: pair[0])
    ran, waited = at(run, worst.slot) * _S, at(wait, worst.slot) * _S
    return _in(picture, f"{worst.name}: run {ran:.2f}\u00a0s, wait {waited:.2f}\u00a0s")


def _stalls(what: str) -> Callable[[Picture, Sandbox], str]:
    def text(picture: Picture, sandbox: Sandbox) -> str:
        groups = picture.view.cgroups
        grown = picture.span.delta("group", f"{what}_some_us")
        slots = [groups[name].slot for name in sandbox.groups if name in groups]
        most = np.nanmax([at(grown, slot) for slot in slots] or [np.nan], initial=0.0)
        return _in(picture, f"{what}.pressure, some: total {most * _MS:.0f}\u00a0ms more")

    return text


def _disk(picture: Picture, sandbox: Sandbox) -> str:
    del sandbox  # a disk is the whole host's
    slots = [disk.slot for disk in picture.view.disks]
    names = ("reads", "writes", "read_ms", "write_ms")
    return _in(
        picture, ", ".join(f"{name} {_grown(picture, 'disk', name, slots):.0f}" for name in names)
    )


_RAW: dict[str, Callable[[Picture, Sandbox], str]] = {
    "waits": waiting,
    "external": waiting,
    "slice_wait_ms": waiting,
    "overlap": _overlap,
    "preempted_hz": _preempted,
    "drop_ratio": _drops,
    "vhost_load": _vhost,
    "io_stall": _stalls("io"),
    "disk_ratio": _disk,
    "memory_stall": _stalls("memory"),
}
