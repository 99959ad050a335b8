"""``kataui image estimate``: what encrypting costs and leaves open, before anything is done."""

import argparse

from kataui.cli.output import Output
from kataui.errors import ExitStatus, KatauiError
from kataui.files import clean
from kataui.images.estimate import DEFAULT_NODES, STOPS, Estimate, Strength, estimate
from kataui.images.piles import read_pile
from kataui.images.speed import measure_speed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument("image", nargs="+", metavar="REF", help="the images of one pod, together")
    parser.add_argument("--layers", choices=[one.value for one in STOPS], help="default: each")
    parser.add_argument("--base", default="", metavar="REF|N", help="where the base ends")
    parser.add_argument("--nodes", type=int, default=DEFAULT_NODES, metavar="N")
    parser.add_argument("--unsigned", action="store_true", help="as if nobody signed them")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Tell each choice, or one; nothing is written."""
    if arguments.nodes < 1:
        raise KatauiError("There is at least one node.")
    control = output.control()
    piles = [
        read_pile(one, control, name=clean(one), base=arguments.base)
        for one in dict.fromkeys(arguments.image)
    ]
    speed = measure_speed(control)
    stops = [Strength(arguments.layers)] if arguments.layers else STOPS
    found = [
        estimate(piles, stop, signed=not arguments.unsigned, speed=speed, nodes=arguments.nodes)
        for stop in stops
    ]
    for pile in piles:
        output.line(f"{pile.name}: base {pile.base_how}")
    for one in found:
        _tell(one, output)
    output.value(
        {
            "images": [
                {"image": one.reference, "digest": one.digest, "base": one.base_how}
                for one in piles
            ],
            "estimates": [one.as_json() for one in found],
        }
    )
    return ExitStatus.DONE


def _tell(found: Estimate, output: Output) -> None:
    output.line()
    output.line(f"--layers {found.strength.value}: {found.sentence}")
    output.line(f"  {found.scope}")
    rows = [(f"  {one.value} {one.unit}", one.what, one.source) for one in found.figures]
    output.table(("  FIGURE", "WHAT", "FROM"), rows)
    output.lines(f"  {one.sentence}" for one in found.targets)
