"""What a collector would call the parts of a made-up host: entities and facts of the stream."""

from typing import Any

from kataui.isolation.collector import pods, procfs
from kataui.isolation.collector.tables import (
    CGROUP,
    CPU,
    DISK,
    HOST,
    NIC,
    PROCESS,
    SANDBOX,
    THREAD,
)
from kataui.isolation.model import Role
from kataui.isolation.syntheticgrouptexts import group_files
from kataui.isolation.synthetichost import Host
from kataui.isolation.syntheticmachine import evidence
from kataui.isolation.syntheticparts import Group, Machine, Mode, Process, Task
from kataui.isolation.synthetictasktexts import cgroup, cpu_list, status

Key = tuple[Any, ...]  # the space, and what tells one entity from others there
_LIMITS = ("cpu.max", "cpu.weight", "memory.max", "cpu.cfs_quota_us", "cpu.cfs_period_us")
_CONTROLLERS = ("cpu", "cpuacct", "cpuset", "memory", "io", "blkio", "")
_V1_FOLDERS = {"cpu": "cpu,cpuacct", "cpuacct": "cpu,cpuacct"}
_V1_CONTROLLERS = ("cpu", "cpuacct", "cpuset", "memory", "blkio")


def entities(host: Host) -> dict[Key, dict[str, Any]]:
    """Attributes by key; the keys match those of ``syntheticstream.rows_of``."""
    world = host.world
    found: dict[Key, dict[str, Any]] = {(HOST,): {}}
    for cpu in world.online:
        found[CPU, cpu.number] = {"cpu": cpu.number}
    for disk in world.disks:
        found[DISK, disk.name] = {"name": disk.name, "number": disk.number}
    for link in (*host.links, *(machine.veth for machine in world.machines)):
        found[NIC, "", link.name] = {"sandbox": "", "name": link.name}
    for machine in world.machines:
        _add_machine(found, machine, host.mode)
    for process in world.processes:
        if process.pid > 2:
            _add_process(found, process, "", host.mode)
    return found


def facts(host: Host) -> dict[str, str]:
    """The facts: of the host, the limits of groups, and what each hypervisor's memory is."""
    found = host.facts
    for path, text in group_files(host.world, host.mode):
        if path.rpartition("/")[2] in _LIMITS:
            found[path] = text
    for machine in host.world.machines:
        process = machine.primary
        found[f"/proc/{process.pid}/status"] = status(process, process.main)
    return found


def _add_machine(found: dict[Key, dict[str, Any]], machine: Machine, mode: Mode) -> None:
    primary = machine.primary
    key = f"{machine.id}@{primary.pid}.{primary.start}"
    main = next(iter(machine.of_role(Role.VCPU)), primary.main).group
    found[SANDBOX, machine.id] = {
        "id": machine.id,
        "key": key,
        "pid": primary.pid,
        "start": primary.start,
        "hypervisor": machine.spec.hypervisor.value,
        "runtime": machine.spec.runtime.value,
        "groups": sorted(group.path for group in machine.groups),
        "group": main.path,
        "pod": {
            **pods.identify(machine.id, main.path, host=False),
            "name": machine.spec.name,
            "namespace": "default",
        },
        "netns": f"net:[{primary.netns}]",
    }
    for link in (machine.tap, machine.inner):
        found[NIC, machine.id, link.name] = {"sandbox": key, "name": link.name}
    for group in machine.groups:
        found[CGROUP, group.path] = _group(group, mode)
    for process in machine.processes:
        _add_process(found, process, key, mode, machine)


def _add_process(
    found: dict[Key, dict[str, Any]],
    process: Process,
    sandbox: str,
    mode: Mode,
    machine: Machine | None = None,
) -> None:
    found[PROCESS, process.pid, process.start] = {
        "sandbox": sandbox,
        "pid": process.pid,
        "start": process.start,
        "comm": process.comm,
        "part": process.part,
        "argv": list(process.argv),
    }
    for task in process.tasks:
        found[THREAD, task.tid, process.start] = _thread(process, task, sandbox, mode, machine)


def _thread(
    process: Process, task: Task, sandbox: str, mode: Mode, machine: Machine | None
) -> dict[str, Any]:
    return {
        "sandbox": sandbox,
        "actor": "" if sandbox else process.comm,
        "role": task.role.value,
        "index": task.index,
        "evidence": evidence(machine.spec, process, task) if machine else "process",
        "pid": process.pid,
        "tid": task.tid,
        "start": process.start,
        "name": task.name,
        "cpus": cpu_list(task.cpus),
        "policy": 0,
        "groups": procfs.cgroup_paths(cgroup(task.group, mode).encode()),
    }


def _group(group: Group, mode: Mode) -> dict[str, Any]:
    root = "/sys/fs/cgroup"
    if mode is Mode.V2:
        folders = dict.fromkeys(_CONTROLLERS, root + group.path)
    else:
        folders = dict.fromkeys(_CONTROLLERS, "")
        for name in _V1_CONTROLLERS:
            folders[name] = f"{root}/{_V1_FOLDERS.get(name, name)}{group.path}"
    return {"path": group.path, "folders": folders, "mode": mode.value}
