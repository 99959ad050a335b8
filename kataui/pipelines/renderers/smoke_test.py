"""T3: a job whose log shows which kernel it runs on."""

from kataui.pipelines import parts
from kataui.pipelines.model import Answered, Made, Output, Stage, Where

_SCRIPT = """\
echo "kernel:  $(uname -r)"
echo "command: $(cat /proc/cmdline)"
echo "machine: $(cat /sys/class/dmi/id/product_name 2>/dev/null || echo unknown)"
echo "root:    $(grep ' / ' /proc/mounts | head -n 1)"
echo "CPUs:    $(nproc)"
echo "memory:  $(grep MemTotal /proc/meminfo)"
"""
_README = """\
# {name}

Start the job, then read its log:

    kubectl apply -f job.yaml
    kubectl -n {namespace} wait --for=condition=complete job/{name} --timeout=10m
    kubectl -n {namespace} logs job/{name}

Compare the kernel with that of the node:

    kubectl get nodes -o custom-columns=NAME:.metadata.name,KERNEL:.status.nodeInfo.kernelVersion

Another kernel, and a root file system that is not an overlay of the host, mean that the job ran in
a virtual machine of its own.
"""


def render(answered: Answered) -> Output:
    """The job, and how to read what it says."""
    readme = _README.format(name=answered.text("name"), namespace=answered.text("namespace"))
    stage = Stage(
        "Look around",
        Where.VM,
        "own VM",
        icon="search",
        file="job.yaml",
        path=("spec", "template", "spec", "runtimeClassName"),
        field="runtimeClass",
    )
    files = (Made("job.yaml", (_job(answered),)),)
    return Output((*files, Made("README.md", text=readme, language="markdown")), (stage,))


def _job(answered: Answered) -> parts.Object:
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
                    "containers": [
                        {
                            "name": "kernel",
                            "image": answered.text("image"),
                            "command": ["sh", "-c", _SCRIPT],
                            "resources": parts.limits(
                                answered.text("cpuLimit"), answered.text("memoryLimit")
                            ),
                            "securityContext": parts.restricted(),
                        }
                    ],
                },
            },
        },
    }
