"""Queueing disciplines of the host's links, asked of the kernel (rtnetlink(7), RTM_GETQDISC)."""

from __future__ import annotations

import json
import socket
import struct

_NETLINK_ROUTE = 0
_RTM_GETQDISC = 38
_NLM_F_REQUEST_DUMP = 0x301
_NLMSG_DONE = 3
_NLMSG_ERROR = 2
_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr
_TCMSG = struct.Struct("=BxxxiIII")  # struct tcmsg: family, ifindex, handle, parent, info
_ATTRIBUTE = struct.Struct("=HH")  # struct rtattr
_TCA_KIND = 1
_TCA_STATS2 = 7
_TCA_STATS_BASIC = 1  # struct gnet_stats_basic: u64 bytes, u32 packets
_TCA_STATS_QUEUE = 3  # struct gnet_stats_queue: qlen, backlog, drops, requeues, overlimits
_ROOT = 0xFFFFFFFF


def queueing() -> dict[str, str]:
    """One fact ``netlink:qdisc``: JSON of the disciplines; none where asking is refused."""
    try:
        return {"netlink:qdisc": json.dumps(disciplines(), sort_keys=True)}
    except (OSError, struct.error):
        return {}


def disciplines() -> list[dict[str, object]]:
    """The disciplines of all links of this network namespace; raises ``OSError``."""
    return [_row(body) for body in dump(_RTM_GETQDISC, _TCMSG.pack(0, 0, 0, 0, 0))]


def dump(kind: int, body: bytes) -> list[bytes]:
    """Ask for all objects of a kind; what follows the header of each answer."""
    message = _HEADER.pack(_HEADER.size + len(body), kind, _NLM_F_REQUEST_DUMP, 1, 0) + body
    rows: list[bytes] = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_ROUTE) as link:
        link.settimeout(1.0)
        link.send(message)
        while True:
            data = link.recv(1 << 18)
            at = 0
            while at + _HEADER.size <= len(data):
                size, answer, _, _, _ = _HEADER.unpack_from(data, at)
                if answer in (_NLMSG_DONE, _NLMSG_ERROR) or size < _HEADER.size:
                    return rows
                rows.append(data[at + _HEADER.size : at + size])
                at += (size + 3) & ~3


def _row(body: bytes) -> dict[str, object]:
    _, ifindex, _, parent, _ = _TCMSG.unpack_from(body)
    row: dict[str, object] = {"ifindex": ifindex, "root": parent == _ROOT, "kind": ""}
    for kind, value in attributes(body[_TCMSG.size :]):
        if kind == _TCA_KIND:
            row["kind"] = value.rstrip(b"\0").decode("ascii", "replace")
        elif kind == _TCA_STATS2:
            for inner, data in attributes(value):
                if inner == _TCA_STATS_BASIC and len(data) >= 12:
                    row["bytes"], row["packets"] = struct.unpack_from("=QI", data)
                elif inner == _TCA_STATS_QUEUE and len(data) >= 20:
                    _, backlog, drops, _, overlimits = struct.unpack_from("=5I", data)
                    row.update(backlog=backlog, drops=drops, overlimits=overlimits)
    return row


def attributes(data: bytes) -> list[tuple[int, bytes]]:
    """Kind and value of each attribute (struct rtattr)."""
    found = []
    at = 0
    while at + 4 <= len(data):
        size, kind = _ATTRIBUTE.unpack_from(data, at)
        if size < 4:
            break
        found.append((kind & 0x3FFF, data[at + 4 : at + size]))
        at += (size + 3) & ~3
    return found
