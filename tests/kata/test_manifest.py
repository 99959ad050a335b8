"""YAML as Kubernetes reads it, with the place of each value; hostile files are told in words."""

import codecs
import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kataui.kata import manifest
from kataui.kata.manifest import ManifestError, decode, dotted, parse


def _one(text: str | bytes) -> object:
    [document] = parse(text, "file.yaml")
    return document.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: yes", True),
        ("a: 010", 8),
        ("a: 12:30", "12:30"),
        ("a: 2026-11-25", "2026-11-25"),
        ("a: 1e3", "1e3"),
        ("a: 1.5", 1.5),
        ("a: ~", None),
        ("a: ${X}", "${X}"),
        ("a: !!str 1", "1"),
        ("a: !!int x", "x"),
        ("a: !own y", "y"),
        ("a: 0x1F", 31),
    ],
)
def test_scalars_are_read_as_kubernetes_reads_them(text: str, value: object) -> None:
    assert _one(text) == {"a": value}


def test_keys_are_texts_and_merges_are_followed() -> None:
    text = "base: &b {x: 1, y: 2}\n1: one\ntrue: yes\nown:\n  <<: *b\n  y: 3\n"

    assert _one(text) == {
        "base": {"x": 1, "y": 2},
        "1": "one",
        "true": True,
        "own": {"x": 1, "y": 3},
    }


def test_empty_documents_are_left_out_and_places_are_told() -> None:
    first, second = parse("---\n---\na:\n- b: 1\n  c: 2\n---\n# nothing\n---\nd: 3\n", "f")

    assert (first.index, first.line, second.value) == (1, 3, {"d": 3})
    assert first.line_of(("a", 0, "c")) == 5
    assert first.line_of(("a", 7, "x")) == 3
    assert first.location(("a", 0, "c")).field == "a[0].c"


def test_merged_values_are_at_their_anchor() -> None:
    [document] = parse("base: &b\n  x: 1\nown:\n  <<: *b\n", "f")

    assert document.line_of(("own", "x")) == 2


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("spec", "containers", 0), "spec.containers[0]"),
        (("metadata", "annotations", "a.b/c"), "metadata.annotations['a.b/c']"),
        ((), ""),
    ],
)
def test_paths_are_written_as_people_write_them(path: manifest.Path, text: str) -> None:
    assert dotted(path) == text


@pytest.mark.parametrize(
    ("data", "said", "line"),
    [
        (b"a: 1\na: 2\n", "names the key 'a' for the second time", 2),
        (b"a:\n\tb: 1\n", "indented with a tab", 2),
        (b"a: [1\n", "is not YAML", 2),
        (b"a: &x [*x]\n", "refers to itself", 1),
        (b"? [a]\n: b\n", "a key that is no text", 1),
        (b"a: \xe4\n", "is not UTF-8 text", 1),
        (b"a: b\0\n", "NUL characters", 0),
        (b"a: *b\n", "is not YAML", 1),
        (b"[" * 200 + b"]" * 200, "nested more than", 1),
        (b"- " * 5000 + b"x", "is not YAML", 1),
        (b"a: \x07\n", "is not YAML", 0),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(data: bytes, said: str, line: int) -> None:
    with pytest.raises(ManifestError, match=said) as caught:
        parse(data, "file.yaml")

    assert caught.value.line == line


def test_a_bomb_is_refused_before_it_grows() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]

    with pytest.raises(ManifestError, match="grows beyond all measure"):
        parse("\n".join(lines), "bomb.yaml")


def test_a_file_that_is_too_large_is_not_even_parsed() -> None:
    with pytest.raises(ManifestError, match="larger than 32 MiB"):
        parse(b"a: " + b"x" * (100 << 20), "large.yaml")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_marks_of_an_encoding_are_followed(encoding: str) -> None:
    mark = {"utf-8": codecs.BOM_UTF8, "utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}[encoding]

    assert _one(mark + "a: ü\r\n".encode(encoding)) == {"a": "ü"}


def test_windows_line_ends_count_as_lines() -> None:
    [document] = parse(b"a: 1\r\nb:\r\n  c: 2\r\n", "f")

    assert document.line_of(("b", "c")) == 3


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | st.text(alphabet="ab:-[]{}&*!|>'\"#\n\t ,?%", max_size=60))
def test_no_file_whatever_it_holds_is_more_than_a_sentence(data: bytes | str) -> None:
    said = "It was read."
    with contextlib.suppress(ManifestError):
        said = ""
        for document in parse(data, "f"):
            assert document.line_of(("a", 0)) >= 1
        said = "It was read."
    if not said:
        with pytest.raises(ManifestError, match=r"\.$"):
            parse(data, "f")


def test_text_is_decoded_once() -> None:
    assert decode("a\r\n") == "a\r\n"
