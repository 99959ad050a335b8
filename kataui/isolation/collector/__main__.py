"""``python3 -m kataui.isolation.collector``: writes the stream until it is told to stop."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import time

from kataui import __version__
from kataui.isolation.collector.sampler import Sampler

_NICE = 5  # the watcher gives way to the watched


def main(argv: list[str]) -> int:
    """Sample at ``--rate`` until the reader goes, a signal comes, or ``--seconds`` are over."""
    parser = argparse.ArgumentParser(prog="collector")
    parser.add_argument("--rate", type=float, default=1.0)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--proc-root", default="/proc")
    parser.add_argument("--sys-root", default="/sys")
    arguments = parser.parse_args(argv)
    with contextlib.suppress(OSError):
        os.nice(_NICE)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    with contextlib.suppress(BrokenPipeError):
        collect(arguments)
        sys.stdout.buffer.flush()
    return 0


def collect(arguments: argparse.Namespace) -> None:
    """The loop: samples begin at even distances; one that would begin too late is left out."""
    out = sys.stdout.buffer
    sampler = Sampler(
        out.write,
        proc=arguments.proc_root.rstrip("/") or "/",
        sys=arguments.sys_root.rstrip("/") or "/",
        rate_hz=arguments.rate,
    )
    sampler.begin(version=__version__)
    period_s = 1.0 / arguments.rate
    begin_s = time.monotonic()
    parent = os.getppid()
    number = 0
    while number * period_s < arguments.seconds:
        due_s = begin_s + number * period_s
        late_s = time.monotonic() - due_s
        if late_s < 0:
            time.sleep(-late_s)
            late_s = time.monotonic() - due_s
        if late_s >= period_s:
            missed = int(late_s / period_s)
            sampler.dropped += missed
            number += missed
            late_s -= missed * period_s
        sampler.sample(late_us=max(0, int(late_s * 1e6)))
        out.flush()
        if os.getppid() != parent:  # whoever started this is gone
            return
        number += 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
