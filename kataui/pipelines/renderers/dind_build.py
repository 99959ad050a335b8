"""T11: Docker in Kata, as a job that any CI system can start."""

from typing import Any

from kataui.pipelines import guard, parts
from kataui.pipelines.model import Answered, Made, Output, Stage, Where
from kataui.pipelines.renderers import dindparts

_README = """\
# {name}

    kubectl apply -f namespace.yaml
    kubectl apply -f job.yaml
    kubectl -n {namespace} wait --for=condition=complete job/{name} --timeout=30m
    kubectl -n {namespace} logs job/{name} --container work

`docker info` has to say `overlay2` or `overlayfs`. If it says `vfs`, the layers lie on a file
system that overlayfs cannot use, and every layer is copied whole.
"""


def render(answered: Answered) -> Output:
    """The job, the namespace, a volume where one is needed."""
    namespace = answered.text("namespace")
    files = (
        Made("job.yaml", tuple(_objects(answered))),
        Made("namespace.yaml", tuple(guard.namespace(answered, enforce="privileged"))),
        Made(
            "README.md",
            text=_README.format(name=answered.text("name"), namespace=namespace),
            language="markdown",
        ),
    )
    pod = ("spec", "template", "spec")
    document = 1 if answered.text("layers") == "block" else 0
    stages = tuple(
        Stage(title, Where.VM, "own VM", icon, "job.yaml", document, (*pod, group, 0), field)
        for title, icon, group, field in (
            ("Docker", "image", "initContainers", "layers"),
            ("Work", "term", "containers", "commands"),
        )
    )
    return Output(files, stages)


def _objects(answered: Answered) -> list[dict[str, Any]]:
    found = [_claim(answered)] if answered.text("layers") == "block" else []
    return [*found, _job(answered)]


def _claim(answered: Answered) -> dict[str, Any]:
    storage = answered.text("storageClass")
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": parts.metadata(answered),
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "volumeMode": "Block",
            **({"storageClassName": storage} if storage else {}),
            "resources": {"requests": {"storage": answered.text("layersSize")}},
        },
    }


def _job(answered: Answered) -> dict[str, Any]:
    block = answered.text("layers") == "block"
    limits = (answered.text("cpuLimit"), answered.text("memoryLimit"))
    volumes = dindparts.volumes(answered)
    if block:
        claim = {"claimName": answered.text("name")}
        volumes[1] = {"name": "layers", "persistentVolumeClaim": claim}
    work = {
        "name": "work",
        "image": answered.text("image"),
        "command": ["sh", "-ec", "\n".join(answered.items("commands"))],
        "env": [{"name": "DOCKER_HOST", "value": "unix:///var/run/docker/docker.sock"}],
        "resources": parts.limits("500m", "512Mi"),
        "volumeMounts": [{"name": "socket", "mountPath": "/var/run/docker"}],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": parts.metadata(answered),
        "spec": {
            "backoffLimit": 0,
            "ttlSecondsAfterFinished": 3600,
            "template": {
                "metadata": {"labels": parts.labels(answered)},
                "spec": {
                    **parts.on_kata(answered),
                    "automountServiceAccountToken": False,
                    "restartPolicy": "Never",
                    "initContainers": [dindparts.daemon(answered, limits, block=block)],
                    "containers": [work],
                    "volumes": volumes,
                },
            },
        },
    }
