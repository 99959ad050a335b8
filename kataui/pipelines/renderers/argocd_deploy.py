"""T15: somebody's manifests, deployed on Kata by Argo CD or Flux through a kustomize overlay.

Source: argo-cd, docs/operator-manual/application.yaml; Flux, source.toolkit.fluxcd.io/v1 and
kustomize.toolkit.fluxcd.io/v1; kustomize, "patches" (JSON 6902, RFC 6902).
"""

from pathlib import PurePosixPath
from typing import Any

from kataui.kata.yamlwriter import write
from kataui.pipelines import guard, parts
from kataui.pipelines.model import Answered, Made, Output, Stage, Where

_POD = "/spec/template/spec"
_PODS = {"CronJob": "/spec/jobTemplate/spec/template/spec"}
_README = """\
# {name}

1. Commit `kustomization.yaml` as `{overlay}/kustomization.yaml` of your repository.
2. See what comes out, without a cluster:

       kubectl kustomize {overlay}

3. Prepare the namespace, then let {engine} deploy it:

       kubectl apply -f namespace.yaml
       kubectl apply -f application.yaml

Every pod shows its class:

    kubectl -n {namespace} get pods \\
      -o custom-columns=POD:.metadata.name,CLASS:.spec.runtimeClassName

The class is part of what is in Git, so {engine} sees no drift.
"""
_ENGINES = {"argocd": "Argo CD", "flux": "Flux"}


def render(answered: Answered) -> Output:
    """The overlay, the objects of Argo CD or Flux, the namespace."""
    engine = answered.text("engine")
    application = _argocd(answered) if engine == "argocd" else _flux(answered)
    readme = _README.format(
        name=answered.text("name"),
        namespace=answered.text("namespace"),
        overlay=answered.text("overlay"),
        engine=_ENGINES[engine],
    )
    files = (
        Made("kustomization.yaml", (_overlay(answered),)),
        Made("application.yaml", tuple(application)),
        Made("namespace.yaml", (*guard.namespace(answered), _limit_range(answered))),
        Made("README.md", text=readme, language="markdown"),
    )
    return Output(files, tuple(_stages(answered)))


def _overlay(answered: Answered) -> dict[str, Any]:
    """Kustomize follows paths relative to the overlay."""
    up = "/".join(".." for _ in PurePosixPath(answered.text("overlay")).parts)
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": answered.text("namespace"),
        "resources": [f"{up}/{answered.text('base')}"],
        "patches": [
            {"target": {"kind": kind}, "patch": _patch(answered, kind)}
            for kind in answered.items("kinds")
        ],
    }


def _patch(answered: Answered, kind: str) -> str:
    operation = {
        "op": "add",
        "path": f"{_PODS.get(kind, _POD)}/runtimeClassName",
        "value": answered.text("runtimeClass"),
    }
    return write([[operation]]).text


def _argocd(answered: Answered) -> list[dict[str, Any]]:
    name, engine = answered.text("name"), answered.text("namespaceOfEngine")
    where = {"server": "https://kubernetes.default.svc", "namespace": answered.text("namespace")}
    labels = parts.labels(answered)
    project = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": name, "namespace": engine, "labels": labels},
        "spec": {
            "description": f"{name}, every workload in a virtual machine of its own",
            "sourceRepos": [answered.text("repository")],
            "destinations": [where],
            "clusterResourceWhitelist": [],
        },
    }
    application = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": engine, "labels": labels},
        "spec": {
            "project": name,
            "source": {
                "repoURL": answered.text("repository"),
                "path": answered.text("overlay"),
                "targetRevision": answered.text("revision"),
            },
            "destination": where,
            "syncPolicy": {
                "automated": {"prune": answered.on("prune"), "selfHeal": True},
                "syncOptions": ["ServerSideApply=true"],
            },
        },
    }
    return [project, application]


def _flux(answered: Answered) -> list[dict[str, Any]]:
    name, engine = answered.text("name"), answered.text("namespaceOfEngine")
    metadata = {"name": name, "namespace": engine, "labels": parts.labels(answered)}
    repository = {
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "GitRepository",
        "metadata": metadata,
        "spec": {
            "interval": "5m",
            "url": answered.text("repository"),
            "ref": {"branch": answered.text("revision")},
        },
    }
    kustomization = {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": metadata,
        "spec": {
            "interval": "10m",
            "sourceRef": {"kind": "GitRepository", "name": name},
            "path": f"./{answered.text('overlay')}",
            "prune": answered.on("prune"),
            "wait": True,
        },
    }
    return [repository, kustomization]


def _limit_range(answered: Answered) -> dict[str, Any]:
    """Containers that name no limits get both: Kata sizes the guest by them."""
    cpu, memory = answered.text("cpuLimit"), answered.text("memoryLimit")
    default = {"cpu": cpu, "memory": memory}
    return {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": parts.metadata(answered),
        "spec": {"limits": [{"type": "Container", "default": default, "defaultRequest": default}]},
    }


def _stages(answered: Answered) -> list[Stage]:
    first = Stage(
        f"{_ENGINES[answered.text('engine')]} deploys",
        Where.CONTAINER,
        "container",
        icon="pipeline",
        file="application.yaml",
        field="engine",
    )
    return [
        first,
        *(
            Stage(
                kind,
                Where.VM,
                "own VM",
                icon="pod",
                file="kustomization.yaml",
                path=("patches", number),
                field="kinds",
            )
            for number, kind in enumerate(answered.items("kinds"))
        ),
    ]
