"""Each rule catches its wrong example, at its line, and lets the corrected one pass."""

import base64
import gzip
from pathlib import Path

import pytest

from kataui.findings import Finding, Severity
from kataui.kata import rules
from kataui.kata.manifest import ManifestError, parse


def _found(text: str) -> list[Finding]:
    return rules.check(parse(text, "file.yaml"))


def _ids(text: str) -> set[str]:
    return {finding.id for finding in _found(text)}


def _pod(spec: str, head: str = "") -> str:
    body = "\n".join(f"  {line}" for line in spec.strip("\n").split("\n"))
    return f"apiVersion: v1\nkind: Pod\nmetadata: {{name: a{head}}}\nspec:\n{body}\n"


def _kata(more: str = "", *, name: str = "kata-qemu-runtime-rs", head: str = "") -> str:
    return _pod(f"runtimeClassName: {name}\ncontainers:\n- name: c\n  image: {IMAGE}\n{more}", head)


IMAGE = f"x@sha256:{'0' * 64}"
BOTH = "  resources: {limits: {cpu: 1, memory: 1Gi}}\n"
_DIND = BOTH + "  volumeMounts: [{name: g, mountPath: /var/lib/docker}]\nvolumes:\n- name: g\n"


def _annotated(name: str, value: str, runtime_class: str = "kata-qemu-runtime-rs") -> str:
    head = f', annotations: {{{name}: "{value}"}}'
    return _kata(f"  securityContext: {{runAsUser: 1}}\n{BOTH}", name=runtime_class, head=head)


def _initdata(version: str) -> str:
    toml = f'version = "{version}"\nalgorithm = "sha256"\n[data]\n'
    return base64.b64encode(gzip.compress(toml.encode(), mtime=0)).decode()


_HV = "io.katacontainers.config.hypervisor"
_SNP = "kata-qemu-snp-runtime-rs"
_RUN = """\
apiVersion: tekton.dev/v1
kind: PipelineRun
metadata: {{generateName: a-}}
spec:
  pipelineRef: {{name: p}}
{0}"""
_ARC = """\
githubConfigUrl: https://github.com/a/b
containerMode: {{type: {0}}}
template:
  spec:
    runtimeClassName: kata-qemu-runtime-rs
    containers:
    - name: runner
      image: x
      resources: {{limits: {{cpu: 1, memory: 1Gi}}}}
{1}"""
_HOOK = "      env: [{name: ACTIONS_RUNNER_CONTAINER_HOOK_TEMPLATE, value: /x}]\n"
_ARGO = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{generateName: a-}}
spec:
{0}  templates: []
"""
_STEP = """\
steps:
- name: a
  image: x
  backend_options: {kubernetes: {runtimeClassName: kata-qemu-runtime-rs}}
"""
_AGENT = "---\nagent:\n  env:\n    WOODPECKER_BACKEND: kubernetes\n"
_ALLOWED = _AGENT + '    WOODPECKER_BACKEND_K8S_RUNTIME_CLASS_ALLOW_FROM_STEP: "true"\n'
_GITLAB = """\
gitlabUrl: https://gitlab.example.org
{0}runners:
  config: |
    [[runners]]
      executor = "kubernetes"
      [runners.kubernetes]
        runtime_class_name = "kata-qemu-runtime-rs"
{1}"""
_JENKINS = """\
jenkins:
  clouds:
  - kubernetes:
      templates:
      - name: child
        inheritFrom: parent
{0}        yaml: |
          spec: {{runtimeClassName: kata-qemu-runtime-rs}}
"""
_TASK = """\
apiVersion: tekton.dev/v1
kind: Task
metadata: {{name: t}}
spec:
  steps:
  - {{name: a, image: x, computeResources: {{limits: {{cpu: 1, memory: {0}}}}}}}
  - {{name: b, image: x, computeResources: {{limits: {{cpu: 1, memory: 1Gi}}}}}}
"""
_TEMPLATE = "  taskRunTemplate:\n    podTemplate:\n      runtimeClassName: kata-qemu-runtime-rs\n"
_CLAIM = "  workspaces: [{name: w, volumeClaimTemplate: {spec: {}}}]\n"
_LABEL = '      nodeSelector: {katacontainers.io/kata-runtime: "true"}\n'
_RANGE = """\
apiVersion: v1
kind: LimitRange
metadata: {{name: a}}
spec: {{limits: [{{type: Container, default: {0}}}]}}
"""
_CLASS = """\
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: {{name: kata-qemu-runtime-rs}}
handler: kata-qemu-runtime-rs
{0}"""
_SPACE = """\
apiVersion: v1
kind: Namespace
metadata: {{name: ci, labels: {{pod-security.kubernetes.io/enforce: {0}}}}}
---
"""
_ROOT = BOTH + "  securityContext: {privileged: true}\n"
_IN_CI = _kata(_ROOT, head=", namespace: ci")

TABLE = [
    ("K-MEM-1", 7, _kata("  resources: {limits: {cpu: 1}}\n"), _kata(BOTH)),
    ("K-MEM-2", 7, _kata(BOTH, name="kata-qemu"), _kata(BOTH)),
    (
        "K-MEM-3",
        10,
        _kata(f"{BOTH}- name: d\n  image: {IMAGE}\n"),
        _kata(f"{BOTH}- name: d\n  image: {IMAGE}\n{BOTH}"),
    ),
    ("K-MEM-4", 4, _RANGE.format("{cpu: 1}"), _RANGE.format("{cpu: 1, memory: 1Gi}")),
    ("K-LIMITS", 7, _kata(), _kata(BOTH)),
    ("K-CLASS-1", 5, _kata(BOTH, name="kata-qemu-sev"), _kata(BOTH)),
    ("K-CLASS-1", 5, _kata(BOTH, name="kata-qemu-runtime-r"), _kata(BOTH)),
    ("K-CLASS-2", 5, _kata(BOTH, name="kata"), _kata(BOTH)),
    ("K-CLASS-3", 5, _kata(BOTH, name="Kata"), _kata(BOTH)),
    ("K-CLASS-4", 5, _kata(BOTH, name="gvisor-like"), _kata(BOTH)),
    ("K-EMPTY", 5, _kata(BOTH, name='""'), _kata(BOTH)),
    ("K-HOLE", 5, _kata(BOTH, name="${CLASS}"), _kata(BOTH)),
    ("K-OVERHEAD", 10, _kata(f"{BOTH}overhead: {{podFixed: {{cpu: 1}}}}\n"), _kata(BOTH)),
    (
        "K-NODE",
        11,
        _kata(f'{BOTH}nodeSelector:\n  katacontainers.io/kata-runtime: "false"\n').replace(
            "nodeSelector", "nodeSelector", 1
        ),
        _kata(f'{BOTH}nodeSelector:\n  katacontainers.io/kata-runtime: "true"\n'),
    ),
    ("K-RC", 1, _CLASS.format(""), _CLASS.format("overhead: {podFixed: {memory: 320Mi}}\n")),
    (
        "K-RC",
        5,
        _CLASS.format("overhead: {podFixed: {memory: 160Mi, cpu: 250m}}\n"),
        _CLASS.format("overhead: {podFixed: {memory: 320Mi, cpu: 250m}}\n"),
    ),
    ("K-PRIV-1", 9, _pod(f"containers:\n- name: c\n  image: x\n{_ROOT}"), _kata(BOTH)),
    ("K-PRIV-2", 10, _kata(_ROOT), _kata(BOTH)),
    ("K-PSA", 14, _SPACE.format("baseline") + _IN_CI, _SPACE.format("privileged") + _IN_CI),
    (
        "K-SOCK-1",
        11,
        _kata(f"{BOTH}volumes:\n- {{name: s, hostPath: {{path: /run/docker.sock}}}}\n"),
        _kata(f"{BOTH}volumes:\n- {{name: s, emptyDir: {{}}}}\n"),
    ),
    ("K-NET-1", 10, _kata(f"{BOTH}hostNetwork: true\n"), _kata(f"{BOTH}hostNetwork: false\n")),
    ("K-HOST", 10, _kata(f"{BOTH}hostPID: true\n"), _kata(BOTH)),
    (
        "K-SUBPATH",
        10,
        _kata(f"{BOTH}  volumeMounts: [{{name: v, mountPath: /x, subPath: y}}]\n"),
        _kata(f"{BOTH}  volumeMounts: [{{name: v, mountPath: /x}}]\n"),
    ),
    (
        "K-SECCOMP",
        10,
        _kata(f"{BOTH}securityContext: {{seccompProfile: {{type: Localhost}}}}\n"),
        _kata(f"{BOTH}securityContext: {{seccompProfile: {{type: RuntimeDefault}}}}\n"),
    ),
    (
        "K-SHARE",
        10,
        _kata(f"{BOTH}volumes: [{{name: h, hostPath: {{path: /data}}}}]\n", name=_SNP),
        _kata(f"{BOTH}volumes: [{{name: h, hostPath: {{path: /data}}}}]\n"),
    ),
    (
        "K-DIND-1",
        13,
        _kata(f"{_DIND}  emptyDir: {{}}\n"),
        _kata(f"{_DIND}  emptyDir: {{medium: Memory}}\n"),
    ),
    ("K-DIND-1", 8, _kata(BOTH).replace(IMAGE, "docker:28-dind"), _kata(BOTH)),
    (
        "K-ANN-1",
        3,
        _annotated(f"{_HV}.default_bridges", "2"),
        _annotated(f"{_HV}.default_vcpus", "2"),
    ),
    ("K-ANN-2", 3, _annotated(f"{_HV}.virtio_fs_extra_args", "x"), _kata(BOTH)),
    (
        "K-COCO-1",
        3,
        _annotated(f"{_HV}.cc_init_data", _initdata("0.1.1"), _SNP),
        _annotated(f"{_HV}.cc_init_data", _initdata("0.1.0"), _SNP),
    ),
    ("K-COCO-1", 3, _annotated(f"{_HV}.cc_init_data", "%%", _SNP), _kata(BOTH)),
    (
        "K-COCO-2",
        8,
        _kata(BOTH, name=_SNP).replace(IMAGE, "x:1"),
        _kata(BOTH, name=_SNP),
    ),
    (
        "K-COCO-3",
        7,
        _kata(BOTH, name=_SNP),
        _kata(f"{BOTH}  securityContext: {{runAsUser: 1}}\n", name=_SNP),
    ),
    (
        "K-COCO-4",
        3,
        _annotated(f"{_HV}.kernel_params", "agent.aa_kbc_params=cc_kbc::http://x", _SNP),
        _annotated(f"{_HV}.kernel_params", "quiet", _SNP),
    ),
    (
        "K-COCO-5",
        3,
        _annotated("io.katacontainers.config.agent.policy", "x", _SNP),
        _kata(BOTH, name=_SNP),
    ),
    ("K-IMG-1", 8, _kata(BOTH).replace(IMAGE, "x:latest"), _kata(BOTH)),
    ("K-IMG-1", 8, _kata(BOTH).replace(IMAGE, "registry:5000/x"), _kata(BOTH)),
    ("K-IMG-2", 8, _kata(BOTH).replace(IMAGE, "x:1.0"), _kata(BOTH)),
    ("K-TKN-1", 6, _RUN.format("  podTemplate: {}\n"), _RUN.format(_TEMPLATE)),
    ("K-TKN-2", 8, _RUN.format(_TEMPLATE + _CLAIM), _RUN.format(_TEMPLATE + _LABEL + _CLAIM)),
    ("K-TKN-3", 5, _TASK.format("1Gi"), _TASK.format("64Mi")),
    ("K-ARC-1", 2, _ARC.format("kubernetes", ""), _ARC.format("kubernetes", _HOOK)),
    ("K-ARC-2", 2, _ARC.format("dind", ""), _ARC.format("kubernetes", _HOOK)),
    (
        "K-ARGO-1",
        5,
        _ARGO.format("  runtimeClassName: kata-qemu-runtime-rs\n"),
        _ARGO.format('  podSpecPatch: \'{"runtimeClassName": "kata-qemu-runtime-rs"}\'\n'),
    ),
    (
        "K-ARGO-2",
        6,
        _ARGO.format("  podSpecPatch: 'runtimeClassName: kata-clh'\n  artifactGC: {strategy: x}\n"),
        _ARGO.format(
            "  podSpecPatch: 'runtimeClassName: kata-clh'\n"
            "  artifactGC: {strategy: x, podSpecPatch: 'runtimeClassName: kata-clh'}\n"
        ),
    ),
    ("K-WP-1", 4, _STEP, _STEP + _ALLOWED),
    ("K-WP-1", 4, _STEP + _AGENT, _STEP + _ALLOWED),
    ("K-GL-1", 2, _GITLAB.format("runtimeClassName: kata-clh\n", ""), _GITLAB.format("", "")),
    (
        "K-GL-2",
        8,
        _GITLAB.format("", '        pod_annotations_overwrite_allowed = ".*"\n'),
        _GITLAB.format("", '        pod_annotations_overwrite_allowed = ""\n'),
    ),
    ("K-JEN-1", 7, _JENKINS.format(""), _JENKINS.format("        yamlMergeStrategy: merge\n")),
    ("K-TEXT", 5, _ARGO.format('  podSpecPatch: "a: [b"\n'), _ARGO.format("")),
]


@pytest.mark.parametrize(("rule", "line", "wrong", "right"), TABLE)
def test_the_wrong_one_is_caught_and_the_right_one_is_not(
    rule: str, line: int, wrong: str, right: str
) -> None:
    found = [finding for finding in _found(wrong) if finding.id == rule]

    assert [finding.location.line for finding in found if finding.location][:1] == [line], wrong
    assert rule not in _ids(right), right


def test_a_cpu_limit_alone_is_an_error_on_the_rust_runtime() -> None:
    [rust] = [f for f in _found(_kata("  resources: {limits: {cpu: 1}}\n")) if f.id == "K-MEM-1"]
    own = _found(_kata("  resources: {limits: {cpu: 1}}\n", name="kata"))

    assert rust.severity is Severity.ERROR
    assert "32 MiB" in rust.why
    assert [f.severity for f in own if f.id == "K-MEM-1"] == [Severity.WARNING]


def test_a_limit_range_of_the_namespace_gives_what_is_missing() -> None:
    limits = _RANGE.format("{cpu: 1, memory: 1Gi}").replace("name: a", "name: a, namespace: ci")
    pod = _kata("  resources: {limits: {cpu: 1}}\n", head=", namespace: ci")

    assert "K-MEM-1" not in {finding.id for finding in _found(f"{limits}---\n{pod}")}


@pytest.mark.parametrize(("text", "severity"), [(_STEP, "warning"), (_STEP + _AGENT, "error")])
def test_what_an_agent_does_is_known_only_where_it_is_there(text: str, severity: str) -> None:
    [found] = [finding for finding in _found(text) if finding.id == "K-WP-1"]

    assert found.severity.value == severity


def test_a_class_that_the_files_make_themselves_is_known() -> None:
    made = _CLASS.format("overhead: {podFixed: {memory: 320Mi, cpu: 250m}}\n")
    text = made.replace("name: kata-qemu-runtime-rs", "name: kata")

    assert "K-CLASS-2" not in _ids(f"{text}---\n{_kata(BOTH, name='kata')}")


def test_lines_inside_strings_are_those_of_the_file() -> None:
    text = _JENKINS.format("        yamlMergeStrategy: merge\n").replace(
        "          spec: {runtimeClassName: kata-qemu-runtime-rs}\n",
        "          # the agent\n          spec:\n            runtimeClassName: kata\n",
    )

    [found] = [finding for finding in _found(text) if finding.id == "K-CLASS-2"]

    assert found.location is not None
    assert found.location.line == 11
    assert found.location.field.endswith("yaml > spec.runtimeClassName")


def test_every_finding_has_a_sentence_a_reason_or_a_fix_and_a_place() -> None:
    for _, _, wrong, _ in TABLE:
        for finding in _found(wrong):
            assert finding.message.endswith((".", "?")), finding
            assert finding.why or finding.fix, finding
            assert finding.location is not None, finding


def test_real_manifests_give_no_false_error(shared: Path) -> None:
    errors, documents = [], 0
    for folder in ("kata-pods", "istio-inject"):
        for path in sorted((shared / "corpora" / folder).rglob("*.y*ml*")):
            try:
                found = parse(path.read_bytes(), path.name)
            except ManifestError:
                continue
            documents += len(found)
            errors += [
                (path.name, f.id, f.message)
                for f in rules.check(found)
                if f.severity is Severity.ERROR
            ]

    assert documents > 200
    assert errors == []
