"""``kataui image recipients``: who may decrypt; only manifests are written."""

import argparse

from kataui.cli import passphrase
from kataui.cli.output import Output
from kataui.errors import ExitStatus
from kataui.images.keys import load_keys
from kataui.images.open import open_source
from kataui.images.recipients import parse_recipient
from kataui.images.rewrap import change_recipients


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument("source", metavar="REF", help="an OCI layout folder, with :TAG if needed")
    parser.add_argument("--key", action="append", default=[], metavar="K", help="a private key")
    parser.add_argument("--add", action="append", default=[], metavar="R", help="a recipient")
    parser.add_argument("--remove", action="append", default=[], metavar="R", help="who to remove")
    passphrase.add_arguments(parser)


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Run the verb; gives the exit status."""
    ring = load_keys(tuple(arguments.key), passphrase.asker(arguments))
    with open_source(arguments.source) as source:
        change = change_recipients(
            source,
            ring=ring,
            add=[parse_recipient(text) for text in arguments.add],
            remove=arguments.remove,
        )
    output.lines(f"Layer {index}: {names}" for index, names in change.recipients)
    output.line(f"Digest {change.digest}")
    output.findings(change.findings)
    output.value(
        {
            "digest": str(change.digest),
            "layers": [{"index": i, "recipients": names} for i, names in change.recipients],
            "findings": [finding.as_json() for finding in change.findings],
        }
    )
    return ExitStatus.DONE
