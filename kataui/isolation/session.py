"""Following a live source: records go into the ring, the recording and the analysis."""

from dataclasses import dataclass, field
from pathlib import Path

from kataui.errors import KatauiError
from kataui.isolation.analysis import Analysis, Picture
from kataui.isolation.marks import Inbox
from kataui.isolation.recording import Recorder
from kataui.isolation.sources.feed import Feed, State
from kataui.isolation.store import Marker, Ring, split
from kataui.isolation.stream import Record, sample_times


@dataclass(frozen=True, slots=True)
class Turn:
    """What one look at the source brought: pictures, the line's state, and a problem to show."""

    pictures: tuple[Picture, ...] = field(repr=False)
    state: State
    problem: str = ""


class Session:
    """One live source. ``turn`` is for one thread; it may wait for the source.

    The ring is always on. A recording that fails is closed and told about once; watching goes on.
    """

    def __init__(self, feed: Feed, *, analysis: Analysis | None = None) -> None:
        self.feed = feed
        self.ring = Ring()
        self.analysis = analysis or Analysis()
        self.recorder: Recorder | None = None
        self._inbox = Inbox()
        self._samples = 0

    def turn(self, timeout_s: float = 0.2, *, every: int = 1) -> Turn:
        """Take in what came, at most ``timeout_s`` later. Raises ``KatauiError`` from the feed.

        Each n-th sample is judged (``every``): nobody looks at a hidden window.
        """
        pictures = []
        problems = []
        for record in self.feed.read(timeout_s):
            problems.append(self._keep(record))
            if self.analysis.take(record):
                self._samples += 1
                picture = self.analysis.picture() if self._samples % every == 0 else None
                if picture is not None:
                    pictures.append(picture)
                    self._overview(picture)
        for mark in self._inbox.read():
            self.mark(mark.name, mark.note)
        return Turn(tuple(pictures), self.feed.state, " ".join(filter(None, problems)))

    def _keep(self, record: Record) -> str:
        """Ring and recording; gives the problem that ended a recording."""
        self.ring.take(record, sample_times(record))
        if self.recorder is not None:
            try:
                self.recorder.write(record)
            except KatauiError as error:
                self.recorder = None
                return f"{error.message} {error.hint}".strip()
        return ""

    def _overview(self, picture: Picture) -> None:
        if self.recorder is not None:
            overview_of(self.recorder, picture)

    def record_to(self, path: Path, *, force: bool = False) -> None:
        """Record from now on. Raises ``DestinationProblem``."""
        recorder = Recorder(path, force=force)
        if self.ring.segments:  # a segment that runs already is kept from its beginning
            number = len(self.ring.segments) - 1
            for record in (*self.ring.opening(number), *self.ring.records(number)):
                recorder.write(record)
        self.recorder = recorder

    def stop_recording(self) -> Path | None:
        """Close the recording; gives its file."""
        recorder, self.recorder = self.recorder, None
        if recorder is None:
            return None
        recorder.close()
        return recorder.path

    def mark(
        self, name: str, note: str = "", *, at_us: tuple[int, int] | None = None
    ) -> Marker | None:
        """Set a marker at a moment (monotonic, wall), else at the sample taken last.

        None before the first sample.
        """
        last = self.analysis.last
        if last is None:
            return None
        mono_us, wall_us = at_us or (last.mono_us, last.wall_us)
        marker = Marker(name[:80], mono_us, wall_us, note[:2000])
        for record in split(marker.record()):
            self.ring.take(record, None)
        if self.recorder is not None:
            self.recorder.mark(marker)
        return marker

    def close(self) -> None:
        """End the source and the recording."""
        self.feed.close()
        self.stop_recording()


def overview_of(recorder: Recorder, picture: Picture) -> None:
    """Note a moment in a recording's overview."""
    keys = [sandbox.key for sandbox in picture.view.sandboxes]
    recorder.overview.add(picture.time_us, keys, picture.signals.waits, picture.scores.points)
