"""Pieces of objects that renderers share. Every pod that they make has limits and its class."""

from typing import Any

from kataui.pipelines.model import Answered

Object = dict[str, Any]
MANAGED_BY = {"app.kubernetes.io/managed-by": "kataui"}


def labels(answered: Answered) -> Object:
    """The labels of everything that comes out."""
    return {"app.kubernetes.io/name": answered.text("name"), **MANAGED_BY}


def metadata(answered: Answered, *, name: str = "", **more: Any) -> Object:
    """``metadata`` of an object in the namespace of the answers."""
    return {
        "name": name or answered.text("name"),
        "namespace": answered.text("namespace"),
        "labels": labels(answered),
        **more,
    }


def limits(cpu: str, memory: str) -> Object:
    """``resources`` with both limits, which are the requests too.

    Kata sizes the guest by limits; a CPU limit alone would boot one of 32 MiB.
    """
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"cpu": cpu, "memory": memory}}


def on_kata(answered: Answered) -> Object:
    """The class, and beside it the node label: what copies only one of them still finds a node."""
    selector = answered.pairs("nodeSelector")
    return {
        "runtimeClassName": answered.text("runtimeClass"),
        **({"nodeSelector": selector} if selector else {}),
    }


def restricted() -> Object:
    """The security context of a container for the Pod Security Standard "restricted"."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
