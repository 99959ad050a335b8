"""Links on the way of a packet: drops, backlogs, sizes, offloads, queueing, rings."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

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
from kataui.isolation.checks.evidence import NBSP, document, graded, percent, runs_share
from kataui.isolation.checks.networkparts import (
    NET,
    cards,
    has_overlay,
    local,
    namespaces,
    sysctl,
    taps,
    without_namespaces,
)
from kataui.isolation.span import at

_FAST_MBPS = 10_000
_PACED = frozenset({"mq", "fq_codel", "fq", "cake", "noqueue"})


def _drops(scene: Scene) -> Iterator[Answer]:
    deltas = {
        name: scene.span.delta("link", name)
        for name in ("rx_packets", "tx_packets", "rx_dropped", "tx_dropped")
    }
    for sandbox in local(scene.view):
        for link in sandbox.links:
            subject = f"{sandbox.name}, {link.name}"
            values = {name: at(delta, link.slot) for name, delta in deltas.items()}
            dropped = values["rx_dropped"] + values["tx_dropped"]
            total = values["rx_packets"] + values["tx_packets"] + dropped
            if math.isnan(total):
                yield unknown(subject, "Its packets were not counted yet.")
                continue
            text = f"{dropped:.0f} of {total:.0f} packets were dropped."
            if values["tx_dropped"] and link.name in taps([link.name]):
                text += " The guest had no buffers for them: it is too slow, or waits for a CPU."
            yield graded(subject, dropped / total if total else 0.0, 1e-6, 1e-4, text)


def _backlog(scene: Scene) -> Iterator[Answer]:
    fix, undo = sysctl(scene.view, "net.core.netdev_max_backlog", 4000)
    rates = scene.span.rate("softirq", "dropped")
    for cpu, slot in scene.view.cpus:
        rate = at(rates, slot)
        text = f"{rate:.1f} packets a second are dropped here before anybody sees them."
        if math.isnan(rate):
            yield unknown(f"CPU {cpu}", "Its dropped packets were not counted yet.")
        elif rate > 10:
            yield fails(f"CPU {cpu}", text, fix=fix, undo=undo)
        elif rate > 0:
            yield warns(f"CPU {cpu}", text, fix=fix, undo=undo)
        else:
            yield passes(f"CPU {cpu}")


def _squeezed(scene: Scene) -> Iterator[Answer]:
    fix, undo = sysctl(scene.view, "net.core.netdev_budget", 600)
    rates = scene.span.rate("softirq", "squeezed")
    for cpu, slot in scene.view.cpus:
        rate = at(rates, slot)
        if math.isnan(rate):
            yield unknown(f"CPU {cpu}", "Its softirqs were not counted yet.")
            continue
        text = f"{rate:.1f} times a second packets were left for later."
        answer = graded(f"CPU {cpu}", rate, 1.0, 50.0, text)
        yield Answer(answer.subject, text, answer.severity, fix=fix, undo=undo)


def _sizes(scene: Scene) -> Iterator[Answer]:
    view = scene.view
    yield from without_namespaces(scene, "the MTU of eth0 and of the tap")
    sizes = [view.number(f"{NET}{card.name}/mtu") for card in cards(view)]
    outside = [size for size in sizes if size]
    for sandbox, found in namespaces(scene):
        inner = int(found.links.get("eth0", {}).get("mtu", 0))
        tap = next((int(found.links[name].get("mtu", 0)) for name in taps(found.links)), inner)
        if not inner:
            yield unknown(sandbox.name, "It has no eth0 whose MTU could be read.")
        elif tap < inner:
            text = f"Its tap's MTU is {tap}, less than eth0's {inner}: large packets are lost."
            yield fails(sandbox.name, text)
        elif tap > inner:
            yield warns(sandbox.name, f"Its tap's MTU is {tap}, and eth0's is {inner}.")
        elif outside and inner > max(outside):
            text = f"Its MTU is {inner}, and the card's is {max(outside)}: packets are cut up."
            yield warns(sandbox.name, text)
        elif outside and inner < min(outside) and not has_overlay(view):
            text = f"Its MTU is {inner}; the card could carry {min(outside)}."
            yield warns(sandbox.name, text)
        else:
            yield passes(sandbox.name, f"MTU {inner}")


def _offloads(scene: Scene) -> Iterator[Answer]:
    view = scene.view
    for card in cards(view):
        value = document(view, f"ethtool:{card.name}")
        if not isinstance(value, dict) or not {"tso", "gro"} & value.keys():
            yield unknown(card.name, "Its offloads could not be asked (ethtool).")
        else:
            yield _offload(card.name, value, ("gro", "tso"), f"ethtool -K {card.name}")
    yield from without_namespaces(scene, "the offloads of eth0 and of the tap")
    for sandbox, found in namespaces(scene):
        for name, link in found.links.items():
            if "tso" in link and name != "lo":  # veth has GRO off by design: it follows the card
                command = f"nsenter -t {sandbox.pid} -n ethtool -K {name}"
                yield _offload(f"{sandbox.name}, {name}", link, ("tso",), command)


def _offload(
    subject: str, values: Mapping[str, Any], names: tuple[str, ...], command: str
) -> Answer:
    off = [name for name in names if values.get(name) is False]
    if not off:
        return passes(subject)
    fix = " ".join([command, *(f"{name} on" for name in off)])
    undo = " ".join([command, *(f"{name} off" for name in off)])
    words = " and ".join(name.upper() for name in off)
    return warns(subject, f"{words} off: packets stay small.", fix=fix, undo=undo)


def _queueing(scene: Scene) -> Iterator[Answer]:
    view = scene.view
    rows = document(view, "netlink:qdisc")
    for card in cards(view):
        index = view.number(f"{NET}{card.name}/ifindex")
        mine = [row for row in rows or () if row.get("ifindex") == index]
        kinds = {str(row.get("kind")) for row in mine}
        root = next((str(row.get("kind")) for row in mine if row.get("root")), "")
        speed = view.number(f"{NET}{card.name}/speed") or 0
        fix = f"tc qdisc replace dev {card.name} root fq_codel"
        undo = f"tc qdisc replace dev {card.name} root {root}"
        if index is None or not root:
            yield unknown(card.name, "Its queueing discipline was not read.")
        elif root == "htb" and speed > _FAST_MBPS:
            text = f"One lock (htb) for all packets of a card with {speed // 1000}{NBSP}Gbit/s."
            yield fails(card.name, text, fix=f"tc qdisc replace dev {card.name} root mq", undo=undo)
        elif "pfifo_fast" in kinds and len(view.sandboxes) > 1:
            text = "All tenants wait in one line (pfifo_fast)."
            yield warns(card.name, text, fix=fix, undo=undo)
        elif root in _PACED or len(view.sandboxes) < 2:
            yield passes(card.name, root)
        else:
            yield notes(card.name, f"Its queueing discipline is {root}.")


def _rings(scene: Scene) -> Iterator[Answer]:
    view = scene.view
    for card in cards(view):
        rate = at(scene.span.rate("link", "rx_dropped"), card.slot)
        value = document(view, f"ethtool:{card.name}")
        known = value if isinstance(value, dict) else {}
        size, most = int(known.get("rx", 0)), int(known.get("rx_max", 0))
        missed = view.number(f"{NET}{card.name}/statistics/rx_missed_errors")
        fix = f"ethtool -G {card.name} rx {most}" if most > size else ""
        undo = f"ethtool -G {card.name} rx {size}" if fix else ""
        text = f"{rate:.1f} packets a second are lost at the card"
        if math.isnan(rate):
            yield unknown(card.name, "Its lost packets were not counted yet.")
        elif rate > 0 and missed != 0:  # /proc/net/dev counts missed ones as dropped, too
            yield fails(card.name, f"{text}; its ring holds {size or '?'}.", fix=fix, undo=undo)
        elif rate > 0:
            text = f"{rate:.1f} packets a second are dropped; none for want of room in the ring."
            yield notes(card.name, text)
        elif most and size < most / 2 and _bursts(scene):
            text = f"Its ring holds {size} of {most} packets, and packets come in bursts."
            yield warns(card.name, text, fix=fix, undo=undo)
        else:
            yield passes(card.name)


def _bursts(scene: Scene) -> bool:
    """Whether softirqs were squeezed or dropped packets: more came at once than was done."""
    for name in ("squeezed", "dropped"):
        rates = scene.span.rate("softirq", name)
        if any(at(rates, slot) >= 1 for _, slot in scene.view.cpus):
            return True
    return False


def _softirq_threads(scene: Scene) -> Iterator[Answer]:
    threads = [t for t in scene.view.threads if t.name.startswith("ksoftirqd/")]
    if not threads:
        yield unknown(scene.view.name, "No ksoftirqd thread is visible here.")
    for thread in threads:
        share = runs_share(scene, thread)
        subject = f"CPU {thread.name.partition('/')[2]}"
        if math.isnan(share):
            yield unknown(subject, "Its ksoftirqd was not measured yet.")
        else:
            text = f"ksoftirqd runs {percent(share)} of the time."
            yield graded(subject, share, 0.05, 0.30, text)


CHECKS = (
    Check(
        "NET-07",
        Path.NETWORK,
        "Links of pods drop nothing",
        Level.USER,
        "Drops on a tap or veth come from a limiter, or from a guest that is too slow.",
        _drops,
        fix="More queue pairs (NET-03) and CPU for the pod; or a longer queue on the host's side: "
        "ip link set VETH txqueuelen 4000",
        undo="ip link set VETH txqueuelen 1000",
    ),
    Check(
        "NET-08",
        Path.NETWORK,
        "No backlog of packets overflows",
        Level.USER,
        "When a CPU's backlog is full, packets of all tenants on it are lost.",
        _backlog,
    ),
    Check(
        "NET-09",
        Path.NETWORK,
        "Softirqs get done in one go",
        Level.USER,
        "When the budget ends before the packets, all others wait longer.",
        _squeezed,
    ),
    Check(
        "NET-22",
        Path.NETWORK,
        "Card, veth and tap have fitting MTUs",
        Level.ROOT,
        "Kata gives the tap the MTU of eth0; a smaller one further on loses or cuts packets.",
        _sizes,
        fix="Set the MTU in the CNI's configuration, then start the pods anew.",
        undo="Set the CNI's MTU back, then start the pods anew.",
    ),
    Check(
        "NET-23",
        Path.NETWORK,
        "Offloads are on",
        Level.USER,
        "Without them ten times as many packets go through vhost.",
        _offloads,
        confidential="the effect is larger.",
    ),
    Check(
        "NET-24",
        Path.NETWORK,
        "Tenants take turns at the card",
        Level.USER,
        "In one long line a greedy tenant makes all others wait; one lock slows all CPUs.",
        _queueing,
        fix="sysctl -w net.core.default_qdisc=fq_codel",
        undo="sysctl -w net.core.default_qdisc=pfifo_fast",
    ),
    Check(
        "NET-29",
        Path.NETWORK,
        "The card loses nothing",
        Level.USER,
        "What is lost at the card is lost for everybody on the host.",
        _rings,
        fix="More queues at the card: ethtool -L NIC combined N",
        undo="ethtool -L NIC combined BEFORE",
    ),
    Check(
        "NET-36",
        Path.NETWORK,
        "ksoftirqd has little to do",
        Level.USER,
        "It runs when a CPU cannot keep up with its packets.",
        _softirq_threads,
        fix="As for NET-08 and NET-09: backlog, budget, more queues, fewer packets.",
        undo="Each of those checks tells its way back.",
    ),
)
