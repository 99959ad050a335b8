"""Playing a store: any moment of a recording or ring, analysed on the same path as live data."""

from collections.abc import Iterator

from kataui.isolation.analysis import WINDOW_S, Analysis, Picture
from kataui.isolation.collector import stream as wire
from kataui.isolation.store import Store, segment_at
from kataui.isolation.stream import Record, Sample, StreamDamaged, sample_times

_SHOWN_US = 60_000_000  # what strips and the CPU map show
_LEAD_US = _SHOWN_US + int((WINDOW_S + 5) * 1e6)  # and a window, and the slower tables before it


class Player:
    """A place in a store. ``seek`` goes anywhere; ``step`` takes the next sample."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.analysis = Analysis()
        self._records: Iterator[tuple[int, Record]] = iter(())
        self._held: tuple[int, Record] | None = None
        self.go_to(store.segments[0].begin_us)

    @property
    def begin_us(self) -> int:
        """The first sample's time."""
        return self.store.segments[0].begin_us

    @property
    def end_us(self) -> int:
        """The last sample's time."""
        return self.store.segments[-1].end_us

    @property
    def time_us(self) -> int:
        """The time of the sample taken last."""
        last = self.analysis.last
        return last.mono_us if last else self.begin_us

    def seek(self, time_us: int) -> Picture | None:
        """Go to the last sample at or before a time; gives its picture.

        The minute before it comes into the history and the CPU map, for the screens show it.
        """
        self._go_to(time_us, glances=True)
        return self.analysis.picture()

    def go_to(self, time_us: int) -> None:
        """Go to the last sample at or before a time, for one who judges nothing."""
        self._go_to(time_us, glances=False)

    def _go_to(self, time_us: int, *, glances: bool) -> None:
        number = segment_at(self.store, max(self.begin_us, time_us - _LEAD_US))
        analysis = Analysis()
        analysis.decoder.head = dict(self.store.head)
        analysis.decoder.facts = self.store.facts_before(number)
        self.analysis = analysis
        self._records = _from(self.store, number)
        self._held = None
        while self.next_time_us is not None:
            if self.next_time_us > time_us and analysis.last is not None:
                break
            recent = analysis.last is not None and analysis.last.mono_us > time_us - _SHOWN_US
            if glances and recent:
                analysis.glance()
            self._take()

    def step(self) -> Picture | None:
        """The next sample, judged; None at the end."""
        if self.next_time_us is None:
            return None
        self._take()
        return self.analysis.picture()

    def pass_over(self) -> Sample | None:
        """The next sample without judging it; None at the end."""
        if self.next_time_us is None:
            return None
        self._take()
        return self.analysis.last

    @property
    def next_time_us(self) -> int | None:
        """The time of the next sample; None at the end. What lies before it is taken in."""
        while self._held is None:
            found = next(self._records, None)
            if found is None:
                return None
            if found[0]:
                self._held = found
            else:
                self._feed(found[1])
        return self._held[0]

    def _take(self) -> None:
        if self._held is not None:
            record, self._held = self._held[1], None
            self._feed(record)

    def _feed(self, record: Record) -> None:
        try:
            self.analysis.take(record)
        except StreamDamaged as error:
            self.analysis.logs.append(error.message)


def _from(store: Store, number: int) -> Iterator[tuple[int, Record]]:
    """Records from a segment on, with the time of samples and 0 for all others."""
    while number < len(store.segments):
        for record in store.records(number):
            if record.kind in {wire.HEAD, wire.MARKER, wire.INDEX}:
                continue
            try:
                times = sample_times(record)
            except StreamDamaged:
                return
            yield (times[0] if times else 0), record
        number += 1
