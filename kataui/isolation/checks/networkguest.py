"""The networking path beyond Kata's own settings: polling, DPDK, bounce buffers, the guest."""

from collections.abc import Iterator

from kataui.isolation.checks import kata
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
from kataui.isolation.checks.evidence import argument, device_options, exclusive_cpus, list_text
from kataui.isolation.checks.networkparts import backend, local, traffic
from kataui.isolation.model import Role, Sandbox

_BUSY_HZ = 50_000  # packets a second at which a bounce buffer is under pressure
_DANS = "/run/kata-containers/dans/"


def _busy_poll(scene: Scene) -> Iterator[Answer]:
    view = scene.view
    for name in ("busy_poll", "busy_read"):
        value = view.number(f"/proc/sys/net/core/{name}")
        if value is None:
            yield unknown(view.name, f"net.core.{name} could not be read.")
        elif value:
            yield warns(
                view.name,
                f"net.core.{name} is {value}\u00a0µs for every socket of the host.",
                fix=f"sysctl -w net.core.{name}=0",
                undo=f"sysctl -w net.core.{name}={value}",
            )
        else:
            yield passes(view.name, f"net.core.{name} is off.")
    for sandbox in local(view):
        polls = [d for d in device_options(sandbox, "-netdev") if d.get("poll-us", "0") != "0"]
        if not polls:
            continue
        mine = {cpu for thread in sandbox.of_role(Role.VCPU) for cpu in thread.cpus}
        workers = sandbox.of_role(Role.VHOST)
        alone = workers and all(t.pinned and t.cpus[0] not in mine for t in workers)
        text = f"Its vhost threads poll for {polls[0]['poll-us']}\u00a0µs"
        if alone:
            yield passes(sandbox.name, f"{text}, each on a CPU of its own.")
        else:
            yield warns(sandbox.name, f"{text} on CPUs that others use.")


def _direct(scene: Scene) -> Iterator[Answer]:
    """Directly attached networks, vhost-user, and the cores that poll for them."""
    view = scene.view
    users = [sandbox for sandbox in local(view) if backend(sandbox) == "vhost-user"]
    pollers = [thread for thread in view.threads if thread.name.startswith("pmd-c")]
    for sandbox in users:
        if _shares_huge_memory(sandbox):
            yield passes(sandbox.name)
        else:
            change = kata.drop_in(view, sandbox, "enable_hugepages", value=True)
            text = "It uses vhost-user without shared memory of huge pages."
            yield fails(sandbox.name, text, fix=change.fix, undo=change.undo)
    exclusive = exclusive_cpus(view)
    for thread in pollers:
        both = sorted(set(thread.cpus) & set(exclusive))
        text = f"{thread.name} polls on CPUs {list_text(thread.cpus)}"
        if both:
            owner = exclusive[both[0]].name
            text += f"; CPU {both[0]} belongs to {owner}."
            yield fails(view.name, text, fix=_PMD, undo=_PMD_BEFORE)
        else:
            yield passes(view.name, text)
    if (users or view.matching(_DANS)) and not pollers:
        yield unknown(view.name, "The threads that poll for vhost-user were not found.")


_PMD = "ovs-vsctl set Open_vSwitch . other_config:pmd-cpu-mask=MASK    # of housekeeping CPUs"
_PMD_BEFORE = "ovs-vsctl set Open_vSwitch . other_config:pmd-cpu-mask=BEFORE"


def _shares_huge_memory(sandbox: Sandbox) -> bool:
    for item in device_options(sandbox, "-object"):
        huge = "huge" in item.get("mem-path", "") or item.get("hugetlb") == "on"
        if huge and item.get("share") == "on":
            return True
    return False


def _bounce_buffer(scene: Scene) -> Iterator[Answer]:
    view = scene.view
    for sandbox in local(view):
        if not is_confidential(sandbox):
            continue
        words = argument(sandbox, "-append").split()
        size = next((word for word in words if word.startswith("swiotlb=")), "")
        packets = traffic(scene, sandbox)[1]
        if size:
            yield notes(sandbox.name, f"Its bounce buffer is set: {size}.")
        elif packets > _BUSY_HZ:
            before = kata.setting(view, sandbox, "kernel_params")
            value = f"{before or ''} swiotlb=262144".strip()
            change = kata.drop_in(view, sandbox, "kernel_params", value)
            text = f"{packets:.0f} packets a second go through a bounce buffer of the usual size."
            yield warns(sandbox.name, text, fix=change.fix, undo=change.undo)
        else:
            yield notes(sandbox.name, "Its bounce buffer has the size that its kernel chooses.")


def _congestion(scene: Scene) -> Iterator[Answer]:
    hidden = 0
    for sandbox in local(scene.view):
        words = argument(sandbox, "-append").split()
        control = _kernel_sysctl(words, "net.ipv4.tcp_congestion_control")
        queueing = _kernel_sysctl(words, "net.core.default_qdisc")
        if control == "bbr" and queueing != "fq":
            yield notes(sandbox.name, "Its kernel is told to use BBR, but not fq to pace it.")
        elif control:
            yield passes(sandbox.name, f"Its kernel is told to use {control}.")
        else:
            hidden += 1
    if hidden:
        text = f"The congestion control of {hidden} guests is not visible from the host."
        yield unknown(scene.view.name, f"{text} In a pod: sysctl net.ipv4.tcp_congestion_control")


def _kernel_sysctl(words: list[str], name: str) -> str:
    start = f"sysctl.{name}="
    return next((word[len(start) :] for word in words if word.startswith(start)), "")


def _unbatched(scene: Scene) -> Iterator[Answer]:
    if local(scene.view):
        text = (
            "Exits for each packet are not read: KVM's counters leave out the fast kicks and "
            "count those of disks. As root: perf kvm stat live -p PID"
        )
        yield unknown(scene.view.name, text)


CHECKS = (
    Check(
        "NET-25",
        Path.NETWORK,
        "BBR in a guest has fq to pace it",
        Level.ROOT,
        "Without pacing, BBR in a guest was seen to lose throughput (Kata issue 5538).",
        _congestion,
        fix="In the guest: sysctl -w net.core.default_qdisc=fq, or use cubic.",
        undo="Set the guest's sysctl back.",
    ),
    Check(
        "NET-34",
        Path.NETWORK,
        "Nobody polls for packets on a shared CPU",
        Level.USER,
        "Polling uses a CPU without work, and looks like a neighbour.",
        _busy_poll,
        fix="Leave poll-us off (Kata does not set it); else give the vhost thread its own CPU.",
        undo="Set poll-us again.",
    ),
    Check(
        "NET-38",
        Path.NETWORK,
        "Polling cores of DPDK are nobody's CPUs",
        Level.ROOT,
        "A core that polls takes all of a CPU; vhost-user needs shared huge pages.",
        _direct,
        confidential="vhost-user needs shared memory, which private guest memory is not.",
    ),
    Check(
        "NET-39",
        Path.NETWORK,
        "Busy confidential guests have a large bounce buffer",
        Level.USER,
        "Each packet of a confidential guest is copied through it; when it is full, all stall.",
        _bounce_buffer,
        confidential="this check is for them; 262144 slabs are 512 MiB: raise overhead_memory.",
    ),
    Check(
        "NET-40",
        Path.NETWORK,
        "Packets come in batches",
        Level.ROOT,
        "An exit of the virtual machine for each packet is a storm of kicks.",
        _unbatched,
        fix="Turn offloads on in the guest, and use vhost.",
        undo="Turn the offloads off again: ethtool -K eth0 tso off gso off gro off",
        confidential="an exit costs several times more.",
    ),
)
