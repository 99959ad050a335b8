"""Images in registries and in the local storage of containers, fetched by skopeo.

Source: skopeo-copy(1), containers-transports(5).
"""

import hashlib
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kataui import tools
from kataui.errors import ImageError
from kataui.files import clean
from kataui.findings import Finding, Severity
from kataui.images.model import Platform
from kataui.images.reference import CONTAINERS_STORAGE, DOCKER, Reference
from kataui.progress import Control

_NAME = re.compile(r"[A-Za-z0-9\[][\w.:/@+=,\[\]-]*", re.ASCII)
_TAG = re.compile(r"(?:.*/)?[^/:@]+:([A-Za-z0-9_][\w.-]{0,127})(?:@.*)?", re.ASCII)
_MESSAGE = re.compile(r'level=(?:fatal|error) msg="((?:[^"\\]|\\.)*)"')
_ABSENT = re.compile(r"manifest unknown|not found|name unknown|404", re.IGNORECASE)
_LOOPBACK = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A temporary OCI layout with the image and its signatures; who takes it removes ``folder``.

    ``digest`` is what a registry has under the name: not that of the layout's image when skopeo
    had to convert it. It is empty for container storage, and when the registry did not tell it.
    """

    folder: "tempfile.TemporaryDirectory[str]"
    tag: str
    findings: tuple[Finding, ...]
    digest: str = ""


def is_remote(reference: Reference) -> bool:
    """Whether skopeo must fetch it."""
    return reference.transport in {DOCKER, CONTAINERS_STORAGE}


def fetch(reference: Reference, wanted: tuple[Platform, ...], *, control: Control) -> Fetched:
    """Copy the image into a new layout below the system's temporary folder (``TMPDIR``).

    Of a registry also the signatures that cosign keeps there, under the tag ``sha256-HEX.sig``.
    Uses the network for ``docker://``, which a finding ``IMG-NETWORK`` tells. Registries on this
    machine (127.0.0.1, localhost, ::1) are spoken to without TLS, as they have no certificates.
    Raises ``NotPossibleHere`` without skopeo, ``ImageError`` when it fails, ``Cancelled``.
    """
    if not _NAME.fullmatch(reference.path):
        raise ImageError(
            f"{clean(reference.path)!r} is not the name of an image.",
            hint="Write docker://REGISTRY/REPOSITORY:TAG.",
        )
    skopeo = tools.require("skopeo", purpose="Reading from registries and container storage")
    match = _TAG.fullmatch(reference.path)
    tag = match.group(1) if match else "latest"
    folder = tempfile.TemporaryDirectory(prefix="kataui-")
    try:
        control.report("Fetching the image with skopeo", 0, 0)
        argv = _command(skopeo, reference, wanted, f"oci:{folder.name}:{tag}")
        outcome = tools.run(argv, control=control)
        _check(outcome.status, outcome.stderr, reference)
        digest, unknown = "", tuple[Finding, ...]()
        if reference.transport == DOCKER:
            digest, unknown = _signatures(skopeo, reference, folder.name, control)
    except BaseException:
        folder.cleanup()
        raise
    return Fetched(folder, tag, (*_findings(reference), *unknown), digest)


def _signatures(
    skopeo: Path, reference: Reference, folder: str, control: Control
) -> tuple[str, tuple[Finding, ...]]:
    """Fetch the ``.sig`` image beside it; gives the registry's digest, and what is not known."""
    tls = ["--tls-verify=false"] if is_loopback(_host(reference)) else []
    control.report("Asking for its signatures", 0, 0)
    argv = [str(skopeo), "inspect", "--raw", *tls, f"docker://{reference.path}"]
    told = tools.run(argv, control=control)
    if told.status != 0 or not told.stdout:
        return "", (_unknown(reference, reason_in(told.stderr)),)
    hexes = hashlib.sha256(told.stdout).hexdigest()
    tag = f"sha256-{hexes}.sig"
    repository = reference.path.partition("@")[0]
    match = _TAG.fullmatch(repository)
    repository = repository[: match.start(1) - 1] if match else repository
    source = f"docker://{repository}:{tag}"
    argv = [str(skopeo), "--insecure-policy", "copy", "--quiet"]
    argv += ["--src-tls-verify=false"] if tls else []
    done = tools.run([*argv, source, f"oci:{folder}:{tag}"], control=control)
    if done.status == 0 or _ABSENT.search(done.stderr):
        return f"sha256:{hexes}", ()
    return f"sha256:{hexes}", (_unknown(reference, reason_in(done.stderr)),)


def _unknown(reference: Reference, reason: str) -> Finding:
    return Finding(
        "IMG-NETWORK",
        Severity.WARNING,
        clean(_host(reference)),
        f"Whether the registry has signatures of it is not known: {reason}",
        checked=False,
    )


def _command(
    skopeo: Path, reference: Reference, wanted: tuple[Platform, ...], target: str
) -> Sequence[str]:
    argv = [str(skopeo), "--insecure-policy"]
    if len(wanted) == 1:
        platform = wanted[0]
        argv += ["--override-os", platform.os, "--override-arch", platform.architecture]
        if platform.variant:
            argv += ["--override-variant", platform.variant]
    argv += ["copy", "--quiet"]
    if len(wanted) != 1:
        argv.append("--all")
    separator = "//" if reference.transport == DOCKER else ""
    if reference.transport == DOCKER and is_loopback(_host(reference)):
        argv.append("--src-tls-verify=false")
    return [*argv, f"{reference.transport}:{separator}{reference.path}", target]


def _host(reference: Reference) -> str:
    return reference.path.partition("/")[0]


def is_loopback(host: str) -> bool:
    """Whether a registry, with its port or without, is on this machine."""
    return _LOOPBACK.fullmatch(host) is not None


def reason_in(stderr: str) -> str:
    """The reason that skopeo gives when it fails, as the end of a sentence."""
    said = _MESSAGE.findall(stderr) or stderr.strip().splitlines()[-1:] or ["no reason given"]
    reason = clean(said[-1].replace('\\"', '"').replace("\\n", " "))
    return f"{reason.rstrip('. ')}."


def _check(status: int, stderr: str, reference: Reference) -> None:
    if status == 0:
        return
    raise ImageError(
        f"skopeo could not fetch {clean(reference.path)}: {reason_in(stderr)}",
        hint="Check the name and the network; skopeo login REGISTRY when it asks for credentials.",
    )


def _findings(reference: Reference) -> tuple[Finding, ...]:
    if reference.transport != DOCKER:
        return ()
    host = clean(_host(reference))
    return (
        Finding(
            "IMG-NETWORK",
            Severity.INFO,
            host,
            f"The bytes came over the network, from {host}.",
            why="They are what the registry gave now; a tag may point elsewhere tomorrow.",
        ),
    )
