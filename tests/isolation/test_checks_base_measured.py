"""The checks of waiting, of settings of CPUs, and of memory, on hosts made up for them."""

import pytest

from tests.isolation.scenes import SECONDS, Host
from tests.isolation.test_checks_base import GROUP, configured, found, word

_THP = "/sys/kernel/mm/"


@pytest.mark.parametrize(
    ("waits", "expected"), [(0.0, "pass"), (0.02, "warn"), (0.2, "fail"), (None, "unknown")]
)
def test_vcpus_that_wait_for_others_fail_cpu_07(waits, expected) -> None:
    host = Host()
    runs = None if waits is None else 0.5
    host.thread(host.sandbox("a"), "vcpu", "2", runs=runs, waits=waits or 0.0, last=2)
    host.thread("", "host", "0-7", runs=0.4, last=2, name="kubelet")

    assert word("CPU-07", host) == expected


def test_waiting_for_the_own_limit_or_the_own_threads_passes_cpu_07() -> None:
    own, limited = Host(), Host()
    key = own.sandbox("a")
    own.thread(key, "vcpu", "2", runs=0.5, waits=0.5, last=2)
    own.thread(key, "vhost", "2", runs=0.5, last=2)
    limited.thread(limited.sandbox("a", group=GROUP), "vcpu", "2", runs=0.5, waits=0.3, last=2)
    limited.count("group", limited.group(GROUP), throttled_us=0.3 * SECONDS * 1e6)

    assert word("CPU-07", own) == "pass"
    assert word("CPU-07", limited) == "pass"


def test_an_idle_guest_is_not_judged_by_cpu_07() -> None:
    host = Host()
    host.thread(host.sandbox("a"), "vcpu", runs=0.001, waits=0.001, last=0)

    assert word("CPU-07", host) == "nothing"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("anon N0=95 N1=5\nshmem N0=0 N1=0\n", "pass"),
        ("anon N0=80 N1=20\n", "warn"),
        ("anon N0=10 N1=90\n", "fail"),
        ("", "unknown"),
    ],
)
def test_memory_far_from_its_vcpus_fails_cpu_08(text, expected) -> None:
    host = Host()
    host.thread(host.sandbox("a", group=GROUP), "vcpu", "0-3")
    host.fact(f"/sys/fs/cgroup{GROUP}/memory.numa_stat", text)
    assert word("CPU-08", host) == "nothing"

    for node, cpus in enumerate(("0-3", "4-7")):
        host.fact(f"/sys/devices/system/node/node{node}/cpulist", cpus)

    assert word("CPU-08", host) == expected


@pytest.mark.parametrize(
    ("rate", "expected"), [(1, "pass"), (20, "warn"), (80, "fail"), (None, "unknown")]
)
def test_a_vcpu_that_moves_all_the_time_fails_cpu_09(rate, expected) -> None:
    host = Host()
    slot = host.thread(host.sandbox("a"), "vcpu")
    if rate is not None:
        host.count("switch", slot, migrations=rate * SECONDS)

    assert word("CPU-09", host) == expected


@pytest.mark.parametrize(
    ("poll", "expected"),
    [("0", "pass"), ("1000000", "warn"), ("200000", "unknown"), (None, "unknown")],
)
def test_long_polling_warns_in_cpu_10(poll, expected) -> None:
    host = Host()
    host.sandbox("a")
    if poll:
        host.fact("/sys/module/kvm/parameters/halt_poll_ns", poll)

    assert word("CPU-10", host) == expected


@pytest.mark.parametrize(
    ("governor", "expected"),
    [("performance", "pass"), ("powersave", "warn"), ("schedutil", "info"), (None, "unknown")],
)
def test_cpus_that_save_power_warn_in_cpu_11(governor, expected) -> None:
    host = Host()
    if governor:
        host.fact("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", governor)

    assert word("CPU-11", host) == expected


def test_an_open_vulnerability_is_a_note_of_cpu_11() -> None:
    host = Host()
    host.fact("/sys/devices/system/cpu/vulnerabilities/mds", "Vulnerable; SMT vulnerable\n")
    host.fact("/sys/devices/system/cpu/vulnerabilities/l1tf", "Not affected\n")

    messages = [finding.message for finding in found("CPU-11", host) if finding.checked]

    assert messages == ["mds: Vulnerable; SMT vulnerable."]


@pytest.mark.parametrize(
    ("runtime", "qos", "expected"),
    [
        ("", "guaranteed", "warn"),
        ("", "burstable", "pass"),
        ("static_sandbox_resource_mgmt = true", "guaranteed", "pass"),
        ("enable_vcpus_pinning = true", "burstable", "warn"),
        (None, "guaranteed", "unknown"),
    ],
)
def test_a_size_that_changes_warns_in_cpu_12(runtime, qos, expected) -> None:
    host = Host()
    host.sandbox("a", qos=qos)
    if runtime is not None:
        configured(host, runtime)

    assert word("CPU-12", host) == expected


@pytest.mark.parametrize(
    ("huge_kb", "small_kb", "numa", "expected"),
    [
        (4 << 20, 100 << 10, "", "pass"),
        (0, 4 << 20, f"anon_thp N0={4 << 30}\nshmem_thp N0=0\n", "pass"),
        (0, 4 << 20, "anon_thp N0=0\nshmem_thp N0=0\n", "warn"),
        (0, 4 << 20, "", "unknown"),
        (0, 200 << 10, "", "pass"),
    ],
)
def test_a_big_guest_on_small_pages_warns_in_mem_01(huge_kb, small_kb, numa, expected) -> None:
    host = Host()
    host.sandbox("a", group=GROUP)
    host.fact("/proc/1000/status", f"VmRSS:\t{small_kb} kB\nHugetlbPages:\t{huge_kb} kB\n")
    host.fact(f"/sys/fs/cgroup{GROUP}/memory.numa_stat", numa)

    assert word("MEM-01", host) == expected


@pytest.mark.parametrize(
    ("run", "argv", "expected"),
    [
        ("0", (), "pass"),
        ("1", (), "warn"),
        ("1", ("qemu", "-object", "sev-snp-guest,id=sev0"), "fail"),
        (None, (), "unknown"),
    ],
)
def test_merging_of_pages_fails_mem_02_with_confidential_guests(run, argv, expected) -> None:
    host = Host()
    host.sandbox("a", *argv)
    if run:
        host.fact(f"{_THP}ksm/run", run)

    assert word("MEM-02", host) == expected


@pytest.mark.parametrize(
    ("state", "cpus", "expected"),
    [("0", "2", "pass"), ("1", "2", "warn"), ("1", "0-7", "pass")],
)
def test_balancing_with_pinned_guests_warns_in_mem_03(state, cpus, expected) -> None:
    host = Host()
    host.thread(host.sandbox("a"), "vcpu", cpus)
    host.fact("/proc/sys/kernel/numa_balancing", state)
    assert word("MEM-03", host) == "nothing"

    for node, members in enumerate(("0-3", "4-7")):
        host.fact(f"/sys/devices/system/node/node{node}/cpulist", members)

    assert word("MEM-03", host) == expected


@pytest.mark.parametrize(
    ("swap", "stall", "qos", "expected"),
    [
        (0, 0.0, "burstable", "pass"),
        (5000, 0.0, "burstable", "warn"),
        (5000, 0.0, "guaranteed", "fail"),
        (0, 0.05, "burstable", "warn"),
        (None, None, "burstable", "unknown"),
    ],
)
def test_a_guest_in_swap_fails_mem_04(swap, stall, qos, expected) -> None:
    host = Host()
    host.sandbox("a", qos=qos, group=GROUP)
    if swap is not None:
        host.fact("/proc/1000/status", f"VmSwap:\t{swap} kB\n")
        host.count("group", host.group(GROUP), memory_some_us=stall * SECONDS * 1e6)

    assert word("MEM-04", host) == expected


def test_the_undo_of_mem_04_writes_back_what_was_there() -> None:
    host = Host()
    host.sandbox("a", group=GROUP)
    host.group(GROUP, memory_swap_max="max\n")
    host.fact("/proc/1000/status", "VmSwap:\t5000 kB\n")

    finding = found("MEM-04", host)[0]

    assert finding.fix == f"echo 0 > /sys/fs/cgroup{GROUP}/memory.swap.max"
    assert finding.undo == f"echo max > /sys/fs/cgroup{GROUP}/memory.swap.max"


@pytest.mark.parametrize(
    ("keys", "qos", "expected"),
    [
        ({}, "guaranteed", "pass"),
        ({"reclaim_guest_freed_memory": "true"}, "guaranteed", "warn"),
        ({"reclaim_guest_freed_memory": "true"}, "burstable", "info"),
        (None, "guaranteed", "unknown"),
    ],
)
def test_memory_that_is_taken_back_warns_in_mem_05(keys, qos, expected) -> None:
    host = Host()
    host.sandbox("a", qos=qos)
    if keys is not None:
        configured(host, **keys)

    assert word("MEM-05", host) == expected


@pytest.mark.parametrize(
    ("runtime", "section", "keys"),
    [
        ("go", "factory", ""),
        ("rust", "hypervisor.qemu.factory", "[hypervisor.qemu]\noverhead_vcpus = 0.2\n"),
    ],
)
def test_the_template_is_in_a_section_of_its_own(runtime, section, keys) -> None:
    host = Host()
    host.sandbox("a", runtime=runtime, qos="guaranteed")
    text = f"{keys or '[hypervisor.qemu]'}\n[{section}]\nenable_template = true\n"
    host.fact("/etc/kata-containers/configuration.toml", text)

    finding = found("MEM-05", host)[0]

    assert finding.severity == "warning"
    assert finding.fix.endswith(f"[{section}]\nenable_template = false\n")


@pytest.mark.parametrize(
    ("common", "mine", "expected"),
    [
        ("L3:0=00f", "L3:0=ff0", "pass"),
        ("L3:0=fff", "L3:0=ff0", "warn"),
        ("L3:0=fff", None, "unknown"),
        (None, None, "unknown"),
    ],
)
def test_an_overlapping_cache_class_warns_in_mem_06(common, mine, expected) -> None:
    host = Host()
    slot = host.thread(host.sandbox("a"), "vcpu")
    if common:
        host.fact("/sys/fs/resctrl/schemata", f"    MB:0=100\n    {common}\n")
    if mine:
        host.fact("/sys/fs/resctrl/gold/schemata", mine)
        host.fact("/sys/fs/resctrl/gold/tasks", f"{host.entities['thread'][slot]['tid']}\n")

    assert word("MEM-06", host) == expected
