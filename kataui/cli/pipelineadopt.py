"""``kataui pipeline adopt``: a pipeline that exists, put on Kata."""

import argparse
from pathlib import Path

from kataui.cli.output import Output
from kataui.errors import ExitStatus, KatauiError
from kataui.files import clean
from kataui.findings import Severity
from kataui.pipelines.adopt.changes import Plan, with_needs
from kataui.pipelines.adopt.save import Saved, diff, plan_file, save
from kataui.pipelines.adopt.wish import DEFAULT_CLASS, Wish


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument("file", metavar="FILE", help="a manifest, values, a pipeline, config.toml")
    parser.add_argument("--runtime-class", default=DEFAULT_CLASS, metavar="C")
    parser.add_argument("--memory", default="2Gi", help="limit for what has a CPU limit alone")
    parser.add_argument("--only", action="append", metavar="ID", help="take this change, not all")
    act = parser.add_mutually_exclusive_group()
    act.add_argument("--write", action="store_true", help="change FILE; the old one is kept beside")
    act.add_argument("--diff", action="store_true", help="print what would change as a patch")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Tell the changes, print them as a patch, or make them."""
    path = Path(arguments.file)
    wish = Wish(arguments.runtime_class, arguments.memory)
    plan = plan_file(path, wish)
    chosen = _chosen(plan, arguments.only)
    patch = diff(plan, chosen)
    saved = save(plan, path, chosen) if arguments.write else None
    if arguments.diff:
        output.lines(patch.splitlines())
    else:
        _tell(output, plan, chosen, saved)
    output.value(
        {
            "system": plan.system,
            "changes": [
                {
                    "id": change.id,
                    "title": change.title,
                    "why": change.why,
                    "line": change.line,
                    "taken": change.id in chosen,
                }
                for change in plan.changes
            ],
            "diff": patch,
            "written": str(saved.path) if saved and saved.backup else None,
            "backup": str(saved.backup) if saved and saved.backup else None,
            "extras": [{"name": extra.name, "text": extra.text} for extra in plan.extras],
            "findings": [note.as_json() for note in plan.notes],
        }
    )
    failed = any(note.severity is Severity.ERROR for note in plan.notes)
    return ExitStatus.FAIL if failed else ExitStatus.DONE


def _chosen(plan: Plan, only: list[str] | None) -> frozenset[str]:
    if only is None:
        return plan.ids()
    unknown = sorted(set(only) - plan.ids())
    if unknown:
        raise KatauiError(
            f"There is no change {clean(unknown[0], limit=60)!r} in this file.",
            hint=f"There are: {', '.join(sorted(plan.ids())) or 'none'}.",
        )
    return with_needs(plan, frozenset(only))


def _tell(output: Output, plan: Plan, chosen: frozenset[str], saved: Saved | None) -> None:
    if not plan.changes:
        output.line(f"{plan.system}: nothing has to change for Kata.")
    for change in plan.changes:
        mark = "*" if change.id in chosen else " "
        output.line(f"  {mark} line {change.line:<5} {change.title}  [{change.id}]")
        output.line(f"    {'':<11}{change.why}")
    for extra in plan.extras:
        output.line(f"  + {extra.name} has to be applied too. {extra.why}")
    output.findings(plan.notes)
    if saved and saved.backup:
        output.line(f"Wrote {clean(str(saved.path))}; it was: {clean(str(saved.backup))}")
    elif plan.changes and saved is None:
        output.line("Nothing was written. Use --write to change the file, --diff for a patch.")
