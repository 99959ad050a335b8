"""A recording: the stream kept in one file, with an index at its end.

The file is the stream as ``collector.stream`` documents it. It is only ever appended to, so a file
that a crash has cut opens up to its last whole sample; the index (an I record and a trailer) makes
opening quick and is made again by reading when it is missing. The index also holds the overview:
``waits`` and ``score`` of every sandbox a sample, as bytes (0..200 for 0..100 %, 255 for none).
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Self

from kataui.errors import DestinationProblem, KatauiError
from kataui.files import clean, problem_text
from kataui.isolation.collector import stream as wire
from kataui.isolation.overview import Overview, unpack_overview
from kataui.isolation.store import Marker, Ring, Segment, marker_of, merged_facts, split
from kataui.isolation.stream import Array, Record, StreamDamaged, frames, sample_times

SUFFIX = ".kataui-rec"
_SYNC_SAMPLES = 10
_READ_BYTES = 1 << 20
_TOO_LARGE = 1 << 62


class RecordingProblem(KatauiError):
    """A recording cannot be opened, or is no recording."""


class Recorder:
    """Writes a recording as records come. What was written stays, whatever happens next."""

    def __init__(self, path: Path, *, force: bool = False) -> None:
        """Begin a new file (0644). Raises ``DestinationProblem`` when it exists."""
        self.path = path
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | (os.O_TRUNC if force else os.O_EXCL)
        try:
            self._file: BinaryIO | None = os.fdopen(os.open(path, flags, 0o644), "wb", buffering=0)
        except FileExistsError as error:
            raise DestinationProblem(
                f"{clean(str(path))} exists already.", hint="Choose another name, or use --force."
            ) from error
        except OSError as error:
            message = f"Cannot write {clean(str(path))}: {problem_text(error)}."
            raise DestinationProblem(message) from error
        self._size = 0
        self._index = _Index()
        self._unsynced = 0
        self.overview = Overview()
        self._append(wire.MAGIC)

    @property
    def samples(self) -> int:
        """How many samples were written."""
        return self._index.samples

    @property
    def size_bytes(self) -> int:
        """How long the file is."""
        return self._size

    def write(self, record: Record) -> None:
        """Append one record. On a full disk the file is closed whole; raises ``KatauiError``."""
        offset = self._size
        data = record.whole()
        self._append(data)
        self._index.add(record, offset, len(data))
        if record.kind == wire.SAMPLE:
            self._unsynced += 1
            if self._unsynced >= _SYNC_SAMPLES and self._file is not None:
                self._unsynced = 0
                try:
                    os.fdatasync(self._file.fileno())  # a network's disk may be full only now
                except OSError as error:
                    raise self._stopped(error) from error

    def mark(self, marker: Marker) -> None:
        """Append a marker."""
        for record, _ in frames(marker.record()):
            self.write(record)

    def close(self) -> None:
        """Write the index and close. Closing twice does nothing."""
        if self._file is None:
            return
        offset = self._size
        record = wire.json_record(
            wire.INDEX, {**self._index.document(), **self.overview.document()}
        )
        with contextlib.suppress(KatauiError):  # without room for an index the file is still good
            self._append(record + wire.TRAILER.pack(offset, wire.TRAILER_MAGIC))
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _append(self, data: bytes) -> None:
        if self._file is None:
            raise DestinationProblem("The recording was closed.")
        try:
            view = memoryview(data)
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            raise self._stopped(error) from error
        self._size += len(data)

    def _stopped(self, error: OSError) -> DestinationProblem:
        """Close the file with whole records only; gives what to raise."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                file.truncate(self._size)
            with contextlib.suppress(OSError):
                file.close()
        return DestinationProblem(
            f"Recording to {clean(str(self.path))} stopped: {problem_text(error)}.",
            hint="Everything up to now is kept in it. Free some space and record again.",
        )


class _Index:
    """Where segments, facts and markers are."""

    def __init__(self) -> None:
        self.samples = 0
        self.segments: list[list[int]] = []  # begin, end, wall, samples, offset, size
        self.facts: list[list[int]] = []  # offset, size, number of the segment after it
        self.markers: list[list[int]] = []

    def add(self, record: Record, offset: int, size: int) -> None:
        """Note one record."""
        if record.kind == wire.KEY:
            self.segments.append([0, 0, 0, 0, offset, 0])
        elif record.kind == wire.FACTS:
            self.facts.append([offset, size, len(self.segments)])
        elif record.kind == wire.MARKER:
            self.markers.append([offset, size])
        times = sample_times(record)
        if self.segments:
            segment = self.segments[-1]
            segment[5] = offset + size - segment[4]
            if times is not None:
                self.samples += 1
                segment[0], segment[2] = segment[0] or times[0], segment[2] or times[1]
                segment[1] = times[0]
                segment[3] += 1

    def document(self) -> dict[str, Any]:
        """The index as JSON holds it."""
        return {
            "version": wire.VERSION,
            "samples": self.samples,
            "segments": self.segments,
            "facts": self.facts,
            "markers": self.markers,
        }


class Recording:
    """A recording that was opened; ``cut`` says that its end was missing.

    ``overview`` is what ``unpack_overview`` gives, if the index has one.
    """

    def __init__(self, path: Path) -> None:
        """Read head and index. Raises ``RecordingProblem``."""
        self.path = path
        try:
            self._file = path.open("rb")
            self._size = os.fstat(self._file.fileno()).st_size
        except OSError as error:
            message = f"Cannot open {clean(str(path))}: {problem_text(error)}."
            raise RecordingProblem(message) from error
        try:
            self._open()
        except BaseException:
            self._file.close()
            raise

    def _open(self) -> None:
        if self._file.read(len(wire.MAGIC)) != wire.MAGIC:
            raise RecordingProblem(f"{clean(str(self.path))} is no kataui recording.")
        self.cut = False
        self.whole_size = len(wire.MAGIC)
        self.packed_overview: Any = None
        index = self._read_index()
        if index is None:
            index, self.cut = self._scan(), True
        self.index = index
        self.head: dict[str, Any] = self._read_head()
        self._segments = [
            Segment(*row) for row in index.segments if row[3] > 0 and row[1] >= row[0]
        ]
        if not self._segments:
            raise RecordingProblem(f"{clean(str(self.path))} holds no sample.")
        self.markers = self._read_markers()

    def _read_head(self) -> dict[str, Any]:
        for record, _ in frames(self._bytes(len(wire.MAGIC), _READ_BYTES)):
            if record.kind == wire.HEAD:
                return record.json()
        return {}

    def _read_index(self) -> _Index | None:
        """The index that the trailer names; None when there is none or it is not good."""
        if self._size < len(wire.MAGIC) + wire.TRAILER.size:
            return None
        tail = self._bytes(self._size - wire.TRAILER.size, wire.TRAILER.size)
        offset, magic = wire.TRAILER.unpack(tail)
        if magic != wire.TRAILER_MAGIC or not len(wire.MAGIC) <= offset < self._size:
            return None
        try:
            found = split(self._bytes(offset, self._size - offset - wire.TRAILER.size))
            document = found[0].json()
            index = _Index()
            index.segments = [_whole_numbers(row, 6) for row in document["segments"]]
            index.facts = [_whole_numbers(row, 3) for row in document["facts"]]
            index.markers = [_whole_numbers(row, 2) for row in document["markers"]]
            index.samples = int(document["samples"])
        except (KatauiError, IndexError, KeyError, TypeError, ValueError, OverflowError):
            return None
        self.packed_overview = document.get("overview")
        self.whole_size = offset
        return index

    def _scan(self) -> _Index:
        """The index of a file without one: all whole records, up to the first damage."""
        index = _Index()
        rest = b""
        while True:
            data = rest + self._bytes(self.whole_size + len(rest), 8 * _READ_BYTES)
            end = 0
            try:
                for record, place in frames(data):
                    if record.kind == wire.INDEX:
                        return index
                    index.add(record, self.whole_size, place - end)
                    self.whole_size += place - end
                    end = place
            except StreamDamaged:
                return index
            if len(data) == len(rest):
                return index
            rest = data[end:]

    def _read_markers(self) -> list[Marker]:
        found = []
        for offset, size in self.index.markers:
            for record in split(self._bytes(offset, size)):
                marker = marker_of(record) if record.kind == wire.MARKER else None
                if marker is not None:
                    found.append(marker)
        return sorted(found, key=lambda marker: marker.mono_us)

    @property
    def overview(self) -> tuple[list[str], Array, Array, Array] | None:
        """Waits and scores of all sandboxes over the whole time, if the index has them."""
        return unpack_overview(self.packed_overview)

    @property
    def segments(self) -> Sequence[Segment]:
        """All segments, oldest first."""
        return self._segments

    def records(self, number: int) -> list[Record]:
        """The records of one segment; those before damage. Raises ``RecordingProblem``."""
        segment = self._segments[number]
        data = self._bytes(segment.offset, segment.size)
        found = []
        with contextlib.suppress(StreamDamaged):
            for record, _ in frames(data):
                found.append(record)
        return found

    def everything(self) -> Iterator[Record]:
        """All records but the index, from the beginning to the first damage."""
        offset, rest = len(wire.MAGIC), b""
        while offset + len(rest) < self.whole_size:
            size = min(8 * _READ_BYTES, self.whole_size - offset - len(rest))
            more = self._bytes(offset + len(rest), size)
            if not more:
                return  # somebody cut the file meanwhile
            data, end = rest + more, 0
            for record, place in frames(data):
                end = place
                yield record
            rest, offset = data[end:], offset + end

    def facts_before(self, number: int) -> dict[str, str]:
        """What the F records before a segment add up to."""
        wanted = [row for row in self.index.facts if row[2] <= number]
        return merged_facts([r for row in wanted for r in split(self._bytes(row[0], row[1]))])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _bytes(self, offset: int, size: int) -> bytes:
        try:
            return os.pread(self._file.fileno(), max(0, min(size, self._size - offset)), offset)
        except (OSError, OverflowError, ValueError) as error:
            raise RecordingProblem(f"Cannot read {clean(str(self.path))}.") from error


def _whole_numbers(row: Any, width: int) -> list[int]:
    whole = all(isinstance(value, int) and 0 <= value < _TOO_LARGE for value in row)
    if len(row) != width or not whole:
        raise ValueError(row)
    return list(row)


def append_marker(path: Path, marker: Marker) -> None:
    """Add a marker to a closed recording: the record, then the index anew.

    Raises ``RecordingProblem`` or ``DestinationProblem``.
    """
    recording = Recording(path)
    recording.close()
    record = split(marker.record())[0]
    index, place = recording.index, recording.whole_size
    data = record.whole()
    index.add(record, place, len(data))
    document = index.document()
    if recording.packed_overview is not None:
        document["overview"] = recording.packed_overview
    data += wire.json_record(wire.INDEX, document)
    data += wire.TRAILER.pack(place + len(record.whole()), wire.TRAILER_MAGIC)
    try:
        with path.open("r+b") as file:
            file.truncate(place)  # the old index; until the new one is there the file is as if cut
            file.seek(place)
            file.write(data)
    except OSError as error:
        message = f"Cannot write {clean(str(path))}: {problem_text(error)}."
        raise DestinationProblem(message) from error


def keep(ring: Ring, path: Path, minutes: float | None = None, *, force: bool = False) -> Path:
    """Save the last minutes of a ring (whole segments; None: all of them) as a recording.

    Raises ``DestinationProblem`` when the file exists or cannot be written.
    """
    segments = ring.segments
    if not segments:
        raise DestinationProblem("There is nothing to keep yet.")
    begin_us = 0 if minutes is None else segments[-1].end_us - int(minutes * 60e6)
    numbers = [n for n, segment in enumerate(segments) if segment.end_us >= begin_us]
    recorder = Recorder(path, force=force)
    try:
        for record in ring.opening(numbers[0]):
            recorder.write(record)
        for number in numbers:
            for record in ring.records(number):
                recorder.write(record)
        for marker in ring.markers:
            if marker.mono_us >= segments[numbers[0]].begin_us:
                recorder.mark(marker)
    finally:
        recorder.close()
    return path
