"""Edits change what they name, keep every other line, and are refused where they cannot."""

import difflib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kataui.kata import manifest
from kataui.kata.edits import Drop, Edit, EditProblem, Put, apply
from kataui.kata.manifest import ManifestError, parse

POD = """\
# a pod
apiVersion: v1
kind: Pod   # yes
metadata: {name: a, labels: {}}
spec:
  # the containers
  containers:
  - name: main   # first
    image: "x:1"
    command: ['sh', '-c', 'true']
    env: []

  - name: other
    image: &tag y
  volumes:
# the end
"""


def _put(text: str, *path: str | int, value: Any, after: str = "") -> str:
    return apply(text, [Put(0, path, value, after)])


@pytest.mark.parametrize(
    ("edit", "old", "new"),
    [
        (Put(0, ("kind",), "Job"), "kind: Pod   # yes", "kind: Job   # yes"),
        (Put(0, ("metadata", "name"), "b"), "{name: a, ", "{name: b, "),
        (Put(0, ("metadata", "labels", "k"), "v"), "labels: {}}", "labels: {k: v}}"),
        (Put(0, ("metadata", "uid"), "1"), "labels: {}}", 'labels: {}, uid: "1"}'),
        (Put(0, ("spec", "containers", 0, "image"), "z"), 'image: "x:1"', 'image: "z"'),
        (Put(0, ("spec", "containers", 1, "image"), "z"), "&tag y", "&tag z"),
        (Put(0, ("spec", "containers", 0, "command", 3), "-x"), "'true']", "'true', \"-x\"]"),
        (Put(0, ("spec", "containers", 0, "env", 0), {"a": "b"}), "env: []", "env: [{a: b}]"),
        (Put(0, ("spec", "volumes"), "x"), "volumes:", "volumes: x"),
        (Put(0, ("spec", "volumes"), [{"a": 1}]), "volumes:", "volumes:\n    - a: 1"),
        (Put(0, ("spec", "x", "z"), True), "  volumes:", "  volumes:\n  x:\n    z: true"),
        (
            Put(0, ("spec", "x"), "w", after="containers"),
            "image: &tag y\n",
            "image: &tag y\n  x: w\n",
        ),
        (
            Put(0, ("spec", "containers", 2), {"name": "z"}),
            "image: &tag y\n",
            "image: &tag y\n  - name: z\n",
        ),
        (Drop(0, ("kind",)), "kind: Pod   # yes\n", ""),
        (Drop(0, ("spec", "containers", 0, "name")), "name: main   # first\n    ", ""),
        (Drop(0, ("metadata", "labels")), "{name: a, labels: {}}", "{name: a}"),
    ],
)
def test_only_what_is_named_changes(edit: Edit, old: str, new: str) -> None:
    assert POD.count(old) == 1

    assert apply(POD, [edit]) == POD.replace(old, new)


def test_scripts_keep_their_header_and_indentation() -> None:
    text = "a:\n  run: |-  # why\n      one\n      two\n\n  b: 1\n"

    assert _put(text, "a", "run", value="one\nthree") == (
        "a:\n  run: |-  # why\n      one\n      three\n\n  b: 1\n"
    )
    assert _put(text, "a", "c", value=2) == f"{text}  c: 2\n"


def test_windows_line_ends_and_a_missing_last_one_stay() -> None:
    assert _put("a: 1\r\nb:\r\n  c: 2", "b", "d", value=3) == "a: 1\r\nb:\r\n  c: 2\r\n  d: 3"


def test_other_documents_stay() -> None:
    text = "a: 1\n---\nb: 2\n---\nc: 3\n"

    assert apply(text, [Put(1, ("b",), 4)]) == text.replace("2", "4")


def test_aliases_are_changed_at_their_anchor_or_not_at_all() -> None:
    shared = "a: &x\n  k: 1\nb: *x\n"

    assert _put(shared, "b", "k", value=2) == "a: &x\n  k: 2\nb: *x\n"
    assert _put(shared, "c", value=1) == f"{shared}c: 1\n"
    with pytest.raises(EditProblem):
        _put("a: &x {k: 1}\nb:\n  <<: *x\n", "b", "k", value=2)


def test_what_is_not_there_is_not_dropped() -> None:
    with pytest.raises(EditProblem, match="is not there"):
        apply(POD, [Drop(0, ("spec", "absent"))])


_NAMES = st.sampled_from(["a", "b", "runtimeClassName", "x y", "true", "1"])
_VALUES = st.recursive(
    st.sampled_from(["kata", "yes", "1", "a\nb\n", "", "a, b", "#c"])
    | st.booleans()
    | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=5,
)


def _paths(value: Any, path: manifest.Path = ()) -> list[manifest.Path]:
    found = [path] if path else []
    if isinstance(value, dict):
        for key, inner in value.items():
            found += _paths(inner, (*path, key))
        found.append((*path, "new"))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            found += _paths(inner, (*path, number))
        found.append((*path, len(value)))
    return found


@cache
def _texts(shared: Path) -> list[str]:
    texts = []
    for folder in ("kata-pods", "istio-inject"):
        for path in sorted((shared / "corpora" / folder).rglob("*.y*ml*")):
            text = path.read_text()
            try:
                if parse(text, path.name):
                    texts.append(text)
            except ManifestError:
                continue
    return texts


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_edits_of_real_files_change_only_the_lines_they_name(
    shared: Path, data: st.DataObject
) -> None:
    text = data.draw(st.sampled_from(_texts(shared)))
    document = data.draw(st.sampled_from(parse(text, "")))
    path = data.draw(st.sampled_from(_paths(document.value)))
    edit = Put(document.index, path, data.draw(_VALUES))

    edited = apply(text, [edit])  # it proves itself that the values are as asked for

    old, new = text.split("\n"), edited.split("\n")
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    touched = [code for code in matcher.get_opcodes() if code[0] != "equal"]
    assert len(touched) <= 1 or path[-1] != "new"
    if path[-1] == "new":  # nothing but the line of a flow collection or of a null may change
        assert sum(stop - start for _, start, stop, _, _ in touched) <= 1
