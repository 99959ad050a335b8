"""What CI systems make of their own words: containers, and the machine that they boot."""

from decimal import Decimal

import pytest

from kataui.kata import sizing
from kataui.kata.manifest import parse
from kataui.kata.podspec import pod_spec
from kataui.kata.rules.scene import scene_of

GIB = 1 << 30
TEKTON = """\
apiVersion: tekton.dev/v1
kind: PipelineRun
metadata: {name: run}
spec:
  taskRunTemplate: {podTemplate: {runtimeClassName: kata-qemu-runtime-rs}}
---
apiVersion: tekton.dev/v1
kind: Task
metadata: {name: build}
spec:
  stepTemplate: {computeResources: {limits: {cpu: "1", memory: 1Gi}}}
  steps:
    - {name: one, image: a}
    - {name: two, image: a, computeResources: {limits: {cpu: "2", memory: 3Gi}}}
  sidecars:
    - {name: side, image: a}
"""
GITLAB = """\
runners:
  config: |
    [[runners]]
      name = "r"
      [runners.kubernetes]
        runtime_class_name = "kata-qemu-runtime-rs"
        cpu_limit = "2"
        memory_limit = "4Gi"
        helper_cpu_limit = "500m"
        helper_memory_limit = "512Mi"
        service_cpu_limit = "1"
        service_memory_limit = "1Gi"
SERVICES"""
SERVICES = """\
        [[runners.kubernetes.services]]
          name = "docker:dind"
"""
ARGO = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: w}
spec:
  podSpecPatch: '{"runtimeClassName": "kata-qemu-runtime-rs"}'
  templates:
    - name: t
      script: {image: a, resources: {limits: {cpu: "2", memory: 2Gi}}}
      sidecars: [{name: s, image: b, resources: {limits: {cpu: "1", memory: 1Gi}}}]
"""


def limits(text: str, name: str) -> tuple[Decimal, Decimal]:
    [place] = [p for p in scene_of(parse(text, "values.yaml")).places() if p.name == name]
    spec = pod_spec(place)
    assert spec is not None
    asked = sizing.sums(spec)
    assert asked.cpu_limit is not None
    assert asked.memory_limit is not None
    assert sizing.size(spec, place.runtime_class) is not None
    return asked.cpu_limit, asked.memory_limit / GIB


@pytest.mark.parametrize(
    ("text", "name", "cpus", "gib"),
    [
        (TEKTON, "build", 4, 5),
        (GITLAB.replace("SERVICES", ""), "r", Decimal("2.5"), Decimal("4.5")),
        (GITLAB.replace("SERVICES", SERVICES), "r", Decimal("3.5"), Decimal("5.5")),
        (ARGO, "t", 3, 3),
    ],
)
def test_the_limits_of_all_containers_count(text, name, cpus, gib) -> None:
    assert limits(text, name) == (cpus, gib)


def test_a_template_without_containers_is_no_pod() -> None:
    [run, _] = scene_of(parse(TEKTON, "x.yaml")).places()
    assert pod_spec(run) is None
