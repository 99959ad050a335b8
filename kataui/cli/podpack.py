"""``kataui pod pack``: a prepared pod in one file, or in parts of a medium's size."""

import argparse
from pathlib import Path

from kataui.cli import passphrase
from kataui.cli.output import Output
from kataui.errors import ExitStatus
from kataui.files import clean, size_text
from kataui.images.cosignkey import load_signing_key
from kataui.pods.inventory import read_inventory
from kataui.pods.parcel import Packed, pack, part_size


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument("folder", metavar="DIR", help="a prepared pod; keys/ is never packed")
    parser.add_argument("--out", required=True, metavar="FILE", help="gets .kataui-parcel")
    parser.add_argument("--split", metavar="SIZE", help="parts for a medium: 700M, 4.7G")
    parser.add_argument("--have", metavar="INVENTORY", help="blobs that the far side has")
    parser.add_argument("--sign-key", metavar="F", help="a cosign key that signs the list")
    parser.add_argument("--force", action="store_true", help="replace what is there")
    passphrase.add_arguments(parser)


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Pack; parts that are there and right stay."""
    key = None
    if arguments.sign_key:
        key = load_signing_key(Path(arguments.sign_key), passphrase.asker(arguments))
    made = pack(
        Path(arguments.folder),
        Path(arguments.out),
        part_bytes=part_size(arguments.split) if arguments.split else None,
        have=read_inventory(Path(arguments.have)) if arguments.have else frozenset(),
        sign_key=key,
        force=arguments.force,
        control=output.control(),
    )
    output.lines(told(made))
    output.value(
        {
            "parts": [str(path) for path in made.parts],
            "kept": made.kept,
            "files": made.files,
            "size_bytes": made.size_bytes,
            "left_out": made.left_out,
            "left_out_bytes": made.left_out_bytes,
            "secret": list(made.secret),
            "signed": made.signed,
        }
    )
    return ExitStatus.DONE


def told(made: Packed) -> list[str]:
    """What was done, in lines."""
    what = f"Packed {made.files} files, {size_text(made.size_bytes)}."
    lines = [what, *(f"  {clean(str(path))}" for path in made.parts)]
    if made.kept:
        lines.append(f"{made.kept} of {len(made.parts)} were there and right.")
    if made.left_out:
        size = size_text(made.left_out_bytes)
        lines.append(f"Left out, for the far side has them: {made.left_out} blobs, {size}.")
    if made.secret:
        lines.append(f"Never packed, for it is secret: {', '.join(made.secret)}.")
    if not made.signed:
        lines.append("Not signed: nothing will prove who packed it (--sign-key).")
    return lines
