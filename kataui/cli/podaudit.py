"""``kataui pod audit``: every container of a pod, and what is not covered."""

import argparse
from pathlib import Path

from kataui.cli.output import STATUS_OF, Output
from kataui.files import clean
from kataui.images.signatures import load_public_keys
from kataui.pods.audit import NOT_KNOWN, audit
from kataui.pods.read import read_path
from kataui.pods.shelf import Shelf, open_shelf

_HEADER = ("CONTAINER", "KIND", "PINNED", "ENCRYPTED", "SIGNED", "IN POLICY", "IMAGE")
_YES = {True: "yes", False: "no", None: "-"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument(
        "file", metavar="FILE", help="a manifest, a folder of them, or a running pod's dump"
    )
    parser.add_argument("--images", metavar="DIR", help="a folder of layouts and archives")
    parser.add_argument("--public-key", action="append", default=[], metavar="F")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Audit, and tell what cannot be known here as well."""
    control = output.control()
    keys = load_public_keys(arguments.public_key)
    documents = read_path(Path(arguments.file), control)
    shelf = open_shelf(Path(arguments.images), control) if arguments.images else Shelf()
    found = audit(documents, shelf, keys, control)
    output.verdict(found.verdict, found.sentence)
    output.line(f"      {found.scope}")
    output.table(
        _HEADER,
        [
            (
                clean(one.container.name, limit=40),
                one.container.kind.value,
                _YES[one.container.pinned],
                one.coverage.encrypted.value,
                one.coverage.signed.value,
                _YES[one.in_policy],
                clean(one.container.image, limit=120),
            )
            for one in found.containers
        ],
    )
    output.findings(found.findings)
    output.line("Not known from here:")
    output.lines(f"  - {text}" for text in NOT_KNOWN)
    output.value(found.as_json())
    return STATUS_OF[found.verdict]
