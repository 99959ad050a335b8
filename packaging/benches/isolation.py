"""Isolation: what collecting, recording, opening and drawing cost.

    packaging/bench isolation [collector] [recording] [replay] [--seconds 30]

``collector`` runs the collector, ``top -H -d 1`` and ``pidstat -tuw 1`` (Debian: procps, sysstat)
side by side on a crowd of made-up sandboxes, 200 and 512 with ten threads each that wake up once
or twice a second. ``recording`` writes an hour of 200 busy sandboxes and opens it. ``replay`` plays
eight hours of samples and watches the memory.
"""

import argparse
import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import crowd
from hours import busy_hour, play_hours

from kataui.isolation.player import Player
from kataui.isolation.recording import Recording

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """CPU that a process (all its threads) has used so far; 0 when it is gone."""
    with contextlib.suppress(OSError):
        text = Path(f"/proc/{pid}/stat").read_text()
        fields = text[text.rindex(")") + 2 :].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS
    return 0.0


def memory_mib(pid: int) -> float:
    """Its resident memory."""
    with contextlib.suppress(OSError):
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
    return 0.0


@contextlib.contextmanager
def watchers() -> Iterator[dict[str, int]]:
    """The collector and its peers, by name; peers that are not installed are left out."""
    commands = {"kataui collector": [sys.executable, "-m", "kataui.isolation.collector"]}
    if shutil.which("top"):
        commands["top -H -d 1"] = ["top", "-b", "-H", "-d", "1"]
    if shutil.which("pidstat"):
        commands["pidstat -tuw 1"] = ["pidstat", "-tuw", "1"]
    running = {
        name: subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for name, argv in commands.items()
    }
    try:
        yield {name: child.pid for name, child in running.items()}
    finally:
        for child in running.values():
            child.send_signal(signal.SIGTERM)
            child.wait()


def collector(seconds: int) -> None:
    """The share of a core of each, over the same seconds."""
    for sandboxes in (200, 512):
        with crowd.crowd(sandboxes, threads=10), watchers() as pids:
            time.sleep(15)  # the first samples find everything and open all files
            before = {name: cpu_seconds(pid) for name, pid in pids.items()}
            time.sleep(seconds)
            used = {n: (cpu_seconds(p) - before[n]) / seconds for n, p in pids.items()}
            own = used["kataui collector"]
            memory = memory_mib(pids["kataui collector"])
            print(f"{sandboxes} sandboxes x 10 threads, {seconds} s, collector {memory:.0f} MiB")
            for name, share in used.items():
                print(f"  {name:<18}{100 * share:6.2f} % of a core, ratio {share / own:5.2f}")


def recording(folder: Path) -> None:
    """Size of a busy hour, and the time until it can be seen."""
    path = folder / "hour.kataui-rec"
    samples = busy_hour(path, sandboxes=200, threads=10)
    size = path.stat().st_size / 1e6
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        opened = Recording(path)
        overview = opened.overview
        Player(opened)
        times.append(time.perf_counter() - begin)
        opened.close()
    known = 0 if overview is None else len(overview[1])
    print(f"an hour of 200 busy sandboxes: {samples} samples, {size:.1f} MB")
    print(f"  opens in {sorted(times)[2]:.2f} s (median of 5), overview of {known} samples")


def replay() -> None:
    """Memory after each of eight hours that were played."""
    for hour in play_hours(8, sandboxes=50, threads=6):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"  hour {hour}: {memory_mib(os.getpid()):.0f} MiB, peak {peak:.0f} MiB")


def main() -> None:
    """Run what was asked for; everything without a name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=["collector", "recording", "replay"])
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--folder", default="/dev/shm")
    arguments = parser.parse_args()
    if "collector" in arguments.parts:
        collector(arguments.seconds)
    if "recording" in arguments.parts:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as scratch:
            recording(Path(scratch))
    if "replay" in arguments.parts:
        replay()


if __name__ == "__main__":
    main()
