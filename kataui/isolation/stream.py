"""Reading the stream that ``collector.stream`` documents: from a pipe, a socket or a file.

Everything from outside is checked: lengths, checksums, sizes after decompression, slots. Damage is
a ``StreamDamaged`` with what was read before it intact.
"""

import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from isal import isal_zlib

from kataui.errors import KatauiError
from kataui.isolation.collector import stream as wire
from kataui.isolation.collector import tables
from kataui.isolation.collector.tables import BY_NUMBER, SPACES

MAX_ROWS = 500_000
_MAX_JSON_BYTES = 64 << 20
_MAX_SAMPLE_BYTES = 256 << 20
_KINDS = frozenset(b"HKEFSMLI")
_ISAL_ERROR = cast("type[Exception]", isal_zlib.error)  # its stub says instance, not class
Attributes = dict[str, Any]
Array = np.ndarray[Any, np.dtype[Any]]


class StreamDamaged(KatauiError):
    """The bytes are not what the format says; all before them is good."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it stands in the stream: its kind and its payload, still compressed."""

    kind: bytes
    payload: bytes = field(repr=False)

    def json(self) -> dict[str, Any]:
        """The document in it; raises ``StreamDamaged``."""
        try:
            value = json.loads(_inflate(self.payload, _MAX_JSON_BYTES))
        except (ValueError, RecursionError) as error:
            raise StreamDamaged("A record of the recording holds no JSON.") from error
        if not isinstance(value, dict):
            raise StreamDamaged("A record of the recording holds no JSON object.")
        return value

    def whole(self) -> bytes:
        """The record with its frame, as it is written."""
        return wire.frame(self.kind, self.payload)


@dataclass(frozen=True, slots=True)
class Group:
    """One table of one sample: ``rows`` x columns int64; ``offset_us`` after the sample's time."""

    values: Array = field(repr=False)
    offset_us: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample. ``mono_us`` is CLOCK_MONOTONIC, ``wall_us`` the time of day, both of the host.

    ``cpu_us`` is what the collector used so far, ``memory_kib`` what it holds, ``late_us`` how late
    it was, ``dropped`` how many samples it left out so far. Absent values are ``tables.MISSING``.
    """

    mono_us: int
    wall_us: int
    cpu_us: int
    memory_kib: int
    late_us: int
    dropped: int
    groups: Mapping[str, Group] = field(repr=False)

    def table(self, name: str) -> Array | None:
        """A table's values, if it was due."""
        group = self.groups.get(name)
        return None if group is None else group.values


def frames(data: bytes | memoryview, at: int = 0) -> Iterator[tuple[Record, int]]:
    """Whole records from ``at`` on, each with the place after it; stops before a part of one.

    Raises ``StreamDamaged`` for a kind, length or checksum that cannot be.
    """
    size = len(data)
    while at + wire.FRAME.size <= size:
        kind, length, checksum = wire.FRAME.unpack_from(data, at)
        if kind[0] not in _KINDS or length > wire.MAX_PAYLOAD_BYTES:
            raise StreamDamaged("The recording is damaged: a record begins with nonsense.")
        begin = at + wire.FRAME.size
        if begin + length > size:
            return
        payload = bytes(data[begin : begin + length])
        if zlib.crc32(payload, zlib.crc32(kind)) != checksum:
            raise StreamDamaged("The recording is damaged: a checksum is wrong.")
        at = begin + length
        yield Record(kind, payload), at


class Splitter:
    """Cuts a stream that comes in pieces into records."""

    def __init__(self) -> None:
        self._rest = b""
        self._begun = False

    def feed(self, data: bytes) -> list[Record]:
        """The records that are whole now; raises ``StreamDamaged``."""
        self._rest += data
        if not self._begun:
            if not wire.MAGIC.startswith(self._rest[: len(wire.MAGIC)]):
                raise StreamDamaged("This is no kataui stream.")
            if len(self._rest) < len(wire.MAGIC):
                return []
            self._rest = self._rest[len(wire.MAGIC) :]
            self._begun = True
        found, end = [], 0
        for record, place in frames(self._rest):
            found.append(record)
            end = place
        self._rest = self._rest[end:]
        return found


class Decoder:
    """Turns records into values: who is watched, and samples with absolute counters.

    ``entities[space]`` is slot to attributes; ``version`` grows with each change of it.
    """

    def __init__(self) -> None:
        self.entities: dict[str, dict[int, Attributes]] = {space: {} for space in SPACES}
        self.version = 0
        self.facts: dict[str, str] = {}
        self.head: dict[str, Any] = {}
        self._values: dict[int, Array] = {}
        self._keyed = False

    def take(self, record: Record) -> Sample | None:
        """Take in one record; gives the sample if it was one. Raises ``StreamDamaged``."""
        if record.kind == wire.SAMPLE:
            return self._sample(record.payload) if self._keyed else None
        if record.kind == wire.KEY:
            self._key(record.json())
        elif record.kind == wire.ENTITIES:
            self._news(record.json())
        elif record.kind == wire.FACTS:
            self._take_facts(record.json())
        elif record.kind == wire.HEAD:
            self.head = record.json()
        return None

    def _take_facts(self, value: dict[str, Any]) -> None:
        files = value.get("files")
        for path, text in files.items() if isinstance(files, dict) else ():
            if text is None:
                self.facts.pop(path, None)
            elif isinstance(text, str):
                self.facts[path] = text

    def _key(self, value: dict[str, Any]) -> None:
        self.entities = {space: {} for space in SPACES}
        given = value.get("entities")
        for space, rows in given.items() if isinstance(given, dict) else ():
            for slot, attributes in _rows(rows, 2):
                self._put(space, slot, attributes)
        self._values.clear()
        self._keyed = True
        self.version += 1

    def _news(self, value: dict[str, Any]) -> None:
        for space, slot in _rows(value.get("remove"), 2):
            self.entities.get(space, {}).pop(slot, None)
        for space, slot, attributes in _rows(value.get("add"), 3):
            self._put(space, slot, attributes)
            for number, values in self._values.items():
                if BY_NUMBER[number].space == space and slot < values.shape[1]:
                    values[:, slot] = 0
        for space, slot, attributes in _rows(value.get("change"), 3):
            self._put(space, slot, attributes)
        self.version += 1

    def _put(self, space: Any, slot: Any, attributes: Any) -> None:
        good = isinstance(slot, int) and 0 <= slot < MAX_ROWS and isinstance(attributes, dict)
        if space not in self.entities or not good:
            raise StreamDamaged("The recording is damaged: an entity has no place.")
        self.entities[space][slot] = attributes

    def _sample(self, payload: bytes) -> Sample:
        data = _inflate(payload, _MAX_SAMPLE_BYTES)
        try:
            mono, wall, cpu, memory, late, dropped, count = wire.HEADER.unpack_from(data)
            groups, at = {}, wire.HEADER.size
            for _ in range(count):
                number, width, offset_us, rows = wire.GROUP.unpack_from(data, at)
                table = BY_NUMBER.get(number)
                size = rows * width * (len(table.columns) if table else 0)
                at += wire.GROUP.size
                if table is None or width not in {4, 8} or rows > MAX_ROWS or at + size > len(data):
                    raise StreamDamaged("The recording is damaged: a sample does not add up.")
                deltas = _integers(data, at, size, width).reshape(len(table.columns), rows)
                groups[table.name] = Group(self._add(table, deltas), offset_us)
                at += size
        except struct.error as error:
            raise StreamDamaged("The recording is damaged: a sample is cut.") from error
        return Sample(mono, wall, cpu, memory, late, dropped, groups)

    def _add(self, table: tables.Table, deltas: Array) -> Array:
        """The absolute values, rows x columns, after adding the differences."""
        before = self._values.get(table.number)
        now = deltas.astype(np.int64)
        if before is not None:
            shared = min(before.shape[1], now.shape[1])
            now[:, :shared] += before[:, :shared]
        self._values[table.number] = now
        return now.T.copy()


def sample_times(record: Record) -> tuple[int, int] | None:
    """Monotonic and wall-clock time (us) of a sample, without unpacking all of it."""
    if record.kind != wire.SAMPLE:
        return None
    try:
        data = zlib.decompressobj().decompress(record.payload, wire.HEADER.size)
        mono_us, wall_us, *_ = wire.HEADER.unpack_from(data)
    except (zlib.error, struct.error) as error:
        raise StreamDamaged("The recording is damaged: a sample cannot be unpacked.") from error
    return mono_us, wall_us


def _rows(value: Any, width: int) -> Iterator[list[Any]]:
    for row in value if isinstance(value, list) else ():
        if isinstance(row, list) and len(row) == width:
            yield row


def _integers(data: bytes, at: int, size: int, width: int) -> Array:
    """Byte planes back to integers."""
    planes = np.frombuffer(data, np.uint8, size, at).reshape(width, size // width)
    kind = "<i4" if width == 4 else "<i8"
    return np.ascontiguousarray(planes.T).view(kind).reshape(-1)


def _inflate(payload: bytes, limit: int) -> bytes:
    inflater = isal_zlib.decompressobj()
    try:
        data = inflater.decompress(payload, limit)
    except (zlib.error, _ISAL_ERROR, ValueError) as error:
        raise StreamDamaged("The recording is damaged: a record cannot be unpacked.") from error
    if not inflater.eof:
        raise StreamDamaged("The recording is damaged: a record is too long when unpacked.")
    return bytes(data)
