"""The lock: exactly this runs. ``podlock.json``, version 1, a format of ours.

``{"kataui_podlock": 1, "pods": [...], "keys": [...]}``; a pod has ``subject``, ``kind``, ``name``,
``runtime_class``, ``initdata`` (algorithm and digest, or null) and ``containers``: name, kind,
image, digest (or null), command, arguments, working_dir, env (name to SHA-256 of its value, for a
value may be secret), mounts (path, source, read_only, sub_path), settings (SHA-256 of ports,
security context and the like). ``keys`` are the SHA-256 of public keys whose signatures count.
``sidecars``, if there are any, are images that a webhook will add: names (of the containers that
may run it), image, digest.
A signature lies beside it as ``FILE.sigstore.json``, a v0.3 bundle as ``cosign verify-blob`` reads.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from kataui.errors import KatauiError
from kataui.files import clean, compact_json, is_file, parse_json_object, read_bounded
from kataui.findings import Finding, Severity
from kataui.images.signatures import PublicKey
from kataui.images.simplesigning import blob_signature, is_signed_by, public_bytes
from kataui.kata.manifest import list_at
from kataui.pods.confidential import initdata_of
from kataui.pods.model import Container, Pod
from kataui.pods.read import canonical
from kataui.pods.sidecars import names_of

FORMAT, VERSION = "kataui_podlock", 1
MAX_BYTES = 64 << 20
BUNDLE_SUFFIX = ".sigstore.json"
# The token that every pod gets, under a name made up anew each time (serviceaccount admission)
TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a path


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock as it was read; ``pods`` are plain values of the format above."""

    pods: tuple[dict[str, Any], ...]
    keys: tuple[str, ...] = ()
    sidecars: tuple[dict[str, Any], ...] = ()
    data: bytes = field(default=b"", repr=False)


def make_lock(
    pods: Sequence[Pod],
    keys: Sequence[ec.EllipticCurvePublicKey] = (),
    sidecars: Sequence[Container] = (),
) -> bytes:
    """The lock of some pods, as bytes to write; the same pods always give the same bytes.

    ``sidecars`` are pinned images that a webhook will add.
    """
    prints = sorted(hashlib.sha256(public_bytes(key)).hexdigest() for key in keys)
    value = {FORMAT: VERSION, "pods": [pod_value(pod) for pod in pods], "keys": prints}
    if sidecars:
        value["sidecars"] = [
            {"names": list(names_of(one)), "image": one.image, "digest": one.digest}
            for one in sidecars
        ]
    return compact_json(value) + b"\n"


def warnings(pods: Sequence[Pod]) -> Iterator[Finding]:
    """What the lock cannot hold: images without a digest."""
    for pod in pods:
        for container in pod.containers:
            if not container.digest:
                name = clean(container.name, limit=80)
                message = f"{clean(container.image) or 'No image'} has no digest: any image fits."
                fix = "Pin it: NAME@sha256:..."
                place = container.location
                subject = f"Container {name}"
                yield Finding(
                    "LOCK-PIN", Severity.WARNING, subject, message, fix=fix, location=place
                )


def pod_value(pod: Pod) -> dict[str, Any]:
    """A pod as the lock has it."""
    found = initdata_of(pod)
    try:
        digest = {"algorithm": found.algorithm, "digest": found.digest().hex()} if found else None
    except KatauiError:
        digest = None
    return {
        "subject": pod.subject,
        "kind": pod.place.kind,
        "name": pod.place.name,
        "runtime_class": pod.runtime_class,
        "initdata": digest,
        "containers": [_container_value(container) for container in pod.containers],
    }


def _container_value(container: Container) -> dict[str, Any]:
    return {
        "name": container.name,
        "kind": container.kind.value,
        "image": container.image,
        "digest": container.digest or None,
        "command": list(container.command),
        "arguments": list(container.arguments),
        "working_dir": container.working_dir,
        "env": {name: _sha256(value.encode()) for name, value in sorted(container.env.items())},
        "mounts": [
            {
                "path": mount.path,
                "source": mount.source,
                "read_only": mount.read_only,
                "sub_path": mount.sub_path,
            }
            for mount in sorted(container.mounts, key=lambda one: (one.path, one.source))
            if mount.path != TOKEN_PATH
        ],
        "settings": _sha256(canonical(container.security).encode()),
    }


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def read_lock(path: Path) -> Lock:
    """A lock from its file. Raises ``KatauiError`` with a sentence."""
    data = read_bounded(path, limit_bytes=MAX_BYTES, what="a lock")
    name = clean(path.name)
    value = parse_json_object(data, what=name)
    version = value.get(FORMAT)
    if version is None:
        raise KatauiError(f"{name} is no lock.", hint="kataui pod lock FILE --out LOCK makes one.")
    if version != VERSION:
        raise KatauiError(f"{name} is of version {clean(str(version), limit=20)}; this reads 1.")
    pods = tuple(one for one in list_at(value, ("pods",)) if _is_pod(one))
    if len(pods) != len(list_at(value, ("pods",))) or not pods:
        raise KatauiError(f"{name} is damaged: its pods are not what a lock has.")
    keys = tuple(str(one) for one in list_at(value, ("keys",)))
    sidecars = tuple(one for one in list_at(value, ("sidecars",)) if isinstance(one, dict))
    return Lock(pods, keys, sidecars, data)


def _is_pod(value: Any) -> bool:
    containers = list_at(value, ("containers",))
    texts = ("name", "kind", "image", "working_dir", "settings")
    return (
        isinstance(value, dict)
        and bool(containers)
        and all(
            isinstance(one, dict)
            and all(isinstance(one.get(name), str) for name in texts)
            and isinstance(one.get("env"), dict)
            and isinstance(one.get("mounts"), list)
            for one in containers
        )
    )


def check_signature(lock: Lock, path: Path, keys: Sequence[PublicKey]) -> Finding:
    """What the signature beside a lock says: valid (a note), wrong (an error), or not checked."""
    bundle = path.with_name(path.name + BUNDLE_SUFFIX)
    if not keys:
        message = "The lock's own signature was not checked: no public key was given."
        fix = "Give the key with --public-key."
        return Finding("LOCK-SIGNATURE", Severity.WARNING, "Lock", message, fix=fix, checked=False)
    if not is_file(bundle):
        message = f"The lock is not signed: {clean(bundle.name)} is not there."
        return Finding("LOCK-SIGNATURE", Severity.ERROR, "Lock", message)
    try:
        data = read_bounded(bundle, limit_bytes=1 << 20, what="a signature")
        signature = blob_signature(data, what=clean(bundle.name))
    except KatauiError as error:
        message = f"The lock's signature cannot be read: {error.message}"
        return Finding("LOCK-SIGNATURE", Severity.ERROR, "Lock", message)
    for key in keys:
        if is_signed_by(key.key, signature, lock.data):
            message = f"The lock is signed by {clean(key.name)}."
            return Finding("LOCK-SIGNATURE", Severity.INFO, "Lock", message)
    message = "The lock's signature is not valid for the given public keys: it was changed."
    return Finding("LOCK-SIGNATURE", Severity.ERROR, "Lock", message)
