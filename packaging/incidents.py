"""Makes the recorded incidents of resources/incidents anew, and their catalogue.

    python packaging/incidents.py FOLDER [ID ...]

The real ones need root, QEMU and KVM, and about three minutes each, and are redacted before they
are kept; the synthetic ones come from the generator and take seconds.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from kataui.isolation import synthetic
from kataui.isolation.analysis import Analysis
from kataui.isolation.recording import Recorder
from kataui.isolation.redact import redact
from kataui.isolation.session import Session, overview_of
from kataui.isolation.sources.local import LocalFeed
from kataui.isolation.stream import Record, Splitter
from tests.interop.kata_machines import Machine, machine

QUIET_S, LOUD_S = 40.0, 70.0
_KVM = "Recorded for real: QEMU 7.2 with KVM on a Linux 6.18 host with 2 CPUs, names redacted."
_MADE = "Synthetic: counters made by kataui's generator, not measured."


@contextmanager
def recorded(path: Path) -> Iterator[Callable[[float], None]]:
    """A recording of this host; the function follows it for some seconds."""
    session = Session(LocalFeed())
    session.record_to(path)

    def follow(seconds: float) -> None:
        latest_s = time.monotonic() + seconds
        while time.monotonic() < latest_s:
            session.turn(0.2)

    try:
        follow(5)
        yield follow
    finally:
        session.close()


def machines(stack: ExitStack, folder: Path, *vcpus: int) -> list[Machine]:
    """Machines that burn, with as many vCPUs each."""
    return [stack.enter_context(machine(folder, vcpus=count)) for count in vcpus]


def cpu_neighbour(path: Path, folder: Path) -> None:
    """A sandbox on CPU 1, and a second one that floats over both CPUs and starts to work."""
    with ExitStack() as stack:
        victim, neighbour, third = machines(stack, folder, 1, 1, 1)
        victim.pin(1)
        for other in (neighbour, third):
            other.pause()
        with recorded(path) as follow:
            follow(QUIET_S)
            for other in (neighbour, third):
                other.go_on()
            follow(LOUD_S)
            for other in (neighbour, third):
                other.pause()
            follow(QUIET_S)


def two_vcpus_on_one_cpu(path: Path, folder: Path) -> None:
    """Two sandboxes on a CPU each; then both are pinned to the same one."""
    with ExitStack() as stack:
        first, second = machines(stack, folder, 1, 1)
        first.pin(1)
        second.pin(0)
        tids = second.vcpu_tids()
        with recorded(path) as follow:
            follow(QUIET_S)
            for tid in tids:
                os.sched_setaffinity(tid, {1})
            follow(LOUD_S)
            for tid in tids:
                os.sched_setaffinity(tid, {0})
            follow(QUIET_S)


def own_quota(path: Path, folder: Path) -> None:
    """One sandbox that burns gets a CPU limit of a fifth of a core."""
    with ExitStack() as stack:
        (one,) = machines(stack, folder, 1)
        one.pin(1)
        one.limit(1.0)
        quota = one.groups[0] / "cpu.cfs_quota_us"
        with recorded(path) as follow:
            follow(QUIET_S)
            quota.write_text("20000")
            follow(LOUD_S)
            quota.write_text("-1")
            follow(QUIET_S)


def made(maker: Callable[[], bytes]) -> Callable[[Path, Path], None]:
    """A synthetic incident as a recording, with its overview."""

    def write(path: Path, _folder: Path) -> None:
        rewrite(Splitter().feed(maker()), path)

    return write


def rewrite(records: Iterable[Record], path: Path) -> None:
    """Records as a recording with an overview."""
    recorder, analysis = Recorder(path), Analysis()
    for record in records:
        recorder.write(record)
        if analysis.take(record):
            picture = analysis.picture()
            if picture is not None:
                overview_of(recorder, picture)
    recorder.close()


INCIDENTS: tuple[tuple[str, str, str, str, Callable[[Path, Path], None]], ...] = (
    (
        "cpu-neighbour",
        "A neighbour takes the CPU",
        "A sandbox computes on CPU 1; after 45 s two others wake up and take their part of it.",
        _KVM,
        cpu_neighbour,
    ),
    (
        "two-vcpus-on-one-cpu",
        "Two vCPUs pinned to one CPU",
        "Two sandboxes have a CPU each until both vCPUs are pinned to the same one: half speed.",
        _KVM,
        two_vcpus_on_one_cpu,
    ),
    (
        "network-flood",
        "A flood through the tap",
        "One sandbox gets far more packets than its vhost thread can handle, and others wait.",
        _MADE,
        made(synthetic.network_flood),
    ),
    (
        "io-storm",
        "An IO storm",
        "One sandbox writes all the disk can take; its neighbours stall on IO.",
        _MADE,
        made(synthetic.io_storm),
    ),
    (
        "own-quota",
        "Held back by its own limit",
        "A sandbox waits four fifths of its time and nobody hurts it: its own CPU limit does.",
        _KVM,
        own_quota,
    ),
    (
        "reclaim-storm",
        "A reclaim storm",
        "One sandbox takes the host's memory; the others stall while the kernel looks for more.",
        _MADE,
        made(synthetic.reclaim_storm),
    ),
)


def main() -> None:
    """Make what was asked for; the catalogue lists what is in the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("ids", nargs="*")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for identifier, _, _, how, make in INCIDENTS:
        if arguments.ids and identifier not in arguments.ids:
            continue
        with tempfile.TemporaryDirectory() as scratch:
            raw = Path(scratch) / "raw.kataui-rec"
            make(raw, Path(scratch))
            target = arguments.folder / f"{identifier}.kataui-rec"
            if how == _MADE:
                shutil.copyfile(raw, target)
            else:
                redact(raw, target, force=True)
            print(f"{target}: {target.stat().st_size / 1000:.0f} kB", flush=True)
    rows = [
        {"id": name, "title": title, "note": note, "made": how, "synthetic": how == _MADE}
        for name, title, note, how, _ in INCIDENTS
        if (arguments.folder / f"{name}.kataui-rec").is_file()
    ]
    text = json.dumps({"version": 1, "incidents": rows}, indent=2) + "\n"
    (arguments.folder / "catalogue.json").write_text(text)


if __name__ == "__main__":
    main()
