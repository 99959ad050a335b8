"""The namespace of jobs, and the policy that keeps pods without Kata out of it.

Nothing that a CI system sets reaches every pod that it makes; an admission policy does
(pipelines.md 0.11). Source: Kubernetes, ValidatingAdmissionPolicy (v1 since 1.30) and
MutatingAdmissionPolicy (v1beta1 since 1.34, v1 since 1.36); Pod Security Standards.
"""

import json
from collections.abc import Sequence

from kataui.pipelines.model import Answered
from kataui.pipelines.parts import Object, labels

GROUP = "admissionregistration.k8s.io"
PODS = [
    {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": ["CREATE"],
        "resources": ["pods"],
    }
]
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
    """A policy and its binding: pods of the namespace ``where`` run in one of ``classes``."""
    selector: Object = {"matchLabels": {"kubernetes.io/metadata.name": where}}
    return policy(name, selector, validations(classes, ()), marks)


def validations(classes: Sequence[str], annotations: Sequence[str]) -> list[Object]:
    """What a pod has to be: in one of the classes, with nothing that weakens its machine.

    ``annotations`` are those of Kata that are allowed all the same.
    """
    kata = "!has(object.metadata.annotations) || object.metadata.annotations.all(name, "
    kata += "!name.startsWith('io.katacontainers.')"
    if annotations:
        kata += f" || name in {json.dumps(list(annotations))}"
    one = " or ".join(classes)
    return [
        validation(in_classes(classes), f"Pods of this namespace need runtimeClassName {one}."),
        validation(f"{kata})", "Annotations io.katacontainers.* are for administrators."),
        validation(_NO_HOST, "A virtual machine cannot share its host's network or processes."),
    ]


def policy(name: str, selector: Object, rules: Sequence[Object], marks: Object) -> list[Object]:
    """A ValidatingAdmissionPolicy over pods of selected namespaces, and its binding."""
    return [
        {
            "apiVersion": f"{GROUP}/v1",
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name, "labels": marks},
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": {"resourceRules": PODS},
                "validations": list(rules),
            },
        },
        {
            "apiVersion": f"{GROUP}/v1",
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": name, "labels": marks},
            "spec": {
                "policyName": name,
                "validationActions": ["Deny"],
                "matchResources": {"namespaceSelector": selector},
            },
        },
    ]


def validation(expression: str, message: str) -> Object:
    """One rule of a policy."""
    return {"expression": expression, "message": message, "reason": "Forbidden"}
