"""The namespace of jobs, and the policy that keeps pods without Kata out of it.

Nothing that a CI system sets reaches every pod that it makes; an admission policy does
(pipelines.md 0.11). Source: Kubernetes, ValidatingAdmissionPolicy (v1 since 1.30) and
MutatingAdmissionPolicy (v1beta1 since 1.34, v1 since 1.36); Pod Security Standards.
"""

import json
from collections.abc import Sequence

from kataui.pipelines.model import Answered
from kataui.pipelines.parts import Object, labels

_GROUP = "admissionregistration.k8s.io"
_PODS = [
    {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": ["CREATE"],
        "resources": ["pods"],
    }
]
_NO_ANNOTATIONS = (
    "!has(object.metadata.annotations) || "
    "object.metadata.annotations.all(name, !name.startsWith('io.katacontainers.'))"
)
_NO_HOST = (
    "(!has(object.spec.hostNetwork) || !object.spec.hostNetwork) && "
    "(!has(object.spec.hostPID) || !object.spec.hostPID) && "
    "(!has(object.spec.hostIPC) || !object.spec.hostIPC)"
)


def namespace(answered: Answered, *, enforce: str = "baseline") -> list[Object]:
    """The namespace of the answers, and its guard when that was asked for.

    ``enforce`` is the Pod Security Standard. "privileged" is needed by builders that are root in
    their own guest; it is the guard that keeps such pods off the host's kernel.
    """
    name = answered.text("namespace")
    marks = {f"pod-security.kubernetes.io/{mode}": enforce for mode in ("enforce", "warn")}
    found: list[Object] = [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": {**labels(answered), **marks}},
        }
    ]
    if answered.on("guard"):
        found += require_kata(
            f"kata-only-{name}", name, [answered.text("runtimeClass")], labels(answered)
        )
    return found


def in_classes(classes: Sequence[str]) -> str:
    """A CEL expression: the pod names one of these classes."""
    names = json.dumps(list(classes))  # CEL's strings have JSON's escapes
    return f"has(object.spec.runtimeClassName) && object.spec.runtimeClassName in {names}"


def require_kata(name: str, where: str, classes: Sequence[str], marks: Object) -> list[Object]:
    """A policy and its binding: pods of namespace ``where`` run in one of ``classes``.

    They name no annotation of Kata, which could weaken their machine, and nothing of the host.
    """
    one = " or ".join(classes)
    validations = [
        _validation(in_classes(classes), f"Pods of this namespace need runtimeClassName {one}."),
        _validation(_NO_ANNOTATIONS, "Annotations io.katacontainers.* are for administrators."),
        _validation(_NO_HOST, "A virtual machine cannot share its host's network or processes."),
    ]
    return [
        {
            "apiVersion": f"{_GROUP}/v1",
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name, "labels": marks},
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": {"resourceRules": _PODS},
                "validations": validations,
            },
        },
        {
            "apiVersion": f"{_GROUP}/v1",
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": name, "labels": marks},
            "spec": {
                "policyName": name,
                "validationActions": ["Deny"],
                "matchResources": {
                    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": where}}
                },
            },
        },
    ]


def _validation(expression: str, message: str) -> Object:
    return {"expression": expression, "message": message, "reason": "Forbidden"}
