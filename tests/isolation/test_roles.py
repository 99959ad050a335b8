"""Roles of the threads of a QEMU whose names say little, and came in any order."""

import pytest

from kataui.isolation.collector import procfs, roles

PLAIN = "qemu-system-x86"
ARGV = ["qemu", "-object", "iothread,id=one", "-smp", "1", "-qmp", "unix:q.sock"]


def stat(tid: int, comm: str) -> procfs.Stat:
    found = procfs.stat(f"{tid} ({comm}) S {' '.join(['0'] * 49)}".encode())
    assert found is not None
    return found


def told(names: dict[int, str], pid: int) -> dict[int, str]:
    """The role of every thread by tid, as a group of threads asks for them."""
    found = {t: role for t, name in names.items() if (role := roles.by_name("qemu", name))}
    rest = {tid: stat(tid, name) for tid, name in names.items() if tid not in found}
    found.update(roles.Unnamed("/nowhere", "/nowhere", pid, ARGV).roles(rest, found))
    return {tid: role.role for tid, role in found.items()}


@pytest.mark.parametrize("first", [PLAIN, "call_rcu"])
@pytest.mark.parametrize("iothread", [PLAIN, "IO one"])
def test_a_thread_that_starts_late_has_a_name_others_have_none(first: str, iothread: str) -> None:
    names = {7: PLAIN, 9: first, 11: iothread, 12: "IO mon_iothread", 13: "CPU 0/KVM", 14: "worker"}

    assert told(names, 7) == {7: "vmm", 9: "vmm", 11: "iothread", 12: "vmm", 13: "vcpu", 14: "vmm"}


@pytest.mark.parametrize("tids", [(7, 8, 9, 10, 11), (32767, 32768, 301, 302, 303)])
def test_numbers_of_threads_that_begin_anew_change_no_role(tids: tuple[int, ...]) -> None:
    main, first, iothread, monitor, vcpu = tids

    roles_of = told(dict.fromkeys(tids, PLAIN), main)

    assert roles_of == {
        main: "vmm",
        first: "vmm",
        iothread: "iothread",
        monitor: "vmm",
        vcpu: "vcpu",
    }
