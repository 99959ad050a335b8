"""``kataui image verify``: the verdict, with its evidence."""

import argparse

from kataui.cli import passphrase
from kataui.cli.arguments import REFERENCE
from kataui.cli.output import STATUS_OF, Output
from kataui.errors import KatauiError
from kataui.files import clean
from kataui.images.keys import load_keys
from kataui.images.open import open_source
from kataui.images.signatures import load_public_keys
from kataui.images.verdict import Need
from kataui.images.verify import verify


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument("source", metavar="REF", help=REFERENCE + " or dir:")
    parser.add_argument("--public-key", action="append", default=[], metavar="F")
    parser.add_argument("--key", action="append", default=[], metavar="K", help="a private key")
    parser.add_argument("--identity", default="", help="the repository it must be signed for")
    parser.add_argument("--require", default="encrypted,signed", help="encrypted, signed or both")
    parser.add_argument("--platform", default="", help="os/arch, or all (default all)")
    passphrase.add_arguments(parser)


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Run the verb; gives the exit status."""
    require = parse_require(arguments.require)
    keys = load_public_keys(arguments.public_key)
    ring = load_keys(tuple(arguments.key), passphrase.asker(arguments))
    control = output.control()
    with open_source(arguments.source, platform=arguments.platform, control=control) as source:
        report = verify(
            source,
            public_keys=keys,
            ring=ring,
            identity=arguments.identity,
            require=require,
            control=control,
        )
    output.verdict(report.verdict, report.sentence)
    output.line(f"  {report.digest}")
    output.lines(
        f"  signature {item.status.value} {item.identity} {item.key} {clean(item.reason)}".rstrip()
        for item in report.signatures
    )
    output.findings(report.findings)
    output.value(report.as_json())
    return STATUS_OF[report.verdict]


def parse_require(text: str) -> frozenset[Need]:
    """What ``--require`` asks for; raises ``KatauiError`` for unknown words."""
    try:
        return frozenset(Need(word.strip()) for word in text.split(","))
    except ValueError as error:
        raise KatauiError(
            f"--require knows encrypted and signed, not {clean(text, limit=60)!r}."
        ) from error
