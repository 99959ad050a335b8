"""The agent's policy: what it lets the host ask of a guest, as far as its text shows it.

Sources: kata-containers src/agent/policy (rules by request name; ``AllowRequestsFailingPolicy``),
src/tools/genpolicy (rules.rego, then ``policy_data := `` and JSON; ``containers[0]`` is the pause
container). Rego of one's own is not evaluated here.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from kataui.kata.manifest import list_at, mapping_at, text_at

_DEFAULT = re.compile(r"^\s*default\s+(\w+Request)\s*:?=\s*true\b", re.MULTILINE)
_FAILING = re.compile(r"^\s*default\s+AllowRequestsFailingPolicy\s*:?=\s*true\b", re.MULTILINE)
_DATA = "policy_data :="
_IMAGE = "io.kubernetes.cri.image-name"
_TYPE = "io.kubernetes.cri.container-type"
# What gives the host the inside of the guest, worst first, and what it then can do
POWERS: Mapping[str, str] = {
    "SetPolicyRequest": "replace the policy",
    "ExecProcessRequest": "run commands in a container",
    "CreateContainerRequest": "start any container",
    "CopyFileRequest": "write files into the guest",
    "UpdateEphemeralMountsRequest": "change mounts",
    "ReadStreamRequest": "read what the containers print",
    "WriteStreamRequest": "type into the containers",
    "GetDiagnosticDataRequest": "read diagnostic data",
}
_MUST_ALLOW_ALL = ("CreateContainerRequest", "ExecProcessRequest")


class PolicyKind(StrEnum):
    """What kind of policy it is."""

    ALLOW_ALL = "allow-all"
    GENPOLICY = "genpolicy"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class PolicyContainer:
    """A container that the policy lets the host start."""

    image: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy as far as it can be read; ``allowed`` are requests of ``POWERS`` that pass."""

    kind: PolicyKind
    allowed: tuple[str, ...] = ()
    containers: tuple[PolicyContainer, ...] = ()
    fails_open: bool = False
    commands: tuple[str, ...] = field(default=())


def read_policy(text: str) -> Policy:
    """What a policy's text shows; it is never evaluated."""
    fails_open = _FAILING.search(text) is not None
    data = _data(text)
    allowed = set(_DEFAULT.findall(text))
    if data is None:
        everything = fails_open or all(name in allowed for name in _MUST_ALLOW_ALL)
        kind = PolicyKind.ALLOW_ALL if everything else PolicyKind.CUSTOM
        return Policy(kind, _ordered(allowed), (), fails_open)
    allowed |= {name for name in POWERS if _request_allowed(data, name)}
    commands = [
        " ".join(map(str, command)) if isinstance(command, list) else str(command)
        for command in list_at(data, ("request_defaults", "ExecProcessRequest", "allowed_commands"))
    ]
    containers = tuple(_containers(data))
    return Policy(PolicyKind.GENPOLICY, _ordered(allowed), containers, fails_open, tuple(commands))


def _ordered(allowed: set[str]) -> tuple[str, ...]:
    return tuple(name for name in POWERS if name in allowed)


def _request_allowed(data: Mapping[str, Any], name: str) -> bool:
    return mapping_at(data, ("request_defaults",)).get(name) is True


def _data(text: str) -> dict[str, Any] | None:
    """The JSON after the last ``policy_data :=``; None when there is none that can be read."""
    _, mark, rest = text.rpartition(_DATA)
    if not mark:
        return None
    try:
        value, _ = json.JSONDecoder().raw_decode(rest.strip())
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _containers(data: Mapping[str, Any]) -> Iterator[PolicyContainer]:
    """Without the pause container, which comes with the guest."""
    for number, value in enumerate(list_at(data, ("containers",))):
        annotations = mapping_at(value, ("OCI", "Annotations"))
        sandbox = annotations.get(_TYPE) == "sandbox"
        image = text_at(annotations, (_IMAGE,))
        if sandbox or (number == 0 and not image):
            continue
        arguments = list_at(value, ("OCI", "Process", "Args"))
        yield PolicyContainer(image, tuple(str(item) for item in arguments))
