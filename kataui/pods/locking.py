"""Writing a lock and its signature beside it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kataui.errors import DestinationProblem, KatauiError
from kataui.files import clean, is_there, replace_file, write_new
from kataui.findings import Finding
from kataui.images.cosignkey import load_signing_key
from kataui.images.keys import AskPassphrase
from kataui.images.simplesigning import make_blob_bundle
from kataui.pods.lock import BUNDLE_SUFFIX, make_lock, warnings
from kataui.pods.read import pods_of, read_path
from kataui.progress import Control

Write = Callable[[Path, bytes], None]


@dataclass(frozen=True, slots=True)
class Locked:
    """What was written: the lock, its signature if any, and what the lock cannot hold."""

    path: Path
    bundle: Path | None
    containers: int
    pods: int
    findings: tuple[Finding, ...]


def lock_files(
    file: Path,
    out: Path,
    sign_key: str,
    ask: AskPassphrase,
    control: Control,
    *,
    replace: bool = False,
) -> Locked:
    """Lock the pods of a manifest, a folder of them or a dump; ``sign_key`` may be empty.

    Writes ``out`` and, with a key, ``out``.sigstore.json. Raises ``KatauiError``.
    """
    pods = pods_of(read_path(file, control))
    if not pods:
        raise KatauiError("There is no pod in it.", hint="Give a Pod, a Deployment, a Job ...")
    key = load_signing_key(Path(sign_key), ask) if sign_key else None
    data = make_lock(pods, [key.public_key()] if key else [])
    bundle = out.with_name(out.name + BUNDLE_SUFFIX)
    there = [one for one in (out, bundle) if is_there(one)]
    if there and not replace:
        raise DestinationProblem(
            f"{clean(str(there[0]))} is there already.", hint="Use --force to replace it."
        )
    write: Write = replace_file if replace else write_new
    # The signature first: a lock that is there has the signature that belongs to it.
    if key is not None:
        write(bundle, make_blob_bundle(key, data))
    elif is_there(bundle):
        bundle.unlink()  # it was for another lock
    write(out, data)
    count = sum(len(pod.containers) for pod in pods)
    return Locked(out, bundle if key else None, count, len(pods), tuple(warnings(pods)))
