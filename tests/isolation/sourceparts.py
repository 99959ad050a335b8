"""What the tests of sources share: reading a feed until something is so, and finding processes."""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from kataui.isolation.sources.feed import Feed
from kataui.isolation.stream import Decoder, Record, Sample

LIMIT_S = 30.0


def until(true: Callable[[], bool], what: str) -> None:
    """Wait for a condition, or fail saying what it was."""
    end_s = time.monotonic() + LIMIT_S
    while not true():
        assert time.monotonic() < end_s, f"waited in vain: {what}"
        time.sleep(0.02)


def read_until(feed: Feed, enough: Callable[[list[Record]], bool]) -> list[Record]:
    """Read until all records so far are enough."""
    records: list[Record] = []
    end_s = time.monotonic() + LIMIT_S
    while not enough(records):
        assert time.monotonic() < end_s, f"waited in vain; {feed.state}, {len(records)} records"
        records += feed.read(0.2)
    return records


def samples(records: list[Record]) -> int:
    """How many samples there are."""
    return sum(record.kind == b"S" for record in records)


def decoded(records: list[Record]) -> tuple[Decoder, list[Sample]]:
    """What records mean."""
    decoder = Decoder()
    found = [sample for record in records if (sample := decoder.take(record)) is not None]
    return decoder, found


def processes(mark: str) -> list[int]:
    """The processes whose command line holds a mark."""
    return [pid for pid, line in _command_lines() if mark in line]


def _command_lines() -> Iterator[tuple[int, str]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                yield int(folder.name), line.decode("utf-8", "replace")
