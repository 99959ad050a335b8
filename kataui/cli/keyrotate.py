"""``kataui key rotate``: another key for a folder of images; only manifests are written."""

import argparse
from pathlib import Path

from kataui.cli import passphrase
from kataui.cli.output import Output
from kataui.errors import ExitStatus
from kataui.files import clean
from kataui.images.cosignkey import load_signing_key
from kataui.images.keyrotate import Exchange, Outcome, Rotated, rotate
from kataui.images.keys import load_keys
from kataui.images.recipients import parse_recipient


def add_arguments(parser: argparse.ArgumentParser, _: str) -> None:
    """The arguments."""
    parser.add_argument("folder", metavar="DIR", help="a folder of OCI layout folders")
    parser.add_argument(
        "--key", action="append", required=True, metavar="OLD", help="the old private key"
    )
    parser.add_argument(
        "--add", action="append", required=True, metavar="R", help="a recipient in its place"
    )
    parser.add_argument(
        "--remove", action="append", default=[], metavar="R", help="who goes (default: OLD)"
    )
    parser.add_argument(
        "--sign-key", metavar="F", help="sign again what this key had signed, for the same name"
    )
    parser.add_argument("--dry-run", action="store_true", help="tell only, write nothing")
    passphrase.add_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Run the verb; gives the exit status."""
    ask = passphrase.asker(arguments)
    exchange = Exchange(
        load_keys(tuple(arguments.key), ask),
        tuple(parse_recipient(text) for text in arguments.add),
        tuple(arguments.remove),
        load_signing_key(Path(arguments.sign_key), ask) if arguments.sign_key else None,
    )
    done = rotate(
        Path(arguments.folder), exchange, dry_run=arguments.dry_run, control=output.control()
    )
    rows = [(one.outcome.value, clean(one.reference), _words(one)) for one in done]
    output.table(("", "image", ""), rows)
    findings = {item.id: item for one in done for item in one.findings}
    output.findings(findings.values())
    output.value(
        {
            "dry_run": arguments.dry_run,
            "images": [_as_json(one) for one in done],
            "findings": [item.as_json() for item in findings.values()],
        }
    )
    return _status(done)


def _words(one: Rotated) -> str:
    signed = f" Signed again for {clean(one.identity)}." if one.identity else ""
    return f"{one.sentence}{signed}"


def _as_json(one: Rotated) -> dict[str, object]:
    return {
        "image": one.reference,
        "outcome": one.outcome.value,
        "sentence": one.sentence,
        "digest": one.digest or None,
        "signed_for": one.identity or None,
    }


def _status(done: tuple[Rotated, ...]) -> ExitStatus:
    """One failure is a failure; a key that opens no image at all is the wrong one."""
    outcomes = {one.outcome for one in done}
    if Outcome.FAILED in outcomes:
        return ExitStatus.FAIL
    return ExitStatus.NOT_POSSIBLE if outcomes == {Outcome.SKIPPED} else ExitStatus.DONE
