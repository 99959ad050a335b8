import json

import pytest

from kataui.findings import Severity
from tests.isolation.scenes import SECONDS, Host
from tests.isolation.test_checks_networkhost import GO, NIC, RUST, ask, card, inside, said

POD = "/kubepods/burstable/podweb"


@pytest.mark.parametrize(
    ("group", "limit", "expected"),
    [
        (f"{POD}/kata_web", "max 100000", "pass"),
        ("/kata_overhead/web", "max 100000", "fail"),
        ("/kata_overhead/web", "50000 100000", "warn"),
        ("/", None, "fail"),
    ],
)
def test_a_vhost_thread_outside_of_its_pod_fails_net_16(
    group: str, limit: str | None, expected: str
) -> None:
    host = Host()
    key = host.sandbox("web")
    host.thread(key, "vhost", group=group)
    if limit is not None:
        host.group(group, cpu_max=limit)

    assert said("16", host) == expected
    if expected != "pass":
        assert "[runtime]\nsandbox_cgroup_only = true" in ask("16", host)[0].fix


@pytest.mark.parametrize(
    ("cpus", "last", "expected"),
    [("0-1", 0, "pass"), ("0-7", 0, "warn"), ("0-7", 2, "fail"), ("", None, "unknown")],
)
def test_a_vhost_thread_on_anothers_cpu_fails_net_17(
    cpus: str, last: int | None, expected: str
) -> None:
    host = Host()
    host.thread(host.sandbox("paid"), "vcpu", "2")
    host.thread(host.sandbox("web"), "vhost", cpus, last=last, group="/kata_overhead/web")

    assert said("17", host) == expected
    if expected == "fail":
        (answer,) = ask("17", host)
        assert "echo 0-1,3-7 > /sys/fs/cgroup/kata_overhead/cpuset.cpus" in answer.fix
        assert "paid" in answer.message


def test_a_vhost_thread_on_its_own_sandboxs_cpu_passes_net_17() -> None:
    host = Host()
    key = host.sandbox("paid")
    host.thread(key, "vcpu", "2")
    host.thread(key, "vhost", "2", last=2)

    assert said("17", host) == "pass"


@pytest.mark.parametrize(
    ("number", "runs", "waits", "expected"),
    [
        ("18", 0.3, 0.2, "pass"),
        ("18", 0.6, 0.1, "warn"),
        ("18", 0.8, 0.2, "fail"),
        ("18", None, 0, "unknown"),
        ("19", 0.5, 0.001, "pass"),
        ("19", 0.5, 0.03, "warn"),
        ("19", 0.5, 0.1, "fail"),
        ("19", 0.001, 0.001, "pass"),
        ("19", None, 0, "unknown"),
    ],
)
def test_busy_and_waiting_vhost_threads_are_graded(
    number: str, runs: float | None, waits: float, expected: str
) -> None:
    host = Host()
    host.thread(host.sandbox("web"), "vhost", runs=runs, waits=waits)

    assert said(number, host) == expected


def test_net_18_gives_queues_to_a_saturated_sandbox_that_has_fewer_than_vcpus() -> None:
    host = Host()
    host.fact(RUST, "[hypervisor.qemu]")
    key = host.sandbox("web", "qemu", "-netdev", "tap,id=n,vhost=on,fds=4", runtime="rust")
    for _ in range(2):
        host.thread(key, "vcpu")
    host.thread(key, "vhost", runs=0.95)

    assert "network_queues = 2" in ask("18", host)[0].fix


def test_a_packet_that_costs_double_warns_net_20() -> None:
    host = Host()
    for name, share in (("a", 0.1), ("b", 0.1), ("c", 0.3)):
        key = host.sandbox(name)
        host.thread(key, "vhost", runs=share)
        counts = {"rx_packets": 1e6, "tx_packets": 1e6, "rx_bytes": 1e9, "tx_bytes": 1e9}
        host.link("tap0_kata", key, **counts)
        if len(host.entities["sandbox"]) < 3:
            assert said("20", host) == "nothing"  # too few to compare

    assert [answer.severity for answer in ask("20", host)] == [None, None, Severity.WARNING]
    assert "1.50 CPUs for a million packets" in ask("20", host)[2].message


@pytest.mark.parametrize(
    ("card_node", "last", "memory", "expected"),
    [
        ("0", 1, "anon N0=9000 N1=10", "pass"),
        ("1", 1, "anon N0=9000 N1=10", "warn"),
        ("0", 5, "anon N0=9000 N1=10", "warn"),
        ("0", 1, None, "unknown"),
        ("-1", 1, "anon N0=9000 N1=10", "unknown"),
    ],
)
def test_distance_to_the_card_is_judged_in_net_30(
    card_node: str, last: int, memory: str | None, expected: str
) -> None:
    host = Host()
    card(host)
    host.fact("/sys/devices/system/node/node0/cpulist", "0-3")
    host.fact("/sys/devices/system/node/node1/cpulist", "4-7")
    host.fact(f"{NIC}/device/numa_node", card_node)
    host.thread(host.sandbox("web", group=f"{POD}/web"), "vhost", last=last)
    if memory is not None:
        host.fact(f"/sys/fs/cgroup{POD}/web/memory.numa_stat", memory)

    assert said("30", host) == expected


def shared(runtime: str = "go", hypervisor: str = "qemu") -> tuple[Host, str]:
    """A host with two sandboxes; gives the first one's key."""
    host = Host()
    key = host.sandbox("web", runtime=runtime, hypervisor=hypervisor)
    host.sandbox("other", runtime=runtime, hypervisor=hypervisor)
    return host, key


def test_a_sandbox_without_a_limit_warns_net_05() -> None:
    host, key = shared()
    assert said("05", host) == "unknown"

    inside(host, key, {"eth0": {"peer": 9}, "tap0_kata": {}})
    (answer, _) = ask("05", host)

    assert answer.severity is Severity.WARNING
    assert "rx_rate_limiter_max_rate = 1000000000" in answer.fix
    assert "tx_rate_limiter_max_rate = 1000000000" in answer.fix


def test_a_limit_of_kata_or_of_the_cni_passes_net_05() -> None:
    by_kata, _ = shared()
    by_kata.fact(GO, "[hypervisor.qemu]\nrx_rate_limiter_max_rate = 1000")
    by_cni, key = shared()
    inside(by_cni, key, {"eth0": {"peer": 9}})
    by_cni.fact("netlink:qdisc", json.dumps([{"ifindex": 9, "kind": "tbf"}]))

    assert said("05", by_kata) == "pass"
    assert ask("05", by_cni)[0].severity is None
    assert ask("05", by_cni)[0].checked


def test_net_05_never_names_a_key_that_the_runtime_ignores() -> None:
    for runtime, hypervisor, key_wanted in (
        ("rust", "qemu", None),
        ("rust", "cloud-hypervisor", None),
        ("rust", "dragonball", None),
        ("rust", "firecracker", None),
        ("go", "stratovirt", None),
        ("", "qemu", None),
        ("go", "firecracker", "[hypervisor.firecracker]\nrx_rate_limiter_max_rate"),
        ("go", "cloud-hypervisor", "[hypervisor.clh]\nnet_rate_limiter_bw_max_rate"),
    ):
        host, key = shared(runtime, hypervisor)
        inside(host, key, {"eth0": {}})

        fix = ask("05", host)[0].fix

        assert ("rate_limiter" in fix) == (key_wanted is not None), (runtime, hypervisor)
        assert (key_wanted or "egress-bandwidth") in fix


@pytest.mark.parametrize(
    ("qdiscs", "expected"),
    [
        ({"tap0_kata": "htb", "eth0": "htb"}, "pass"),
        ({"tap0_kata": "htb", "eth0": "noqueue"}, "fail"),
        (None, "unknown"),
    ],
)
def test_a_configured_limit_without_htb_fails_net_06(
    qdiscs: dict[str, str] | None, expected: str
) -> None:
    host = Host()
    key = host.sandbox("web")
    lines = "rx_rate_limiter_max_rate = 1000\ntx_rate_limiter_max_rate = 1000"
    host.fact(GO, f"[hypervisor.qemu]\n{lines}")
    if qdiscs is not None:
        inside(host, key, {"tap0_kata": {}, "eth0": {}}, **qdiscs)

    assert said("06", host) == expected


def test_the_key_that_rust_ignores_fails_net_06() -> None:
    host = Host()
    host.sandbox("web", runtime="rust")
    assert said("06", host) == "unknown"
    host.fact(RUST, "[hypervisor.qemu]\nrx_rate_limiter_max_rate = 0")
    assert said("06", host) == "nothing"

    host.fact(RUST, "[hypervisor.qemu]\nrx_rate_limiter_max_rate = 1000")

    assert said("06", host) == "fail"
    assert "ingress-bandwidth" in ask("06", host)[0].fix


def test_limits_inside_the_hypervisor_are_unknown_in_net_06() -> None:
    host = Host()
    host.sandbox("web", hypervisor="cloud-hypervisor")
    host.fact(GO, "[hypervisor.clh]\nnet_rate_limiter_bw_max_rate = 1000")

    assert said("06", host) == "unknown"


@pytest.mark.parametrize(
    ("kind", "dropped", "expected"),
    [("htb", 0, "pass"), ("htb!", 0, "info"), ("htb!", 50, "warn"), ("noqueue", 50, "nothing")],
)
def test_a_pod_at_its_own_limit_is_told_in_net_26(kind: str, dropped: float, expected: str) -> None:
    host = Host()
    key = host.sandbox("web")
    assert said("26", host) == "unknown"
    host.link("tap0_kata", key, tx_packets=1000, rx_packets=0, tx_dropped=dropped, rx_dropped=0)
    inside(host, key, {"tap0_kata": {}}, tap0_kata=kind)

    assert said("26", host) == expected


@pytest.mark.parametrize(
    ("count", "expected"), [(500, "pass"), (600, "warn"), (850, "fail"), (None, "unknown")]
)
def test_a_full_table_of_connections_fails_net_27(count: int | None, expected: str) -> None:
    host = Host()
    host.fact("/proc/sys/net/netfilter/nf_conntrack_max", "1000")
    if count is not None:
        host.now("host", 0, conntrack_count=count)

    assert said("27", host) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [("0a 0 0", None), ("0a 0 1f", Severity.WARNING), ("0a 3 0", Severity.INFO)],
)
def test_lost_connections_are_summed_over_cpus_in_net_28(
    line: str, expected: Severity | None
) -> None:
    host = Host()
    host.fact("/proc/net/stat/nf_conntrack", f"entries insert_failed drop\n0a 0 0\n{line}\n")

    first, rules = ask("28", host)

    assert first.severity is expected
    assert first.checked
    assert not rules.checked  # never counted
    assert not ask("28", Host())[0].checked


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"max_mbps": 1000, "spoof_check": True}, "pass"),
        ({"max_mbps": 0, "spoof_check": True}, "warn"),
        ({"max_mbps": 1000, "spoof_check": False}, "fail"),
        (None, "unknown"),
    ],
)
def test_virtual_functions_want_limits_and_checks_in_net_32(
    row: dict[str, object] | None, expected: str
) -> None:
    host = Host()
    card(host)
    host.fact(f"{NIC}/device/sriov_numvfs", "1")
    rows = [] if row is None else [{"link": "eth0", "vf": 3, **row}]
    host.fact("netlink:vf", json.dumps(rows))

    assert said("32", host) == expected
    if expected == "fail":
        assert ask("32", host)[0].fix == "ip link set eth0 vf 3 spoofchk on"


@pytest.mark.parametrize(
    ("loud", "waits", "expected"),
    [(5e7, 0.0, "pass"), (9e8, 0.0, "info"), (9e8, 0.1, "warn"), (2e6, 0.1, "pass")],
)
def test_a_top_talker_is_named_when_others_suffer_in_net_37(
    loud: float, waits: float, expected: str
) -> None:
    host = Host()
    for name, size in (("loud", loud), ("quiet", min(loud, 5e7))):
        key = host.sandbox(name)
        host.thread(key, "vcpu", runs=0.3, waits=waits if name == "quiet" else 0.0)
        counts = {"rx_packets": 1e4, "tx_packets": 0, "rx_bytes": size, "tx_bytes": 0}
        host.link("tap0_kata", key, **counts, rx_dropped=0, tx_dropped=0)

    assert said("37", host) == expected
    if expected == "warn":
        (answer,) = ask("37", host)
        assert answer.subject == "default/loud"
        assert "while default/quiet suffers" in answer.message
        assert f"{1e4 / SECONDS:.0f} packets" in answer.message


@pytest.mark.parametrize(
    ("dropped", "missed", "ring", "squeezed", "expected"),
    [
        (0, "0", 1024, 0, "pass"),
        (100, "100", 256, 0, "fail"),
        (100, "0", 256, 0, "info"),
        (0, "0", 256, 100, "warn"),
        (None, "0", 256, 0, "unknown"),
    ],
)
def test_losses_at_the_card_are_judged_in_net_29(
    dropped: float | None, missed: str, ring: int, squeezed: float, expected: str
) -> None:
    host = Host()
    card(host, **({} if dropped is None else {"rx_dropped": dropped}))
    host.fact(f"{NIC}/statistics/rx_missed_errors", missed)
    host.fact("ethtool:eth0", json.dumps({"rx": ring, "rx_max": 1024}))
    host.count("softirq", 0, squeezed=squeezed)

    assert said("29", host) == expected
    if expected in {"fail", "warn"}:
        assert ask("29", host)[0].fix == "ethtool -G eth0 rx 1024"
