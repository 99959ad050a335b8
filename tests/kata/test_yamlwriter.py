"""Whatever is written reads the same, and each value is on the line that is told."""

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kataui.kata.manifest import parse
from kataui.kata.yamlwriter import scalar, write

_ODD = [
    "yes",
    "0x10",
    "1e3",
    "012",
    "12:30",
    "~",
    "=",
    "<<",
    ".inf",
    "2020-01-01",
    "1_000",
    "+1",
    "0b1",
    "0o7",
    "500m",
    "4Gi",
    "-",
    "?",
    "---",
    "...",
    "NULL",
]
_ODDER = [
    "a: b",
    "- x",
    "#c",
    "a #b",
    "a:",
    "!tag",
    "&a",
    "*a",
    "'",
    '"',
    "|\n x",
    "a\r\nb",
    "\x85",
]
_BLOCKS = ["a\n  b\n", "a\n\tb", "a\n#b\nc", "a\n---\nb", "a\n...\nb", "a\n\n", " a\nb", "a \nb"]
_STRINGS = st.text() | st.sampled_from([*_ODD, *_ODDER, *_BLOCKS, "x\u2028y", "\ufeffx"])
_LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _STRINGS
_TREES = st.recursive(
    _LEAVES.filter(lambda leaf: leaf not in (float("inf"), float("-inf"))),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_STRINGS, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(_TREES.filter(lambda tree: tree is not None), min_size=1, max_size=3))
def test_whatever_is_written_is_read_back(documents: list[Any]) -> None:
    written = write(documents)

    assert list(yaml.load_all(written.text, Loader=yaml.CSafeLoader)) == documents
    read = parse(written.text, "file")
    assert [document.value for document in read] == documents
    for (index, path), line in written.lines.items():
        assert read[index].line_of(path) == line


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("4Gi", "4Gi"),
        ("2", '"2"'),
        ("true", '"true"'),
        ("kata-qemu-runtime-rs", "kata-qemu-runtime-rs"),
        ("registry.example.org/a/b:1@sha256:00", "registry.example.org/a/b:1@sha256:00"),
        ("a: b", '"a: b"'),
        (1e16, "1.0e+16"),
        (True, "true"),
        (None, "null"),
    ],
)
def test_scalars_are_plain_only_where_nobody_reads_them_otherwise(value: Any, text: str) -> None:
    assert scalar(value) == text


def test_script_becomes_a_block_that_can_be_read() -> None:
    assert write([{"run": "a\n  b\n"}]).text == "run: |\n  a\n    b\n"
