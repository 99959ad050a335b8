"""Whose CPUs the host's packets use: softirqs, steering, NAPI threads, workers."""

import math
from collections.abc import Iterator

from kataui.isolation.checks.check import (
    Answer,
    Check,
    Level,
    Path,
    Scene,
    notes,
    passes,
    unknown,
    warns,
)
from kataui.isolation.checks.evidence import (
    cpu_mask,
    exclusive_cpus,
    graded,
    housekeeping,
    list_text,
    mask_text,
    percent,
    tick_share,
)
from kataui.isolation.checks.networkparts import (
    NET,
    cards,
    sysctl,
    vhosts,
)
from kataui.isolation.collector.tables import SOFTIRQ
from kataui.isolation.span import at

_WORKQUEUES = "/sys/devices/virtual/workqueue/cpumask"


def _packets_of_others(scene: Scene) -> Iterator[Answer]:
    slots = dict(scene.view.cpus)
    kinds = [scene.span.rate("softirq", name) for name in SOFTIRQ[:10]]
    for cpu, owner in exclusive_cpus(scene.view).items():
        subject = f"CPU {cpu}"
        share = tick_share(scene, slots[cpu], "softirq") if cpu in slots else float("nan")
        counts = [at(rates, slots[cpu]) if cpu in slots else float("nan") for rates in kinds]
        total = sum(counts)
        if math.isnan(share + total):
            yield unknown(subject, "Its softirqs were not measured yet.")
            continue
        part = (counts[2] + counts[3]) / total if total else 0.0  # NET_TX and NET_RX
        text = f"About {percent(share * part)} of {owner.name}'s CPU goes to the host's packets."
        yield graded(subject, share * part, 0.005, 0.05, text)


def _receive_steering(scene: Scene) -> Iterator[Answer]:
    view = scene.view
    exclusive = exclusive_cpus(view)
    hardware = {card.name for card in cards(view)}
    mask = mask_text(housekeeping(view))
    for link in view.links:
        masks = view.matching(f"{NET}{link.name}/queues/rx-", "/rps_cpus")
        used = {cpu for text in masks.values() for cpu in cpu_mask(text)}
        foreign = used & set(exclusive)
        single = len(masks) == 1 and len(view.cpus) > 1 and link.name in hardware
        paths = {f"{NET}{link.name}/queues/rx-{q}/rps_cpus": m for q, m in masks.items()}
        if not masks:
            if link.name in hardware:
                yield unknown(link.name, "The kernel does not tell where its packets go (RPS).")
        elif foreign or (single and not used):
            text = f"Its packets are handed to exclusive CPUs {list_text(foreign)}."
            if not foreign:
                text = "All of its packets are processed on one CPU (one queue, no RPS)."
            fix = _lines(dict.fromkeys(paths, mask))
            yield warns(link.name, text, fix=fix, undo=_lines(paths))
        else:
            yield passes(link.name)


def _lines(values: dict[str, str]) -> str:
    return "\n".join(f"echo {value} > {path}" for path, value in values.items())


def _send_steering(scene: Scene) -> Iterator[Answer]:
    view = scene.view
    if not exclusive_cpus(view):
        return
    cpus = [cpu for cpu, _ in view.cpus]
    for card in cards(view):
        masks = view.matching(f"{NET}{card.name}/queues/tx-", "/xps_cpus")
        paths = {f"{NET}{card.name}/queues/tx-{q}/xps_cpus": m for q, m in masks.items()}
        queues = view.matching(f"{NET}{card.name}/queues/rx-", "/rps_cpus")
        if not masks and len(queues) > 1:
            yield unknown(card.name, "The kernel does not tell who uses its queues (XPS).")
        elif len(masks) > 1 and not any(cpu_mask(mask) for mask in masks.values()):
            # a queue for every n-th CPU, as the kernel's own drivers do it
            spread = {p: mask_text(cpus[i :: len(paths)]) for i, p in enumerate(paths)}
            text = f"None of its {len(masks)} queues belongs to certain CPUs (XPS)."
            yield warns(card.name, text, fix=_lines(spread), undo=_lines(paths))
        elif len(masks) > 1:
            yield passes(card.name)


def _flow_steering(scene: Scene) -> Iterator[Answer]:
    view = scene.view
    entries = view.number("/proc/sys/net/core/rps_sock_flow_entries")
    if entries is None:
        yield unknown(view.name, "net.core.rps_sock_flow_entries could not be read.")
    elif entries == 0:
        yield passes(view.name)
    else:
        fix, undo = sysctl(view, "net.core.rps_sock_flow_entries", 0)
        text = f"RFS is on ({entries} entries)"
        if any(True for _ in vhosts(view)):
            text += "; it follows the vhost threads, not the programs in the guests."
            yield warns(view.name, text, fix=fix, undo=undo)
        else:
            yield notes(view.name, f"{text}.", fix=fix, undo=undo)


def _threaded(scene: Scene) -> Iterator[Answer]:
    view = scene.view
    exclusive = exclusive_cpus(view)
    if not exclusive:
        return
    workers = [thread for thread in view.threads if thread.name.startswith("napi/")]
    for card in cards(view):
        path = f"{NET}{card.name}/threaded"
        mine = [t for t in workers if t.name.startswith(f"napi/{card.name}-"[:15])]
        value = view.fact(path)
        if value is None:
            yield unknown(card.name, "This kernel does not tell whether NAPI is threaded.")
        elif value == "0":
            text = "Its packets are processed in softirqs, which nobody can move or account."
            yield notes(card.name, text, fix=f"echo 1 > {path}", undo=f"echo 0 > {path}")
        elif not mine:
            yield unknown(card.name, "NAPI is threaded; its threads were idle and not looked at.")
        elif any(set(thread.cpus) & set(exclusive) for thread in mine):
            commands = [f"taskset -pc {list_text(housekeeping(view))} {t.tid}" for t in mine]
            back = [f"taskset -pc {list_text(t.cpus)} {t.tid}" for t in mine]
            text = "Its NAPI threads may run on exclusive CPUs."
            yield notes(card.name, text, fix="\n".join(commands), undo="\n".join(back))
        else:
            yield passes(card.name)


def _workers(scene: Scene) -> Iterator[Answer]:
    view = scene.view
    exclusive = exclusive_cpus(view)
    text = view.fact(_WORKQUEUES)
    if not exclusive:
        return
    if text is None:
        yield unknown(view.name, f"{_WORKQUEUES} could not be read.")
        return
    foreign = sorted(cpu_mask(text) & set(exclusive))
    if foreign:
        yield warns(
            view.name,
            f"Kernel workers may run on exclusive CPUs {list_text(foreign)}.",
            fix=f"echo {mask_text(housekeeping(view))} > {_WORKQUEUES}",
            undo=f"echo {text} > {_WORKQUEUES}",
        )
    else:
        yield passes(view.name)


CHECKS = (
    Check(
        "NET-10",
        Path.NETWORK,
        "Exclusive CPUs process nobody else's packets",
        Level.USER,
        "Packets of others are processed on a CPU that one tenant paid for.",
        _packets_of_others,
        fix="Keep interrupts (NET-11), RPS (NET-13) and XPS (NET-14) on housekeeping CPUs.",
        undo="Each of those checks tells its way back.",
    ),
    Check(
        "NET-13",
        Path.NETWORK,
        "Received packets go to housekeeping CPUs (RPS)",
        Level.USER,
        "RPS hands packets to other CPUs, which are interrupted for it; new veth links start with "
        "net.core.rps_default_mask.",
        _receive_steering,
    ),
    Check(
        "NET-14",
        Path.NETWORK,
        "Send queues belong to certain CPUs (XPS)",
        Level.USER,
        "Else a packet that one CPU sent is finished on another one.",
        _send_steering,
    ),
    Check(
        "NET-15",
        Path.NETWORK,
        "Flows do not follow vhost threads (RFS)",
        Level.USER,
        "RFS moves packets to where they are read, which for guests is the vhost thread: measure "
        "whether that is good here.",
        _flow_steering,
    ),
    Check(
        "NET-35",
        Path.NETWORK,
        "Packets are processed by threads that can be moved",
        Level.USER,
        "Threaded NAPI makes the work of packets visible, and a cpuset can hold it.",
        _threaded,
    ),
    Check(
        "NET-41",
        Path.NETWORK,
        "Kernel workers keep off exclusive CPUs",
        Level.USER,
        "Work of the network and of file systems runs there without belonging to anybody.",
        _workers,
    ),
)
