"""The words of isolation: roles, threads, sandboxes, and the host as the stream describes it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from kataui.files import clean
from kataui.isolation.collector import procfs

_SHORT_ID = 12
_NODE = re.compile(r"/sys/devices/system/node/node(\d+)/cpulist")


class Role(StrEnum):
    """What a thread does; ``HOST`` is a thread outside of all sandboxes."""

    VCPU = "vcpu"
    VHOST = "vhost"
    IOTHREAD = "iothread"
    VIRTIOFSD = "virtiofsd"
    SHIM = "shim"
    VMM = "vmm"
    HOST = "host"


_ROLES = frozenset(Role)


@dataclass(frozen=True, slots=True)
class Thread:
    """One thread; ``slot`` is its row in the thread tables, ``index`` the vCPU's number or -1.

    ``sandbox`` is the key of its sandbox, empty for the host's own; ``actor`` names those.
    ``cpus`` are the host CPUs that it may use; ``evidence`` says how its role is known.
    """

    slot: int
    tid: int
    pid: int
    name: str
    role: Role
    index: int
    evidence: str
    sandbox: str
    actor: str
    cpus: tuple[int, ...]
    groups: Mapping[str, str] = field(repr=False)

    @property
    def pinned(self) -> bool:
        """Whether it may use one CPU only."""
        return len(self.cpus) == 1

    @property
    def group(self) -> str:
        """Its control group: the path in the cpu hierarchy (v1), or in the unified one."""
        return self.groups.get("cpu") or self.groups.get("") or "/"


@dataclass(frozen=True, slots=True)
class Process:
    """A process that is watched; ``part`` is vmm, shim, virtiofsd, or empty for the host's."""

    slot: int
    pid: int
    part: str
    comm: str
    sandbox: str
    argv: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Link:
    """A network link; ``sandbox`` is empty for the host's own."""

    slot: int
    name: str
    sandbox: str


@dataclass(frozen=True, slots=True)
class Cgroup:
    """A control group; ``folders`` by v1 controller, ``""`` is the unified hierarchy."""

    slot: int
    path: str
    folders: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Disk:
    """A block device; ``number`` is "major:minor"."""

    slot: int
    name: str
    number: str


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A Kata sandbox: one pod's virtual machine and its helpers. ``key`` outlives nothing."""

    slot: int
    key: str
    id: str
    hypervisor: str
    runtime: str
    pid: int
    pod_name: str
    namespace: str
    pod_uid: str
    qos: str
    group: str
    groups: tuple[str, ...]
    netns: str
    threads: tuple[Thread, ...] = field(repr=False)
    processes: tuple[Process, ...] = field(repr=False)
    links: tuple[Link, ...] = field(repr=False)

    @property
    def name(self) -> str:
        """What people call it: namespace/pod, or the beginning of its id."""
        if self.pod_name:
            return f"{self.namespace}/{self.pod_name}" if self.namespace else self.pod_name
        return self.id[:_SHORT_ID]

    def of_role(self, *roles: Role) -> tuple[Thread, ...]:
        """Its threads of some roles."""
        return tuple(thread for thread in self.threads if thread.role in roles)

    def process(self, part: str) -> Process | None:
        """The first process of a part (vmm, shim, virtiofsd)."""
        return next((item for item in self.processes if item.part == part), None)

    @property
    def argv(self) -> tuple[str, ...]:
        """The hypervisor's command line; empty when there is no such process."""
        process = self.process("vmm")
        return process.argv if process else ()


@dataclass(frozen=True, slots=True)
class HostView:
    """Everything that is there at one moment, and the facts about the host.

    ``facts`` maps a path to the text of that file on the host; what could not be read is absent.
    """

    head: Mapping[str, Any]
    facts: Mapping[str, str] = field(repr=False)
    sandboxes: tuple[Sandbox, ...]
    threads: tuple[Thread, ...] = field(repr=False)
    processes: tuple[Process, ...] = field(repr=False)
    cgroups: Mapping[str, Cgroup] = field(repr=False)
    links: tuple[Link, ...] = field(repr=False)
    disks: tuple[Disk, ...]
    cpus: tuple[tuple[int, int], ...]  # CPU number and its slot
    by_key: Mapping[str, Sandbox] = field(repr=False)
    numa_nodes: Mapping[int, tuple[int, ...]]  # one node with all CPUs when the host does not say

    def fact(self, path: str) -> str | None:
        """A file of the host, stripped; None when it could not be read."""
        text = self.facts.get(path)
        return None if text is None else text.strip()

    def number(self, path: str) -> int | None:
        """A file of the host that holds one integer."""
        text = self.fact(path)
        return int(text) if text is not None and text.lstrip("-").isdigit() else None

    def matching(self, prefix: str, suffix: str = "") -> dict[str, str]:
        """Facts whose path begins and ends so; the part between is the key."""
        return {
            path[len(prefix) : len(path) - len(suffix)]: text.strip()
            for path, text in self.facts.items()
            if path.startswith(prefix) and path.endswith(suffix) and len(path) > len(prefix)
        }

    def group_fact(self, group: str, controller: str, name: str) -> str | None:
        """A file of a control group, in the hierarchy of ``controller`` ("" is the unified one)."""
        found = self.cgroups.get(group)
        folder = found.folders.get(controller, "") if found else ""
        return self.fact(f"{folder}/{name}") if folder else None

    @property
    def root(self) -> bool:
        """Whether the collector runs as root: what needs a right was read, or is not there."""
        return bool(self.head.get("root"))

    @property
    def name(self) -> str:
        """The host's name."""
        return clean(str(self.head.get("host") or "unknown host"), limit=80)


def host_view(
    head: Mapping[str, Any],
    facts: Mapping[str, str],
    entities: Mapping[str, Mapping[int, Mapping[str, Any]]],
) -> HostView:
    """The typed view of what a ``stream.Decoder`` knows; text from the host is bounded."""
    threads = tuple(_thread(slot, given) for slot, given in entities["thread"].items())
    processes = [_process(slot, given) for slot, given in entities["process"].items()]
    links = [
        Link(slot, _text(given, "name"), _text(given, "sandbox"))
        for slot, given in entities["nic"].items()
    ]
    parts = _Parts(_grouped(threads), _grouped(processes), _grouped(links))
    sandboxes = tuple(_sandbox(slot, given, parts) for slot, given in entities["sandbox"].items())
    numbers = sorted((_integer(given, "cpu"), slot) for slot, given in entities["cpu"].items())
    return HostView(
        head=head,
        facts=facts,
        sandboxes=sandboxes,
        threads=threads,
        processes=tuple(processes),
        cgroups={
            _text(given, "path"): Cgroup(slot, _text(given, "path"), _strings(given.get("folders")))
            for slot, given in entities["cgroup"].items()
        },
        links=tuple(link for link in links if not link.sandbox),
        disks=tuple(
            Disk(slot, _text(given, "name"), _text(given, "number"))
            for slot, given in entities["disk"].items()
        ),
        cpus=tuple(numbers),
        by_key={sandbox.key: sandbox for sandbox in sandboxes},
        numa_nodes=_numa_nodes(facts) or {0: tuple(cpu for cpu, _ in numbers)},
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    """Threads, processes and links by the key of their sandbox."""

    threads: Mapping[str, list[Thread]]
    processes: Mapping[str, list[Process]]
    links: Mapping[str, list[Link]]


_Item = TypeVar("_Item", Thread, Process, Link)


def _grouped(items: Iterable[_Item]) -> dict[str, list[_Item]]:
    found: dict[str, list[_Item]] = {}
    for item in items:
        found.setdefault(item.sandbox, []).append(item)
    return found


def _numa_nodes(facts: Mapping[str, str]) -> dict[int, tuple[int, ...]]:
    nodes = {}
    for path, text in facts.items():
        match = _NODE.fullmatch(path)
        if match:
            nodes[int(match.group(1))] = tuple(procfs.cpu_list(text))
    return dict(sorted(nodes.items()))


def _sandbox(slot: int, given: Mapping[str, Any], parts: _Parts) -> Sandbox:
    key = _text(given, "key")
    pod = _strings(given.get("pod"))
    groups = given.get("groups")
    return Sandbox(
        slot=slot,
        key=key,
        id=_text(given, "id"),
        hypervisor=_text(given, "hypervisor"),
        runtime=_text(given, "runtime"),
        pid=_integer(given, "pid"),
        pod_name=pod.get("name", ""),
        namespace=pod.get("namespace", ""),
        pod_uid=pod.get("uid", ""),
        qos=pod.get("qos", ""),
        group=_text(given, "group"),
        groups=tuple(str(name) for name in groups) if isinstance(groups, list) else (),
        netns=_text(given, "netns"),
        threads=tuple(parts.threads.get(key, ())),
        processes=tuple(parts.processes.get(key, ())),
        links=tuple(parts.links.get(key, ())),
    )


def _thread(slot: int, given: Mapping[str, Any]) -> Thread:
    role = _text(given, "role")
    return Thread(
        slot=slot,
        tid=_integer(given, "tid"),
        pid=_integer(given, "pid"),
        name=_text(given, "name"),
        role=Role(role) if role in _ROLES else Role.HOST,
        index=_integer(given, "index"),
        evidence=_text(given, "evidence"),
        sandbox=_text(given, "sandbox"),
        actor=_text(given, "actor"),
        cpus=tuple(procfs.cpu_list(_text(given, "cpus"))),
        groups=_strings(given.get("groups")),
    )


def _process(slot: int, given: Mapping[str, Any]) -> Process:
    argv = given.get("argv")
    return Process(
        slot=slot,
        pid=_integer(given, "pid"),
        part=_text(given, "part"),
        comm=_text(given, "comm"),
        sandbox=_text(given, "sandbox"),
        argv=tuple(str(text) for text in argv) if isinstance(argv, list) else (),
    )


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    return clean(value, limit=512) if isinstance(value, str) else ""


def _integer(given: Mapping[str, Any], name: str) -> int:
    value = given.get(name)
    return value if isinstance(value, int) else -1


def _strings(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {str(k): clean(v, limit=512) for k, v in value.items() if isinstance(v, str)}
