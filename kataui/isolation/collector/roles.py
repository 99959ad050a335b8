"""Which role a thread has, and by what evidence.

Names come first; where a hypervisor does not name its threads, the order of reference is: KVM's
debugfs, the system call that the thread is in, the signals that it takes, guest time, and the order
in which QEMU creates threads. The evidence goes into the stream, for a guess must look like one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kataui.isolation.collector import commandline, files, procfs

VCPU = "vcpu"
VHOST = "vhost"
IOTHREAD = "iothread"
VIRTIOFSD = "virtiofsd"
SHIM = "shim"
VMM = "vmm"

BY_NAME = "name"
BY_DEBUGFS = "debugfs"
BY_SYSCALL = "syscall"
BY_SIGNALS = "signal mask"
BY_GUEST_TIME = "guest time"
BY_ORDER = "creation order"
BY_PROCESS = "process"

_VCPU_NAMES = re.compile(
    r"(?:CPU (\d+)/KVM|CPU (\d+)/TCG|fc_vcpu (\d+)|vcpu(\d+)|db_vcpu(\d+)|vp-(\d+))$"
)
_IO_NAMES = re.compile(r"IO |blk_iothread_q|.*_q(p)?\d+$|iou-wrk-|iou-sqp-")
_VHOST = re.compile(r"vhost-(\d+)$")
_KVM_RUN = 0xAE80  # _IO(KVMIO, 0x80), include/uapi/linux/kvm.h
_IOCTLS = ("16", "29")  # the system call's number on x86-64, on arm64
_KERNEL_MADE = ("kvm-nx-lpage-re", "kvm-pit/")
_MONITOR = "IO mon_iothread"  # serves QMP, no device
# QEMU blocks all signals in its threads, but KVM vCPUs take SIGBUS (7) and SIG_IPI, which is
# SIGUSR1 (10): util/qemu-thread-posix.c and kvm_init_cpu_signals in accel/kvm/kvm-all.c
_VCPU_SIGNALS = 1 << (7 - 1) | 1 << (10 - 1)


class Role:
    """What a thread does: role, its index among its like (vCPU number, else -1), evidence."""

    __slots__ = ("evidence", "index", "role")

    def __init__(self, role: str, index: int = -1, evidence: str = BY_NAME) -> None:
        self.role = role
        self.index = index
        self.evidence = evidence


def by_name(part: str, name: str) -> Role | None:
    """The role that a thread's name tells; None where the name tells nothing."""
    role = None
    vcpu = _VCPU_NAMES.match(name)
    if _VHOST.match(name):
        role = Role(VHOST)
    elif part == commandline.VIRTIOFSD:
        role = Role(VIRTIOFSD, evidence=BY_PROCESS)
    elif vcpu:
        role = Role(VCPU, next(int(group) for group in vcpu.groups() if group))
    elif name == _MONITOR:
        role = Role(VMM)
    elif name.startswith("blk_iothread_q") or (part != commandline.SHIM and _IO_NAMES.match(name)):
        role = Role(IOTHREAD)
    elif part == commandline.SHIM:
        role = Role(SHIM, evidence=BY_PROCESS)
    elif name.startswith(_KERNEL_MADE):
        role = Role(VMM)
    return role


class Unnamed:
    """The threads of a VMM whose names all read like the program; finds the vCPUs among them."""

    __slots__ = ("_count", "_debug", "_iothreads", "_monitors", "_pid", "_proc", "_seen", "_takes")

    def __init__(self, proc: str, sys: str, pid: int, argv: list[str]) -> None:
        self._proc = proc
        self._pid = pid
        self._count = vcpu_count(argv)
        self._iothreads = sum(given.startswith("iothread,") for given in argv)
        self._monitors = int("-qmp" in argv)  # its iothread is made after the others
        self._takes: set[int] = set()
        self._debug = sys + "/kernel/debug/kvm"
        self._seen: dict[int, Role] = {}

    def roles(self, threads: dict[int, procfs.Stat], named: dict[int, Role]) -> dict[int, Role]:
        """Roles by tid for ``threads`` (tid to stat) that no name explained.

        ``named`` are the threads that have names: up to QEMU 7.2 even ``debug-threads=on`` names
        only what starts to run after that option was read, which iothreads mostly do not.
        """
        found: dict[int, Role] = {}
        if not any(role.role == VCPU for role in named.values()):
            found = self._by_debugfs(threads) or self._by_syscall(threads)
            found = found or self._by_signals(threads) or self._by_guest_time(threads)
            found = found or self._by_order(threads)
        main = threads.get(self._pid)
        plain = {t: s for t, s in threads.items() if main and s.comm == main.comm}
        iothreads = self._unnamed_iothreads(plain, {*threads, *named}, named)
        for tid in threads:
            if tid not in found and tid in plain and tid != self._pid:
                found[tid] = Role(IOTHREAD if tid in iothreads else VMM, -1, BY_ORDER)
            elif tid not in found:
                found[tid] = Role(VMM, evidence=BY_PROCESS)
        return found

    def _unnamed_iothreads(
        self, plain: dict[int, procfs.Stat], everything: set[int], named: dict[int, Role]
    ) -> list[int]:
        """Those made after call_rcu, the first thread of all; each may have got its name."""
        first = next(iter(self._in_order(everything)), -1)
        others = [tid for tid in self._in_order(plain) if tid != first]
        missing = self._iothreads - sum(role.role == IOTHREAD for role in named.values())
        return others[: max(0, missing)]

    def _in_order(self, tids: Iterable[int]) -> list[int]:
        """All but the main thread, as they were made: tids go on from its own, then round."""
        return sorted((tid for tid in tids if tid != self._pid), key=self._after_main)

    def _after_main(self, tid: int) -> tuple[bool, int]:
        return tid < self._pid, tid

    def _by_debugfs(self, threads: dict[int, procfs.Stat]) -> dict[int, Role]:
        """``/sys/kernel/debug/kvm/PID-FD/vcpuN/pid`` (Linux 6.0, root)."""
        roles = {}
        for name in files.listing(self._debug):
            if not name.startswith(f"{self._pid}-"):
                continue
            for entry in files.listing(f"{self._debug}/{name}"):
                if not entry.startswith("vcpu"):
                    continue
                text = files.read(f"{self._debug}/{name}/{entry}/pid") or b""
                if text.strip().isdigit() and entry[4:].isdigit() and int(text) in threads:
                    roles[int(text)] = Role(VCPU, int(entry[4:]), BY_DEBUGFS)
        return roles

    def _by_syscall(self, threads: dict[int, procfs.Stat]) -> dict[int, Role]:
        """A thread in ioctl(KVM_RUN) is a vCPU; what was seen once stays (they also run)."""
        for tid in threads:
            if tid in self._seen:
                continue
            text = files.read(f"{self._proc}/{self._pid}/task/{tid}/syscall") or b""
            fields = text.decode("ascii", "replace").split()
            if len(fields) < 4 or fields[0] not in _IOCTLS or int(fields[2], 16) != _KVM_RUN:
                continue
            index = files.link(f"{self._proc}/{self._pid}/fd/{int(fields[1], 16)}")
            match = re.search(r"kvm-vcpu:(\d+)", index)
            self._seen[tid] = Role(VCPU, int(match.group(1)) if match else -1, BY_SYSCALL)
        known = {tid: role for tid, role in self._seen.items() if tid in threads}
        return known if len(known) >= self._count else {}

    def _by_signals(self, threads: dict[int, procfs.Stat]) -> dict[int, Role]:
        """Needs no right; with KVM only, and only threads of QEMU have such masks."""
        for tid in threads:
            if tid not in self._takes:
                data = files.read(f"{self._proc}/{self._pid}/task/{tid}/status") or b""
                text = procfs.colon_values(data).get("SigBlk", "0")
                mask = int(text, 16) if re.match(r"[0-9a-f]{1,16}$", text) else 0
                if mask.bit_length() > 32 and not mask & _VCPU_SIGNALS:
                    self._takes.add(tid)
        vcpus = self._in_order(tid for tid in threads if tid in self._takes)
        if len(vcpus) < self._count:
            return {}
        return {tid: Role(VCPU, index, BY_SIGNALS) for index, tid in enumerate(vcpus)}

    def _by_guest_time(self, threads: dict[int, procfs.Stat]) -> dict[int, Role]:
        """Guest time is booked to vCPU threads only; not so on every kind of KVM."""
        entered = [tid for tid, stat in threads.items() if stat.field(43) > 0]
        if len(entered) < self._count:
            return {}
        return {
            tid: Role(VCPU, index, BY_GUEST_TIME)
            for index, tid in enumerate(self._in_order(entered))
        }

    def _by_order(self, threads: dict[int, procfs.Stat]) -> dict[int, Role]:
        """QEMU starts main, call_rcu, iothreads, then the vCPUs in a row; workers come later."""
        others = self._in_order(threads)
        begin = 1 + self._iothreads + self._monitors
        vcpus = others[begin : begin + self._count]
        if len(vcpus) < self._count:
            return {}
        return {tid: Role(VCPU, index, BY_ORDER) for index, tid in enumerate(vcpus)}


def vcpu_count(argv: list[str]) -> int:
    """How many vCPUs QEMU starts with (``-smp 2,maxcpus=8`` or ``-smp cpus=2``)."""
    text = commandline.value_of(argv, "-smp")
    for part in text.split(","):
        name, equals, value = part.rpartition("=")
        if name in ("", "cpus") and value.isdigit() and (equals or name == ""):
            return int(value)
    return 1
