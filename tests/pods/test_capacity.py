"""How many confidential pods fit: the bound, its source, and what is not known."""

from pathlib import Path

import pytest

from kataui.errors import KatauiError
from kataui.pods.capacity import CANNOT_WORK, HostFacts, Platform, capacity, local_facts

_GIB = 1 << 30
_CLASS = "kata-qemu-snp"  # 2 GiB overhead in kata-deploy's runtime classes


def _host(memory_gib: int, **slots: int) -> HostFacts:
    return HostFacts(slots, memory_gib * _GIB)


@pytest.mark.parametrize(
    ("facts", "max_pods", "pods", "bound"),
    [
        # 255 is a firmware limit of 256, whatever the number of all ASIDs is.
        (_host(4096, sev=1006, sev_es=255), 500, 255, "ASIDs"),
        (_host(4096, sev=1006, sev_es=255), None, 110, "pods a node"),
        (_host(64, sev_es=255), None, 16, "memory"),
        (_host(64, sev_es=0), None, 0, "ASIDs"),
    ],
)
def test_the_least_is_the_bound(
    facts: HostFacts, max_pods: int | None, pods: int, bound: str
) -> None:
    found = capacity(facts, runtime_class=_CLASS, pod_memory_bytes=2 * _GIB, max_pods=max_pods)
    assert (found.pods, found.known) == (pods, True)
    assert bound in found.sentence


def test_without_the_slots_nothing_is_sure() -> None:
    found = capacity(_host(64), runtime_class=_CLASS, pod_memory_bytes=2 * _GIB)
    assert not found.known
    assert "may be fewer" in found.sentence
    assert found.limits[0].pods is None


@pytest.mark.parametrize(
    ("platform", "pods"),
    [(Platform.SEV, 400), (Platform.SEV_ES, 99), (Platform.SNP, 99), (Platform.TDX, 31)],
)
def test_each_platform_has_its_own_slots(platform: Platform, pods: int) -> None:
    facts = _host(1 << 20, sev=400, sev_es=99, tdx=31)
    found = capacity(
        facts, runtime_class="mine", pod_memory_bytes=_GIB, platform=platform, max_pods=1000
    )
    assert found.pods == pods


@pytest.mark.parametrize("name", ["kata-qemu", "kata-qemu-coco-dev", "mine"])
def test_a_class_that_encrypts_nothing_needs_the_platform(name: str) -> None:
    with pytest.raises(KatauiError, match="not known"):
        capacity(_host(64), runtime_class=name, pod_memory_bytes=_GIB)


@pytest.mark.parametrize("name", ["misc.capacity", "unified/misc.capacity"])
def test_a_captured_tree_is_read(tmp_path: Path, name: str) -> None:
    place = tmp_path / "sys/fs/cgroup" / name
    place.parent.mkdir(parents=True)
    place.write_text("sev 410\nsev_es 99\n")
    (tmp_path / "meminfo").write_text("MemTotal:       65536 kB\nMemFree: 1 kB\n")
    facts = local_facts(tmp_path / "sys", tmp_path)
    assert facts.slots == {"sev": 410, "sev_es": 99}
    assert facts.memory_bytes == 64 << 20


def test_a_tree_without_them_tells_nothing(tmp_path: Path) -> None:
    facts = local_facts(tmp_path, tmp_path)
    assert facts.slots == {}
    assert facts.memory_bytes is None


def test_every_limit_and_every_impossible_pair_has_a_source() -> None:
    found = capacity(HostFacts(), runtime_class=_CLASS, pod_memory_bytes=_GIB)
    assert all(one.source for one in found.limits)
    assert all(source for _, _, source in CANNOT_WORK)
    assert any("DAX" in feature for feature, _, _ in CANNOT_WORK)
