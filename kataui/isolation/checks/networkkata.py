"""The networking path as Kata set it up: backends, queues, models, passed-through devices."""

import math
from collections.abc import Iterator

from kataui.files import count_text
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
from kataui.isolation.checks.evidence import runs_share
from kataui.isolation.checks.networkparts import (
    backend,
    configured,
    local,
    more_queues,
    pairs,
    passed_through,
    taps,
    traffic,
    without_configuration,
)
from kataui.isolation.collector.commandline import QEMU, RUST
from kataui.isolation.model import Role

_ENOUGH_PAIRS = 4
_MOST_PAIRS = 8
_HOT = 0.20  # of a CPU: enough packets that a second queue should have got some
_USED = 0.01
_TALKS_HZ = 1_000_000  # packets a second: reference, NET-37
_NO_CONFIGURATION = "Needs Kata's configuration file, which could not be read (root may be needed)."


def _backend(scene: Scene) -> Iterator[Answer]:
    for sandbox in local(scene.view):
        kind = backend(sandbox)
        if kind == "userspace":
            change = kata.drop_in(scene.view, sandbox, "disable_vhost_net", value=False)
            yield warns(
                sandbox.name,
                "Its network runs in QEMU's main loop (virtio without vhost).",
                fix=change.fix,
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
        text = f"{count_text(count, 'queue pair')} for {count_text(vcpus, 'vCPU')}."
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
        if not shares or any(math.isnan(share) for share in shares):
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
    yield from without_configuration(scene)
    for sandbox in configured(scene):
        model = kata.setting(view, sandbox, "internetworking_model", runtime=True)
        own = kata.setting(view, sandbox, "disable_new_netns", runtime=True)
        if model == "none" and own:
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


CHECKS = (
    Check(
        "NET-01",
        Path.NETWORK,
        "Packets do not go through QEMU's main loop",
        Level.USER,
        "virtio in the main loop ties the network to all other work of the virtual machine.",
        _backend,
        confidential="vhost-net works with iommu_platform; Rust for Secure Execution turns it off.",
    ),
    Check(
        "NET-02",
        Path.NETWORK,
        "vhost is used where it is wanted",
        Level.USER,
        "Without the module Kata falls back to the slower path and says nothing.",
        _vhost_used,
        fix="modprobe vhost_net    # then start the pod anew",
        undo="modprobe -r vhost_net",
    ),
    Check(
        "NET-03",
        Path.NETWORK,
        "As many queue pairs as the vCPUs can use",
        Level.USER,
        "One pair is one vhost thread, so one CPU at most; more pairs than vCPUs only interrupt.",
        _queue_pairs,
        fix="Give the sandbox a pair for each vCPU, 8 at most; this runtime has no key for it.",
        undo="Give it the number of queue pairs that it had.",
    ),
    Check(
        "NET-04",
        Path.NETWORK,
        "The guest uses its queue pairs",
        Level.ROOT,
        "Queues that the guest does not use bring nothing.",
        _queues_used,
        fix="In the guest: ethtool -L eth0 combined N, and spread its interrupts over the vCPUs.",
        undo="In the guest: ethtool -L eth0 combined 1",
        confidential="not looked at.",
    ),
    Check(
        "NET-21",
        Path.NETWORK,
        "Pods have a network of their own",
        Level.ROOT,
        "A tap in the host's namespace shares queues and firewall with everybody.",
        _model,
        fix='[runtime]\ndisable_new_netns = false\ninternetworking_model = "tcfilter"',
        undo="Set both keys back, then start the pods anew.",
    ),
    Check(
        "NET-31",
        Path.NETWORK,
        "Those who talk most have a device of their own",
        Level.ROOT,
        "A virtual function of the card goes past vhost and the host's softirqs.",
        _virtual_functions,
        confidential="plug cold; the device reaches shared memory only, unless TDISP is there.",
    ),
    Check(
        "NET-42",
        Path.NETWORK,
        "No Kata pod uses the host's network",
        Level.ROOT,
        "hostNetwork is not supported by Kata and would reach into the host's network.",
        _host_network,
        fix="Set hostNetwork: false in the pod; refuse it for Kata classes by an admission policy.",
        undo="Set hostNetwork: true again.",
    ),
)
