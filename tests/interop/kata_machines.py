"""Real virtual machines, started as Kata starts them: QEMU with KVM where that opens, else TCG."""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

QEMU = "qemu-system-x86_64"
_BOOT = b"\xeb\xfe" + bytes(508) + b"\x55\xaa"  # jmp $: burns its vCPU for ever
_PATIENCE_S = 90.0  # a busy host gives it little
_FIRST = -20  # nice: on a busy host the machines still fight with one another only


@dataclass(slots=True)
class Machine:
    """A running machine: its sandbox id, process, and the helpers that tests need."""

    sandbox: str
    process: subprocess.Popen[bytes]
    vcpus: int
    groups: list[Path] = field(default_factory=list)

    @property
    def pid(self) -> int:
        """The hypervisor's process."""
        return self.process.pid

    def threads(self) -> dict[int, float]:
        """tid to CPU seconds."""
        ticks = os.sysconf("SC_CLK_TCK")
        found = {}
        for folder in Path(f"/proc/{self.pid}/task").iterdir():
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            found[int(folder.name)] = (int(fields[11]) + int(fields[12])) / ticks
        return found

    def vcpu_tids(self) -> list[int]:
        """The threads that burn, found by what they use and not by their names."""
        before = self.threads()
        time.sleep(0.5)
        after = self.threads()
        used = {tid: after[tid] - before.get(tid, 0.0) for tid in after}
        return sorted(used, key=lambda tid: -used[tid])[: self.vcpus]

    def pin(self, cpu: int) -> None:
        """All vCPUs onto one CPU, where nobody else gets in between."""
        go_first(self.pid)
        for tid in self.vcpu_tids():
            os.sched_setaffinity(tid, {cpu})

    def pause(self) -> None:
        """Stop the whole process: it neither runs nor waits."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it run again."""
        self.process.send_signal(signal.SIGCONT)

    def limit(self, share: float) -> None:
        """A CPU quota, in a control group of its own (v1 or v2, where the controller is).

        Nothing else holds it back: it goes before all others.
        """
        go_first(self.pid)
        name = f"kataui-test-{self.sandbox[:12]}"
        root = Path("/sys/fs/cgroup")
        v1 = root / "cpu"
        if v1.is_dir():
            group = v1 / name
            group.mkdir()
            (group / "cpu.cfs_quota_us").write_text(str(int(100_000 * share)))
        else:
            (root / "cgroup.subtree_control").write_text("+cpu")
            group = root / name
            group.mkdir()
            (group / "cpu.max").write_text(f"{int(100_000 * share)} 100000")
        self.groups.append(group)
        (group / "cgroup.procs").write_text(str(self.pid))

    def stop(self) -> None:
        """End it; nothing stays."""
        self.process.kill()
        self.process.wait()
        for group in self.groups:
            for _ in range(50):
                try:
                    group.rmdir()
                    break
                except OSError:
                    time.sleep(0.1)


@contextmanager
def machine(folder: Path, *, names: bool = True, vcpus: int = 1) -> Iterator[Machine]:
    """One machine that burns its first vCPU; ended and cleaned up in any case."""
    program = shutil.which(QEMU)
    assert program is not None
    sandbox = secrets.token_hex(32)
    disk = folder / f"{sandbox[:8]}.img"
    disk.write_bytes(_BOOT)
    kvm = os.access("/dev/kvm", os.R_OK | os.W_OK)
    argv = [
        *(program, "-name", f"sandbox-{sandbox}{',debug-threads=on' if names else ''}"),
        *("-machine", f"pc,accel={'kvm' if kvm else 'tcg'}", "-smp", str(vcpus), "-m", "64"),
        *("-display", "none", "-nodefaults", "-serial", "none"),
        *("-object", "iothread,id=indep_iothread_0"),
        *("-drive", f"file={disk},format=raw,if=ide,snapshot=on"),
    ]
    child = subprocess.Popen(
        argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    running = Machine(sandbox, child, vcpus)
    try:
        _wait_until_it_burns(running)
        yield running
    finally:
        running.stop()


def go_first(pid: int) -> None:
    """Let a process go before all others, where that is allowed; its new threads inherit it.

    Where sessions are scheduled as groups (sched(7), autogroup) the group's nice counts, too.
    """
    for folder in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, int(folder.name), _FIRST)
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(_FIRST))


def _wait_until_it_burns(running: Machine) -> None:
    """The BIOS takes a moment; then the boot sector turns for ever."""
    latest_s = time.monotonic() + _PATIENCE_S
    while time.monotonic() < latest_s:
        before = sum(running.threads().values())
        time.sleep(0.5)
        if sum(running.threads().values()) - before > 0.04 and before > 1.0:
            return
    raise AssertionError("the machine does not burn")
