"""Which pod a sandbox is: from its bundle, its cgroup path and the names of log folders.

Nothing asks the container runtime. Sources: containerd and CRI-O annotations in the OCI bundle;
kubelet's cgroup names (cgroupfs and systemd drivers) and /var/log/pods/NAMESPACE_NAME_UID.
"""

from __future__ import annotations

import json
import re

from kataui.isolation.collector import files

_POD_UID = re.compile(
    r"pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}|[0-9a-f]{32})"
)
_BUNDLES = "/run/containerd/io.containerd.runtime.v2.task"
_LOGS = "/var/log/pods"
_NAMES = {
    "name": ("io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name"),
    "namespace": ("io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace"),
    "uid": ("io.kubernetes.cri.sandbox-uid", "io.kubernetes.pod.uid"),
}


def identify(sandbox: str, cgroup_path: str, *, host: bool) -> dict[str, str]:
    """Name, namespace, uid and qos, as far as they can be known; ``host``: may read its /run."""
    pod = {"name": "", "namespace": "", "uid": "", "qos": qos(cgroup_path)}
    match = _POD_UID.search(cgroup_path)
    if match:
        pod["uid"] = match.group(1).replace("_", "-")
    if host:
        _from_bundle(sandbox, pod)
        if not pod["name"] and pod["uid"]:
            _from_logs(pod)
    return pod


def qos(cgroup_path: str) -> str:
    """guaranteed, burstable or besteffort for a pod's path; empty outside of kubepods."""
    if "kubepods" not in cgroup_path:
        return ""
    for name in ("besteffort", "burstable"):
        if name in cgroup_path:
            return name
    return "guaranteed"


def _from_bundle(sandbox: str, pod: dict[str, str]) -> None:
    for namespace in ("k8s.io", "default"):
        data = files.read(f"{_BUNDLES}/{namespace}/{sandbox}/config.json", 4 << 20)
        if not data:
            continue
        try:
            annotations = json.loads(data).get("annotations", {})
        except (ValueError, AttributeError):
            continue
        for key, names in _NAMES.items():
            for name in names:
                value = annotations.get(name) if isinstance(annotations, dict) else None
                if isinstance(value, str) and value:
                    pod[key] = value[:256]
        return


def _from_logs(pod: dict[str, str]) -> None:
    for entry in files.listing(_LOGS):
        parts = entry.split("_")
        if len(parts) == 3 and parts[2].replace("_", "-") == pod["uid"]:
            pod["namespace"], pod["name"] = parts[0], parts[1]
