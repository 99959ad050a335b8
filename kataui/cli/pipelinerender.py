"""``kataui pipeline render``: a template with answers, written to a folder."""

import argparse
from pathlib import Path

from kataui.cli import pipelinecluster
from kataui.cli.output import Output
from kataui.cli.podsizes import json_sizes, told_sizes
from kataui.errors import DestinationProblem, ExitStatus, KatauiError
from kataui.files import clean
from kataui.findings import Finding, Severity
from kataui.pipelines import answersfile, catalogue, cluster, export
from kataui.pipelines.checks import DEFAULT, KUBERNETES_VERSIONS, Options, check_rendered
from kataui.pipelines.exportwrite import write
from kataui.pipelines.model import Kind, Parameter, Rendered, Template, Value
from kataui.pipelines.render import render
from kataui.pipelines.running import sizes_of

_YES, _NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument("id", metavar="ID", help="see kataui pipeline list")
    parser.add_argument("--answers", metavar="F", help="a file of answers, or a folder with one")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="given")
    parser.add_argument("--out", required=True, metavar="DIR", help="where the files are written")
    parser.add_argument("--kubernetes", default="", metavar="VERSION", help="what they are for")
    parser.add_argument("--context", default="", metavar="CONTEXT", help="of kubectl, for --apply")
    parser.add_argument("--yes", action="store_true", help="apply without being asked")
    act = parser.add_mutually_exclusive_group()
    act.add_argument("--force", action="store_true", help="write where both sides changed a line")
    act.add_argument("--diff", action="store_true", help="only print what would change, a patch")
    act.add_argument(
        "--apply", action="store_true", help="write, then show what a cluster says, ask, and apply"
    )


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Render, check, and write; hand edits in the folder are merged."""
    template = catalogue.load().get(arguments.id)
    values, kubernetes, notes = _answers(template, arguments)
    rendered = render(template, values, kubernetes=kubernetes)
    findings = check_rendered(rendered, Options(kubernetes))
    folder = Path(arguments.out)
    plan = export.plan(template, values, rendered, folder, kubernetes=kubernetes)
    for note in notes:
        output.line(f"  i {clean(note, limit=300)}")
    if arguments.diff:
        output.lines(plan.patch().splitlines())
    else:
        _refuse_conflicts(plan, force=arguments.force)
        write(plan)
        for file in plan.files:
            output.line(f"  {file.state.value:<9} {clean(file.path)}  {file.note}".rstrip())
        output.line(f"Wrote {clean(str(folder))}, checked for Kubernetes {kubernetes}")
    sizes = sizes_of(rendered)
    output.lines(told_sizes(sizes))
    output.findings(findings)
    applied = _applied(rendered, arguments, kubernetes, output) if arguments.apply else None
    document = _document(plan, findings, kubernetes, notes, written=not arguments.diff)
    output.value({**document, "pods": json_sizes(sizes), "applied": applied})
    failed = any(finding.severity is Severity.ERROR for finding in findings)
    return ExitStatus.FAIL if failed else ExitStatus.DONE


def _applied(
    rendered: Rendered, arguments: argparse.Namespace, kubernetes: str, output: Output
) -> list[str]:
    context = arguments.context or cluster.contexts()[0]
    if not context:
        raise KatauiError("kubectl has no current context.", hint="Name one with --context.")
    wanted = cluster.items_of(rendered)
    return pipelinecluster.apply(wanted, context, kubernetes, output, sure=arguments.yes)


def _document(
    plan: export.Plan,
    findings: list[Finding],
    kubernetes: str,
    notes: tuple[str, ...],
    *,
    written: bool,
) -> dict[str, object]:
    return {
        "folder": str(plan.folder),
        "kubernetes": kubernetes,
        "written": written,
        "files": [{"path": f.path, "state": f.state.value, "note": f.note} for f in plan.files],
        "patch": None if written else plan.patch(),
        "notes": list(notes),
        "findings": [finding.as_json() for finding in findings],
    }


def _refuse_conflicts(plan: export.Plan, *, force: bool) -> None:
    if plan.conflicts and not force:
        names = ", ".join(clean(file.path) for file in plan.conflicts)
        raise DestinationProblem(
            f"{names}: you and the template changed the same lines.",
            hint="Nothing was written. --diff shows it; --force writes both, marked.",
        )


def _answers(
    template: Template, arguments: argparse.Namespace
) -> tuple[dict[str, Value], str, tuple[str, ...]]:
    values: dict[str, Value] = {}
    notes: tuple[str, ...] = ()
    kubernetes = ""
    if arguments.answers:
        kept = answersfile.read_file(Path(arguments.answers))
        fitted = answersfile.fit(template, kept)
        values, notes, kubernetes = dict(fitted.values), fitted.notes, kept.kubernetes
    for text in arguments.given:
        name, equals, value = text.partition("=")
        parameter = template.parameter(name)
        if not equals or parameter is None:
            names = ", ".join(one.name for one in template.parameters)
            raise KatauiError(f"--set {clean(text, limit=80)}: no such answer.", hint=names)
        values[name] = value_of(parameter, value)
    wanted = arguments.kubernetes or kubernetes or DEFAULT
    if wanted not in KUBERNETES_VERSIONS:
        known = ", ".join(KUBERNETES_VERSIONS)
        raise KatauiError(
            f"Kubernetes {clean(wanted, limit=20)} is not known here.", hint=f"Known: {known}."
        )
    return values, wanted, notes


def value_of(parameter: Parameter, text: str) -> Value:
    """What a text on the command line means: lists by commas, pairs as NAME=VALUE by commas."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if parameter.kind is Kind.LIST:
        return parts
    if parameter.kind is Kind.MAP:
        return {name: value for name, _, value in (part.partition("=") for part in parts)}
    if parameter.kind is Kind.INTEGER and text.lstrip("-").isdecimal():
        return int(text)
    if parameter.kind is Kind.SWITCH and text.lower() in (*_YES, *_NO):
        return text.lower() in _YES
    return text
