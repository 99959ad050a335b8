"""Initdata: the annotation of a pod, its digest, and what a guest would refuse."""

import base64
import gzip
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kataui.kata import initdata
from kataui.kata.initdata import InitdataProblem

_TOML = 'version = "0.1.0"\nalgorithm = "sha256"\n[data]\n"cdh.toml" = "credentials = []\\n"\n'


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=400))
def test_the_annotation_goes_round_byte_for_byte(comment: str) -> None:
    toml = f"# {comment}\n{_TOML}".encode()
    found = initdata.from_annotation(initdata.to_annotation(toml))
    assert found.toml == toml
    assert found.digest() == hashlib.sha256(toml).digest()


def test_the_digest_is_of_the_text_not_of_its_gzip() -> None:
    packed = [gzip.compress(_TOML.encode(), level, mtime=level) for level in (1, 9)]
    found = [initdata.from_annotation(base64.b64encode(one).decode()) for one in packed]
    assert packed[0] != packed[1]
    assert found[0].digest() == found[1].digest()


@pytest.mark.parametrize(
    ("algorithm", "tee", "size_bytes", "kept_bytes"),
    [("sha256", "snp", 32, 32), ("sha384", "snp", 32, 32), ("sha256", "tdx", 48, 32)],
)
def test_hardware_cuts_a_digest_or_fills_it_with_zeros(
    algorithm: str, tee: str, size_bytes: int, kept_bytes: int
) -> None:
    found = initdata.read(_TOML.replace("sha256", algorithm))
    reported = found.reported(tee)
    assert len(reported) == size_bytes
    assert reported[:kept_bytes] == found.digest()[:kept_bytes]
    assert not any(reported[kept_bytes:])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("!", "base64"),
        (base64.b64encode(_TOML.encode()).decode(), "not gzip"),
        (base64.b64encode(gzip.compress(_TOML.encode())[:-9]).decode(), "cut off"),
        (base64.b64encode(gzip.compress(b"version = ")).decode(), "not TOML"),
        (base64.b64encode(gzip.compress(bytes(5 << 20))).decode(), "larger"),
    ],
)
def test_what_is_no_initdata_is_told(text: str, told: str) -> None:
    with pytest.raises(InitdataProblem, match=told):
        initdata.from_annotation(text)


@pytest.mark.parametrize(
    ("toml", "tee", "told"),
    [
        (_TOML.replace("0.1.0", "0.2.0"), "", "version"),
        (_TOML.replace("sha256", "md5"), "", "algorithm"),
        (_TOML.replace("credentials = []", "credentials = ["), "", "cdh.toml is not TOML"),
        (_TOML.replace('"credentials = []\\n"', "1"), "", "is no text"),
        (_TOML.replace("sha256", "sha384"), "snp", "32 bytes"),
        ('version = "0.1.0"\nalgorithm = "sha256"\n', "", "no table"),
    ],
)
def test_what_a_guest_would_refuse(toml: str, tee: str, told: str) -> None:
    found = initdata.problems(initdata.read(toml), tee)
    assert len(found) == 1
    assert told in found[0]


def test_good_initdata_has_no_problems() -> None:
    assert initdata.problems(initdata.read(_TOML), "snp") == []
