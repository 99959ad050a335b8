"""Templates of one's own: objects with references; each fault is told, and the rest work."""

from pathlib import Path

import pytest

from kataui.kata.manifest import parse
from kataui.pipelines import catalogue
from kataui.pipelines.render import render

GOOD = """\
format: 1
id: ours
title: Ours
system: Kubernetes
version: "1"
why: Because.
parameters:
  - {name: name, title: Name, kind: name, default: a, help: h, group: g}
  - {name: size, title: Size, kind: integer, default: 2, help: h, group: g}
  - {name: extra, title: Extra, kind: switch, default: false, help: h, group: g}
  - {name: list, title: List, kind: list, default: [x], help: h, group: g}
files:
  out.yaml:
    objects:
      - {kind: A, name: "${name}", size: "${size}", text: "n=${name} s=${size}", list: "${list}"}
      - {$if: {extra: true}, kind: B}
  notes.md: {text: "# ${name}\\n"}
"""


def _load(folder: Path, text: str, name: str = "one") -> catalogue.Catalogue:
    place = folder / name
    place.mkdir(parents=True)
    (place / "template.yaml").write_text(text)
    return catalogue.load(folder)


def test_answers_become_values_of_their_own_kind(tmp_path: Path) -> None:
    template = _load(tmp_path, GOOD).get("ours")

    rendered = render(template, {"name": "b", "size": 5}, kubernetes="1.34")

    [document] = parse(rendered.files[0].text, "")
    assert document.value == {
        "kind": "A", "name": "b", "size": 5, "text": "n=b s=5", "list": ["x"],
    }  # fmt: skip
    assert rendered.files[1].text == "# b\n"
    assert template.own
    whole = render(template, {"extra": True}, kubernetes="1.34")
    assert [d.value["kind"] for d in parse(whole.files[0].text, "")] == ["A", "B"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("format: 1", "format: 9", "format"),
        ("id: ours", "id: Ours", "id 'Ours'"),
        ("id: ours", "id: gitlab-runner", "taken by another"),
        ("title: Ours", "colour: red", "colour"),
        ("kind: name,", "kind: nome,", "kind 'nome'"),
        ("default: 2,", "default: two,", "default is not taken"),
        ("kind: switch, default: false", "kind: text, pattern: '(', default: a", "pattern"),
        ("kind: switch, default: false", "show_if: {z: 1}, kind: switch", "depends on z"),
        ("out.yaml", "../out.yaml", "leaves the folder"),
        ("out.yaml", "/etc/out.yaml", "leaves the folder"),
        ('"${name}", size', '"${other}", size', "refers to other"),
        ("files:", "file:", "has no files"),
        ("    objects:", "    object:", "neither objects nor text"),
        ("why: Because.", "", "member why is missing"),
        ("why: Because.", "why: [a]", "wrong type"),
        ("format: 1", "format: 1\nformat: 1", "second time"),
    ],
)
def test_a_broken_template_is_told_and_the_rest_work(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in GOOD

    found = _load(tmp_path, GOOD.replace(old, new, 1))

    assert len(found.templates) == 17
    [broken] = found.broken
    assert said in broken.problem
    assert broken.folder.endswith("one")


def test_a_question_is_asked_once(tmp_path: Path) -> None:
    twice = "parameters:\n  - {name: name, title: N, kind: name, default: a, help: h, group: g}\n"

    [broken] = _load(tmp_path, GOOD.replace("parameters:\n", twice)).broken

    assert "The parameter name is there twice." in broken.problem


def test_a_good_one_works_beside_a_broken_one(tmp_path: Path) -> None:
    _load(tmp_path, "nonsense: [", "bad")

    found = _load(tmp_path, GOOD, "good")

    assert found.get("ours").title == "Ours"
    assert len(found.broken) == 1


def test_no_answer_leaves_its_scalar(tmp_path: Path) -> None:
    text = GOOD.replace("kind: name, default: a", "kind: text, default: a")
    template = _load(tmp_path, text).get("ours")

    rendered = render(template, {"name": 'x", evil: "1'}, kubernetes="1.34")

    [document] = parse(rendered.files[0].text, "")
    assert document.value["name"] == 'x", evil: "1'
    assert "evil" not in document.value
