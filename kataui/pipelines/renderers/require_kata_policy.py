"""T12: only Kata in namespaces with a label; the class is set where none is named.

Source: Kubernetes, ValidatingAdmissionPolicy (v1 since 1.30), MutatingAdmissionPolicy (v1beta1
since 1.34, v1 since 1.36); Kyverno, kyverno.io/v1 ClusterPolicy.
"""

from typing import Any

from kataui.kata.yamlwriter import quoted
from kataui.pipelines import guard, parts
from kataui.pipelines.model import Answered, Made, Output, Stage, Where

_README = """\
# {name}

    kubectl apply -f policy.yaml
    kubectl label namespace NAMESPACE {label}=required

Try it: a pod without a class is {otherwise}.

    kubectl -n NAMESPACE run plain --image=docker.io/library/busybox:1.37.0 --dry-run=server

Remove it:

    kubectl delete -f policy.yaml
"""


def render(answered: Answered) -> Output:
    """The policy, its binding, and how to use them."""
    sets = answered.on("setClass") and (_kyverno_used(answered) or answered.minor() >= (1, 34))
    objects = _kyverno(answered) if _kyverno_used(answered) else _kubernetes(answered, sets=sets)
    readme = _README.format(
        name=answered.text("name"),
        label=answered.text("label"),
        otherwise=f"given {answered.items('classes')[0]}" if sets else "refused",
    )
    stage = Stage(
        "Admission",
        Where.CONTAINER,
        "sets the class" if sets else "refuses the rest",
        icon="shield",
        file="policy.yaml",
        path=("spec",),
        field="classes",
    )
    files = (
        Made("policy.yaml", tuple(objects)),
        Made("README.md", text=readme, language="markdown"),
    )
    return Output(files, (stage,))


def _kyverno_used(answered: Answered) -> bool:
    return answered.text("engine") == "kyverno"


def _kubernetes(answered: Answered, *, sets: bool) -> list[dict[str, Any]]:
    name, marks = answered.text("name"), parts.labels(answered)
    where = {"matchLabels": {answered.text("label"): "required"}}
    found = guard.policy(
        name,
        where,
        guard.validations(answered.items("classes"), answered.items("annotations")),
        marks,
    )
    if sets:
        found += _mutating(answered, where)
    return found


def _mutating(answered: Answered, where: dict[str, Any]) -> list[dict[str, Any]]:
    version = "v1" if answered.minor() >= (1, 36) else "v1beta1"
    name, marks = f"{answered.text('name')}-set", parts.labels(answered)
    first = quoted(answered.items("classes")[0])
    expression = f"Object{{spec: Object.spec{{runtimeClassName: {first}}}}}"
    policy = {
        "apiVersion": f"{guard.GROUP}/{version}",
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": name, "labels": marks},
        "spec": {
            "failurePolicy": "Fail",
            "reinvocationPolicy": "IfNeeded",
            "matchConstraints": {"resourceRules": guard.PODS},
            "matchConditions": [
                {"name": "no-class", "expression": "!has(object.spec.runtimeClassName)"}
            ],
            "mutations": [
                {
                    "patchType": "ApplyConfiguration",
                    "applyConfiguration": {"expression": expression},
                }
            ],
        },
    }
    binding = {
        "apiVersion": f"{guard.GROUP}/{version}",
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": name, "labels": marks},
        "spec": {"policyName": name, "matchResources": {"namespaceSelector": where}},
    }
    return [policy, binding]


def _kyverno(answered: Answered) -> list[dict[str, Any]]:
    classes = answered.items("classes")
    selector = {"matchLabels": {answered.text("label"): "required"}}
    match = {"any": [{"resources": {"kinds": ["Pod"], "namespaceSelector": selector}}]}
    rules: list[dict[str, Any]] = []
    if answered.on("setClass"):
        overlay = {"spec": {"+(runtimeClassName)": classes[0]}}
        rules.append(
            {"name": "set-class", "match": match, "mutate": {"patchStrategicMerge": overlay}}
        )
    rules.append(
        {
            "name": "require-class",
            "match": match,
            "validate": {
                "failureAction": "Enforce",
                "message": f"Pods of this namespace need runtimeClassName {' or '.join(classes)}.",
                "pattern": {"spec": {"runtimeClassName": " | ".join(classes)}},
            },
        }
    )
    return [
        {
            "apiVersion": "kyverno.io/v1",
            "kind": "ClusterPolicy",
            "metadata": {"name": answered.text("name"), "labels": parts.labels(answered)},
            "spec": {"background": False, "rules": rules},
        }
    ]
