"""``kataui pipeline check``: manifests, values and pipelines against schemas and Kata's rules."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from kataui.cli import pipelinecluster
from kataui.cli.output import Output, json_text
from kataui.cli.pipelinecluster import findings_of
from kataui.cli.podsizes import json_sizes, told_sizes
from kataui.errors import ExitStatus, KatauiError
from kataui.files import clean
from kataui.findings import Severity, by_severity
from kataui.kata.manifest import MAX_BYTES
from kataui.pipelines.checkpaths import Report, check_paths, documents_in
from kataui.pipelines.checks import DEFAULT, Options
from kataui.pipelines.cluster import items
from kataui.pipelines.crds import kept
from kataui.pipelines.running import PodSize, pod_sizes
from kataui.pipelines.sarif import sarif

_STDIN = "-"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument(
        "paths", metavar="PATH", nargs="+", help="files, folders of them, or - for standard input"
    )
    parser.add_argument("--kubernetes", default=DEFAULT, metavar="VERSION")
    parser.add_argument("--crds", action="append", default=[], metavar="DIR", help="CRDs to know")
    parser.add_argument("--sarif", action="store_true", help="print SARIF 2.1.0")
    parser.add_argument("--pods", action="store_true", help="tell what each pod boots, too")
    pipelinecluster.add_context(parser)


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Check, and tell what was found and what could not be checked."""
    if arguments.json and arguments.sarif:
        raise KatauiError("--json and --sarif: only one document goes to standard output.")
    named = (Path(text) for text in arguments.crds)
    options = Options(arguments.kubernetes, (*kept(), *named))
    paths = [Path(text) for text in arguments.paths if text != _STDIN]
    given = {"stdin": _standard_input()} if _STDIN in arguments.paths else {}
    report = check_paths(paths, options, output.control(), given=given)
    looked = arguments.pods or arguments.context is not None
    documents = tuple(documents_in(paths, output.control(), given=given)) if looked else ()
    if arguments.context is not None:
        wanted = items(documents)
        said = findings_of(wanted, arguments.context, options.kubernetes, output)
        report = replace(report, findings=tuple(by_severity((*report.findings, *said))))
    if arguments.sarif:
        print(json_text(sarif(report.findings)))
    else:
        sizes = pod_sizes(documents) if arguments.pods else ()
        output.lines(told_sizes(sizes))
        _tell(report, options, output, sizes)
    failed = any(finding.severity is Severity.ERROR for finding in report.findings)
    return ExitStatus.FAIL if failed else ExitStatus.DONE


def _standard_input() -> bytes:
    data = sys.stdin.buffer.read(MAX_BYTES + 1) if sys.stdin is not None else b""
    if not data.strip():
        hint = (
            "Did the command before it fail? As in: helm template CHART | kataui pipeline check -"
        )
        raise KatauiError("Nothing came on standard input.", hint=hint)
    return data


def _tell(report: Report, options: Options, output: Output, sizes: Sequence[PodSize]) -> None:
    for finding in report.findings:
        place = finding.location
        if place is not None:
            output.line(f"{clean(place.file)}:{place.line or 1}  {finding.subject}")
        output.findings([finding])
    counts = {
        severity: sum(one.severity is severity and one.checked for one in report.findings)
        for severity in Severity
    }
    output.line(
        f"{report.documents} documents in {report.files} files: "
        f"{counts[Severity.ERROR]} errors, {counts[Severity.WARNING]} warnings, "
        f"{report.unchecked} without a schema here. Kubernetes {options.kubernetes}."
    )
    output.value(
        {
            "files": report.files,
            "documents": report.documents,
            "unchecked": report.unchecked,
            "kubernetes": options.kubernetes,
            "pods": json_sizes(sizes),
            "findings": [finding.as_json() for finding in report.findings],
        }
    )
