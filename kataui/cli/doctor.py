"""``kataui doctor``: what this computer can do."""

import argparse
import json
from pathlib import Path

from kataui.cli.output import Output
from kataui.errors import ExitStatus
from kataui.files import clean, replace_file


def add_parser(nouns: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The noun, which has no verbs."""
    text = "what this computer can do, and what brings the rest"
    parser = nouns.add_parser("doctor", help=text, description=f"{text[0].upper()}{text[1:]}.")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--out", default="", metavar="FILE", help="write it there: .json or text")
    parser.set_defaults(verb="", run=run)


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Look; 3 when something is missing that kataui itself needs."""
    from kataui.doctor import examine as doctor  # noqa: PLC0415 - only when it is asked for

    parts = doctor.examine()
    if arguments.out:
        path = Path(arguments.out)
        text = doctor.as_json(parts) if path.suffix == ".json" else doctor.as_text(parts)
        replace_file(path, text.encode())
        output.line(f"Written: {clean(str(path))}")
    else:
        output.line(doctor.as_text(parts).rstrip())
    output.value(json.loads(doctor.as_json(parts)))
    return ExitStatus.DONE if doctor.complete(parts) else ExitStatus.NOT_POSSIBLE
