"""A crowd of processes that look like QEMU sandboxes: named threads that sleep and wake."""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_NAMES = ("CPU 0/KVM", "CPU 1/KVM", "IO iothread-0", "call_rcu", "worker")
_PROGRAM = f"""
import sys, threading, time
def work():
    nap = 0.5 + (threading.get_native_id() % 10) / 10
    while True:
        time.sleep(nap)
def named(name):
    with open(f"/proc/self/task/{{threading.get_native_id()}}/comm", "w") as file:
        file.write(name)
    work()
names = {_NAMES!r}
threading.stack_size(65536)
for number in range(int(sys.argv[1]) - 1):
    name = names[min(number, len(names) - 1)]
    threading.Thread(target=named, args=(name,), daemon=True).start()
work()
"""


@contextlib.contextmanager
def crowd(sandboxes: int, *, threads: int) -> Iterator[list[int]]:
    """Start them, wait until they sleep, and end them all."""
    pids = []
    try:
        for number in range(sandboxes):
            argv = ["/usr/bin/qemu-system-x86_64", "-S", "-E", "-c", _PROGRAM, str(threads)]
            pids.append(_start([*argv, "-name", f"sandbox-{number:064x}", "-smp", "2"]))
        while any(_threads(pid) < threads for pid in pids):
            time.sleep(0.2)
        yield pids
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _start(argv: list[str]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(sys.executable, argv)
        finally:
            os._exit(127)
    return pid


def _threads(pid: int) -> int:
    try:
        return len(list(Path(f"/proc/{pid}/task").iterdir()))
    except OSError:
        return 1 << 20  # it is gone: waiting for it would never end
