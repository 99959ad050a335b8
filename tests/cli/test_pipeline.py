"""``kataui pipeline``: its verbs as scripts use them."""

import json
import shutil
import tomllib
from pathlib import Path

import pytest

from kataui import cli
from kataui.kata.manifest import parse

EXAMPLES = Path(__file__).parents[1] / "pipelines" / "adopt_examples"
SMOKE = "kata-smoke-test"


def run(capsys: pytest.CaptureFixture[str], *argv: object) -> tuple[int, str, str]:
    status = cli.main(["pipeline", *map(str, argv)])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def problem(capsys: pytest.CaptureFixture[str], *argv: object) -> tuple[int, str]:
    status, out, _ = run(capsys, *argv, "--json")
    return status, json.loads(out)["error"]["message"]


def test_list_has_the_members_that_scripts_rely_on(capsys) -> None:
    status, out, _ = run(capsys, "list", "--json")

    templates = json.loads(out)["templates"]
    assert status == 0
    assert len(templates) == 17
    assert {"id", "title", "system", "version"} <= set(templates[0])


def test_show_tells_each_question_and_its_default(capsys) -> None:
    status, out, _ = run(capsys, "show", SMOKE)

    assert status == 0
    assert 'memoryLimit          Memory limit  ["512Mi"]' in out
    _, document, _ = run(capsys, "show", SMOKE, "--json")
    kinds = {p["name"]: p["kind"] for p in json.loads(document)["parameters"]}
    assert kinds["runtimeClass"] == "class"


def test_render_writes_the_files_and_the_answers(capsys, tmp_path: Path) -> None:
    out = tmp_path / "out"

    status, text, _ = run(
        capsys, "render", "gitlab-runner", "--set", "tags=a,b", "--set", "docker=yes",
        "--set", "concurrent=3", "--set", "nodeSelector=pool=ci", "--out", out, "--json",
    )  # fmt: skip

    document = json.loads(text)
    assert status == 0
    assert document["written"]
    [values] = parse((out / "values.yaml").read_text(), "values.yaml")
    assert values.value["concurrent"] == 3
    runner = tomllib.loads(values.value["runners"]["config"])["runners"][0]["kubernetes"]
    assert runner["privileged"] is True
    assert runner["node_selector"] == {"pool": "ci"}
    [answers] = parse((out / ".kataui-answers.yaml").read_text(), "")
    assert answers.value["values"]["tags"] == ["a", "b"]


def test_answers_render_the_same_again_and_hand_edits_stay(capsys, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(capsys, "render", SMOKE, "--set", "namespace=ci", "--out", out)
    job = out / "job.yaml"
    edited = job.read_text().replace("backoffLimit: 0", "backoffLimit: 3  # ours")
    job.write_text(edited)

    status, text, _ = run(
        capsys, "render", SMOKE, "--answers", out, "--set", "memoryLimit=1Gi", "--out", out
    )

    assert status == 0
    assert "merged    job.yaml" in text
    assert job.read_text() == edited.replace("512Mi", "1Gi")


def test_a_line_that_both_changed_is_not_written_unless_forced(capsys, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(capsys, "render", SMOKE, "--out", out)
    job = out / "job.yaml"
    job.write_text(job.read_text().replace("512Mi", "2Gi"))
    before = job.read_bytes()
    again = ("render", SMOKE, "--set", "memoryLimit=1Gi", "--out", out)

    status, said = problem(capsys, *again)

    assert (status, job.read_bytes()) == (2, before)
    assert "changed the same lines" in said
    assert run(capsys, *again, "--force")[0] == 0
    assert "<<<<<<< yours" in job.read_text()


def test_diff_writes_nothing(capsys, tmp_path: Path) -> None:
    out = tmp_path / "out"

    status, text, _ = run(capsys, "render", SMOKE, "--out", out, "--diff")

    assert status == 0
    assert "+++ b/job.yaml" in text
    assert not out.exists()


@pytest.mark.parametrize(
    ("argv", "status", "said"),
    [
        (("render", "nothing", "--out", "o"), 2, "no template 'nothing'"),
        (("render", SMOKE, "--set", "memoryLimit=x", "--out", "o"), 2, "is no quantity"),
        (("render", SMOKE, "--set", "absent=x", "--out", "o"), 2, "no such answer"),
        (("render", SMOKE, "--kubernetes", "1.2", "--out", "o"), 2, "1.2 is not known"),
        (("render", "coco-pod", "--out", "o"), 2, "Fill this in"),
        (("render", SMOKE, "--answers", "absent", "--out", "o"), 2, "absent"),
        (("show", "nothing"), 2, "no template"),
        (("check", "absent"), 2, "cannot be read"),
        (("check", "."), 2, "No YAML file"),
        (("adopt", "absent"), 2, "cannot be read"),
    ],
)
def test_bad_input_is_a_sentence(capsys, tmp_path, monkeypatch, argv, status, said) -> None:
    monkeypatch.chdir(tmp_path)

    assert problem(capsys, *argv)[0] == status
    assert said in problem(capsys, *argv)[1]
    assert list(tmp_path.iterdir()) == []


def test_check_fails_for_an_error_and_tells_its_line(capsys, tmp_path: Path) -> None:
    wrong = tmp_path / "pod.yaml"
    wrong.write_text(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  runtimeClasName: kata\n"
        "  containers: [{name: c, image: x}]\n"
    )

    status, out, _ = run(capsys, "check", tmp_path, "--json")

    [found] = [f for f in json.loads(out)["findings"] if f["id"] == "K-SCHEMA"]
    assert status == 1
    assert found["location"]["line"] == 5
    assert "runtimeClassName" in found["message"] + found["fix"]


def test_unknown_kinds_are_not_checked_and_a_crd_makes_them_known(
    capsys, tmp_path: Path, shared: Path
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "apiVersion: policy.sigstore.dev/v1beta1\nkind: ClusterImagePolicy\n"
        "metadata: {name: a}\nspec: {imagess: []}\n"
    )

    status, out, _ = run(capsys, "check", policy, "--json")
    known, found, _ = run(capsys, "check", policy, "--json", "--crds", shared / "corpora" / "crds")

    assert (status, json.loads(out)["unchecked"]) == (0, 1)
    assert [f["checked"] for f in json.loads(out)["findings"]] == [False]
    assert known == 1
    assert "imagess" in json.loads(found)["findings"][0]["message"]


def test_sarif_names_rule_level_file_and_line(capsys, tmp_path: Path) -> None:
    path = tmp_path / "pod.yaml"
    path.write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {hostNetwork: 1}\n")

    status, out, _ = run(capsys, "check", path, "--sarif")

    log = json.loads(out)
    [result] = [r for r in log["runs"][0]["results"] if "hostNetwork" in r["message"]["text"]]
    place = result["locations"][0]["physicalLocation"]
    assert (status, log["version"], result["level"]) == (1, "2.1.0", "error")
    assert place["artifactLocation"]["uri"].endswith("pod.yaml")
    assert place["region"]["startLine"] == 4


def test_adopt_tells_prints_and_writes(capsys, tmp_path: Path) -> None:
    path = tmp_path / "argo.yaml"
    shutil.copy(EXAMPLES / "argo.yaml", path)

    status, text, _ = run(capsys, "adopt", path)
    assert status == 0
    assert "Argo ignores a class that stands here" in text
    assert path.read_bytes() == (EXAMPLES / "argo.yaml").read_bytes()

    _, patch, _ = run(capsys, "adopt", path, "--diff")
    assert "-    runtimeClassName: kata   # does this work?" in patch

    status, out, _ = run(capsys, "adopt", path, "--write", "--json")
    document = json.loads(out)
    assert path.read_bytes() == (EXAMPLES / "argo.adopted.yaml").read_bytes()
    assert Path(document["backup"]).read_bytes() == (EXAMPLES / "argo.yaml").read_bytes()
    _, out, _ = run(capsys, "adopt", path, "--json")
    assert json.loads(out)["changes"] == []


def test_adopt_takes_only_what_is_named(capsys, tmp_path: Path) -> None:
    path = tmp_path / "argo.yaml"
    shutil.copy(EXAMPLES / "argo.yaml", path)

    run(capsys, "adopt", path, "--write", "--only", "memory-0-18")

    text = (EXAMPLES / "argo.yaml").read_text()
    assert path.read_text() == text.replace('cpu: "2"\n', 'cpu: "2"\n            memory: 2Gi\n')
    assert "no change 'x'" in problem(capsys, "adopt", path, "--only", "x")[1]
