"""What the checks of the base and of the IO path share: kinds of sandboxes, keys, limits."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kataui.isolation.checks import kata
from kataui.isolation.checks.check import Answer, unknown
from kataui.isolation.checks.evidence import limits_above
from kataui.isolation.collector.commandline import (
    CLH,
    DRAGONBALL,
    FIRECRACKER,
    GO,
    QEMU,
    RUST,
    STRATOVIRT,
)
from kataui.isolation.model import HostView, Role, Sandbox
from kataui.isolation.span import at
from kataui.isolation.stream import Array
from kataui.kata.configuration import DropIn

_RUNTIMES = {GO: "Go runtime", RUST: "Rust runtime"}
_RUNTIME_KEYS = frozenset(
    {
        *("sandbox_cgroup_only", "static_sandbox_resource_mgmt", "enable_vcpus_pinning"),
        "emptydir_mode",
    }
)
_VIRTIOFS = ((QEMU, CLH, STRATOVIRT), (QEMU, CLH))
# The hypervisors of the Go and of the Rust runtime that obey a key. Source: the templates and the
# code of kata-containers 4.1.0 (the project's reference, 4.0): elsewhere a key has no effect.
_OBEYED: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "sandbox_cgroup_only": ((QEMU, CLH, FIRECRACKER, STRATOVIRT), (QEMU, CLH, FIRECRACKER)),
    "static_sandbox_resource_mgmt": (
        (QEMU, CLH, FIRECRACKER, STRATOVIRT),
        (QEMU, CLH, DRAGONBALL, FIRECRACKER),
    ),
    "enable_vcpus_pinning": ((QEMU, CLH, FIRECRACKER, STRATOVIRT), (QEMU,)),
    "enable_numa": ((QEMU,), ()),
    "overhead_vcpus": ((), (QEMU, CLH, DRAGONBALL)),
    "enable_hugepages": (
        (QEMU, CLH, FIRECRACKER, STRATOVIRT),
        (QEMU, CLH, DRAGONBALL, FIRECRACKER),
    ),
    "reclaim_guest_freed_memory": ((QEMU, CLH), (QEMU, CLH, DRAGONBALL)),
    "disable_block_device_use": ((QEMU, CLH, STRATOVIRT), (QEMU,)),
    "virtio_fs_cache": (_VIRTIOFS[0], (*_VIRTIOFS[1], DRAGONBALL)),
    "virtio_fs_cache_size": (_VIRTIOFS[0], (*_VIRTIOFS[1], DRAGONBALL)),
    "virtio_fs_extra_args": _VIRTIOFS,
    "block_device_aio": ((QEMU,), (QEMU,)),
    "block_device_cache_direct": ((QEMU, CLH, STRATOVIRT), (QEMU, CLH, DRAGONBALL)),
    "enable_iothreads": ((QEMU,), (QEMU,)),
    "indep_iothreads": ((QEMU,), (QEMU,)),
    "disk_rate_limiter_bw_max_rate": ((CLH,), (CLH, FIRECRACKER)),
    "num_queues": ((), (QEMU, CLH, DRAGONBALL, FIRECRACKER)),
    "disable_image_nvdimm": ((QEMU,), (QEMU,)),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """Sandboxes of one hypervisor and runtime: one configuration is for all of them."""

    subject: str
    sandboxes: tuple[Sandbox, ...] = field(repr=False)

    @property
    def first(self) -> Sandbox:
        """Any of them; they differ in nothing that a configuration knows."""
        return self.sandboxes[0]


def kinds(view: HostView) -> Iterator[Kind]:
    """The kinds of sandboxes that are there."""
    found: dict[tuple[str, str], list[Sandbox]] = {}
    for sandbox in view.sandboxes:
        found.setdefault((sandbox.hypervisor, sandbox.runtime), []).append(sandbox)
    for (hypervisor, runtime), sandboxes in sorted(found.items()):
        subject = f"{hypervisor}, {_RUNTIMES.get(runtime, 'unknown runtime')}"
        yield Kind(subject, tuple(sandboxes))


def unreadable(view: HostView, kind: Kind) -> Answer | None:
    """The answer for a kind whose configuration could not be read; None when it was."""
    if kata.of_sandbox(view, kind.first) is not None:
        return None
    return unknown(
        kind.subject,
        "No configuration of Kata for this hypervisor and runtime could be read; "
        + ("containerd may use another file." if view.root else "this needs root."),
    )


def told(view: HostView, sandbox: Sandbox, key: str, default: Any = None) -> Any:
    """What the configuration says for the next pod of this kind; ``default`` if it is silent."""
    value = kata.setting(view, sandbox, key, runtime=key in _RUNTIME_KEYS)
    return default if value is None else value


def obeys(sandbox: Sandbox, key: str) -> bool:
    """Whether a key has an effect for this hypervisor and runtime."""
    go, rust = _OBEYED[key]
    return sandbox.hypervisor in {GO: go, RUST: rust}.get(sandbox.runtime, ())


def change(view: HostView, sandbox: Sandbox, key: str, value: Any) -> dict[str, str]:
    """``fix`` and ``undo`` that set a key; empty where the key has no effect."""
    if not obeys(sandbox, key):
        return {}
    return as_answer(kata.drop_in(view, sandbox, key, value, runtime=key in _RUNTIME_KEYS))


def as_answer(drop_in: DropIn) -> dict[str, str]:
    """A drop-in as ``fix`` and ``undo``."""
    return {"fix": drop_in.fix, "undo": drop_in.undo}


def wants_latency(sandbox: Sandbox) -> bool:
    """Whether a sandbox was given CPUs or guarantees, so that waiting is not what was paid for."""
    pinned = any(thread.pinned for thread in sandbox.of_role(Role.VCPU))
    return pinned or sandbox.qos.lower() == "guaranteed"


def pod_group(sandbox: Sandbox) -> str:
    """The pod's own control group, which kubelet limits; the sandbox's where there is no pod."""
    parts = sandbox.group.split("/")
    for index, part in enumerate(parts):
        if index > 1 and "pod" in part.removeprefix("kubepods"):
            return "/".join(parts[: index + 1])
    return sandbox.group


def is_below(group: str, above: str) -> bool:
    """Whether a group is another one or inside of it."""
    return group == above or group.startswith(above.rstrip("/") + "/")


def has_cpu_limit(view: HostView, group: str) -> bool:
    """Whether a group or one above it has a quota of CPU time."""
    quotas = [text.split()[0] for text in _above(view, group, "cpu", "cpu.max") if text]
    quotas += _above(view, group, "cpu", "cpu.cfs_quota_us")
    return any(quota.isdigit() and int(quota) > 0 for quota in quotas)


def has_cpuset(view: HostView, group: str) -> bool:
    """Whether a group or one above it is held to some CPUs."""
    online = len(view.cpus)
    sets = _above(view, group, "cpuset", "cpuset.cpus")
    return any(text and _size(text) < online for text in sets)


def _size(text: str) -> int:
    ends = [part.split("-") for part in text.split(",") if part.replace("-", "").isdigit()]
    return sum(int(end[-1]) - int(end[0]) + 1 for end in ends)


def _above(view: HostView, group: str, controller: str, name: str) -> list[str]:
    """A file of a group and of those above; of the topmost also where it is not watched."""
    top = "/".join(group.split("/")[:2])
    paths = (f"/sys/fs/cgroup{folder}{top}/{name}" for folder in ("", f"/{controller}"))
    texts = [view.fact(path) for path in (*paths, f"/sys/fs/cgroup/cpu,cpuacct{top}/{name}")]
    watched = limits_above(view, group, controller, name).values()
    return [*watched, *(text for text in texts if text is not None)]


def group_value(view: HostView, group: str, values: Array) -> float:
    """A group's value of a column by slot; NaN when it is not watched or not measured.

    The root group is everybody's: what is counted there says nothing about one sandbox.
    """
    found = view.cgroups.get(group) if group != "/" else None
    return float("nan") if found is None else at(values, found.slot)


def group_total(view: HostView, sandbox: Sandbox, values: Array) -> float:
    """The sum over a sandbox's groups, without those that another one contains; NaN if none."""
    tops = [g for g in sandbox.groups if not any(g != o and is_below(g, o) for o in sandbox.groups)]
    known = [value for g in tops if (value := group_value(view, g, values)) == value]
    return sum(known) if known else float("nan")


def group_highest(view: HostView, sandbox: Sandbox, values: Array) -> float:
    """The highest value among a sandbox's groups; NaN when none was measured."""
    known = [value for g in sandbox.groups if (value := group_value(view, g, values)) == value]
    return max(known, default=float("nan"))
