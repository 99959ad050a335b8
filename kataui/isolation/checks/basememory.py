"""Checks of memory: pages, sharing, swap, and the last-level cache (MEM-01..06)."""

from collections import defaultdict
from collections.abc import Iterator
from math import isnan

from kataui.isolation.checks import kata
from kataui.isolation.checks.baseevidence import (
    Kind,
    as_answer,
    change,
    group_highest,
    kinds,
    told,
    unreadable,
    wants_latency,
)
from kataui.isolation.checks.check import (
    Answer,
    Check,
    Level,
    Path,
    Scene,
    fails,
    is_confidential,
    notes,
    passes,
    unknown,
    warns,
)
from kataui.isolation.checks.evidence import NBSP, percent
from kataui.isolation.collector.commandline import RUST
from kataui.isolation.model import HostView, Role, Sandbox
from kataui.kata import configuration
from kataui.kata.configuration import DropIn

_US = 1e-6
_BIG_BYTES = 1 << 30
_HUGE_SHARE = 0.8
_RESCTRL = "/sys/fs/resctrl/"


def _huge_pages(scene: Scene) -> Iterator[Answer]:
    """MEM-01: how much of a big guest is on huge pages."""
    for sandbox in scene.view.sandboxes:
        huge_kb, small_kb = (
            _status_kb(scene.view, sandbox, name) for name in ("HugetlbPages", "VmRSS")
        )
        if small_kb is None:
            yield unknown(sandbox.name, "How much memory its VMM uses was not readable.")
            continue
        reserved, resident = (huge_kb or 0) * 1024, small_kb * 1024
        if reserved + resident < _BIG_BYTES:
            yield passes(sandbox.name, "It is small.")
            continue
        thp = _transparent(scene.view, sandbox)
        if thp is None and reserved < _HUGE_SHARE * (reserved + resident):
            text = "How much of its memory is on transparent huge pages was not readable"
            yield unknown(sandbox.name, f"{text} (memory.numa_stat, cgroup v2).")
            continue
        share = min(1.0, (reserved + (thp or 0)) / (reserved + resident))
        text = f"{percent(share)} of its memory is on huge pages."
        if share > _HUGE_SHARE:
            yield passes(sandbox.name, text)
        elif is_confidential(sandbox):
            yield notes(sandbox.name, f"{text} Private memory of such a guest may not allow more.")
        else:
            fix = change(scene.view, sandbox, "enable_hugepages", value=True)
            yield warns(sandbox.name, text, **fix)


def _status_kb(view: HostView, sandbox: Sandbox, name: str) -> int | None:
    """A size in kB of the VMM's ``/proc/PID/status`` (proc(5))."""
    for line in (view.fact(f"/proc/{sandbox.pid}/status") or "").splitlines():
        key, _, value = line.partition(":")
        words = value.split()
        if key == name and words and words[0].isdigit():
            return int(words[0])
    return None


def _transparent(view: HostView, sandbox: Sandbox) -> int | None:
    """Bytes on transparent huge pages in its group, all nodes (cgroup-v2.rst)."""
    found: defaultdict[str, int] = defaultdict(int)
    text = view.group_fact(sandbox.group, "memory", "memory.numa_stat") or ""
    for line in text.splitlines():
        name, *parts = line.split() or [""]
        amounts = (part.partition("=")[2] for part in parts)
        found[name] += sum(int(amount) for amount in amounts if amount.isdigit())
    if "anon_thp" not in found:
        return None
    return found["anon_thp"] + found["shmem_thp"]


def _same_pages(scene: Scene) -> Iterator[Answer]:
    """MEM-02: whether the kernel merges equal pages."""
    view = scene.view
    run = view.fact("/sys/kernel/mm/ksm/run")
    undo = f"echo {run} > /sys/kernel/mm/ksm/run"
    if run is None:
        yield unknown(view.name, "Whether KSM runs was not readable.")
    elif run != "1":
        yield passes(view.name)
    elif any(is_confidential(sandbox) for sandbox in view.sandboxes):
        text = "KSM compares pages on a host with confidential guests."
        yield fails(view.name, text, undo=undo)
    else:
        yield warns(view.name, "KSM merges equal pages of different sandboxes.", undo=undo)


def _balancing(scene: Scene) -> Iterator[Answer]:
    """MEM-03: whether the kernel unmaps pages to see who uses them."""
    view = scene.view
    state = view.number("/proc/sys/kernel/numa_balancing")
    pinned = [s.name for s in view.sandboxes if any(t.pinned for t in s.of_role(Role.VCPU))]
    if state is None or len(view.numa_nodes) < 2:
        return
    if state and pinned:
        text = f"NUMA balancing is on while vCPUs are pinned ({', '.join(pinned[:3])})."
        undo = f"sysctl kernel.numa_balancing={state}"
        yield warns(view.name, text, undo=undo)
    else:
        yield passes(view.name)


def _swapped(scene: Scene) -> Iterator[Answer]:
    """MEM-04: guest memory in the host's swap, and stalls on memory."""
    stalls = scene.span.rate("group", "memory_some_us") * _US
    for sandbox in scene.view.sandboxes:
        swap = _status_kb(scene.view, sandbox, "VmSwap")
        stall = group_highest(scene.view, sandbox, stalls)
        if swap:
            verdict = fails if wants_latency(sandbox) else warns
            text = f"{swap // 1024}{NBSP}MiB of its VMM are in the host's swap."
            yield verdict(sandbox.name, text, **_no_swap(scene.view, sandbox))
        elif stall >= 0.01:
            yield warns(sandbox.name, f"It waits for memory {percent(stall)} of the time.")
        elif swap is None and isnan(stall):
            yield unknown(sandbox.name, "Neither its swap nor its memory pressure was readable.")
        else:
            yield passes(sandbox.name)


def _no_swap(view: HostView, sandbox: Sandbox) -> dict[str, str]:
    found = view.cgroups.get(sandbox.group)
    folder = found.folders.get("memory", "") if found else ""
    before = view.group_fact(sandbox.group, "memory", "memory.swap.max")
    if before is None:  # cgroup v1 has no such file
        return {}
    path = f"{folder}/memory.swap.max"
    return {"fix": f"echo 0 > {path}", "undo": f"echo {before} > {path}"}


def _late_faults(scene: Scene) -> Iterator[Answer]:
    """MEM-05: what takes memory away from a guest, or shares it, while it runs."""
    view = scene.view
    for kind in kinds(view):
        missing = unreadable(view, kind)
        if missing:
            yield missing
            continue
        template = _template(view, kind)
        on = {
            "reclaim_guest_freed_memory": told(view, kind.first, "reclaim_guest_freed_memory"),
            "enable_template": template[0],
            "enable_virtio_mem": told(view, kind.first, "enable_virtio_mem"),
        }
        names = [name for name, value in on.items() if value is True]
        if not names:
            yield passes(kind.subject)
            continue
        fix: dict[str, str] = {}
        if names[0] == "enable_template":
            fix = as_answer(template[1])
        elif names[0] == "reclaim_guest_freed_memory":
            fix = change(view, kind.first, names[0], value=False)
        text = f"{', '.join(names)}: on. Guests take page faults while they run."
        strict = any(wants_latency(s) or is_confidential(s) for s in kind.sandboxes)
        yield (warns if strict else notes)(kind.subject, text, **fix)


def _template(view: HostView, kind: Kind) -> tuple[bool, DropIn]:
    """Whether VMs are made of a template, and how to stop that: Go has a section for it."""
    found = kata.of_sandbox(view, kind.first)
    section = configuration.section_of(kind.first.hypervisor, kind.first.runtime)
    if kind.first.runtime == RUST:
        changes = [(f"{section}.factory", "enable_template", False)]
        table = found.get(section, "factory") if found else None
        drop_in = configuration.drop_in(found, changes)
    else:
        table = found.values.get("factory") if found else None
        path = configuration.drop_in(found, []).path
        drop_in = DropIn(path, "[factory]\nenable_template = false\n")
    return isinstance(table, dict) and table.get("enable_template") is True, drop_in


def _cache(scene: Scene) -> Iterator[Answer]:
    """MEM-06: whether a sandbox has a part of the cache that others may not fill."""
    view = scene.view
    common = _cache_masks(view.fact(f"{_RESCTRL}schemata") or "")
    if not view.sandboxes:
        return
    if not common:
        need = "resctrl is not mounted or the CPU lacks it" if view.root else "this needs root"
        yield unknown(view.name, f"Shares of the last-level cache were not readable: {need}.")
        return
    classes = view.matching(_RESCTRL, "/schemata")
    tasks = {n: set((view.fact(f"{_RESCTRL}{n}/tasks") or "").split()) for n in classes}
    masks = {name: _cache_masks(text) for name, text in classes.items()}
    for sandbox in view.sandboxes:
        tids = {str(thread.tid) for thread in sandbox.of_role(Role.VCPU)}
        mine = next((name for name in classes if tids and tids <= tasks[name]), None)
        if mine is None:
            text = "It has no class of its own, and how much of the cache it uses is not counted."
            yield unknown(sandbox.name, text)
            continue
        rivals = [common, *(mask for name, mask in masks.items() if name != mine)]
        if any(_overlap(masks[mine], other) for other in rivals):
            text = f"Its cache class {mine} overlaps with that of others."
            yield warns(sandbox.name, text)
        else:
            yield passes(sandbox.name, f"Its cache class is {mine}.")


def _cache_masks(text: str) -> dict[str, int]:
    """Ways of the L3 cache by domain: ``L3:0=ff;1=f0`` (kernel, arch/x86/resctrl.rst)."""
    found = {}
    for line in text.splitlines():
        name, _, domains = line.strip().partition(":")
        for part in domains.split(";") if name == "L3" else ():
            domain, _, mask = part.strip().partition("=")
            try:
                found[domain] = int(mask, 16)
            except ValueError:
                continue
    return found


def _overlap(mine: dict[str, int], other: dict[str, int]) -> bool:
    return any(mask & other.get(domain, 0) for domain, mask in mine.items())


CHECKS: tuple[Check, ...] = (
    Check(
        id="MEM-01",
        path=Path.BASE,
        title="Big guests are on huge pages",
        level=Level.USER,
        why="Guests look addresses up twice; with small pages that costs time and cache.",
        look=_huge_pages,
        fix="echo madvise > /sys/kernel/mm/transparent_hugepage/enabled; echo advise >"
        " /sys/kernel/mm/transparent_hugepage/shmem_enabled    # or reserve huge pages",
        undo="Write the values from before back.",
        confidential="private memory limits the use of huge pages.",
    ),
    Check(
        id="MEM-02",
        path=Path.BASE,
        title="Equal pages are not merged",
        level=Level.USER,
        why="Merging tells by its timing what others have in memory, and ksmd uses CPU time.",
        look=_same_pages,
        fix="echo 2 > /sys/kernel/mm/ksm/run    # and: systemctl disable --now ksmtuned",
        undo="echo 1 > /sys/kernel/mm/ksm/run",
        confidential="it must be off, and is of no use.",
    ),
    Check(
        id="MEM-03",
        path=Path.BASE,
        title="Pages of pinned guests are left alone",
        level=Level.USER,
        why="NUMA balancing unmaps pages to see who uses them; each costs a pinned guest an exit.",
        look=_balancing,
        fix="sysctl kernel.numa_balancing=0",
        undo="sysctl kernel.numa_balancing=1",
        confidential="keep it off.",
    ),
    Check(
        id="MEM-04",
        path=Path.BASE,
        title="Guest memory is not in the host's swap",
        level=Level.USER,
        why="A guest cannot know that its memory is on a disk: it just stands still.",
        look=_swapped,
        fix="Give the pod more memory, or place fewer pods on this host; swapoff -a.",
        undo="swapon -a",
        confidential="private memory cannot be swapped.",
    ),
    Check(
        id="MEM-05",
        path=Path.BASE,
        title="Memory is not taken back while a guest runs",
        level=Level.ROOT,
        why="Memory that is given back, added or shared with a template costs page faults later;"
        " a template shares pages between tenants.",
        look=_late_faults,
        fix="Take that key out of Kata's configuration, then start the pods anew.",
        undo="Put it back.",
        confidential="none of them works; a template must be off.",
    ),
    Check(
        id="MEM-06",
        path=Path.BASE,
        title="The last-level cache is shared out",
        level=Level.ROOT,
        why="Who fills the cache slows others down, and no control group sees it.",
        look=_cache,
        fix="Give the pod a class with ways of its own (containerd's RDT class, resctrl schemata).",
        undo="Remove the class.",
    ),
)
