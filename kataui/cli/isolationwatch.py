"""``kataui isolation watch``: a live table, or one JSON document a line."""

import argparse
import json
import shutil
import sys
import time
from typing import Any

from kataui.cli.arguments import number
from kataui.cli.isolationsource import add_arguments as add_source
from kataui.cli.isolationsource import chosen, feed
from kataui.cli.output import Output
from kataui.errors import ExitStatus
from kataui.isolation.accuse import percent
from kataui.isolation.analysis import Picture
from kataui.isolation.session import Session
from kataui.isolation.sources.feed import Line
from kataui.isolation.summary import blame_of

_HEADER = ("SANDBOX", "GRADE", "SCORE", "WAITS", "CORES", "BECAUSE OF")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    add_source(parser)
    parser.add_argument("--seconds", type=number, default=None, help="stop after so long")
    parser.add_argument("--speed", type=number, default=1.0, help="of a recording; 0 at once")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Watch until Ctrl+C, the source's end, or ``--seconds``."""
    begin_s = time.monotonic()
    screen = _Screen(as_json=output.as_json)
    with feed(chosen(arguments), speed=arguments.speed) as source:
        session = Session(source)
        line = ""
        while True:
            turn = session.turn(0.2)
            for picture in turn.pictures:
                screen.show(picture)
            if turn.state.line is Line.LOST and turn.state.sentence != line:
                line = turn.state.sentence
                print(line, file=sys.stderr)
            if turn.state.line is Line.ENDED and not turn.pictures:
                return ExitStatus.DONE
            if arguments.seconds is not None and time.monotonic() - begin_s > arguments.seconds:
                return ExitStatus.DONE


class _Screen:
    """A terminal that is painted anew, a pipe that gets table after table, or JSON lines."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._terminal = sys.stdout.isatty()

    def show(self, picture: Picture) -> None:
        """One moment."""
        if self._as_json:
            print(json.dumps(document(picture), ensure_ascii=False), flush=True)
            return
        size = shutil.get_terminal_size()
        lines = table(picture, size.lines - 4 if self._terminal else 1 << 20)
        text = "\n".join(line[: size.columns] if self._terminal else line for line in lines)
        if self._terminal:
            sys.stdout.write(f"\x1b[H\x1b[J{text}\n")
        else:
            sys.stdout.write(f"{text}\n\n")
        sys.stdout.flush()


def table(picture: Picture, most: int) -> list[str]:
    """The verdict and the worst sandboxes as lines of text."""
    judgement = picture.judgement
    cost = f"own cost {percent(picture.cost)} of a core, {picture.dropped} samples dropped"
    lines = [f"{judgement.verdict.value.upper()}  {judgement.sentence}"]
    lines += [f"{picture.view.name}, {cost}. {judgement.scope}", ""]
    rows = [_row(picture, number) for number in _worst_first(picture)[:most]]
    widths = [max(len(r[column]) for r in [_HEADER, *rows]) for column in range(len(_HEADER))]
    for row in [_HEADER, *rows]:
        cells = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        lines.append("  ".join(cells).rstrip())
    return lines


def _worst_first(picture: Picture) -> list[int]:
    def key(row: int) -> tuple[bool, float]:
        points = picture.scores[picture.view.sandboxes[row].key].points
        return points is None, points or 0.0

    return sorted(range(len(picture.view.sandboxes)), key=key)


def _row(picture: Picture, number: int) -> tuple[str, ...]:
    sandbox = picture.view.sandboxes[number]
    score = picture.scores[sandbox.key]
    cores = sum(float(values[number]) for values in picture.signals.cores.values())
    blame = blame_of(picture.view, picture.shares.get(sandbox.key))
    reason = max(blame, key=lambda part: part[1], default=("", 0.0, 0.0))
    waits = float(picture.signals.waits[number])
    return (
        sandbox.name,
        picture.grades.get(sandbox.key, "") or "-",
        "-" if score.points is None else f"{score.points:.0f}",
        percent(waits),
        f"{cores:.2f}",
        reason[0] if waits > 0.01 else "nobody",
    )


def document(picture: Picture) -> dict[str, Any]:
    """One moment as JSON; the shape of ``report``, with the time."""
    sandboxes = []
    for row, sandbox in enumerate(picture.view.sandboxes):
        score = picture.scores[sandbox.key]
        waits = float(picture.signals.waits[row])
        blame = blame_of(picture.view, picture.shares.get(sandbox.key))
        sandboxes.append(
            {
                "id": sandbox.id,
                "name": sandbox.name,
                "grade": picture.grades.get(sandbox.key, ""),
                "score": None if score.points is None else round(score.points, 1),
                "coverage": round(score.coverage, 3),
                "run_delay_fraction": None if waits != waits else round(waits, 4),  # noqa: PLR0124 - NaN
                "blame": [
                    {"actor": actor, "share": round(share, 4), "confidence": round(sure, 4)}
                    for actor, share, sure in blame
                ],
            }
        )
    judgement = picture.judgement
    return {
        "time": picture.wall_s,
        "verdict": judgement.verdict.value,
        "sentence": judgement.sentence,
        "scope": judgement.scope,
        "cost_cores": None if picture.cost != picture.cost else round(picture.cost, 5),
        "dropped": picture.dropped,
        "sandboxes": sandboxes,
    }
