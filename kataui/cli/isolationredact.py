"""``kataui isolation redact``: a recording that can be shown to others."""

import argparse
from pathlib import Path

from kataui.cli.output import Output
from kataui.errors import ExitStatus, KatauiError
from kataui.files import clean
from kataui.isolation.redact import redact


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument("file", metavar="FILE", help="a recording")
    parser.add_argument("target", metavar="OUT", nargs="?", default="", help="the copy")
    parser.add_argument("--preview", action="store_true", help="only tell what would leave")
    parser.add_argument("--force", action="store_true", help="replace OUT")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Write the copy, and tell what was replaced and left out."""
    if not arguments.target and not arguments.preview:
        raise KatauiError("OUT is missing.", hint="Name the copy, or use --preview.")
    target = None if arguments.preview else Path(arguments.target)
    preview = redact(Path(arguments.file), target, force=arguments.force)
    for before, after in preview.replaced:
        output.line(f"  {clean(before, limit=70):<70}  {after}")
    output.line(
        f"{len(preview.left_out)} files of the host are left out, {preview.kept_facts} stay."
    )
    if preview.markers:
        output.line("Markers keep their words: " + ", ".join(clean(m) for m in preview.markers))
    output.value(
        {
            "replaced": dict(preview.replaced),
            "left_out": list(preview.left_out),
            "kept_facts": preview.kept_facts,
            "markers": list(preview.markers),
        }
    )
    return ExitStatus.DONE
