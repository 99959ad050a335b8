"""Which CI system a document belongs to, by its shape.

Source of the shapes: the charts and APIs of each system (reference in the rules of the system).
"""

from collections.abc import Callable, Mapping
from typing import Any

from kataui.kata.manifest import Document, list_at, mapping_at, text_at
from kataui.kata.pods import KUBERNETES

TEKTON = "Tekton"
ARGO = "Argo Workflows"
GITLAB = "GitLab runner"
GITLAB_CI = "GitLab CI"
ARC = "GitHub runner scale set"
JENKINS = "Jenkins"
WOODPECKER = "Woodpecker"
WOODPECKER_AGENT = "Woodpecker agent"
BUILDKITE = "Buildkite"
BUILDKITE_STACK = "Buildkite stack"
CIRCLECI = "CircleCI container runner"
PROW = "Prow"
DRONE = "Drone"
SHIPWRIGHT = "Shipwright"
KATA_DEPLOY = "kata-deploy"
UNKNOWN = ""
ARGO_KINDS = ("Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow")
_GROUPS = (
    ("tekton.dev/", TEKTON),
    ("triggers.tekton.dev/", TEKTON),
    ("actions.github.com/", ARC),
    ("actions.summerwind.dev/", ARC),
    ("prow.k8s.io/", PROW),
    ("shipwright.io/", SHIPWRIGHT),
)
KATA_ALIAS = "kata-as-coco-runtime"  # kata-deploy inside CoCo's umbrella chart


def system_of(document: Document) -> str:
    """The system that reads a document; ``Kubernetes`` for its own objects; empty if unknown."""
    value = document.mapping
    api_version = value.get("apiVersion")
    if isinstance(api_version, str) and isinstance(value.get("kind"), str):
        if api_version.startswith("argoproj.io/") and value["kind"] in ARGO_KINDS:
            return ARGO
        for prefix, system in _GROUPS:
            if api_version.startswith(prefix):
                return system
        return KUBERNETES
    for system, fits in _SHAPES:
        if fits(value):
            return system
    return UNKNOWN


def kata_deploy_values(value: Mapping[str, Any]) -> tuple[tuple[str, ...], Mapping[str, Any]]:
    """(path, values) of kata-deploy's chart, also below CoCo's umbrella chart."""
    inner = value.get(KATA_ALIAS)
    return ((KATA_ALIAS,), inner) if isinstance(inner, dict) else ((), value)


def steps_of(value: Mapping[str, Any]) -> list[tuple[tuple[str | int, ...], Mapping[str, Any]]]:
    """(path, step) of a Woodpecker or Buildkite pipeline; steps are a list, or named."""
    found: list[tuple[tuple[str | int, ...], Mapping[str, Any]]] = []
    for group in ("steps", "services", "clone"):
        steps = value.get(group)
        if isinstance(steps, dict):
            items: list[tuple[str | int, Any]] = list(steps.items())
        elif isinstance(steps, list):
            items = list(enumerate(steps))
        else:
            continue
        found += [((group, key), step) for key, step in items if isinstance(step, dict)]
    return found


def _is_kata_deploy(value: Mapping[str, Any]) -> bool:
    _, values = kata_deploy_values(value)
    keys = ("shims", "k8sDistribution", "customRuntimes", "defaultShim")
    return any(key in values for key in keys)


def _is_arc(value: Mapping[str, Any]) -> bool:
    if "githubConfigUrl" in value or "githubConfigSecret" in value:
        return True
    return "containerMode" in value and "template" in value


def _is_gitlab(value: Mapping[str, Any]) -> bool:
    runners = value.get("runners")
    if isinstance(runners, list):
        return any(isinstance(r, dict) and ("executor" in r or "kubernetes" in r) for r in runners)
    return "gitlabUrl" in value or isinstance(mapping_at(value, ("runners",)).get("config"), str)


def _is_jenkins(value: Mapping[str, Any]) -> bool:
    if isinstance(value.get("jenkins"), dict) and "clouds" in value["jenkins"]:
        return True
    return bool(mapping_at(value, ("controller", "JCasC"))) or bool(
        text_at(value, ("agent", "yamlTemplate"))
    )


def _is_woodpecker_agent(value: Mapping[str, Any]) -> bool:
    return any(str(key).startswith("WOODPECKER_") for key in mapping_at(value, ("agent", "env")))


def _is_buildkite_stack(value: Mapping[str, Any]) -> bool:
    config = mapping_at(value, ("config",))
    return any(key in config for key in ("pod-spec-patch", "prohibit-kubernetes-plugin")) or (
        "agentToken" in value and bool(config)
    )


def _is_woodpecker(value: Mapping[str, Any]) -> bool:
    return "jobs" not in value and any(
        path[0] == "steps" and "image" in step for path, step in steps_of(value)
    )


def _is_buildkite(value: Mapping[str, Any]) -> bool:
    known = ("command", "commands", "plugins", "trigger", "block", "group", "input")
    steps = list_at(value, ("steps",))
    return any(isinstance(step, dict) and any(key in step for key in known) for step in steps)


def _is_gitlab_ci(value: Mapping[str, Any]) -> bool:
    if isinstance(value.get("stages"), list):
        return True
    keys = ("script", "trigger", "extends")
    return any(isinstance(job, dict) and any(key in job for key in keys) for job in value.values())


_SHAPES: tuple[tuple[str, Callable[[Mapping[str, Any]], bool]], ...] = (
    (DRONE, lambda value: value.get("kind") == "pipeline" and "steps" in value),
    (ARC, _is_arc),
    (GITLAB, _is_gitlab),
    (JENKINS, _is_jenkins),
    (WOODPECKER_AGENT, _is_woodpecker_agent),
    (CIRCLECI, lambda value: bool(mapping_at(value, ("agent", "resourceClasses")))),
    (BUILDKITE_STACK, _is_buildkite_stack),
    (KATA_DEPLOY, _is_kata_deploy),
    (PROW, lambda value: any(k in value for k in ("presubmits", "postsubmits", "periodics"))),
    (WOODPECKER, _is_woodpecker),
    (BUILDKITE, _is_buildkite),
    (GITLAB_CI, _is_gitlab_ci),
)
