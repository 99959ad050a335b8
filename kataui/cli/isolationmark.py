"""``kataui isolation mark``: name this moment."""

import argparse
from pathlib import Path

from kataui.cli.arguments import number
from kataui.cli.output import Output
from kataui.errors import ExitStatus, KatauiError
from kataui.files import clean
from kataui.isolation import marks
from kataui.isolation.recording import Recording, append_marker
from kataui.isolation.store import Marker


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument("name", metavar="NAME", help="what happens now, in a word or two")
    parser.add_argument("--note", default="", help="more words")
    parser.add_argument("--file", default="", metavar="FILE", help="a finished recording instead")
    parser.add_argument(
        "--at", type=number, default=None, metavar="S", help="seconds from its start"
    )


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Mark everything that is recording now, or one finished recording."""
    if not arguments.name.strip():
        raise KatauiError("A marker needs a name.")
    if arguments.file:
        marker = _mark_file(Path(arguments.file), arguments)
        output.line(f"{clean(marker.name)} is marked in {clean(arguments.file)}.")
        output.value({"name": marker.name, "at_s": marker.mono_us / 1e6})
    else:
        marks.post(arguments.name, arguments.note)
        output.line("Marked in every recording that is running now.")
        output.value({"name": arguments.name})
    return ExitStatus.DONE


def _mark_file(path: Path, arguments: argparse.Namespace) -> Marker:
    recording = Recording(path)
    recording.close()
    first, last = recording.segments[0], recording.segments[-1]
    end_us = last.end_us - first.begin_us
    after_us = end_us if arguments.at is None else round(arguments.at * 1e6)
    if not 0 <= after_us <= end_us:
        raise KatauiError(f"The recording lasts {end_us / 1e6:.0f} s.", hint="Give --at within it.")
    marker = Marker(
        arguments.name[:80], first.begin_us + after_us, first.wall_us + after_us, arguments.note
    )
    append_marker(path, marker)
    return marker
