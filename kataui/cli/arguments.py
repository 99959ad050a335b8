"""Arguments that several verbs about images share."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from kataui.images.cosignkey import load_public_key
from kataui.images.signatures import PublicKey

REFERENCE = "PATH[:TAG], oci:..., oci-archive:..., docker-archive:..., docker://..."


def add_layers(parser: argparse.ArgumentParser) -> None:
    """Which layers, for whom: shared by encrypt and protect."""
    parser.add_argument(
        "--layers", default="all", help='all, above-base or indexes such as "0,2,-1" (default all)'
    )
    parser.add_argument("--base", default="", help="number of base layers, or the base image")
    parser.add_argument("--profile", choices=["host", "coco"], default="", help="who opens it")
    parser.add_argument("--platform", default="", help="os/arch, or all (default all)")


def public_keys(paths: Sequence[str]) -> list[PublicKey]:
    """The public keys that were given, named by their files. Raises ``KeyProblem``."""
    return [PublicKey(Path(path).name, load_public_key(Path(path))) for path in paths]
