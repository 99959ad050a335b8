"""The launch digest of SEV-SNP guests: published vectors, a second computation, bad firmware."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sevsnpmeasure.guest import snp_calc_launch_digest

from kataui.errors import KatauiError
from kataui.pods.launchdigest import LaunchInputs, launch_inputs, measure, vcpu_types
from tests.pods.firmware import (
    AMD_SEV,
    MEMORY,
    PLAIN,
    firmware,
    firmware_digest,
    hash_table,
    launch_digest,
)

_KERNEL, _INITRD, _APPEND = b"\x7fkernel", b"initrd", "console=hvc0 init=/sbin/é"
# Facts of virtee/sev-snp-measure, tests/test_guest.py: what edk2's build AmdSev (the last 4 KiB of
# it, stable202405) measures by itself, then guests of the type EPYC-v4 with an empty kernel and
# initrd: features, vCPUs, command line or NO-KERNEL; and the launch digest.
_SUFFIX = """
086e2e9149ebf45abdc3445fba5b2da8270bdbb04094d7a2c37faaa4b24af3aa16aff8c374c2a55c467a50da6d466b74
"""
_PUBLISHED = """
0x21 1 NO-KERNEL
e1e1ca029dd7973ab9513295be68198472dcd4fc834bd9af9b63f6e8a1674dbf281a9278a4a2ebe0eed9f22adbcd0e2b
0x1 1 NO-KERNEL
19358ba9a7615534a9a1e2f0dfc29384dcd4dcb7062ff9c6013b26869a5fc6ecabe033c48dd6f6db5d6d76e7c5df632d
0x21 1
329c8ce0972ae52343b64d34a434a86f245dfd74f5ed7aae15d22efc78fb9683632b9b50e4e1d7fa41179ef98a7ef198
0x1 1
ddc5224521617a536ee7ce9dd6224d1b58a8d4fda1c741f3ac99fc4bfa04ba6e9fc98646d4a07a9079397fa3852819b5
0x21 1 console=ttyS0 loglevel=7
803f691094946e42068aaa3a8f9e26a5c89f36f7b73ecfb28c653360fe4b3aba7e534442e7e1e17895dfe778d0228977
0x1 1 console=ttyS0 loglevel=7
6d287813eb5222d770f75005c664e34c204f385ce832cc2ce7d0d6f354454362f390ef83a92046c042e706363b4b08fa
0x21 4
4953b1fb416fa874980e8442b3706d345926d5f38879134e00813c5d7abcbe78eafe7b422907be0b4698e2414a631942
0x1 4
5061fffb019493a903613d56d54b94912a1a2f9e4502385f5c194616753720a92441310ba6c4933de877c36e23046ad5
"""
_LINES = _PUBLISHED.split("\n")[1:-1]
_VECTORS = list(zip(_LINES[::2], _LINES[1::2], strict=True))


@pytest.fixture
def inputs(tmp_path: Path) -> LaunchInputs:
    """Files that a guest could be started with, if there were code in them."""
    for name, data in (("ovmf", firmware()), ("kernel", _KERNEL), ("initrd", _INITRD)):
        (tmp_path / name).write_bytes(data)
    place = str(tmp_path)
    return LaunchInputs(f"{place}/ovmf", f"{place}/kernel", _APPEND, f"{place}/initrd", vcpus=1)


def _digest_or_sentence(inputs: LaunchInputs) -> bool:
    try:
        return len(measure(inputs).digest) == 48
    except KatauiError as error:
        return inputs.firmware in error.message


@pytest.mark.parametrize(("case", "digest"), _VECTORS)
def test_published_vectors(tmp_path: Path, case: str, digest: str) -> None:
    """The second computation of these tests gives them, and so does the package that is used.

    The firmware's own pages enter by their published digest; its metadata is built here.
    """
    features, vcpus, append = f"{case}  ".split(" ", 2)
    append, ours = append.strip(), bytes.fromhex(_SUFFIX)
    table = None if append == "NO-KERNEL" else hash_table(b"", b"", append)
    more = {"vcpus": int(vcpus), "features": int(features, 16)}
    assert launch_digest(ours, table, **more).hex() == digest
    (tmp_path / "ovmf").write_bytes(firmware())
    kernel = "" if table is None else os.devnull
    theirs = (str(tmp_path / "ovmf"), kernel, "", append, int(features, 16), ours.hex())
    assert snp_calc_launch_digest(int(vcpus), 0x800F12, *theirs).hex() == digest


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {}),
        ({"vcpus": 2}, {"vcpus": 2}),
        ({"vcpus": 64}, {"vcpus": 64}),
        ({"vcpu_type": "EPYC-Milan"}, {"signature": 0xA00F11}),
        ({"guest_features": 0x21}, {"features": 0x21}),
    ],
)
def test_it_is_what_the_second_computation_gives(
    inputs: LaunchInputs, changes: dict, expected: dict
) -> None:
    launch = measure(replace(inputs, **changes))
    table = hash_table(_KERNEL, _INITRD, _APPEND)
    assert launch.digest == launch_digest(firmware_digest(firmware()), table, **expected)
    assert len(launch.digest) == 48


def test_every_input_changes_it_and_no_initrd_is_an_empty_one(inputs: LaunchInputs) -> None:
    other = Path(inputs.kernel).with_name("other")
    other.write_bytes(b"other")
    ovmf = Path(inputs.kernel).with_name("other.fd")
    ovmf.write_bytes(firmware(pages=3))
    changes = [
        {"firmware": str(ovmf)},
        {"kernel": str(other)},
        {"initrd": str(other)},
        {"initrd": ""},
        {"append": f"{_APPEND} quiet"},
        {"vcpus": 3},
        {"vcpu_type": "EPYC-Genoa"},
        {"guest_features": 0x3},
        {},
    ]
    digests = [measure(replace(inputs, **change)).digest for change in changes]
    assert len(set(digests)) == len(changes)
    without = hash_table(_KERNEL, b"", _APPEND)
    assert digests[3] == launch_digest(firmware_digest(firmware()), without)


def test_files_are_told_by_their_sha256(inputs: LaunchInputs) -> None:
    told = measure(inputs).sha256
    expected = {"firmware": firmware(), "kernel": _KERNEL, "initrd": _INITRD}
    assert told == {name: hashlib.sha256(data).hexdigest() for name, data in expected.items()}
    assert list(measure(replace(inputs, initrd="")).sha256) == ["firmware", "kernel"]


_HUGE = (*AMD_SEV, *[(0, 0xFFFFF000, MEMORY)] * 8)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty, so it is not the firmware"),
        (b"\0" * 100, "does not end at a page"),
        (b"\0" * 8192, "no OVMF with SEV metadata"),
        (firmware([]), "no OVMF with SEV metadata"),
        (firmware(PLAIN), "does not measure kernel and command line"),
        (firmware(AMD_SEV[:-2]), "does not measure kernel and command line"),
        (firmware(_HUGE), "more memory than any firmware needs"),
        (firmware(items=0xFFFFFFFF), "metadata that cannot be followed"),
        (firmware(signature=b"XXXX"), "metadata that cannot be followed"),
        (firmware(((0, 0x1000, 99), *AMD_SEV)), "metadata that cannot be followed"),
        (firmware(((0, 5, MEMORY), *AMD_SEV)), "metadata that cannot be followed"),
        (firmware(reset_eip=0), "metadata that cannot be followed"),
    ],
)
def test_a_firmware_that_is_none_is_a_sentence(
    inputs: LaunchInputs, data: bytes, words: str
) -> None:
    Path(inputs.firmware).write_bytes(data)
    with pytest.raises(KatauiError, match=words):
        measure(replace(inputs, vcpus=2))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.integers(1, 600), st.integers(0, 255)), max_size=12))
def test_damage_gives_a_digest_or_a_sentence(
    inputs: LaunchInputs, damage: list[tuple[int, int]]
) -> None:
    data = bytearray(firmware())
    for place, value in damage:
        data[-place] = value
    Path(inputs.firmware).write_bytes(data)
    assert _digest_or_sentence(replace(inputs, vcpus=2))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"firmware": "/absent"}, "Cannot read the firmware /absent: No such file"),
        ({"kernel": "/absent"}, "Cannot read the kernel"),
        ({"initrd": "/absent"}, "Cannot read the initrd"),
        ({"kernel": "/"}, "/ is no file"),
        ({"kernel": os.devnull}, "is no file, so it is not the kernel"),
        ({"vcpus": 0}, "1 to 4096 vCPUs, not 0"),
        ({"vcpus": 4097}, "not 4097"),
        ({"vcpu_type": "EPYC-v9"}, "'EPYC-v9' is no known type"),
        ({"guest_features": 0x20}, "0x20 are no features"),
        ({"guest_features": -1}, "no features"),
        ({"guest_features": 1 + (1 << 64)}, "no features"),
        ({"append": "quiet\n"}, "cannot be seen"),
        ({"append": "quiet\udcff"}, "cannot be seen"),
    ],
)
def test_other_input_that_is_none_is_a_sentence(
    inputs: LaunchInputs, changes: dict, words: str
) -> None:
    with pytest.raises(KatauiError, match=words):
        measure(replace(inputs, **changes))


def test_an_empty_kernel_and_one_that_is_too_big(inputs: LaunchInputs) -> None:
    with Path(inputs.kernel).open("wb") as stream:
        with pytest.raises(KatauiError, match="is empty, so it is not the kernel"):
            measure(inputs)
        stream.truncate((256 << 20) + 1)
    with pytest.raises(KatauiError, match="too big to be the kernel"):
        measure(inputs)


def test_an_unknown_type_tells_the_known_ones(inputs: LaunchInputs) -> None:
    with pytest.raises(KatauiError) as caught:
        measure(replace(inputs, vcpu_type="epyc"))
    assert all(name in caught.value.hint for name in vcpu_types())
    assert {"EPYC-v4", "EPYC-Milan", "EPYC-Genoa"} <= set(vcpu_types())


def test_what_is_typed_becomes_inputs_and_the_same_command() -> None:
    needed = {"firmware": "f", "kernel": "k", "append": "quiet ro"}
    least = launch_inputs(**needed)
    assert least == LaunchInputs("f", "k", "quiet ro")
    assert least.as_words() == ["--firmware", "f", "--kernel", "k", "--append", "quiet ro"]
    more = {"initrd": "i", "vcpus": "4", "vcpu_type": "EPYC-Milan", "guest_features": "0x21"}
    most = launch_inputs(**needed, **more)
    assert (most.vcpus, most.guest_features) == (4, 0x21)
    words = ["--vcpus", "4", "--vcpu-type", "EPYC-Milan", "--guest-features", "0x21"]
    assert most.as_words()[4:] == ["--initrd", "i", "--append", "quiet ro", *words]
    assert launch_inputs() is None
    assert launch_inputs(vcpu_type="EPYC-v4") is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"firmware": "f"}, "the kernel is missing"),
        ({"firmware": "f", "kernel": "k"}, "the command line of the kernel is missing"),
        ({"kernel": "k", "append": "a"}, "the firmware is missing"),
        ({"initrd": "i"}, "the firmware is missing"),
        ({"vcpus": "2"}, "the firmware is missing"),
        ({"vcpu_type": "EPYC-Milan"}, "the firmware is missing"),
    ],
)
def test_they_come_together_or_not_at_all(given: dict, words: str) -> None:
    with pytest.raises(KatauiError, match=words):
        launch_inputs(**given)


@pytest.mark.parametrize("more", [{"vcpus": "0"}, {"vcpus": "two"}, {"guest_features": "SNP"}])
def test_numbers_are_numbers(more: dict) -> None:
    with pytest.raises(KatauiError, match=r"not (0|a number)"):
        launch_inputs(firmware="f", kernel="k", append="a", **more)


def test_the_package_is_loaded_when_it_is_needed() -> None:
    told = "import sys, kataui.cli.podprepare; print('sevsnpmeasure' in sys.modules)"
    argv, root = [sys.executable, "-c", told], Path(__file__).parents[2]
    done = subprocess.run(argv, cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_debians_firmware_gives_a_digest_or_says_why_not(inputs: LaunchInputs) -> None:
    found = sorted(Path("/usr/share").glob("[oO][vV][mM][fF]/*.fd"))
    if not found:
        pytest.skip("Debian's package ovmf is not installed")
    assert all(_digest_or_sentence(replace(inputs, firmware=str(path))) for path in found)
