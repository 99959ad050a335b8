"""``kataui image compare``: two images side by side."""

import argparse
from collections.abc import Iterator

from kataui.cli import passphrase
from kataui.cli.arguments import REFERENCE
from kataui.cli.output import STATUS_OF, Output
from kataui.files import clean, size_text
from kataui.images.compare import Compared, compare
from kataui.images.comparefacts import LayerPair
from kataui.images.keys import load_keys
from kataui.images.open import open_source
from kataui.images.signatures import load_public_keys

_MOST_LINES = 200
_MARKS = {"removed": "-", "added": "+", "changed": "~"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument("a", metavar="A", help=REFERENCE)
    parser.add_argument("b", metavar="B", help="the image to hold against it")
    parser.add_argument("--key", action="append", default=[], metavar="K", help="a private key")
    parser.add_argument("--public-key", action="append", default=[], metavar="F")
    parser.add_argument("--platform", default="", help="os/arch, or all (default all)")
    passphrase.add_arguments(parser)


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Run the verb: 0 the same runs, 1 it does not, 3 not everything could be read."""
    keys = load_public_keys(arguments.public_key)
    ring = load_keys(tuple(arguments.key), passphrase.asker(arguments))
    control, platform = output.control(), arguments.platform
    with (
        open_source(arguments.a, platform=platform, control=control) as a,
        open_source(arguments.b, platform=platform, control=control) as b,
    ):
        found = compare(a, b, ring=ring, public_keys=keys, control=control)
    output.verdict(found.verdict, found.sentence)
    for item in found.platforms:
        output.line(f"\n{item.platform}")
        output.table(("layer", "A", "B", "encrypted", "recipients"), [_row(p) for p in item.layers])
        output.lines(_details(item))
    output.findings(found.findings)
    output.value(found.as_json())
    return STATUS_OF[found.verdict]


def _row(pair: LayerPair) -> tuple[str, ...]:
    sides = (pair.a, pair.b)
    state = pair.state if pair.certain or pair.state != "repacked" else "said to be the same"
    return (
        state,
        *(f"{s.index}  {s.digest.short}  {size_text(s.size_bytes)}" if s else "-" for s in sides),
        " / ".join("-" if s is None else "yes" if s.encrypted else "no" for s in sides),
        " / ".join(", ".join(s.recipients) or "-" if s else "-" for s in sides),
    )


def _details(item: Compared) -> Iterator[str]:
    """The settings and files that differ, with an end."""
    for setting in item.settings:
        yield f"  ~ {setting.name}: {setting.a or '(not set)'} → {setting.b or '(not set)'}"
    files = item.files or ()
    for change in files[:_MOST_LINES]:
        what = f" ({', '.join(change.what)})" if change.what else ""
        yield f"  {_MARKS[change.change]} /{clean(change.path, limit=300)}{what}"
    if len(files) > _MOST_LINES:
        yield f"  … and {len(files) - _MOST_LINES} more files; --json has them all"
