"""T2: GitHub runners on Kata, and their jobs' pods too.

Source: actions-runner-controller 0.14, charts/gha-runner-scale-set/values.yaml;
runner-container-hooks, the template that ACTIONS_RUNNER_CONTAINER_HOOK_TEMPLATE names.
"""

from typing import Any

from kataui.kata.yamlwriter import write
from kataui.pipelines import guard, parts
from kataui.pipelines.model import Answered, Made, Output, Stage, Where
from kataui.pipelines.renderers import dindparts

_HOOK = "kata-job"
_HOOK_FOLDER = "/home/runner/kata"
_CHARTS = "oci://ghcr.io/actions/actions-runner-controller-charts"
_README = """\
# {name}

1. Make the namespace and the secret of the GitHub App:

       kubectl apply -f namespace.yaml
       kubectl -n {namespace} create secret generic {secret} \\
         --from-literal=github_app_id=ID --from-literal=github_app_installation_id=ID \\
         --from-file=github_app_private_key=app.pem

2. Install the controller (once a cluster) and the scale set:

       helm upgrade --install arc {charts}/gha-runner-scale-set-controller \\
         --version 0.14.2 --namespace arc-systems --create-namespace
       helm upgrade --install {name} {charts}/gha-runner-scale-set \\
         --version 0.14.2 --namespace {namespace} --values values.yaml

3. Commit `.github/workflows/kata.yml`, or put `runs-on: {name}` into your own jobs.

Every runner{jobs} shows its class:

    kubectl -n {namespace} get pods \\
      -o custom-columns=POD:.metadata.name,CLASS:.spec.runtimeClassName
"""


def render(answered: Answered) -> Output:
    """The values, the hook template, a first workflow, the namespace."""
    pods = answered.text("mode") == "pods"
    enforce = "privileged" if answered.text("mode") == "docker" else "baseline"
    namespace = [*guard.namespace(answered, enforce=enforce)]
    if pods:
        namespace.append(_hook(answered))
    readme = _README.format(
        name=answered.text("name"),
        namespace=answered.text("namespace"),
        secret=answered.text("githubSecret"),
        charts=_CHARTS,
        jobs=" and every job" if pods else "",
    )
    files = (
        Made("values.yaml", (_values(answered),)),
        Made(".github/workflows/kata.yml", (_workflow(answered),)),
        Made("namespace.yaml", tuple(namespace)),
        Made("README.md", text=readme, language="markdown"),
    )
    return Output(files, tuple(_stages(answered, len(namespace))))


def _values(answered: Answered) -> dict[str, Any]:
    mode = answered.text("mode")
    values: dict[str, Any] = {
        "githubConfigUrl": answered.text("githubUrl"),
        "githubConfigSecret": answered.text("githubSecret"),
        "runnerScaleSetName": answered.text("name"),
        "minRunners": min(answered.number("minRunners"), answered.number("maxRunners")),
        "maxRunners": answered.number("maxRunners"),
    }
    if mode == "pods":
        values["containerMode"] = {"type": "kubernetes-novolume"}
    values["template"] = {"spec": _pod(answered)}
    return values


def _pod(answered: Answered) -> dict[str, Any]:
    mode = answered.text("mode")
    cpu, memory = answered.text("cpuLimit"), answered.text("memoryLimit")
    limits = ("500m", "1Gi") if mode == "pods" else (cpu, memory)
    runner: dict[str, Any] = {
        "name": "runner",
        "image": answered.text("runnerImage"),
        "command": ["/home/runner/run.sh"],
        "resources": parts.limits(*limits),
    }
    pod: dict[str, Any] = dict(parts.on_kata(answered))
    if mode == "docker":
        runner["env"] = [{"name": "DOCKER_HOST", "value": "unix:///var/run/docker/docker.sock"}]
        runner["volumeMounts"] = [
            {"name": "socket", "mountPath": "/var/run/docker"},
            {"name": "work", "mountPath": "/home/runner/_work"},
        ]
        daemon = dindparts.daemon(answered, (cpu, answered.text("daemonMemory")))
        daemon["volumeMounts"].append({"name": "work", "mountPath": "/home/runner/_work"})
        pod["initContainers"] = [daemon]
        pod["volumes"] = [*dindparts.volumes(answered), {"name": "work", "emptyDir": {}}]
    elif mode == "pods":
        template = f"{_HOOK_FOLDER}/job.yaml"
        runner["env"] = [
            {"name": "ACTIONS_RUNNER_CONTAINER_HOOK_TEMPLATE", "value": template},
            {"name": "ACTIONS_RUNNER_REQUIRE_JOB_CONTAINER", "value": "true"},
        ]
        mount = {"name": _HOOK, "mountPath": _HOOK_FOLDER, "readOnly": True}
        runner["volumeMounts"] = [mount]
        pod["volumes"] = [{"name": _HOOK, "configMap": {"name": f"{answered.text('name')}-job"}}]
    if mode != "pods":
        pod["automountServiceAccountToken"] = False
    pod["containers"] = [runner]
    return pod


def _hook(answered: Answered) -> dict[str, Any]:
    """Laid over each job's pod, which is another than the runner's."""
    job = {
        "name": "$job",
        "resources": parts.limits(answered.text("cpuLimit"), answered.text("memoryLimit")),
    }
    template = {"spec": {**parts.on_kata(answered), "containers": [job]}}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": parts.metadata(answered, name=f"{answered.text('name')}-job"),
        "data": {"job.yaml": write([template]).text},
    }


def _workflow(answered: Answered) -> dict[str, Any]:
    mode = answered.text("mode")
    step = {"name": "Which kernel", "run": "uname -r; nproc; cat /proc/cmdline"}
    job: dict[str, Any] = {
        "runs-on": answered.text("name"),
        "permissions": {},
        "timeout-minutes": 30,
    }
    if mode == "pods":
        job["container"] = {"image": "docker.io/library/alpine:3.22"}
    steps = [step]
    if mode == "docker":
        steps.append({"name": "Docker", "run": "docker info --format '{{.Driver}}'"})
    return {
        "name": "Kata",
        "on": {"workflow_dispatch": {}, "push": {"branches": ["main"]}},
        "permissions": {},
        "concurrency": {"group": "kata-${{ github.ref }}", "cancel-in-progress": True},
        "jobs": {"kernel": {"name": "Which kernel", **job, "steps": steps}},
    }


def _stages(answered: Answered, objects: int) -> list[Stage]:
    pods = answered.text("mode") == "pods"
    found = [
        Stage(
            "Runner",
            Where.VM,
            "own VM",
            icon="gear",
            file="values.yaml",
            path=("template", "spec", "runtimeClassName"),
            field="mode",
        )
    ]
    if pods:
        found.append(
            Stage(
                "Job",
                Where.VM,
                "own VM",
                icon="term",
                file="namespace.yaml",
                document=objects - 1,
                path=("data", "job.yaml"),
                field="runtimeClass",
            )
        )
    return found
