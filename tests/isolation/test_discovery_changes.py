"""What the collector does when something changes: restarts, deaths, CPUs, clocks, limits."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kataui.isolation.collector.tables import BY_NAME, MISSING
from kataui.isolation.model import Role
from kataui.isolation.synthetic import Load, Spec
from tests.isolation.watching import (
    MANY_S,
    Place,
    close_kept_files,
    collected,
    decoded,
    only,
    row_of,
)

ID = "c317d69b3b54b1563cce13e710656c01b7a8b889e8db5d1666cb3a2a8235da48"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    yield Place(tmp_path, monkeypatch)
    close_kept_files()


def test_a_restart_is_another_sandbox_with_another_key(place: Place) -> None:
    host = place.host()
    machine = host.add(Spec("a", id=ID))
    watcher = place.watch()
    before = only(watcher.settle())
    host.remove(machine)
    host.advance(3.0)
    host.add(Spec("a", id=ID))

    watcher.sample(MANY_S)

    after = only(watcher.view)
    assert (after.id, after.key != before.key) == (ID, True)
    assert {thread.sandbox for thread in after.threads} == {after.key}
    assert not any(thread.sandbox == before.key for thread in watcher.view.threads)


def test_a_pid_that_is_used_again_is_another_sandbox(place: Place) -> None:
    host = place.host()
    machine = host.add(Spec("a", id=ID))
    watcher = place.watch()
    before = only(watcher.settle())
    numbers = [task.tid for item in machine.processes for task in item.tasks]
    host.remove(machine)
    host.advance(3.0)
    again = host.add(Spec("b", id=ID.replace("c", "d"), vcpus=3))
    again.primary.pid = again.primary.main.tid = numbers[0]
    host.write()

    watcher.sample(MANY_S)
    watcher.sample(MANY_S)

    after = only(watcher.view)
    assert (after.pid, after.id) == (before.pid, again.id)
    assert len(after.of_role(Role.VCPU)) == 3


def test_a_new_vmm_of_an_old_shim_ends_the_generation_before(place: Place) -> None:
    host = place.host()
    machine = host.add(Spec("a", id=ID))
    watcher = place.watch()
    before = only(watcher.settle())
    vmm = machine.primary
    vmm.pid += 5000
    vmm.start += 700
    vmm.main.tid += 5000
    host.write()

    watcher.sample(MANY_S)

    after = only(watcher.view)
    assert after.key != before.key
    assert after.pid == vmm.pid


def test_a_process_that_dies_between_two_reads_leaves_gaps_and_no_error(place: Place) -> None:
    host = place.host()
    gone, stays = host.add(Spec("a")), host.add(Spec("b"))
    watcher = place.watch()
    watcher.settle()
    slots = {s.id: s.of_role(Role.VCPU)[0].slot for s in watcher.view.sandboxes}
    close_kept_files()  # as the kernel does with the files of a task that is gone
    host.remove(gone)
    host.advance(0.5, {"a": Load(cores=0.5), "b": Load(cores=0.5)})
    watcher.sample(0.5)
    sample = watcher.sample(0.5)

    assert row_of(sample, "run", slots[gone.id]) == [MISSING] * 3
    assert row_of(sample, "run", slots[stays.id])[0] > 0
    assert len(watcher.view.sandboxes) == 2  # until the next scan
    watcher.sample(MANY_S)
    assert only(watcher.view).id == stays.id


def test_a_process_that_goes_while_it_is_scanned_is_left_out(place: Place) -> None:
    host = place.host()
    machine = host.add(Spec("a"))
    folder = place.root / "proc" / str(machine.primary.pid)
    (folder / "stat").unlink()
    shutil.rmtree(folder / "task" / str(machine.primary.tasks[3].tid))

    view = place.watch().settle()

    assert [process.part for process in only(view).processes] == ["shim", "virtiofsd"]


def test_a_vcpu_that_is_plugged_in_is_watched_before_the_next_scan(place: Place) -> None:
    host = place.host()
    machine = host.add(Spec("a", vcpus=1))
    watcher = place.watch()
    watcher.settle()
    vcpu = machine.of_role(Role.VCPU)[0]
    machine.primary.tasks.append(replace(vcpu, tid=99_999, name="CPU 1/KVM", index=1))
    host.write()

    for _ in range(5):
        watcher.sample(1.0)

    assert [thread.index for thread in only(watcher.view).of_role(Role.VCPU)] == [0, 1]


def test_hidden_processes_are_told_about(place: Place) -> None:
    place.host().add(Spec("a"))
    shutil.rmtree(place.root / "proc/1")

    watcher = place.watch()
    watcher.sample()

    assert any("hidepid" in text for text in watcher.said())


def test_nothing_is_said_where_all_processes_are_seen(place: Place) -> None:
    place.host().add(Spec("a"))
    watcher = place.watch()
    watcher.sample()

    assert watcher.said() == []


def test_a_kernel_without_pressure_leaves_it_unmeasured_and_the_rest_right(place: Place) -> None:
    host = place.host()
    host.add(Spec("a", vcpus=1))

    def strip() -> None:
        for file in (*place.root.glob("proc/pressure/*"), *place.root.rglob("*.pressure")):
            file.unlink()

    strip()
    watcher = place.watch()
    watcher.sample()
    host.advance(1.0, {"a": Load(cores=0.5)})
    strip()
    sample = watcher.sample(1.0)

    sandbox = only(watcher.view)
    group = watcher.view.cgroups[sandbox.group]
    assert row_of(sample, "group", group.slot)[4:] == [MISSING] * 6
    assert row_of(sample, "host", 0)[:6].count(MISSING) == 6
    slot = sandbox.of_role(Role.VCPU)[0].slot
    assert watcher.span().rate("run", "run_us")[slot] == pytest.approx(5e5, rel=0.1)


def test_a_cpu_that_goes_offline_and_comes_back_keeps_the_others_right(place: Place) -> None:
    host = place.host(cpus=4)
    watcher = place.watch()
    watcher.sample()
    host.set_online(1, online=False)
    host.advance(1.0)
    gone = watcher.sample()
    without = dict(watcher.view.cpus)
    slot = without[3]
    host.set_online(1, online=True)
    host.advance(1.0)
    watcher.sample()

    assert sorted(without) == [0, 2, 3]
    assert sorted(dict(watcher.view.cpus)) == [0, 1, 2, 3]
    timer = BY_NAME["softirq"].columns.index("timer")
    assert row_of(gone, "softirq", slot)[timer] == int(host.world.cpus[3].timer) - 40
    processed = BY_NAME["softirq"].columns.index("processed")
    assert row_of(gone, "softirq", slot)[processed] == int(host.world.cpus[3].processed)


def test_a_low_limit_of_descriptors_costs_nothing_but_time(place: Place) -> None:
    host = place.host()
    for number in range(8):
        host.add(Spec(f"pod-{number}"))
    few = "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))"
    roots = (f"--proc-root={place.root}/proc", f"--sys-root={place.root}/sys")

    (decoder, sample), *_ = decoded(collected("--rate=50", "--seconds=0.01", *roots, before=few))

    assert decoder.head["descriptors"] == 40
    assert len(decoder.entities["sandbox"]) == 8
    slots = list(decoder.entities["thread"])
    table = sample.table("run")
    assert table is not None
    assert (table[slots] != MISSING).all()


def test_steps_of_the_clock_do_not_change_rates(place: Place) -> None:
    host = place.host()
    host.add(Spec("a", vcpus=1))
    watcher = place.watch()
    walls, rates = [], []
    for step_s in (0.0, -3600.0, 0.0, 7200.0):
        watcher.clock.wall_s += step_s
        host.advance(1.0, {"a": Load(cores=0.5)})
        sample = watcher.sample(1.0)
        walls.append(sample.wall_us)
        slot = only(watcher.view).of_role(Role.VCPU)[0].slot
        if len(walls) > 1:
            rates.append(float(watcher.span().rate("run", "run_us")[slot]))

    assert walls[1] < walls[0] < walls[3]
    assert rates == pytest.approx([5e5] * 3, rel=0.1)


def test_threads_that_hardly_run_are_not_lost(place: Place) -> None:
    host = place.host()
    host.add(Spec("a", vcpus=1))
    watcher = place.watch()
    for _ in range(6):
        host.advance(1.0, {"a": Load(cores=0.0001)})
        watcher.sample(1.0)

    sandbox = only(watcher.view)
    values = watcher.counters.values["run"][[thread.slot for thread in sandbox.threads]]
    assert (values != MISSING).all()
