"""``kataui isolation report``: a recording judged, as text, JSON or one HTML file."""

import argparse
from pathlib import Path
from typing import Any

from kataui.cli.output import STATUS_OF, Output
from kataui.errors import KatauiError
from kataui.files import clean, replace_file, write_new
from kataui.isolation.accuse import percent
from kataui.isolation.checks.all import findings_of, run_all
from kataui.isolation.checks.check import Scene
from kataui.isolation.player import Player
from kataui.isolation.recording import Recording
from kataui.isolation.report import page
from kataui.isolation.summary import Summary, summarize


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument("file", metavar="FILE", help="a recording")
    parser.add_argument("--html", default="", metavar="F", help="write the report as one file")
    parser.add_argument("--force", action="store_true", help="replace the HTML file")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Judge a recording at its worst; the exit status is that of the verdict."""
    path = Path(arguments.file)
    recording = Recording(path)
    player = Player(recording)
    control = output.control()
    length_us = max(1, player.end_us - player.begin_us)

    def on_time(at_us: int) -> None:
        control.report(f"Judging, {100 * (at_us - player.begin_us) // length_us} %", 0, 0)

    summary = summarize(player, on_time=on_time)
    if summary is None:
        raise KatauiError(f"{clean(str(path))} is too short to judge.")
    outcomes = run_all(Scene(summary.worst.view, summary.worst.span))
    findings = findings_of(outcomes)
    if arguments.html:
        history = player.analysis.history
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
