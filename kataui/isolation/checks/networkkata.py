"""The networking path as Kata set it up: backends, queues, models, passed-through devices."""

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
from kataui.isolation.checks.evidence import (
    argument,
    device_options,
    exclusive_cpus,
    list_text,
    percent,
    runs_share,
)
from kataui.isolation.checks.networkparts import (
    NET,
    backend,
    local,
    more_queues,
    pairs,
    passed_through,
    taps,
    traffic,
)
from kataui.isolation.collector.commandline import QEMU, RUST
from kataui.isolation.model import HostView, Role, Sandbox

_ENOUGH_PAIRS = 4
_MOST_PAIRS = 8
_HOT = 0.20  # of a CPU: enough packets that a second queue should have got some
_USED = 0.01
_TALKS_HZ = 1_000_000  # packets a second: reference, NET-37
_BUSY_HZ = 50_000  # packets a second at which a bounce buffer is under pressure
_DANS = "/run/kata-containers/dans/"
_NO_CONFIGURATION = "Needs Kata's configuration file, which could not be read (root may be needed)."


def _backend(scene: Scene) -> Iterator[Answer]:
    for sandbox in local(scene.view):
        kind = backend(sandbox)
        if kind == "userspace":
            change = kata.drop_in(scene.view, sandbox, "disable_vhost_net", False)  # noqa: FBT003 - the value
            yield warns(
                sandbox.name,
                "Its network runs in QEMU's main loop (virtio without vhost).",
                fix=f"{change.fix}modprobe vhost_net",
                undo=change.undo,
            )
        elif kind:
            yield passes(sandbox.name, f"Its network uses {kind}.")
        elif sandbox.hypervisor == QEMU and not sandbox.argv:
            yield unknown(sandbox.name, "QEMU's command line could not be read.")
        elif sandbox.hypervisor != QEMU:
            yield notes(sandbox.name, f"{sandbox.hypervisor} moves packets in its own threads.")


def _vhost_used(scene: Scene) -> Iterator[Answer]:
    view = scene.view
    for sandbox in local(view):
        kind = backend(sandbox)
        if kind == "vhost-net":
            yield passes(sandbox.name)
        if kind != "userspace":
            continue
        if kata.of_sandbox(view, sandbox) is None:
            yield unknown(sandbox.name, f"It runs without vhost. {_NO_CONFIGURATION}")
        elif kata.setting(view, sandbox, "disable_vhost_net"):
            yield passes(sandbox.name, "The configuration asks for no vhost.")
        else:
            node = view.fact("/dev/vhost-net")
            why = "; /dev/vhost-net is not there" if node == "absent" else ""
            yield fails(sandbox.name, f"vhost is wanted, but QEMU runs without it{why}.")


def _queue_pairs(scene: Scene) -> Iterator[Answer]:
    for sandbox in local(scene.view):
        count, vcpus = pairs(sandbox), len(sandbox.of_role(Role.VCPU))
        if count is None or not vcpus:
            continue
        text = f"{count} queue pair{'s' * (count > 1)} for {vcpus} vCPU{'s' * (vcpus > 1)}."
        if (count == 1 and vcpus >= _ENOUGH_PAIRS) or count > vcpus:
            fix, undo = more_queues(scene.view, sandbox, min(vcpus, _MOST_PAIRS))
            yield warns(sandbox.name, text, fix=fix, undo=undo)
        else:
            yield passes(sandbox.name, text)


def _queues_used(scene: Scene) -> Iterator[Answer]:
    """One vhost worker serves one pair: the host sees which pairs the guest uses."""
    for sandbox in local(scene.view):
        count = pairs(sandbox)
        if count is None or count < 2 or is_confidential(sandbox):
            continue
        shares = [runs_share(scene, thread) for thread in sandbox.of_role(Role.VHOST)]
        if not shares or any(share != share for share in shares):  # noqa: PLR0124 - NaN
            text = "The guest's queues are not visible from the host, nor its vhost threads' use."
            yield unknown(sandbox.name, text)
        elif max(shares) >= _HOT:
            used = sum(share >= _USED for share in shares)
            text = f"{used} of {count} queue pairs carry its packets."
            yield warns(sandbox.name, text) if used == 1 else passes(sandbox.name, text)


def _model(scene: Scene) -> Iterator[Answer]:
    view = scene.view
    if taps(link.name for link in view.links):
        yield warns(view.name, "Kata's taps are among the host's own links.")
    for sandbox in local(view):
        model = kata.setting(view, sandbox, "internetworking_model", runtime=True)
        own = kata.setting(view, sandbox, "disable_new_netns", runtime=True)
        if kata.of_sandbox(view, sandbox) is None:
            yield unknown(sandbox.name, _NO_CONFIGURATION)
        elif model == "none" and own:
            change = kata.drop_in(view, sandbox, "internetworking_model", "tcfilter", runtime=True)
            text = "It uses the host's network namespace (model none, no new namespace)."
            yield warns(sandbox.name, text, fix=change.fix, undo=change.undo)
        elif model in {None, "tcfilter"}:
            yield passes(sandbox.name, "tcfilter")
        else:
            yield notes(sandbox.name, f"The model is {model}; the usual one is tcfilter.")


def _virtual_functions(scene: Scene) -> Iterator[Answer]:
    view = scene.view
    for sandbox in local(view):
        devices = passed_through(sandbox)
        if is_confidential(sandbox) and sandbox.runtime != RUST:  # Rust has no hot plug key
            hot = kata.setting(view, sandbox, "hot_plug_vfio")
            if kata.of_sandbox(view, sandbox) is None:
                yield unknown(sandbox.name, _NO_CONFIGURATION)
            elif hot not in {None, "no-port"}:
                change = kata.drop_in(view, sandbox, "hot_plug_vfio", "no-port")
                text = f"A confidential guest cannot hot-plug devices (hot_plug_vfio = {hot})."
                yield warns(sandbox.name, text, fix=change.fix, undo=change.undo)
        if devices:
            yield passes(sandbox.name, f"It has {', '.join(devices)} to itself.")
        elif sandbox.hypervisor == QEMU and traffic(scene, sandbox)[1] > _TALKS_HZ:
            change = kata.drop_in(view, sandbox, "cold_plug_vfio", "root-port")
            text = "It moves over a million packets a second through vhost; a VF would carry them."
            yield notes(sandbox.name, text, fix=change.fix, undo=change.undo)


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
            change = kata.drop_in(view, sandbox, "enable_hugepages", True)  # noqa: FBT003 - the value
            text = "It uses vhost-user without shared memory of huge pages."
            yield fails(sandbox.name, text, fix=change.fix, undo=change.undo)
    exclusive = exclusive_cpus(view)
    for thread in pollers:
        both = sorted(set(thread.cpus) & set(exclusive))
        text = f"{thread.name} polls on CPUs {list_text(thread.cpus)}"
        if both:
            owner = exclusive[both[0]].name
            yield fails(view.name, f"{text}; CPU {both[0]} belongs to {owner}.", fix=_PMD)
        else:
            yield passes(view.name, text)
    if (users or view.matching(_DANS)) and not pollers:
        yield unknown(view.name, "The threads that poll for vhost-user were not found.")


_PMD = (
    "ovs-vsctl set Open_vSwitch . other_config:pmd-cpu-mask=MASK    # housekeeping CPUs; "
    "first note `ovs-vsctl get Open_vSwitch . other_config:pmd-cpu-mask`"
)


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


def _host_network(scene: Scene) -> Iterator[Answer]:
    view = scene.view
    host = view.fact("netns:host")
    for sandbox in local(view):
        if not (host and sandbox.netns):
            text = "Needs root to read the network namespaces of the hypervisors."
            yield unknown(view.name, text)
            return
        if sandbox.netns == host:
            yield fails(sandbox.name, "Its hypervisor lives in the host's network namespace.")
        else:
            yield passes(sandbox.name)


def _unbatched(scene: Scene) -> Iterator[Answer]:
    if local(scene.view):
        text = (
            "Exits for each packet are not read: KVM's counters leave out the fast kicks and "
            "count those of disks. As root: perf kvm stat live -p PID"
        )
        yield unknown(scene.view.name, text)
