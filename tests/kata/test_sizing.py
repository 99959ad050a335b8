"""What Kata boots for a pod, and what the scheduler charges."""

from decimal import Decimal

import pytest

from kataui.kata import classes
from kataui.kata.sizing import size, told

RUST, GO = "kata-qemu-runtime-rs", "kata-qemu"
GIB, MIB = 1 << 30, 1 << 20


def _pod(*limits: dict[str, str], requests: dict[str, str] | None = None) -> dict[str, object]:
    asked = {"requests": requests} if requests else {}
    containers = [
        {"name": str(n), "resources": {"limits": one, **asked}} for n, one in enumerate(limits)
    ]
    return {"containers": containers}


def test_the_picture_of_the_form_holds() -> None:
    found = size(_pod({"cpu": "2", "memory": "4Gi"}), RUST)

    assert found is not None
    assert (found.vcpus, found.memory_bytes) == (3, 4 * GIB + 32 * MIB)
    assert (found.charged_cpus, found.charged_bytes) == (Decimal("2.25"), 4 * GIB + 320 * MIB)
    assert told(found).replace("\u00a0", " ") == (
        "Kata boots 3 CPUs and 4.03 GiB. The scheduler charges 2.25 CPUs and 4.31 GiB."
    )


@pytest.mark.parametrize(
    ("limits", "runtime_class", "vcpus", "memory_bytes"),
    [
        ([{}], RUST, 1, 2 * GIB),
        ([{"cpu": "2"}], RUST, 3, 32 * MIB),
        ([{"cpu": "800m", "memory": "1Gi"}], RUST, 1, GIB + 32 * MIB),
        ([{"cpu": "1", "memory": "1Gi"}] * 6, RUST, 7, 6 * GIB + 32 * MIB),
        ([{"cpu": "2", "memory": "4Gi"}], GO, 3, 6 * GIB),
        ([{}], GO, 1, 2 * GIB),
    ],
)
def test_machines_are_as_large_as_each_runtime_makes_them(
    limits: list[dict[str, str]], runtime_class: str, vcpus: int, memory_bytes: int
) -> None:
    found = size(_pod(*limits), runtime_class)

    assert found is not None
    assert (found.vcpus, found.memory_bytes) == (vcpus, memory_bytes)


def test_a_confidential_class_charges_two_gibibytes_more() -> None:
    found = size(_pod({"cpu": "1", "memory": "2Gi"}), "kata-qemu-snp-runtime-rs")

    assert found is not None
    assert (found.charged_cpus, found.charged_bytes) == (Decimal(2), 4 * GIB)


def test_requests_are_what_is_charged() -> None:
    found = size(_pod({"cpu": "2", "memory": "4Gi"}, requests={"cpu": "1", "memory": "1Gi"}), RUST)

    assert found is not None
    assert (found.charged_cpus, found.charged_bytes) == (Decimal("1.25"), GIB + 320 * MIB)


def test_what_is_no_class_of_kata_has_no_machine() -> None:
    assert size(_pod({"cpu": "1"}), "runc") is None


@pytest.mark.parametrize(
    ("name", "hypervisor", "runtime", "tee"),
    [
        ("kata-qemu-runtime-rs", "qemu", "rust", ""),
        ("kata-qemu", "qemu", "go", ""),
        ("kata-qemu-snp-runtime-rs", "qemu", "rust", "snp"),
        ("kata-qemu-tdx", "qemu", "go", "tdx"),
        ("kata-qemu-coco-dev", "qemu", "go", "dev"),
        ("kata-qemu-runtime-rs-debug", "qemu", "rust", ""),
        ("kata-dragonball", "dragonball", "rust", ""),
    ],
)
def test_classes_are_known_by_their_names(
    name: str, hypervisor: str, runtime: str, tee: str
) -> None:
    found = classes.find(name)

    assert found is not None
    assert (found.hypervisor, found.runtime, found.tee) == (hypervisor, runtime, tee)
    assert classes.is_kata(name)


def test_retired_and_foreign_classes_are_told_apart() -> None:
    assert "kata-qemu-sev" in classes.RETIRED
    assert not classes.is_kata("runc")
    assert not classes.is_kata("gvisor")
    assert classes.offered()[0].name == "kata-qemu-runtime-rs"
    assert classes.find("kata-qemu-snp").confidential
    assert not classes.find("kata-qemu-coco-dev").confidential
