"""How many confidential pods fit on a host: each number with where it comes from, or none.

One pod is one virtual machine is one slot of the platform. Sources: Linux
Documentation/admin-guide/cgroup-v2.rst (``misc.capacity``: sev, sev_es, tdx) and
arch/x86/amd-memory-encryption.rst (SEV-ES and SNP guests share the ASIDs below the limit that the
firmware sets); kata-deploy's runtime classes (overhead); kubelet's default of 110 pods.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from kataui import ssh, tools
from kataui.errors import KatauiError
from kataui.files import clean, size_text
from kataui.kata.classes import find
from kataui.kata.quantities import parse_bytes
from kataui.progress import Control

_MISC = ("fs/cgroup/misc.capacity", "fs/cgroup/unified/misc.capacity")
_DEFAULT_MAX_PODS = 110
_MOST_BYTES = 1 << 16
_MARK = "== "


class Platform(StrEnum):
    """What encrypts a guest's memory."""

    SEV = "sev"
    SEV_ES = "sev-es"
    SNP = "snp"
    TDX = "tdx"


_RESOURCES = {
    Platform.SEV: "sev",
    Platform.SEV_ES: "sev_es",
    Platform.SNP: "sev_es",
    Platform.TDX: "tdx",
}
_SLOTS = {
    Platform.SEV: "ASIDs for SEV",
    Platform.SEV_ES: "ASIDs for SEV-ES and SNP together",
    Platform.SNP: "ASIDs for SEV-ES and SNP together",
    Platform.TDX: "private keys of TDX",
}


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What is known of a host, and from where; None is not known.

    ``slots`` are by resource of the misc controller (``sev``, ``sev_es``, ``tdx``).
    """

    slots: Mapping[str, int] = field(default_factory=dict)
    memory_bytes: int | None = None
    slots_from: str = "nothing that was given"
    memory_from: str = "nothing that was given"


@dataclass(frozen=True, slots=True)
class Limit:
    """One bound: at most ``pods`` fit, or None when that is not known here; ``source`` says why."""

    name: str
    pods: int | None
    source: str


@dataclass(frozen=True, slots=True)
class Capacity:
    """``pods`` is the least of the known limits; it is only sure when ``known``."""

    pods: int | None
    known: bool
    sentence: str
    limits: tuple[Limit, ...]

    def as_json(self) -> dict[str, Any]:
        """As the command line's ``--json`` prints it."""
        return {
            "pods": self.pods,
            "known": self.known,
            "limits": [
                {"name": one.name, "pods": one.pods, "source": one.source} for one in self.limits
            ],
            "cannot_work": [
                {"feature": feature, "why": why, "source": source}
                for feature, why, source in CANNOT_WORK
            ],
        }


_KATA = "kata-containers, configuration-qemu-snp.toml.in and configuration-qemu-tdx.toml.in"
CANNOT_WORK = (
    (
        "virtio-fs with DAX, and every file system shared with the host",
        "the host cannot map files into memory that it cannot read: shared_fs is none",
        _KATA,
    ),
    (
        "KSM and other merging of pages",
        "each guest's pages are encrypted with a key of its own, so that none are alike",
        "Linux, arch/x86/amd-memory-encryption.rst",
    ),
    (
        "templates and caches of virtual machines",
        "a guest is measured when it starts; a copy of a running one cannot be",
        _KATA,
    ),
    (
        "hotplug of memory and CPUs",
        "what was not there at the measurement is not in it: static_sandbox_resource_mgmt",
        _KATA,
    ),
    ("ballooning and swapping guest memory out", "the host cannot move encrypted pages", _KATA),
)


def capacity(
    facts: HostFacts,
    *,
    runtime_class: str,
    pod_memory_bytes: int,
    platform: Platform | None = None,
    max_pods: int | None = None,
) -> Capacity:
    """How many pods fit. ``platform`` is needed where the class does not tell it.

    Raises ``KatauiError`` when neither is known.
    """
    known = find(runtime_class)
    if platform is None and (known is None or not known.confidential or known.tee == "se"):
        shown = clean(runtime_class, limit=80)
        raise KatauiError(f"What encrypts the memory of {shown} is not known.", hint="Use --tee.")
    tee = platform or Platform(known.tee if known else "")
    overhead = known.memory_bytes if known else 0
    each = pod_memory_bytes + overhead
    of = f"{size_text(pod_memory_bytes)} of the pod + {size_text(overhead)} overhead of the class"
    slots, memory = facts.slots.get(_RESOURCES[tee]), facts.memory_bytes
    by_slots = facts.slots_from if slots is not None else f"not in {facts.slots_from}"
    by_memory = (
        f"{size_text(memory)} ({facts.memory_from}) / ({of}); the host's own need is not taken off"
        if memory
        else f"not in {facts.memory_from}"
    )
    limits = (
        Limit(_SLOTS[tee], slots, by_slots),
        Limit("memory", memory // max(1, each) if memory else None, by_memory),
        Limit(
            "pods a node",
            _DEFAULT_MAX_PODS if max_pods is None else max_pods,
            "kubelet's default" if max_pods is None else "as given",
        ),
    )
    return _answer(limits)


def _answer(limits: tuple[Limit, ...]) -> Capacity:
    bounds = [one for one in limits if one.pods is not None]
    least = min(bounds, key=lambda one: one.pods or 0)
    missing = [one.name for one in limits if one.pods is None]
    pods = least.pods
    sentence = f"At most {pods} pods fit; {least.name} is the bound."
    if missing:
        sentence = f"No more than {pods} pods fit ({least.name}); it may be fewer: not known are "
        sentence += f"{' and '.join(missing)}."
    return Capacity(pods, not missing, sentence, limits)


def local_facts(sys_root: Path = Path("/sys"), proc_root: Path = Path("/proc")) -> HostFacts:
    """The facts of this host, or of a captured tree."""
    misc = "".join(_text(sys_root / name) for name in _MISC)
    return _facts("this host", misc, _text(proc_root / "meminfo"))


def remote_facts(host: str, control: Control) -> HostFacts:
    """Another host over ssh, which asks nothing. Raises ``KatauiError``."""
    files = [*(f"/sys/{name}" for name in _MISC), "/proc/meminfo"]
    command = f"for f in {' '.join(files)}; do echo '{_MARK}'$f; cat $f 2>/dev/null; done; true"
    done = tools.run(ssh.argv(host, command, batch=True), control=control)
    if done.status != 0:
        raise ssh.problem(host, done.status, done.stderr.splitlines(), batch=True)
    told = done.stdout.decode(errors="replace")
    parts = dict(part.partition("\n")[::2] for part in f"\n{told}".split(f"\n{_MARK}") if part)
    misc = "\n".join(parts.get(name, "") for name in files[:-1])
    return _facts(clean(host), misc, parts.get(files[-1], ""))


def facts_as_given(facts: HostFacts, memory: str, slots: str) -> HostFacts:
    """The facts with what somebody typed in their place; empty texts change nothing.

    Raises ``KatauiError`` when one is no quantity.
    """
    if memory:
        given = parse_bytes(memory)
        facts = replace(facts, memory_bytes=given, memory_from="as given")
    if slots:
        counted = dict.fromkeys(_RESOURCES.values(), int(slots))
        facts = replace(facts, slots=counted, slots_from="as given")
    return facts


def _facts(source: str, misc: str, meminfo: str) -> HostFacts:
    found = re.findall(r"^(\w+) (\d{1,9})$", misc, re.MULTILINE)
    slots = {name: int(value) for name, value in found}
    total = re.search(r"^MemTotal:\s+(\d{1,15}) kB", meminfo, re.MULTILINE)
    memory_bytes = int(total[1]) * 1024 if total else None
    return HostFacts(slots, memory_bytes, f"misc.capacity of {source}", f"meminfo of {source}")


def _text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return stream.read(_MOST_BYTES).decode(errors="replace")
    except OSError:
        return ""
