"""Network namespaces of pods, and the links that the kernel describes (rtnetlink(7), setns(2)).

The collector enters a pod's namespace for a moment, as root only, and only reads there.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import struct

from kataui.isolation.collector import ethtool, files, netlink

_CLONE_NEWNET = 0x40000000
_RTM_GETLINK = 18
_IFINFOMSG = struct.Struct("=BxHiII")  # family, type, index, flags, change
_NAME, _MTU, _PEER, _FUNCTIONS, _MASK = 3, 4, 5, 22, 29  # IFLA_*
_WITH_FUNCTIONS = struct.pack("=HHI", 8, _MASK, 1)  # RTEXT_FILTER_VF
_SPOOF_CHECK, _RATE = 4, 6  # IFLA_VF_*


def host_facts() -> dict[str, str]:
    """``netns:host``, the host's namespace, and ``netlink:vf``, its virtual functions (SR-IOV)."""
    found = {"netns:host": files.link("/proc/self/ns/net")}
    try:
        rows = [row for body in _links() for row in functions(body)]
        found["netlink:vf"] = json.dumps(rows, sort_keys=True)
    except (OSError, struct.error):
        pass
    return found


def pod_facts(pid: int) -> dict[str, str]:
    """``netns:PID``: links and queueing disciplines where a process lives; nothing without root."""
    if os.geteuid() != 0:
        return {}
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return {}
    try:
        there = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            if libc.setns(there, _CLONE_NEWNET) != 0:
                return {}
            try:
                return {f"netns:{pid}": json.dumps(_inside(), sort_keys=True)}
            finally:
                if libc.setns(home, _CLONE_NEWNET) != 0:  # never go on in a pod's namespace
                    raise SystemExit("cannot return to the host's network namespace")
        finally:
            os.close(there)
    except (OSError, struct.error):
        return {}
    finally:
        os.close(home)


def _inside() -> dict[str, object]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        links = [described(body) for body in _links()]
        for row in links:
            row.update(ethtool.link(asked, str(row["name"])))
    return {"links": links, "qdisc": netlink.disciplines()}


def _links() -> list[bytes]:
    return netlink.dump(_RTM_GETLINK, _IFINFOMSG.pack(0, 0, 0, 0, 0) + _WITH_FUNCTIONS)


def described(body: bytes) -> dict[str, object]:
    """Index, name, MTU and the peer's index (0: none) of a link."""
    row: dict[str, object] = {"index": _IFINFOMSG.unpack_from(body)[2], "name": "", "peer": 0}
    for kind, value in netlink.attributes(body[_IFINFOMSG.size :]):
        if kind == _NAME:
            row["name"] = value.rstrip(b"\0").decode("utf-8", "replace")
        elif kind in (_MTU, _PEER):
            row["mtu" if kind == _MTU else "peer"] = struct.unpack_from("=I", value)[0]
    return row


def functions(body: bytes) -> list[dict[str, object]]:
    """The virtual functions of a link: number, highest rate in Mbit/s (0: none), spoof check."""
    rows = []
    name = described(body)["name"]
    for kind, value in netlink.attributes(body[_IFINFOMSG.size :]):
        for _, one in netlink.attributes(value) if kind == _FUNCTIONS else ():
            row: dict[str, object] = {"link": name}
            for inner, data in netlink.attributes(one):
                if inner == _SPOOF_CHECK:
                    row["vf"], setting = struct.unpack_from("=2I", data)
                    row["spoof_check"] = setting == 1
                elif inner == _RATE:
                    row["vf"], _, row["max_mbps"] = struct.unpack_from("=3I", data)
            rows.append(row)
    return rows
