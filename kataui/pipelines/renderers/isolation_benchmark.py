"""T16: the same measurements on Kata and on the host's kernel."""

from typing import Any

from kataui.pipelines import parts
from kataui.pipelines.model import Answered, Made, Output, Stage, Where

_PORT = 5201
_HEAD = """\
#!/bin/sh
# Prints one JSON object a result: test, class, run, value, unit.
set -eu
class=$1
apk add --no-cache --quiet stress-ng fio iperf3 jq >/dev/null 2>&1 || true
cpus=$(nproc)
say() { # TEST VALUE UNIT
  jq -cn --arg test "$1" --arg class "$class" --argjson run "$run" --argjson value "$2" \\
    --arg unit "$3" '{test: $test, class: $class, run: $run, value: $value, unit: $unit}'
}
stress() { # STRESSOR: operations a second of all its workers
  stress-ng --"$1" "$cpus" --timeout "$SECONDS_EACH" --metrics --yaml /tmp/result >/dev/null 2>&1
  awk '/bogo-ops-per-second-real-time:/ { print $2; exit }' /tmp/result
}
disk() { # randread|randwrite
  fio --name=io --directory=/data --size=256M --bs=4k --iodepth=16 --ioengine=libaio --rw="$1" \\
    --time_based --runtime="$SECONDS_EACH" --output-format=json >/tmp/result
  jq '.jobs[0] | [.read.iops, .write.iops] | max | round' /tmp/result
}
run=1
while [ "$run" -le "$REPEATS" ]; do
"""
_TESTS = {
    "cpu": '  say cpu "$(stress cpu)" operations/s\n',
    "memory": '  say memory "$(stress vm)" operations/s\n',
    "disk": '  say disk-read "$(disk randread)" operations/s\n'
    '  say disk-write "$(disk randwrite)" operations/s\n',
    "network": '  say network "$(iperf3 --json --client "$SERVER" --time "$SECONDS_EACH" |\n'
    "    jq '.end.sum_received.bits_per_second | round')\" bit/s\n",
}
_TAIL = '  run=$((run + 1))\ndone\necho "{\\"kernel\\": \\"$(uname -r)\\", \\"cpus\\": $cpus}"\n'
_README = """\
# {name}

    kubectl apply -f namespace.yaml
    kubectl apply -f benchmark.yaml
    kubectl -n {namespace} wait --for=condition=complete job --all --timeout=2h
    kubectl -n {namespace} logs --tail=-1 --prefix=false -l kataui/benchmark=job >results.jsonl

Each line of `results.jsonl` is one result. Compare medians of several runs: a single one says
little. How long pods take to start, boot included:

    kubectl -n {namespace} get pods -o json | jq -c '.items[] |
      {{pod: .metadata.name, class: .spec.runtimeClassName, created: .metadata.creationTimestamp,
       started: .status.containerStatuses[0].state.terminated.startedAt}}'
{neighbour}
Remove everything:

    kubectl delete namespace {namespace}
"""
_NEIGHBOUR = """
Watch the node in kataui's tab Isolation, start the neighbour, and mark the moment:

    kubectl apply -f neighbour.yaml
    kataui isolation mark "neighbour on"
    kubectl delete -f neighbour.yaml
"""


def render(answered: Answered) -> Output:
    """The jobs, a server for the network, a neighbour, and how to read the results."""
    objects = [_script(answered)]
    if answered.on("network"):
        objects += _server(answered)
    objects.append(_job(answered, on_kata=True))
    if answered.on("compare"):
        objects.append(_job(answered, on_kata=False))
    files = [
        Made("benchmark.yaml", tuple(objects)),
        Made("namespace.yaml", (_namespace(answered),)),
    ]
    if answered.on("neighbour"):
        files.append(Made("neighbour.yaml", (_neighbour(answered),)))
    readme = _README.format(
        name=answered.text("name"),
        namespace=answered.text("namespace"),
        neighbour=_NEIGHBOUR if answered.on("neighbour") else "",
    )
    files.append(Made("README.md", text=readme, language="markdown"))
    return Output(tuple(files), tuple(_stages(answered, len(objects))))


def _namespace(answered: Answered) -> dict[str, Any]:
    name = answered.text("namespace")
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": parts.labels(answered)},
    }


def _script(answered: Answered) -> dict[str, Any]:
    tests = "".join(text for name, text in _TESTS.items() if answered.on(name))
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": parts.metadata(answered),
        "data": {"run.sh": _HEAD + (tests or "  :\n") + _TAIL},
    }


def _placed(answered: Answered, *, on_kata: bool) -> dict[str, Any]:
    """Where a pod runs; all of them on one node when that was asked for."""
    placed = parts.on_kata(answered) if on_kata else {}
    node = answered.text("node")
    if node:
        labels = {**placed.get("nodeSelector", {}), "kubernetes.io/hostname": node}
        placed["nodeSelector"] = labels
    return placed


def _job(answered: Answered, *, on_kata: bool) -> dict[str, Any]:
    kind = "kata" if on_kata else "host"
    name = answered.text("name")
    env = {
        "SECONDS_EACH": str(answered.number("seconds")),
        "REPEATS": str(answered.number("repeats")),
        "SERVER": f"{name}-server",
    }
    container = {
        "name": "measure",
        "image": answered.text("image"),
        "command": [
            "sh",
            "/script/run.sh",
            answered.text("runtimeClass") if on_kata else "host",
        ],
        "env": [{"name": key, "value": value} for key, value in env.items()],
        "resources": parts.limits(answered.text("cpuLimit"), answered.text("memoryLimit")),
        "volumeMounts": [
            {"name": "script", "mountPath": "/script"},
            {"name": "data", "mountPath": "/data"},
        ],
    }
    return _batch(
        answered,
        f"{name}-{kind}",
        {
            **_placed(answered, on_kata=on_kata),
            "automountServiceAccountToken": False,
            "restartPolicy": "Never",
            "containers": [container],
            "volumes": [
                {"name": "script", "configMap": {"name": name}},
                {"name": "data", "emptyDir": {"sizeLimit": "1Gi"}},
            ],
        },
    )


def _batch(answered: Answered, name: str, pod: dict[str, Any]) -> dict[str, Any]:
    labels = {**parts.labels(answered), "kataui/benchmark": "job"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": parts.metadata(answered, name=name),
        "spec": {"backoffLimit": 0, "template": {"metadata": {"labels": labels}, "spec": pod}},
    }


def _server(answered: Answered) -> list[dict[str, Any]]:
    """One that all jobs talk to, so that only their own side differs."""
    name = f"{answered.text('name')}-server"
    selector = {"kataui/benchmark": "server"}
    container = {
        "name": "server",
        "image": answered.text("image"),
        "command": ["sh", "-c", f"apk add --quiet iperf3; exec iperf3 --server --port {_PORT}"],
        "ports": [{"containerPort": _PORT}],
        "resources": parts.limits("1", "256Mi"),
    }
    placed = _placed(answered, on_kata=False)
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": parts.metadata(answered, name=name),
            "spec": {
                "selector": {"matchLabels": selector},
                "template": {
                    "metadata": {"labels": {**parts.labels(answered), **selector}},
                    "spec": {
                        **placed,
                        "automountServiceAccountToken": False,
                        "containers": [container],
                    },
                },
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": parts.metadata(answered, name=name),
            "spec": {"selector": selector, "ports": [{"port": _PORT, "targetPort": _PORT}]},
        },
    ]


def _neighbour(answered: Answered) -> dict[str, Any]:
    container = {
        "name": "burn",
        "image": answered.text("image"),
        "command": ["sh", "-c", "apk add --quiet stress-ng; exec stress-ng --cpu 0 --timeout 1h"],
        "resources": parts.limits(answered.text("cpuLimit"), answered.text("memoryLimit")),
    }
    pod = {
        **_placed(answered, on_kata=True),
        "automountServiceAccountToken": False,
        "restartPolicy": "Never",
        "containers": [container],
    }
    return _batch(answered, f"{answered.text('name')}-neighbour", pod)


def _stages(answered: Answered, objects: int) -> list[Stage]:
    pod = ("spec", "template", "spec")
    kata = objects - (2 if answered.on("compare") else 1)
    found = [
        Stage(
            "On Kata",
            Where.VM,
            "own VM",
            icon="measure",
            file="benchmark.yaml",
            document=kata,
            path=pod,
            field="runtimeClass",
        )
    ]
    if answered.on("compare"):
        found.append(
            Stage(
                "On the host's kernel",
                Where.CONTAINER,
                "container",
                icon="measure",
                file="benchmark.yaml",
                document=kata + 1,
                path=pod,
                field="compare",
            )
        )
    return found
