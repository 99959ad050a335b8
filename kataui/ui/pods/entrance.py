"""Telling a pod's manifest from other files, without loading what reads it."""

import re
from pathlib import Path

_KINDS = (
    "Pod|PodList|PodTemplate|Deployment|StatefulSet|DaemonSet|ReplicaSet|ReplicationController|"
    "Job|CronJob|DeploymentConfig"
)
_YAML = re.compile(rf"^kind:[ \t]*[\"']?(?:{_KINDS})\b[\"']?[ \t]*(?:#.*)?\r?$", re.MULTILINE)
_JSON = re.compile(rf'"kind"\s*:\s*"(?:{_KINDS}|List)"')
_KNATIVE = re.compile(r"^apiVersion:[ \t]*[\"']?serving\.knative\.dev/", re.MULTILINE)
_LIST = re.compile(rf"^[ \t]+kind:[ \t]*(?:{_KINDS})\b", re.MULTILINE)
_SUFFIXES = (".yaml", ".yml", ".json")
_LOOK_BYTES = 1 << 18


def is_pod(path: str) -> bool:
    """Whether a file looks like a manifest of a workload: Pod, Deployment, Job, Knative ...

    Pipelines, policies and values, which may hold pods, too, are for their own tab.
    """
    place = Path(path)
    if place.suffix.lower() not in _SUFFIXES:
        return False
    try:
        with place.open("rb") as stream:
            text = stream.read(_LOOK_BYTES).decode(errors="replace")
    except OSError:
        return False
    if text.lstrip("\ufeff \t\r\n").startswith("{"):  # JSON is YAML, too
        return _JSON.search(text) is not None
    if "kind: List" in text and _LIST.search(text):
        return True
    return bool(_YAML.search(text) or _KNATIVE.search(text))
