"""Real QEMU machines as the collector sees them: roles, evidence, links, waits, limits."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from kataui.isolation.collector import roles
from kataui.isolation.collector.tables import BY_NAME
from kataui.isolation.model import Role, Sandbox
from tests.isolation.machines import Machine, group, machine, until
from tests.isolation.watching import MANY_S, Watcher, close_kept_files

pytestmark = pytest.mark.interop


@pytest.fixture
def qemu(peer: Callable[[str], str]) -> str:
    return peer("qemu-system-x86_64")


@pytest.fixture
def watcher(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watcher]:
    yield Watcher(monkeypatch, "/proc", "/sys")
    close_kept_files()


def seen(watcher: Watcher, real: Machine) -> Sandbox:
    """The machine as the collector knows it now; others may run beside it."""
    return next(sandbox for sandbox in watcher.view.sandboxes if sandbox.id == real.id)


def run_us(watcher: Watcher, slot: int, column: str = "run_us") -> int:
    values = watcher.counters.values["run"]
    return int(values[slot, BY_NAME["run"].columns.index(column)])


@pytest.mark.parametrize("named", [True, False])
def test_vcpus_are_those_that_qemu_tells(
    qemu: str,
    watcher: Watcher,
    named: bool,  # noqa: FBT001
) -> None:
    with machine(qemu, named=named, vcpus=2) as real:
        until(lambda: real.run_ns(real.vcpus[0]) > 20_000_000, "the guest burns")
        watcher.settle()
        sandbox = seen(watcher, real)

    vcpus = sandbox.of_role(Role.VCPU)
    assert [(vcpu.tid, vcpu.index) for vcpu in vcpus] == [(t, i) for i, t in enumerate(real.vcpus)]
    assert {vcpu.name.startswith("CPU ") for vcpu in vcpus} == {named}
    if named:
        assert {vcpu.evidence for vcpu in vcpus} == {roles.BY_NAME}
    else:
        assert {vcpu.evidence for vcpu in vcpus} <= good_evidence()


def good_evidence() -> set[str]:
    """What there is on this machine: with KVM never the order of creation."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return {roles.BY_ORDER}
    if Path("/sys/kernel/debug/kvm").is_dir():
        return {roles.BY_DEBUGFS}
    return {roles.BY_SYSCALL, roles.BY_SIGNALS}


@pytest.mark.parametrize("named", [True, False])
def test_the_iothread_is_known_with_and_without_names(
    qemu: str,
    watcher: Watcher,
    named: bool,  # noqa: FBT001
) -> None:
    with machine(qemu, named=named) as real:
        watcher.settle()
        sandbox = seen(watcher, real)

    assert tuple(thread.tid for thread in sandbox.of_role(Role.IOTHREAD)) == real.iothreads


def test_a_thread_that_kvm_made_is_no_vcpu(qemu: str, watcher: Watcher) -> None:
    with machine(qemu, named=False, vcpus=1) as real:
        watcher.settle()
        sandbox = seen(watcher, real)

    others = {t.name: t.role for t in sandbox.threads if t.name.startswith("kvm-")}
    assert set(others.values()) <= {Role.VMM}
    assert len(sandbox.of_role(Role.VCPU)) == 1


def test_the_tap_of_each_machine_is_seen_in_its_own_namespace(qemu: str, watcher: Watcher) -> None:
    with machine(qemu) as first, machine(qemu) as second:
        watcher.settle()
        both = [seen(watcher, first), seen(watcher, second)]

    assert [[link.name for link in sandbox.links] for sandbox in both] == [["tap0_kata"]] * 2
    assert both[0].netns != both[1].netns
    assert all(sandbox.netns != str(Path("/proc/self/ns/net").readlink()) for sandbox in both)


def test_a_stopped_guest_does_not_run_and_goes_on(qemu: str, watcher: Watcher) -> None:
    with machine(qemu, vcpus=1) as real:
        vcpu = real.vcpus[0]
        until(lambda: real.run_ns(vcpu) > 20_000_000, "the guest burns")
        real.stop()
        watcher.settle()
        slot = seen(watcher, real).of_role(Role.VCPU)[0].slot
        stopped = run_us(watcher, slot)
        watcher.sample()
        watcher.sample()
        assert run_us(watcher, slot) == stopped
        real.go_on()
        until(lambda: real.run_ns(vcpu) // 1000 > stopped + 20_000, "it burns again")
        watcher.sample()
        watcher.sample()
        assert run_us(watcher, slot) > stopped + 10_000


def test_an_idle_machine_is_a_sandbox_too(qemu: str, watcher: Watcher) -> None:
    with machine(qemu, burns=False, named=False) as real:
        watcher.settle()
        sandbox = seen(watcher, real)

    assert len(sandbox.of_role(Role.VCPU)) == 2


def test_two_vcpus_pinned_to_one_cpu_wait_for_each_other(qemu: str, watcher: Watcher) -> None:
    cpu = min(os.sched_getaffinity(0))
    with machine(qemu, vcpus=1) as first, machine(qemu, vcpus=1) as second:
        for real in (first, second):
            real.pin(0, cpu)
        watcher.settle()
        slots = [seen(watcher, real).of_role(Role.VCPU)[0].slot for real in (first, second)]
        before = [run_us(watcher, slot, "wait_us") for slot in slots]
        for real, waited in zip((first, second), before, strict=True):
            limit = waited * 1000 + 100_000_000
            until(lambda r=real, m=limit: r.waited_ns(r.vcpus[0]) > m, "it waits")
        watcher.sample()
        watcher.sample()
        sandboxes = [seen(watcher, real) for real in (first, second)]
        grown = [run_us(watcher, s, "wait_us") - b for s, b in zip(slots, before, strict=True)]

    assert [sandbox.of_role(Role.VCPU)[0].cpus for sandbox in sandboxes] == [(cpu,), (cpu,)]
    assert min(grown) >= 90_000


def test_a_limit_of_its_group_throttles_a_machine(qemu: str, watcher: Watcher) -> None:
    with group(0.2) as limited, machine(qemu, vcpus=1) as real:
        limited.take(real.pid)
        stat = limited.folders[0] / "cpu.stat"

        def throttled() -> bool:
            words = stat.read_text().split()
            return int(words[words.index("nr_throttled") + 1]) >= 3

        until(throttled, "the limit is felt")
        watcher.settle()
        sandbox, view = seen(watcher, real), watcher.view
        values = watcher.counters.values["group"][view.cgroups[limited.path].slot]
        row = dict(zip(BY_NAME["group"].columns, values.tolist(), strict=True))
        pressure = (limited.folders[-1] / "cpu.pressure").exists()

    assert sandbox.group == limited.path
    assert row["throttled"] >= 3
    assert row["throttled_us"] > 0
    assert row["usage_us"] > 0
    assert (row["cpu_some_us"] >= 0) is pressure


def test_a_machine_that_is_gone_is_gone_from_the_list(qemu: str, watcher: Watcher) -> None:
    with machine(qemu) as real:
        watcher.settle()
        assert seen(watcher, real)
        slots = [thread.slot for thread in seen(watcher, real).threads]
    watcher.sample()
    watcher.sample()
    assert np.all(watcher.counters.values["run"][slots] == -1)

    watcher.sample(MANY_S)

    assert real.id not in {sandbox.id for sandbox in watcher.view.sandboxes}


def test_nothing_is_left_when_a_test_fails(qemu: str) -> None:
    kept: list[Machine] = []
    folders: tuple[Path, ...] = ()

    def fails() -> None:
        nonlocal folders
        with group(0.5) as limited, machine(qemu) as real:
            limited.take(real.pid)
            folders = limited.folders
            kept.append(real)
            message = "the test fails here"
            raise RuntimeError(message)

    with pytest.raises(RuntimeError, match="fails here"):
        fails()

    assert not Path(f"/proc/{kept[0].pid}").exists()
    assert folders
    assert not any(folder.exists() for folder in folders)
