"""``kataui image decrypt``."""

import argparse

from kataui.cli import passphrase
from kataui.cli.arguments import REFERENCE
from kataui.cli.output import Output
from kataui.cli.written import written
from kataui.images.encrypt import decrypt_image
from kataui.images.keys import load_keys
from kataui.images.open import open_source
from kataui.images.writer import destination


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument("source", metavar="SRC", help=REFERENCE)
    parser.add_argument("destination", metavar="DST", help="a new layout folder, or oci-archive:")
    parser.add_argument("--key", action="append", default=[], metavar="K", required=True)
    parser.add_argument("--platform", default="", help="os/arch, or all (default all)")
    parser.add_argument("--force", action="store_true", help="replace the destination")
    passphrase.add_arguments(parser)


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Run the verb; gives the exit status."""
    ring = load_keys(tuple(arguments.key), passphrase.asker(arguments))
    control = output.control()
    with (
        open_source(arguments.source, platform=arguments.platform, control=control) as source,
        destination(arguments.destination, force=arguments.force, source=source) as place,
    ):
        root = decrypt_image(
            source, place.layout, ring=ring, tag=place.reference.tag, control=control
        )
        place.pack(control)
        place.commit()
    return written(output, arguments.destination, str(root.digest))
