"""The stream, version 1: what the collector writes and a recording keeps.

A stream begins with ``MAGIC``. Records follow, each::

    kind     1 byte    H head, K key, E entities, F facts, S sample, M marker, L log, I index
    length   4 bytes   of the payload, little endian, at most ``MAX_PAYLOAD_BYTES``
    crc      4 bytes   CRC-32 (RFC 1952) of kind and payload
    payload  zlib (RFC 1950) around JSON (UTF-8), or around a sample

H opens a stream: who wrote it, on which host, when. K opens a *segment*: it lists all entities with
their slots, and from here on every column counts from zero, so that a reader can begin at any K.
E tells what changed since: ``{"add": [[space, slot, attributes]], "remove": [[space, slot]],
"change": [[space, slot, attributes]]}``; a slot that is added counts from zero.
F holds files of the host that changed, by path (null: gone or not readable). M is a marker, L a
sentence for the user. I is the index of a closed recording; the last ``TRAILER`` bytes of the file
give its place.

A sample is ``HEADER``, then for each table that was due: ``GROUP``, then rows x columns integers of
``width`` bytes: the difference from the value before, columns after one another, stored as byte
planes (all lowest bytes, then all second ones ...), because mostly-zero planes compress well.
Source of the idea: Blosc's shuffle filter.
"""

from __future__ import annotations

import json
import struct
import sys
import zlib
from array import array
from operator import sub

MAGIC = b"KATAUI ISOLATION STREAM 1\n"
VERSION = 1
FRAME = struct.Struct("<cII")
# monotonic us, wall-clock us, CPU that the collector used so far in us, its memory in KiB,
# how late this sample began in us, samples left out so far, number of groups
HEADER = struct.Struct("<qqQIIIH")
# table number, width in bytes (4 or 8), when reading it began (us after the sample's time), rows
GROUP = struct.Struct("<BBII")
TRAILER = struct.Struct("<Q8s")
TRAILER_MAGIC = b"KATAUIDX"
MAX_PAYLOAD_BYTES = 64 << 20

HEAD = b"H"
KEY = b"K"
ENTITIES = b"E"
FACTS = b"F"
SAMPLE = b"S"
MARKER = b"M"
LOG = b"L"
INDEX = b"I"


def frame(kind: bytes, payload: bytes) -> bytes:
    """One record around a payload that is compressed already."""
    return FRAME.pack(kind, len(payload), zlib.crc32(payload, zlib.crc32(kind))) + payload


def json_record(kind: bytes, value: object) -> bytes:
    """One record around a JSON document."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True)
    return frame(kind, zlib.compress(text.encode("ascii"), 6))


class Columns:
    """The values of one table before, by slot, so that differences can be written."""

    __slots__ = ("_columns", "_count")

    def __init__(self, columns: int) -> None:
        self._count = columns
        self._columns = [array("q") for _ in range(columns)]

    def forget(self) -> None:
        """Count from zero again: a new segment begins."""
        for column in self._columns:
            del column[:]

    def clear(self, slot: int) -> None:
        """A slot was given to somebody else."""
        for column in self._columns:
            if slot < len(column):
                column[slot] = 0

    def differences(self, columns: list[list[int]]) -> tuple[int, bytes]:
        """Width and bytes of the differences; ``columns`` has one equally long list for each."""
        pairs = []
        for index, values in enumerate(columns):
            now = array("q", values)
            before = self._columns[index]
            if len(before) < len(now):
                before.extend([0] * (len(now) - len(before)))
            pairs.append((now, before))
            self._columns[index] = now
        try:
            narrow = array("i")
            for now, before in pairs:
                narrow.extend(map(sub, now, before))
            return 4, planes(narrow.tobytes(), 4)
        except OverflowError:
            wide = array("q")
            for now, before in pairs:
                wide.extend(map(sub, now, before))
            return 8, planes(wide.tobytes(), 8)


def planes(data: bytes, width: int) -> bytes:
    """Integers of ``width`` bytes as byte planes, the lowest bytes first."""
    order = range(width) if sys.byteorder == "little" else range(width - 1, -1, -1)
    return b"".join([data[start::width] for start in order])


def sample_record(
    header: tuple[int, int, int, int, int, int], groups: list[tuple[int, int, int, int, bytes]]
) -> bytes:
    """One sample: ``header`` without the count; groups of (table, width, offset, rows, bytes)."""
    parts = [HEADER.pack(*header, len(groups))]
    for number, width, offset_us, rows, data in groups:
        parts.append(GROUP.pack(number, width, offset_us, rows))
        parts.append(data)
    return frame(SAMPLE, zlib.compress(b"".join(parts), 1))
