"""Checks of the control groups: whether a sandbox is held by its pod's limits (CGR-01..06)."""

import re
from collections.abc import Iterator
from math import isnan

import numpy as np

from kataui.isolation.checks.baseevidence import (
    change,
    group_highest,
    has_cpu_limit,
    has_cpuset,
    is_below,
    pod_group,
)
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
    argument,
    graded,
    limits_above,
    percent,
    runs_share,
)
from kataui.isolation.collector.commandline import GO, QEMU
from kataui.isolation.model import HostView, Role, Sandbox

_HELPERS = (Role.VMM, Role.VHOST, Role.IOTHREAD, Role.VIRTIOFSD, Role.SHIM)
_MIB = 1 << 20
_UNITS = {"": _MIB, "M": _MIB, "G": 1 << 30, "K": 1 << 10}
_OVERHEAD = "kata_overhead"


def _outside_helpers(scene: Scene) -> Iterator[Answer]:
    """CGR-01: helpers belong below the pod's group."""
    for sandbox in scene.view.sandboxes:
        pod = pod_group(sandbox)
        outside: dict[str, set[str]] = {}
        for thread in sandbox.of_role(*_HELPERS):
            if not is_below(thread.group, pod) or pod == "/":
                outside.setdefault(thread.group, set()).add(thread.role.value)
        if not outside:
            if sandbox.of_role(*_HELPERS):
                yield passes(sandbox.name)
            continue
        where = "; ".join(f"{', '.join(sorted(r))} in {g}" for g, r in sorted(outside.items()))
        view = scene.view
        fix = change(view, sandbox, "sandbox_cgroup_only", value=True)
        if all(has_cpu_limit(view, group) and has_cpuset(view, group) for group in outside):
            yield warns(sandbox.name, f"Helpers are outside the pod, but limited: {where}.", **fix)
        else:
            yield fails(sandbox.name, f"Helpers are outside the pod, unlimited: {where}.", **fix)


def _misplaced(scene: Scene) -> Iterator[Answer]:
    """CGR-02: a pod's sandbox belongs below kubepods."""
    for sandbox in scene.view.sandboxes:
        group = sandbox.group
        fix: dict[str, str] = {}
        if sandbox.runtime == GO:
            fix = change(scene.view, sandbox, "sandbox_cgroup_only", value=True)
        if ":" in group:
            text = f"Its control group {group} is a systemd name that was used as a path."
            yield fails(sandbox.name, text, **fix)
        elif "kubepods" in group:
            yield passes(sandbox.name)
        elif sandbox.pod_name or sandbox.pod_uid:
            text = f"Its control group {group} is outside of kubepods."
            yield fails(sandbox.name, text, **fix)
        elif not scene.view.root:
            yield unknown(sandbox.name, "Whether it belongs to a pod can be read by root only.")


def _overhead(scene: Scene) -> Iterator[Answer]:
    """CGR-03: as far as the host knows: the pod's memory limit against the guest's memory."""
    for sandbox in scene.view.sandboxes:
        guest, limit = _guest_bytes(sandbox), _memory_limit(scene.view, sandbox)
        if guest and limit and guest > limit:
            text = (
                f"The guest has {guest // _MIB}{NBSP}MiB, the pod may use {limit // _MIB}{NBSP}MiB:"
                " a guest that fills its memory is killed."
            )
            yield graded(sandbox.name, guest / limit, 1.0, 1.5, text)
            continue
        used = [runs_share(scene, thread) for thread in sandbox.of_role(*_HELPERS)]
        cores = sum(share for share in used if not isnan(share))
        measured = f"Helpers use {cores:.2f} CPUs now. " if any(not isnan(u) for u in used) else ""
        yield unknown(
            sandbox.name,
            f"{measured}The declared overhead is in the cluster, not on this host: compare with "
            "kubectl get runtimeclass -o yaml.",
        )


def _guest_bytes(sandbox: Sandbox) -> int:
    """The guest's memory at boot, of QEMU's ``-m``; 0 when it is not known."""
    if sandbox.hypervisor != QEMU:
        return 0
    match = re.match(r"(?:size=)?(\d+)([KMG]?)", argument(sandbox, "-m"))
    return int(match.group(1)) * _UNITS[match.group(2)] if match else 0


def _memory_limit(view: HostView, sandbox: Sandbox) -> int:
    """The lowest memory limit above a sandbox; 0 when there is none."""
    limits = limits_above(view, sandbox.group, "memory", "memory.max").values()
    return min((int(text) for text in limits if text.isdigit()), default=0)


def _throttled(scene: Scene) -> Iterator[Answer]:
    """CGR-04: how often the own quota stopped a sandbox."""
    periods = scene.span.delta("group", "periods")
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = scene.span.delta("group", "throttled") / periods
    for sandbox in scene.view.sandboxes:
        total = group_highest(scene.view, sandbox, periods)
        if isnan(total):
            yield unknown(
                sandbox.name, "It has no control group of its own, or cpu.stat was not readable."
            )
        elif total == 0:
            yield passes(sandbox.name, "It has no CPU quota, or was idle.")
        else:
            share = group_highest(scene.view, sandbox, shares)
            text = f"Its own CPU limit stopped it in {percent(share)} of the periods."
            yield graded(sandbox.name, share, 0.01, 0.10, text)


def _v1_vcpus(scene: Scene) -> Iterator[Answer]:
    """CGR-05: under cgroup v1 vCPU threads are moved one by one, and may be forgotten."""
    for sandbox in scene.view.sandboxes:
        vcpus = [t for t in sandbox.of_role(Role.VCPU) if "cpu" in t.groups]
        if not vcpus:
            continue
        held = [t for t in vcpus if t.group != "/" and not t.group.startswith(f"/{_OVERHEAD}")]
        if held:
            yield passes(sandbox.name)
        else:
            yield fails(
                sandbox.name,
                "None of its vCPUs is in the sandbox's control group.",
                **change(scene.view, sandbox, "sandbox_cgroup_only", value=True),
            )


def _vhost_groups(scene: Scene) -> Iterator[Answer]:
    """CGR-06: vhost workers belong to the group of the VMM."""
    for sandbox in scene.view.sandboxes:
        vhost = sandbox.of_role(Role.VHOST)
        main = {t.group for t in sandbox.threads if t.pid == sandbox.pid and t.role != Role.VHOST}
        if not vhost or not main:
            continue
        strays = sorted({t.group for t in vhost} - main)
        if strays:
            text = f"vhost threads are in {', '.join(strays)}, not with the VMM."
            yield (fails if "/" in strays else warns)(sandbox.name, text)
        else:
            yield passes(sandbox.name)


CHECKS: tuple[Check, ...] = (
    Check(
        id="CGR-01",
        path=Path.BASE,
        title="Helpers run below their pod's limits",
        level=Level.USER,
        why="CPU time of helpers outside the pod is free for the tenant and paid by the others.",
        look=_outside_helpers,
        fix="echo '100000 100000' > /sys/fs/cgroup/kata_overhead/cpu.max    # and cpuset.cpus",
        undo="echo max > /sys/fs/cgroup/kata_overhead/cpu.max",
    ),
    Check(
        id="CGR-02",
        path=Path.BASE,
        title="The sandbox is where kubelet sets limits",
        level=Level.USER,
        why="Outside of kubepods the pod's limits of CPU and memory do not apply.",
        look=_misplaced,
        fix="Make containerd and kubelet use the same cgroup driver, then start the pod anew.",
        undo="Set the driver back.",
    ),
    Check(
        id="CGR-03",
        path=Path.BASE,
        title="The declared overhead covers what the sandbox needs",
        level=Level.USER,
        why="Overhead that is too small throttles the vCPUs or gets the VMM killed.",
        look=_overhead,
        fix="Raise overhead.podFixed of the RuntimeClass (kubectl edit runtimeclass); it holds for"
        " new pods. Or lower the guest's memory (default_memory).",
        undo="Set overhead.podFixed back.",
        confidential="these guests need far more (bounce buffers, firmware).",
    ),
    Check(
        id="CGR-04",
        path=Path.BASE,
        title="The own CPU limit does not stop the guest",
        level=Level.USER,
        why="A quota that is used up looks like a neighbour; helpers in it are stopped, too.",
        look=_throttled,
        fix="Raise the pod's CPU limit or the RuntimeClass overhead; give latency pods no limit.",
        undo="Set the limit back.",
    ),
    Check(
        id="CGR-05",
        path=Path.BASE,
        title="vCPUs are in the sandbox's group (cgroup v1)",
        level=Level.USER,
        why="Limits do not hold vCPUs that were left elsewhere.",
        look=_v1_vcpus,
        fix="Upgrade Kata; cgroup v2 moves the whole VMM.",
        undo="Go back to the version before.",
    ),
    Check(
        id="CGR-06",
        path=Path.BASE,
        title="vhost threads are in the VMM's group",
        level=Level.USER,
        why="Network work outside the sandbox's group is accounted to nobody.",
        look=_vhost_groups,
        fix="Use Linux 6.4 or newer, where vhost threads belong to the VMM"
        " (vhost.fork_from_owner_default=1 where that parameter exists).",
        undo="Boot the kernel from before.",
    ),
)
