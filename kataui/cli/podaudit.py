"""``kataui pod audit``: every container of a pod, and what is not covered."""

import argparse
from pathlib import Path

from kataui.cli.output import STATUS_OF, Output
from kataui.files import clean
from kataui.images.signatures import load_public_keys
from kataui.pods.audit import NOT_KNOWN, audit
from kataui.pods.pulled import shelf_for
from kataui.pods.read import pods_of, read_path

_HEADER = ("CONTAINER", "KIND", "PINNED", "ENCRYPTED", "SIGNED", "IN POLICY", "IMAGE")
_YES = {True: "yes", False: "no", None: "-"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument(
        "file", metavar="FILE", help="a manifest, a folder of them, or a running pod's dump"
    )
    parser.add_argument("--images", metavar="DIR", help="a folder of layouts and archives")
    parser.add_argument("--pull", action="store_true", help="fetch by skopeo what is not there")
    parser.add_argument("--public-key", action="append", default=[], metavar="F")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Audit, and tell what cannot be known here as well."""
    control = output.control()
    keys = load_public_keys(arguments.public_key)
    documents = read_path(Path(arguments.file), control)
    containers = [one for pod in pods_of(documents) for one in pod.containers]
    folder = arguments.images or ""
    with shelf_for(containers, folder, pull=arguments.pull, control=control) as shelf:
        found = audit(documents, shelf, keys, control)
    output.verdict(found.verdict, found.sentence)
    output.line(f"      {found.scope}")
    output.table(
        _HEADER,
        [
            (
                clean(one.container.name, limit=40),
                one.container.kind.value,
                _YES[one.container.pinned],
                one.coverage.encrypted.value,
                one.coverage.signed.value,
                _YES[one.in_policy],
                clean(one.container.image, limit=120),
            )
            for one in found.containers
        ],
    )
    output.findings(found.findings)
    output.line("Not known from here:")
    output.lines(f"  - {text}" for text in NOT_KNOWN)
    output.value(found.as_json())
    return STATUS_OF[found.verdict]
