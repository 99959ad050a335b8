"""``kataui key backup``, ``restore`` and ``drill``."""

import argparse
from pathlib import Path

from kataui.cli import passphrase
from kataui.cli.keyverbs import as_json, describe
from kataui.cli.output import Output
from kataui.errors import ExitStatus, KeyProblem
from kataui.files import clean
from kataui.images.keybackup import Backup, backup
from kataui.images.keydrill import drill
from kataui.images.keyrestore import restore
from kataui.images.keys import AskPassphrase
from kataui.images.keysplit import parse_split

_SOURCES = "the backup file, its page, its typed lines, or cards and words of shares"


def add_arguments(parser: argparse.ArgumentParser, verb: str) -> None:
    """The arguments of one verb."""
    if verb == "backup":
        parser.add_argument("key", metavar="KEY", help="the private key file")
        parser.add_argument("--out", required=True, metavar="FILE", help="the backup; see below")
        parser.add_argument(
            "--split", metavar="K/N", help="also N shares of words, of which any K restore the key"
        )
        parser.epilog = (
            "Writes FILE, FILE.html to print, and with --split a card for each share. With --split "
            "and no passphrase file, only the shares open the backup."
        )
        parser.set_defaults(run=_backup)
    else:
        parser.add_argument("sources", nargs="+", metavar="FILE", help=_SOURCES)
        if verb == "restore":
            parser.add_argument("--out", required=True, metavar="KEYFILE", help="the key file")
            parser.set_defaults(run=_restore)
        else:
            parser.add_argument("--image", default="", metavar="REF", help="open a layer of it")
            parser.add_argument(
                "--key-passphrase-file", metavar="F", help="of the key itself, when it is locked"
            )
            parser.set_defaults(run=_drill)
    passphrase.add_arguments(parser)


def _backup(arguments: argparse.Namespace, output: Output) -> int:
    split = parse_split(arguments.split) if arguments.split else None
    secret = passphrase.given(arguments)
    if secret is None and split is None:
        missing = KeyProblem("A backup needs a passphrase.", hint="Use --passphrase-file F.")
        secret = passphrase.ask_new("Passphrase of the backup", missing)
    made = backup(Path(arguments.key), Path(arguments.out), passphrase=secret, split=split)
    output.lines(_told(made, with_passphrase=secret is not None))
    describe(made.info, output)
    output.line("Now rehearse it: kataui key drill with what was written.")
    output.value(
        {
            "file": str(made.file) if made.file else None,
            "page": str(made.page) if made.page else None,
            "shares": [str(card) for card in made.cards],
            "split": made.header.split or None,
            "passphrase": secret is not None,
            **as_json(made.info),
        }
    )
    return ExitStatus.DONE


def _told(made: Backup, *, with_passphrase: bool) -> list[str]:
    lines = []
    if made.file is not None and made.page is not None:
        lines.append(f"Backup   {clean(str(made.file))}")
        lines.append(f"Page     {clean(str(made.page))}  (print it)")
    lines += [f"Share    {clean(str(card))}" for card in made.cards]
    if not with_passphrase:
        needed, _, count = made.header.split.partition("/")
        lines.append(f"Opens    with any {needed} of the {count} shares, and nothing else")
    return lines


def _restore(arguments: argparse.Namespace, output: Output) -> int:
    paths = [Path(text) for text in arguments.sources]
    made = restore(paths, Path(arguments.out), passphrase.asker(arguments))
    was = f"(it was {made.name})" if made.name else ""
    output.line(f"Restored {clean(str(made.private))}  {was}")
    if made.public is not None:
        output.line(f"Public   {clean(str(made.public))}")
    describe(made.info, output)
    output.value(
        {
            "private": str(made.private),
            "public": str(made.public) if made.public else None,
            "name": made.name,
            **as_json(made.info),
        }
    )
    return ExitStatus.DONE


def _drill(arguments: argparse.Namespace, output: Output) -> int:
    done = drill(
        [Path(text) for text in arguments.sources],
        passphrase.asker(arguments),
        image=arguments.image,
        ask_key=_key_asker(arguments),
        control=output.control(),
    )
    output.line(f"Restored, used and removed again. {done.sentence}")
    describe(done.info, output)
    output.value({"restored": True, "sentence": done.sentence, **as_json(done.info)})
    return ExitStatus.DONE


def _key_asker(arguments: argparse.Namespace) -> AskPassphrase:
    """The passphrase of a locked key is another one than that of its backup."""
    path = arguments.key_passphrase_file
    if path:
        return lambda _: passphrase.read_file(path)
    return passphrase.prompt
