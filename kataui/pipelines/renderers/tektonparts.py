"""Tekton tasks and steps that two templates share. Answers reach scripts as variables only.

Source: tektoncd/pipeline, docs/tasks.md and docs/variables.md (v1). Steps of a task are containers
of one pod, so Kata sizes its machine by the sum of their limits: only the step that needs much
gets much.
"""

from typing import Any

from kataui.pipelines import guard, parts
from kataui.pipelines.model import Answered

Object = dict[str, Any]
SMALL = ("250m", "256Mi")
_AUTH = "/registry"
_GRAPH = "/var/lib/containers"
_CLONE = """\
#!/bin/sh
set -eu
git clone --quiet --depth 1 --branch "$REVISION" -- "$GIT_URL" /source/repository
git -C /source/repository rev-parse HEAD
"""
_BUILDAH = """\
#!/bin/sh
set -eu
cd "/source/repository/$CONTEXT"
buildah --storage-driver "$DRIVER" build --isolation chroot --file "$DOCKERFILE" --tag "$IMAGE" .
buildah --storage-driver "$DRIVER" push --digestfile /source/digest "$IMAGE" "docker://$IMAGE"
printf '%s' "$(cat /source/digest)" >"$(results.digest.path)"
"""
_BUILDKIT = """\
#!/bin/sh
set -eu
buildctl-daemonless.sh build --frontend dockerfile.v0 \\
  --local context="/source/repository/$CONTEXT" --local dockerfile="/source/repository/$CONTEXT" \\
  --opt filename="$DOCKERFILE" --metadata-file /source/metadata.json \\
  --output "type=image,name=$IMAGE,push=true"
sed -n 's/.*"containerimage.digest": *"\\([^"]*\\)".*/\\1/p' /source/metadata.json |
  tr -d '\\n' >"$(results.digest.path)"
"""


def task(answered: Answered, suffix: str, spec: Object) -> Object:
    """A task named after the pipeline."""
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "Task",
        "metadata": parts.metadata(answered, name=f"{answered.text('name')}-{suffix}"),
        "spec": spec,
    }


def step(name: str, image: str, limits: tuple[str, str] = SMALL, **more: Any) -> Object:
    """A step with both limits."""
    return {"name": name, "image": image, "computeResources": parts.limits(*limits), **more}


def env(**values: str) -> list[Object]:
    """Variables of a step: the only way by which an answer reaches a script."""
    return [{"name": name, "value": value} for name, value in values.items()]


def registry_volume(answered: Answered) -> Object:
    """The registry's credentials, laid out as docker's config.json."""
    items = [{"key": ".dockerconfigjson", "path": "config.json"}]
    return {
        "name": "registry",
        "secret": {"secretName": answered.text("registrySecret"), "items": items},
    }


def with_registry(step_: Object) -> Object:
    """A step that may talk to the registry."""
    variables = env(DOCKER_CONFIG=_AUTH, REGISTRY_AUTH_FILE=f"{_AUTH}/config.json", HOME="/tmp")  # noqa: S108 - in the pod
    mounts = [*step_.get("volumeMounts", []), {"name": "registry", "mountPath": _AUTH}]
    return {**step_, "env": [*step_.get("env", []), *variables], "volumeMounts": mounts}


def build_task(answered: Answered, image: str) -> Object:
    """Clone, test and build in one machine: the code that nobody trusts yet stays together."""
    source = [{"name": "source", "mountPath": "/source"}]
    steps = [
        step(
            "clone",
            answered.text("gitImage"),
            env=env(GIT_URL=answered.text("gitUrl"), REVISION=answered.text("revision")),
            script=_CLONE,
            volumeMounts=source,
        )
    ]
    if answered.on("test"):
        script = "#!/bin/sh\nset -eu\ncd /source/repository\n" + answered.text("testCommand")
        steps.append(
            step(
                "test",
                answered.text("testImage"),
                ("500m", "512Mi"),
                script=f"{script.rstrip()}\n",
                volumeMounts=source,
            )
        )
    steps.append(_build_step(answered, image, source))
    volumes = [{"name": "source", "emptyDir": {}}, registry_volume(answered)]
    if answered.text("layers") == "memory" and answered.text("builder") != "kaniko":
        size = answered.text("layersSize")
        volumes.append({"name": "layers", "emptyDir": {"medium": "Memory", "sizeLimit": size}})
    results = [{"name": "digest", "description": "Digest of the image that was pushed."}]
    return task(answered, "build", {"results": results, "steps": steps, "volumes": volumes})


def _build_step(answered: Answered, image: str, source: list[Object]) -> Object:
    builder = answered.text("builder")
    limits = (answered.text("cpuLimit"), answered.text("memoryLimit"))
    in_memory = answered.text("layers") == "memory"
    mounts = list(source)
    if in_memory and builder != "kaniko":
        graph = _GRAPH if builder == "buildah" else "/var/lib/buildkit"
        mounts.append({"name": "layers", "mountPath": graph})
    variables = env(
        IMAGE=image,
        CONTEXT=answered.text("context"),
        DOCKERFILE=answered.text("dockerfile"),
        DRIVER="overlay" if in_memory else "vfs",
    )
    if builder == "kaniko":
        return with_registry(_kaniko(answered, image, limits, mounts))
    script = _BUILDAH if builder == "buildah" else _BUILDKIT
    name = "buildahImage" if builder == "buildah" else "buildkitImage"
    # Privileged in the guest: kata-deploy keeps the host's devices out of such containers.
    security = {"privileged": True, "runAsUser": 0}
    more: Object = {"env": variables, "script": script, "volumeMounts": mounts}
    built = step("build", answered.text(name), limits, securityContext=security, **more)
    return with_registry(built)


def _kaniko(
    answered: Answered, image: str, limits: tuple[str, str], mounts: list[Object]
) -> Object:
    """It needs no rights: it unpacks layers over its own root."""
    arguments = [
        f"--context=dir:///source/repository/{answered.text('context')}",
        f"--dockerfile={answered.text('dockerfile')}",
        f"--destination={image}",
        "--digest-file=$(results.digest.path)",
    ]
    return step(
        "build",
        answered.text("kanikoImage"),
        limits,
        command=["/kaniko/executor"],
        args=arguments,
        securityContext={"runAsUser": 0},
        volumeMounts=mounts,
    )


def scan_step(answered: Answered, reference: str) -> Object:
    """Grype over what was pushed; it fails from a severity on."""
    arguments = [f"registry:{reference}", "--fail-on", answered.text("failOn"), "--quiet"]
    limits = ("1", "2Gi")  # its database is unpacked into memory
    scan = step("scan", answered.text("grypeImage"), limits, command=["/grype"], args=arguments)
    return with_registry(scan)


def sign_steps(answered: Answered, reference: str) -> list[Object]:
    """A list of what is in the image, then cosign over its digest."""
    reports = [{"name": "reports", "mountPath": "/reports"}]
    listing = step(
        "list",
        answered.text("syftImage"),
        ("500m", "1Gi"),
        command=["/syft"],
        args=["scan", f"registry:{reference}", "--output", "spdx-json=/reports/sbom.spdx.json"],
        volumeMounts=reports,
    )
    return [with_registry(listing), *cosign_steps(answered, reference, reports=reports)]


def cosign_steps(
    answered: Answered, reference: str, *, reports: list[Object] | None = None
) -> list[Object]:
    """Signs, and attests the list when there is one."""
    log = "true" if answered.on("publicLog") else "false"
    key = answered.text("sign") == "key"
    who = ["--key", "/key/cosign.key"] if key else ["--identity-token", "/identity/token"]
    mounts = [{"name": "key", "mountPath": "/key"}] if key else []
    mounts += [] if key else [{"name": "identity", "mountPath": "/identity"}]
    secret = {"name": answered.text("signSecret"), "key": "cosign.password"}
    variables = [{"name": "COSIGN_PASSWORD", "valueFrom": {"secretKeyRef": secret}}] if key else []
    base = ["--yes", f"--tlog-upload={log}", *who]
    image = answered.text("cosignImage")
    made = [("sign", ["sign", *base, reference], mounts)]
    if reports:
        arguments = ["attest", *base, "--type", "spdxjson"]
        arguments += ["--predicate", "/reports/sbom.spdx.json", reference]
        made.append(("attest", arguments, [*mounts, *reports]))
    return [
        with_registry(
            step(
                name,
                image,
                command=["/ko-app/cosign"],
                args=arguments,
                env=variables,
                volumeMounts=places,
            )
        )
        for name, arguments, places in made
    ]


def sign_volumes(answered: Answered) -> list[Object]:
    """What the steps that sign mount."""
    volumes: list[Object] = [registry_volume(answered), {"name": "reports", "emptyDir": {}}]
    if answered.text("sign") == "key":
        volumes.append({"name": "key", "secret": {"secretName": answered.text("signSecret")}})
    else:
        token = {"audience": "sigstore", "expirationSeconds": 600, "path": "token"}
        volumes.append(
            {"name": "identity", "projected": {"sources": [{"serviceAccountToken": token}]}}
        )
    return volumes


def digest_param() -> list[Object]:
    """The parameter by which a task gets the digest that another has made."""
    return [{"name": "digest", "type": "string", "description": "sha256:… of the image."}]


def pipeline_task(
    answered: Answered, suffix: str, *, after: str = "", digest_from: str = "build"
) -> Object:
    """A task in the pipeline; it gets the digest of an earlier one."""
    entry: Object = {"name": suffix, "taskRef": {"name": f"{answered.text('name')}-{suffix}"}}
    if digest_from:
        value = f"$(tasks.{digest_from}.results.digest)"
        entry["params"] = [{"name": "digest", "value": value}]
    if after:
        entry["runAfter"] = [after]
    return entry


def pipeline(answered: Answered, tasks: list[Object]) -> Object:
    """The pipeline."""
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "Pipeline",
        "metadata": parts.metadata(answered),
        "spec": {"tasks": tasks},
    }


def run(answered: Answered, **more: Any) -> Object:
    """A run: every task on Kata. In v1 the pod template is in ``taskRunTemplate``."""
    name = answered.text("name")
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {
            "generateName": f"{name}-",
            "namespace": answered.text("namespace"),
            "labels": parts.labels(answered),
        },
        "spec": {
            "pipelineRef": {"name": name},
            "taskRunTemplate": {
                "serviceAccountName": name,
                "podTemplate": {
                    **parts.on_kata(answered),
                    "automountServiceAccountToken": False,
                },
            },
            "timeouts": {"pipeline": "1h0m0s"},
            **more,
        },
    }


def namespace(answered: Answered) -> tuple[Object, ...]:
    """The namespace with its guard, and the service account of the runs, which has no rights.

    Builders are root in their own guest, so the namespace allows what the guard confines.
    """
    needs = "baseline" if answered.text("builder") == "kaniko" else "privileged"
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": parts.metadata(answered),
        "automountServiceAccountToken": False,
    }
    return (*guard.namespace(answered, enforce=needs), account)
