"""``kataui demo``: its options. The window itself is started by ``__main__``, for it needs Qt."""

import argparse
import re
from dataclasses import dataclass
from pathlib import Path

from kataui.cli.output import Output
from kataui.errors import KatauiError

THEMES = ("light", "dark", "contrast")
_LEAST_PERCENT, _MOST_PERCENT = 150, 250
_SIZE = re.compile(r"([1-9]\d{2,3})x([1-9]\d{2,3})", re.ASCII)


def add_parser(nouns: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The noun, which has no verbs."""
    text = "sample data in a window of its own; nothing is written outside a scratch folder"
    parser = nouns.add_parser("demo", help=text, description=f"{text[0].upper()}{text[1:]}.")
    parser.add_argument("--talk", action="store_true", help="begin with the talk, full screen")
    parser.add_argument(
        "--text-size", type=int, default=150, metavar="PERCENT", help="of the talk, 150 to 250"
    )
    parser.add_argument(
        "--screenshots", default="", metavar="DIR", help="write a picture of every screen instead"
    )
    themes = ",".join(THEMES)
    parser.add_argument("--themes", default="light,dark", help=f"of the pictures: {themes}")
    parser.add_argument("--percents", default="100,200", help="text sizes of the pictures")
    parser.add_argument("--sizes", default="1440x900", help="windows of the pictures: 1440x900")
    parser.add_argument("--only", default="", help="pictures by their names, with commas")
    parser.set_defaults(verb="", run=run)


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What was asked for; ``screenshots`` is None when a window is to be shown.

    ``shapes``: theme, text size (percent) and window (pixels) of each picture.
    """

    talk: bool
    percent: int
    screenshots: Path | None
    shapes: tuple[tuple[str, int, tuple[int, int]], ...]
    only: tuple[str, ...]


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Start it. Raises ``KatauiError`` for options that fit nothing."""
    del output  # it has no other answer than what it shows
    folder = Path(arguments.screenshots).absolute() if arguments.screenshots else None
    if not _LEAST_PERCENT <= arguments.text_size <= _MOST_PERCENT:
        raise KatauiError("The talk's text is 150 to 250 % of the usual size.")
    asked = DemoOptions(
        arguments.talk,
        arguments.text_size,
        folder,
        tuple(_shapes(arguments)),
        tuple(filter(None, arguments.only.split(","))),
    )
    return int(arguments.start_demo(asked))


def _shapes(arguments: argparse.Namespace) -> list[tuple[str, int, tuple[int, int]]]:
    found = []
    for theme in arguments.themes.split(","):
        for percent in arguments.percents.split(","):
            for size in arguments.sizes.split(","):
                match = _SIZE.fullmatch(size)
                if theme not in THEMES or match is None or not percent.isdecimal():
                    raise KatauiError(
                        f"There is no picture of {theme}, {percent} %, {size}.",
                        hint="Write --themes light,dark --percents 100,200 --sizes 1440x900.",
                    )
                found.append((theme, int(percent), (int(match[1]), int(match[2]))))
    return found
