"""Answers, what is wrong with them, and what they change."""

from pathlib import Path

import pytest

from kataui.pipelines import answersfile, catalogue
from kataui.pipelines.answers import effective, holds_secret, problem_of, problems, shown
from kataui.pipelines.answersfile import AnswersFileProblem
from kataui.pipelines.model import Kind, Parameter, Value
from kataui.pipelines.render import AnswersProblem, changed, decided_by, fields_of, render

NOWHERE = Path("/nonexistent")
SMOKE = catalogue.load(NOWHERE).get("kata-smoke-test")
RUNNER = catalogue.load(NOWHERE).get("gitlab-runner")


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        (Kind.NAME, "a-b", ""),
        (Kind.NAME, "A", "RFC 1123"),
        (Kind.NAME, "a" * 41, "at most 40"),
        (Kind.SUBDOMAIN, "a.b-c", ""),
        (Kind.SUBDOMAIN, "a..b", "RFC 1123"),
        (Kind.IMAGE, "registry.example.org:5000/a/b:1", ""),
        (Kind.IMAGE, "UPPER/x", "no image reference"),
        (Kind.IMAGE, "x y", "no image reference"),
        (Kind.URL, "https://a.b/c?d=e", ""),
        (Kind.URL, "ftp://a", "no URL"),
        (Kind.CPU, "500m", ""),
        (Kind.CPU, "2", ""),
        (Kind.CPU, "0", "at least"),
        (Kind.MEMORY, "4Gi", ""),
        (Kind.MEMORY, "4GiB", "no quantity"),
        (Kind.MEMORY, "0", "at least"),
        (Kind.MEMORY, "-1Gi", "less than nothing"),
        (Kind.TEXT, "a\nb", "control characters"),
        (Kind.LINES, "a\nb", ""),
        (Kind.LINES, "a\x00b", "control characters"),
        (Kind.TEXT, "", "Fill this in"),
        (Kind.INTEGER, 3, ""),
        (Kind.INTEGER, True, "whole number"),
        (Kind.SWITCH, "yes", "yes or no"),
        (Kind.LIST, [], "at least one"),
        (Kind.LIST, ["a", ""], "empty one"),
        (Kind.MAP, {"a": "b"}, ""),
        (Kind.MAP, [], "pairs"),
        (Kind.TEXT, 3, "Write a text"),
    ],
)
def test_each_kind_says_what_is_wrong(kind: Kind, value: Value, said: str) -> None:
    found = problem_of(Parameter("p", "P", kind, ""), value)

    assert said in found
    assert bool(found) is bool(said)


def test_answers_can_use_one_another() -> None:
    values: dict[str, Value] = {"name": "shop", "namespace": "${name}-ci"}

    assert effective(SMOKE, values)["namespace"] == "shop-ci"
    assert effective(SMOKE, {"namespace": "$${name}"})["namespace"] == "${name}"
    assert effective(SMOKE, {"namespace": "${HOME}"})["namespace"] == "${HOME}"


def test_a_circle_of_answers_is_a_problem_and_no_loop() -> None:
    values: dict[str, Value] = {"name": "${namespace}", "namespace": "${name}"}

    assert {problem.field for problem in problems(SMOKE, values)} == {"name", "namespace"}


def test_a_question_that_does_not_count_is_not_asked_and_not_judged() -> None:
    names = {parameter.name for parameter in shown(RUNNER, {"docker": False})}

    assert "layersSize" not in names
    assert problems(RUNNER, {"docker": False, "layersSize": "nonsense"}) == []
    assert [p.field for p in problems(RUNNER, {"docker": True, "layersSize": "x"})] == [
        "layersSize"
    ]


def test_the_first_problem_stops_rendering() -> None:
    with pytest.raises(AnswersProblem, match="CPU limit") as caught:
        render(SMOKE, {"memoryLimit": "1", "cpuLimit": "x"}, kubernetes="1.34")

    assert caught.value.field == "cpuLimit"
    assert caught.value.hint == "2 answers need a change."


def test_an_answer_is_known_by_the_lines_that_it_decides() -> None:
    lines = decided_by(SMOKE, {}, "memoryLimit", kubernetes="1.34")["job.yaml"]
    text = render(SMOKE, {}, kubernetes="1.34").files[0].text.split("\n")

    assert {text[line - 1].strip() for line in lines} == {"memory: 512Mi"}
    [line, _] = sorted(lines)
    assert fields_of(SMOKE, {}, "job.yaml", line, kubernetes="1.34") == ["memoryLimit"]


def test_changed_lines_are_those_that_differ() -> None:
    before = render(SMOKE, {}, kubernetes="1.34")
    after = render(SMOKE, {"cpuLimit": "3"}, kubernetes="1.34")

    lines = changed(before, after)["job.yaml"]
    text = after.files[0].text.split("\n")
    assert {text[line - 1].strip() for line in lines} == {'cpu: "3"'}
    assert changed(before, before) == {}


def test_answers_are_kept_and_read_back(tmp_path: Path) -> None:
    values: dict[str, Value] = {"tags": ["a"], "docker": True, "gitlabUrl": "https://gitlab.com"}
    path = tmp_path / answersfile.FILE_NAME
    path.write_text(answersfile.text_of(answersfile.kept_of(RUNNER, values, "1.34")))

    kept = answersfile.read_file(tmp_path)

    assert kept.kubernetes == "1.34"
    assert answersfile.fit(RUNNER, kept).values == {"tags": ["a"], "docker": True}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: b\n", "no file of answers"),
        ("format: 2\ntemplate: gitlab-runner\n", "format 2"),
        ("format: 1\ntemplate: gitlab-runner\nmore: 1\n", "member 'more'"),
        ("format: 1\ntemplate: gitlab-runner\nvalues: []\n", ""),
        ("a: [\n", "is not YAML"),
    ],
)
def test_other_files_are_no_answers(text: str, said: str) -> None:
    if said:
        with pytest.raises(Exception, match=said):
            answersfile.read(text, "f.yaml")
    else:
        assert answersfile.read(text, "f.yaml").answers.values == {}


def test_answers_of_an_older_template_are_taken_as_far_as_they_fit() -> None:
    text = (
        'format: 1\ntemplate: gitlab-runner\nversion: "0.9"\nkubernetes: "1.34"\n'
        "values: {docker: 3, gone: x, tags: [a]}\n"
    )

    fitted = answersfile.fit(RUNNER, answersfile.read(text, "f"))

    assert fitted.values == {"tags": ["a"]}
    assert len(fitted.notes) == 3
    with pytest.raises(AnswersFileProblem, match="not of kata-smoke-test"):
        answersfile.fit(SMOKE, answersfile.read(text, "f"))


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("glrt-1234567890abcdefghij", True),
        ("https://ci:ghp_0123456789abcdef@github.com/a", True),
        ("AKIAABCDEFGHIJKLMNOP", True),
        ("-----BEGIN EC PRIVATE KEY-----", True),
        (["a", "xoxb-1234567890"], True),
        ({"a": "eyJhbGciOiJI.eyJzdWIiOiIx.sig"}, True),
        ("gitlab-runner-token", False),
        ("glrt", False),
        ("-----BEGIN PUBLIC KEY-----", False),
        (3, False),
        (True, False),
    ],
)
def test_tokens_and_private_keys_are_no_answers(text, secret) -> None:
    assert holds_secret(text) is secret


def test_no_template_takes_a_token_for_any_text() -> None:
    for template in catalogue.load(NOWHERE).templates:
        for parameter in template.parameters:
            if isinstance(parameter.default, str):
                found = problem_of(parameter, "glpat-0123456789abcdef")
                assert "the secret itself" in found, (template.id, parameter.name)
