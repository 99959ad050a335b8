"""``kataui pod lock``: write down exactly what runs, and sign it."""

import argparse
from pathlib import Path

from kataui.cli import passphrase
from kataui.cli.output import Output
from kataui.errors import DestinationProblem, ExitStatus, KatauiError
from kataui.files import clean, is_there, replace_file, write_new
from kataui.images.cosignkey import load_signing_key
from kataui.images.simplesigning import make_blob_bundle
from kataui.pods.lock import BUNDLE_SUFFIX, make_lock, warnings
from kataui.pods.read import pods_of, read_path


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
    pods = pods_of(read_path(Path(arguments.file), output.control()))
    if not pods:
        raise KatauiError("There is no pod in it.", hint="Give a Pod, a Deployment, a Job ...")
    key = None
    if arguments.sign_key:
        key = load_signing_key(Path(arguments.sign_key), passphrase.asker(arguments))
    data = make_lock(pods, [key.public_key()] if key else [])
    path = Path(arguments.out)
    bundle = path.with_name(path.name + BUNDLE_SUFFIX)
    _write(path, bundle, data, make_blob_bundle(key, data) if key else None, arguments.force)
    found = list(warnings(pods))
    count = sum(len(pod.containers) for pod in pods)
    output.line(f"{clean(str(path))}: {count} containers of {len(pods)} pods.")
    output.findings(found)
    output.value(
        {
            "lock": str(path),
            "signature": str(bundle) if key else None,
            "containers": count,
            "findings": [finding.as_json() for finding in found],
        }
    )
    return ExitStatus.DONE


def _write(
    path: Path,
    bundle: Path,
    data: bytes,
    signature: bytes | None,
    force: bool,  # noqa: FBT001 - what the user asked for
) -> None:
    """The signature first: a lock that is there has the signature that belongs to it."""
    there = [one for one in (path, bundle) if is_there(one)]
    if there and not force:
        raise DestinationProblem(
            f"{clean(str(there[0]))} is there already.", hint="Use --force to replace it."
        )
    write = replace_file if force else write_new
    if signature is not None:
        write(bundle, signature)
    elif is_there(bundle):
        bundle.unlink()  # it was for another lock
    write(path, data)
