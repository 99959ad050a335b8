"""A made-up host as files below ``proc`` and ``sys``, for whoever reads a real one.

Files are written in place: whoever keeps one open reads the new counters. Sources: ``hosttexts``
and ``tasktexts`` name those of each format.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from kataui.isolation.collector import roles
from kataui.isolation.model import Role
from kataui.isolation.syntheticgrouptexts import group_files
from kataui.isolation.synthetichosttexts import host_files
from kataui.isolation.syntheticmodel import World
from kataui.isolation.syntheticparts import Hypervisor, Link, Machine, Mode, Process
from kataui.isolation.synthetictasktexts import process_files, task_files

_LINK = "-> "  # a text that begins so is a symbolic link
_KVM_RUN = "0xae80"


class Tree:
    """The files of one host below ``root``; nothing else is touched there."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._written: dict[str, str] = {}

    def write(self, world: World, mode: Mode, links: list[Link]) -> None:
        """Make the files say what the world is; those of what is gone are removed."""
        wanted = dict(files(world, mode, links))
        for name in [name for name in self._written if name not in wanted]:
            self._remove(name)
        for name, text in wanted.items():
            if self._written.get(name) != text:
                self._put(name, text)
                self._written[name] = text

    def _put(self, name: str, text: str) -> None:
        path = f"{self._root}{name}"
        if name not in self._written:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        if text.startswith(_LINK):
            Path(path).unlink(missing_ok=True)
            Path(path).symlink_to(text[len(_LINK) :])
            return
        data = text.encode()
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            os.pwrite(handle, data, 0)  # never empty in between, as O_TRUNC would make it
            os.ftruncate(handle, len(data))
        finally:
            os.close(handle)

    def _remove(self, name: str) -> None:
        del self._written[name]
        path = Path(f"{self._root}{name}")
        path.unlink()
        for folder in path.parents:
            if folder == self._root or next(folder.iterdir(), None) is not None:
                return
            folder.rmdir()


def files(world: World, mode: Mode, links: list[Link]) -> Iterator[tuple[str, str]]:
    """Path and text of every file; links to elsewhere begin with an arrow."""
    yield from host_files(world, links)
    yield from facts_of(world, mode).items()
    for process in world.every:
        yield from _of_process(world, process, mode, links)
    for machine in world.machines:
        yield from _witnesses(machine)
    yield from group_files(world, mode)


def facts_of(world: World, mode: Mode) -> dict[str, str]:
    """What is fixed: CPUs, their topology, settings of the kernel."""
    online = ",".join(str(cpu.number) for cpu in world.online)
    found = {
        "/sys/devices/system/cpu/online": f"{online}\n",
        "/sys/devices/system/cpu/smt/active": "0\n",
        "/sys/devices/system/node/node0/cpulist": f"{online}\n",
        "/sys/module/kvm/parameters/halt_poll_ns": "200000\n",
        "/proc/sys/vm/swappiness": "60\n",
        "/proc/sys/kernel/task_delayacct": "0\n",
        "/proc/version": "Linux version 6.12.0-synthetic (kataui) #1 SMP PREEMPT_DYNAMIC\n",
    }
    for cpu in world.online:
        folder = f"/sys/devices/system/cpu/cpu{cpu.number}"
        found[f"{folder}/topology/thread_siblings_list"] = f"{cpu.number}\n"
        found[f"{folder}/cpufreq/scaling_governor"] = "performance\n"
    if mode is Mode.V2:
        controllers = "cpuset cpu io memory hugetlb pids rdma misc\n"
        found["/sys/fs/cgroup/cgroup.controllers"] = controllers
        found["/sys/fs/cgroup/cgroup.subtree_control"] = controllers
    elif mode is Mode.HYBRID:
        found["/sys/fs/cgroup/unified/cgroup.controllers"] = "\n"
    return found


def _of_process(
    world: World, process: Process, mode: Mode, links: list[Link]
) -> Iterator[tuple[str, str]]:
    folder = f"/proc/{process.pid}"
    owner = next((m for m in world.machines if process in m.processes), None)
    yield from process_files(folder, process, mode)
    inside = owner is not None and process.netns
    seen = [owner.tap, owner.inner] if owner and inside else links
    namespace = process.netns or 4026531840
    yield f"{folder}/ns/net", f"{_LINK}net:[{namespace}]"
    for task in process.tasks:
        yield from task_files(f"{folder}/task/{task.tid}", process, task, mode, seen)


def _witnesses(machine: Machine) -> Iterator[tuple[str, str]]:
    """What root can see of a VMM that does not name its threads."""
    spec, process = machine.spec, machine.primary
    if spec.named or spec.hypervisor is not Hypervisor.QEMU:
        return
    for task in process.tasks:
        if task.role is not Role.VCPU:
            continue
        if spec.evidence == roles.BY_DEBUGFS:
            folder = f"/sys/kernel/debug/kvm/{process.pid}-12/vcpu{task.index}"
            yield f"{folder}/pid", f"{task.tid}\n"
        elif spec.evidence == roles.BY_SYSCALL:
            handle = 20 + task.index
            call = f"16 {handle:#x} {_KVM_RUN} 0x0 0x0 0x0 0x0 0x7f0000000000 0x7f0000000010\n"
            yield f"/proc/{process.pid}/task/{task.tid}/syscall", call
            yield f"/proc/{process.pid}/fd/{handle}", f"{_LINK}anon_inode:kvm-vcpu:{task.index}"
