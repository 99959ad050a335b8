import pytest

from kataui.findings import Severity
from kataui.isolation.checks.check import Check, Level, Path
from kataui.isolation.checks.network import CHECKS
from tests.isolation.scenes import Host
from tests.isolation.test_checks_networkhost import BY_ID, ask, said

GO = "/etc/kata-containers/configuration.toml"
RUST = "/opt/kata/share/defaults/kata-containers/runtime-rs/configuration.toml"
TAP = ("-netdev", "tap,id=network-0,vhost=on,vhostfds=3,fds=4")
NO_VHOST = ("-netdev", "tap,id=network-0,fds=4")
SNP = ("-object", "sev-snp-guest,id=snp0")


def qemu(host: Host, *argv: str, name: str = "web", vcpus: int = 2, runtime: str = "go") -> str:
    key = host.sandbox(name, "qemu-system-x86_64", *argv, runtime=runtime)
    for index in range(vcpus):
        host.thread(key, "vcpu", index=index)
    return key


def told(host: Host, text: str, *, rust: bool = False, hypervisor: str = "qemu") -> None:
    host.fact(RUST if rust else GO, f"[hypervisor.{hypervisor}]\n{text}")


def test_every_check_of_the_network_exists_once_and_in_order() -> None:
    assert [check.id for check in CHECKS] == [f"NET-{number:02}" for number in range(1, 43)]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_every_check_says_why_and_belongs_to_the_network(check: Check) -> None:
    assert check.path is Path.NETWORK
    assert check.title
    assert check.why.endswith(".")


def test_the_checks_that_need_root_are_those_of_the_reference() -> None:
    root = {check.id for check in CHECKS if check.level is Level.ROOT}

    assert root >= {f"NET-{n}" for n in ("04", "05", "06", "12", "25", "26", "28", "38", "40")}
    assert not root & {f"NET-{n:02}" for n in (1, 2, 3, 7, 8, 9, 10, 11, 13, 16, 17, 18, 19)}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_an_empty_host_is_never_found_bad(check: Check) -> None:
    for answer in Host().ask(check):
        assert answer.severity is None, answer


def test_vhost_passes_net_01_and_the_main_loop_does_not() -> None:
    good, bad = Host(), Host()
    qemu(good, *TAP)
    qemu(bad, *NO_VHOST)

    assert said("01", good) == "pass"
    (answer,) = ask("01", bad)
    assert answer.severity is Severity.WARNING
    assert "[hypervisor.qemu]\ndisable_vhost_net = false" in answer.fix
    assert answer.undo.startswith("rm /etc/kata-containers/config.d/50-kataui.toml")


def test_another_hypervisor_and_a_hidden_command_line_are_told_apart_in_net_01() -> None:
    other, hidden = Host(), Host()
    other.sandbox("web", "cloud-hypervisor", hypervisor="cloud-hypervisor")
    hidden.sandbox("web")
    hidden.entities["process"].clear()

    assert said("01", other) == "info"
    assert said("01", hidden) == "unknown"


@pytest.mark.parametrize(
    ("argv", "text", "expected"),
    [
        (TAP, "disable_vhost_net = false", "pass"),
        (NO_VHOST, "disable_vhost_net = true", "pass"),
        (NO_VHOST, "disable_vhost_net = false", "fail"),
        (NO_VHOST, "", "fail"),
        (NO_VHOST, None, "unknown"),
    ],
)
def test_a_silent_fallback_from_vhost_fails_net_02(
    argv: tuple[str, ...], text: str | None, expected: str
) -> None:
    host = Host()
    qemu(host, *argv)
    if text is not None:
        told(host, text)

    assert said("02", host) == expected


@pytest.mark.parametrize(
    ("fds", "vcpus", "expected"),
    [("4", 2, "pass"), ("4", 4, "warn"), ("4:5:6:7", 4, "pass"), ("4:5:6", 2, "warn")],
)
def test_queue_pairs_are_compared_with_vcpus_in_net_03(fds: str, vcpus: int, expected: str) -> None:
    host = Host()
    qemu(host, "-netdev", f"tap,id=n,vhost=on,fds={fds}", vcpus=vcpus)

    assert said("03", host) == expected


def test_net_03_names_the_key_of_each_runtime() -> None:
    rust, go, other = Host(), Host(), Host()
    told(rust, "overhead_vcpus = 0.2", rust=True)
    qemu(rust, *TAP, vcpus=4, runtime="rust")
    qemu(go, *TAP, vcpus=4)
    key = other.sandbox("web", "cloud-hypervisor", hypervisor="cloud-hypervisor")
    other.thread(key, "iothread", name="_net0_qp0")
    for index in range(4):
        other.thread(key, "vcpu", index=index)

    assert "[hypervisor.qemu]\nnetwork_queues = 4" in ask("03", rust)[0].fix
    assert "runtime-rs/config.d/50-kataui.toml" in ask("03", rust)[0].fix
    assert "[runtime]\nstatic_sandbox_resource_mgmt = true" in ask("03", go)[0].fix
    assert ask("03", other)[0].fix == ""  # Go has no key for Cloud Hypervisor
    assert "no key" in BY_ID["NET-03"].fix


@pytest.mark.parametrize(
    ("runs", "expected"),
    [((0.5, 0.4), "pass"), ((0.5, 0.0), "warn"), ((None, None), "unknown"), ((0.0, 0), "nothing")],
)
def test_idle_queues_are_seen_at_their_vhost_threads_in_net_04(
    runs: tuple[float | None, ...], expected: str
) -> None:
    host = Host()
    key = qemu(host, "-netdev", "tap,id=n,vhost=on,fds=4:5")
    for share in runs:
        host.thread(key, "vhost", runs=share)

    assert said("04", host) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('internetworking_model = "tcfilter"', "pass"),
        ('internetworking_model = "macvtap"', "info"),
        ('internetworking_model = "none"\ndisable_new_netns = true', "warn"),
        (None, "unknown"),
    ],
)
def test_the_model_of_the_network_is_judged_in_net_21(text: str | None, expected: str) -> None:
    host = Host()
    qemu(host, *TAP)
    if text is not None:
        host.fact(GO, f"[hypervisor.qemu]\n[runtime]\n{text}")

    assert said("21", host) == expected


def test_a_tap_among_the_links_of_the_host_warns_net_21() -> None:
    host = Host()
    host.link("tap0_kata")

    assert said("21", host) == "warn"


def test_a_passed_through_device_passes_net_31_and_a_top_talker_is_told() -> None:
    good, loud = Host(), Host()
    qemu(good, "-device", "vfio-pci,host=0000:3b:02.0")
    loud.link("tap0_kata", qemu(loud, *TAP), rx_packets=2e7, tx_packets=0, rx_bytes=0, tx_bytes=0)

    assert said("31", good) == "pass"
    (answer,) = ask("31", loud)
    assert answer.severity is Severity.INFO
    assert 'cold_plug_vfio = "root-port"' in answer.fix


def test_hot_plug_on_a_confidential_guest_warns_net_31() -> None:
    host, unread = Host(), Host()
    qemu(host, *SNP)
    qemu(unread, *SNP)
    told(host, 'hot_plug_vfio = "root-port"')

    assert said("31", host) == "warn"
    assert said("31", unread) == "unknown"


@pytest.mark.parametrize(
    ("own", "host_has", "expected"),
    [
        ("net:[2]", "net:[1]", "pass"),
        ("net:[1]", "net:[1]", "fail"),
        ("", "net:[1]", "unknown"),
    ],
)
def test_the_host_network_fails_net_42(own: str, host_has: str, expected: str) -> None:
    host = Host(root=bool(own))
    qemu(host)
    host.entities["sandbox"][0]["netns"] = own
    host.fact("netns:host", host_has)

    assert said("42", host) == expected


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ("sysctl.net.ipv4.tcp_congestion_control=bbr", "info"),
        ("sysctl.net.ipv4.tcp_congestion_control=cubic", "pass"),
        ("quiet", "unknown"),
    ],
)
def test_the_guests_congestion_control_is_read_from_its_kernel_in_net_25(
    params: str, expected: str
) -> None:
    host = Host()
    qemu(host, "-append", params)

    assert said("25", host) == expected


def test_polling_sockets_warn_net_34_with_the_way_back() -> None:
    host = Host()
    host.fact("/proc/sys/net/core/busy_poll", "50")
    host.fact("/proc/sys/net/core/busy_read", "0\n")

    bad, good = ask("34", host)

    assert (bad.fix, bad.undo) == (
        "sysctl -w net.core.busy_poll=0",
        "sysctl -w net.core.busy_poll=50",
    )
    assert good.severity is None
    assert said("34", Host()) == "unknown"


@pytest.mark.parametrize(("cpus", "expected"), [("7", None), ("0-7", Severity.WARNING)])
def test_a_polling_vhost_needs_its_own_cpu_in_net_34(cpus: str, expected: Severity | None) -> None:
    host = Host()
    key = host.sandbox("web", "qemu", "-netdev", "tap,id=n,vhost=on,poll-us=50,fds=4")
    host.thread(key, "vcpu", "3")
    host.thread(key, "vhost", cpus)

    assert ask("34", host)[-1].severity is expected


def vhost_user(memory: str) -> Host:
    host = Host()
    qemu(host, "-netdev", "vhost-user,id=n,chardev=c", "-object", memory)
    return host


def test_vhost_user_needs_shared_huge_pages_in_net_38() -> None:
    good = vhost_user("memory-backend-file,id=m,mem-path=/dev/hugepages,share=on")
    good.thread("", "host", "2", name="pmd-c02/id:8")
    bad = vhost_user("memory-backend-ram,id=m")

    assert said("38", good) == "pass"
    fail, unseen = ask("38", bad)
    assert "enable_hugepages = true" in fail.fix
    assert not unseen.checked


def test_a_polling_core_on_an_exclusive_cpu_fails_net_38() -> None:
    host = Host()
    host.thread(host.sandbox("web"), "vcpu", "2")
    host.thread("", "host", "2", name="pmd-c02/id:8")

    assert said("38", host) == "fail"


@pytest.mark.parametrize(
    ("argv", "packets", "expected"),
    [
        (SNP, 10, "info"),
        (SNP, 9e6, "warn"),
        ((*SNP, "-append", "quiet swiotlb=262144"), 9e6, "info"),
        ((), 9e6, "nothing"),
    ],
)
def test_a_busy_confidential_guest_wants_a_bounce_buffer_in_net_39(
    argv: tuple[str, ...], packets: float, expected: str
) -> None:
    host = Host()
    told(host, 'kernel_params = "quiet"')
    key = qemu(host, *argv)
    host.link("tap0_kata", key, rx_packets=packets, tx_packets=0, rx_bytes=0, tx_bytes=0)

    assert said("39", host) == expected
    if expected == "warn":
        assert 'kernel_params = "quiet swiotlb=262144"' in ask("39", host)[0].fix


def test_exits_for_each_packet_are_said_not_to_be_read_in_net_40() -> None:
    host = Host()
    qemu(host)

    assert said("40", host) == "unknown"
    assert said("40", Host()) == "nothing"


def test_a_remote_sandbox_has_no_network_path_here() -> None:
    host = Host()
    host.sandbox("far", hypervisor="remote")
    host.fact("netns:host", "net:[1]")

    for number in ("01", "02", "03", "05", "06", "21", "22", "40", "42"):
        assert said(number, host) == "nothing", number
