"""``kataui isolation check``: the host's settings against good practice."""

import argparse
import time

from kataui.cli.arguments import number
from kataui.cli.isolationsource import add_arguments as add_source
from kataui.cli.isolationsource import chosen, feed
from kataui.cli.output import Output
from kataui.errors import ExitStatus, KatauiError
from kataui.findings import Finding, Severity
from kataui.isolation.analysis import Analysis
from kataui.isolation.checks.all import findings_of, run_all
from kataui.isolation.checks.check import Checked, Scene
from kataui.isolation.sources.feed import Line

_SECONDS = 12.0  # the window of the measures, and the slower tables


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    add_source(parser, rate=False)
    parser.add_argument("--seconds", type=number, default=_SECONDS, help="how long to measure")
    parser.add_argument("--all", action="store_true", help="list what could not be checked, too")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Measure for some seconds, then look at everything; 1 when there is an error."""
    analysis = Analysis()
    begin_s = time.monotonic()
    with feed(chosen(arguments)) as source:
        while time.monotonic() - begin_s < arguments.seconds or analysis.last is None:
            for record in source.read(0.2):
                analysis.take(record)
            if source.state.line is Line.ENDED:
                break
    if analysis.last is None:
        raise KatauiError("The source holds no sample.")
    view = analysis.layout.view
    outcomes = run_all(Scene(view, analysis.counters.span(60.0)))
    findings = findings_of(outcomes)
    _show(view.name, outcomes, findings, output, everything=arguments.all)
    output.value(
        {
            "host": view.name,
            "sandboxes": len(view.sandboxes),
            "passed": sum(outcome.passed for outcome in outcomes),
            "findings": [finding.as_json() for finding in findings],
        }
    )
    failed = any(f.severity is Severity.ERROR for f in findings if f.checked)
    return ExitStatus.FAIL if failed else ExitStatus.DONE


def _show(
    name: str, outcomes: list[Checked], findings: list[Finding], output: Output, *, everything: bool
) -> None:
    unknown = [finding for finding in findings if not finding.checked]
    shown = findings if everything else [f for f in findings if f.checked]
    passed = sum(outcome.passed for outcome in outcomes)
    output.findings(shown)
    output.line(
        f"{name}: {passed} passed, {len(findings) - len(unknown)} found, "
        f"{len(unknown)} could not be checked{'' if everything else ' (--all lists them)'}."
    )
