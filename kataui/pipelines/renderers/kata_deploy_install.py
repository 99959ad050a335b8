"""T4: values for Kata's Helm chart, with what each shim and cluster can do.

Source: kata-containers 4.1.0, tools/packaging/kata-deploy/helm-chart/kata-deploy/values.yaml.
"""

from typing import Any

from kataui.kata import classes
from kataui.kata.yamlwriter import write
from kataui.pipelines import parts
from kataui.pipelines.model import Answered, Made, Output, Stage, Where

_CHART = "oci://ghcr.io/kata-containers/kata-deploy-charts/kata-deploy"
_VERSION = "4.1.0"
_README = """\
# Kata Containers {version}

    helm upgrade --install {name} {chart} \\
      --version {version} --namespace {namespace} --values values.yaml --wait

See the classes, and which nodes can run them:

    kubectl get runtimeclass
    kubectl get nodes -L katacontainers.io/kata-runtime

A node is ready when its label says true; false means that the installation is not finished there.
{notes}
Remove it:

    helm uninstall {name} --namespace {namespace}
"""
_FIRECRACKER = """
Firecracker needs the devmapper snapshotter in containerd, which you have to prepare yourself; it
shares no files with the node.
"""
_JOB_MODE = """
New nodes get Kata with the next `helm upgrade`: nothing of kata-deploy stays in the cluster.
"""


def render(answered: Answered) -> Output:
    """The values, and the commands."""
    shims = answered.items("shims")
    notes = _FIRECRACKER if "fc" in shims else ""
    notes += _JOB_MODE if answered.text("mode") == "job" else ""
    readme = _README.format(
        name=answered.text("name"),
        namespace=answered.text("namespace"),
        chart=_CHART,
        version=_VERSION,
        notes=notes,
    )
    stages = [
        Stage(
            f"kata-{shim}",
            Where.CONFIDENTIAL if _confidential(shim) else Where.VM,
            "confidential VM" if _confidential(shim) else "own VM",
            icon="cpu",
            file="values.yaml",
            path=("shims", shim),
            field="shims",
        )
        for shim in shims
    ]
    files = (
        Made("values.yaml", (_values(answered),)),
        Made("README.md", text=readme, language="markdown"),
    )
    return Output(files, tuple(stages))


def _confidential(shim: str) -> bool:
    known = classes.find(f"kata-{shim}")
    return known is not None and known.confidential


def _values(answered: Answered) -> dict[str, Any]:
    shims = answered.items("shims")
    allowed = answered.items("annotations")
    enabled: dict[str, Any] = {"enabled": True}
    if allowed:
        enabled["allowedHypervisorAnnotations"] = allowed
    values: dict[str, Any] = {
        "deploymentMode": answered.text("mode"),
        "k8sDistribution": answered.text("distribution"),
        "shims": {"disableAll": True, **{shim: dict(enabled) for shim in shims}},
        "defaultShim": {answered.text("architecture"): shims[0]},
        "runtimeClasses": {
            "enabled": True,
            "createDefault": answered.on("createDefault"),
            "defaultName": "kata",
        },
    }
    if answered.pairs("nodes"):
        values["nodeSelector"] = answered.pairs("nodes")
    if answered.on("nfd"):
        values["node-feature-discovery"] = {"enabled": True}
    if answered.on("ciClass"):
        values["customRuntimes"] = _ci_class(answered, shims[0])
    if answered.on("verify"):
        values["verification"] = {"pod": write([_proof(f"kata-{shims[0]}")]).text}
    return values


def _ci_class(answered: Answered, shim: str) -> dict[str, Any]:
    """A class whose emptyDirs are disks of the guest (Kata 4.1, emptydir_mode)."""
    name = answered.text("ciName").removeprefix("kata-")
    known = classes.find(f"kata-{shim}") or classes.CLASSES[classes.DEFAULT]
    runtime_class = {
        "apiVersion": "node.k8s.io/v1",
        "kind": "RuntimeClass",
        "metadata": {"name": answered.text("ciName")},
        "handler": f"kata-{name}",
        "overhead": {
            "podFixed": {
                "memory": f"{known.memory_bytes >> 20}Mi",
                "cpu": f"{int(known.cpus * 1000)}m",
            }
        },
        "scheduling": {"nodeSelector": {classes.NODE_LABEL: "true"}},
    }
    custom = {
        "baseConfig": shim,
        "dropIn": '[runtime]\nemptydir_mode = "block-plain"\n',
        "runtimeClass": write([runtime_class]).text,
    }
    return {"enabled": True, "runtimes": {name: custom}}


def _proof(runtime_class: str) -> dict[str, Any]:
    """A pod that ends well only on a kernel that is not the node's."""
    script = "grep -q 'agent\\.\\|tsc=reliable' /proc/cmdline && uname -r"
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "kata-proof"},
        "spec": {
            "runtimeClassName": runtime_class,
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "containers": [
                {
                    "name": "kernel",
                    "image": "docker.io/library/busybox:1.37.0",
                    "command": ["sh", "-c", script],
                    "resources": parts.limits("250m", "512Mi"),
                }
            ],
        },
    }
