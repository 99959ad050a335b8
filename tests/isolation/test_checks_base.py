"""The checks of control groups and of pinned CPUs, on hosts made up for them."""

import pytest

from kataui.findings import Finding
from kataui.isolation.checks import base
from kataui.isolation.checks.check import Check
from tests.isolation.scenes import Host, verdict

CHECKS: dict[str, Check] = {check.id: check for check in base.CHECKS}
CONFIGURATION = "/etc/kata-containers/configuration.toml"
POD = "/kubepods/burstable/poda"
GROUP = f"{POD}/a"


def word(name: str, host: Host) -> str:
    return verdict(host.ask(CHECKS[name]))


def found(name: str, host: Host) -> list[Finding]:
    return host.findings(CHECKS[name])


def configured(host: Host, runtime: str = "", **keys: str) -> Host:
    lines = "\n".join(f"{key} = {value}" for key, value in keys.items())
    host.fact(CONFIGURATION, f"[runtime]\n{runtime}\n[hypervisor.qemu]\n{lines}\n")
    return host


def two_vcpus(host: Host, name: str = "a", cpus: tuple[str, str] = ("2", "3"), **more) -> str:
    key = host.sandbox(name, **more)
    for index, allowed in enumerate(cpus):
        host.thread(key, "vcpu", allowed, index=index, runs=0.5, last=int(allowed.split("-")[0]))
    return key


def test_every_check_of_the_base_exists_once_with_a_reason_and_a_fix() -> None:
    expected = [
        *(f"CGR-{n:02}" for n in range(1, 7)),
        *(f"CPU-{n:02}" for n in range(1, 13)),
        *(f"MEM-{n:02}" for n in range(1, 7)),
    ]

    assert [check.id for check in base.CHECKS] == expected
    assert all(check.why and check.title and check.fix and check.undo for check in base.CHECKS)


def test_an_empty_host_has_no_errors() -> None:
    host = Host()

    assert all(word(name, host) in ("nothing", "unknown") for name in CHECKS)


@pytest.mark.parametrize(
    ("group", "limits", "expected"),
    [
        (GROUP, {}, "pass"),
        ("/kata_overhead/a", {}, "fail"),
        ("/kata_overhead/a", {"cpu.max": "100000 100000"}, "fail"),
        ("/kata_overhead/a", {"cpu.max": "100000 100000", "cpuset.cpus": "0-1"}, "warn"),
    ],
)
def test_helpers_outside_the_pod_fail_cgr_01_unless_limited(group, limits, expected) -> None:
    host = Host()
    key = host.sandbox("a", group=GROUP)
    host.thread(key, "virtiofsd", group=group)
    for name, text in limits.items():
        host.fact(f"/sys/fs/cgroup/kata_overhead/{name}", text)

    assert word("CGR-01", host) == expected


def test_the_fix_of_cgr_01_is_the_key_of_kata_with_its_undo() -> None:
    host = configured(Host())
    host.thread(host.sandbox("a", group=GROUP), "shim", group="/kata_overhead/a")

    finding = found("CGR-01", host)[0]

    assert finding.fix.endswith("[runtime]\nsandbox_cgroup_only = true\n")
    assert finding.undo.startswith("rm /etc/kata-containers/config.d/")


def test_dragonball_is_not_told_a_key_that_it_ignores() -> None:
    host = Host()
    key = host.sandbox("a", group=GROUP, hypervisor="dragonball", runtime="rust")
    host.thread(key, "shim", group="/elsewhere")

    assert "sandbox_cgroup_only" not in found("CGR-01", host)[0].fix


@pytest.mark.parametrize(
    ("group", "root", "expected"),
    [
        (GROUP, True, "pass"),
        ("/kubepods-poda.slice:cri-containerd:a", True, "fail"),
        ("/system.slice/containerd.service", True, "fail"),
    ],
)
def test_a_pod_outside_of_kubepods_fails_cgr_02(group, root, expected) -> None:
    host = Host(root=root)
    host.sandbox("a", group=group)

    assert word("CGR-02", host) == expected


def test_without_a_pods_name_cgr_02_needs_root() -> None:
    host = Host(root=False)
    host.sandbox("a", group="/default/a")
    host.entities["sandbox"][0]["pod"] = {}

    assert word("CGR-02", host) == "unknown"


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("4294967296", "unknown"), ("1600000000", "warn"), ("469762048", "fail")],
)
def test_a_guest_larger_than_its_pod_fails_cgr_03(limit, expected) -> None:
    host = Host()
    host.sandbox("a", "qemu", "-m", "2048M,slots=10,maxmem=16G", group=GROUP)
    host.group(GROUP)
    host.group(POD, memory_max=limit)

    assert word("CGR-03", host) == expected


@pytest.mark.parametrize(
    ("throttled", "expected"), [(0, "pass"), (5, "warn"), (40, "fail"), (None, "unknown")]
)
def test_a_throttled_pod_fails_cgr_04(throttled, expected) -> None:
    host = Host()
    host.sandbox("a", group=GROUP)
    if throttled is not None:
        host.count("group", host.group(GROUP), periods=100, throttled=throttled)

    assert word("CGR-04", host) == expected


@pytest.mark.parametrize(
    ("group", "expected"),
    [("/kubepods/poda/kata_a", "pass"), ("/", "fail"), ("/kata_overhead/a", "fail")],
)
def test_vcpus_left_elsewhere_fail_cgr_05_on_v1_only(group, expected) -> None:
    host = Host()
    slot = host.thread(host.sandbox("a"), "vcpu")
    assert word("CGR-05", host) == "nothing"

    host.entities["thread"][slot]["groups"] = {"cpu": group, "memory": group}

    assert word("CGR-05", host) == expected


@pytest.mark.parametrize(("group", "expected"), [("", "pass"), ("/", "fail"), ("/x", "warn")])
def test_a_vhost_thread_away_from_its_vmm_fails_cgr_06(group, expected) -> None:
    host = Host()
    key = host.sandbox("a")
    host.thread(key, "vmm")
    host.thread(key, "vhost", group=group)

    assert word("CGR-06", host) == expected


@pytest.mark.parametrize(
    ("sandboxes", "qos", "expected"),
    [
        (4, "burstable", "pass"),
        (5, "burstable", "warn"),
        (13, "burstable", "warn"),
        (12, "guaranteed", "warn"),
        (13, "guaranteed", "fail"),
    ],
)
def test_too_many_vcpus_fail_cpu_01_where_latency_was_paid_for(sandboxes, qos, expected) -> None:
    host = Host(8)
    for number in range(sandboxes):
        two_vcpus(host, f"s{number}", ("0-7", "0-7"), qos=qos)

    assert word("CPU-01", host) == expected


def test_cpu_01_leaves_out_what_kubelet_reserves() -> None:
    host = Host(8)
    for number in range(4):
        two_vcpus(host, f"s{number}", ("0-7", "0-7"))
    host.fact("/var/lib/kubelet/config.yaml", 'kind: x\nreservedSystemCPUs: "0-1"\n')

    assert "8 vCPUs share 6 CPUs" in found("CPU-01", host)[0].message


def test_two_vcpus_pinned_to_one_cpu_are_an_error_that_names_both_and_the_cpu() -> None:
    host = configured(Host(), enable_numa="true")
    two_vcpus(host, "a", ("2", "3"))
    two_vcpus(host, "b", ("3", "4"))

    (finding,) = found("CPU-02", host)

    assert finding.severity == "error"
    assert finding.subject == "CPU 3"
    assert all(part in finding.message for part in ("default/a", "default/b", "CPU 3"))
    assert "[hypervisor.qemu]\nenable_numa = false" in finding.fix
    assert finding.undo.startswith("rm ")


def test_pinned_vcpus_with_a_cpu_each_pass_cpu_02() -> None:
    host = Host()
    two_vcpus(host, "a", ("2", "3"))
    two_vcpus(host, "b", ("0-7", "0-7"))

    assert word("CPU-02", host) == "pass"


def test_without_numa_the_fix_of_cpu_02_is_pinning_itself() -> None:
    host = configured(Host())
    two_vcpus(host, "a", ("2", "2"))

    assert "enable_vcpus_pinning = false" in found("CPU-02", host)[0].fix


@pytest.mark.parametrize(
    ("runtime", "cpus", "expected"),
    [
        ("enable_vcpus_pinning = true", ("2-3", "2-3"), "warn"),
        ("enable_vcpus_pinning = true", ("2", "3"), "pass"),
        ("enable_vcpus_pinning = false", ("2-3", "2-3"), "nothing"),
        (None, ("2-3", "2-3"), "unknown"),
    ],
)
def test_pinning_without_effect_warns_in_cpu_03(runtime, cpus, expected) -> None:
    host = Host()
    two_vcpus(host, "a", cpus)
    if runtime is not None:
        configured(host, runtime)

    assert word("CPU-03", host) == expected


def test_only_the_rust_runtime_is_told_of_overhead_vcpus() -> None:
    fixes = {}
    for runtime, keys in (("go", {}), ("rust", {"overhead_vcpus": "0.2"})):
        host = configured(Host(), "enable_vcpus_pinning = true", **keys)
        two_vcpus(host, "a", ("2-4", "2-4"), runtime=runtime)
        fixes[runtime] = found("CPU-03", host)[0].fix

    assert "overhead_vcpus = 0.0" in fixes["rust"]
    assert "overhead_vcpus" not in fixes["go"]


@pytest.mark.parametrize(
    ("share", "expected"), [(0.001, "pass"), (0.05, "warn"), (0.2, "fail"), (None, "unknown")]
)
def test_a_neighbour_on_a_paid_cpu_fails_cpu_04_and_is_named(share, expected) -> None:
    host = Host()
    key = host.sandbox("a")
    runs = None if share is None else 0.5
    for cpu in (2, 3):
        host.thread(key, "vcpu", str(cpu), runs=runs, last=cpu)
    host.thread(host.sandbox("b"), "vhost", "0-7", runs=share, last=3)

    assert word("CPU-04", host) == expected
    if expected == "fail":
        assert "vhost of default/b" in found("CPU-04", host)[0].message


def test_interrupts_on_a_paid_cpu_count_in_cpu_04() -> None:
    host = Host()
    two_vcpus(host)
    host.count("cpu_time", 2, irq=20, softirq=100)  # ticks in ten seconds: 12 % of a CPU

    finding = found("CPU-04", host)[0]

    assert finding.severity == "error"
    assert "softirq work" in finding.message


@pytest.mark.parametrize(
    ("cpus", "vhost", "expected"),
    [(("2", "3"), "2-3", "warn"), (("2", "3"), "2-4", "pass"), (("2-3", "2-3"), "2-3", "nothing")],
)
def test_helpers_without_a_cpu_of_their_own_warn_in_cpu_05(cpus, vhost, expected) -> None:
    host = Host()
    host.thread(two_vcpus(host, "a", cpus), "vhost", vhost)

    assert word("CPU-05", host) == expected


@pytest.mark.parametrize(
    ("active", "pairs", "other", "expected"),
    [
        ("1", True, "3", "warn"),
        ("1", True, "5", "pass"),
        ("0", True, "3", "pass"),
        (None, False, "3", "unknown"),
    ],
)
def test_a_neighbour_on_the_same_core_warns_in_cpu_06(active, pairs, other, expected) -> None:
    host = Host()
    host.thread(host.sandbox("a"), "vcpu", "2")
    host.thread(host.sandbox("b"), "vcpu", other)
    if active:
        host.fact("/sys/devices/system/cpu/smt/active", active)
    for cpu in range(8) if pairs else ():
        path = f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list"
        host.fact(path, f"{cpu & ~1}-{cpu | 1}")

    assert word("CPU-06", host) == expected


def test_only_the_go_runtime_is_told_a_key_in_cgr_02() -> None:
    fixes = {}
    for runtime in ("go", "rust"):
        host = Host()
        host.sandbox("a", group="/system.slice/containerd.service", runtime=runtime)
        fixes[runtime] = found("CGR-02", host)[0].fix

    assert "sandbox_cgroup_only = true" in fixes["go"]
    assert "sandbox_cgroup_only" not in fixes["rust"]


def test_cgr_03_says_what_the_helpers_use() -> None:
    host = Host()
    key = host.sandbox("a")
    host.thread(key, "vhost", runs=0.25)
    host.thread(key, "shim", runs=0.5)
    host.thread(key, "vcpu", runs=0.9)

    assert "Helpers use 0.75 CPUs now." in found("CGR-03", host)[0].message


def test_cpu_03_says_where_pinning_has_no_effect() -> None:
    messages = {}
    for hypervisor, section in (("qemu", "qemu"), ("firecracker", "firecracker")):
        host = Host()
        two_vcpus(host, "a", ("2-4", "2-4"), hypervisor=hypervisor, runtime="rust")
        text = f"[runtime]\nenable_vcpus_pinning = true\n[hypervisor.{section}]\n"
        host.fact(CONFIGURATION, f"{text}overhead_vcpus = 0.2\n")
        messages[hypervisor] = found("CPU-03", host)[0].message

    assert "2 vCPUs may use 3 CPUs" in messages["qemu"]
    assert "has no effect" in messages["firecracker"]


def test_softirq_work_in_ksoftirqd_is_counted_once_in_cpu_04() -> None:
    host = Host()
    two_vcpus(host)
    host.count("cpu_time", 2, irq=0, softirq=8)  # 0.8 % of a CPU, of two that are exclusive
    host.thread("", "host", "2", runs=0.008, last=2, name="ksoftirqd/2")

    assert word("CPU-04", host) == "pass"
