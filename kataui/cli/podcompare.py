"""``kataui pod compare``: hold what runs against a lock."""

import argparse
from pathlib import Path

from kataui.cli.output import STATUS_OF, Output
from kataui.images.signatures import load_public_keys
from kataui.pods.compare import compare
from kataui.pods.lock import check_signature, read_lock
from kataui.pods.read import pods_of, read_path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument("lock", metavar="LOCK", help="made by kataui pod lock")
    parser.add_argument("file", metavar="FILE", help="kubectl get pod NAME -o yaml, or a manifest")
    parser.add_argument("--public-key", action="append", default=[], metavar="F")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Compare; any difference is fail."""
    path = Path(arguments.lock)
    lock = read_lock(path)
    keys = load_public_keys(arguments.public_key)
    pods = pods_of(read_path(Path(arguments.file), output.control()))
    found = compare(lock, pods, check_signature(lock, path, keys))
    output.verdict(found.verdict, found.sentence)
    output.findings(found.findings)
    output.value(found.as_json())
    return STATUS_OF[found.verdict]
