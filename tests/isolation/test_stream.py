"""The stream: what is written is read again, and damage is said, never followed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kataui.isolation.analysis import Analysis
from kataui.isolation.collector import stream as wire
from kataui.isolation.collector.tables import BY_NAME, MISSING
from kataui.isolation.span import Counters
from kataui.isolation.stream import Decoder, Group, Record, Sample, Splitter, StreamDamaged
from tests.isolation.streams import Thread, written

COUNTERS = st.integers(min_value=-1, max_value=2**62)


def sample_of(rows: list[list[int]], columns: wire.Columns) -> bytes:
    table = BY_NAME["run"]
    width, data = columns.differences([list(column) for column in zip(*rows, strict=True)])
    header = (1, 2, 3, 4, 5, 6)
    return wire.sample_record(header, [(table.number, width, 7, len(rows), data)])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.lists(COUNTERS, min_size=3, max_size=3), min_size=2, max_size=2)))
def test_every_value_comes_back_whatever_it_was_before(samples: list[list[list[int]]]) -> None:
    columns, decoder = wire.Columns(3), Decoder()
    data = wire.MAGIC + wire.json_record(wire.KEY, {"entities": {}})
    data += b"".join(sample_of(rows, columns) for rows in samples)

    found = [decoder.take(record) for record in Splitter().feed(data)]

    values = [sample.table("run").tolist() for sample in found if sample is not None]
    assert values == samples


def test_a_stream_may_come_a_byte_at_a_time() -> None:
    data = bytes(written([Thread("a", "vcpu", 0, 500_000)], 3).data)
    splitter = Splitter()

    pieces = [record for n in range(len(data)) for record in splitter.feed(data[n : n + 1])]

    assert [r.kind for r in pieces] == [r.kind for r in Splitter().feed(data)]


@pytest.mark.parametrize(
    "damage",
    [
        b"no stream at all" * 3,
        wire.MAGIC + b"Z" + bytes(30),
        wire.MAGIC + wire.FRAME.pack(b"S", 1 << 30, 0) + bytes(30),
        wire.MAGIC + wire.FRAME.pack(b"S", 4, 1) + b"abcd",
    ],
)
def test_bytes_that_are_no_stream_are_refused(damage: bytes) -> None:
    with pytest.raises(StreamDamaged):
        Splitter().feed(damage)


@pytest.mark.parametrize(
    "record",
    [
        Record(wire.KEY, b"no zlib"),
        *Splitter().feed(wire.MAGIC + wire.json_record(wire.KEY, [1])),
        *Splitter().feed(
            wire.MAGIC + wire.json_record(wire.KEY, {"entities": {"thread": [[-1, {}]]}})
        ),
        *Splitter().feed(
            wire.MAGIC + wire.json_record(wire.KEY, {"entities": {"thread": [[10**9, {}]]}})
        ),
        *Splitter().feed(
            wire.MAGIC + wire.json_record(wire.KEY, {"entities": {"moon": [[1, {}]]}})
        ),
    ],
)
def test_records_that_make_no_sense_are_refused(record: Record) -> None:
    with pytest.raises(StreamDamaged):
        Decoder().take(record)


def test_a_sample_that_promises_more_than_it_has_is_refused() -> None:
    decoder = Decoder()
    decoder.take(Splitter().feed(wire.MAGIC + wire.json_record(wire.KEY, {"entities": {}}))[0])
    groups = [(BY_NAME["run"].number, 4, 0, 1_000_000, b"")]
    bad = Splitter().feed(wire.MAGIC + wire.sample_record((1, 1, 1, 1, 1, 1), groups))[0]

    with pytest.raises(StreamDamaged):
        decoder.take(bad)


def test_flipped_bytes_never_crash_the_analysis() -> None:
    data = bytes(written([Thread("a", "vcpu", 0, 500_000)], 4).data)
    for place in range(0, len(data), 7):
        broken = data[:place] + bytes([data[place] ^ 0x40]) + data[place + 1 :]
        analysis = Analysis()
        try:
            for record in Splitter().feed(broken):
                analysis.take(record)
        except StreamDamaged:
            continue


def counted(values: list[list[int]], at_us: int) -> Sample:
    group = Group(np.array(values, np.int64))
    return Sample(at_us, at_us, 0, 0, 0, 0, {"run": group})


def test_a_counter_that_went_back_is_a_gap_and_no_spike() -> None:
    counters = Counters()
    for at_s, value in ((1, 100), (2, 200), (3, 50), (4, 80)):
        counters.take(counted([[value, 0, 0]], at_s * 1_000_000))

    span = counters.span(10)

    assert span.delta("run", "run_us")[0] == 130
    assert span.seconds("run", "run_us")[0] == 2


def test_missing_values_are_gaps() -> None:
    counters = Counters()
    for at_s, value in ((1, 100), (2, MISSING), (3, 300)):
        counters.take(counted([[value, 0, 0]], at_s * 1_000_000))

    assert np.isnan(counters.span(10).rate("run", "run_us")[0])


def test_a_slot_that_is_given_again_counts_anew() -> None:
    counters = Counters()
    counters.take(counted([[1000, 0, 0]], 1_000_000))
    counters.take(counted([[2000, 0, 0]], 2_000_000))

    counters.forget("thread", [0])
    counters.take(counted([[5, 0, 0]], 3_000_000))
    counters.take(counted([[9, 0, 0]], 4_000_000))

    assert counters.span(10).delta("run", "run_us")[0] == 4
