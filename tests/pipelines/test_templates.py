"""Every template, with its defaults and with every pair of answers, gives files that are valid."""

import subprocess
import sys
import tomllib
from pathlib import Path

import celpy
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kataui.findings import Severity
from kataui.kata import initdata
from kataui.kata.manifest import parse, value_at
from kataui.pipelines import catalogue
from kataui.pipelines.answers import problems
from kataui.pipelines.checks import NEWEST, Options, check_rendered
from kataui.pipelines.model import Kind, Rendered, Template, Value
from kataui.pipelines.render import render
from tests.pipelines.matrix import FILLED, pairwise, usual

TEMPLATES = catalogue.load(Path("/nonexistent")).templates
VERSIONS = ("1.30", "1.34", NEWEST)
# What a template cannot know is told: pin the image once you have looked at it, the digest of an
# image that is not built yet, and layers that lie on a disk only with the right class.
TOLD = {
    "K-DIND-1",
    "K-IMG-2",
    "K-PRIV-2",
    "K-NOSCHEMA",
    "K-COCO-2",
    "K-CLASS-2",
    "K-TKN-3",
    "K-LIMITS",
}


def _ids(template: Template) -> str:
    return template.id


def _file(rendered: Rendered, path: str) -> str:
    found = rendered.file(path)
    assert found is not None, path
    return found.text


def test_the_catalogue_has_seventeen_templates_and_none_is_broken() -> None:
    found = catalogue.load(Path("/nonexistent"))

    assert len(found.templates) == 17
    assert found.broken == ()
    assert all(len(template.why) < 140 for template in found.templates)


@pytest.mark.parametrize("template", TEMPLATES, ids=_ids)
def test_every_question_has_a_help_and_a_group(template: Template) -> None:
    for parameter in template.parameters:
        assert parameter.help.endswith((".", "}")) or ":" in parameter.help, parameter.name
        assert parameter.group, parameter.name
        assert parameter.kind is not Kind.SECRET or parameter.secret_command, parameter.name


@pytest.mark.parametrize("kubernetes", VERSIONS)
@pytest.mark.parametrize("template", TEMPLATES, ids=_ids)
def test_every_pair_of_answers_gives_valid_files(template: Template, kubernetes: str) -> None:
    for values in [usual(template), *pairwise(template)]:
        assert problems(template, values) == [], values
        rendered = render(template, values, kubernetes=kubernetes)

        found = check_rendered(rendered, Options(kubernetes))

        bad = [f for f in found if f.severity is Severity.ERROR or f.id not in TOLD]
        assert [(f.id, f.message, f.location) for f in bad] == [], values
        for stage in rendered.stages:
            file = rendered.file(stage.file)
            assert file is not None, stage
            assert not stage.path or (stage.document, stage.path) in file.lines, stage
            assert template.parameter(stage.field) is not None, stage


@pytest.mark.parametrize("template", TEMPLATES, ids=_ids)
def test_files_fit_the_projects_own_schemas_too(template: Template, shared: Path) -> None:
    options = Options(NEWEST, (shared / "corpora" / "crds",))

    found = check_rendered(render(template, usual(template), kubernetes=NEWEST), options)

    assert [f.message for f in found if f.severity is Severity.ERROR] == []


@pytest.mark.parametrize("template", TEMPLATES, ids=_ids)
def test_every_container_has_both_limits(template: Template) -> None:
    rendered = render(template, usual(template), kubernetes=NEWEST)

    for file in rendered.files:
        if file.language == "yaml":
            for document in parse(file.text, file.path):
                for container in _containers(document.value):
                    key = "computeResources" if "computeResources" in container else "resources"
                    limits = value_at(container, (key, "limits"))
                    assert set(limits or ()) == {"cpu", "memory"}, (file.path, container["name"])


def _containers(value: object) -> list[dict[str, object]]:
    found = []
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("containers", "initContainers", "steps") and isinstance(inner, list):
                found += [c for c in inner if isinstance(c, dict) and "image" in c]
            found += _containers(inner)
    elif isinstance(value, list):
        for inner in value:
            found += _containers(inner)
    return [c for c in found if "name" in c and "commands" not in c]


def _policies(rendered: Rendered) -> list[celpy.Runner]:
    environment = celpy.Environment()
    return [
        environment.program(environment.compile(rule["expression"]))
        for file in rendered.files
        if file.language == "yaml"
        for document in parse(file.text, file.path)
        if document.kind == "ValidatingAdmissionPolicy"
        for rule in document.value["spec"]["validations"]
    ]


def _allows(rendered: Rendered, pod: dict[str, object]) -> bool:
    activation = {"object": celpy.json_to_cel({"metadata": {}, **pod})}
    programs = _policies(rendered)
    assert programs
    return all(bool(program.evaluate(activation)) for program in programs)


KATA = "kata-qemu-runtime-rs"
_BOTH = [
    ({"spec": {"runtimeClassName": KATA}}, True),
    ({"spec": {}}, False),
    ({"spec": {"runtimeClassName": "runc"}}, False),
    ({"spec": {"runtimeClassName": KATA, "hostNetwork": True}}, False),
    ({"spec": {"runtimeClassName": KATA, "hostPID": True}}, False),
    ({"spec": {"runtimeClassName": KATA, "hostNetwork": False}}, True),
    (
        {
            "metadata": {"annotations": {"io.katacontainers.config.hypervisor.path": "/x"}},
            "spec": {"runtimeClassName": KATA},
        },
        False,
    ),
    (
        {"metadata": {"annotations": {"a.b/c": "d"}}, "spec": {"runtimeClassName": KATA}},
        True,
    ),
]


@pytest.mark.parametrize(("pod", "allowed"), _BOTH)
@pytest.mark.parametrize("name", ["require-kata-policy", "gitlab-runner", "namespace-baseline"])
def test_the_guard_lets_kata_in_and_nothing_else(
    name: str,
    pod: dict[str, object],
    allowed: bool,  # noqa: FBT001
) -> None:
    template = catalogue.load().get(name)

    rendered = render(template, usual(template), kubernetes=NEWEST)

    assert _allows(rendered, pod) is allowed


def test_an_annotation_that_was_allowed_passes() -> None:
    template = catalogue.load().get("require-kata-policy")
    name = "io.katacontainers.config.hypervisor.default_vcpus"

    rendered = render(template, {"annotations": [name]}, kubernetes=NEWEST)

    spec = {"runtimeClassName": KATA}
    assert _allows(rendered, {"metadata": {"annotations": {name: "2"}}, "spec": spec})
    assert not _allows(rendered, {"metadata": {"annotations": {f"{name}x": "2"}}, "spec": spec})


_ROOT = {"name": "a", "securityContext": {"privileged": True}}


@pytest.mark.parametrize(
    ("spec", "allowed"),
    [
        ({"containers": [{"name": "a"}]}, True),
        ({"containers": [_ROOT]}, False),
        ({"containers": [_ROOT], "runtimeClassName": KATA}, False),
        (
            {"containers": [_ROOT], "runtimeClassName": KATA, "serviceAccountName": "builder"},
            True,
        ),
        ({"containers": [_ROOT], "serviceAccountName": "builder"}, False),
        ({"containers": [{"name": "b"}], "initContainers": [_ROOT]}, False),
        ({"containers": [{"name": "b"}], "ephemeralContainers": [_ROOT]}, False),
        ({"containers": [{"name": "b", "securityContext": {"privileged": False}}]}, True),
    ],
)
def test_privileged_is_for_kata_and_its_accounts_only(
    spec: dict[str, object],
    allowed: bool,  # noqa: FBT001
) -> None:
    template = catalogue.load().get("privileged-only-in-kata")

    assert _allows(render(template, {}, kubernetes="1.30"), {"spec": spec}) is allowed


@pytest.mark.parametrize(
    ("kubernetes", "version"), [("1.30", None), ("1.34", "v1beta1"), ("1.36", "v1")]
)
def test_the_class_is_set_by_what_the_cluster_knows(kubernetes: str, version: str | None) -> None:
    template = catalogue.load().get("require-kata-policy")

    documents = parse(_file(render(template, {}, kubernetes=kubernetes), "policy.yaml"), "")

    found = [d.api_version for d in documents if d.kind == "MutatingAdmissionPolicy"]
    assert found == ([f"admissionregistration.k8s.io/{version}"] if version else [])


@pytest.mark.parametrize("mode", ["runner", "docker", "pods"])
def test_workflows_have_nothing_that_zizmor_reports(mode: str, tmp_path: Path) -> None:
    template = catalogue.load().get("arc-scale-set")
    rendered = render(template, {**usual(template), "mode": mode}, kubernetes=NEWEST)
    path = tmp_path / ".github" / "workflows" / "kata.yml"
    path.parent.mkdir(parents=True)
    path.write_text(_file(rendered, ".github/workflows/kata.yml"))

    done = subprocess.run(
        [str(Path(sys.executable).with_name("zizmor")), "--offline", "--min-severity=medium", path],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


def test_container_jobs_get_the_class_of_the_form() -> None:
    template = catalogue.load().get("arc-scale-set")
    answers: dict[str, Value] = {**usual(template), "mode": "pods", "runtimeClass": "kata-fc"}

    rendered = render(template, answers, kubernetes=NEWEST)

    *_, hook = parse(_file(rendered, "namespace.yaml"), "")
    [job] = parse(hook.value["data"]["job.yaml"], "")
    assert job.value["spec"]["runtimeClassName"] == "kata-fc"
    [values] = parse(_file(rendered, "values.yaml"), "")
    assert value_at(values.value, ("template", "spec", "runtimeClassName")) == "kata-fc"


def test_the_runner_lets_jobs_change_nothing_of_their_machine() -> None:
    template = catalogue.load().get("gitlab-runner")

    [values] = parse(_file(render(template, {}, kubernetes=NEWEST), "values.yaml"), "")
    config = tomllib.loads(values.value["runners"]["config"])

    pod = config["runners"][0]["kubernetes"]
    assert pod["runtime_class_name"] == KATA
    assert {v for k, v in pod.items() if k.endswith("overwrite_allowed")} == {""}
    assert pod["node_selector"] == {"katacontainers.io/kata-runtime": "true"}


@pytest.mark.parametrize("tee", ["snp", "tdx", "se", "dev"])
def test_initdata_goes_round_and_its_digest_is_in_the_rule(tee: str) -> None:
    template = catalogue.load().get("coco-pod")
    answers = {**usual(template), "tee": tee, "policy": FILLED["policy"]}

    rendered = render(template, answers, kubernetes=NEWEST)

    toml = _file(rendered, "initdata.toml")
    pod = parse(_file(rendered, "deploy.yaml"), "")[1].value["spec"]["template"]
    told = initdata.from_annotation(pod["metadata"]["annotations"][initdata.ANNOTATION])
    assert told.toml == toml.encode()
    assert initdata.problems(told, tee) == []
    assert told.reported(tee).hex() in _file(rendered, "kbs-policy.rego")
    assert tomllib.loads(told.data["cdh.toml"])["kbc"]["url"] == FILLED["kbsUrl"]
    assert told.data["policy.rego"].strip() == str(FILLED["policy"]).strip()


def test_a_key_never_lies_on_a_disk() -> None:
    template = catalogue.load().get("tekton-confidential")

    tasks = parse(_file(render(template, usual(template), kubernetes=NEWEST), "tasks.yaml"), "")

    [encrypt] = [task for task in tasks if task.name.endswith("-encrypt")]
    volumes = {v["name"]: v for v in encrypt.value["spec"]["volumes"]}
    assert volumes["keys"]["emptyDir"] == {"medium": "Memory", "sizeLimit": "1Mi"}
    assert not any("persistentVolumeClaim" in volume for volume in volumes.values())


def test_tasks_get_the_class_where_tekton_reads_it() -> None:
    template = catalogue.load().get("tekton-build-sign")

    [run] = parse(_file(render(template, usual(template), kubernetes=NEWEST), "run.yaml"), "")

    pod = run.value["spec"]["taskRunTemplate"]["podTemplate"]
    assert pod["runtimeClassName"] == KATA
    assert pod["nodeSelector"] == {"katacontainers.io/kata-runtime": "true"}
    assert "podTemplate" not in run.value["spec"]


_HOSTILE = st.sampled_from(
    ["'", '"', "#", ": ", "- ", "${{ x }}", "$(id)", "`id`", "\\", "'''", '"""', "%", "{{x}}", "é"]
)
_TEXTS = st.lists(_HOSTILE | st.text(max_size=8), min_size=1, max_size=6).map("".join)
_OPEN = [
    (template, parameter)
    for template in TEMPLATES
    for parameter in template.parameters
    if parameter.kind in (Kind.TEXT, Kind.LINES, Kind.LIST)
]


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(_OPEN), _TEXTS)
def test_no_answer_leaves_its_scalar(question: tuple[Template, object], text: str) -> None:
    template, parameter = question
    value: Value = [text] if parameter.kind is Kind.LIST else text
    answers = {**usual(template), parameter.name: value}
    if problems(template, answers):
        return
    plain = render(template, usual(template), kubernetes=NEWEST)

    rendered = render(template, answers, kubernetes=NEWEST)

    assert [file.path for file in rendered.files] == [file.path for file in plain.files]
    for file, other in zip(rendered.files, plain.files, strict=True):
        if file.language == "yaml":
            documents = list(yaml.load_all(file.text, Loader=yaml.CSafeLoader))
            assert len(documents) == len(parse(other.text, "")), file.text
            assert [set(d) for d in documents] == [set(d.value) for d in parse(other.text, "")]
        elif file.language == "toml":
            assert set(tomllib.loads(file.text)) == set(tomllib.loads(other.text))
