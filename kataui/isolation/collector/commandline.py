"""Which sandbox a process belongs to, by its command line.

Source: kata-containers 4.1.0, src/runtime (Go) and src/runtime-rs (Rust): how each starts its
hypervisors and daemons. Ids are 64 hex digits under CRI, free strings under ctr and nerdctl.
"""

from __future__ import annotations

import re

_SHIM = re.compile(r"containerd-shim-kata(-[a-z0-9-]+)?-v2$")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{2,127}$")
_PATH = re.compile(
    r"/(?:run/vc/(?:vm|sbs|firecracker)|run/kata(?:/firecracker)?"
    r"|run/kata-containers/shared/sandboxes)/([A-Za-z0-9][\w.-]+)"
)
_SHARED = re.compile(r"run/kata-containers/shared/sandboxes/([A-Za-z0-9][\w.-]+)")

SHIM = "shim"
VMM = "vmm"
VIRTIOFSD = "virtiofsd"
QEMU = "qemu"
CLH = "cloud-hypervisor"
FIRECRACKER = "firecracker"
STRATOVIRT = "stratovirt"
OPENVMM = "openvmm"
DRAGONBALL = "dragonball"
REMOTE = "remote"
GO = "go"
RUST = "rust"


class Member:
    """A process of a sandbox: its part in it, and what its command line tells."""

    __slots__ = ("hypervisor", "part", "runtime", "sandbox")

    def __init__(self, part: str, sandbox: str, hypervisor: str = "", runtime: str = "") -> None:
        self.part = part
        self.sandbox = sandbox
        self.hypervisor = hypervisor
        self.runtime = runtime


def member(argv: list[str]) -> Member | None:
    """The sandbox that a process serves; None for all others."""
    program = argv[0].rpartition("/")[2] if argv else ""
    if _SHIM.match(program):
        name = _identifier(value_of(argv, "-id") or value_of(argv, "--id"))
        return Member(SHIM, name, runtime=_runtime(argv)) if name else None
    if "qemu-system-" in program or program == "qemu-kvm":
        return _qemu(argv)
    if program in ("cloud-hypervisor", "stratovirt", "openvmm"):
        return _by_path(argv, program)
    if program in ("firecracker", "jailer"):
        named = _identifier(value_of(argv, "--id"))
        found = _by_path(argv, FIRECRACKER)
        if found is None and named:
            found = Member(VMM, named, FIRECRACKER)
        return found
    if program in ("virtiofsd", "nydusd"):
        match = _SHARED.search(" ".join(argv))
        if match:
            return Member(VIRTIOFSD, match.group(1), runtime=_runtime(argv))
    return None


def _qemu(argv: list[str]) -> Member | None:
    name = value_of(argv, "-name").partition(",")[0]
    if name.startswith("sandbox-"):
        found = _identifier(name[len("sandbox-") :])
        if found:
            return Member(VMM, found, QEMU, _runtime(argv))
    return None


def _by_path(argv: list[str], hypervisor: str) -> Member | None:
    match = _PATH.search("\n".join(argv))
    if match is None:
        return None
    return Member(VMM, match.group(1), hypervisor, _runtime(argv))


def _runtime(argv: list[str]) -> str:
    """Go keeps its files below /run/vc, Rust below /run/kata and beside its own programs."""
    text = "\n".join(argv)
    if "/run/vc/" in text or "/shared\n" in text + "\n":
        return GO
    if "runtime-rs" in text or re.search(r"/run/kata/|/ro$", text, re.MULTILINE):
        return RUST
    return ""


def _identifier(text: str) -> str:
    return text if _ID.match(text) else ""


def value_of(argv: list[str], option: str) -> str:
    """The argument after ``option``, or after ``option=``; empty when there is none."""
    for index, argument in enumerate(argv):
        if argument == option and index + 1 < len(argv):
            return argv[index + 1]
        if argument.startswith(option + "="):
            return argument[len(option) + 1 :]
    return ""
