"""``kataui image inspect``: layers, and what can be read of them by anybody."""

import argparse

from kataui.cli.arguments import REFERENCE
from kataui.cli.output import Output
from kataui.errors import ExitStatus
from kataui.files import clean, size_text
from kataui.images.inspect import Base, find_base, layer_rows, readable_facts
from kataui.images.model import Image
from kataui.images.open import open_source


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument("source", metavar="REF", help=REFERENCE)
    parser.add_argument("--base", default="", help="number of base layers, or the base image")
    parser.add_argument("--platform", default="", help="os/arch, or all")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Run the verb; gives the exit status."""
    with open_source(
        arguments.source, platform=arguments.platform, control=output.control()
    ) as source:
        documents = []
        for image in source.images:
            base = find_base(image, arguments.base)
            documents.append(_describe(image, base, output))
        output.findings(source.findings)
        output.value(
            {
                "reference": source.reference,
                "transport": source.transport.value,
                "digest": str(source.root.digest),
                "images": documents,
                "findings": [finding.as_json() for finding in source.findings],
            }
        )
    return ExitStatus.DONE


def _describe(image: Image, base: Base, output: Output) -> dict[str, object]:
    rows = layer_rows(image, base)
    facts = readable_facts(image)
    output.line(f"{image.config.platform}  {image.digest}  {size_text(image.size_bytes)}")
    output.table(
        ("layer", "size", "from", "encrypted", "recipients", "made by"),
        [
            (
                str(row.index),
                size_text(row.size_bytes),
                row.origin,
                "yes" if row.encrypted else "no",
                row.recipients or "-",
                clean(row.command, limit=60),
            )
            for row in rows
        ],
    )
    output.line("What still can be read:")
    output.findings(facts)
    return {
        "platform": str(image.config.platform),
        "digest": str(image.digest),
        "layers": [
            {
                "index": row.index,
                "size": row.size_bytes,
                "media_type": row.media_type,
                "command": row.command,
                "origin": row.origin,
                "encrypted": row.encrypted,
                "recipients": row.recipients,
            }
            for row in rows
        ],
        "readable": [finding.as_json() for finding in facts],
    }
