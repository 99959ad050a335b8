"""Just enough DER (ITU-T X.690) for one message that no library parses.

ocicrypt's PKCS7 message is not standard CMS: GCM's parameters are a SEQUENCE whose tag is written
as primitive, and the content is authenticated although it says EnvelopedData. See ``pkcs7``.
"""

from collections.abc import Iterator
from dataclasses import dataclass

SEQUENCE, SET, INTEGER, OCTETS, OID = 0x30, 0x31, 0x02, 0x04, 0x06
_MAX_DEPTH_BYTES = 4  # lengths of up to 4 bytes: 4 GiB


class DerError(ValueError):
    """The bytes are no DER."""


@dataclass(frozen=True, slots=True)
class Node:
    """One element: its tag byte, its content, and the whole element as it stands."""

    tag: int
    content: bytes
    raw: bytes

    def children(self) -> list["Node"]:
        """The elements inside."""
        return list(read_all(self.content))


def read_all(data: bytes) -> Iterator[Node]:
    """The elements that lie one after another in ``data``; raises ``DerError``."""
    position = 0
    while position < len(data):
        node = _read(data, position)
        position += len(node.raw)
        yield node


def read_one(data: bytes) -> Node:
    """The only element in ``data``."""
    node = _read(data, 0)
    if len(node.raw) != len(data):
        raise DerError("bytes after the end")
    return node


def _read(data: bytes, start: int) -> Node:
    if start + 2 > len(data):
        raise DerError("cut short")
    size, body = data[start + 1], start + 2
    if size >= 0x80:
        count = size & 0x7F
        if not 0 < count <= _MAX_DEPTH_BYTES or body + count > len(data):
            raise DerError("length not supported")
        size, body = int.from_bytes(data[body : body + count], "big"), body + count
    if body + size > len(data):
        raise DerError("cut short")
    return Node(data[start], data[body : body + size], data[start : body + size])


def make(tag: int, *parts: bytes) -> bytes:
    """An element with this content."""
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def integer(value: int) -> bytes:
    """A non-negative INTEGER."""
    return make(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))
