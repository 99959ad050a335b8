"""Quantities of Kubernetes, and the runtime classes of kata-deploy."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kataui.kata.classes import find, is_kata, is_retired, is_shared_kernel
from kataui.kata.quantities import (
    QuantityError,
    bytes_text,
    cpus_text,
    parse_bytes,
    parse_cpus,
    parse_quantity,
)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2", "2"),
        (2, "2"),
        ("500m", "0.5"),
        ("1.5Gi", str(3 << 29)),
        ("2k", "2000"),
        ("1E", "1e18"),
        ("1Ei", str(1 << 60)),
        ("1e3", "1000"),
        ("2E2", "200"),
        ("-1", "-1"),
        ("100n", "1e-7"),
    ],
)
def test_suffixes(text: object, wanted: str) -> None:
    assert parse_quantity(text) == Decimal(wanted)


@pytest.mark.parametrize(
    "text", ["", "2 Gi", "Gi", "1ki", "1K", "0x10", "1e", True, None, "1" * 50]
)
def test_what_is_no_quantity(text: object) -> None:
    with pytest.raises(QuantityError):
        parse_quantity(text)


def test_small_parts_are_rounded_up() -> None:
    assert parse_cpus("1n") == Decimal("0.001")
    assert parse_bytes("100m") == 1


@pytest.mark.parametrize("parse", [parse_bytes, parse_cpus])
def test_nothing_has_less_than_nothing(parse) -> None:
    with pytest.raises(QuantityError, match="'-1' is less than nothing"):
        parse("-1")


@given(st.integers(min_value=1, max_value=1 << 50))
def test_bytes_go_round(size_bytes: int) -> None:
    assert parse_bytes(bytes_text(size_bytes)) == size_bytes


@given(st.integers(min_value=1, max_value=1_000_000))
def test_cpus_go_round(milli: int) -> None:
    assert parse_cpus(cpus_text(Decimal(milli) / 1000)) == Decimal(milli) / 1000


@pytest.mark.parametrize(
    ("name", "tee", "runtime"),
    [
        ("kata-qemu-snp", "snp", "go"),
        ("kata-qemu-snp-runtime-rs", "snp", "rust"),
        ("kata-qemu-tdx", "tdx", "go"),
        ("kata-qemu-coco-dev", "dev", "go"),
        ("kata-qemu", "", "go"),
    ],
)
def test_classes_of_kata_deploy(name: str, tee: str, runtime: str) -> None:
    found = find(name)
    assert found is not None
    assert (found.tee, found.confidential, found.runtime) == (tee, tee in {"snp", "tdx"}, runtime)


def test_a_suffix_of_kata_deploy_is_the_same_class() -> None:
    found = find("kata-qemu-snp-blue")
    assert found is not None
    assert not found.exact
    assert found.confidential


@pytest.mark.parametrize("name", ["runc", "gvisor", "kata-qemu-sev", "kata-nothing", ""])
def test_what_is_not_known(name: str) -> None:
    assert find(name) is None


def test_what_a_name_tells() -> None:
    assert is_retired("kata-qemu-sev")
    assert is_kata("kata-of-a-vendor")
    assert is_shared_kernel("runc")
    assert not is_shared_kernel("my-class")
