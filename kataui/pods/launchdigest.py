"""The launch digest of an SEV-SNP guest: what its processor reports about how it was started.

Sources: AMD SEV-SNP firmware ABI (56860), 8.17.2 (PAGE_INFO); QEMU's target/i386/sev.c (hashes of
kernel, initrd and command line); edk2, OvmfPkg/ResetVector/X64/OvmfSevMetadata.asm (what else is
measured). The package sev-snp-measure puts them together; it is loaded when it is first needed.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kataui.errors import KatauiError
from kataui.files import clean, is_file, is_there, read_bounded

VCPU_TYPE = "EPYC-v4"  # what Kata gives a confidential guest (qemu_amd64.go, cmdline_generator.rs)
GUEST_FEATURES = 0x1  # SEV_FEATURES of the VMSA: bit 0 is SNP itself
MAX_VCPUS = 4096  # the greatest number that KVM can be built for
_MIB = 1 << 20
_LIMITS = {"firmware": 32 * _MIB, "kernel": 256 * _MIB, "initrd": 1024 * _MIB}  # bytes
_MAX_SECTIONS_BYTES = 256 * _MIB  # OVMF's own are 2 MiB; each page costs a hash
_PAGE_BYTES = 4096
_DAMAGED = (  # what the package and ctypes raise for a firmware that is
    *(ArithmeticError, AssertionError, AttributeError),
    *(LookupError, OSError, RuntimeError, ValueError),
)
_OF_KATA = "Kata's is share/ovmf/AMDSEV.fd in its folder: edk2's build AmdSev."


@dataclass(frozen=True, slots=True)
class LaunchInputs:
    """What enters the digest: files by their path, and the kernel's command line as QEMU gets it.

    ``vcpus`` 0 stands for what Kata boots for the pod. ``initrd`` may be empty.
    """

    firmware: str
    kernel: str
    append: str
    initrd: str = ""
    vcpus: int = 0
    vcpu_type: str = VCPU_TYPE
    guest_features: int = GUEST_FEATURES

    def as_words(self) -> list[str]:
        """The options of the command line that say the same."""
        features = self.guest_features
        pairs = {
            "--firmware": self.firmware,
            "--kernel": self.kernel,
            "--initrd": self.initrd,
            "--append": self.append,
            "--vcpus": str(self.vcpus) if self.vcpus else "",
            "--vcpu-type": "" if self.vcpu_type == VCPU_TYPE else self.vcpu_type,
            "--guest-features": "" if features == GUEST_FEATURES else hex(features),
        }
        return [word for name, value in pairs.items() if value for word in (name, value)]


@dataclass(frozen=True, slots=True)
class Launch:
    """A launch: its inputs, the SHA-256 of each file (hex, by its name), and the digest."""

    inputs: LaunchInputs
    sha256: Mapping[str, str]
    signature: int
    digest: bytes


def launch_inputs(
    *,
    firmware: str = "",
    kernel: str = "",
    append: str = "",
    initrd: str = "",
    vcpus: str = "",
    vcpu_type: str = "",
    guest_features: str = "",
) -> LaunchInputs | None:
    """The inputs from what somebody typed; None when nothing was. Reads no file.

    Raises ``KatauiError`` when firmware, kernel and command line are not together, or a number
    is none.
    """
    needed = {"firmware": firmware, "kernel": kernel, "command line of the kernel": append}
    missing = [name for name, value in needed.items() if not value]
    if missing:
        more = (initrd, vcpus, guest_features, vcpu_type not in {"", VCPU_TYPE})
        if len(missing) < len(needed) or any(more):
            raise KatauiError(
                "Reference values need firmware, kernel and the kernel's command line together:"
                f" the {missing[0]} is missing."
            )
        return None
    return LaunchInputs(
        firmware=firmware,
        kernel=kernel,
        append=_one_line(append),
        initrd=initrd,
        vcpus=_vcpus(_number(vcpus, "a number of vCPUs")) if vcpus else 0,
        vcpu_type=vcpu_type or VCPU_TYPE,
        guest_features=_number(guest_features or hex(GUEST_FEATURES), "a number of features"),
    )


def vcpu_types() -> tuple[str, ...]:
    """The names of QEMU's processors that have a known signature."""
    from sevsnpmeasure import vcpu_types as known  # noqa: PLC0415 - when it is needed

    return tuple(known.CPU_SIGS)


def measure(inputs: LaunchInputs) -> Launch:
    """The launch with its digest, 48 bytes. Raises ``KatauiError``; writes nothing."""
    _vcpus(inputs.vcpus)
    _one_line(inputs.append)
    features = inputs.guest_features
    if not features & 1 or not 0 < features < 1 << 64:
        raise KatauiError(f"{features:#x} are no features of an SEV-SNP guest: they have bit 0.")
    signature = _signature(inputs.vcpu_type)
    files = {"firmware": inputs.firmware, "kernel": inputs.kernel, "initrd": inputs.initrd}
    sha256 = {what: _sha256(path, what) for what, path in files.items() if path or what != "initrd"}
    return Launch(inputs, sha256, signature, _digest(inputs, signature))


def _digest(inputs: LaunchInputs, signature: int) -> bytes:
    from sevsnpmeasure.guest import snp_calc_launch_digest  # noqa: PLC0415 - when it is needed

    try:
        _require_metadata(inputs.firmware)
        return bytes(
            snp_calc_launch_digest(
                inputs.vcpus,
                signature,
                inputs.firmware,
                inputs.kernel,
                inputs.initrd,
                inputs.append,
                inputs.guest_features,
                "",
            )
        )
    except _DAMAGED as error:
        name = clean(inputs.firmware)
        raise KatauiError(f"{name} has SEV metadata that cannot be followed.", hint=_OF_KATA) from (
            error
        )


def _require_metadata(path: str) -> None:
    """Refuse a firmware whose guests cannot be started so, or would take hours to measure."""
    from sevsnpmeasure.ovmf import OVMF, SectionType  # noqa: PLC0415 - when it is needed

    name = clean(path)
    if Path(path).stat().st_size % _PAGE_BYTES:
        raise KatauiError(f"{name} is no firmware: it does not end at a page.", hint=_OF_KATA)
    found = OVMF(path)
    if not found.metadata_items():
        raise KatauiError(
            f"{name} is no OVMF with SEV metadata: no SEV-SNP guest starts with it.", hint=_OF_KATA
        )
    if not found.has_metadata_section(SectionType.SNP_KERNEL_HASHES):
        raise KatauiError(
            f"{name} does not measure kernel and command line, so no digest tells which they are.",
            hint=_OF_KATA,
        )
    if sum(section.size for section in found.metadata_items()) > _MAX_SECTIONS_BYTES:
        raise KatauiError(f"{name} asks to measure more memory than any firmware needs.")


def _sha256(path: str, what: str) -> str:
    place = Path(path)
    if is_there(place) and not is_file(place):
        raise KatauiError(f"{clean(path)} is no file, so it is not the {what}.")
    data = read_bounded(place, limit_bytes=_LIMITS[what], what=f"the {what}")
    if not data:
        raise KatauiError(f"{clean(path)} is empty, so it is not the {what}.")
    return hashlib.sha256(data).hexdigest()


def _signature(vcpu_type: str) -> int:
    from sevsnpmeasure.vcpu_types import CPU_SIGS  # noqa: PLC0415 - when it is needed

    if vcpu_type not in CPU_SIGS:
        raise KatauiError(
            f"{clean(vcpu_type)!r} is no known type of vCPU.",
            hint=f"Known are {', '.join(CPU_SIGS)}; Kata's guests have {VCPU_TYPE}.",
        )
    return int(CPU_SIGS[vcpu_type])


def _one_line(append: str) -> str:
    """A command line that is hashed as it is seen."""
    if not append.isprintable():
        raise KatauiError("The kernel's command line has a character that cannot be seen.")
    return append


def _vcpus(number: int) -> int:
    if not 1 <= number <= MAX_VCPUS:
        raise KatauiError(f"A guest has 1 to {MAX_VCPUS} vCPUs, not {number}.")
    return number


def _number(text: str, what: str) -> int:
    try:
        return int(text, 0)
    except ValueError as error:
        raise KatauiError(f"{clean(text, limit=60)!r} is not {what}.") from error
