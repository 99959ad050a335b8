"""The host: entropy, clock, disk, KVM, cgroups, PSI, rights, resctrl. Everything is only read.

Sources: random(4), adjtimex(2), cgroups(7), the kernel's Documentation/accounting/psi.rst,
admin-guide/perf-security.rst, arch/x86/resctrl.rst and virt/kvm/api.rst, capabilities(7).
"""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from kataui.doctor.model import Group, Part, Places, State
from kataui.files import clean, size_text

_BUILT_S = 1_763_000_000  # a clock before this program was written is wrong
_LEAST_FREE_BYTES = 2 << 30
_CAPABILITIES = {"CAP_SYS_PTRACE": 19, "CAP_SYS_ADMIN": 21, "CAP_PERFMON": 38}


def parts(places: Places) -> tuple[Part, ...]:
    """All of them; one that cannot be read is told as unknown."""
    looks: tuple[Callable[[Places], Part], ...] = (
        *(_entropy, _clock, _disk, _kvm, _cgroups, _psi, _rights, _resctrl),
    )
    return tuple(look(places) for look in looks)


def _text(path: Path) -> str:
    """A small file; empty when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except (OSError, ValueError):
        return ""


def _entropy(places: Places) -> Part:
    source = _text(places.sys / "class/misc/hw_random/rng_current")
    try:
        os.getrandom(16, os.GRND_NONBLOCK)
    except OSError:
        state, found = State.MISSING, "the kernel's generator is not ready"
    else:
        state = State.HERE
        named = clean(source, limit=60) if source not in {"", "none"} else "none in hardware"
        found = f"the kernel's generator is ready; hardware source: {named}"
    return Part(
        "entropy",
        "Randomness",
        Group.NEEDED,
        state,
        found,
        "Every key comes from it.",
        "No key is made.",
        "Wait, or give a virtual machine a virtio-rng device." if state is State.MISSING else "",
    )


def _clock(_places: Places) -> Part:
    wrong = time.time() < _BUILT_S
    return Part(
        "clock",
        "Clock",
        Group.NEEDED,
        State.MISSING if wrong else State.HERE,
        time.strftime("%Y-%m-%d %H:%M %Z"),
        "Receipts, certificates and recordings carry its time.",
        "Receipts say a time that is not true, and certificates seem not yet valid.",
        "sudo timedatectl set-time 'YYYY-MM-DD HH:MM'" if wrong else "",
    )


def _disk(_places: Places) -> Part:
    try:
        free = shutil.disk_usage(Path.home()).free
    except OSError:
        return _part_of_disk(State.UNKNOWN, "your home folder cannot be looked at")
    state = State.HERE if free >= _LEAST_FREE_BYTES else State.LIMITED
    return _part_of_disk(state, f"{size_text(free)} free in your home folder")


def _part_of_disk(state: State, found: str) -> Part:
    return Part(
        "disk",
        "Disk",
        Group.IMAGES,
        state,
        found,
        "A protected image is a second copy; a parcel a third.",
        "Large images are refused before anything is written.",
        "Choose a destination on a larger disk." if state is State.LIMITED else "",
    )


def _kvm(places: Places) -> Part:
    device = places.dev / "kvm"
    flags = _text(places.proc / "cpuinfo")
    able = any(f" {flag}" in flags for flag in ("vmx", "svm"))
    if device.exists():
        mine = os.access(device, os.R_OK | os.W_OK)
        state = State.HERE if mine else State.LIMITED
        found = "/dev/kvm" if mine else "/dev/kvm, but not for you"
        fix = "" if mine else "sudo usermod -aG kvm $USER, then log in again"
    else:
        state = State.MISSING
        found = "no /dev/kvm" + ("" if able else "; the processor shows no VMX or SVM")
        fix = "sudo modprobe kvm_intel || sudo modprobe kvm_amd" if able else ""
    return Part(
        "kvm",
        "KVM",
        Group.ISOLATION,
        state,
        found,
        "Kata's virtual machines run on it.",
        "No Kata pod runs on this host; another host is watched over ssh.",
        fix,
    )


def _cgroups(places: Places) -> Part:
    root = places.sys / "fs/cgroup"
    if (root / "cgroup.controllers").exists():
        state, found = State.HERE, f"version 2 ({_text(root / 'cgroup.controllers')})"
    elif (root / "unified").exists():
        state, found = State.LIMITED, "hybrid: version 1, with version 2 under unified"
    elif (root / "cpu").exists() or (root / "cpu,cpuacct").exists():
        state, found = State.LIMITED, "version 1"
    else:
        state, found = State.MISSING, "none mounted"
    return Part(
        "cgroups",
        "Control groups",
        Group.ISOLATION,
        state,
        clean(found, limit=200),
        "Limits and use of each pod.",
        "With version 1 there is no pressure of a single pod; without any, no limits are seen.",
        "" if state is State.HERE else "Boot with systemd.unified_cgroup_hierarchy=1",
    )


def _psi(places: Places) -> Part:
    here = _text(places.proc / "pressure/cpu").startswith("some")
    return Part(
        "psi",
        "Pressure (PSI)",
        Group.ISOLATION,
        State.HERE if here else State.MISSING,
        "/proc/pressure" if here else "no /proc/pressure",
        "How long work waited for CPU, memory and IO.",
        "Stalls by memory and IO are not seen.",
        "" if here else "Boot with psi=1",
    )


def _rights(places: Places) -> Part:
    held = 0
    for line in _text(places.proc / "self/status").splitlines():
        if line.startswith("CapEff:"):
            held = int(line.split()[1], 16)
    names = [name for name, bit in _CAPABILITIES.items() if held >> bit & 1]
    root = os.geteuid() == 0
    if root:
        state, found = State.HERE, "root"
    else:
        state = State.HERE if "CAP_SYS_PTRACE" in names else State.LIMITED
        found = f"an ordinary user{', with ' + ', '.join(names) if names else ''}"
    return Part(
        "rights",
        "Rights",
        Group.ISOLATION,
        state,
        found,
        "To read what other users' virtual machines do.",
        "Only your own processes are seen whole; of others, names, CPU time and limits.",
        "" if state is State.HERE else "sudo kataui isolation record FILE, then open FILE here",
    )


def _resctrl(places: Places) -> Part:
    if (places.sys / "fs/resctrl/info").exists():
        state, found, fix = State.HERE, "/sys/fs/resctrl", ""
    elif "resctrl" in _text(places.proc / "filesystems"):
        state, found = State.LIMITED, "the kernel knows it, but it is not mounted"
        fix = "sudo mount -t resctrl resctrl /sys/fs/resctrl"
    else:
        state, found, fix = State.MISSING, "not in this kernel or processor", ""
    return Part(
        "resctrl",
        "Cache and memory bandwidth (resctrl)",
        Group.ISOLATION,
        state,
        found,
        "Who fills the shared cache and the memory bus.",
        "A neighbour that only fills the cache stays without a name.",
        fix,
    )
