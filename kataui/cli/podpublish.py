"""``kataui pod publish``: push a prepared pod, each step shown before it is done."""

import argparse
import sys
from pathlib import Path

from kataui.cli.output import Output
from kataui.errors import ExitStatus
from kataui.pods.broker import parse_broker
from kataui.pods.publish import Place, Plan, Step, plan, publish


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument("folder", metavar="DIR", help="a prepared pod")
    parser.add_argument("--registry", default="", metavar="R", help="instead of that in the names")
    parser.add_argument(
        "--insecure", action="store_true", help="without TLS (on this machine always)"
    )
    parser.add_argument("--kbs-url", default="", metavar="U", help="give the keys to this broker")
    parser.add_argument("--kbs-cert", default="", metavar="F", help="the broker's certificate")
    parser.add_argument("--admin-token-file", default="", metavar="F", help="the broker's admin")
    parser.add_argument("--yes", action="store_true", help="do it without asking")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Show the steps; do them when they are agreed to."""
    broker = None
    if arguments.kbs_url:
        broker = parse_broker(
            arguments.kbs_url,
            arguments.admin_token_file,
            arguments.kbs_cert,
            insecure=arguments.insecure,
        )
    place = Place(arguments.registry, arguments.insecure, broker)
    control = output.control()
    wanted = plan(Path(arguments.folder), place, control=control)
    _show(wanted, output)
    value = {"steps": [_json(step) for step in wanted.steps], "notes": list(wanted.notes)}
    if not (arguments.yes or _agreed(output)):
        output.line("Nothing was sent. Add --yes to do it.")
        output.value({**value, "published": False})
        return ExitStatus.DONE
    publish(wanted.steps, control=control, told=lambda step: output.line(f"Done: {step.sentence}"))
    output.line("Published: the registry has what the manifest pins.")
    output.value({**value, "published": True})
    return ExitStatus.DONE


def _show(wanted: Plan, output: Output) -> None:
    for number, step in enumerate(wanted.steps, 1):
        output.line(f"{number:3}. {step.sentence}")
        output.line(f"     {step.command}")
    output.lines(f"  ! {note}" for note in wanted.notes)


def _json(step: Step) -> dict[str, object]:
    return {"sentence": step.sentence, "command": step.command}


def _agreed(output: Output) -> bool:
    if output.as_json or not sys.stdin.isatty():
        return False
    print("Do these steps? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
