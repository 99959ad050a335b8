"""The command line: nouns and verbs (design, section 4)."""

import argparse
import json
import logging
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

import kataui
from kataui import logs
from kataui.cli import demo, doctor, image, isolation, key, pipeline, pod
from kataui.cli.demo import DemoOptions
from kataui.cli.output import Output
from kataui.errors import ExitStatus, KatauiError

log = logging.getLogger(__name__)


class _Parser(argparse.ArgumentParser):
    """An argument parser that speaks JSON when ``--json`` was asked for."""

    json_wanted = False

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments; exit status 2."""
        if _Parser.json_wanted:
            hint = f"See {self.prog} --help."
            print(json.dumps({"error": {"message": message, "hint": hint}}))
            sys.exit(ExitStatus.BAD_INPUT)
        super().error(message)


def parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    """The parser for ``argv``: all nouns and verbs, and the arguments of the one that is used."""
    _Parser.json_wanted = "--json" in argv
    top: argparse.ArgumentParser = _Parser(
        prog="kataui",
        description="Pipelines, confidential images and isolation for Kata Containers. "
        "Without a noun, kataui [FILE] opens the window.",
    )
    top.add_argument("--version", action="version", version=f"kataui {kataui.__version__}")
    nouns = top.add_subparsers(dest="noun", metavar="NOUN", required=True)
    noun, verb = [*argv[:2], "", ""][:2]
    image.add_parser(nouns, verb if noun == "image" else "")
    key.add_parser(nouns, verb if noun == "key" else "")
    isolation.add_parser(nouns, verb if noun == "isolation" else "")
    pipeline.add_parser(nouns, verb if noun == "pipeline" else "")
    pod.add_parser(nouns, verb if noun == "pod" else "")
    demo.add_parser(nouns)
    doctor.add_parser(nouns)
    return top


def main(argv: Sequence[str], *, start_demo: Callable[[DemoOptions], int] | None = None) -> int:
    """Run one command; gives the exit status of ``errors.ExitStatus``.

    ``start_demo`` shows the demo, which needs what the command line must not know. Results go to
    standard output, progress and problems to standard error; with ``--json`` standard output
    holds exactly one JSON document, whatever happens.
    """
    arguments = parser(argv).parse_args(argv)
    arguments.start_demo = start_demo
    logs.setup(to_stderr=False)
    output = Output(as_json=getattr(arguments, "json", False))
    try:
        return int(arguments.run(arguments, output))
    except KatauiError as error:
        log.info("%s %s: %s", arguments.noun, arguments.verb, error.message)
        output.problem(error)
        return int(error.exit_status)
    except KeyboardInterrupt:
        output.problem(KatauiError("Cancelled."))
        return int(ExitStatus.CANCELLED)
    except BrokenPipeError:
        raise
    except Exception as error:
        log.exception("internal error")
        hint = f"Please report it with the log file {logs.log_file()}."
        output.problem(KatauiError(f"kataui has a defect: {error!r:.200}.", hint=hint))
        return int(ExitStatus.NOT_POSSIBLE)
