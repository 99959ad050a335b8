"""Facts about the host: small files, sent as they are, so that the reader can judge them.

A fact is a path and the file's text; only those that changed since the last look are sent. Paths
are always the usual ones, whatever roots are read.
"""

from __future__ import annotations

import glob
import os
import platform

from kataui.isolation.collector import ethtool, files, namespaces, netlink

_FILE_BYTES = 256 << 10
_ALL_BYTES = 6 << 20

PROC = (
    *("version", "cmdline", "cpuinfo", "modules", "mounts", "interrupts", "swaps", "buddyinfo"),
    *("sys/kernel/numa_balancing", "sys/kernel/io_uring_disabled", "sys/kernel/task_delayacct"),
    *("sys/vm/swappiness", "sys/vm/dirty_bytes", "sys/vm/dirty_background_bytes"),
    *("sys/vm/dirty_ratio", "sys/vm/dirty_background_ratio", "sys/kernel/sched_schedstats"),
    *("sys/net/core/netdev_max_backlog", "sys/net/core/netdev_budget"),
    *("sys/net/core/netdev_budget_usecs", "sys/net/core/default_qdisc", "sys/net/core/busy_poll"),
    *("sys/net/core/busy_read", "sys/net/core/rps_sock_flow_entries"),
    *("sys/net/core/rps_default_mask", "sys/net/netfilter/nf_conntrack_max"),
    *("sys/net/netfilter/nf_conntrack_count", "net/stat/nf_conntrack"),
    *("irq/*/effective_affinity_list", "irq/*/smp_affinity_list"),
)
SYS = (
    *("module/kvm/parameters/halt_poll_ns", "module/kvm/parameters/halt_poll_ns_grow"),
    *("module/vhost/parameters/fork_from_owner_default", "module/vhost_net/refcnt"),
    *("module/kvm_amd/parameters/sev*", "module/kvm_intel/parameters/tdx"),
    *("kernel/mm/ksm/run", "kernel/mm/ksm/pages_sharing"),
    *("kernel/mm/transparent_hugepage/enabled", "kernel/mm/transparent_hugepage/shmem_enabled"),
    *("kernel/mm/hugepages/*/nr_hugepages", "kernel/mm/hugepages/*/free_hugepages"),
    *("devices/system/cpu/online", "devices/system/cpu/isolated", "devices/system/cpu/nohz_full"),
    *("devices/system/cpu/smt/active", "devices/system/cpu/smt/control"),
    "devices/system/cpu/cpu[0-9]*/topology/thread_siblings_list",
    "devices/system/cpu/cpu[0-9]*/topology/cluster_cpus_list",
    "devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor",
    "devices/system/cpu/vulnerabilities/*",
    *("devices/system/node/node[0-9]*/cpulist", "devices/virtual/workqueue/cpumask"),
    *("block/*/queue/scheduler", "block/*/queue/wbt_lat_usec", "block/*/queue/nr_requests"),
    *("block/*/queue/read_ahead_kb", "block/*/queue/rq_affinity", "block/*/queue/rotational"),
    *("block/*/device/numa_node", "block/*/dm/name", "block/loop*/loop/backing_file"),
    *("class/net/*/mtu", "class/net/*/speed", "class/net/*/threaded", "class/net/*/ifindex"),
    *("class/net/*/iflink", "class/net/*/operstate", "class/net/*/tx_queue_len"),
    *("class/net/*/device/numa_node", "class/net/*/device/sriov_numvfs"),
    *("class/net/*/queues/rx-*/rps_cpus", "class/net/*/queues/rx-*/rps_flow_cnt"),
    *("class/net/*/queues/tx-*/xps_cpus", "class/net/*/device/uevent"),
    "class/net/*/statistics/rx_missed_errors",
    *("fs/cgroup/init.scope/cgroup.procs", "fs/cgroup/systemd/init.scope/cgroup.procs"),
    "fs/cgroup/system.slice/irqbalance.service/cgroup.procs",
    "fs/cgroup/systemd/system.slice/irqbalance.service/cgroup.procs",
    *("fs/resctrl/info/L3_MON/num_rmids", "fs/resctrl/schemata", "fs/resctrl/mode"),
    *("fs/resctrl/*/schemata", "fs/resctrl/*/tasks"),
    *("fs/cgroup/kata[_-]overhead*/cpu.max", "fs/cgroup/kata[_-]overhead*/cpuset.cpus"),
    *(
        "fs/cgroup/cpu*/kata_overhead/cpu.cfs_quota_us",
        "fs/cgroup/cpuset/kata_overhead/cpuset.cpus",
    ),
)
ELSEWHERE = (
    *("/etc/kata-containers/*.toml", "/etc/kata-containers/config.d/*.toml"),
    "/usr/share/defaults/kata-containers/*.toml",
    "/opt/kata/share/defaults/kata-containers/*.toml",
    "/opt/kata/share/defaults/kata-containers/runtime*/**/*.toml",
    *("/etc/os-release", "/etc/default/irqbalance", "/etc/sysconfig/irqbalance"),
    *("/var/lib/kubelet/config.yaml", "/run/kata-containers/dans/*"),
    *("/run/kata/*/state.json", "/run/vc/sbs/*/persist.json"),
)
_GROUP_FILES = (
    *("cpu.max", "cpu.weight", "cpuset.cpus", "cpuset.cpus.effective", "cpuset.cpus.partition"),
    *("cpuset.mems.effective", "memory.max", "memory.high", "memory.swap.max", "io.max"),
    *("io.weight", "io.latency", "memory.numa_stat", "cgroup.subtree_control", "cpu.cfs_quota_us"),
    *("cpu.cfs_period_us", "cpu.max.burst", "blkio.throttle.write_bps_device"),
)
_ROOT_GROUP_FILES = ("cgroup.subtree_control", "io.cost.qos", "io.cost.model", "cgroup.controllers")


def files_of_host(proc: str, sys: str) -> dict[str, str]:
    """Path to text of all facts that can be read; unreadable ones are left out."""
    found: dict[str, str] = {}
    for root, usual, names in ((proc, "/proc", PROC), (sys, "/sys", SYS)):
        for name in names:
            for path in _matching(f"{root}/{name}"):
                _take(found, path, usual + path[len(root) :])
    for name in _ROOT_GROUP_FILES:
        for middle in ("", "/unified"):
            path = f"/fs/cgroup{middle}/{name}"
            _take(found, sys + path, "/sys" + path)
    if proc == "/proc":
        for pattern in ELSEWHERE:
            for path in _matching(pattern):
                _take(found, path, path)
        found.update(_switches())
        found.update(netlink.queueing())
        found.update(ethtool.link_facts())
        found.update(namespaces.host_facts())
    return found


def files_of_group(folders: dict[str, str], sys: str) -> dict[str, str]:
    """Limits of one control group; ``folders`` by controller, as if ``sys`` were ``/sys``."""
    found: dict[str, str] = {}
    for folder in set(folders.values()):
        for name in _GROUP_FILES:
            if folder:
                path = f"{folder}/{name}"
                _take(found, sys + path[len("/sys") :], path)
    return found


def files_of_process(proc: str, pid: int) -> dict[str, str]:
    """Memory of a VMM: what needs no right."""
    data = files.read(f"{proc}/{pid}/status")
    return {f"/proc/{pid}/status": data.decode("utf-8", "replace")} if data else {}


def changed(before: dict[str, str], now: dict[str, str]) -> dict[str, str | None]:
    """What is new or other (text) or gone (None)."""
    news: dict[str, str | None] = {p: text for p, text in now.items() if before.get(p) != text}
    news.update({path: None for path in before if path not in now})
    return news


def identity() -> dict[str, object]:
    """The machine, for the head of the stream."""
    names = os.uname()
    return {
        "host": names.nodename,
        "kernel": names.release,
        "machine": names.machine,
        "ticks_per_second": os.sysconf("SC_CLK_TCK"),
        "page_bytes": os.sysconf("SC_PAGE_SIZE"),
        "cpus": os.sysconf("SC_NPROCESSORS_ONLN"),
        "root": os.geteuid() == 0,
        "python": platform.python_version(),
    }


def _matching(pattern: str) -> list[str]:
    if "*" not in pattern and "[" not in pattern:
        return [pattern]
    return sorted(glob.glob(pattern, recursive=True))


def _take(found: dict[str, str], path: str, shown: str) -> None:
    if len(found) > 20_000:
        return
    data = files.read(path, _FILE_BYTES)
    if data is not None and len(data) <= _FILE_BYTES:
        found[shown] = data.decode("utf-8", "replace")


def _switches() -> dict[str, str]:
    """Facts that are no file: which device nodes are there."""
    nodes = ("/dev/vhost-net", "/dev/kvm", "/dev/sev", "/dev/vhost-vsock")
    return {node: "present" if os.path.exists(node) else "absent" for node in nodes}
