"""vhost threads: where they are accounted, where they run, how busy they are."""

import math
from collections.abc import Iterator
from statistics import median

from kataui.isolation.checks import kata
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
from kataui.isolation.checks.evidence import (
    NBSP,
    exclusive_cpus,
    graded,
    housekeeping,
    last_cpu,
    limits_above,
    list_text,
    percent,
    runs_share,
    waits_share,
)
from kataui.isolation.checks.networkparts import (
    NET,
    cards,
    local,
    more_queues,
    pairs,
    thread_name,
    traffic,
    vhosts,
)
from kataui.isolation.model import HostView, Role, Sandbox, Thread

_IDLE = 0.005  # of a CPU, running and waiting: less is no work that could suffer
_MEASURED_HZ = 1000  # packets a second: less says nothing about the price of one
_LEAST_COMPARED = 3
_FOLDERS = "/sys/fs/cgroup"


def _not_measured(sandbox: Sandbox, thread: Thread) -> Answer:
    return unknown(thread_name(sandbox, thread), "Its CPU use was not measured yet.")


def _accounted(scene: Scene) -> Iterator[Answer]:
    view = scene.view
    for sandbox, thread in vhosts(view):
        name = thread_name(sandbox, thread)
        pod = pod_group(sandbox)
        if thread.group == pod or thread.group.startswith(pod.rstrip("/") + "/"):
            yield passes(name)
            continue
        change = kata.drop_in(view, sandbox, "sandbox_cgroup_only", value=True, runtime=True)
        limits = limits_above(view, thread.group, "", "cpu.max").values()
        text = f"It is in {thread.group}, outside of its pod"
        if any(not limit.startswith("max") for limit in limits):
            text += ", with a limit of its own."
            yield warns(name, text, fix=change.fix, undo=change.undo)
        else:
            yield fails(name, f"{text}, without a limit.", fix=change.fix, undo=change.undo)


def pod_group(sandbox: Sandbox) -> str:
    """The control group of a sandbox's pod; its own where there is no pod."""
    parts = sandbox.group.split("/")
    for index, part in enumerate(parts):
        if part.startswith("pod") or "-pod" in part:
            return "/".join(parts[: index + 1])
    return sandbox.group


def _on_others(scene: Scene) -> Iterator[Answer]:
    exclusive = exclusive_cpus(scene.view)
    if not exclusive:
        return
    free = list_text(housekeeping(scene.view))
    for sandbox, thread in vhosts(scene.view):
        name = thread_name(sandbox, thread)
        foreign = [c for c in thread.cpus if c in exclusive and exclusive[c].key != sandbox.key]
        here = last_cpu(scene, thread)
        if not thread.cpus:
            yield unknown(name, "The CPUs that it may use could not be read.")
        elif not foreign:
            yield passes(name)
        else:
            fix, undo = _confine(scene.view, sandbox, thread, free)
            owner = exclusive[here if here in foreign else foreign[0]].name
            text = f"It may run on CPUs {list_text(foreign)}, which belong to others"
            if here in foreign:
                yield fails(name, f"It runs on CPU {here} of {owner}.", fix=fix, undo=undo)
            else:
                yield warns(name, f"{text} (first: {owner}).", fix=fix, undo=undo)


def _confine(view: HostView, sandbox: Sandbox, thread: Thread, free: str) -> tuple[str, str]:
    """How a vhost thread is kept off others' CPUs: by the cpuset of the group that it is in."""
    top = thread.group.split("/")[1] if thread.group.count("/") else ""
    if top == "kata_overhead":
        path = f"{_FOLDERS}/{top}/cpuset.cpus"
        before = view.fact(path) or ""
        fix = f"echo +cpuset > {_FOLDERS}/cgroup.subtree_control\necho {free} > {path}"
        return fix, f"echo '{before}' > {path}"
    if top.endswith(".slice") and not top.startswith("kubepods"):
        return f"systemctl set-property {top} AllowedCPUs={free}", (
            f"systemctl set-property {top} AllowedCPUs="
        )
    if top.startswith("kubepods"):
        return (
            "In /var/lib/kubelet/config.yaml: cpuManagerPolicy: static    # shared pods keep off",
            "cpuManagerPolicy: none    # both need an empty /var/lib/kubelet/cpu_manager_state",
        )
    change = kata.drop_in(view, sandbox, "sandbox_cgroup_only", value=True, runtime=True)
    return change.fix, change.undo


def _saturated(scene: Scene) -> Iterator[Answer]:
    for sandbox, thread in vhosts(scene.view):
        used = runs_share(scene, thread) + waits_share(scene, thread)
        if math.isnan(used):
            yield _not_measured(sandbox, thread)
            continue
        text = f"It runs or wants to run {percent(used)} of the time."
        answer = graded(thread_name(sandbox, thread), used, 0.60, 0.90, text)
        count, vcpus = pairs(sandbox), len(sandbox.of_role(Role.VCPU))
        if answer.severity is not None and count is not None and count < vcpus:
            fix, undo = more_queues(scene.view, sandbox, min(vcpus, 8))
            answer = Answer(answer.subject, text, answer.severity, fix=fix, undo=undo)
        yield answer


def _waiting(scene: Scene) -> Iterator[Answer]:
    for sandbox, thread in vhosts(scene.view):
        runs, waits = runs_share(scene, thread), waits_share(scene, thread)
        if math.isnan(runs + waits):
            yield _not_measured(sandbox, thread)
            continue
        delay = waits / (runs + waits) if runs + waits >= _IDLE else 0.0
        text = f"It waits for a CPU {percent(delay)} of its time; packets wait with it."
        yield graded(thread_name(sandbox, thread), delay, 0.02, 0.10, text)


def _price(scene: Scene) -> Iterator[Answer]:
    prices: dict[str, tuple[float, float]] = {}
    for sandbox in local(scene.view):
        cores = sum(runs_share(scene, thread) for thread in sandbox.of_role(Role.VHOST))
        size, packets = traffic(scene, sandbox)
        if cores > 0 and packets >= _MEASURED_HZ:
            prices[sandbox.name] = (cores / packets * 1e6, cores / (size * 8) * 1e9)
    if len(prices) < _LEAST_COMPARED:
        return
    usual = median(price for price, _ in prices.values())
    for name, (price, by_size) in prices.items():
        text = (
            f"Its vhost threads need {price:.2f} CPUs for a million packets a second "
            f"({by_size:.2f} for 1{NBSP}Gbit/s); here {usual:.2f} are usual."
        )
        yield warns(name, text) if price >= 2 * usual else passes(name, text)


def _nodes(scene: Scene) -> Iterator[Answer]:
    view = scene.view
    if len(view.numa_nodes) < 2:
        return
    found = {view.number(f"{NET}{card.name}/device/numa_node") for card in cards(view)}
    homes = {node for node in found if node is not None and node >= 0}
    if not homes:
        yield unknown(view.name, "No network card tells its NUMA node.")
        return
    places = " or ".join(str(node) for node in sorted(homes))
    for sandbox, thread in vhosts(view):
        cpu = last_cpu(scene, thread)
        node = next((n for n, cpus in view.numa_nodes.items() if cpu in cpus), None)
        name = thread_name(sandbox, thread)
        if node is None:
            yield unknown(name, "Where it runs was not measured yet.")
        elif node in homes:
            yield passes(name)
        else:
            yield warns(name, f"It runs on node {node}; the network card is on node {places}.")
    for sandbox in local(view):
        node = _memory_node(view, sandbox)
        if node is None:
            yield unknown(sandbox.name, "The NUMA nodes of its memory could not be read.")
        elif node in homes:
            yield passes(sandbox.name)
        else:
            text = f"Most of its memory is on node {node}; the network card is on node {places}."
            yield warns(sandbox.name, text)


def _memory_node(view: HostView, sandbox: Sandbox) -> int | None:
    """The node with most of a sandbox's memory (memory.numa_stat: anon N0=bytes N1=bytes)."""
    sizes: dict[int, int] = {}
    for line in (view.group_fact(sandbox.group, "memory", "memory.numa_stat") or "").splitlines():
        for item in line.split()[1:] if line.startswith(("anon ", "shmem ", "file ")) else ():
            node, _, size = item.partition("=")
            if node[1:].isdigit() and size.isdigit():
                sizes[int(node[1:])] = sizes.get(int(node[1:]), 0) + int(size)
    return max(sizes, key=lambda node: sizes[node]) if any(sizes.values()) else None


CHECKS = (
    Check(
        "NET-16",
        Path.NETWORK,
        "vhost threads count against their pod",
        Level.USER,
        "A vhost thread outside of the pod's limit is CPU that others pay for (Kata issue 4938).",
        _accounted,
    ),
    Check(
        "NET-17",
        Path.NETWORK,
        "vhost threads keep off others' exclusive CPUs",
        Level.USER,
        "This is how the network of one pod takes CPU time that another paid for.",
        _on_others,
    ),
    Check(
        "NET-18",
        Path.NETWORK,
        "vhost threads have room",
        Level.USER,
        "A vhost thread that is always busy is the ceiling of the pod's network.",
        _saturated,
        fix="Give the vhost thread a CPU of its own, or the pod a device of its own (SR-IOV).",
        undo="Take the CPU or the device away again.",
    ),
    Check(
        "NET-19",
        Path.NETWORK,
        "vhost threads do not wait for a CPU",
        Level.USER,
        "Then the network is slow because of the CPU, not because of the card.",
        _waiting,
        fix="Give the pod one CPU more than vCPUs (limits.cpu), or a higher weight (requests.cpu).",
        undo="Set the pod's resources back.",
    ),
    Check(
        "NET-20",
        Path.NETWORK,
        "A packet costs the same everywhere",
        Level.USER,
        "Small packets, a missing offload or far memory make each packet dear.",
        _price,
        fix="In the guest: ethtool -K eth0 tso on gso on gro on; keep vhost near the card.",
        undo="In the guest: ethtool -K eth0 tso off gso off gro off",
        confidential="the bounce buffer adds a copy for each packet.",
    ),
    Check(
        "NET-30",
        Path.NETWORK,
        "Card, vhost and guest memory are near",
        Level.USER,
        "Else each packet crosses the link between the processors, twice.",
        _nodes,
        fix="In /var/lib/kubelet/config.yaml: topologyManagerPolicy: single-numa-node",
        undo="topologyManagerPolicy: none    # then restart kubelet and start the pods anew",
    ),
)
