"""The collector in this process, with a clock that the test moves: what it sees, decoded."""

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from kataui.isolation.collector import files, sampler
from kataui.isolation.model import HostView, Sandbox, host_view
from kataui.isolation.span import Counters, Span
from kataui.isolation.stream import Decoder, Record, Sample, Splitter
from kataui.isolation.synthetic import Host, Mode, Spec

MANY_S = 6.0  # more than the time between two scans for processes
ROOT = Path(__file__).resolve().parents[2]


class Clock:
    """In place of the module ``time`` of the sampler; nothing passes by itself."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.wall_s = 1_780_000_000.0

    def monotonic(self) -> float:
        return self.now_s

    def monotonic_ns(self) -> int:
        return int(self.now_s * 1e9)

    def time_ns(self) -> int:
        return int(self.wall_s * 1e9)

    def process_time_ns(self) -> int:
        return 0


class Watcher:
    """The real sampler on ``proc`` and ``sys``; ``sample`` lets time pass and reads once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, proc: Path | str, sys_: Path | str) -> None:
        self.clock = Clock()
        monkeypatch.setattr(sampler, "time", self.clock)
        self.decoder = Decoder()
        self.counters = Counters()
        self.records: list[Record] = []
        self._splitter = Splitter()
        self._last: Sample | None = None
        self._sampler = sampler.Sampler(self._take, proc=str(proc), sys=str(sys_), rate_hz=1.0)
        self._sampler.begin(version="test")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        close_kept_files()

    def sample(self, seconds: float = 1.0) -> Sample:
        """One sample, ``seconds`` after the one before."""
        self.clock.now_s += seconds
        self.clock.wall_s += seconds
        self._sampler.sample()
        assert self._last is not None
        return self._last

    def settle(self) -> HostView:
        """Enough scans for names, roles and links to be known."""
        for _ in range(4):
            self.sample(MANY_S)
        return self.view

    @property
    def view(self) -> HostView:
        """What is known now."""
        return host_view(self.decoder.head, self.decoder.facts, self.decoder.entities)

    def span(self, seconds: float = 1.5) -> Span:
        """What happened lately."""
        return self.counters.span(seconds)

    def said(self) -> list[str]:
        """The sentences for the user."""
        return [str(record.json()["text"]) for record in self.records if record.kind == b"L"]

    def _take(self, data: bytes) -> None:
        for record in self._splitter.feed(data):
            self.records.append(record)
            sample = self.decoder.take(record)
            if sample is not None:
                self.counters.take(sample)
                self._last = sample


def close_kept_files() -> None:
    """A collector gives its descriptors back by ending; here it has to be done for it."""
    for kept in gc.get_objects():
        if type(kept) is files.Kept:
            kept.close()


def only(view: HostView) -> Sandbox:
    """The one sandbox that there is."""
    assert len(view.sandboxes) == 1, [sandbox.id for sandbox in view.sandboxes]
    return view.sandboxes[0]


def collected(*arguments: str, before: str = "") -> list[Record]:
    """What a collector in a process of its own writes; ``before`` is Python run in it first."""
    script = (
        f"{before}\nimport sys\nfrom kataui.isolation.collector.__main__ import main\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (done.returncode, done.stderr) == (0, b"")
    return Splitter().feed(done.stdout)


def decoded(records: list[Record]) -> Iterator[tuple[Decoder, Sample]]:
    """Each sample with what is known when it comes."""
    decoder = Decoder()
    for record in records:
        sample = decoder.take(record)
        if sample is not None:
            yield decoder, sample


class Place:
    """A folder with a made-up host, and watchers of it."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self._monkeypatch = monkeypatch

    def host(self, cpus: int = 4, mode: Mode = Mode.V2, *, vhost_tasks: bool = True) -> Host:
        return Host(self.root, cpus=cpus, mode=mode, vhost_tasks=vhost_tasks)

    def watch(self) -> Watcher:
        return Watcher(self._monkeypatch, self.root / "proc", self.root / "sys")

    def found(self, host: Host, spec: Spec) -> Sandbox:
        host.add(spec)
        return only(self.watch().settle())


def row_of(sample: Sample, table: str, slot: int) -> list[int]:
    """The values of a slot in a table of a sample."""
    values = sample.table(table)
    assert values is not None
    found: list[int] = values[slot].tolist()
    return found
