"""Arguments that several verbs share."""

import argparse
import math

REFERENCE = "PATH[:TAG], oci:..., oci-archive:..., docker-archive:..., docker://..."


def add_layers(parser: argparse.ArgumentParser) -> None:
    """Which layers, for whom: shared by encrypt and protect."""
    parser.add_argument(
        "--layers", default="all", help='all, above-base or indexes such as "0,2,-1" (default all)'
    )
    parser.add_argument("--base", default="", help="number of base layers, or the base image")
    parser.add_argument("--profile", choices=["host", "coco"], default="", help="who opens it")
    parser.add_argument("--platform", default="", help="os/arch, or all (default all)")


def number(text: str) -> float:
    """A finite number of 0 or more, for ``type=``; raises ``argparse.ArgumentTypeError``."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not (math.isfinite(found) and found >= 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of 0 or more")
    return found
