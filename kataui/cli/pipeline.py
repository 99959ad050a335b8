"""``kataui pipeline``: its verbs, each in a module that is loaded when it is used."""

import argparse
from importlib import import_module

VERBS = {
    "list": "the templates that there are",
    "show": "what a template is and asks",
    "render": "fill a template and write its files",
    "check": "check manifests, values and pipelines",
    "adopt": "put a pipeline that exists on Kata",
}


def add_parser(nouns: "argparse._SubParsersAction[argparse.ArgumentParser]", wanted: str) -> None:
    """Add the noun and its verbs; only the ``wanted`` verb's module is loaded, for speed."""
    noun = nouns.add_parser("pipeline", help="CI/CD pipelines on Kata: templates and checks")
    verbs = noun.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name, text in VERBS.items():
        parser = verbs.add_parser(name, help=text, description=f"{text.capitalize()}.")
        parser.add_argument("--json", action="store_true", help="print one JSON document")
        if name == wanted:
            module = import_module(f"kataui.cli.pipeline{name}")
            module.add_arguments(parser)
            parser.set_defaults(run=module.run)
