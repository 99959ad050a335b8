import json
import os
import socket
import struct
from pathlib import Path

from kataui.isolation.collector import ethtool, facts, namespaces, netlink


def attribute(kind: int, value: bytes) -> bytes:
    size = 4 + len(value)
    return struct.pack("=HH", size, kind) + value + bytes(-size % 4)


def link_message() -> bytes:
    function = attribute(4, struct.pack("=2I", 1, 0)) + attribute(6, struct.pack("=3I", 1, 0, 500))
    functions = attribute(22, attribute(1, function))
    name, mtu, peer = (
        attribute(3, b"eth0\0"),
        attribute(4, struct.pack("=I", 1450)),
        attribute(5, struct.pack("=I", 12)),
    )
    return struct.pack("=BxHiII", 0, 1, 7, 0, 0) + name + mtu + peer + functions


def test_a_link_is_described_with_its_mtu_and_its_peer() -> None:
    found = namespaces.described(link_message())

    assert found == {"index": 7, "name": "eth0", "mtu": 1450, "peer": 12}


def test_virtual_functions_are_read_with_their_rate_and_their_spoof_check() -> None:
    (found,) = namespaces.functions(link_message())

    assert found == {"link": "eth0", "vf": 1, "spoof_check": False, "max_mbps": 500}


def test_the_kernel_tells_the_offloads_of_a_link() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        found = ethtool.link(asked, "lo")

        assert found["tso"] in {True, False}
        assert ethtool.link(asked, "no-such-link") == {}


def test_the_namespace_of_a_process_is_read_and_left_again() -> None:
    before = str(Path("/proc/thread-self/ns/net").readlink())

    found = namespaces.pod_facts(os.getpid())

    assert str(Path("/proc/thread-self/ns/net").readlink()) == before
    for text in found.values():  # none without root
        value = json.loads(text)
        assert "lo" in {link["name"] for link in value["links"]}
        assert isinstance(value["qdisc"], list)
    assert namespaces.pod_facts(2**22 + 1) == {}


def test_the_facts_of_the_host_hold_its_links_and_namespace() -> None:
    found = facts.files_of_host("/proc", "/sys")

    assert found["netns:host"] == str(Path("/proc/self/ns/net").readlink())
    assert isinstance(json.loads(found["netlink:vf"]), list)
    assert all(row["kind"] for row in netlink.disciplines())
    links = {name for _, name in socket.if_nameindex()} - {"lo"}
    assert {path[8:] for path in found if path.startswith("ethtool:")} == links
