"""Other people's programs: what each is for, and what brings it."""

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from kataui import tools
from kataui.doctor.model import Group, Part, State
from kataui.files import clean

_PATIENCE_S = 5.0
_VERSION = re.compile(r"v?\d+\.\d+(?:\.\d+)?\S*")
_COSIGN = "https://docs.sigstore.dev/cosign/system_config/installation/"
_KUBECTL = "https://kubernetes.io/docs/tasks/tools/"


@dataclass(frozen=True, slots=True)
class _Program:
    name: str
    group: Group
    ask: tuple[str, ...]
    purpose: str
    without: str
    fix: str = ""  # empty: the distribution has it


_PROGRAMS = (
    _Program(
        "skopeo",
        Group.IMAGES,
        ("--version",),
        "Reads images from registries, and pushes them.",
        "Only folders and archives are opened and written.",
    ),
    _Program(
        "cosign",
        Group.IMAGES,
        ("version",),
        "A second opinion on signatures, and pushing them.",
        "Nothing: kataui signs and verifies by itself.",
        f"Download it: {_COSIGN}",
    ),
    _Program(
        "buildah",
        Group.IMAGES,
        ("--version",),
        "Builds a Containerfile.",
        "Images are built from folders and bases only.",
    ),
    _Program(
        "gpg",
        Group.IMAGES,
        ("--version",),
        "Encrypts for PGP recipients, and decrypts for them.",
        "The other kinds of recipients: JWE, PKCS7, PKCS11, key broker.",
    ),
    _Program(
        "kubectl",
        Group.REMOTE,
        ("version", "--client"),
        "Applies a pipeline to a cluster after a dry run.",
        "Files are exported, and you apply them where kubectl is.",
        f"Download it: {_KUBECTL}",
    ),
    _Program(
        "ssh",
        Group.REMOTE,
        ("-V",),
        "Watches another host, and counts its confidential guests.",
        "This host and recordings only.",
    ),
)
_PACKAGES = {"ssh": "openssh-client"}


def parts(*, versions: bool = True) -> tuple[Part, ...]:
    """Each program; their ``versions`` are asked at the same time, with a limit, or not at all."""
    if not versions:
        return tuple(_look(program, ask=False) for program in _PROGRAMS)
    with ThreadPoolExecutor(len(_PROGRAMS)) as pool:
        return tuple(pool.map(_look, _PROGRAMS))


def _look(program: _Program, *, ask: bool = True) -> Part:
    path = tools.find(program.name)
    if path is None:
        hint = tools.install_hint(_PACKAGES.get(program.name, program.name))
        fix = program.fix or hint.removeprefix("Install it: ")
        state, found = State.MISSING, "not on PATH"
    else:
        fix = ""
        said = _version([str(path), *program.ask]) if ask else "not asked"
        state = State.HERE if said else State.UNKNOWN
        found = f"{said} ({path})" if said else f"{path}, which does not tell its version"
    return Part(
        program.name,
        program.name,
        program.group,
        state,
        clean(found, limit=200),
        program.purpose,
        program.without,
        fix,
    )


def _version(command: list[str]) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - a list, never a shell
            command,
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    match = _VERSION.search(done.stdout + done.stderr)
    return match.group().rstrip(",;)") if match else ""
