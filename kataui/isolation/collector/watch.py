"""What is watched: sandboxes with their processes, threads, cgroups and links; busy others."""

from __future__ import annotations

from kataui.isolation.collector import cgroups, commandline, files, pods, procfs, roles
from kataui.isolation.collector.entities import Entities
from kataui.isolation.collector.processes import Process, Processes
from kataui.isolation.collector.tables import CGROUP, NIC, PROCESS, SANDBOX
from kataui.isolation.collector.threads import Group

_ARGV_BYTES = 16 << 10
_VHOST_PREFIX = "vhost-"
_CONTROLLERS = ("cpu", "cpuacct", "cpuset", "memory", "io", "blkio", "")
_PART_ORDER = (commandline.VMM, commandline.SHIM, commandline.VIRTIOFSD)


class Member:
    """A watched process of a sandbox, or a busy one of the host."""

    __slots__ = ("group", "io", "process", "slot", "stat")

    def __init__(
        self, group: Group, process: Process, slot: int, folder: str, budget: files.Budget
    ) -> None:
        self.group = group
        self.process = process
        self.slot = slot
        self.stat = files.Kept(folder + "/stat", budget)
        self.io = files.Kept(folder + "/io", budget)

    def close(self) -> None:
        """Give the descriptors back."""
        self.group.close()
        self.stat.close()
        self.io.close()


class Sandbox:
    """One sandbox: identity, members, links."""

    __slots__ = (
        "groups",
        "key",
        "links",
        "members",
        "name",
        "network",
        "network_data",
        "network_found",
        "network_of",
        "slot",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.key = ""
        self.slot = -1
        self.members: dict[int, Member] = {}
        self.network: files.Kept | None = None
        self.network_of = ""
        self.network_data: bytes | None = None
        self.network_found: dict[str, list[int]] = {}
        self.links: dict[str, int] = {}
        self.groups: dict[str, cgroups.Cgroup] = {}


class Watch:
    """Keeps the entities in step with the host. ``roots``: where proc and sys are."""

    def __init__(self, roots: tuple[str, str], budget: files.Budget) -> None:
        self.roots = roots
        self.entities = Entities()
        self.processes = Processes(roots[0])
        self.mounts = cgroups.Mounts(roots[1])
        self.sandboxes: dict[str, Sandbox] = {}
        self.others: dict[int, Member] = {}
        self.cgroups: dict[str, cgroups.Cgroup] = {}
        self._budget = budget
        self._host = roots[0] == "/proc"

    def scan(self, now_s: float) -> None:
        """Find what came and went."""
        self.processes.scan()
        wanted: dict[str, dict[int, Process]] = {}
        owners = {}
        for process in self.processes.known.values():
            if process.member is not None:
                wanted.setdefault(process.member.sandbox, {})[process.pid] = process
                owners[process.pid] = process.member.sandbox
        for process in self.processes.known.values():  # vhost workers before Linux 6.4
            owner = process.comm[len(_VHOST_PREFIX) :]
            if (
                process.is_kernel_thread
                and process.comm.startswith(_VHOST_PREFIX)
                and owner.isdigit()
            ):
                name = owners.get(int(owner))
                if name is not None:
                    process.member = commandline.Member(commandline.VMM, name)
                    wanted[name][process.pid] = process
        for name in [name for name in self.sandboxes if name not in wanted]:
            self._end(self.sandboxes.pop(name))
        for name, members in wanted.items():
            self._update(name, members)
        self._update_others({process.pid: process for process in self.processes.busy(now_s)})

    def _update(self, name: str, members: dict[int, Process]) -> None:
        primary = min(members.values(), key=_importance)
        key = f"{name}@{primary.identity}"
        sandbox = self.sandboxes.get(name)
        if sandbox is not None and sandbox.key != key and _gone(sandbox, members):
            self._end(self.sandboxes.pop(name))
            sandbox = None
        if sandbox is None:
            sandbox = self.sandboxes[name] = Sandbox(name)
            sandbox.key = key
            sandbox.slot = self.entities.add(SANDBOX, {"id": name, "key": key})
        gone = [pid for pid, m in sandbox.members.items() if members.get(pid) is not m.process]
        for pid in gone:
            self._drop(sandbox.members.pop(pid))
        changed = bool(gone)
        for pid, process in members.items():
            if pid not in sandbox.members:
                sandbox.members[pid] = self._join(process, sandbox.key)
            changed = sandbox.members[pid].group.refresh() or changed
        if changed:
            self._describe(sandbox, primary)

    def _join(self, process: Process, sandbox: str) -> Member:
        folder = f"{self.roots[0]}/{process.pid}"
        group = Group(self.roots, process, self.entities, self._budget)
        group.sandbox = sandbox
        attributes = {
            "sandbox": sandbox,
            "pid": process.pid,
            "start": process.start,
            "comm": process.comm,
            "part": process.member.part if process.member else "",
            "argv": _bounded(process.argv),
        }
        slot = self.entities.add(PROCESS, attributes)
        return Member(group, process, slot, folder, self._budget)

    def _drop(self, member: Member) -> None:
        member.close()
        self.entities.remove(PROCESS, member.slot)

    def _update_others(self, busy: dict[int, Process]) -> None:
        for pid in [
            p for p, m in self.others.items() if self.processes.known.get(p) is not m.process
        ]:
            self._drop(self.others.pop(pid))
        for pid, process in busy.items():
            if pid not in self.others:
                self.others[pid] = self._join(process, "")
        for pid in self.others:
            self.others[pid].group.refresh()

    def _describe(self, sandbox: Sandbox, primary: Process) -> None:
        """Bring attributes, cgroups and the network file of a sandbox up to date."""
        used = {}
        for member in sandbox.members.values():
            for thread in member.group.threads.values():
                paths = thread.attributes["groups"]
                if isinstance(paths, dict) and thread.attributes["role"] in (
                    roles.VCPU,
                    roles.VMM,
                    roles.VIRTIOFSD,
                    roles.SHIM,
                ):
                    used[self._name(paths)] = paths
        self._update_groups(sandbox, used)
        main = self._paths_of(sandbox, primary)
        members = [m.process for m in sandbox.members.values()]
        hypervisors = [p.member.hypervisor for p in members if p.member and p.member.hypervisor]
        runtimes = [p.member.runtime for p in members if p.member and p.member.runtime]
        attributes = {
            "id": sandbox.name,
            "key": sandbox.key,
            "pid": primary.pid,
            "start": primary.start,
            "hypervisor": hypervisors[0] if hypervisors else self._without_vmm(sandbox),
            "runtime": runtimes[0] if runtimes else "",
            "groups": sorted(sandbox.groups),
            "group": self._name(main),
            "pod": pods.identify(sandbox.name, " ".join(main.values()), host=self._host),
            "netns": files.link(f"{self.roots[0]}/{primary.pid}/ns/net"),
        }
        self.entities.change(SANDBOX, sandbox.slot, attributes)
        self._find_network(sandbox, primary, remote=attributes["hypervisor"] == commandline.REMOTE)

    def _find_network(self, sandbox: Sandbox, primary: Process, *, remote: bool) -> None:
        """A VMM lives in the pod's network namespace; of a shim only its vCPU threads must."""
        threads = sandbox.members[primary.pid].group.threads.values()
        shim = primary.member is not None and primary.member.part == commandline.SHIM
        vcpus = [t.tid for t in threads if shim and t.attributes["role"] == roles.VCPU]
        task = f"{primary.pid}/task/{vcpus[0]}" if vcpus else f"{primary.pid}"
        path = "" if remote else f"{self.roots[0]}/{task}/net/dev"
        if path != sandbox.network_of:
            if sandbox.network is not None:
                sandbox.network.close()
            sandbox.network_of = path
            sandbox.network = files.Kept(path, self._budget) if path else None

    def _without_vmm(self, sandbox: Sandbox) -> str:
        """Dragonball lives in the shim, with vCPU threads there; a remote VM is elsewhere."""
        threads = [t for m in sandbox.members.values() for t in m.group.threads.values()]
        if any(thread.attributes["role"] == roles.VCPU for thread in threads):
            return commandline.DRAGONBALL
        return commandline.REMOTE

    def _paths_of(self, sandbox: Sandbox, primary: Process) -> dict[str, str]:
        """The cgroups of the vCPUs (v1 moves single threads), else of the main process."""
        threads = list(sandbox.members[primary.pid].group.threads.values())
        threads.sort(key=lambda thread: thread.attributes["role"] != roles.VCPU)
        paths = threads[0].attributes["groups"] if threads else {}
        return paths if isinstance(paths, dict) else {}

    def _name(self, paths: dict[str, str]) -> str:
        """One name for a place in the hierarchies: the cpu controller's path."""
        return paths.get("cpu") or paths.get("") or "/"

    def _update_groups(self, sandbox: Sandbox, used: dict[str, dict[str, str]]) -> None:
        """Watch the groups of the threads, and the pod's group above them."""
        wanted = dict(used)
        for paths in used.values():
            above = {c: p.rstrip("/").rpartition("/")[0] or "/" for c, p in paths.items()}
            if "pod" in self._name(above).rpartition("/")[2]:
                wanted[self._name(above)] = above
        for name in [name for name in sandbox.groups if name not in wanted]:
            self._release(name, sandbox.groups.pop(name))
        for name, paths in wanted.items():
            if name not in sandbox.groups:
                sandbox.groups[name] = self._hold(name, paths)

    def _hold(self, name: str, paths: dict[str, str]) -> cgroups.Cgroup:
        group = self.cgroups.get(name)
        if group is None:
            folders = {c: self.mounts.folder(c, paths) for c in _CONTROLLERS}
            group = self.cgroups[name] = cgroups.Cgroup(folders, self._budget)
            # as the host names them: that is how facts are named, too
            shown = {c: f and "/sys" + f[len(self.roots[1]) :] for c, f in folders.items()}
            given = {"path": name, "folders": shown, "mode": self.mounts.mode}
            group.slot = self.entities.add(CGROUP, given)
        group.users += 1
        return group

    def _release(self, name: str, group: cgroups.Cgroup) -> None:
        group.users -= 1
        if group.users == 0:
            group.close()
            self.entities.remove(CGROUP, group.slot)
            del self.cgroups[name]

    def _end(self, sandbox: Sandbox) -> None:
        for member in sandbox.members.values():
            self._drop(member)
        for name, group in sandbox.groups.items():
            self._release(name, group)
        for slot in sandbox.links.values():
            self.entities.remove(NIC, slot)
        if sandbox.network is not None:
            sandbox.network.close()
        self.entities.remove(SANDBOX, sandbox.slot)

    def links(self, sandbox: Sandbox, host: frozenset[str]) -> dict[str, list[int]]:
        """The counters of the links in a sandbox's network namespace, by name.

        Where that is the host's own (``disable_new_netns``) only Kata's taps are the sandbox's.
        """
        data = sandbox.network.read() if sandbox.network else None
        if data == sandbox.network_data:
            return sandbox.network_found
        found = procfs.network(data) if data else {}
        found.pop("lo", None)
        if host and host <= set(found):
            found = {name: values for name, values in found.items() if name.endswith("_kata")}
        for name in [name for name in sandbox.links if name not in found]:
            self.entities.remove(NIC, sandbox.links.pop(name))
        for name in found:
            if name not in sandbox.links:
                given = {"sandbox": sandbox.key, "name": name}
                sandbox.links[name] = self.entities.add(NIC, given)
        sandbox.network_data, sandbox.network_found = data, found
        return found


def _importance(process: Process) -> tuple[int, int, int]:
    """The VMM first, then the shim, then file servers; the older one of two."""
    part = process.member.part if process.member else commandline.SHIM
    return (process.is_kernel_thread, _PART_ORDER.index(part), process.start)


def _gone(sandbox: Sandbox, members: dict[int, Process]) -> bool:
    """Whether the process that named this sandbox is gone; a new one is a new generation."""
    identity = sandbox.key.rpartition("@")[2]
    return all(process.identity != identity for process in members.values())


def _bounded(argv: list[str]) -> list[str]:
    kept, size = [], 0
    for argument in argv:
        size += len(argument)
        if size > _ARGV_BYTES:
            break
        kept.append(argument)
    return kept
