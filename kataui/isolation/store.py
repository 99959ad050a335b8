"""Segments of a stream that can be read again: kept in memory (the ring) or in a file.

A segment begins with a K record and is about a minute long. What is on the screen of a rewound
moment is made from the segments around it, on the same path as live data.
"""

import bisect
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from kataui.isolation.collector import stream as wire
from kataui.isolation.stream import Record, frames


@dataclass(frozen=True, slots=True)
class Marker:
    """A named moment: ``mono_us`` and ``wall_us`` of the host; ``note`` is free text."""

    name: str
    mono_us: int
    wall_us: int
    note: str = ""

    def record(self) -> bytes:
        """The marker as the stream holds it."""
        given = {"name": self.name, "at_us": self.mono_us, "wall_us": self.wall_us}
        return wire.json_record(wire.MARKER, {**given, "note": self.note})


@dataclass(frozen=True, slots=True)
class Segment:
    """Where a segment is and when: ``begin_us`` to ``end_us`` (CLOCK_MONOTONIC of the host).

    ``offset`` and ``size`` are bytes in the file, or a number and 0 in memory.
    """

    begin_us: int
    end_us: int
    wall_us: int
    samples: int
    offset: int
    size: int


class Store(Protocol):
    """Something that has segments."""

    head: dict[str, Any]
    markers: list[Marker]

    @property
    def segments(self) -> Sequence[Segment]:
        """All segments, oldest first."""

    def records(self, number: int) -> list[Record]:
        """The records of one segment, its K first."""

    def facts_before(self, number: int) -> dict[str, str]:
        """What the F records before a segment add up to."""


def segment_at(store: Store, time_us: int) -> int:
    """The number of the segment that holds a moment; the nearest one if none does."""
    begins = [segment.begin_us for segment in store.segments]
    return max(0, bisect.bisect_right(begins, time_us) - 1)


def marker_of(record: Record) -> Marker | None:
    """The marker in an M record; None if it is none."""
    given = record.json()
    name, at_us, wall_us = given.get("name"), given.get("at_us"), given.get("wall_us")
    if isinstance(name, str) and isinstance(at_us, int) and isinstance(wall_us, int):
        note = given.get("note")
        return Marker(name[:80], at_us, wall_us, note[:2000] if isinstance(note, str) else "")
    return None


@dataclass(slots=True)
class _Part:
    """A segment in memory, as it came."""

    records: list[Record] = field(default_factory=list)
    begin_us: int = 0
    end_us: int = 0
    wall_us: int = 0
    samples: int = 0


class Ring:
    """The last minutes of a live stream, always on: about 1 MB a minute for 200 sandboxes."""

    def __init__(self, minutes: int = 15) -> None:
        self.head: dict[str, Any] = {}
        self.markers: list[Marker] = []
        self._head: Record | None = None
        self._parts: deque[_Part] = deque()
        self._keep_us = minutes * 60_000_000
        self._facts: dict[str, str] = {}
        self._early: list[Record] = []

    def copy(self) -> "Ring":
        """The same as it is now, with shared records: a worker reads it while this goes on."""
        made = Ring()
        made._head, made.head, made._facts = self._head, self.head, dict(self._facts)
        made.markers = list(self.markers)
        made._parts = deque(replace(part, records=list(part.records)) for part in self._parts)
        return made

    def take(self, record: Record, times: tuple[int, int] | None) -> None:
        """Take in one record; ``times`` (monotonic, wall, in us) if it is a sample."""
        if record.kind == wire.HEAD:
            self._head, self.head = record, record.json()
        elif record.kind == wire.KEY:
            self._parts.append(_Part([*self._early, record]))
            self._early = []
        elif record.kind == wire.MARKER:
            self._take_marker(record)
        elif not self._parts:
            self._early.append(record)
            return
        else:
            self._parts[-1].records.append(record)
        if times is not None and self._parts:
            self._take_times(self._parts[-1], times)

    def _take_marker(self, record: Record) -> None:
        marker = marker_of(record)
        if marker is not None:
            self.markers.append(marker)

    def _take_times(self, part: _Part, times: tuple[int, int]) -> None:
        part.begin_us = part.begin_us or times[0]
        part.wall_us = part.wall_us or times[1]
        part.end_us = times[0]
        part.samples += 1
        while len(self._parts) > 1 and self._parts[0].end_us < times[0] - self._keep_us:
            gone = self._parts.popleft()
            _merge(self._facts, gone.records)
            self.markers = [m for m in self.markers if m.mono_us >= self._parts[0].begin_us]

    @property
    def segments(self) -> Sequence[Segment]:
        """All segments that hold samples, oldest first."""
        return [
            Segment(part.begin_us, part.end_us, part.wall_us, part.samples, number, 0)
            for number, part in enumerate(self._parts)
            if part.samples
        ]

    def records(self, number: int) -> list[Record]:
        """The records of one segment."""
        return list(self._parts[self.segments[number].offset].records)

    def facts_before(self, number: int) -> dict[str, str]:
        """What is known before a segment."""
        facts = dict(self._facts)
        for part in list(self._parts)[: self.segments[number].offset]:
            _merge(facts, part.records)
        return facts

    def opening(self, number: int) -> list[Record]:
        """What a file that begins with a segment needs before it: head and facts."""
        opening = [self._head] if self._head else []
        facts = self.facts_before(number)
        return opening + split(wire.json_record(wire.FACTS, {"files": facts}))


def _merge(facts: dict[str, str], records: Sequence[Record]) -> None:
    for record in records:
        if record.kind != wire.FACTS:
            continue
        files = record.json().get("files")
        for name, text in files.items() if isinstance(files, dict) else ():
            if isinstance(text, str):
                facts[name] = text
            else:
                facts.pop(name, None)


def merged_facts(records: Sequence[Record]) -> dict[str, str]:
    """What F records add up to."""
    facts: dict[str, str] = {}
    _merge(facts, records)
    return facts


def split(data: bytes) -> list[Record]:
    """The records in the bytes of a segment."""
    return [record for record, _ in frames(data)]
