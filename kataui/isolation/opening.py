"""What a source's text names, and the feed for it: this host, ssh, a recording, Prometheus."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kataui.errors import KatauiError
from kataui.files import clean
from kataui.isolation import sources
from kataui.isolation.collector import stream as wire
from kataui.isolation.recording import Recording
from kataui.isolation.sources.feed import Feed, Line, State
from kataui.isolation.sources.local import LocalFeed
from kataui.isolation.stream import Record, sample_times

RATES_HZ = (0.1, 10.0)
LOCAL = "local"
_SSH, _PROMETHEUS = "ssh:", "prometheus:"
Ask = Callable[[str, bool], str | None]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a stream comes from: ``local``, ``ssh:HOST``, ``prometheus:URL``, or a file's path."""

    text: str
    rate_hz: float = 1.0
    proc_root: str = "/proc"
    sys_root: str = "/sys"

    @property
    def is_live(self) -> bool:
        """Whether it goes on by itself, so that only the last minutes can be looked at again."""
        return self.text == LOCAL or self.text.startswith(_SSH)

    @property
    def is_file(self) -> bool:
        """Whether it is a recording."""
        return not self.is_live and not self.text.startswith(_PROMETHEUS)

    @property
    def name(self) -> str:
        """What people call it."""
        if self.text == LOCAL:
            return "this host"
        if self.text.startswith(_SSH):
            return clean(self.text[len(_SSH) :], limit=80)
        return clean(Path(self.text).name if self.is_file else "Prometheus", limit=80)

    def problem(self) -> str:
        """What is wrong with it, as a sentence; empty when nothing is."""
        if not self.text.strip():
            return "No source is named."
        if self.text in {_SSH, _PROMETHEUS}:
            return f"{self.text} needs a host after the colon."
        low, high = RATES_HZ
        if not low <= self.rate_hz <= high:
            return f"The rate goes from {low:g} to {high:g} samples a second."
        if self.is_file and not Path(self.text).is_file():
            return f"There is no recording {clean(self.text)}."
        return ""


def open_feed(source: Source, *, ask: Ask | None = None, speed: float = 0.0) -> Feed:
    """The feed of a source. ``ask`` answers ssh's questions; ``speed`` paces a recording (0: not).

    Raises ``KatauiError`` for a source that is none.
    """
    problem = source.problem()
    if problem:
        raise KatauiError(problem, hint="A source is local, ssh:HOST, prometheus:URL or a file.")
    if source.text == LOCAL:
        return LocalFeed(
            rate_hz=source.rate_hz, proc_root=source.proc_root, sys_root=source.sys_root
        )
    if source.is_file:
        return FileFeed(Path(source.text), speed=speed)
    return sources.open_feed(source.text, rate_hz=source.rate_hz, ask=ask)


class FileFeed:
    """A recording as a feed: its records one after the other, at its own pace or at once."""

    def __init__(self, path: Path, *, speed: float = 0.0) -> None:
        """``speed`` 1 is as it was, 2 twice as fast, 0 as fast as it is read."""
        self._recording = Recording(path)
        self._records: Iterator[Record] = self._recording.everything()
        self._held: tuple[Record, float] | None = None
        self._speed = speed
        self._begin: tuple[float, float] | None = None
        self.state = State(Line.LIVE, f"Playing {clean(path.name)}.")

    def read(self, timeout_s: float) -> list[Record]:
        """The records up to the next sample that is due."""
        found: list[Record] = []
        latest_s = time.monotonic() + timeout_s
        while self._hold():
            record, at_s = self._held or (None, 0.0)
            due_s = self._due(at_s)
            if due_s > latest_s:
                time.sleep(max(0.0, latest_s - time.monotonic()))
                break
            time.sleep(max(0.0, due_s - time.monotonic()))
            self._held = None
            if record is not None:
                found.append(record)
                if record.kind == wire.SAMPLE:
                    break
        return found

    def _hold(self) -> bool:
        """Whether there is a next record."""
        if self._held is None:
            record = next(self._records, None)
            if record is None:
                self.state = State(Line.ENDED, "The recording ends here.")
                return False
            times = sample_times(record)
            self._held = (record, times[0] / 1e6 if times else 0.0)
        return True

    def _due(self, at_s: float) -> float:
        """When a sample of that time is to be shown (``time.monotonic()``)."""
        if not self._speed or not at_s:
            return 0.0
        if self._begin is None:
            self._begin = (time.monotonic(), at_s)
        return self._begin[0] + (at_s - self._begin[1]) / self._speed

    def close(self) -> None:
        """Close the file."""
        self._recording.close()
        self._records = iter(())
