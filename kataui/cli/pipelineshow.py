"""``kataui pipeline show``: one template and its questions."""

import argparse
import json

from kataui.cli.output import Output
from kataui.errors import ExitStatus
from kataui.pipelines import catalogue
from kataui.pipelines.model import Parameter


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument("id", metavar="ID", help="see kataui pipeline list")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Tell what the template is, and each parameter with its default and its help."""
    template = catalogue.load().get(arguments.id)
    output.line(f"{template.title}  ({template.system}, version {template.version})")
    output.line(template.why)
    output.line(template.summary)
    group = ""
    for parameter in template.parameters:
        if parameter.group != group:
            group = parameter.group
            output.line()
            output.line(group)
        output.line(f"  {parameter.name:<20} {parameter.title}  [{_default(parameter)}]")
        output.line(f"  {'':<20} {parameter.help}")
    output.value(
        {
            "id": template.id,
            "title": template.title,
            "system": template.system,
            "version": template.version,
            "why": template.why,
            "summary": template.summary,
            "kubernetes": template.kubernetes,
            "parameters": [_as_json(parameter) for parameter in template.parameters],
        }
    )
    return ExitStatus.DONE


def _default(parameter: Parameter) -> str:
    if parameter.default in ("", [], {}) and parameter.required:
        return "has to be given"
    return json.dumps(parameter.default, ensure_ascii=False)


def _as_json(parameter: Parameter) -> dict[str, object]:
    return {
        "name": parameter.name,
        "title": parameter.title,
        "kind": parameter.kind.value,
        "default": parameter.default,
        "required": parameter.required,
        "choices": [choice.value for choice in parameter.choices],
        "group": parameter.group,
        "help": parameter.help,
        "show_if": {name: list(values) for name, values in parameter.show_if.items()},
    }
