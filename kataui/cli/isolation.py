"""``kataui isolation``: its verbs, each in a module that is loaded when it is used."""

import argparse
from importlib import import_module

VERBS = {
    "sandboxes": "the sandboxes of a host, with their threads and roles",
    "watch": "who waits, live",
    "record": "keep the stream in a file",
    "mark": "name this moment in all recordings that are running",
    "report": "judge a recording",
    "compare": "measure a change: A before, B after",
    "check": "look at the host's settings",
    "redact": "a copy of a recording without names",
}


def add_parser(nouns: "argparse._SubParsersAction[argparse.ArgumentParser]", wanted: str) -> None:
    """Add the noun and its verbs; only the ``wanted`` verb's module is loaded, for speed."""
    noun = nouns.add_parser("isolation", help="see who hurts whom on a Kata host")
    verbs = noun.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name, text in VERBS.items():
        parser = verbs.add_parser(name, help=text, description=f"{text.capitalize()}.")
        parser.add_argument("--json", action="store_true", help="print JSON")
        if name == wanted:
            module = import_module(f"kataui.cli.isolation{name}")
            module.add_arguments(parser)
            parser.set_defaults(run=module.run)
