"""``kataui key``: its verbs; what they need is loaded when one of them is used."""

import argparse
from importlib import import_module

VERBS = {
    "new": "make a key; nothing is overwritten",
    "show": "kind, size, fingerprint, and what it opens",
    "passphrase": "change the passphrase of a cosign key",
    "backup": "write an encrypted backup, a page to print, and shares",
    "restore": "write a key again, from its backup or its shares",
    "drill": "restore a key into a scratch place and use it once",
    "rotate": "exchange a key in a folder of images; no layer is written",
}
_MODULES = {
    "backup": "keybackup",
    "restore": "keybackup",
    "drill": "keybackup",
    "rotate": "keyrotate",
}


def add_parser(nouns: "argparse._SubParsersAction[argparse.ArgumentParser]", wanted: str) -> None:
    """Add the noun and its verbs; ``wanted`` is the verb that is used."""
    noun = nouns.add_parser("key", help="make, show, back up and exchange keys")
    verbs = noun.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name, text in VERBS.items():
        parser = verbs.add_parser(name, help=text, description=f"{text.capitalize()}.")
        parser.add_argument("--json", action="store_true", help="print one JSON document")
        if name == wanted:
            module = import_module(f"kataui.cli.{_MODULES.get(name, 'keyverbs')}")
            module.add_arguments(parser, name)
