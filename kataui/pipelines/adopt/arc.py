"""GitHub's Actions Runner Controller: values of a scale set, and the runner kinds themselves.

Source: actions-runner-controller 0.14, charts/gha-runner-scale-set/values.yaml, and
runner-container-hooks (the template that ACTIONS_RUNNER_CONTAINER_HOOK_TEMPLATE names is laid over
the job's pod). The job's container is another pod in the Kubernetes modes: a class for the runner
alone leaves it on the host's kernel.
"""

from collections.abc import Iterator
from typing import Any

from kataui.findings import Finding, Severity
from kataui.kata.edits import Put
from kataui.kata.manifest import Document, Path, list_at, text_at, value_at
from kataui.kata.yamlwriter import write
from kataui.pipelines.adopt.changes import Change, Edit, Extra
from kataui.pipelines.adopt.limits import memory_changes
from kataui.pipelines.adopt.wish import Wish, class_change, place_name

HOOK_ENV = "ACTIONS_RUNNER_CONTAINER_HOOK_TEMPLATE"
_HOOK_NAME = "kata-job-template"
_HOOK_FOLDER = "/home/runner/kata"
_HOOK_FILE = "job.yaml"
_KINDS = ("AutoscalingRunnerSet", "EphemeralRunnerSet", "RunnerDeployment", "RunnerSet", "Runner")
_WHY = "The runner's pod, and the jobs that run inside it, get a kernel of their own."
_WHY_HOOK = (
    "In this mode GitHub's hooks start each job in a pod of its own. Without a template that names "
    "the class, the untrusted code runs on the host's kernel although the runner does not."
)


def recognises(document: Document) -> bool:
    """Whether these are values of a scale set, or a runner kind."""
    runner = document.api_version.startswith(("actions.github.com/", "actions.summerwind.dev/"))
    return "githubConfigUrl" in document.mapping or (runner and document.kind in _KINDS)


def changes(document: Document, wish: Wish) -> Iterator[Change | Finding | Extra]:
    """What would have to change."""
    spec: Path = ("template", "spec") if not document.kind else ("spec", "template", "spec")
    if document.api_version.startswith("actions.summerwind.dev/") and document.kind != "RunnerSet":
        spec = ("spec", "template", "spec") if document.kind == "RunnerDeployment" else ("spec",)
    change = class_change(document, spec, wish, labels=False, why=_WHY, what="runner")
    if change:
        yield change
    for number, _ in enumerate(list_at(document.value, (*spec, "containers"))):
        yield from memory_changes(document, (*spec, "containers", number, "resources"), wish)
    mode = text_at(document.value, ("containerMode", "type"))
    if mode.startswith("kubernetes"):
        yield from _hook(document, spec, wish)
    elif mode == "dind":
        yield Finding(
            "K-ARC-2",
            Severity.WARNING,
            "containerMode",
            "The chart's dind has no volume for /var/lib/docker: on Kata it copies every layer.",
            why="Its graph lies on virtio-fs, where overlayfs cannot work, so Docker falls back.",
            fix="Leave containerMode out and write the dind container with a memory emptyDir: the "
            "template “GitHub runner scale set” makes it.",
            location=document.location(("containerMode", "type")),
        )


def _hook(document: Document, spec: Path, wish: Wish) -> Iterator[Change | Extra]:
    containers = list_at(document.value, (*spec, "containers"))
    runner = next(
        (n for n, c in enumerate(containers) if isinstance(c, dict) and c.get("name") == "runner"),
        None,
    )
    if runner is not None and _has_hook(containers[runner]):
        return
    if runner is None:
        return
    line = document.line_of(("containerMode",))
    yield Change(
        f"{place_name(document, 'hook')}-{line}",
        "Run each job's pod in a virtual machine too",
        _WHY_HOOK,
        line,
        tuple(_hook_edits(document, spec, runner, containers[runner])),
    )
    yield Extra(f"{_HOOK_NAME}.yaml", _hook_config_map(wish), _WHY_HOOK)


def _has_hook(container: dict[str, Any]) -> bool:
    names = (e.get("name") for e in list_at(container, ("env",)) if isinstance(e, dict))
    return HOOK_ENV in names


def _hook_edits(
    document: Document, spec: Path, runner: int, container: dict[str, Any]
) -> Iterator[Edit]:
    place: Path = (*spec, "containers", runner)
    for key, item in (
        ("env", {"name": HOOK_ENV, "value": f"{_HOOK_FOLDER}/{_HOOK_FILE}"}),
        ("volumeMounts", {"name": _HOOK_NAME, "mountPath": _HOOK_FOLDER, "readOnly": True}),
    ):
        yield _appended(document, (*place, key), value_at(container, (key,)), item)
    volume = {"name": _HOOK_NAME, "configMap": {"name": _HOOK_NAME}}
    yield _appended(
        document, (*spec, "volumes"), value_at(document.value, (*spec, "volumes")), volume
    )


def _appended(document: Document, path: Path, there: Any, item: dict[str, Any]) -> Edit:
    if isinstance(there, list) and there:
        return Put(document.index, (*path, len(there)), item)
    return Put(document.index, path, [item])


def _hook_config_map(wish: Wish) -> str:
    inner = {
        "spec": {
            "runtimeClassName": wish.runtime_class,
            "nodeSelector": dict(wish.node_labels),
            "containers": [
                {
                    "name": "$job",
                    "resources": {"limits": {"cpu": "2", "memory": wish.memory}},
                }
            ],
        }
    }
    config_map = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": _HOOK_NAME},
        "data": {_HOOK_FILE: write([inner]).text},
    }
    return write([config_map], head="Apply it in the namespace of the runners first.").text
