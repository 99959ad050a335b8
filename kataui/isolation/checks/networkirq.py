"""Interrupts of network cards and of devices that were given to a sandbox."""

import re
from collections.abc import Iterator

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
from kataui.isolation.checks.evidence import cpu_mask, exclusive_cpus, housekeeping, list_text
from kataui.isolation.checks.networkparts import (
    cards,
    effective_cpus,
    interrupts,
    move_interrupts,
    passed_through,
)
from kataui.isolation.collector.procfs import cpu_list
from kataui.isolation.model import HostView

_QUEUES = re.compile(r"mlx\d_comp|virtio\d+-(in|out)put|-TxRx-|-[rt]x-|ena-Tx|gve-ntfy")
_BALANCER = "/system.slice/irqbalance.service/cgroup.procs"
_INIT = "/init.scope/cgroup.procs"
_GROUPS = ("/sys/fs/cgroup", "/sys/fs/cgroup/systemd")


def _card_interrupts(view: HostView) -> dict[str, tuple[int, ...]]:
    """Interrupts of the network cards' queues, and the CPUs that they go to."""
    names = "|".join(re.escape(card.name) for card in cards(view))
    named = re.compile(rf"(^|[^A-Za-z0-9])({names})([^A-Za-z0-9]|$)") if names else None
    found = {}
    for irq, text in interrupts(view).items():
        if "vfio" not in text and (_QUEUES.search(text) or (named and named.search(text))):
            cpus = effective_cpus(view, irq)
            if cpus:
                found[irq] = cpus
    return found


def _interrupts(scene: Scene) -> Iterator[Answer]:
    view = scene.view
    exclusive = exclusive_cpus(view)
    if not exclusive:
        return
    found = _card_interrupts(view)
    if not found:
        yield unknown(view.name, "No interrupt of a network card could be recognised.")
        return
    bad = [irq for irq, cpus in found.items() if set(cpus) & set(exclusive)]
    text = f"{len(bad)} of {len(found)} interrupts of network cards go to exclusive CPUs."
    if not bad:
        yield passes(view.name, text)
        return
    fix, undo = move_interrupts(view, bad, housekeeping(view))
    tell = fails if len(bad) == len(found) else warns
    yield tell(view.name, text, fix=fix, undo=undo)


def _balancer(scene: Scene) -> Iterator[Answer]:
    view = scene.view
    exclusive = exclusive_cpus(view)
    if not exclusive:
        return
    named = any(thread.name == "irqbalance" for thread in view.threads)
    if not (named or any(view.fact(root + _BALANCER) for root in _GROUPS)):
        if any(view.fact(root + _INIT) for root in _GROUPS):
            yield passes(view.name, "No irqbalance service runs.")
        else:
            yield unknown(view.name, "Whether irqbalance runs could not be seen.")
        return
    texts = [view.fact(f"/etc/{name}/irqbalance") for name in ("default", "sysconfig")]
    known = [text for text in texts if text is not None]
    banned = _banned("\n".join(known))
    if banned is None:  # its own default: what the kernel keeps free, too
        names = ("isolated", "nohz_full")
        lists = [view.fact(f"/sys/devices/system/cpu/{name}") or "" for name in names]
        banned = {cpu for text in lists for cpu in cpu_list(text)}
    open_ = sorted(set(exclusive) - banned)
    if not open_:
        yield passes(view.name, "irqbalance leaves the exclusive CPUs alone.")
    elif not known:
        yield unknown(view.name, "irqbalance runs; its settings need root to be read.")
    else:
        path = "/etc/default/irqbalance" if texts[0] is not None else "/etc/sysconfig/irqbalance"
        line = f"IRQBALANCE_BANNED_CPULIST={list_text(exclusive)}"
        yield warns(
            view.name,
            f"irqbalance may move interrupts to the exclusive CPUs {list_text(open_)}.",
            fix=f"{path}\n{line}\nsystemctl restart irqbalance",
            undo=f"Take the line out of {path}; systemctl restart irqbalance",
        )


def _banned(text: str) -> set[int] | None:
    """The CPUs that irqbalance leaves alone; None when nothing is set."""
    for line in text.splitlines():
        name, _, value = line.partition("=")
        value = value.strip().strip("\"'")
        if name.strip() == "IRQBALANCE_BANNED_CPULIST" and value:
            return set(cpu_list(value))
        if name.strip() == "IRQBALANCE_BANNED_CPUS" and value:
            return set(cpu_mask(value))
    return None


def _device_interrupts(scene: Scene) -> Iterator[Answer]:
    """Interrupts of devices that are passed through, and whether they are posted."""
    view = scene.view
    exclusive = exclusive_cpus(view)
    found = {irq: text for irq, text in interrupts(view).items() if "vfio-msi" in text}
    for irq, name in found.items():
        owner = next((s for s in view.sandboxes if any(a in name for a in passed_through(s))), None)
        cpus = effective_cpus(view, irq)
        foreign = [c for c in cpus if c in exclusive and exclusive[c] is not owner]
        subject = f"interrupt {irq}"
        if not cpus or owner is None:
            yield unknown(subject, "Its CPUs or its sandbox could not be read.")
        elif foreign:
            wanted = sorted({c for thread in owner.threads for c in thread.cpus} - set(foreign))
            fix, undo = move_interrupts(view, [irq], wanted or housekeeping(view))
            victim = exclusive[foreign[0]].name
            text = f"A device of {owner.name} interrupts CPU {foreign[0]} of {victim}."
            yield warns(subject, text, fix=fix, undo=undo)
        else:
            yield passes(subject)
    posted = re.search(r"^\s*PIN:((?:\s+\d+)+)", view.fact("/proc/interrupts") or "", re.MULTILINE)
    if found and posted:
        if any(int(number) for number in posted.group(1).split()):
            yield passes(view.name, "Interrupts of devices are posted.")
        else:
            text = "No interrupt was posted: each one makes the guest leave its CPU."
            yield warns(view.name, text, fix=_POSTED, undo=_NOT_POSTED)


_POSTED = "Turn on VT-d with interrupt remapping in the firmware; kernel: intel_iommu=on"
_NOT_POSTED = "Take intel_iommu=on off the kernel's command line."


CHECKS = (
    Check(
        "NET-11",
        Path.NETWORK,
        "Network cards interrupt housekeeping CPUs only",
        Level.USER,
        "Packets of others are processed on a CPU that one tenant paid for.",
        _interrupts,
    ),
    Check(
        "NET-12",
        Path.NETWORK,
        "irqbalance leaves exclusive CPUs alone",
        Level.ROOT,
        "irqbalance will move interrupts back to CPUs that were freed of them.",
        _balancer,
    ),
    Check(
        "NET-33",
        Path.NETWORK,
        "Passed-through devices interrupt their owner",
        Level.USER,
        "An interrupt on another tenant's CPU takes time from it; posted ones reach the guest "
        "without stopping it.",
        _device_interrupts,
        confidential="posted interrupts depend on the platform.",
    ),
)
