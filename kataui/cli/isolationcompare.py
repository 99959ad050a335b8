"""``kataui isolation compare``: whether a change helped, by how much, and how sure that is."""

import argparse
from pathlib import Path
from typing import Any

from kataui.cli.arguments import number
from kataui.cli.output import Output
from kataui.errors import ExitStatus, KatauiError
from kataui.files import clean
from kataui.isolation.experiment import WARM_UP_S, Answer, Effect, sentence
from kataui.isolation.measure import Comparison, Stretch, compare, stretches
from kataui.isolation.player import Player
from kataui.isolation.recording import Recording


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument("file", metavar="FILE", help="a recording with the markers A and B")
    parser.add_argument("other", metavar="FILE2", nargs="?", default="", help="B is this recording")
    parser.add_argument("--a", default="A", metavar="MARKER", help="where A begins (default A)")
    parser.add_argument("--b", default="B", metavar="MARKER", help="where B begins (default B)")
    parser.add_argument("--warm-up", type=number, default=WARM_UP_S, metavar="S")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Compare; "no difference I can see" is an answer, with what could have been seen."""
    first = Path(arguments.file)
    second = Path(arguments.other) if arguments.other else first
    with Recording(first) as one, Recording(second) as two:
        player, other = Player(one), Player(two)
        if arguments.other:
            a, b = _whole(player, "A"), _whole(other, "B")
        else:
            end_s = player.end_us / 1e6
            a, b = stretches(one.markers, end_s, arguments.a, arguments.b)
        found = compare(player, a, other, b, warm_up_s=arguments.warm_up)
    _show(found, output)
    output.value(document(found))
    return ExitStatus.DONE


def _whole(player: Player, name: str) -> Stretch:
    return Stretch(name, player.begin_us / 1e6, player.end_us / 1e6)


def _show(found: Comparison, output: Output) -> None:
    rows = []
    for item in found.effects:
        if item.answer is Answer.UNKNOWN:
            continue
        rows.append(
            [
                clean(item.sandbox),
                item.signal,
                _number(item.mean_a),
                _number(item.mean_b),
                f"{_number(item.change)} [{_number(item.low)} .. {_number(item.high)}]",
                item.answer.value,
            ]
        )
    if not rows:
        raise KatauiError("Too little was measured on both sides.")
    if found.main is not None:
        output.line(f"{clean(found.main.sandbox)}: {sentence(found.main)}")
    output.table(["SANDBOX", "SIGNAL", "A", "B", "CHANGE (95 %)", "ANSWER"], rows)
    output.line(f"The first {found.warm_up_s:.0f} s of each side are left out.")


def _number(value: float) -> str:
    return "-" if value != value else f"{value:.4g}"  # noqa: PLR0124 - NaN


def document(found: Comparison) -> dict[str, Any]:
    """The comparison as JSON."""
    return {
        "a": {"name": found.a.name, "begin_s": found.a.begin_s, "end_s": found.a.end_s},
        "b": {"name": found.b.name, "begin_s": found.b.begin_s, "end_s": found.b.end_s},
        "warm_up_s": found.warm_up_s,
        "effects": [effect_document(item) for item in found.effects],
    }


def effect_document(item: Effect) -> dict[str, Any]:
    """One effect as JSON; what is not known is null."""
    names = ("mean_a", "mean_b", "change", "low", "high", "seen_from")
    values = {name: getattr(item, name) for name in names}
    return {
        "sandbox": item.sandbox,
        "signal": item.signal,
        "answer": item.answer.value,
        **{name: None if value != value else value for name, value in values.items()},  # noqa: PLR0124 - NaN
        "samples_a": item.samples_a,
        "samples_b": item.samples_b,
    }
