"""``kataui pod unpack``: a parcel verified on arrival; and what this side has, for the next one."""

import argparse
from pathlib import Path

from kataui.cli.output import STATUS_OF, Output
from kataui.errors import ExitStatus, KatauiError
from kataui.files import clean, is_there, write_new
from kataui.images.signatures import load_public_keys
from kataui.pods.arrival import NOT_CHECKED, Arrival, ArrivalFailed
from kataui.pods.inventory import make_inventory
from kataui.pods.parcelread import PartsWanted, unpack


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument("parts", metavar="FILE", nargs="*", help="the parcel, or any of its parts")
    parser.add_argument("--out", default="", metavar="DIR", help="a new folder")
    parser.add_argument("--public-key", action="append", default=[], metavar="F")
    parser.add_argument(
        "--from",
        dest="have",
        action="append",
        default=[],
        metavar="DIR",
        help="layouts that are here, for blobs that were left out",
    )
    parser.add_argument(
        "--inventory", default="", metavar="FILE", help="write which blobs are here, for pack"
    )


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Unpack, or write an inventory, or both."""
    _check(arguments)
    status: int = ExitStatus.DONE
    value: dict[str, object] = {}
    folders = [Path(text) for text in arguments.have]
    if arguments.parts:
        try:
            made = unpack(
                [Path(text) for text in arguments.parts],
                Path(arguments.out),
                public_keys=load_public_keys(arguments.public_key),
                have=folders,
                control=output.control(),
            )
        except PartsWanted as error:
            return _wanted(error, output)
        except ArrivalFailed as error:
            _tell(error.arrival, output)
            output.value({**error.arrival.as_json(), "out": None})
            return ExitStatus.FAIL
        _tell(made.arrival, output)
        output.line(f"Unpacked into {clean(str(made.out))}; arrival.html tells it.")
        value = {**made.arrival.as_json(), "out": str(made.out)}
        status = STATUS_OF[made.arrival.verdict]
        folders.append(made.out)
    if arguments.inventory:
        data = make_inventory(folders, output.control())
        write_new(Path(arguments.inventory), data)
        output.line(f"{clean(arguments.inventory)}: what is here, for kataui pod pack --have.")
        value["inventory"] = arguments.inventory
    output.value(value)
    return status


def _check(arguments: argparse.Namespace) -> None:
    if arguments.parts and not arguments.out:
        raise KatauiError("Name the folder to unpack into.", hint="Use --out DIR.")
    if arguments.inventory and not (arguments.parts or arguments.have):
        raise KatauiError("Name the folders whose blobs are here.", hint="Use --from DIR.")
    if not (arguments.parts or arguments.inventory):
        raise KatauiError("Name a parcel.", hint="Or write what is here: --inventory FILE.")
    if arguments.inventory and is_there(arguments.inventory):
        raise KatauiError(f"{clean(arguments.inventory)} is there already.")


def _wanted(error: PartsWanted, output: Output) -> int:
    """As every error, and the numbers of the parts for scripts."""
    if output.as_json:
        told = {"message": error.message, "hint": error.hint}
        output.value({"error": told, "parts": list(error.parts)})
    else:
        output.problem(error)
    return int(error.exit_status)


def _tell(found: Arrival, output: Output) -> None:
    output.verdict(found.verdict, found.sentence)
    output.findings(found.findings)
    output.line("Not checked:")
    output.lines(f"  - {text}" for text in NOT_CHECKED)
