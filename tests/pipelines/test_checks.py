"""Checks of documents: what is wrong is told with its field, its line and what was meant."""

from pathlib import Path

import pytest

from kataui.findings import Finding, Severity
from kataui.pipelines.checks import Options, check_file
from kataui.pipelines.schemas import NEWEST

VERSIONS = ("1.30", "1.34", NEWEST)
POD = """\
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  runtimeClassName: kata-qemu-runtime-rs
  containers:
    - name: c
      image: x:1
"""
TASK = "apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: a}\nspec:\n"
RUN = "apiVersion: tekton.dev/v1\nkind: PipelineRun\nmetadata: {name: a}\nspec:\n"
FLOW = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {generateName: a-}\nspec:\n"
WOODPECKER = "steps:\n- name: a\n  image: x\n  backend_options:\n    kubernetes:\n"


def _schema(text: str | bytes, name: str = "f.yaml", version: str = "1.34") -> list[Finding]:
    """What the schemas and the reader say; the rules of Kata have tests of their own."""
    found = check_file(name, text, Options(version))
    return [f for f in found if f.id in {"K-YAML", "K-SCHEMA", "K-NOSCHEMA"}]


def _only(text: str | bytes, name: str = "f.yaml", version: str = "1.34") -> Finding:
    [finding] = _schema(text, name, version)
    return finding


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("text", "line", "field", "meant"),
    [
        (f"{POD}      imagePulPolicy: Always\n", 9, "imagePulPolicy", "imagePullPolicy?"),
        (f"{POD}      imagePullPolicy: always\n", 9, "imagePullPolicy", "Always?"),
        (f"{POD}  restartPolicy: never\n", 9, "spec.restartPolicy", "Never?"),
        (f"{POD}  RuntimeClassName: x\n", 9, "spec.RuntimeClassName", "runtimeClassName?"),
        (f"{POD}      ports: [{{containerPort: '80'}}]\n", 9, "containerPort", "quotes away: 80"),
        (f"{POD}      env: [{{name: A, value: 1}}]\n", 9, "value", 'in quotes: "1"'),
        (f"{POD}      env: [{{name: A, value: yes}}]\n", 9, "value", "yes, no, on, off"),
        (f"{POD}      ports: {{}}\n", 9, "ports", ""),
        (f"{POD}      stdin:\n        a: b\n", 9, "stdin", ""),
        (f"{TASK}  steps:\n  - {{name: s, imge: x}}\n", 6, "steps[0].imge", "image?"),
        (f"{RUN}  podTemplate: {{}}\n", 5, "spec.podTemplate", "Known in spec"),
        (
            f"{RUN}  taskRunTemplate:\n    podTemplate: {{runtimeClasName: a}}\n",
            6,
            "runtimeClasName",
            "runtimeClassName?",
        ),
        (
            f"{FLOW}  templates: [{{name: m, container: {{image: x:1, comand: [a]}}}}]\n",
            5,
            "comand",
            "command?",
        ),
        (f"{FLOW}  runtimeClassName: a\n", 5, "spec.runtimeClassName", "Known in spec"),
    ],
)
def test_a_wrong_field_is_told_with_its_line_and_what_was_meant(
    version: str, text: str, line: int, field: str, meant: str
) -> None:
    found = _only(text, version=version)

    assert found.severity is Severity.ERROR
    assert found.checked
    assert found.location is not None
    assert (found.location.file, found.location.line) == ("f.yaml", line)
    assert found.location.field.endswith(field)
    assert meant in found.fix


@pytest.mark.parametrize(
    ("amount", "fix"),
    [
        *(("4GB", "Did you mean 4G?"), ("512mb", "Did you mean 512M?"), ("1K", "Did you mean 1k?")),
        *(("4 gib", "Did you mean 4Gi?"), ("1.5ki", "Did you mean 1.5Ki?")),
        *(("'-4Gi'", ""), ("much", ""), ("4Gi/s", ""), ("1e1000", "")),
    ],
)
def test_an_amount_is_a_quantity_of_kubernetes(amount: str, fix: str) -> None:
    found = _only(f"{POD}      resources: {{limits: {{memory: {amount}}}}}\n")

    assert found.severity is Severity.ERROR
    assert "limits.memory must be a quantity such as 500m, 2 or 4Gi" in found.message
    assert found.fix == fix


@pytest.mark.parametrize("amount", ["4Gi", "'4'", "4", "0.5", "1e3", "+1Gi", "100m", ".5G", "2E"])
def test_every_quantity_of_kubernetes_passes(amount: str) -> None:
    assert _schema(f"{POD}      resources: {{limits: {{memory: {amount}}}}}\n") == []


def test_no_amount_is_less_than_nothing_and_a_placeholder_is_filled_in_later() -> None:
    resources = f"{POD}      resources: {{limits: {{cpu: AMOUNT}}}}\n"
    assert "at least 0" in _only(resources.replace("AMOUNT", "-2")).message
    assert not _only(resources.replace("AMOUNT", '"${CPUS}"')).checked


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_line_ends_do_not_move_lines(ends: str) -> None:
    found = _only(f"{POD}      foo: 1\n".replace("\n", ends))

    assert found.location is not None
    assert found.location.line == 9


@pytest.mark.parametrize(
    ("text", "said", "fix"),
    [
        (POD.replace("kind: Pod", "kind: Pood"), "has no Pood in v1", "Did you mean Pod?"),
        (POD.replace("v1", "apps/v1", 1), "has no Pod in apps/v1", "Write apiVersion: v1."),
        ("apiVersion: extensions/v1beta1\nkind: Ingress\n", "no Ingress", "networking.k8s.io/v1"),
        ("kind: Foo\nmetadata: {name: a}\n", "has no apiVersion", "Add apiVersion"),
        ("apiVersion: v1\nmetadata: {name: a}\n", "has no kind", "Add kind"),
        ("apiVersion: 1\nkind: Pod\n", "apiVersion is no text", "apiVersion: v1"),
        ("apiVersion: v1\nkind: [Pod]\n", "kind is no text", "text"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: []\n", "must be a mapping", ""),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {}\n", "lacks containers", ""),
    ],
)
def test_a_wrong_object_is_an_error(text: str, said: str, fix: str) -> None:
    found = _only(text)

    assert found.severity is Severity.ERROR
    assert said in found.message
    assert fix in found.fix


def test_an_object_that_a_version_lacks_is_told_with_those_that_have_it() -> None:
    text = "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingAdmissionPolicy\n"

    assert "from 1.36" in _only(text, version="1.30").fix
    assert _schema(text, version=NEWEST) == []


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: example.org/v1\nkind: Foo\nmetadata: {name: a}\n",
        "apiVersion: tekton.dev/v1beta1\nkind: Task\nmetadata: {name: a}\n",
        "apiVersion: v1\nkind: Route\nmetadata: {name: a}\n",
        "a: b\n",
        "- a\n",
        "text\n",
        "apiVersion: v1\nkind: List\nitems: [3]\n",
    ],
)
def test_what_has_no_schema_is_not_checked_and_not_valid(text: str) -> None:
    found = _only(text)

    assert (found.id, found.severity, found.checked) == ("K-NOSCHEMA", Severity.INFO, False)
    assert "not checked" in found.message


def test_the_pod_in_a_kind_without_a_schema_is_checked_all_the_same() -> None:
    pod = "{containers: [{name: c, image: x, imagePulPolicy: y}]}"
    group = "apiVersion: apps.openshift.io/v1"
    text = f"{group}\nkind: DeploymentConfig\nspec:\n  template:\n    spec: {pod}\n"

    found = {f.id: f for f in _schema(text)}

    assert not found["K-NOSCHEMA"].checked
    assert "imagePullPolicy" in found["K-SCHEMA"].fix


def test_items_of_a_list_are_objects() -> None:
    items = "- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}, dat: {}}\n"

    found = _only(f"apiVersion: v1\nkind: List\nitems:\n{items}")

    assert found.location is not None
    assert found.location.field == "items[0].dat"
    assert "data" in found.fix


@pytest.mark.parametrize("placeholder", ["${TTY}", "$(params.tty)", "'{{inputs.tty}}'", "<tty>"])
def test_a_placeholder_is_a_warning_and_not_checked(placeholder: str) -> None:
    found = _only(f"{POD}      tty: {placeholder}\n")

    assert (found.severity, found.checked) == (Severity.WARNING, False)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("f.yaml", "a:\n\tb: c\n", "tab"),
        ("f.yaml", "a: [\n", "is not YAML"),
        ("f.yaml", "kind: Pod\nkind: Pod\n", "second time"),
        ("f.yaml", "a: &a [*a]\n", "refers to itself"),
        ("f.yaml", b"a: \xe9\n", "is not UTF-8"),
        ("f.yaml", b"\xff\xfe\x00", "UTF-16"),
        ("config.toml", "[[runners\n", "is not TOML"),
        ("config.toml", b"\xff", "not UTF-8"),
    ],
)
def test_what_cannot_be_read_is_an_error(name: str, text: str | bytes, said: str) -> None:
    found = _only(text, name)

    assert (found.id, found.severity) == ("K-YAML", Severity.ERROR)
    assert said in found.message


def test_a_bomb_of_aliases_is_refused() -> None:
    levels = "\n".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]" for n in range(9)
    )

    found = _only(f"a: &a [x]\n{levels}\n")

    assert (found.id, found.severity) == ("K-YAML", Severity.ERROR)
    assert "aliases" in found.message


def test_a_helm_template_is_told_and_not_taken_for_broken_yaml() -> None:
    found = _only("{{- if .Values.a }}\napiVersion: v1\n{{- end }}\n")

    assert (found.severity, found.checked) == (Severity.WARNING, False)
    assert "kataui pipeline check -" in found.fix


@pytest.mark.parametrize(
    ("name", "text", "severity", "field"),
    [
        (
            ".github/workflows/a.yml",
            "on: push\njobs: {a: {runs-on: x, steps: [{run: x, rnu: y}]}}\n",
            Severity.ERROR,
            "jobs.a.steps[0].rnu",
        ),
        (".gitlab-ci.yml", "job: {scrpt: x, script: y}\n", Severity.ERROR, "job.scrpt"),
        (
            ".woodpecker.yml",
            f"{WOODPECKER}      runtimeClassNam: kata\n",
            Severity.WARNING,  # the agent drops it
            "steps[0].backend_options.kubernetes.runtimeClassNam",
        ),
        (
            "config.toml",
            '[[runners]]\nname = "a"\n[runners.kubernetes]\nprivilegd = true\n',
            Severity.WARNING,
            "runners[0].kubernetes.privilegd",
        ),
    ],
)
def test_files_of_other_systems_have_their_own_schemas(
    name: str, text: str, severity: Severity, field: str
) -> None:
    found = _only(text, name)

    assert found.location is not None
    assert (found.severity, found.location.field) == (severity, field)
    assert found.fix.startswith("Did you mean")


def test_one_of_several_missing_fields_is_told_with_all_of_them() -> None:
    text = "on: push\njobs: {a: {runs-on: x, steps: [{name: x}]}}\n"

    found = _only(text, ".github/workflows/a.yml")

    assert found.message.startswith("jobs.a.steps[0] lacks one of uses, run")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("folder", ["kata-pods", "istio-inject"])
def test_real_files_get_no_false_error(shared: Path, folder: str, version: str) -> None:
    true_errors = {  # a pod's own resources came with Kubernetes 1.32
        ("k8s-policy-pod.yaml", "spec.resources"): "1.30",
    }

    for path in sorted((shared / "corpora" / folder).rglob("*.y*ml*")):
        for finding in check_file(path.name, path.read_bytes(), Options(version)):
            if finding.severity is Severity.ERROR:
                assert finding.location is not None
                assert true_errors.get((path.name, finding.location.field)) == version, finding
