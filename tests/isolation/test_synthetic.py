"""Made-up hosts: files as the kernel's, counters that move together, streams that agree."""

import itertools
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kataui.isolation import synthetic
from kataui.isolation.analysis import Analysis, Picture
from kataui.isolation.collector.tables import TABLES
from kataui.isolation.model import Role
from kataui.isolation.stream import Array, Decoder, Sample, Splitter
from kataui.isolation.synthetic import Host, Hypervisor, Load, Mode, Runtime, Spec, stream
from tests.isolation.watching import MANY_S, Watcher, collected, only

BUSY = Load(cores=0.8, rx_packets=5000, tx_packets=4000, reads=300, writes=200)
CAPTURE = "fixtures/proc-qemu72-kvm-linux618/proc"
VMM = 26257


def _shape(text: str) -> list[str]:
    """Lines with every number and every run of spaces made the same."""
    lines = [re.sub(r"-?\d+(\.\d+)?", "9", line) for line in text.splitlines()]
    return [re.sub(r"[ ]+", " ", line) for line in lines]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    made = Host(tmp_path, cpus=2)
    made.add(Spec("shop"))
    made.advance(2.0, {"shop": BUSY})
    return made


@pytest.mark.parametrize(
    ("name", "real"),
    [
        ("{pid}/schedstat", f"{VMM}/schedstat"),
        ("{pid}/io", f"{VMM}/io"),
        ("{pid}/stat", f"{VMM}/stat"),
        ("softirqs", "softirqs"),
        ("pressure/cpu", "pressure/cpu"),
        ("pressure/io", "pressure/io"),
        ("net/softnet_stat", "net/softnet_stat"),
    ],
)
def test_a_file_has_the_shape_of_a_real_one(
    host: Host, tmp_path: Path, shared: Path, name: str, real: str
) -> None:
    pid = host.world.machines[0].primary.pid
    ours = _shape((tmp_path / "proc" / name.format(pid=pid)).read_text())
    theirs = _shape((shared / CAPTURE / real).read_text())

    if name == "softirqs":  # the widths count, too
        assert [len(line) for line in ours] == [len(line) for line in theirs]
    if "softnet" in name:
        ours, theirs = ([re.sub("[0-9a-f]+", "9", line) for line in x] for x in (ours, theirs))
    assert ours == theirs


def test_status_has_the_lines_of_a_real_one_in_their_order(
    host: Host, tmp_path: Path, shared: Path
) -> None:
    pid = host.world.machines[0].primary.pid
    paths = (tmp_path / f"proc/{pid}/status", shared / CAPTURE / f"{VMM}/status")

    ours, theirs = ([line.split(":")[0] for line in p.read_text().splitlines()] for p in paths)

    assert ours == theirs


def test_links_and_devices_are_written_in_the_columns_of_the_kernel(
    host: Host, tmp_path: Path, shared: Path
) -> None:
    pid = host.world.machines[0].primary.pid
    ours = (tmp_path / f"proc/{pid}/net/dev").read_text().splitlines()
    theirs = (shared / CAPTURE / f"{VMM}/net/dev").read_text().splitlines()

    assert ours[:3] == theirs[:3]  # the head and lo, to the byte
    disk = (tmp_path / "proc/diskstats").read_text()
    assert re.fullmatch(r" 259       0 nvme0n1( \d+){17}\n", disk)


def test_sched_is_a_part_of_the_real_one(host: Host, tmp_path: Path, shared: Path) -> None:
    pid = host.world.machines[0].primary.pid
    ours = _shape((tmp_path / f"proc/{pid}/task/{pid}/sched").read_text())
    theirs = _shape((shared / CAPTURE / f"{VMM}/sched").read_text())

    assert ours[:2] == theirs[:2]
    assert set(ours) <= set(theirs)


def test_the_time_of_every_cpu_adds_up(host: Host) -> None:
    host.advance(10.0, {"shop": Load(cores=1.0, rx_packets=300_000)})

    for cpu in host.world.online:
        total = cpu.user + cpu.system + cpu.idle + cpu.iowait + cpu.softirq
        assert total == pytest.approx(12.0, abs=0.02)


@pytest.mark.parametrize("cores", [0.1, 0.6, 1.0])
def test_nobody_runs_and_waits_longer_than_time_passed(cores: float) -> None:
    host = Host(cpus=2)
    tasks = [
        task
        for number in range(4)
        for task in host.add(Spec(f"pod-{number}", quota_cores=0.5)).of_role(Role.VCPU)
    ]
    before = [(task.run_ns, task.wait_ns) for task in tasks]

    host.advance(1.0, {f"pod-{number}": Load(cores=cores) for number in range(4)})

    ran = [task.run_ns - run for task, (run, _) in zip(tasks, before, strict=True)]
    waited = [task.wait_ns - wait for task, (_, wait) in zip(tasks, before, strict=True)]
    assert sum(ran) <= 2e9
    assert all(a + b <= 1.01e9 for a, b in zip(ran, waited, strict=True))


def test_what_a_group_used_is_what_its_threads_ran(host: Host) -> None:
    machine = host.world.machines[0]
    before = sum(task.run_ns for item in machine.processes for task in item.tasks)
    used = machine.group.usage_us

    host.advance(5.0, {"shop": BUSY})

    ran = sum(task.run_ns for item in machine.processes for task in item.tasks) - before
    assert (machine.group.usage_us - used) * 1000 == pytest.approx(ran, rel=1e-3)


def test_a_limit_holds_and_is_counted() -> None:
    host = Host(cpus=4)
    machine = host.add(Spec("report", vcpus=2, quota_cores=0.5))
    pod = machine.group.above
    assert pod is not None

    host.advance(10.0, {"report": Load(cores=1.0)})

    assert pod.usage_us == pytest.approx(5e6, rel=0.02)
    assert (pod.periods, pod.throttled) == (pytest.approx(100), pytest.approx(100))
    assert pod.throttled_us == pytest.approx(15e6, rel=0.02)  # 0.75 of ten seconds on two CPUs


def test_counters_never_go_back() -> None:
    decoder, before, compared = Decoder(), {}, 0
    for record in Splitter().feed(synthetic.network_flood()):
        sample = decoder.take(record)
        for name, group in sample.groups.items() if sample else ():
            if name in before and name not in {"host", "disk", "place", "group_memory", "whole"}:
                assert (group.values >= before[name]).all(), name
                compared += 1
            before[name] = group.values

    assert compared > 500


def test_the_same_seed_makes_the_same_stream_and_another_one_another() -> None:
    assert synthetic.cpu_neighbour(7) == synthetic.cpu_neighbour(7)
    assert synthetic.cpu_neighbour(7) != synthetic.cpu_neighbour(8)


def test_a_stream_says_that_it_is_made_up() -> None:
    (head, *_), host = Splitter().feed(stream(Host(), 1.0)), Host()

    assert head.kind == b"H"
    assert head.json()["synthetic"] is True
    assert head.json()["note"] == synthetic.NOTE
    assert len(host.world.machines) == 0


def test_a_host_writes_nothing_outside_of_its_root_and_removes_what_is_gone(
    host: Host, tmp_path: Path
) -> None:
    pid = host.world.machines[0].primary.pid
    assert (tmp_path / f"proc/{pid}").is_dir()

    host.remove(host.world.machines[0])

    assert not (tmp_path / f"proc/{pid}").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["proc", "sys"]


# the stream without files against the collector with them


_KEYS: dict[str, tuple[str, ...]] = {
    "thread": ("tid",),
    "process": ("pid",),
    "nic": ("sandbox", "name"),
    "cgroup": ("path",),
    "cpu": ("cpu",),
    "disk": ("name",),
    "sandbox": ("id",),
    "host": (),
}


def _entities(decoder: Decoder, space: str) -> dict[tuple[Any, ...], tuple[int, dict[str, Any]]]:
    """Slot and attributes by what tells one from another."""
    found = {}
    for slot, given in decoder.entities[space].items():
        found[tuple(given[name] for name in _KEYS[space])] = (slot, given)
    return found


def _rows(decoder: Decoder, tables: dict[str, Array], name: str) -> dict[Any, list[int]]:
    space = next(table.space for table in TABLES if table.name == name)
    known = _entities(decoder, space)
    return {key: tables[name][slot].tolist() for key, (slot, _) in known.items()}


MODES = [
    *itertools.product(Mode, [False, True], [Runtime.GO]),
    (Mode.V2, False, Runtime.RUST),
]


@pytest.mark.parametrize(("mode", "tasks", "runtime"), MODES)
def test_the_stream_is_what_the_collector_would_have_sent(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mode: Mode,
    tasks: bool,  # noqa: FBT001
    runtime: Runtime,
) -> None:
    host = Host(tmp_path, cpus=4, mode=mode, vhost_tasks=tasks)
    there = [item for item in Hypervisor if runtime is Runtime.RUST or item != "dragonball"]
    for hypervisor in there:
        host.add(Spec(hypervisor, hypervisor, runtime, overhead=tasks, quota_cores=1.5))
    host.add(Spec("unnamed", named=False, queues=2, pinned=(1, 3)))
    loads = {machine.spec.name: BUSY for machine in host.world.machines}
    host.advance(3.0, loads)

    direct, mine = Decoder(), {}
    for record in Splitter().feed(stream(host, 0.0)):
        sample = direct.take(record)
        mine.update({name: group.values for name, group in sample.groups.items()} if sample else {})
    with Watcher(monkeypatch, tmp_path / "proc", tmp_path / "sys") as watcher:
        watcher.settle()
        read = watcher.counters.values
        _same_entities(direct, watcher.decoder)
        for table in (t for t in TABLES if t.name not in {"switch", "io", "whole"}):
            both = [(direct, mine), (watcher.decoder, read)]
            ours, theirs = (_rows(decoder, values, table.name) for decoder, values in both)
            shared = ours.keys() & theirs.keys()
            assert shared
            assert {k: ours[k] for k in shared} == {k: theirs[k] for k in shared}, table.name


def _same_entities(direct: Decoder, read: Decoder) -> None:
    for space in _KEYS:
        ours, theirs = _entities(direct, space), _entities(read, space)
        quiet = {
            key for key, (_, given) in ours.items() if given.get("actor") or space == "process"
        }
        assert theirs.keys() - ours.keys() == set(), space
        assert ours.keys() - theirs.keys() <= quiet, space
        for key in theirs:
            mine, given = dict(ours[key][1]), dict(theirs[key][1])
            for attributes in (mine, given):
                attributes.pop("folders", None)
                attributes.pop("pod", None)  # names of pods are not in /proc
            assert given == mine, space


# what the incidents are made for


def _pictures(data: bytes) -> list[Picture]:
    analysis, found = Analysis(), []
    for record in Splitter().feed(data):
        if analysis.take(record):
            picture = analysis.picture()
            if picture is not None:
                found.append(picture)
    return found


def _after(analysis: Analysis, seconds: float) -> Picture | None:
    """The picture of a host that has been up for so long since its stream began."""
    picture = analysis.picture()
    return picture if picture and picture.time_s >= 5020 + seconds else None


INCIDENTS: list[tuple[Callable[[], bytes], str]] = [
    (synthetic.cpu_neighbour, r"default/(shop|database) waits 5\d % .* vCPUs of default/batch"),
    (synthetic.two_vcpus_pinned_to_one_cpu, r"both are pinned to it"),
    (synthetic.network_flood, r"default/radio waits \d+ % .* vhost thread of default/gateway"),
    (synthetic.io_storm, r"default/database stalls on IO .* default/backup"),
    (synthetic.own_quota_exhausted, r"default/report is held back by its own CPU limit"),
    (synthetic.reclaim_storm, r"default/database stalls on memory .* default/analytics"),
]


@pytest.mark.parametrize(("make", "expected"), INCIDENTS)
def test_an_incident_is_quiet_then_shows_what_it_is_named_for_then_is_quiet(
    make: Callable[[], bytes], expected: str
) -> None:
    pictures = _pictures(make())
    begin_s = pictures[0].time_s

    quiet = [p for p in pictures if p.time_s - begin_s < 38 or p.time_s - begin_s > 128]
    trouble = [p for p in pictures if 60 < p.time_s - begin_s < 105]
    assert len(trouble) > 40
    assert {picture.judgement.headline for picture in quiet} == {"Nobody hurts anybody"}
    said = [picture.judgement.sentence.replace("\N{NO-BREAK SPACE}", " ") for picture in trouble]
    assert [text for text in said if not re.search(expected, text)] == []


def test_an_incident_has_its_three_markers_and_lasts_two_and_a_half_minutes() -> None:
    records = Splitter().feed(synthetic.io_storm())
    markers = [record.json() for record in records if record.kind == b"M"]

    assert [marker["name"] for marker in markers] == ["quiet", "incident", "quiet again"]
    assert markers[1]["at_us"] - markers[0]["at_us"] == 40_000_000
    assert Counter(record.kind for record in records)[b"S"] == 151


def test_a_flood_drops_packets_at_the_tap_and_squeezes_softirqs() -> None:
    analysis = Analysis()
    records = Splitter().feed(synthetic.network_flood())
    last = next(p for r in records if analysis.take(r) and (p := _after(analysis, 100)))
    row = [sandbox.pod_name for sandbox in last.view.sandboxes].index("gateway")

    assert last.signals.drop_ratio[row] > 0.05
    assert last.signals.vhost_load[row] > 0.9
    assert np.nanmax(last.span.delta("softirq", "squeezed")) > 0


def test_a_collector_in_its_own_process_reads_the_tree(tmp_path: Path) -> None:
    host = Host(tmp_path, cpus=2)
    machine = host.add(Spec("shop"))
    roots = (f"--proc-root={tmp_path}/proc", f"--sys-root={tmp_path}/sys")

    decoder, samples = Decoder(), list[Sample]()
    for record in collected("--rate=50", "--seconds=0.05", *roots):
        sample = decoder.take(record)
        samples += [sample] if sample else []

    assert decoder.head["captured"] is True
    assert len(samples) >= 1
    assert [given["id"] for given in decoder.entities["sandbox"].values()] == [machine.id]


def test_an_open_file_shows_what_was_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = Host(tmp_path, cpus=2)
    host.add(Spec("shop", vcpus=1))
    with Watcher(monkeypatch, tmp_path / "proc", tmp_path / "sys") as watcher:
        watcher.sample(MANY_S)
        host.advance(1.0, {"shop": Load(cores=0.5)})
        watcher.sample(1.0)
        slot = only(watcher.view).of_role(Role.VCPU)[0].slot
        ran = watcher.span().rate("run", "run_us")[slot]

    assert ran == pytest.approx(5e5, rel=0.05)
