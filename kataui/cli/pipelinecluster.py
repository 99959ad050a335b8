"""What ``pipeline check --context`` and ``pipeline render --apply`` ask of a cluster."""

import argparse
import sys
from collections.abc import Sequence

from kataui.cli.output import Output
from kataui.errors import KatauiError, NotPossibleHere
from kataui.files import clean
from kataui.findings import Finding, Severity
from kataui.pipelines import cluster

_TYPE = "yes"


def add_context(parser: argparse.ArgumentParser) -> None:
    """``--context``."""
    parser.add_argument(
        "--context",
        metavar="CONTEXT",
        help="ask this cluster of kubectl, too: runtime classes and a server-side dry run",
    )


def findings_of(
    wanted: Sequence[cluster.Item], context: str, kubernetes: str, output: Output
) -> list[Finding]:
    """What the cluster says of the objects; nothing is changed there."""
    control = output.control()
    found = cluster.look(context, control)
    tried = cluster.try_out(wanted, context, control)
    return cluster.findings(found, tried, checked_for=kubernetes)


def apply(
    wanted: Sequence[cluster.Item], context: str, kubernetes: str, output: Output, *, sure: bool
) -> list[str]:
    """Try the objects, show what would change, ask, apply; gives what kubectl said.

    Raises ``KatauiError`` when one is refused, before anything is changed.
    """
    if not wanted:
        raise KatauiError("No file of this template is for kubectl.", hint="See its README.md.")
    control = output.control()
    found = cluster.look(context, control)
    tried = cluster.try_out(wanted, context, control)
    for one in tried:
        output.line(f"  {cluster.word_of(one):<10} {one.item.subject}")
        output.lines(one.difference.splitlines())
    findings = cluster.findings(found, tried, checked_for=kubernetes)
    output.findings(findings)
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        raise KatauiError(
            f"{clean(context)} would refuse {len(errors)} of {len(wanted)} objects.",
            hint="Nothing was changed there. The files were written.",
        )
    if not sure:
        _ask(f"Apply {len(wanted)} objects to {clean(context)} ({found.version})?")
    said = cluster.apply(wanted, context, control)
    output.lines(said)
    return said


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        raise NotPossibleHere(
            f"{question} There is no terminal to ask.", hint="--yes answers it beforehand."
        )
    print(f"{question} Type {_TYPE}: ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip() != _TYPE:
        raise KatauiError("Nothing was changed there.", hint="The files were written.")
