"""How large a virtual machine Kata boots for a pod, and what the scheduler charges for it.

Sources: kubelet's calculateSandboxResources and k8s.io/component-helpers resource.PodLimits (what
Kata is told: the sum of the containers, or the largest init container with the sidecars before
it); runtime-rs initial_size_manager (the guest gets the limits and its own overhead, and the
default size only without any limit); Go virtcontainers and static sizing (the limits are added to
the default size); scheduling.RuntimeClass overhead.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any

from kataui.kata.classes import RuntimeClass, find
from kataui.kata.manifest import mapping_at
from kataui.kata.pods import is_sidecar
from kataui.kata.quantities import QuantityError, parse_bytes, parse_cpus

_MIB = 1 << 20
DEFAULT_MEMORY_BYTES = 2048 * _MIB
DEFAULT_VCPUS = 1
_GUEST_MIB = {"": 32, "dev": 32, "snp": 128, "tdx": 128, "se": 768}  # overhead_memory
_GUEST_CPUS = {"": Decimal("0.2"), "dev": Decimal("0.2")}  # overhead_vcpus
_TEE_CPUS = Decimal("0.4")


@dataclass(frozen=True, slots=True)
class VmSize:
    """The guest that boots, and the pod that is scheduled: requests and the class's overhead."""

    vcpus: int
    memory_bytes: int
    charged_cpus: Decimal
    charged_bytes: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sums:
    """What the containers of a pod ask for together; None: none of them says anything."""

    cpu_limit: Decimal | None
    memory_limit: Decimal | None
    cpu_request: Decimal | None
    memory_request: Decimal | None


def size(spec: Mapping[str, Any], runtime_class: str) -> VmSize | None:
    """The machine of a pod with this spec; None when nothing is known of the class.

    Quantities that cannot be read (placeholders) count as absent, which the notes say.
    """
    known = find(runtime_class)
    if known is None:
        return None
    notes: list[str] = [] if known.runtime else [f"The overhead of {runtime_class} is a guess."]
    asked = sums(spec, notes)
    limits = (asked.cpu_limit, asked.memory_limit)
    vcpus, memory = _rust(known, limits, notes) if _is_static(known) else _go(known, limits, notes)
    charged_cpus = (asked.cpu_request or Decimal(0)) + known.cpus
    charged_bytes = int(asked.memory_request or 0) + known.memory_bytes
    return VmSize(vcpus, memory, charged_cpus, charged_bytes, tuple(dict.fromkeys(notes)))


def told(found: VmSize) -> str:
    """The size in two sentences for people."""
    return (
        f"Kata boots {_cpus(Decimal(found.vcpus))} and {_gib(found.memory_bytes)}. "
        f"The scheduler charges {_cpus(found.charged_cpus)} and {_gib(found.charged_bytes)}."
    )


def sums(spec: Mapping[str, Any], notes: list[str] | None = None) -> Sums:
    """What kubelet tells Kata: limits and requests of the pod as a whole, without overhead."""
    said = [] if notes is None else notes
    return Sums(
        _pod_sum(spec, "limits", "cpu", said),
        _pod_sum(spec, "limits", "memory", said),
        _pod_sum(spec, "requests", "cpu", said),
        _pod_sum(spec, "requests", "memory", said),
    )


def _is_static(known: RuntimeClass) -> bool:
    return known.runtime != "go"


def _rust(
    known: RuntimeClass, limits: tuple[Decimal | None, Decimal | None], notes: list[str]
) -> tuple[int, int]:
    cpus, memory = limits
    if not known.runtime:
        notes.append("It is counted as on the Rust runtime, Kata's default.")
    if not cpus and not memory:
        notes.append("Without limits Kata boots its default size.")
        return DEFAULT_VCPUS, DEFAULT_MEMORY_BYTES
    if not memory:
        notes.append("A CPU limit without a memory limit leaves the guest next to no memory.")
    extra = _GUEST_CPUS.get(known.tee, _TEE_CPUS)
    vcpus = _up((cpus or Decimal(0)) + extra)
    return vcpus, int(memory or 0) + _GUEST_MIB[known.tee] * _MIB


def _go(
    known: RuntimeClass, limits: tuple[Decimal | None, Decimal | None], notes: list[str]
) -> tuple[int, int]:
    cpus, memory = limits
    if known.hypervisor == "remote":
        notes.append("The cloud's instance type decides; this is what it must at least have.")
        return max(_up(cpus or Decimal(1)), 1), int(memory or DEFAULT_MEMORY_BYTES)
    if memory:
        notes.append("The Go runtime adds the limits to its default size.")
    return _up(DEFAULT_VCPUS + (cpus or Decimal(0))), DEFAULT_MEMORY_BYTES + int(memory or 0)


def _pod_sum(
    spec: Mapping[str, Any], which: str, resource: str, notes: list[str]
) -> Decimal | None:
    """As PodLimits and PodRequests: pod-level resources first, else the containers' sum."""
    whole = _amount(spec, which, resource, notes)
    if whole is not None:
        return whole
    running = _listed(spec, "containers", which, resource, notes)
    sidecars: list[Decimal] = []
    peaks: list[Decimal] = []
    for container in _containers(spec, "initContainers"):
        amount = _amount(container, which, resource, notes)
        if is_sidecar(container):
            sidecars += [] if amount is None else [amount]
        elif amount is not None:
            peaks.append(amount + sum(sidecars))
    together = [sum(running + sidecars, Decimal(0))] if running or sidecars else []
    return max(together + peaks, default=None)


def _containers(spec: Mapping[str, Any], group: str) -> list[Mapping[str, Any]]:
    found = spec.get(group)
    return [c for c in found if isinstance(c, dict)] if isinstance(found, list) else []


def _listed(
    spec: Mapping[str, Any], group: str, which: str, resource: str, notes: list[str]
) -> list[Decimal]:
    amounts = (_amount(c, which, resource, notes) for c in _containers(spec, group))
    return [amount for amount in amounts if amount is not None]


def _amount(
    container: Mapping[str, Any], which: str, resource: str, notes: list[str]
) -> Decimal | None:
    """What one container says; a request that is absent is its limit (defaulting of the API)."""
    resources = container.get("resources")
    if not isinstance(resources, dict):
        return None
    value = mapping_at(resources, (which,)).get(resource)
    if value is None and which == "requests":
        value = mapping_at(resources, ("limits",)).get(resource)
    if value is None:
        return None
    parse: Callable[[object], Decimal | int] = parse_cpus if resource == "cpu" else parse_bytes
    try:
        return Decimal(parse(value))
    except QuantityError:
        notes.append("A quantity that cannot be read counts as absent.")
        return None


def _up(cpus: Decimal) -> int:
    return int(cpus.to_integral_value(ROUND_CEILING))


def _cpus(cpus: Decimal) -> str:
    text = f"{cpus.quantize(Decimal('0.01')):f}".rstrip("0").rstrip(".")
    return f"{text} CPU" if text == "1" else f"{text} CPUs"


def _gib(size_bytes: int) -> str:
    if size_bytes < 1 << 30:
        return f"{size_bytes / _MIB:.0f} MiB"
    return f"{size_bytes / (1 << 30):.2f}".rstrip("0").rstrip(".") + " GiB"
