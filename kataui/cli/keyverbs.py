"""``kataui key new``, ``show`` and ``passphrase``."""

import argparse
import contextlib
from collections.abc import Iterator
from pathlib import Path

from kataui import settings
from kataui.cli import passphrase
from kataui.cli.output import Output
from kataui.errors import ExitStatus, KatauiError, KeyProblem
from kataui.files import clean
from kataui.images import keystate
from kataui.images.cosignkey import change_passphrase
from kataui.images.keymaking import ALGORITHMS, KINDS, KeyInfo, describe_key, new_key
from kataui.images.keys import load_keys
from kataui.images.opens import opens_layers


def add_arguments(parser: argparse.ArgumentParser, verb: str) -> None:
    """The arguments of one verb."""
    if verb == "new":
        parser.add_argument("kind", choices=KINDS)
        parser.add_argument("prefix", metavar="PREFIX", help="writes PREFIX.key and .pub or .crt")
        parser.add_argument("--kind", dest="algorithm", choices=ALGORITHMS, default="")
        parser.set_defaults(run=_new)
    elif verb == "show":
        parser.add_argument("file", metavar="FILE")
        parser.add_argument(
            "--image",
            action="append",
            default=[],
            metavar="REF",
            help="does it open this image? (default: those that the window opened lately)",
        )
        parser.set_defaults(run=_show)
    else:
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--new-passphrase-file", metavar="F", help="the new one")
        parser.set_defaults(run=_passphrase)
    passphrase.add_arguments(parser)


def _new(arguments: argparse.Namespace, output: Output) -> int:
    secret = passphrase.given(arguments)
    if arguments.kind == "cosign" and secret is None:
        secret = passphrase.from_environment()
        if secret is None:
            secret = _ask_twice()
    made = new_key(
        arguments.kind,
        Path(arguments.prefix),
        algorithm=arguments.algorithm,
        passphrase=secret or "",
    )
    keystate.note_key(describe_key(made.private))
    output.line(f"Private  {clean(str(made.private))}  (keep it to yourself; kataui key backup)")
    if made.public is not None:
        output.line(f"Public   {clean(str(made.public))}")
    describe(made.info, output)
    output.value(
        {
            "private": str(made.private),
            "public": str(made.public) if made.public else None,
            **as_json(made.info),
        }
    )
    return ExitStatus.DONE


def _ask_twice() -> str:
    missing = KeyProblem(
        "A cosign key needs a passphrase, which may be empty.",
        hint="Use --passphrase-file F (an empty file for none) or COSIGN_PASSWORD.",
    )
    return passphrase.ask_new("New passphrase (empty for none)", missing)


def describe(info: KeyInfo, output: Output) -> None:
    """Print what a key is."""
    output.line(f"Kind     {info.kind}, {info.algorithm}{', locked' if info.locked else ''}")
    if info.fingerprint is not None:
        output.line(f"Words    {info.fingerprint.words}")
        output.line(f"SHA-256  {info.fingerprint.hex}")
    if info.private and info.readable_by_others:
        output.line("Warning  others on this machine can read this private key (chmod 600 it)")


def as_json(info: KeyInfo) -> dict[str, object]:
    """The same for programs."""
    mark = info.fingerprint
    return {
        "kind": info.kind,
        "algorithm": info.algorithm,
        "is_private": info.private,
        "locked": info.locked,
        "fingerprint": {"hex": mark.hex, "words": mark.words} if mark else None,
        "readable_by_others": info.readable_by_others,
    }


def _show(arguments: argparse.Namespace, output: Output) -> int:
    info = describe_key(Path(arguments.file))
    keystate.note_key(info)
    describe(info, output)
    state = _state(info)
    if state:
        output.line(f"Backup   {state}")
    opened = []
    for reference, count, total in _opened(arguments, info):
        output.line(f"Opens    {count} of {total} encrypted layers of {clean(reference)}")
        opened.append({"image": reference, "opened": count, "encrypted": total})
    output.value({**as_json(info), "backup": state, "images": opened})
    return ExitStatus.DONE


def _state(info: KeyInfo) -> str:
    """The state of a private key's backup; empty for what needs none, or is locked."""
    mark = info.fingerprint.hex if info.fingerprint and info.private else ""
    for record in keystate.load():
        if record.fingerprint == mark:
            day = record.restored.partition("T")[0]
            return f"{record.state.value} {day}".strip()
    return ""


def _opened(arguments: argparse.Namespace, info: KeyInfo) -> Iterator[tuple[str, int, int]]:
    """Each image with the number of layers that the key opens, and of those encrypted.

    Of the images that kataui knows by itself those are told that have encrypted layers now.
    """
    if arguments.image:
        ring = load_keys((arguments.file,), passphrase.asker(arguments))
        for reference in arguments.image:
            yield reference, *opens_layers(reference, ring)
    elif info.private and not info.locked:
        ring = load_keys((arguments.file,), lambda _: None)
        for item in settings.load().recent:
            with contextlib.suppress(KatauiError):
                count, total = opens_layers(item.path, ring) if item.kind == "image" else (0, 0)
                if total:
                    yield item.path, count, total


def _passphrase(arguments: argparse.Namespace, output: Output) -> int:
    path = Path(arguments.file)
    old = passphrase.asker(arguments)(f"Old passphrase of {clean(path.name)}")
    if old is None:
        raise KeyProblem("The old passphrase is missing.", hint="Use --passphrase-file F.")
    if arguments.new_passphrase_file:
        new = passphrase.read_file(arguments.new_passphrase_file)
    else:
        new = _ask_twice()
    change_passphrase(path, old, new)
    output.line(f"Changed the passphrase of {clean(str(path))}")
    output.value({"file": str(path)})
    return ExitStatus.DONE
