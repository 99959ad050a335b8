"""What checks of the networking path share: backends, network cards, a pod's own namespace."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kataui.isolation.checks import kata
from kataui.isolation.checks.check import Answer, Scene, unknown
from kataui.isolation.checks.evidence import device_options, document, list_text
from kataui.isolation.collector.commandline import (
    CLH,
    DRAGONBALL,
    FIRECRACKER,
    GO,
    QEMU,
    REMOTE,
    RUST,
)
from kataui.isolation.collector.procfs import cpu_list
from kataui.isolation.model import HostView, Link, Role, Sandbox, Thread
from kataui.isolation.span import at
from kataui.kata import configuration

NET = "/sys/class/net/"
_NAMED_QUEUE = "_qp"  # Cloud Hypervisor: one thread for each pair of network queues
_QUEUE_KEYS = ((QEMU, RUST), (CLH, RUST), (DRAGONBALL, RUST), (FIRECRACKER, RUST))
_LIMITED_BY_KATA = {
    (QEMU, GO): ("rx_rate_limiter_max_rate", "tx_rate_limiter_max_rate"),
    (FIRECRACKER, GO): ("rx_rate_limiter_max_rate", "tx_rate_limiter_max_rate"),
    (CLH, GO): ("net_rate_limiter_bw_max_rate",),
}
_EXAMPLE_BITS = 1_000_000_000
_OVERLAYS = ("vxlan", "flannel", "cilium", "geneve", "tunl", "wg", "gre", "ipip")


@dataclass(frozen=True, slots=True)
class Namespace:
    """A pod's network namespace as root sees it: links by name, disciplines by link's name."""

    links: Mapping[str, Mapping[str, Any]]
    disciplines: Mapping[str, tuple[Mapping[str, Any], ...]] = field(repr=False)


def tap_devices(sandbox: Sandbox) -> list[dict[str, str]]:
    """The taps on QEMU's command line."""
    return [item for item in device_options(sandbox, "-netdev") if item.get("") == "tap"]


def pairs(sandbox: Sandbox) -> int | None:
    """Queue pairs of the first network device; None when the command line does not tell."""
    for tap in tap_devices(sandbox):
        return len((tap.get("fds") or tap.get("fd") or "1").split(":"))
    named = [thread for thread in sandbox.threads if _NAMED_QUEUE in thread.name]
    return len(named) or None


def passed_through(sandbox: Sandbox) -> list[str]:
    """PCI addresses that are passed through (vfio-pci); the host's path is the address."""
    return [
        device.get("host") or device.get("sysfsdev", "").rpartition("/")[2]
        for device in device_options(sandbox, "-device")
        if device.get("", "").startswith("vfio-pci")
    ]


def backend(sandbox: Sandbox) -> str:
    """vhost-net, userspace, vhost-user, vfio, or empty when it cannot be seen."""
    netdevs = list(device_options(sandbox, "-netdev"))
    taps = tap_devices(sandbox)
    if any(tap.get("vhost") == "on" for tap in taps):
        return "vhost-net"
    if taps:
        return "userspace"
    if any(item.get("") == "vhost-user" for item in netdevs):
        return "vhost-user"
    if passed_through(sandbox):
        return "vfio"
    return ""


def local(view: HostView) -> list[Sandbox]:
    """Sandboxes whose virtual machine runs here (a remote one has no network path here)."""
    return [sandbox for sandbox in view.sandboxes if sandbox.hypervisor != REMOTE]


def vhosts(view: HostView) -> Iterator[tuple[Sandbox, Thread]]:
    """All vhost threads with their sandboxes."""
    for sandbox in view.sandboxes:
        for thread in sandbox.of_role(Role.VHOST):
            yield sandbox, thread


def thread_name(sandbox: Sandbox, thread: Thread) -> str:
    """A thread for people."""
    return f"{sandbox.name}, {thread.name} ({thread.tid})"


def cards(view: HostView) -> list[Link]:
    """The host's network cards: links with hardware (or a virtual device) below."""
    return [link for link in view.links if view.fact(f"{NET}{link.name}/device/uevent") is not None]


def has_overlay(view: HostView) -> bool:
    """Whether the host has a link of a tunnel, which takes some bytes of each packet."""
    return any(link.name.startswith(_OVERLAYS) for link in view.links)


def namespace(view: HostView, sandbox: Sandbox) -> Namespace | None:
    """What root saw in a pod's network namespace; None when it was not read."""
    value = document(view, f"netns:{sandbox.pid}")
    if not isinstance(value, dict):
        return None
    links = [row for row in value.get("links", ()) if isinstance(row, dict)]
    names = {row.get("index"): str(row.get("name")) for row in links}
    kinds: dict[str, tuple[Mapping[str, Any], ...]] = {}
    for row in value.get("qdisc", ()):
        name = names.get(row.get("ifindex"), "")
        kinds[name] = (*kinds.get(name, ()), row)
    return Namespace({str(row.get("name")): row for row in links}, kinds)


def namespaces(scene: Scene) -> Iterator[tuple[Sandbox, Namespace]]:
    """The pods' namespaces that were read."""
    for sandbox in local(scene.view):
        found = namespace(scene.view, sandbox)
        if found is not None:
            yield sandbox, found


def without_namespaces(scene: Scene, what: str) -> Iterator[Answer]:
    """One "could not check" for the host when no pod's namespace was read."""
    if local(scene.view) and not any(True for _ in namespaces(scene)):
        text = f"Needs root to read {what} in the pods' network namespaces."
        yield unknown(scene.view.name, text)


def configured(scene: Scene) -> list[Sandbox]:
    """The sandboxes whose configuration file could be read."""
    view = scene.view
    return [sandbox for sandbox in local(view) if kata.of_sandbox(view, sandbox) is not None]


def without_configuration(scene: Scene) -> Iterator[Answer]:
    """One "could not check" for the host when configuration files could not be read."""
    missing = len(local(scene.view)) - len(configured(scene))
    if missing:
        text = f"Needs Kata's configuration, which could not be read (sandboxes: {missing})"
        yield unknown(scene.view.name, f"{text}; root may be needed.")


def taps(links: Iterable[str]) -> list[str]:
    """Kata's taps among the names of links."""
    return sorted(name for name in links if name.startswith("tap") and name.endswith("_kata"))


def traffic(scene: Scene, sandbox: Sandbox) -> tuple[float, float]:
    """Bytes and packets a second of a sandbox, both directions: its taps, else all its links."""
    wanted = taps(link.name for link in sandbox.links)
    links = [link for link in sandbox.links if not wanted or link.name in wanted]
    sums = []
    for unit in ("bytes", "packets"):
        rates = [scene.span.rate("link", f"{way}_{unit}") for way in ("rx", "tx")]
        sums.append(sum(at(rate, link.slot) for rate in rates for link in links))
    return (sums[0], sums[1]) if links else (float("nan"), float("nan"))


def effective_cpus(view: HostView, irq: str) -> tuple[int, ...]:
    """The CPUs that an interrupt goes to; none when that was not read."""
    text = view.fact(f"/proc/irq/{irq}/effective_affinity_list")
    if not text:
        text = view.fact(f"/proc/irq/{irq}/smp_affinity_list") or ""
    return tuple(cpu_list(text))


def interrupts(view: HostView) -> dict[str, str]:
    """Numbered interrupts and the device's text, from /proc/interrupts."""
    found = {}
    for line in (view.fact("/proc/interrupts") or "").splitlines()[1:]:
        number, _, rest = line.partition(":")
        if number.strip().isdigit():
            words = [word for word in rest.split() if not word.isdigit()]
            found[number.strip()] = " ".join(words)
    return found


def move_interrupts(view: HostView, irqs: Iterable[str], cpus: Iterable[int]) -> tuple[str, str]:
    """Commands that move interrupts to some CPUs, and those that move them back."""
    fix, undo = [], []
    for irq in irqs:
        path = f"/proc/irq/{irq}/smp_affinity_list"
        before = view.fact(path) or list_text(effective_cpus(view, irq))
        fix.append(f"echo {list_text(cpus)} > {path}")
        undo.append(f"echo {before} > {path}")
    return "\n".join(fix), "\n".join(undo)


def more_queues(view: HostView, sandbox: Sandbox, count: int) -> tuple[str, str]:
    """How the next pod of this kind gets ``count`` queue pairs; empty when Kata has no way."""
    kind = (sandbox.hypervisor, sandbox.runtime)
    if kind in _QUEUE_KEYS:
        change = kata.drop_in(view, sandbox, "network_queues", count)
    elif kind == (QEMU, GO):  # one pair for each vCPU that the VM boots with
        change = kata.drop_in(
            view, sandbox, "static_sandbox_resource_mgmt", value=True, runtime=True
        )
    else:
        return "", ""
    return change.fix, change.undo


def limit_keys(sandbox: Sandbox) -> tuple[str, ...]:
    """The keys with which this runtime really limits the network of this hypervisor."""
    return _LIMITED_BY_KATA.get((sandbox.hypervisor, sandbox.runtime), ())


def limit_fix(view: HostView, sandbox: Sandbox) -> tuple[str, str]:
    """How the next pod of this kind is limited to 1 Gbit/s (an example), and the way back."""
    keys = limit_keys(sandbox)
    if not keys:
        why = "ignores Kata's limiter for this hypervisor" if sandbox.runtime else "is not known"
        fix = (
            f"This sandbox's runtime {why}; with the CNI bandwidth plugin "
            "(or Cilium's bandwidth manager) annotate the pod:\n"
            'kubernetes.io/ingress-bandwidth: "1G"\nkubernetes.io/egress-bandwidth: "1G"'
        )
        return fix, "Take the two annotations off, then start the pod anew."
    section = configuration.section_of(sandbox.hypervisor, sandbox.runtime)
    changes = [(section, key, _EXAMPLE_BITS) for key in keys]
    change = configuration.drop_in(kata.of_sandbox(view, sandbox), changes)
    return change.fix, change.undo


def sysctl(view: HostView, name: str, value: object) -> tuple[str, str]:
    """The command that sets a sysctl, and the one that sets it back."""
    before = view.fact("/proc/sys/" + name.replace(".", "/"))
    undo = f"sysctl -w {name}={'BEFORE' if before is None else before}"
    return f"sysctl -w {name}={value}", undo
