"""``kataui pod lock``: write down exactly what runs, and sign it."""

import argparse
from pathlib import Path

from kataui.cli import passphrase
from kataui.cli.output import Output
from kataui.errors import ExitStatus
from kataui.files import clean, count_text
from kataui.pods.locking import lock_files


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument(
        "file", metavar="FILE", help="a manifest, a folder of them, or a running pod's dump"
    )
    parser.add_argument("--out", required=True, metavar="LOCK", help="where to write the lock")
    parser.add_argument("--sign-key", metavar="F", help="a cosign key; writes LOCK.sigstore.json")
    parser.add_argument("--force", action="store_true", help="replace a lock that is there")
    passphrase.add_arguments(parser)


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Write the lock; images without a digest are warnings in it."""
    made = lock_files(
        Path(arguments.file),
        Path(arguments.out),
        arguments.sign_key or "",
        passphrase.asker(arguments),
        output.control(),
        replace=arguments.force,
    )
    containers = count_text(made.containers, "container")
    output.line(f"{clean(str(made.path))}: {containers} of {count_text(made.pods, 'pod')}.")
    output.findings(made.findings)
    output.value(
        {
            "lock": str(made.path),
            "signature": str(made.bundle) if made.bundle else None,
            "containers": made.containers,
            "findings": [finding.as_json() for finding in made.findings],
        }
    )
    return ExitStatus.DONE
