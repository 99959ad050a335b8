"""``kataui isolation report``: a recording judged, as text, JSON or one HTML file."""

import argparse
from pathlib import Path
from typing import Any

from kataui.cli.output import STATUS_OF, Output
from kataui.files import replace_file, write_new
from kataui.isolation.accuse import percent
from kataui.isolation.recording import Recording
from kataui.isolation.report import page
from kataui.isolation.reporting import judge
from kataui.isolation.summary import Summary


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument("file", metavar="FILE", help="a recording")
    parser.add_argument("--html", default="", metavar="F", help="write the report as one file")
    parser.add_argument("--force", action="store_true", help="replace the HTML file")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Judge a recording at its worst; the exit status is that of the verdict."""
    path = Path(arguments.file)
    with Recording(path) as recording:
        summary, findings, history = judge(recording, output.control())
        if arguments.html:
            text = page(summary, findings, recording, history=history, name=path.name).encode()
            (replace_file if arguments.force else write_new)(Path(arguments.html), text)
    _show(summary, output)
    output.findings(finding for finding in findings if finding.checked)
    if recording.cut:
        output.line("The end of this recording is missing; everything before it was read.")
    output.value(_document(summary, [finding.as_json() for finding in findings]))
    return STATUS_OF[summary.verdict]


def _show(summary: Summary, output: Output) -> None:
    output.verdict(summary.verdict, summary.judgement.sentence)
    output.line(f"  {summary.judgement.scope}")
    rows = []
    for item in summary.sandboxes:
        worst = item.blame[0] if item.blame else ("", 0.0, 0.0)
        rows.append(
            [
                item.sandbox.name,
                "-" if item.points is None else f"{item.points:.0f}",
                percent(item.coverage),
                "-" if item.waits is None else percent(item.waits),
                f"{worst[0]} ({percent(worst[1])})" if worst[0] else "nobody",
            ]
        )
    if rows:
        output.table(["SANDBOX", "SCORE", "COVERAGE", "WAITS", "BECAUSE OF"], rows)


def _document(summary: Summary, findings: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "verdict": summary.verdict.value,
        "sentence": summary.judgement.sentence,
        "scope": summary.judgement.scope,
        "sandboxes": [item.as_json() for item in summary.sandboxes],
        "findings": findings,
    }
