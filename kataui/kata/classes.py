"""The runtime classes that name Kata, and what each of them promises.

Source: kata-containers 4.1.0, kata-deploy's Helm chart (templates/runtimeclasses.yaml and
values.yaml): the class of a shim is called ``kata-SHIM``; with ``debug`` and ``devkit`` there are
``kata-SHIM-debug`` and ``kata-SHIM-devkit``, with ``env.multiInstallSuffix`` ``kata-SHIM-SUFFIX``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

_MIB = 1 << 20
DEFAULT = "kata-qemu-runtime-rs"
NODE_LABEL = "katacontainers.io/kata-runtime"
_QUARTER = Decimal("0.25")
_ONE = Decimal(1)
_AMD = ("amd64",)
_ARM = ("amd64", "arm64")
_ALL = ("amd64", "arm64", "s390x", "ppc64le")
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")  # a DNS-1123 subdomain


@dataclass(frozen=True, slots=True)
class RuntimeClass:
    """A runtime class as kata-deploy makes it.

    ``runtime`` is ``go``, ``rust`` or, when it cannot be told, empty. ``memory_bytes`` and
    ``cpus`` are the overhead that the scheduler adds to each pod. ``tee`` is ``snp``, ``tdx``,
    ``se``, ``dev`` (as if, without hardware) or empty. ``shares_files`` tells whether files of the
    node reach the guest through a shared file system; otherwise they are copied once or not at all.
    ``exact`` is false for a name that only begins like one of these, or is a vendor's.
    """

    name: str
    hypervisor: str
    runtime: str
    memory_bytes: int
    cpus: Decimal
    arches: tuple[str, ...] = _AMD
    tee: str = ""
    gpu: bool = False
    snapshotter: str = ""
    shares_files: bool = True
    note: str = ""
    exact: bool = True

    @property
    def confidential(self) -> bool:
        """Whether its guests are encrypted in memory; ``kata-qemu-coco-dev`` only plays it."""
        return self.tee not in ("", "dev")

    @property
    def pulls_in_guest(self) -> bool:
        """Whether the guest itself pulls the images, as the classes of CoCo do."""
        return bool(self.tee)


def _both(shim: str, mib: int, cpus: Decimal, **more: object) -> list[RuntimeClass]:
    """The class of a QEMU shim, on the Go runtime and on the Rust one."""
    note = "The Go runtime is deprecated since 4.0."
    go = RuntimeClass(f"kata-{shim}", "qemu", "go", mib * _MIB, cpus, note=note)
    rust = RuntimeClass(f"kata-{shim}-runtime-rs", "qemu", "rust", mib * _MIB, cpus)
    return [_with(go, more), _with(rust, more)]


def _with(one: RuntimeClass, more: Mapping[str, object]) -> RuntimeClass:
    fields = {name: getattr(one, name) for name in one.__slots__}
    return RuntimeClass(**{**fields, **more})


def _small(name: str, hypervisor: str, runtime: str, note: str = "") -> RuntimeClass:
    return RuntimeClass(name, hypervisor, runtime, 130 * _MIB, _QUARTER, note=note)


def _table() -> list[RuntimeClass]:
    guest_pull: dict[str, object] = {"snapshotter": "nydus", "shares_files": False}
    azure = "It needs /dev/mshv, as on Azure."
    dev = "It behaves like a confidential one, but nothing is encrypted: for tests only."
    coco: dict[str, object] = {**guest_pull, "tee": "dev", "note": dev}
    dev_go, dev_rust = _both("qemu-coco-dev", 160, _QUARTER, **coco)
    return [
        *reversed(_both("qemu", 320, _QUARTER, arches=_ALL)),
        _small("kata-clh-runtime-rs", "cloud-hypervisor", "rust"),
        _small("kata-clh", "cloud-hypervisor", "go"),
        _small("kata-dragonball", "dragonball", "rust", "The VMM is built into the runtime."),
        _with(
            _small("kata-fc", "firecracker", "go", "It needs the devmapper snapshotter."),
            {"snapshotter": "devmapper", "shares_files": False},
        ),
        *reversed(_both("qemu-snp", 2048, _ONE, tee="snp", **guest_pull)),
        *reversed(_both("qemu-tdx", 2048, _ONE, tee="tdx", **guest_pull)),
        *reversed(_both("qemu-se", 1024, _ONE, tee="se", arches=("s390x",), **guest_pull)),
        _with(dev_rust, {"memory_bytes": 320 * _MIB, "arches": ("amd64", "arm64", "s390x")}),
        _with(dev_go, {"arches": ("amd64", "s390x")}),
        *reversed(_both("qemu-nvidia-cpu", 320, _QUARTER, arches=_ARM)),
        *_gpus(guest_pull),
        RuntimeClass(
            "kata-remote",
            "remote",
            "go",
            120 * _MIB,
            _QUARTER,
            ("amd64", "ppc64le", "s390x"),
            snapshotter="nydus",
            shares_files=False,
            note="Peer pods: the cloud makes the machine. It is off by default.",
        ),
        _small("kata-clh-azure-runtime-rs", "cloud-hypervisor", "rust", azure),
        _small("kata-clh-azure", "cloud-hypervisor", "go", azure),
        _small("kata-openvmm-azure-runtime-rs", "openvmm", "rust", azure),
        _small("kata-stratovirt", "stratovirt", "go", "Its shim is not installed by default."),
    ]


def _gpus(guest_pull: Mapping[str, object]) -> list[RuntimeClass]:
    go, rust = _both("qemu-nvidia-gpu", 10240, _ONE, gpu=True)
    found = [_with(rust, {"arches": _ARM}), go]
    for tee in ("snp", "tdx"):
        shim = f"qemu-nvidia-gpu-{tee}"
        found += reversed(_both(shim, 10240, _ONE, gpu=True, tee=tee, **guest_pull))
    return found


CLASSES: Mapping[str, RuntimeClass] = MappingProxyType({c.name: c for c in _table()})

RETIRED: Mapping[str, str] = MappingProxyType(
    {
        "kata-qemu-sev": "SEV without SNP was removed. Use kata-qemu-snp-runtime-rs.",
        "kata-clh-tdx": "It was removed. Use kata-qemu-tdx-runtime-rs.",
        "kata-cloud-hypervisor": "It is called kata-clh-runtime-rs now.",
        "kata-qemu-virtiofs": "All classes use virtio-fs now. Use kata-qemu-runtime-rs.",
        "kata-nemu": "NEMU was removed with Kata 1. Use kata-qemu-runtime-rs.",
        "kata-v1": "Kata 1 was ended. Use kata-qemu-runtime-rs.",
    }
)
_VENDORS: Mapping[str, tuple[str, str]] = {  # name -> hypervisor, whose it is
    "kata": ("", "OpenShift, EKS and others; kata-deploy makes it only with createDefault."),
    "kata-vm-isolation": ("cloud-hypervisor", "AKS pod sandboxing."),
    "kata-mshv-vm-isolation": ("cloud-hypervisor", "AKS pod sandboxing, the old name."),
    "kata-microvm": ("", "A cluster's own name."),
    "kata-cc": ("qemu", "Confidential containers of OpenShift and of previews."),
    "kata-cc-isolation": ("cloud-hypervisor", "AKS confidential containers (preview)."),
}
_OTHERS = ("runc", "crun", "youki", "gvisor", "runsc", "nvidia", "wasmtime", "spin", "sysbox")


def find(name: str) -> RuntimeClass | None:
    """The class that a name means, also with a suffix of kata-deploy; None: nothing is known.

    A vendor's name has the facts that are known of it; its overhead is then that of plain QEMU,
    and ``exact`` is false.
    """
    known = CLASSES.get(name)
    if known is not None:
        return known
    if name in RETIRED or not name.startswith(("kata", "contrast-cc-")):
        return None
    if name in _VENDORS:
        hypervisor, note = _VENDORS[name]
        return RuntimeClass(
            name, hypervisor, "", 320 * _MIB, _QUARTER, arches=_ALL, note=note, exact=False
        )
    base = max((c for c in CLASSES if name.startswith(f"{c}-")), key=len, default="")
    suffix = name[len(base) + 1 :]
    if not base or suffix.startswith("runtime-rs"):
        return None
    note = f"It is {base} with the suffix {suffix}."
    return _with(CLASSES[base], {"name": name, "note": note, "exact": False})


def is_kata(name: str) -> bool:
    """Whether a class runs pods in a virtual machine of their own, as far as its name tells."""
    return name.startswith(("kata", "contrast-cc-"))


def is_retired(name: str) -> bool:
    """Whether Kata no longer makes this class."""
    return name in RETIRED


def is_shared_kernel(name: str) -> bool:
    """Whether a class surely is a runtime other than Kata, which may share the node's kernel."""
    return name.partition("-")[0] in _OTHERS


def is_valid_name(name: str) -> bool:
    """Whether it can be the name of a runtime class at all (a DNS-1123 subdomain)."""
    return len(name) <= 253 and _NAME.fullmatch(name) is not None and ".." not in name


def offered() -> list[RuntimeClass]:
    """The classes to choose from, what suits most people first."""
    return list(CLASSES.values())
