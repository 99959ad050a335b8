"""What this computer can do: read from trees of files, from programs, and from Qt in a child."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from kataui.doctor import host, programs, window
from kataui.doctor.examine import abilities, as_json, as_text, complete, examine
from kataui.doctor.model import Group, Part, Places, State


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A host with everything."""
    tree = {
        "proc/pressure/cpu": "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
        "proc/cpuinfo": "flags\t\t: fpu svm sev\n",
        "proc/self/status": "Name:\tx\nCapEff:\t0000000000080000\n",
        "proc/filesystems": "nodev\tresctrl\n",
        "sys/fs/cgroup/cgroup.controllers": "cpu io memory pids\n",
        "sys/fs/resctrl/info/L3/num_closids": "16\n",
        "sys/class/misc/hw_random/rng_current": "amd\n",
        "dev/kvm": "",
    }
    for name, text in tree.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Places(tmp_path / "proc", tmp_path / "sys", tmp_path / "dev")


def seen(places: Places) -> dict[str, Part]:
    return {part.id: part for part in host.parts(places)}


def test_a_host_with_everything_has_everything(places: Places) -> None:
    found = seen(places)
    assert {name: part.state for name, part in found.items() if name != "disk"} == {
        name: State.HERE for name in found if name != "disk"
    }
    assert found["cgroups"].found == "version 2 (cpu io memory pids)"
    assert "amd" in found["entropy"].found
    assert found["disk"].state in {State.HERE, State.LIMITED}


def test_an_empty_host_says_what_is_lost_and_never_fails(tmp_path: Path) -> None:
    found = seen(Places(tmp_path / "p", tmp_path / "s", tmp_path / "d"))
    assert {name for name, part in found.items() if part.state is State.MISSING} == {
        *("kvm", "cgroups", "psi", "resctrl"),
    }
    assert found["psi"].fix == "Boot with psi=1"
    assert found["kvm"].found == "no /dev/kvm; the processor shows no VMX or SVM"
    assert found["kvm"].fix == "", "no command brings what the processor does not have"


def test_hybrid_groups_and_unmounted_resctrl_are_there_in_part(places: Places) -> None:
    (places.sys / "fs/cgroup/cgroup.controllers").unlink()
    (places.sys / "fs/cgroup/unified").mkdir()
    (places.sys / "fs/resctrl/info/L3/num_closids").unlink()
    (places.sys / "fs/resctrl/info/L3").rmdir()
    (places.sys / "fs/resctrl/info").rmdir()
    found = seen(places)
    assert found["cgroups"].state is State.LIMITED
    assert found["resctrl"].state is State.LIMITED
    assert found["resctrl"].fix == "sudo mount -t resctrl resctrl /sys/fs/resctrl"


def test_a_user_without_rights_sees_less(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert seen(places)["rights"].found == "an ordinary user, with CAP_SYS_PTRACE"
    (places.proc / "self/status").write_text("CapEff:\t0000000000000000\n")
    assert seen(places)["rights"].state is State.LIMITED


def test_programs_tell_their_versions_or_what_brings_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    skopeo = tmp_path / "skopeo"
    skopeo.write_text("#!/bin/sh\necho skopeo version 1.18.0\n")
    slow = tmp_path / "gpg"
    slow.write_text("#!/bin/sh\nexit 1\n")
    for path in (skopeo, slow):
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}")
    found = {part.id: part for part in programs.parts()}
    assert found["skopeo"].found == f"1.18.0 ({skopeo})"
    assert found["gpg"].state is State.UNKNOWN
    assert found["buildah"].state is State.MISSING
    assert found["buildah"].fix.endswith(" buildah")
    assert found["ssh"].fix.endswith(" openssh-client")


def test_qt_is_looked_at_in_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    found = {part.id: part for part in window.parts()}
    assert found["qt"].state is State.HERE
    assert found["fonts"].state is State.HERE
    assert found["display"].state is State.LIMITED
    monkeypatch.setenv("QT_QPA_PLATFORM", "no-such-platform")
    broken = {part.id: part for part in window.parts()}
    assert broken["qt"].state is State.MISSING
    assert broken["fonts"].state is State.UNKNOWN


def test_what_is_told_agrees_in_text_and_json(places: Places) -> None:
    parts = examine(places)
    assert {part.group for part in parts} == set(Group)
    document = json.loads(as_json(parts))
    assert document["complete"] is complete(parts)
    assert [part["id"] for part in document["parts"]] == [part.id for part in parts]
    text = as_text(parts)
    assert all(f"{part.title}: {part.found}" in text for part in parts)
    assert all(part.purpose and part.without for part in parts)


def test_only_what_kataui_needs_makes_it_incomplete(places: Places) -> None:
    parts = examine(places)
    gone = [replace(part, state=State.MISSING) for part in parts]
    assert complete([p if p.group is Group.NEEDED else g for p, g in zip(parts, gone, strict=True)])
    assert not complete(gone)
    assert all(not ability.possible for ability in abilities(gone) if "live" not in ability.title)
