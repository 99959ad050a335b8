"""Real virtual machines for tests, started as Kata starts them, with a guest of 512 bytes.

A machine runs QEMU (KVM where /dev/kvm opens, else TCG) in a network namespace of its own, which
ends with it; its guest burns the first vCPU, the others are halted. Nothing stays: processes die
with their test (even when that is killed), control groups are removed.
"""

import contextlib
import itertools
import json
import os
import secrets
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

_LIMIT_S = 30.0
_CGROUPS = Path("/sys/fs/cgroup")
_BURNS = b"\xeb\xfe"  # jmp $; hlt would not rest under every KVM
_PERIOD_US = 100_000
_numbers = itertools.count()


def until(true: Callable[[], bool], what: str) -> None:
    """Wait for a condition, or fail saying what it was."""
    end_s = time.monotonic() + _LIMIT_S
    while not true():
        assert time.monotonic() < end_s, f"waited in vain: {what}"
        time.sleep(0.02)


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine that runs; ``vcpus`` are the tids of its vCPUs in order, as QEMU tells them."""

    id: str
    pid: int
    vcpus: tuple[int, ...]
    iothreads: tuple[int, ...]
    _qmp: "_Qmp" = field(repr=False)

    def pin(self, vcpu: int, cpu: int) -> None:
        """Let a vCPU run on one CPU only."""
        os.sched_setaffinity(self.vcpus[vcpu], {cpu})

    def stop(self) -> None:
        """The guest stands still."""
        self._qmp.ask("stop")

    def go_on(self) -> None:
        """The guest burns its first vCPU (again)."""
        self._qmp.ask("cont")

    def run_ns(self, tid: int) -> int:
        """How long a thread has run."""
        return int(Path(f"/proc/{self.pid}/task/{tid}/schedstat").read_text().split()[0])

    def waited_ns(self, tid: int) -> int:
        """How long a thread has waited for a CPU."""
        return int(Path(f"/proc/{self.pid}/task/{tid}/schedstat").read_text().split()[1])


@contextlib.contextmanager
def machine(
    qemu: str, *, named: bool = True, vcpus: int = 2, burns: bool = True
) -> Iterator[Machine]:
    """A machine with ``vcpus``; with ``burns`` false it never starts its guest (``-S``)."""
    if os.geteuid() != 0:
        pytest.skip("a network namespace and a tap need root")
    with tempfile.TemporaryDirectory(prefix="kataui-") as name:
        folder = Path(name)
        sector = _BURNS.ljust(510, b"\0") + b"\x55\xaa"
        (folder / "disk.img").write_bytes(sector.ljust(1 << 20, b"\0"))
        sandbox = secrets.token_hex(32)
        line = _line(qemu, folder, sandbox, vcpus=vcpus, named=named, burns=burns)
        with (folder / "words").open("wb") as words:
            process = subprocess.Popen(line, stdout=words, stderr=words, stdin=subprocess.DEVNULL)
        try:
            with _qmp(folder, process) as qmp:
                tids = [item["thread-id"] for item in qmp.ask("query-cpus-fast")]
                others = [item["thread-id"] for item in qmp.ask("query-iothreads")]
                yield Machine(sandbox, process.pid, tuple(tids), tuple(others), qmp)
        finally:
            process.kill()
            process.wait(_LIMIT_S)


def _line(
    qemu: str, folder: Path, sandbox: str, *, vcpus: int, named: bool, burns: bool
) -> list[str]:
    accelerator = "kvm" if os.access("/dev/kvm", os.R_OK | os.W_OK) else "tcg,thread=multi"
    return [
        *("setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--", qemu),
        *("-name", f"sandbox-{sandbox}{',debug-threads=on' if named else ''}"),
        *("-machine", "q35", "-accel", accelerator, "-smp", str(vcpus), "-m", "64"),
        *("-display", "none", "-nodefaults", "-serial", "none", "-no-user-config"),
        *("-object", "iothread,id=indep_iothread_0"),
        *("-drive", f"file={folder}/disk.img,format=raw,if=none,id=disk"),
        *("-device", "virtio-blk-pci,drive=disk,iothread=indep_iothread_0,bootindex=1"),
        *("-netdev", "tap,id=network-0,ifname=tap0_kata,script=no,downscript=no"),
        *("-device", "virtio-net-pci,netdev=network-0,mac=02:00:00:00:00:01,romfile="),
        *("-qmp", f"unix:{folder}/qmp.sock,server=on,wait=off"),
        *(() if burns else ("-S",)),
    ]


class _Qmp:
    """QMP, one question at a time (docs/interop/qmp-spec of QEMU)."""

    def __init__(self, line: socket.socket) -> None:
        self._file = line.makefile("rwb", buffering=0)
        self._file.readline()  # the greeting
        self.ask("qmp_capabilities")

    def ask(self, command: str) -> list[dict[str, int]]:
        """A command's answer; events in between are left out."""
        self._file.write(json.dumps({"execute": command}).encode() + b"\n")
        while True:
            said = self._file.readline()
            assert said, "QEMU is gone"
            answer = json.loads(said)
            assert "error" not in answer, answer
            if "return" in answer:
                return list(answer["return"])

    def close(self) -> None:
        self._file.close()


@contextlib.contextmanager
def _qmp(folder: Path, process: subprocess.Popen[bytes]) -> Iterator[_Qmp]:
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(_LIMIT_S)

        def connected() -> bool:
            assert process.poll() is None, (folder / "words").read_text()
            return line.connect_ex(str(folder / "qmp.sock")) == 0

        until(connected, "QEMU listens")
        qmp = _Qmp(line)
        with contextlib.closing(qmp):
            yield qmp


@dataclass(frozen=True, slots=True)
class Group:
    """A control group in all hierarchies that this host has."""

    path: str
    folders: tuple[Path, ...]

    def take(self, pid: int) -> None:
        """Move a process into it."""
        for folder in self.folders:
            (folder / "cgroup.procs").write_text(str(pid))


@contextlib.contextmanager
def group(quota_cores: float) -> Iterator[Group]:
    """A group with a CPU limit, with v1 (hybrid, too) or v2; gone in the end, with its processes.

    Skips where the limit cannot be set (not root, or no cpu controller to give).
    """
    path = f"/kataui-{os.getpid()}-{next(_numbers)}"
    quota = str(round(quota_cores * _PERIOD_US))
    with contextlib.ExitStack() as stack:
        try:
            folders = _made(path, stack)
            if (folders[0] / "cpu.max").exists():
                (folders[0] / "cpu.max").write_text(f"{quota} {_PERIOD_US}")
            else:
                (folders[0] / "cpu.cfs_quota_us").write_text(quota)
        except OSError as error:
            pytest.skip(f"no control group can be made here ({error.strerror})")
        yield Group(path, tuple(folders))


def _made(path: str, stack: contextlib.ExitStack) -> list[Path]:
    """The folders, the one with the limit first; v2 alone has one."""
    if (_CGROUPS / "cgroup.controllers").exists():
        (_CGROUPS / "cgroup.subtree_control").write_text("+cpu")
        roots = [_CGROUPS]
    else:
        names = ("cpu", "cpuacct", "unified")
        roots = list(
            dict.fromkeys((_CGROUPS / n).resolve() for n in names if (_CGROUPS / n).is_dir())
        )
    folders = []
    for root in roots:
        folder = root / path.strip("/")
        folder.mkdir()
        stack.callback(_removed, folder)
        folders.append(folder)
    return folders


def _removed(folder: Path) -> None:
    """Kill what is left in a group, and remove it when that is gone."""
    for pid in (folder / "cgroup.procs").read_text().split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), 9)

    def gone() -> bool:
        with contextlib.suppress(OSError):
            folder.rmdir()
        return not folder.exists()

    until(gone, f"{folder.name} is empty")
