"""Arguments that several verbs about images share."""

import argparse

REFERENCE = "PATH[:TAG], oci:..., oci-archive:..., docker-archive:..., docker://..."


def add_layers(parser: argparse.ArgumentParser) -> None:
    """Which layers, for whom: shared by encrypt and protect."""
    parser.add_argument(
        "--layers", default="all", help='all, above-base or indexes such as "0,2,-1" (default all)'
    )
    parser.add_argument("--base", default="", help="number of base layers, or the base image")
    parser.add_argument("--profile", choices=["host", "coco"], default="", help="who opens it")
    parser.add_argument("--platform", default="", help="os/arch, or all (default all)")
