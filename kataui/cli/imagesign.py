"""``kataui image sign``: signatures beside the image, in its layout."""

import argparse
from pathlib import Path

from kataui.cli import passphrase
from kataui.cli.output import Output
from kataui.errors import ExitStatus
from kataui.images.cosignkey import load_signing_key
from kataui.images.open import open_source
from kataui.images.sign import sign_source


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument("source", metavar="REF", help="an OCI layout folder, with :TAG if needed")
    parser.add_argument("--key", required=True, metavar="F", help="the private key to sign with")
    parser.add_argument("--identity", required=True, metavar="REGISTRY/REPOSITORY")
    parser.add_argument("--bundle", action="store_true", help="add cosign 3's bundle as well")
    passphrase.add_arguments(parser)


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Run the verb; gives the exit status."""
    key = load_signing_key(Path(arguments.key), passphrase.asker(arguments))
    with open_source(arguments.source) as source:
        signed = sign_source(
            source,
            key=key,
            identity=arguments.identity,
            bundle=arguments.bundle,
            control=output.control(),
        )
    output.lines(f"Signed {digest} for {signed.identity}" for digest in signed.digests)
    output.value(
        {
            "digest": str(signed.root),
            "signed": [str(digest) for digest in signed.digests],
            "identity": signed.identity,
        }
    )
    return ExitStatus.DONE
