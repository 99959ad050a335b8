"""``kataui pipeline list``: the catalogue."""

import argparse

from kataui.cli.output import Output
from kataui.errors import ExitStatus
from kataui.files import clean
from kataui.pipelines import catalogue


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument("--system", default="", help="only those of a system, such as Tekton")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Tell the templates, and those of the user's own folder that are broken."""
    found = catalogue.load()
    wanted = arguments.system.lower()
    shown = [one for one in found.templates if wanted in one.system.lower()]
    rows = [(one.id, one.system, one.title, one.version) for one in shown]
    output.table(("ID", "SYSTEM", "TITLE", "VERSION"), rows)
    for broken in found.broken:
        output.line(f"  x {clean(broken.folder)}: {clean(broken.problem, limit=300)}")
    output.value(
        {
            "templates": [
                {
                    "id": one.id,
                    "title": one.title,
                    "system": one.system,
                    "version": one.version,
                    "why": one.why,
                    "tags": list(one.tags),
                    "own": one.own,
                }
                for one in shown
            ],
            "broken": [{"folder": one.folder, "problem": one.problem} for one in found.broken],
        }
    )
    return ExitStatus.DONE
