"""``kataui pod prepare`` with reference values, as scripts use it."""

import json
from pathlib import Path

import pytest

from kataui import cli
from kataui.pods.launchdigest import LaunchInputs, measure
from tests.images.builders import tiny_layout
from tests.pods.firmware import firmware
from tests.pods.pods import manifest


@pytest.fixture
def kataui(capsys, tmp_path, monkeypatch, keys):
    """Prepare the pod of one image that lies here; gives exit status and standard output."""
    monkeypatch.chdir(tmp_path)
    tiny_layout(tmp_path / "images" / "app_1")
    Path("pod.yaml").write_text(manifest(images=["app:1"]))
    Path("AMDSEV.fd").write_bytes(firmware())
    Path("vmlinuz").write_bytes(b"kernel")
    words = ["pod", "prepare", "pod.yaml", "--images", "images", "--out", "out"]
    words += ["--recipient", keys.broker, "--sign-key", str(keys.sign_key)]
    words += ["--identity-prefix", "registry.example.org/team"]
    words += ["--passphrase-file", "/dev/null"]

    def command(*more: str) -> tuple[int, str]:
        status = cli.main([*words, *more])
        return status, capsys.readouterr().out

    return command


_LAUNCH = ["--firmware", "AMDSEV.fd", "--kernel", "vmlinuz", "--append", "console=hvc0 quiet"]


def test_the_launch_digest_is_told(kataui) -> None:
    status, out = kataui(*_LAUNCH, "--vcpu-type", "EPYC-Milan", "--guest-features", "0x21")
    inputs = LaunchInputs("AMDSEV.fd", "vmlinuz", "console=hvc0 quiet", vcpus=1)
    other = LaunchInputs(*("AMDSEV.fd", "vmlinuz", "console=hvc0 quiet", "", 1, "EPYC-Milan", 0x21))
    assert status == 0
    assert f"Launch digest: {measure(other).digest.hex()}\n" in out
    assert measure(other).digest != measure(inputs).digest


def test_json_has_it_or_null(kataui) -> None:
    status, out = kataui(*_LAUNCH, "--vcpus", "2", "--json")
    value = json.loads(out)
    inputs = LaunchInputs("AMDSEV.fd", "vmlinuz", "console=hvc0 quiet", vcpus=2)
    assert (status, value["launch_digest"]) == (0, measure(inputs).digest.hex())
    assert "PREP-SNP" in [one["id"] for one in value["findings"]]  # Kata boots one vCPU
    status, out = kataui("--out", "second", "--json")
    assert (status, json.loads(out)["launch_digest"]) == (0, None)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (_LAUNCH[:4], "command line of the kernel is missing"),
        (_LAUNCH[2:], "the firmware is missing"),
        ([*_LAUNCH, "--vcpus", "0"], "1 to 4096 vCPUs"),
        ([*_LAUNCH, "--vcpus", "many"], "'many' is not a number of vCPUs"),
        ([*_LAUNCH, "--vcpu-type", "Opteron"], "'Opteron' is no known type"),
        ([*_LAUNCH, "--initrd", "absent"], "Cannot read the initrd absent"),
        ([*_LAUNCH, "--firmware", "vmlinuz"], "vmlinuz is no firmware"),
        ([*_LAUNCH, "--runtime-class", "own"], "cannot be told from the manifest"),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_written(kataui, more, words: str) -> None:
    status, out = kataui(*more, "--json")
    assert status == 2
    assert words in json.loads(out)["error"]["message"]
    assert not Path("out").exists()
    assert not list(Path().glob(".out*"))
