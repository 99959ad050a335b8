"""``kataui key``: its verbs; what they need is loaded when one of them is used."""

import argparse

VERBS = {
    "new": "make a key; nothing is overwritten",
    "show": "kind, size, fingerprint, and what it opens",
    "passphrase": "change the passphrase of a cosign key",
}


def add_parser(nouns: "argparse._SubParsersAction[argparse.ArgumentParser]", wanted: str) -> None:
    """Add the noun and its verbs; ``wanted`` is the verb that is used."""
    noun = nouns.add_parser("key", help="make and show keys")
    verbs = noun.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name, text in VERBS.items():
        parser = verbs.add_parser(name, help=text, description=f"{text.capitalize()}.")
        parser.add_argument("--json", action="store_true", help="print one JSON document")
        if name == wanted:
            from kataui.cli import keyverbs  # noqa: PLC0415 - the others need not wait for it

            keyverbs.add_arguments(parser, name)
