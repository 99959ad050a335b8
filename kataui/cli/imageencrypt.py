"""``kataui image encrypt``."""

import argparse

from kataui.cli.arguments import REFERENCE, add_layers
from kataui.cli.output import Output
from kataui.cli.written import written
from kataui.images.encrypt import check_selection, choose_profile, encrypt_image
from kataui.images.inspect import find_base, select_layers
from kataui.images.model import Image
from kataui.images.open import open_source
from kataui.images.recipients import parse_recipient
from kataui.images.writer import destination


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument("source", metavar="SRC", help=REFERENCE)
    parser.add_argument("destination", metavar="DST", help="a new layout folder, or oci-archive:")
    parser.add_argument("--recipient", action="append", default=[], metavar="R", required=True)
    parser.add_argument("--force", action="store_true", help="replace the destination")
    add_layers(parser)


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Run the verb; gives the exit status."""
    recipients = [parse_recipient(text) for text in arguments.recipient]
    profile = choose_profile(arguments.profile, recipients)
    control = output.control()
    with open_source(arguments.source, platform=arguments.platform, control=control) as source:
        chosen = {
            image.digest: frozenset(
                select_layers(arguments.layers, image, find_base(image, arguments.base))
            )
            for image in source.images
        }

        def selection(image: Image) -> frozenset[int]:
            return chosen[image.digest]

        findings = check_selection(source, selection)
        with destination(arguments.destination, force=arguments.force, source=source) as place:
            root = encrypt_image(
                source,
                place.layout,
                recipients=recipients,
                selection=selection,
                profile=profile,
                tag=place.reference.tag,
                control=control,
            )
            place.pack(control)
            place.commit()
    return written(output, arguments.destination, str(root.digest), findings)
