"""T1: GitLab runners whose jobs run on Kata.

Source: GitLab runner 19.4, docs/executors/kubernetes, and its Helm chart's values.yaml.
"""

import json
from typing import Any

import tomlkit

from kataui.pipelines import guard, parts
from kataui.pipelines.model import Answered, Made, Output, Stage, Where

_HELPER = ("500m", "512Mi")
_README = """\
# {name}

1. Make both namespaces, then the secret of the runner:

       kubectl create namespace {namespace}-runner
       kubectl apply -f namespace.yaml
       kubectl -n {namespace}-runner create secret generic {secret} \\
         --from-file=runner-token=token.txt --from-literal=runner-registration-token=

2. Install the runner:

       helm repo add gitlab https://charts.gitlab.io
       helm upgrade --install {name} gitlab/gitlab-runner \\
         --namespace {namespace}-runner --values values.yaml

3. Commit `.gitlab-ci.yml`, or put `tags: [{tag}]` into your own jobs.

Every job shows its class:

    kubectl -n {namespace} get pods \\
      -o custom-columns=POD:.metadata.name,CLASS:.spec.runtimeClassName

A job cannot choose its class; its tag chooses the runner. Services of a job run in its machine.
"""
_KERNEL = 'echo "kernel $(uname -r), $(nproc) CPUs"'


def render(answered: Answered) -> Output:
    """The chart's values, a first pipeline, the namespace of the jobs."""
    tags = answered.items("tags")
    readme = _README.format(
        name=answered.text("name"),
        namespace=answered.text("namespace"),
        secret=answered.text("tokenSecret"),
        tag=tags[0],
    )
    enforce = "privileged" if answered.on("docker") else "baseline"
    files = (
        Made("values.yaml", (_values(answered),)),
        Made(".gitlab-ci.yml", (_pipeline(answered),)),
        Made("namespace.yaml", (*guard.namespace(answered, enforce=enforce), *_rights(answered))),
        Made("README.md", text=readme, language="markdown"),
    )
    runner = Stage(
        "Runner", Where.CONTAINER, "container", icon="gear", file="values.yaml", field="gitlabUrl"
    )
    job = Stage(
        "Job",
        Where.VM,
        "own VM",
        icon="term",
        file="values.yaml",
        path=("runners", "config"),
        field="runtimeClass",
    )
    return Output(files, (runner, job))


def _values(answered: Answered) -> dict[str, Any]:
    return {
        "gitlabUrl": answered.text("gitlabUrl"),
        "concurrent": answered.number("concurrent"),
        "rbac": {"create": False},
        "serviceAccount": {"create": True, "name": answered.text("name")},
        "runners": {
            "secret": answered.text("tokenSecret"),
            "executor": "kubernetes",
            "config": config_toml(answered),
        },
        "resources": parts.limits("500m", "256Mi"),
    }


def config_toml(answered: Answered) -> str:
    """The runner's own configuration; built as values, so that no answer leaves its string."""
    pod = tomlkit.table()
    for key, value in _settings(answered).items():
        pod[key] = value
    selector = answered.pairs("nodeSelector")
    if selector:
        pod["node_selector"] = selector
    if answered.on("docker"):
        pod["volumes"] = {"empty_dir": _empty_dirs(answered)}
    runner = tomlkit.table()
    runner["name"] = answered.text("name")
    runner["executor"] = "kubernetes"
    runner["kubernetes"] = pod
    runners = tomlkit.aot()
    runners.append(runner)
    document = tomlkit.document()
    document["runners"] = runners
    return tomlkit.dumps(document)


def _settings(answered: Answered) -> dict[str, Any]:
    """``[runners.kubernetes]``: both limits for every container, nothing that jobs may change."""
    settings: dict[str, Any] = {
        "namespace": answered.text("namespace"),
        "image": answered.text("image"),
        "runtime_class_name": answered.text("runtimeClass"),
        "privileged": answered.on("docker"),
        "poll_timeout": answered.number("pollTimeout"),
        "automount_service_account_token": False,
        "pod_annotations_overwrite_allowed": "",
        "node_selector_overwrite_allowed": "",
        "service_account_overwrite_allowed": "",
    }
    for prefix, cpu, memory in (
        ("", answered.text("cpuLimit"), answered.text("memoryLimit")),
        ("service_", answered.text("serviceCpu"), answered.text("serviceMemory")),
        ("helper_", *_HELPER),
    ):
        for kind in ("request", "limit"):
            settings[f"{prefix}cpu_{kind}"] = cpu
            settings[f"{prefix}memory_{kind}"] = memory
    if answered.text("helperImage"):
        settings["helper_image"] = answered.text("helperImage")
    return settings


def _empty_dirs(answered: Answered) -> list[dict[str, str]]:
    layers = {"name": "layers", "mount_path": "/var/lib/docker"}
    if answered.text("layers") == "memory":
        layers |= {"medium": "Memory", "size_limit": answered.text("layersSize")}
    certificates = {"name": "certificates", "mount_path": "/certs/client", "medium": "Memory"}
    return [layers, certificates]


def _pipeline(answered: Answered) -> dict[str, Any]:
    tags = answered.items("tags")
    pipeline: dict[str, Any] = {
        "stages": ["test"],
        "which-kernel": {"stage": "test", "tags": tags, "script": [_KERNEL]},
    }
    if answered.on("docker"):
        pipeline["docker"] = {
            "stage": "test",
            "tags": tags,
            "image": "docker.io/library/docker:28.5.1-cli",
            "services": [{"name": answered.text("dindImage"), "alias": "docker"}],
            "variables": {
                "DOCKER_HOST": "tcp://docker:2376",
                "DOCKER_TLS_CERTDIR": "/certs",
                "DOCKER_TLS_VERIFY": "1",
                "DOCKER_CERT_PATH": "/certs/client",
            },
            "script": ["docker info --format " + json.dumps("{{.Driver}}")],
        }
    return pipeline


def _rights(answered: Answered) -> list[dict[str, Any]]:
    """What the runner may do in the jobs' namespace (docs: "Configure runner API permissions")."""
    name = answered.text("name")
    verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
    rules = [
        {"apiGroups": [""], "resources": ["pods", "secrets", "configmaps"], "verbs": verbs},
        {"apiGroups": [""], "resources": ["pods/exec", "pods/attach"], "verbs": verbs},
        {"apiGroups": [""], "resources": ["pods/log", "events"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["services"], "verbs": ["create", "get"]},
    ]
    api = "rbac.authorization.k8s.io"
    account = {
        "kind": "ServiceAccount",
        "name": name,
        "namespace": f"{answered.text('namespace')}-runner",
    }
    return [
        {
            "apiVersion": f"{api}/v1",
            "kind": "Role",
            "metadata": parts.metadata(answered),
            "rules": rules,
        },
        {
            "apiVersion": f"{api}/v1",
            "kind": "RoleBinding",
            "metadata": parts.metadata(answered),
            "roleRef": {"apiGroup": api, "kind": "Role", "name": name},
            "subjects": [account],
        },
    ]
