"""``kataui pod``: its verbs, each in a module that is loaded when it is used."""

import argparse
from importlib import import_module

VERBS = {
    "audit": "tell what a pod runs and what is not covered",
    "lock": "write down exactly what runs",
    "compare": "hold what runs against a lock",
    "prepare": "protect every image of a pod, and write all that belongs to it",
    "capacity": "tell how many confidential pods fit on a host",
    "pack": "pack a prepared pod to be carried to another machine",
    "unpack": "unpack a parcel, and verify what arrived",
    "publish": "push a prepared pod, and give its keys to the key broker",
}


def add_parser(nouns: "argparse._SubParsersAction[argparse.ArgumentParser]", wanted: str) -> None:
    """Add the noun and its verbs; only the ``wanted`` verb's module is loaded, for speed."""
    noun = nouns.add_parser("pod", help="pods: every container, covered or not")
    verbs = noun.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name, text in VERBS.items():
        parser = verbs.add_parser(name, help=text, description=f"{text.capitalize()}.")
        parser.add_argument("--json", action="store_true", help="print one JSON document")
        if name == wanted:
            module = import_module(f"kataui.cli.pod{name}")
            module.add_arguments(parser)
            parser.set_defaults(run=module.run)
