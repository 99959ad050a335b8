"""T10: an Argo workflow whose pods all run on Kata.

Source: argoproj/argo-workflows, docs/fields.md; podSpecPatch is the only way to a runtime class,
and the ``wait`` sidecar counts for the size of the virtual machine.
"""

from typing import Any

from kataui.kata.yamlwriter import write
from kataui.pipelines import guard, parts
from kataui.pipelines.model import Answered, Made, Output, Stage, Where

_WAIT = ("100m", "128Mi")
_README = """\
# {name}

Once, for the namespace:

    kubectl apply -f namespace.yaml -f rights.yaml
    kubectl apply -f workflow.yaml

Start it, and watch it:

    kubectl create -f run.yaml
    kubectl -n {namespace} get workflows --watch

Every pod of it shows its class:

    kubectl -n {namespace} get pods \\
      -o custom-columns=POD:.metadata.name,CLASS:.spec.runtimeClassName

Each step boots a virtual machine. Join commands into one step where that takes too long.
"""


def render(answered: Answered) -> Output:
    """The template, its rights, a run, and how to use them."""
    name, namespace = answered.text("name"), answered.text("namespace")
    run = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {
            "generateName": f"{name}-",
            "namespace": namespace,
            "labels": parts.labels(answered),
        },
        "spec": {"workflowTemplateRef": {"name": name}},
    }
    files = (
        Made("workflow.yaml", (_template(answered),)),
        Made("run.yaml", (run,)),
        Made("rights.yaml", tuple(_rights(answered))),
        Made("namespace.yaml", tuple(guard.namespace(answered))),
        Made(
            "README.md",
            text=_README.format(name=name, namespace=namespace),
            language="markdown",
        ),
    )
    return Output(files, tuple(_stages(answered)))


def _template(answered: Answered) -> dict[str, Any]:
    steps = answered.items("steps")
    spec: dict[str, Any] = {
        "entrypoint": "main",
        "serviceAccountName": answered.text("name"),
        "parallelism": answered.number("parallelism"),
        "ttlStrategy": {"secondsAfterCompletion": answered.number("ttl")},
        "podGC": {"strategy": "OnPodCompletion"},
        "podSpecPatch": _patch(answered),
    }
    if answered.on("artifacts"):
        spec["artifactGC"] = {"strategy": "OnWorkflowDeletion", "podSpecPatch": _class(answered)}
    main = {
        "name": "main",
        "steps": [
            [{"name": f"step-{number}", "template": f"step-{number}"}]
            for number, _ in enumerate(steps, 1)
        ],
    }
    spec["templates"] = [main, *(_step(answered, n, s) for n, s in enumerate(steps, 1))]
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "WorkflowTemplate",
        "metadata": parts.metadata(answered),
        "spec": spec,
    }


def _class(answered: Answered) -> str:
    return write([parts.on_kata(answered)]).text


def _patch(answered: Answered) -> str:
    """The class for every pod, and limits for the sidecar that Argo adds to each."""
    wait = {"name": "wait", "resources": parts.limits(*_WAIT)}
    return write([{**parts.on_kata(answered), "containers": [wait]}]).text


def _step(answered: Answered, number: int, command: str) -> dict[str, Any]:
    return {
        "name": f"step-{number}",
        "container": {
            "image": answered.text("image"),
            "command": ["sh", "-ec", command],
            "resources": parts.limits(answered.text("cpuLimit"), answered.text("memoryLimit")),
        },
    }


def _rights(answered: Answered) -> list[dict[str, Any]]:
    """What the executor in each pod needs (workflow-rbac.md): to report results."""
    name = answered.text("name")
    return [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": parts.metadata(answered),
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": parts.metadata(answered),
            "rules": [
                {
                    "apiGroups": ["argoproj.io"],
                    "resources": ["workflowtaskresults"],
                    "verbs": ["create", "patch"],
                }
            ],
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": parts.metadata(answered),
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
            "subjects": [
                {
                    "kind": "ServiceAccount",
                    "name": name,
                    "namespace": answered.text("namespace"),
                }
            ],
        },
    ]


def _stages(answered: Answered) -> list[Stage]:
    return [
        Stage(
            f"Step {number}",
            Where.VM,
            "own VM",
            icon="term",
            file="workflow.yaml",
            path=("spec", "templates", number),
            field="steps",
        )
        for number, _ in enumerate(answered.items("steps"), 1)
    ]
