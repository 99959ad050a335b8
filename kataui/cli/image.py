"""``kataui image``: its verbs, each in a module that is loaded when it is used."""

import argparse
from importlib import import_module

VERBS = {
    "inspect": "what an image is, and what can be read of it by anybody",
    "build": "make a new image",
    "encrypt": "encrypt layers",
    "decrypt": "decrypt layers",
    "recipients": "change who may decrypt; no layer is written",
    "sign": "sign a layout in place",
    "verify": "judge an image, with evidence",
    "protect": "encrypt, sign and prove in one act",
    "estimate": "tell what encrypting costs and leaves open",
    "compare": "hold two images against each other: does the same run?",
}


def add_parser(nouns: "argparse._SubParsersAction[argparse.ArgumentParser]", wanted: str) -> None:
    """Add the noun and its verbs; only the ``wanted`` verb's module is loaded, for speed."""
    noun = nouns.add_parser("image", help="protect, inspect and verify container images")
    verbs = noun.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name, text in VERBS.items():
        parser = verbs.add_parser(name, help=text, description=f"{text.capitalize()}.")
        parser.add_argument("--json", action="store_true", help="print one JSON document")
        if name == wanted:
            module = import_module(f"kataui.cli.image{name}")
            module.add_arguments(parser)
            parser.set_defaults(run=module.run)
