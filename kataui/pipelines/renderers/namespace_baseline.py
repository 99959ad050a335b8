"""T7: a namespace for CI in which no guest boots too small and none takes more than its share."""

from decimal import Decimal
from typing import Any

from kataui.kata import classes
from kataui.kata.quantities import bytes_text, cpus_text, parse_bytes, parse_cpus
from kataui.pipelines import guard, parts
from kataui.pipelines.model import Answered, Made, Output, Stage, Where

_METADATA = "169.254.169.254/32"  # clouds give credentials there
_README = """\
# {name}

    kubectl apply -f baseline.yaml

What it gives each of {jobs} jobs: {cpu} CPUs and {memory} of memory. Kata's own overhead of
{overhead_cpu} CPUs and {overhead_memory} a pod is counted on top, for quotas count it too.

Jobs reach DNS and {networks} on ports {ports}, never the clouds' metadata address. See what is
used:

    kubectl -n {namespace} describe resourcequota,limitrange
"""


def render(answered: Answered) -> Output:
    """Namespace, limits, quota, network policy, account."""
    overhead_cpu, overhead_memory = _overhead(answered)
    objects = (
        *guard.namespace(answered, enforce=answered.text("standard")),
        _limits(answered),
        _quota(answered, overhead_cpu, overhead_memory),
        *_networks(answered),
        _account(answered),
    )
    readme = _README.format(
        name=answered.text("name"),
        namespace=answered.text("namespace"),
        jobs=answered.number("jobs"),
        cpu=answered.text("cpuLimit"),
        memory=answered.text("memoryLimit"),
        overhead_cpu=cpus_text(overhead_cpu),
        overhead_memory=bytes_text(overhead_memory),
        networks=", ".join(answered.items("cidrs")),
        ports=", ".join(answered.items("ports")),
    )
    stage = Stage(
        f"{answered.number('jobs')} jobs",
        Where.VM,
        "own VM each",
        icon="pod",
        file="baseline.yaml",
        field="jobs",
    )
    files = (
        Made("baseline.yaml", objects),
        Made("README.md", text=readme, language="markdown"),
    )
    return Output(files, (stage,))


def _overhead(answered: Answered) -> tuple[Decimal, int]:
    """What the class adds to each pod; the default class's where it is not known."""
    known = classes.find(answered.text("runtimeClass")) or classes.CLASSES[classes.DEFAULT]
    return known.cpus, known.memory_bytes


def _limits(answered: Answered) -> dict[str, Any]:
    cpu, memory = parse_cpus(answered.text("cpuLimit")), parse_bytes(answered.text("memoryLimit"))
    half = {"cpu": cpus_text(cpu / 2), "memory": bytes_text(memory // 2)}
    return {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": parts.metadata(answered),
        "spec": {"limits": [{"type": "Container", "default": half, "defaultRequest": half}]},
    }


def _quota(answered: Answered, overhead_cpu: Decimal, overhead_bytes: int) -> dict[str, Any]:
    jobs = answered.number("jobs")
    cpu = cpus_text((parse_cpus(answered.text("cpuLimit")) + overhead_cpu) * jobs)
    memory = bytes_text((parse_bytes(answered.text("memoryLimit")) + overhead_bytes) * jobs)
    hard = {
        "pods": str(jobs),
        "requests.cpu": cpu,
        "requests.memory": memory,
        "limits.cpu": cpu,
        "limits.memory": memory,
    }
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": parts.metadata(answered),
        "spec": {"hard": hard},
    }


def _networks(answered: Answered) -> list[dict[str, Any]]:
    dns = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
    ports = [{"protocol": "TCP", "port": int(port)} for port in answered.items("ports")]
    to = [{"ipBlock": _block(cidr)} for cidr in answered.items("cidrs")]
    kube_system = {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}
    rules = [
        {"to": [{"namespaceSelector": kube_system}], "ports": dns},
        {"to": to, "ports": ports},
    ]
    return [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": parts.metadata(answered),
            "spec": {
                "podSelector": {},
                "policyTypes": ["Ingress", "Egress"],
                "ingress": [],
                "egress": rules,
            },
        }
    ]


def _block(cidr: str) -> dict[str, Any]:
    return {"cidr": cidr, **({"except": [_METADATA]} if cidr == "0.0.0.0/0" else {})}


def _account(answered: Answered) -> dict[str, Any]:
    """The account that pods get unless they name another: without a token."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": parts.metadata(answered, name="default"),
        "automountServiceAccountToken": False,
    }
