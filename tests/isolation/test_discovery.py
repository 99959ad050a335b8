"""What the collector finds on hosts of every kind: sandboxes, roles, groups, and what changes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kataui.isolation.collector import cgroups, files, roles
from kataui.isolation.collector.tables import BY_NAME, MISSING
from kataui.isolation.model import HostView, Role, host_view
from kataui.isolation.stream import Decoder
from kataui.isolation.synthetic import Hypervisor, Load, Machine, Mode, Runtime, Spec
from tests.isolation.watching import Place, close_kept_files, collected, decoded, only, row_of

ID = "c317d69b3b54b1563cce13e710656c01b7a8b889e8db5d1666cb3a2a8235da48"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    yield Place(tmp_path, monkeypatch)
    close_kept_files()


KINDS = [
    (hypervisor, runtime)
    for hypervisor in Hypervisor
    for runtime in Runtime
    if (hypervisor, runtime) != (Hypervisor.DRAGONBALL, Runtime.GO)
]


@pytest.mark.parametrize(("hypervisor", "runtime"), KINDS)
def test_a_sandbox_is_found_by_what_its_runtime_starts(
    place: Place, hypervisor: Hypervisor, runtime: Runtime
) -> None:
    sandbox = place.found(place.host(), Spec("a", hypervisor, runtime, id=ID, vcpus=3))

    assert (sandbox.id, sandbox.hypervisor, sandbox.runtime) == (ID, hypervisor, runtime)
    vcpus = sandbox.of_role(Role.VCPU)
    assert [thread.index for thread in vcpus] == [0, 1, 2]
    assert {thread.evidence for thread in vcpus} == {roles.BY_NAME}
    assert sandbox.process("shim") is not None
    assert sorted(link.name for link in sandbox.links) == ["eth0", "tap0_kata"]
    assert sandbox.key == f"{ID}@{sandbox.pid}.500000"


HELPERS = {
    Hypervisor.QEMU: {Role.VHOST: 2, Role.IOTHREAD: 1, Role.VIRTIOFSD: 3, Role.SHIM: 5},
    Hypervisor.CLOUD_HYPERVISOR: {Role.IOTHREAD: 2, Role.VIRTIOFSD: 3, Role.SHIM: 5},
    Hypervisor.FIRECRACKER: {Role.SHIM: 5},
    Hypervisor.DRAGONBALL: {Role.VHOST: 2, Role.IOTHREAD: 1, Role.SHIM: 5},
    Hypervisor.STRATOVIRT: {Role.VHOST: 2, Role.IOTHREAD: 1, Role.VIRTIOFSD: 3, Role.SHIM: 5},
}


@pytest.mark.parametrize("hypervisor", list(Hypervisor))
def test_every_helper_thread_has_its_role(place: Place, hypervisor: Hypervisor) -> None:
    sandbox = place.found(place.host(), Spec("a", hypervisor, Runtime.RUST, queues=2))

    for role in (Role.VHOST, Role.IOTHREAD, Role.VIRTIOFSD, Role.SHIM):
        assert len(sandbox.of_role(role)) == HELPERS[hypervisor].get(role, 0), role


@pytest.mark.parametrize(
    "evidence",
    [roles.BY_DEBUGFS, roles.BY_SYSCALL, roles.BY_SIGNALS, roles.BY_GUEST_TIME, roles.BY_ORDER],
)
def test_unnamed_vcpus_are_found_by_the_best_evidence_there_is(place: Place, evidence: str) -> None:
    spec = Spec("a", named=False, evidence=evidence, vcpus=4, iothreads=2)

    sandbox = place.found(place.host(), spec)

    vcpus = sandbox.of_role(Role.VCPU)
    assert {thread.name for thread in vcpus} == {"qemu-system-x86"}
    assert [thread.index for thread in vcpus] == [0, 1, 2, 3]
    assert {thread.evidence for thread in vcpus} == {evidence}
    assert {t.evidence for t in sandbox.of_role(Role.IOTHREAD)} == {roles.BY_ORDER}
    assert len(sandbox.of_role(Role.IOTHREAD)) == 2


def test_threads_that_the_kernel_made_are_known_without_names(place: Place) -> None:
    sandbox = place.found(place.host(), Spec("a", named=False))

    by_name = {thread.name: thread.role for thread in sandbox.threads}
    assert by_name["kvm-nx-lpage-re"] is Role.VMM
    assert by_name[f"vhost-{sandbox.pid}"] is Role.VHOST


def _expected_paths(machine: Machine, mode: Mode) -> dict[Role, str]:
    own = machine.group.path
    helpers = machine.of_role(Role.SHIM)[0].group.path
    vmm = own if mode is Mode.V2 else helpers
    return {Role.VCPU: own, Role.VHOST: vmm, Role.SHIM: helpers, Role.VIRTIOFSD: helpers}


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("systemd", [False, True])
@pytest.mark.parametrize("qos", ["guaranteed", "burstable", "besteffort"])
@pytest.mark.parametrize("overhead", [False, True])
def test_pod_and_groups_are_known_under_every_driver(
    place: Place,
    mode: Mode,
    systemd: bool,  # noqa: FBT001
    qos: str,
    overhead: bool,  # noqa: FBT001
) -> None:
    host = place.host(mode=mode)
    machine = host.add(Spec("a", qos=qos, systemd=systemd, overhead=overhead))

    view = place.watch().settle()

    sandbox = only(view)
    assert (sandbox.qos, sandbox.pod_uid) == (qos, machine.pod_uid)
    assert sandbox.group == machine.group.path
    for role, path in _expected_paths(machine, mode).items():
        assert {thread.group for thread in sandbox.of_role(role)} == {path}, role
    above = machine.group.path.rpartition("/")[0]
    assert above in sandbox.groups
    assert any("kata_overhead" in group for group in sandbox.groups) is overhead
    assert view.head["cgroups"] == mode


@pytest.mark.parametrize("mode", list(Mode))
def test_limits_and_what_was_throttled_are_read_in_every_mode(place: Place, mode: Mode) -> None:
    host = place.host(mode=mode)
    machine = host.add(Spec("a", vcpus=2, quota_cores=0.5))
    pod = machine.group.above
    assert pod is not None
    watcher = place.watch()
    watcher.sample()
    host.advance(10.0, {"a": Load(cores=1.0, reads=500, io_bytes=8192)})
    sample = watcher.sample(10.0)

    view = watcher.view
    counted = row_of(sample, "group", view.cgroups[pod.path].slot)
    row = dict(zip(BY_NAME["group"].columns, counted, strict=True))
    assert row["usage_us"] == pod.usage_us
    assert (row["periods"], row["throttled"]) == (100, 100)
    assert row["throttled_us"] == pytest.approx(15e6, rel=0.02)
    memory = row_of(sample, "group_memory", view.cgroups[machine.group.path].slot)
    written = dict(zip(BY_NAME["group_memory"].columns, memory, strict=True))
    assert written["read_bytes"] == int(machine.group.read_bytes) > 1e6
    name = "cpu.max" if mode is Mode.V2 else "cpu.cfs_quota_us"
    limit = view.group_fact(pod.path, "" if mode is Mode.V2 else "cpu", name)
    assert limit == ("50000 100000" if mode is Mode.V2 else "50000")


def test_pressure_of_a_group_that_others_are_in_too_is_not_the_sandboxes(place: Place) -> None:
    host = place.host(mode=Mode.HYBRID)
    host.add(Spec("a"))
    host.world.pressure["io"].some_us = 5e6
    host.write()
    watcher = place.watch()
    sample = watcher.sample()

    group = watcher.view.cgroups[only(watcher.view).group]
    assert row_of(sample, "group", group.slot)[4:] == [MISSING] * 6


def test_io_of_a_hybrid_group_is_counted_by_v1_even_when_v2_has_the_group_too(place: Place) -> None:
    host = place.host(mode=Mode.HYBRID)
    machine = host.add(Spec("a"))
    host.advance(10.0, {"a": Load(reads=100, io_bytes=4096)})
    path = machine.group.path
    (place.root / f"sys/fs/cgroup/unified{path}").mkdir(parents=True)
    mounts = cgroups.Mounts(f"{place.root}/sys")
    controllers = ("cpu", "cpuacct", "memory", "io", "blkio", "")
    paths = dict.fromkeys(("cpu", "cpuacct", "memory", "blkio", ""), path)
    folders = {name: mounts.folder(name, paths) for name in controllers}

    group = cgroups.Cgroup(folders, files.Budget(1000))

    row = dict(zip(BY_NAME["group_memory"].columns, group.read_memory(), strict=True))
    assert row["read_bytes"] == 100 * 10 * 4096
    assert folders["io"].endswith(f"/unified{path}")


def test_vhost_workers_of_old_kernels_are_charged_to_their_own_sandbox(place: Place) -> None:
    host = place.host(vhost_tasks=False)
    first, second = host.add(Spec("a", queues=2)), host.add(Spec("b"))
    host.process("vhost-77777", kernel=True)  # of a VMM that is none of Kata's
    host.process(f"vhost-{first.primary.pid}")  # an impostor: no thread of the kernel

    view = place.watch().settle()

    by_id = {sandbox.id: sandbox for sandbox in view.sandboxes}
    for machine, count in ((first, 2), (second, 1)):
        vhost = by_id[machine.id].of_role(Role.VHOST)
        assert [thread.name for thread in vhost] == [f"vhost-{machine.primary.pid}"] * count
        assert {thread.group for thread in vhost} == {machine.group.path}
        assert all(thread.pid != machine.primary.pid for thread in vhost)


def test_vhost_workers_of_new_kernels_are_threads_of_the_vmm(place: Place) -> None:
    sandbox = place.found(place.host(), Spec("a", queues=2))

    assert [thread.pid for thread in sandbox.of_role(Role.VHOST)] == [sandbox.pid] * 2


def test_pinned_vcpus_are_seen_as_such(place: Place) -> None:
    sandbox = place.found(place.host(), Spec("a", vcpus=2, pinned=(1, 3)))

    assert [thread.cpus for thread in sandbox.of_role(Role.VCPU)] == [(1,), (3,)]
    assert not any(thread.pinned for thread in sandbox.of_role(Role.SHIM))


def test_links_of_two_sandboxes_with_the_same_names_are_kept_apart(place: Place) -> None:
    host = place.host()
    machines = [host.add(Spec("a")), host.add(Spec("b"))]
    host.advance(1.0, {"a": Load(rx_packets=1000), "b": Load(rx_packets=50)})
    watcher = place.watch()
    sample = watcher.sample()

    received = {}
    for sandbox in watcher.view.sandboxes:
        tap = next(link for link in sandbox.links if link.name == "tap0_kata")
        received[sandbox.id] = row_of(sample, "link", tap.slot)[5]
    assert received == {machines[0].id: 1000, machines[1].id: 50}
    assert {link.name for link in watcher.view.links} >= {"ens5", machines[0].veth.name}


def test_the_captured_host_has_one_sandbox_with_two_vcpus(shared: Path) -> None:
    root = shared / "fixtures/proc-qemu72-kvm-linux618/proc"
    records = collected("--rate=20", "--seconds=0.05", f"--proc-root={root}", "--sys-root=/nowhere")

    *_, (decoder, _) = decoded(records)
    sandbox = only(_view(decoder))

    assert sandbox.id == ID
    assert (sandbox.pid, sandbox.hypervisor) == (26257, "qemu")
    vcpus = sandbox.of_role(Role.VCPU)
    assert [(v.name, v.index, v.evidence) for v in vcpus] == [
        ("CPU 0/KVM", 0, "name"),
        ("CPU 1/KVM", 1, "name"),
    ]
    assert {t.name for t in sandbox.of_role(Role.VMM)} == {"qemu-system-x86", "kvm-nx-lpage-re"}
    assert [thread.tid for thread in sandbox.of_role(Role.IOTHREAD)] == [26262]
    assert [link.name for link in sandbox.links] == ["tap0_kata"]
    assert len(sandbox.threads) == 6


def test_the_captured_counters_are_those_of_the_files(shared: Path) -> None:
    root = shared / "fixtures/proc-qemu72-kvm-linux618/proc"
    records = collected("--rate=20", "--seconds=0.05", f"--proc-root={root}", "--sys-root=/nowhere")

    (decoder, sample), *_ = decoded(records)
    vcpu = only(_view(decoder)).of_role(Role.VCPU)[0]
    tap = only(_view(decoder)).links[0]

    assert row_of(sample, "run", vcpu.slot) == [5878457, 47213, 343]
    assert row_of(sample, "link", tap.slot) == [0, 0, 0, 0, 90, 1, 0, 0]


def _view(decoder: Decoder) -> HostView:
    return host_view(decoder.head, decoder.facts, decoder.entities)
