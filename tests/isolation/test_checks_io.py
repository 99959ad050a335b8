"""The checks of shared files and of a sandbox's block devices, on hosts made up for them."""

import pytest

from kataui.findings import Finding
from kataui.isolation.checks import io
from kataui.isolation.checks.check import Check
from tests.isolation.scenes import SECONDS, Host, verdict

CHECKS: dict[str, Check] = {check.id: check for check in io.CHECKS}
CONFIGURATION = "/etc/kata-containers/configuration.toml"
POD = "/kubepods/burstable/poda"
GROUP = f"{POD}/a"
MIB = 1 << 20


def word(name: str, host: Host) -> str:
    return verdict(host.ask(CHECKS[name]))


def found(name: str, host: Host) -> list[Finding]:
    return host.findings(CHECKS[name])


def configured(host: Host, section: str = "qemu", **keys: str) -> Host:
    lines = "\n".join(f"{key} = {value}" for key, value in keys.items())
    host.fact(CONFIGURATION, f"[runtime]\n[hypervisor.{section}]\n{lines}\n")
    return host


def with_server(host: Host, *options: str, runs: float | None = None, group: str = "") -> str:
    key = host.sandbox("a", group=GROUP)
    argv = ["virtiofsd", "--shared-dir=/run/kata-containers/shared/sandboxes/a/shared", *options]
    host.put("process", pid=1001, part="virtiofsd", comm="virtiofsd", sandbox=key, argv=argv)
    host.thread(key, "virtiofsd", runs=runs, group=group)
    return key


def with_disk(host: Host, name: str = "nvme0n1", scheduler: str = "[none] bfq", **grown) -> int:
    slot = host.disk(name, **grown)
    host.fact(f"/sys/block/{name}/queue/scheduler", scheduler)
    host.fact(f"/sys/block/{name}/queue/rotational", "0")
    return slot


def test_every_check_of_the_io_path_exists_once_with_a_reason_and_a_fix() -> None:
    assert [check.id for check in io.CHECKS] == [f"IO-{n:02}" for n in range(1, 33)]
    assert all(check.why and check.title and check.fix and check.undo for check in io.CHECKS)


def test_an_empty_host_has_no_errors() -> None:
    host = Host()

    assert all(word(name, host) in ("nothing", "unknown") for name in CHECKS)


def test_busy_shared_files_warn_in_io_01_and_idle_ones_are_a_note() -> None:
    busy, idle, none = Host(), Host(), Host()
    with_server(busy, runs=0.5)
    with_server(idle, runs=0.01)
    none.sandbox("a")

    assert [word("IO-01", host) for host in (busy, idle, none)] == ["warn", "info", "pass"]


def test_go_is_told_to_use_block_devices_in_io_01() -> None:
    host = Host()
    with_server(host, runs=0.5)

    finding = found("IO-01", host)[0]

    assert finding.fix.endswith("[hypervisor.qemu]\ndisable_block_device_use = false\n")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--cache=auto",), "pass"),
        (("--cache", "metadata"), "pass"),
        ((), "pass"),
        (("--cache=always",), "warn"),
        (("--cache", "never"), "warn"),
    ],
)
def test_a_cache_that_does_not_fit_warns_in_io_02(options, expected) -> None:
    host = Host()
    with_server(host, *options)

    assert word("IO-02", host) == expected


@pytest.mark.parametrize(
    ("size", "expected"), [("", "pass"), (",cache-size=0M", "pass"), (",cache-size=1024M", "warn")]
)
def test_a_window_onto_the_page_cache_warns_in_io_03(size, expected) -> None:
    host = Host()
    host.sandbox("a", "qemu", "-device", f"vhost-user-fs-pci,chardev=c{size},tag=kataShared")

    assert word("IO-03", host) == expected


@pytest.mark.parametrize(("size", "expected"), [(0, "pass"), (512, "warn"), (None, "unknown")])
def test_dragonballs_window_is_read_from_its_configuration(size, expected) -> None:
    host = Host()
    host.sandbox("a", hypervisor="dragonball", runtime="rust")
    if size is not None:
        text = f"[hypervisor.dragonball]\noverhead_vcpus = 0.2\nvirtio_fs_cache_size = {size}\n"
        host.fact(CONFIGURATION, text)

    assert word("IO-03", host) == expected


@pytest.mark.parametrize(
    ("runs", "expected"), [(0.3, "pass"), (0.8, "warn"), (0.99, "fail"), (None, "unknown")]
)
def test_a_file_server_that_is_used_up_fails_io_04(runs, expected) -> None:
    host = Host()
    with_server(host, runs=runs)

    assert word("IO-04", host) == expected


def test_the_fix_of_io_04_keeps_the_other_arguments() -> None:
    host = configured(Host(), virtio_fs_extra_args='["--thread-pool-size=1", "--syslog"]')
    with_server(host, runs=0.99)

    expected = 'virtio_fs_extra_args = ["--thread-pool-size=4", "--syslog"]'
    assert expected in found("IO-04", host)[0].fix


@pytest.mark.parametrize(
    ("limit", "group", "expected"),
    [
        ("100000 100000", "/kata_overhead/a", "fail"),
        ("100000 100000", GROUP, "pass"),
        ("max 100000", "/kata_overhead/a", "pass"),
    ],
)
def test_a_file_server_without_its_pods_limit_fails_io_05(limit, group, expected) -> None:
    host = Host()
    with_server(host, group=group)
    host.group(POD, cpu_max=limit)

    assert word("IO-05", host) == expected


@pytest.mark.parametrize(
    ("dirty", "expected"), [(10, "pass"), (30, "warn"), (60, "fail"), (None, "unknown")]
)
def test_a_sandbox_full_of_unwritten_data_fails_io_06(dirty, expected) -> None:
    host = Host()
    host.sandbox("a", group=GROUP)
    host.now("host", 0, dirty_threshold_pages=100 * MIB // 4096)
    if dirty is not None:
        host.now("group_memory", host.group(GROUP), file_dirty=dirty * MIB, file_writeback=0)

    assert word("IO-06", host) == expected


def test_a_group_inside_of_another_counts_once_in_io_06() -> None:
    host = Host()
    host.sandbox("a", group=GROUP, groups=(POD,))
    host.now("host", 0, dirty_threshold_pages=100 * MIB // 4096)
    for path in (GROUP, POD):
        host.now("group_memory", host.group(path), file_dirty=30 * MIB, file_writeback=0)

    assert word("IO-06", host) == "warn"


@pytest.mark.parametrize(
    ("aio", "disabled", "expected"),
    [
        ("io_uring", "0", "pass"),
        ("native", "2", "pass"),
        ("threads", "0", "warn"),
        ("io_uring", "2", "warn"),
        (None, "0", "unknown"),
    ],
)
def test_a_pool_of_threads_for_io_warns_in_io_07(aio, disabled, expected) -> None:
    host = Host()
    host.sandbox("a")
    host.fact("/proc/sys/kernel/io_uring_disabled", disabled)
    if aio:
        configured(host, block_device_aio=f'"{aio}"')

    assert word("IO-07", host) == expected


def test_a_drive_that_runs_with_threads_warns_in_io_07() -> None:
    host = configured(Host())
    host.sandbox("a", "qemu", "-drive", "id=d,file=/x,aio=threads,if=none")

    assert [finding.subject for finding in found("IO-07", host)] == ["default/a"]


@pytest.mark.parametrize(
    ("drive", "expected"),
    [
        ("-drive id=d,file=/x,aio=native,cache.direct=on", "pass"),
        ("-drive id=d,file=/x,aio=native", "fail"),
        ('-blockdev {"driver":"file","aio":"native","cache":{"direct":true}}', "pass"),
        ('-blockdev {"driver":"file","aio":"native","cache":{"direct":false}}', "fail"),
    ],
)
def test_native_io_through_the_page_cache_fails_io_08(drive, expected) -> None:
    host = configured(Host())
    host.sandbox("a", "qemu", *drive.split(" ", 1))

    assert word("IO-08", host) == expected


def test_io_08_reads_the_configuration_for_later_volumes() -> None:
    bad, good, unread = Host(), Host(), Host()
    for host in (bad, good, unread):
        host.sandbox("a")
    configured(bad, block_device_aio='"native"')
    both = {"block_device_cache_set": "true", "block_device_cache_direct": "true"}
    configured(good, block_device_aio='"native"', **both)

    assert [word("IO-08", host) for host in (bad, good, unread)] == ["fail", "pass", "unknown"]
    assert all(f"{key} = true" in found("IO-08", bad)[0].fix for key in both)


def test_volumes_through_a_shared_page_cache_warn_in_io_09() -> None:
    cached, alone, unread = configured(Host()), configured(Host()), Host()
    for host in (cached, alone, unread):
        host.sandbox("a")
    for host in (cached, unread):
        host.sandbox("b")

    assert word("IO-09", cached) == "warn"
    assert word("IO-09", alone) == "pass"
    assert word("IO-09", unread) == "unknown"


def test_firecracker_is_not_asked_for_direct_io() -> None:
    host = configured(Host(), "firecracker")
    for name in ("a", "b"):
        host.sandbox(name, hypervisor="firecracker")

    assert word("IO-09", host) == "nothing"


def test_ignored_flushes_fail_io_10() -> None:
    drive, key, good, unread = (Host() for _ in range(4))
    configured(drive).sandbox("a", "qemu", "-drive", "file=/x,cache.no-flush=on")
    configured(key, block_device_cache_noflush="true").sandbox("a")
    configured(good).sandbox("a", "qemu", "-drive", "file=/x,cache.direct=on")
    unread.sandbox("a")

    words = [word("IO-10", host) for host in (drive, key, good, unread)]
    assert words == ["fail", "fail", "pass", "unknown"]


@pytest.mark.parametrize(
    ("thread", "moved", "expected"),
    [
        (False, 100e6, "warn"),
        (True, 100e6, "pass"),
        (False, 1e6, "pass"),
        (False, None, "unknown"),
    ],
)
def test_heavy_disk_use_without_an_io_thread_warns_in_io_11(thread, moved, expected) -> None:
    host = Host()
    more = ("-object", "iothread,id=iothread-1") if thread else ()
    host.sandbox("a", "qemu", "-m", "2048M", *more, group=GROUP)
    if moved is not None:
        counts = {"read_bytes": 0, "write_bytes": moved * SECONDS, "read_ios": 0, "write_ios": 9}
        host.count("group_memory", host.group(GROUP), **counts)

    assert word("IO-11", host) == expected


@pytest.mark.parametrize(
    ("runs", "waits", "expected"),
    [
        (0.3, 0.0, "pass"),
        (0.8, 0.0, "warn"),
        (0.3, 0.01, "warn"),
        (0.97, 0.0, "fail"),
        (0.3, 0.1, "fail"),
        (None, 0.0, "unknown"),
    ],
)
def test_an_io_thread_that_waits_or_is_used_up_fails_io_12(runs, waits, expected) -> None:
    host = Host()
    host.thread(host.sandbox("a"), "iothread", runs=runs, waits=waits)

    assert word("IO-12", host) == expected


@pytest.mark.parametrize(
    ("cpus", "last", "expected"), [("0-7", 2, "fail"), ("0-7", 5, "warn"), ("4-7", 5, "pass")]
)
def test_an_io_thread_on_a_paid_cpu_of_another_fails_io_13(cpus, last, expected) -> None:
    host = Host()
    host.thread(host.sandbox("a"), "vcpu", "2", runs=0.1, last=2)
    host.thread(host.sandbox("b"), "iothread", cpus, runs=0.1, last=last)

    assert word("IO-13", host) == expected


@pytest.mark.parametrize(
    ("limit", "root", "expected"),
    [("259:0 wbps=1000", True, "pass"), ("", True, "warn"), (None, False, "unknown")],
)
def test_a_guest_without_a_disk_limit_warns_in_io_14(limit, root, expected) -> None:
    host = Host(root=root)
    host.sandbox("a", group=GROUP)
    if limit is not None:
        host.group(GROUP, io_max=limit)

    assert word("IO-14", host) == expected


def test_a_disk_limit_that_qemu_ignores_fails_io_14() -> None:
    limits = {"disk_rate_limiter_bw_max_rate": "1000000"}
    ignored, obeyed = configured(Host(), **limits), configured(Host(), "clh", **limits)
    silent = configured(Host(), "clh")
    ignored.sandbox("a")
    for host in (obeyed, silent):
        host.sandbox("a", hypervisor="cloud-hypervisor")

    assert word("IO-14", ignored) == "fail"
    assert word("IO-14", obeyed) == "pass"
    assert word("IO-14", silent) == "warn"


def test_the_fix_of_io_14_names_the_pods_group_and_a_disk_of_this_host() -> None:
    host = Host()
    with_disk(host, reads=1)
    host.sandbox("a", group=GROUP)

    finding = found("IO-14", host)[0]

    assert finding.fix.startswith("echo '259:0 rbps=")
    assert finding.fix.endswith(f"> /sys/fs/cgroup{POD}/io.max")
    assert finding.undo.startswith("echo '259:0 rbps=max wbps=max'")


def test_a_drive_at_boot_is_judged_by_itself_in_io_09() -> None:
    both = {"block_device_cache_set": "true", "block_device_cache_direct": "true"}
    host = configured(Host(), **both)
    host.sandbox("a", "qemu", "-drive", "file=/x,if=none")
    host.sandbox("b", "qemu", "-drive", "file=/y,cache.direct=on")
    host.sandbox("c", "qemu", "-drive", "file=/kata.img,readonly=on")

    assert [finding.subject for finding in found("IO-09", host)] == ["default/a"]
