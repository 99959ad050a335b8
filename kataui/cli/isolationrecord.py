"""``kataui isolation record``: the stream into a file."""

import argparse
import contextlib
import sys
import time
from pathlib import Path

from kataui.cli.arguments import number
from kataui.cli.isolationsource import add_arguments as add_source
from kataui.cli.isolationsource import chosen, feed
from kataui.cli.output import Output
from kataui.errors import ExitStatus, KatauiError
from kataui.files import clean, size_text
from kataui.isolation.session import Session
from kataui.isolation.sources.feed import Line


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument("file", metavar="FILE", help="the recording to write")
    parser.add_argument("--seconds", type=number, default=None, help="stop after so long")
    parser.add_argument("--force", action="store_true", help="replace FILE")
    add_source(parser)


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Record until Ctrl+C, the source's end, or ``--seconds``; what is written stays."""
    path = Path(arguments.file)
    wanted = chosen(arguments)
    if wanted.is_file and path.exists() and path.samefile(wanted.text):
        raise KatauiError("A recording cannot be recorded onto itself.", hint="Name another file.")
    with feed(wanted) as source:
        session = Session(source)
        session.record_to(path, force=arguments.force)
        recorder = session.recorder
        try:
            with contextlib.suppress(KeyboardInterrupt):
                _follow(session, arguments.seconds)
        finally:
            session.stop_recording()
    samples = recorder.samples if recorder else 0
    size = path.stat().st_size
    if not samples:
        path.unlink()
        raise KatauiError("No sample came; nothing was recorded.")
    output.line(f"{clean(str(path))}: {samples} samples, {size_text(size)}")
    output.value({"file": str(path), "samples": samples, "size_bytes": size})
    return ExitStatus.DONE


def _follow(session: Session, seconds: float | None) -> None:
    begin_s = None
    while True:
        turn = session.turn(0.2)
        if turn.problem:
            raise KatauiError(turn.problem)
        if turn.state.line is Line.ENDED and not turn.pictures:
            return
        if session.analysis.last is not None:
            begin_s = begin_s or time.monotonic()
            if sys.stderr.isatty():
                sys.stderr.write(f"\rrecording, {int(time.monotonic() - begin_s)} s ")
            if seconds is not None and time.monotonic() - begin_s >= seconds:
                return
