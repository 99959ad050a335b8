"""The checks of the host's disks and of where IO goes, on hosts made up for them."""

import pytest

from tests.isolation.scenes import SECONDS, Host
from tests.isolation.test_checks_io import GROUP, configured, found, with_disk, word

QUEUE = "/sys/block/nvme0n1/queue"
NVDIMM = (
    *("qemu", "-device", "nvdimm,id=nv0,memdev=mem0", "-object"),
    "memory-backend-file,id=mem0,mem-path=/opt/kata/kata.img,size=1M,readonly=on",
)


def pinned(host: Host, name: str = "a", cpu: str = "2") -> str:
    key = host.sandbox(name)
    host.thread(key, "vcpu", cpu, runs=0.5, last=int(cpu))
    return key


@pytest.mark.parametrize(
    ("control", "files", "expected"),
    [
        ("cpu memory io", {"cpu_max": "max", "io_max": ""}, "pass"),
        ("cpu memory io", {"cpu_max": "max"}, "fail"),
        ("cpu memory io", {}, "unknown"),
        ("cpu memory", {}, "fail"),
        (None, {}, "unknown"),
    ],
)
def test_a_host_that_does_not_count_io_fails_io_15(control, files, expected) -> None:
    host = Host()
    host.sandbox("a", group=GROUP)
    folders = host.entities["cgroup"][host.group(GROUP, **files)]["folders"]
    folders["blkio"] = folders[""]  # v2 has one folder for all controllers
    if control:
        host.fact("/sys/fs/cgroup/cgroup.subtree_control", control)

    assert word("IO-15", host) == expected


@pytest.mark.parametrize(
    ("qos", "scheduler", "root", "expected"),
    [
        ("259:0 enable=1 ctrl=auto\n", "[none]", True, "pass"),
        ("259:0 enable=0 ctrl=auto\n", "[none]", True, "warn"),
        (None, "none [bfq]", False, "pass"),
        (None, "[none]", True, "warn"),
        (None, "[none]", False, "unknown"),
    ],
)
def test_a_shared_disk_without_weights_warns_in_io_16(qos, scheduler, root, expected) -> None:
    host = Host(root=root)
    host.sandbox("a")
    with_disk(host, scheduler=scheduler, reads=1)
    if qos:
        host.fact("/sys/fs/cgroup/io.cost.qos", qos)
    assert word("IO-16", host) == "nothing"

    host.sandbox("b")

    assert word("IO-16", host) == expected


@pytest.mark.parametrize(
    ("disk", "scheduler", "rotational", "expected"),
    [
        ("nvme0n1", "[none] bfq", "0", "pass"),
        ("nvme0n1", "none [bfq]", "0", "warn"),
        ("sda", "[none] bfq", "1", "warn"),
        ("sda", "none [mq-deadline]", "1", "pass"),
        ("dm-0", "none [bfq]", "1", "nothing"),
    ],
)
def test_a_scheduler_that_does_not_fit_warns_in_io_17(
    disk, scheduler, rotational, expected
) -> None:
    host = Host()
    with_disk(host, disk, scheduler, reads=1)
    host.fact(f"/sys/block/{disk}/queue/rotational", rotational)

    assert word("IO-17", host) == expected


@pytest.mark.parametrize(
    ("target", "writeback", "expected"),
    [("2000", 10, "pass"), ("0", 10, "warn"), ("0", 0, "pass"), (None, 10, "nothing")],
)
def test_unthrottled_writeback_warns_in_io_18(target, writeback, expected) -> None:
    host = Host()
    with_disk(host, writes=100)
    host.now("host", 0, writeback_pages=writeback)
    if target:
        host.fact(f"{QUEUE}/wbt_lat_usec", target)

    assert word("IO-18", host) == expected


@pytest.mark.parametrize(
    ("mean_ms", "expected"), [(1, "pass"), (6, "warn"), (20, "fail"), (None, "unknown")]
)
def test_a_slow_disk_fails_io_19(mean_ms, expected) -> None:
    host = Host()
    counts = {"reads": 100, "writes": 0, "write_ms": 0, "weighted_ms": 5000}
    grown = {} if mean_ms is None else {**counts, "read_ms": 100 * mean_ms}
    with_disk(host, **grown)

    assert word("IO-19", host) == expected


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, "pass"), (0.05, "warn"), (0.3, "fail"), (None, "unknown")]
)
def test_a_sandbox_that_stands_still_for_io_fails_io_20(share, expected) -> None:
    host = Host()
    host.sandbox("a", group=GROUP)
    host.count("host", 0, io_some_us=0)
    if share is not None:
        host.count("group", host.group(GROUP), io_some_us=share * SECONDS * 1e6)

    assert word("IO-20", host) == expected


@pytest.mark.parametrize(
    ("moved", "stall", "expected"),
    [(80e6, 0.2, "warn"), (80e6, 0.0, "pass"), (20e6, 0.2, "pass"), (None, 0.2, "unknown")],
)
def test_one_that_holds_up_the_others_warns_in_io_21(moved, stall, expected) -> None:
    host = Host()
    with_disk(host, read_sectors=100e6 * SECONDS / 512, write_sectors=0)
    for name, bytes_a_second in (("a", moved), ("b", 1e6)):
        group = f"/kubepods/pod{name}/{name}"
        host.sandbox(name, group=group)
        if bytes_a_second is not None:
            grown = {"read_bytes": bytes_a_second * SECONDS, "write_bytes": 0}
            host.count("group_memory", host.group(group), **grown)
    host.count("group", host.group("/kubepods/podb/b"), io_some_us=stall * SECONDS * 1e6)

    assert word("IO-21", host) == expected
    if expected == "warn":
        assert [finding.subject for finding in found("IO-21", host)] == ["default/a"]


@pytest.mark.parametrize(
    ("cpu", "boot", "expected"),
    [
        ("2", "quiet", "warn"),
        ("5", "quiet", "pass"),
        ("2", "isolcpus=managed_irq,domain,2-3 quiet", "pass"),
        ("2", "isolcpus=2-3", "warn"),
    ],
)
def test_nvme_interrupts_on_a_paid_cpu_warn_in_io_22(cpu, boot, expected) -> None:
    host = Host()
    host.fact("/proc/interrupts", "  33:  7  0  PCI-MSIX-0000:01:00.0  3-edge  nvme0q3\n")
    host.fact("/proc/irq/33/effective_affinity_list", cpu)
    host.fact("/proc/cmdline", boot)
    assert word("IO-22", host) == "nothing"

    pinned(host)

    assert word("IO-22", host) == expected


@pytest.mark.parametrize(("state", "expected"), [("2", "pass"), ("1", "info"), (None, "unknown")])
def test_requests_that_end_elsewhere_are_a_note_of_io_23(state, expected) -> None:
    host = Host()
    with_disk(host)
    pinned(host)
    if state:
        host.fact(f"{QUEUE}/rq_affinity", state)

    assert word("IO-23", host) == expected


@pytest.mark.parametrize(
    ("vcpus", "runtime", "queues", "expected"),
    [
        (4, "rust", 1, "warn"),
        (4, "rust", 4, "pass"),
        (4, "rust", None, "unknown"),
        (4, "go", None, "pass"),
        (2, "rust", 1, "nothing"),
    ],
)
def test_one_queue_for_many_vcpus_warns_in_io_24(vcpus, runtime, queues, expected) -> None:
    host = Host()
    with_disk(host)
    key = host.sandbox("a", runtime=runtime)
    for index in range(vcpus):
        host.thread(key, "vcpu", index=index)
    if queues:
        configured(host, overhead_vcpus="0.2", num_queues=str(queues))

    assert word("IO-24", host) == expected
    if expected == "warn":
        assert "num_queues = 4" in found("IO-24", host)[0].fix


@pytest.mark.parametrize(
    ("workers", "runs", "expected"), [(5, 0.1, "warn"), (5, 0.0, "pass"), (4, 0.1, "pass")]
)
def test_many_workers_of_io_uring_warn_in_io_25(workers, runs, expected) -> None:
    host = Host()
    key = host.sandbox("a")
    for number in range(workers):
        host.thread(key, "iothread", name=f"iou-wrk-{number}", runs=runs)

    assert word("IO-25", host) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/var/lib/kubelet/pods/u/disk.img", "warn"), ("/var/lib/snapd/snaps/x.snap", "pass")],
)
def test_a_volume_behind_a_loop_device_warns_in_io_26(path, expected) -> None:
    host = Host()
    host.sandbox("a")
    host.fact("/sys/block/loop0/loop/backing_file", path)

    assert word("IO-26", host) == expected


def test_io_27_tells_where_scratch_data_goes() -> None:
    usual, encrypted, unread = configured(Host()), Host(), Host()
    for host in (usual, encrypted, unread):
        host.sandbox("a")
    text = '[runtime]\nemptydir_mode = "block-encrypted"\n[hypervisor.qemu]\n'
    encrypted.fact("/etc/kata-containers/configuration.toml", text)

    assert "virtio-fs (shared-fs)" in found("IO-27", usual)[0].message
    assert "(block-encrypted)" in found("IO-27", encrypted)[0].message
    assert word("IO-27", unread) == "unknown"


def test_a_shared_guest_image_warns_in_io_28() -> None:
    alone, shared, secret = Host(), Host(), Host()
    for host, names in ((alone, "a"), (shared, "ab")):
        for name in names:
            host.sandbox(name, *NVDIMM)
    secret.sandbox("a", *NVDIMM, "-object", "tdx-guest,id=tdx")

    assert [word("IO-28", host) for host in (alone, shared, secret)] == ["pass", "warn", "fail"]
    assert "disable_image_nvdimm = true" in found("IO-28", shared)[0].fix


@pytest.mark.parametrize(("cpus", "expected"), [("2", "fail"), ("5", "pass")])
def test_a_poller_on_a_paid_cpu_fails_io_29(cpus, expected) -> None:
    host = Host()
    pinned(host)
    host.thread("", "host", cpus, runs=1.0, last=int(cpus), name="reactor_0")

    assert word("IO-29", host) == expected


@pytest.mark.parametrize(
    ("keys", "expected"),
    [({}, "pass"), ({"enable_vhost_user_store": "true"}, "unknown"), (None, "unknown")],
)
def test_without_a_poller_io_29_asks_the_configuration(keys, expected) -> None:
    host = Host()
    host.sandbox("a")
    if keys is not None:
        configured(host, **keys)

    assert word("IO-29", host) == expected


@pytest.mark.parametrize(
    ("mounts", "expected"),
    [
        ("/dev/nvme0n1p2 / ext4 rw 0 0\n/dev/nvme1n1 /var/lib/kubelet xfs rw 0 0\n", "pass"),
        ("/dev/nvme0n1p2 / ext4 rw 0 0\n", "warn"),
        ("/dev/sda1 / ext4 rw 0 0\n/dev/sda2 /var/lib/kubelet xfs rw 0 0\n", "warn"),
        ("overlay / overlay rw 0 0\n", "unknown"),
        (None, "unknown"),
    ],
)
def test_volumes_on_the_disk_of_the_control_plane_warn_in_io_30(mounts, expected) -> None:
    host = Host()
    host.sandbox("a")
    if mounts:
        host.fact("/proc/mounts", mounts)

    assert word("IO-30", host) == expected


def test_io_30_names_etcd_only_where_it_runs() -> None:
    host = Host()
    host.sandbox("a")
    host.fact("/proc/mounts", "/dev/sda1 / ext4 rw 0 0\n")
    assert "etcd" not in found("IO-30", host)[0].message

    host.thread("", "host", name="etcd")

    assert "etcd" in found("IO-30", host)[0].message


@pytest.mark.parametrize(
    ("keys", "qos", "expected"),
    [
        ({}, "guaranteed", "pass"),
        ({"enable_guest_swap": "true"}, "guaranteed", "warn"),
        ({"enable_guest_swap": "true"}, "burstable", "info"),
        (None, "guaranteed", "unknown"),
    ],
)
def test_guests_that_swap_warn_in_io_31(keys, qos, expected) -> None:
    host = Host()
    host.sandbox("a", qos=qos)
    if keys is not None:
        configured(host, **keys)

    assert word("IO-31", host) == expected


def test_what_pod_limits_mean_is_a_note_of_io_32() -> None:
    host = Host()
    assert word("IO-32", host) == "nothing"

    host.sandbox("a")

    assert word("IO-32", host) == "info"


def test_cgroup_v1_counts_io_wherever_it_is_mounted() -> None:
    host = Host()
    host.sandbox("a", group=GROUP)
    host.fact("/sys/fs/cgroup/unified/cgroup.subtree_control", "")
    host.entities["cgroup"][host.group(GROUP)]["folders"]["blkio"] = "/sys/fs/cgroup/blkio/a"

    assert word("IO-15", host) == "pass"


def test_what_the_root_group_counts_is_nobodys_in_io_20() -> None:
    host = Host()
    host.sandbox("a", group="/")
    host.count("host", 0, io_some_us=0)
    host.count("group", host.group("/"), io_some_us=SECONDS * 1e6)

    assert word("IO-20", host) == "unknown"
