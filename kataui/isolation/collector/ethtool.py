"""Rings and offloads of links, asked of the kernel (include/uapi/linux/ethtool.h).

Nothing here needs a right, but only links of the own network namespace can be asked.
"""

from __future__ import annotations

import fcntl
import json
import socket
import struct
from array import array

_SIOCETHTOOL = 0x8946
_DRIVER = 0x03  # struct ethtool_drvinfo: cmd, driver[32], ...; 196 bytes
_RINGS = 0x10  # struct ethtool_ringparam: cmd, 4 maxima (rx, mini, jumbo, tx), 4 values
_FLAGS = {  # struct ethtool_value: cmd, data
    "rx_checksum": 0x14,
    "tx_checksum": 0x16,
    "tso": 0x1E,
    "gso": 0x23,
    "gro": 0x2B,
}


def link_facts() -> dict[str, str]:
    """A fact ``ethtool:NAME`` for each link of the host; ``lo`` is left out."""
    found = {}
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
            for _, name in socket.if_nameindex():
                if name != "lo":
                    found[f"ethtool:{name}"] = json.dumps(link(asked, name), sort_keys=True)
    except OSError:
        pass
    return found


def link(asked: socket.socket, name: str) -> dict[str, object]:
    """Driver, offloads (true, false) and ring sizes of a link, as far as its driver tells."""
    found: dict[str, object] = {}
    data = _ask(asked, name, _DRIVER, 196)
    if data:
        found["driver"] = data[4:36].split(b"\0")[0].decode("ascii", "replace")
    for word, command in _FLAGS.items():
        data = _ask(asked, name, command, 8)
        if data:
            found[word] = struct.unpack_from("=I", data, 4)[0] != 0
    data = _ask(asked, name, _RINGS, 36)
    if data:
        numbers = struct.unpack_from("=9I", data)
        found.update(rx_max=numbers[1], tx_max=numbers[4], rx=numbers[5], tx=numbers[8])
    return found


def _ask(asked: socket.socket, name: str, command: int, size: int) -> bytes | None:
    """One command of ``size`` bytes through struct ifreq; None when the driver has no answer."""
    data = array("B", struct.pack("=I", command) + bytes(size - 4))
    request = struct.pack("16sP16x", name.encode()[:15], data.buffer_info()[0])
    try:
        fcntl.ioctl(asked.fileno(), _SIOCETHTOOL, request)
    except OSError:
        return None
    return data.tobytes()
