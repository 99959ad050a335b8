"""T17: Woodpecker with every step on Kata.

Source: woodpecker-ci, docs/20-usage/20-workflow-syntax.md (backend_options) and
docs/30-administration/10-configuration/11-backends/20-kubernetes.md (agent settings); the chart's
values hold the agent's environment in ``agent.env``.
"""

import json
from typing import Any

from kataui.pipelines import guard, parts
from kataui.pipelines.model import Answered, Made, Output, Stage, Where

_README = """\
# {name}

1. Make the namespace and the agent's secret:

       kubectl apply -f namespace.yaml
       {secret}

2. Install the agent beside your server:

       helm upgrade --install {name} oci://ghcr.io/woodpecker-ci/helm/woodpecker \\
         --namespace {namespace} --values values.yaml

3. Commit `.woodpecker.yaml` into the repository that is built.

Every step is a pod and boots a virtual machine: fewer, longer steps are faster than many short.
{note}"""
_NEWER = """
The agent allows steps to name their class, so the guard in `namespace.yaml` is what keeps a step
without a class off the host's kernel.
"""
_OLDER = """
Up to 3.17 whoever may push may also name another class. The guard in `namespace.yaml` refuses it.
"""
_ALLOW = "WOODPECKER_BACKEND_K8S_RUNTIME_CLASS_ALLOW_FROM_STEP"


def render(answered: Answered) -> Output:
    """The chart's values, a pipeline, the namespace with its guard."""
    newer = answered.text("release") == "newer"
    secret = answered.text("agentSecret")
    readme = _README.format(
        name=answered.text("name"),
        namespace=answered.text("namespace"),
        secret=f"kubectl -n {answered.text('namespace')} create secret generic {secret} "
        "--from-file=WOODPECKER_AGENT_SECRET=agent-token.txt",
        note=_NEWER if newer else _OLDER,
    )
    files = (
        Made(".woodpecker.yaml", (_pipeline(answered),)),
        Made("values.yaml", (_values(answered),)),
        Made("namespace.yaml", tuple(guard.namespace(answered))),
        Made("README.md", text=readme, language="markdown"),
    )
    agent = Stage(
        "Agent", Where.CONTAINER, "container", icon="gear", file="values.yaml", field="release"
    )
    job = Stage(
        "Build and test",
        Where.VM,
        "own VM",
        icon="term",
        file=".woodpecker.yaml",
        path=("steps", 0, "backend_options", "kubernetes", "runtimeClassName"),
        field="runtimeClass",
    )
    return Output(files, (agent, job))


def _pipeline(answered: Answered) -> dict[str, Any]:
    on_kata = parts.on_kata(answered)
    return {
        "when": [{"event": ["push", "pull_request", "manual"]}],
        "steps": [
            {
                "name": "build",
                "image": answered.text("image"),
                "commands": answered.items("commands"),
                "backend_options": {
                    "kubernetes": {
                        **on_kata,
                        "resources": parts.limits(
                            answered.text("cpuLimit"), answered.text("memoryLimit")
                        ),
                    }
                },
            }
        ],
    }


def _values(answered: Answered) -> dict[str, Any]:
    shared = answered.text("sharedVolume")
    env = {
        "WOODPECKER_SERVER": answered.text("server"),
        "WOODPECKER_BACKEND": "kubernetes",
        "WOODPECKER_BACKEND_K8S_NAMESPACE": answered.text("namespace"),
        "WOODPECKER_BACKEND_K8S_VOLUME_SIZE": answered.text("volumeSize"),
        "WOODPECKER_BACKEND_K8S_STORAGE_CLASS": shared,
        "WOODPECKER_BACKEND_K8S_STORAGE_RWX": "true" if shared else "false",
        "WOODPECKER_BACKEND_K8S_POD_NODE_SELECTOR": json.dumps(answered.pairs("nodeSelector")),
        "WOODPECKER_BACKEND_K8S_POD_ANNOTATIONS_ALLOW_FROM_STEP": "false",
        "WOODPECKER_BACKEND_K8S_POD_LABELS_ALLOW_FROM_STEP": "false",
        _ALLOW: "true",  # older agents do not know it, and allow it in any case
    }
    return {
        "server": {"enabled": False},
        "agent": {
            "enabled": True,
            "replicaCount": 1,
            "env": env,
            "extraSecretNamesForEnvFrom": [answered.text("agentSecret")],
            "resources": parts.limits("500m", "256Mi"),
        },
    }
