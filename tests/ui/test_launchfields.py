"""The fields for reference values in the window: folded away, checked, and in the command."""

import json
import shlex
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel

from kataui.pods.launchdigest import VCPU_TYPE, LaunchInputs, measure
from tests.images.builders import tiny_layout
from tests.pods.firmware import firmware
from tests.pods.pods import manifest
from tests.ui.helpers import clipped, sideways, unnamed
from tests.ui.test_tools import press, show


@pytest.fixture
def page(window, tmp_path: Path, keys):
    """The page with all that preparing one image needs."""
    tiny_layout(tmp_path / "images" / "app_1")
    (tmp_path / "pod.yaml").write_text(manifest(images=["app:1"]))
    (tmp_path / "AMDSEV.fd").write_bytes(firmware())
    (tmp_path / "vmlinuz").write_bytes(b"kernel")
    page = show(window, "podprepare")
    page.file.set_text(str(tmp_path / "pod.yaml"))
    page.images.set_text(str(tmp_path / "images"))
    page.out.set_text(str(tmp_path / "out"))
    page.recipients.set_items([keys.broker])
    page.sign_key.set_text(str(keys.sign_key))
    page.prefix.set_text("registry.example.org/team")
    return page


def test_they_are_folded_until_somebody_asks(page, qtbot) -> None:
    fields = page.launch
    assert not fields.firmware.isVisible()
    assert page.answers.launch is None
    fields._fold.click()
    assert fields.firmware.isVisible()
    assert fields._fold.accessibleName().startswith("Hide")
    qtbot.waitUntil(lambda: clipped(page) == [])
    assert (unnamed(page), sideways(page)) == ([], [])
    assert fields.vcpu_type.value == VCPU_TYPE
    fields._fold.click()
    assert not fields.firmware.isVisible()


def test_half_of_it_is_told_at_the_field_even_when_it_is_folded(page, window, qtbot) -> None:
    page.launch.firmware.set_text("AMDSEV.fd")
    assert press(qtbot, window, page) == ""
    assert page.launch.firmware.isVisible()
    assert "the kernel is missing" in page.launch.firmware.problem
    page.launch.firmware.set_text("")
    assert page.missing() == {}


def test_the_digest_is_shown_and_the_command_says_the_same(page, window, qtbot, tmp_path) -> None:
    fields = page.launch
    fields.firmware.set_text(str(tmp_path / "AMDSEV.fd"))
    fields.kernel.set_text(str(tmp_path / "vmlinuz"))
    fields.append.set_text("console=hvc0 quiet")
    fields.features.set_text("0x21")
    assert press(qtbot, window, page).startswith("Pass. 1 image prepared")
    paths = (str(tmp_path / "AMDSEV.fd"), str(tmp_path / "vmlinuz"))
    inputs = LaunchInputs(*paths, "console=hvc0 quiet", vcpus=1, guest_features=0x21)
    digest = measure(inputs).digest.hex()
    assert digest in [label.text() for label in page.findChildren(QLabel)]
    document = json.loads((tmp_path / "out" / "reference-values.json").read_text())
    assert document["snp_launch_measurement"] == [digest]
    words = shlex.split(shlex.join(page.answers.as_command()))
    assert words[-8:] == [
        *("--firmware", paths[0], "--kernel", paths[1]),
        *("--append", "console=hvc0 quiet", "--guest-features", "0x21"),
    ]
    assert sideways(page) == []
