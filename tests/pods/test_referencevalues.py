"""Reference values of a prepared pod: the files, the page, and what makes them of no use."""

import base64
import html
import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from kataui.errors import KatauiError
from kataui.pods.launchdigest import LaunchInputs
from kataui.pods.prepare import PrepareAnswers, Prepared, prepare
from kataui.pods.referencevalues import reference_for
from kataui.progress import Control
from tests.images.builders import tiny_layout
from tests.pods.firmware import firmware, firmware_digest, hash_table, launch_digest
from tests.pods.pods import CLASS, manifest, pods

_KERNEL, _APPEND = b"kernel", 'dm-mod.create="<dm>" agent.log=debug'
_HYPERVISOR = "io.katacontainers.config.hypervisor."
_GO = "kata-qemu-snp"


@pytest.fixture
def inputs(tmp_path: Path) -> LaunchInputs:
    """A guest whose vCPUs are counted."""
    (tmp_path / "AMDSEV.fd").write_bytes(firmware())
    (tmp_path / "vmlinuz").write_bytes(_KERNEL)
    return LaunchInputs(str(tmp_path / "AMDSEV.fd"), str(tmp_path / "vmlinuz"), _APPEND)


@pytest.fixture
def asked(tmp_path: Path, keys, inputs: LaunchInputs) -> PrepareAnswers:
    tiny_layout(tmp_path / "images" / "app_1")
    (tmp_path / "pod.yaml").write_text(manifest(images=["app:1"]))
    return PrepareAnswers(
        file=str(tmp_path / "pod.yaml"),
        images=str(tmp_path / "images"),
        out=str(tmp_path / "out"),
        recipients=(keys.broker,),
        sign_key=str(keys.sign_key),
        identity_prefix="registry.example.org/team",
        launch=inputs,
    )


def _run(asked: PrepareAnswers) -> Prepared:
    return prepare(asked, ask=lambda _: "", control=Control())


def _expected(vcpus: int = 1) -> str:
    table = hash_table(_KERNEL, b"", _APPEND)
    return launch_digest(firmware_digest(firmware()), table, vcpus=vcpus).hex()


def test_the_files_hold_the_digest_and_what_it_was_made_of(asked: PrepareAnswers) -> None:
    made = _run(asked)
    assert made.reference.measurement == _expected()
    document = json.loads((made.out / "reference-values.json").read_text())
    assert document["snp_launch_measurement"] == [_expected()]
    told = document["made_of"]
    assert (told["command_line"], told["vcpus"], told["vcpu_type"]) == (_APPEND, 1, "EPYC-v4")
    assert told["initrd"] is None
    for name, path in (("firmware", asked.launch.firmware), ("kernel", asked.launch.kernel)):
        done = subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True)
        assert told[name] == {"file": Path(path).name, "sha256": done.stdout.split()[0]}
    message = json.loads((made.out / "rvps-message.json").read_text())
    payload = json.loads(base64.b64decode(message.pop("payload"), validate=True))
    assert message == {"version": "0.1.0", "type": "sample"}
    assert payload == {"snp_launch_measurement": [_expected()]}


def test_the_upload_gives_it_as_kbs_client_wants_it(asked: PrepareAnswers, tmp_path: Path) -> None:
    made = _run(asked)
    said = tmp_path / "said"
    tool = tmp_path / "bin" / "kbs-client"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\nprintf "%s " "$@" >>{said}\necho >>{said}\n')
    tool.chmod(0o755)
    env = {"PATH": f"{tool.parent}:/usr/bin:/bin", "KBS_URL": "http://kbs", "ADMIN_TOKEN": "token"}
    subprocess.run(["sh", "upload.sh"], cwd=made.out / "keys", env=env, check=True)
    last = said.read_text().splitlines()[-1].split()
    assert last[:5] == ["--url", "http://kbs", "config", "--admin-token-file", "token"]
    assert last[5:] == ["set-sample-reference-value", "snp_launch_measurement", _expected()]


def test_the_page_tells_what_entered_and_what_does_not(asked: PrepareAnswers) -> None:
    made = _run(asked)
    page = (made.out / "index.html").read_text()
    assert _expected() in page
    assert html.escape(_APPEND) in page
    assert "<dm>" not in page
    for words in ("AMDSEV.fd", "1, counted from the limits", "memory", "initdata", "dm-verity"):
        assert words in page
    assert all(name in page for name in ("kernel_params", "default_vcpus", "CPU limits"))


def test_nobody_who_did_not_ask_gets_any(asked: PrepareAnswers) -> None:
    made = _run(replace(asked, launch=None))
    assert made.reference is None
    assert not (made.out / "reference-values.json").exists()
    assert "Reference values" not in (made.out / "index.html").read_text()
    assert "reference-value" not in (made.out / "keys" / "upload.sh").read_text()


def test_a_bad_firmware_is_told_before_anything_is_written(asked: PrepareAnswers) -> None:
    Path(asked.launch.firmware).write_bytes(bytes(8192))
    with pytest.raises(KatauiError, match="no OVMF with SEV metadata"):
        _run(asked)
    assert not Path(asked.out).exists()


def _limits(cpu: str | None, runtime_class: str = CLASS, **annotations: str) -> str:
    resources = {"resources": {"limits": {"cpu": cpu, "memory": "1Gi"}}} if cpu else {}
    containers = [{"name": "a", "image": "a", **resources}]
    named = {f"{_HYPERVISOR}{name}": value for name, value in annotations.items()}
    return manifest(annotations=named, runtime_class=runtime_class, containers=containers)


@pytest.mark.parametrize(
    ("text", "runtime_class", "vcpus"),
    [
        (_limits(None), CLASS, 1),
        (_limits("2"), CLASS, 3),  # the guest's own overhead is added
        (_limits("2"), _GO, 3),  # to the default of one
        (_limits(None, default_vcpus="4"), CLASS, 4),
        (_limits("2", default_vcpus="4"), CLASS, 3),
        (_limits("2", default_vcpus="4"), _GO, 6),
        (_limits(None, default_vcpus="4"), _GO, 4),
    ],
)
def test_vcpus_are_counted_as_kata_does_it(
    inputs: LaunchInputs, text: str, runtime_class: str, vcpus: int
) -> None:
    found = reference_for(inputs, pods(text), runtime_class)
    assert found.launch.inputs.vcpus == vcpus
    assert found.measurement == _expected(vcpus)
    assert found.findings == ()


def test_pods_of_other_sizes_need_a_number(inputs: LaunchInputs) -> None:
    both = f"{_limits(None)}\n---\n{_limits('4')}"
    with pytest.raises(KatauiError, match="get 1 or 5 vCPUs"):
        reference_for(inputs, pods(both), CLASS)
    found = reference_for(replace(inputs, vcpus=5), pods(both), CLASS)
    assert found.measurement == _expected(5)
    (told,) = found.findings
    assert "gives it 1 vCPU; the launch digest is for 5" in told.message
    for text, runtime_class in ((_limits(None, default_vcpus="many"), CLASS), (both, "own")):
        with pytest.raises(KatauiError, match="cannot be told"):
            reference_for(inputs, pods(text), runtime_class)


@pytest.mark.parametrize(
    ("annotations", "words"),
    [
        ({"kernel_params": "agent.log=debug"}, []),
        ({"kernel_params": "agent.log=trace"}, ["kernel_params"]),
        ({"kernel_verity_params": "root_hash=c0ffee,salt=ab"}, ["kernel_verity_params"]),
        ({"kernel_params": ""}, []),
    ],
)
def test_annotations_that_change_the_command_line_are_found(
    inputs: LaunchInputs, annotations: dict[str, str], words: list[str]
) -> None:
    found = reference_for(inputs, pods(_limits(None, **annotations)), CLASS).findings
    assert [one.id for one in found] == ["PREP-SNP"] * len(words)
    assert all(word in one.message for word, one in zip(words, found, strict=True))


def test_the_root_hash_on_the_command_line_is_recognised(inputs: LaunchInputs) -> None:
    text = _limits(None, kernel_verity_params="root_hash=c0ffee,salt=ab")
    dm = 'dm-mod.create="dm-verity,,,ro,0 8 verity 1 /dev/vda1 /dev/vda2 4096 1 0 sha256 c0ffee ab"'
    assert reference_for(replace(inputs, append=dm), pods(text), CLASS).findings == ()


@pytest.mark.parametrize("name", ["kata-qemu-tdx-runtime-rs", "kata-qemu", "own"])
def test_a_class_that_is_not_snp_is_told(inputs: LaunchInputs, name: str) -> None:
    found = reference_for(replace(inputs, vcpus=1), pods(_limits(None)), name).findings
    assert f"{name} is not known to start SEV-SNP guests" in found[0].message
    assert found[0].severity == "warning"


def test_what_a_mesh_adds_may_add_vcpus(inputs: LaunchInputs) -> None:
    value = json.loads(_limits(None))
    value["metadata"]["labels"] = {"sidecar.istio.io/inject": "true"}
    found = reference_for(inputs, pods(json.dumps(value)), CLASS).findings
    assert [one.message.partition(";")[0] for one in found] == ["Istio adds containers"]
    assert reference_for(replace(inputs, vcpus=1), pods(json.dumps(value)), CLASS).findings == ()
