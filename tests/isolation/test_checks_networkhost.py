import json
from typing import Any

import pytest

from kataui.findings import Severity
from kataui.isolation.checks.check import Answer
from kataui.isolation.checks.network import CHECKS
from kataui.isolation.collector.tables import SOFTIRQ
from tests.isolation.scenes import SECONDS, Host, verdict

BY_ID = {check.id: check for check in CHECKS}
GO = "/etc/kata-containers/configuration.toml"
RUST = "/opt/kata/share/defaults/kata-containers/runtime-rs/configuration.toml"
NIC = "/sys/class/net/eth0"


def ask(number: str, host: Host) -> list[Answer]:
    """A check's answers; whatever is wrong has a fix, and every fix a way back."""
    check = BY_ID[f"NET-{number}"]
    answers = host.ask(check)
    for answer in answers:
        fix, undo = answer.fix or check.fix, answer.undo or check.undo
        assert fix or answer.severity in {None, Severity.INFO}, answer
        assert undo or not fix, answer
    return answers


def said(number: str, host: Host) -> str:
    return verdict(ask(number, host))


def pinned(cpu: int = 2) -> Host:
    """A host with a card, and one CPU that belongs to the sandbox "paid"."""
    host = Host(cpus=8)
    host.thread(host.sandbox("paid"), "vcpu", str(cpu))
    card(host)
    return host


def card(host: Host, **grown: float) -> int:
    host.fact(f"{NIC}/device/uevent", "DRIVER=mlx5_core")
    return host.link("eth0", **grown)


def inside(host: Host, key: str, links: dict[str, dict[str, Any]], **qdiscs: str) -> None:
    """What root reads in a pod's network namespace."""
    pid = next(s["pid"] for s in host.entities["sandbox"].values() if s["key"] == key)
    names = list(links)
    rows = [{"name": name, "index": names.index(name), **links[name]} for name in names]
    found = [
        {"ifindex": names.index(name), "kind": kind.rstrip("!"), "overlimits": 9 * ("!" in kind)}
        for name, kind in qdiscs.items()
    ]
    host.fact(f"netns:{pid}", json.dumps({"links": rows, "qdisc": found}))


def test_a_guaranteed_pods_cpus_are_its_own_and_shared_ones_are_not() -> None:
    host = pinned()
    own = host.sandbox("own", qos="guaranteed")
    for _ in range(2):
        host.thread(own, "vcpu", "4-5")
    for name in ("a", "b"):
        host.thread(host.sandbox(name, qos="guaranteed"), "vcpu", "0-1")
    host.fact("/sys/devices/virtual/workqueue/cpumask", "34")

    (answer,) = ask("41", host)

    assert "2,4-5." in answer.message
    assert answer.fix == "echo cb > /sys/devices/virtual/workqueue/cpumask"
    assert answer.undo == "echo 34 > /sys/devices/virtual/workqueue/cpumask"


def test_workers_on_housekeeping_cpus_pass_net_41() -> None:
    host = pinned()
    assert said("41", host) == "unknown"

    host.fact("/sys/devices/virtual/workqueue/cpumask", "00000000,000000fb")

    assert said("41", host) == "pass"


@pytest.mark.parametrize(
    ("dropped", "total", "expected"),
    [(0, 1e6, "pass"), (50, 1e6, "warn"), (500, 1e6, "fail"), (0, 0, "pass")],
)
def test_drops_are_judged_by_their_ratio_in_net_07(
    dropped: float, total: float, expected: str
) -> None:
    host = Host()
    counts = {"rx_packets": total, "tx_packets": 0, "rx_dropped": 0, "tx_dropped": dropped}
    host.link("tap0_kata", host.sandbox("web"), **counts)

    assert said("07", host) == expected
    assert ("no buffers" in ask("07", host)[0].message) == (dropped > 0)


def test_links_that_were_not_counted_are_unknown_in_net_07() -> None:
    host = Host()
    host.link("tap0_kata", host.sandbox("web"))

    assert said("07", host) == "unknown"


@pytest.mark.parametrize(
    ("number", "column", "limits"),
    [("08", "dropped", (0, 1, 11)), ("09", "squeezed", (0.9, 1, 50))],
)
def test_softirqs_that_overflow_are_found_on_their_cpu(
    number: str, column: str, limits: tuple[float, ...]
) -> None:
    host = Host(cpus=4)
    for slot, rate in enumerate(limits):
        host.count("softirq", slot, **{column: rate * SECONDS})

    words = [verdict([answer]) for answer in ask(number, host)]

    assert words == ["pass", "warn", "fail", "unknown"]
    assert ask(number, host)[2].fix.startswith("sysctl -w net.core.netdev_")


@pytest.mark.parametrize(
    ("softirq", "packets", "expected"),
    [(0.10, 0.01, "pass"), (0.10, 0.3, "warn"), (0.10, 0.9, "fail"), (0.9, 0.0, "pass")],
)
def test_packets_on_a_paid_cpu_are_graded_in_net_10(
    softirq: float, packets: float, expected: str
) -> None:
    host = pinned()
    assert said("10", host) == "unknown"
    host.count("cpu_time", 2, softirq=softirq * 100 * SECONDS)
    host.count("softirq", 2, **dict.fromkeys(SOFTIRQ, 0))
    host.count("softirq", 2, net_rx=1e4 * packets, timer=1e4 * (1 - packets))

    assert said("10", host) == expected


INTERRUPTS = """           CPU0       CPU1
  40:          1          2  IR-PCI-MSIX-0000:3b:00.0    0-edge      eth0-TxRx-0
  41:          1          2  IR-PCI-MSIX-0000:3b:00.0    1-edge      eth0-TxRx-1
  50:          1          2  IR-PCI-MSI-0000:00:1f.0     0-edge      nvme0q1
 PIN:          0          0   Posted-interrupt notification event
"""


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [("0", "1", "pass"), ("0", "2", "warn"), ("2", "2", "fail"), (None, None, "unknown")],
)
def test_interrupts_of_the_card_on_paid_cpus_are_counted_in_net_11(
    first: str | None, second: str | None, expected: str
) -> None:
    host = pinned()
    host.fact("/proc/interrupts", INTERRUPTS)
    host.fact("/proc/irq/50/effective_affinity_list", "2")
    for irq, cpus in ((40, first), (41, second)):
        if cpus is not None:
            host.fact(f"/proc/irq/{irq}/effective_affinity_list", cpus)
            host.fact(f"/proc/irq/{irq}/smp_affinity_list", "0-7")

    assert said("11", host) == expected
    if expected == "warn":
        (answer,) = ask("11", host)
        assert answer.fix == "echo 0-1,3-7 > /proc/irq/41/smp_affinity_list"
        assert answer.undo == "echo 0-7 > /proc/irq/41/smp_affinity_list"


@pytest.mark.parametrize(
    ("service", "settings", "expected"),
    [
        ("", None, "pass"),
        ("77", "IRQBALANCE_BANNED_CPULIST=2,3", "pass"),
        ("77", "IRQBALANCE_BANNED_CPUS=0000000c", "pass"),
        ("77", "#IRQBALANCE_BANNED_CPULIST=2", "warn"),
        ("77", None, "unknown"),
        (None, None, "unknown"),
    ],
)
def test_irqbalance_must_leave_paid_cpus_alone_in_net_12(
    service: str | None, settings: str | None, expected: str
) -> None:
    host = pinned()
    if service is not None:
        host.fact("/sys/fs/cgroup/init.scope/cgroup.procs", "1")
        host.fact("/sys/fs/cgroup/system.slice/irqbalance.service/cgroup.procs", service)
    if settings is not None:
        host.fact("/etc/default/irqbalance", settings)

    assert said("12", host) == expected


def test_irqbalance_keeps_off_isolated_cpus_by_itself() -> None:
    host = pinned()
    host.fact("/sys/fs/cgroup/system.slice/irqbalance.service/cgroup.procs", "77")
    host.fact("/etc/default/irqbalance", "")
    host.fact("/sys/devices/system/cpu/isolated", "2")

    assert said("12", host) == "pass"


@pytest.mark.parametrize(
    ("masks", "expected"),
    [
        (("03",), "pass"),
        (("0",), "warn"),
        (("0", "0"), "pass"),
        (("03", "04"), "warn"),
        ((), "unknown"),
    ],
)
def test_receive_steering_is_judged_in_net_13(masks: tuple[str, ...], expected: str) -> None:
    host = pinned()
    for queue, mask in enumerate(masks):
        host.fact(f"{NIC}/queues/rx-{queue}/rps_cpus", mask)

    assert said("13", host) == expected
    if expected == "warn":
        assert f"echo fb > {NIC}/queues/rx-0/rps_cpus" in ask("13", host)[0].fix
        assert f"echo {masks[0]} > {NIC}/queues/rx-0/rps_cpus" in ask("13", host)[0].undo


@pytest.mark.parametrize(
    ("masks", "expected"),
    [(("00", "00"), "warn"), (("01", "02"), "pass"), (("00",), "nothing"), ((), "unknown")],
)
def test_send_steering_is_judged_in_net_14(masks: tuple[str, ...], expected: str) -> None:
    host = pinned()
    for queue in range(2):
        host.fact(f"{NIC}/queues/rx-{queue}/rps_cpus", "0")
    for queue, mask in enumerate(masks):
        host.fact(f"{NIC}/queues/tx-{queue}/xps_cpus", mask)

    assert said("14", host) == expected
    if expected == "warn":
        assert ask("14", host)[0].fix.splitlines() == [
            f"echo 55 > {NIC}/queues/tx-0/xps_cpus",
            f"echo aa > {NIC}/queues/tx-1/xps_cpus",
        ]


@pytest.mark.parametrize(
    ("entries", "vhosts", "expected"),
    [("0", 1, "pass"), ("32768", 1, "warn"), ("32768", 0, "info"), (None, 1, "unknown")],
)
def test_flow_steering_follows_vhost_in_net_15(
    entries: str | None, vhosts: int, expected: str
) -> None:
    host = Host()
    key = host.sandbox("web")
    for _ in range(vhosts):
        host.thread(key, "vhost")
    if entries is not None:
        host.fact("/proc/sys/net/core/rps_sock_flow_entries", entries)

    assert said("15", host) == expected


def vfio(cpus: str | None, posted: str = "7") -> Host:
    host = pinned()
    owner = host.sandbox("fast", "qemu", "-device", "vfio-pci,host=0000:3b:02.0")
    host.thread(owner, "vcpu", "3")
    line = "  60:  1  1  IR-PCI-MSIX 0-edge vfio-msix[0](0000:3b:02.0)\n"
    host.fact("/proc/interrupts", f"  CPU0\n{line} PIN:  {posted}  0  Posted-interrupt event\n")
    if cpus is not None:
        host.fact("/proc/irq/60/effective_affinity_list", cpus)
    return host


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (vfio("3"), "pass"),
        (vfio("2"), "warn"),
        (vfio("3", posted="0"), "warn"),
        (vfio(None), "unknown"),
    ],
)
def test_a_devices_interrupts_belong_to_its_owner_in_net_33(host: Host, expected: str) -> None:
    assert said("33", host) == expected


def test_the_fix_of_net_33_moves_the_interrupt_to_the_owners_cpus() -> None:
    assert ask("33", vfio("2"))[0].fix == "echo 3 > /proc/irq/60/smp_affinity_list"


@pytest.mark.parametrize(
    ("threaded", "cpus", "expected"),
    [
        ("1", "0-1", "pass"),
        ("1", "0-7", "info"),
        ("0", None, "info"),
        ("1", None, "unknown"),
        (None, None, "unknown"),
    ],
)
def test_threaded_napi_is_told_where_cpus_are_exclusive_in_net_35(
    threaded: str | None, cpus: str | None, expected: str
) -> None:
    host = pinned()
    if threaded is not None:
        host.fact(f"{NIC}/threaded", threaded)
    if cpus is not None:
        host.thread("", "host", cpus, name="napi/eth0-8193")

    assert said("35", host) == expected


def test_ksoftirqd_is_graded_in_net_36() -> None:
    host = Host()
    assert said("36", host) == "unknown"
    for cpu, share in enumerate((0.01, 0.1, 0.5)):
        host.thread("", "host", str(cpu), name=f"ksoftirqd/{cpu}", runs=share)

    answers = ask("36", host)

    assert [verdict([a]) for a in answers] == ["pass", "warn", "fail"]
    assert [a.subject for a in answers] == ["CPU 0", "CPU 1", "CPU 2"]


def test_mtus_are_compared_in_net_22() -> None:
    for eth0, tap, overlay, expected in (
        (1500, 1500, "", "pass"),
        (1500, 1400, "", "fail"),
        (1400, 1500, "", "warn"),
        (9000, 9000, "", "warn"),
        (1450, 1450, "", "warn"),
        (1450, 1450, "flannel.1", "pass"),
    ):
        host = Host()
        card(host)
        host.fact(f"{NIC}/mtu", "1500")
        if overlay:
            host.link(overlay)
        key = host.sandbox("web")
        assert said("22", host) == "unknown"
        inside(host, key, {"eth0": {"mtu": eth0}, "tap0_kata": {"mtu": tap}})

        assert said("22", host) == expected, (eth0, tap, overlay)


def test_offloads_that_are_off_warn_net_23_with_both_commands() -> None:
    host = Host()
    card(host)
    assert said("23", host) == "unknown"
    host.fact("ethtool:eth0", json.dumps({"tso": True, "gro": True}))
    assert said("23", host) == "pass"
    inside(host, host.sandbox("web"), {"tap0_kata": {"tso": False, "gro": False}})

    answer = ask("23", host)[-1]

    assert answer.severity is Severity.WARNING
    assert answer.fix == "nsenter -t 1000 -n ethtool -K tap0_kata tso on"
    assert answer.undo == "nsenter -t 1000 -n ethtool -K tap0_kata tso off"


@pytest.mark.parametrize(
    ("kinds", "speed", "expected"),
    [
        (("mq", "fq_codel"), "25000", "pass"),
        (("mq", "pfifo_fast"), "25000", "warn"),
        (("htb",), "25000", "fail"),
        (("htb",), "1000", "info"),
        ((), "1000", "unknown"),
    ],
)
def test_the_cards_queueing_is_judged_in_net_24(
    kinds: tuple[str, ...], speed: str, expected: str
) -> None:
    host = Host()
    host.sandbox("a")
    host.sandbox("b")
    card(host)
    host.fact(f"{NIC}/ifindex", "2")
    host.fact(f"{NIC}/speed", speed)
    rows = [{"ifindex": 2, "kind": kind, "root": not i} for i, kind in enumerate(kinds)]
    host.fact("netlink:qdisc", json.dumps(rows))

    assert said("24", host) == expected
