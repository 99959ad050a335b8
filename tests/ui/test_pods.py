"""The pages about pods: what runs, and what was pushed in."""

from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel

from kataui.pods import fixes
from kataui.pods.lock import make_lock
from kataui.ui.pods.containertable import ContainerTable
from kataui.ui.pods.entrance import is_pod
from kataui.ui.pods.strengthcard import StrengthCard
from kataui.ui.widgets.findings import FindingList
from tests.images.builders import tiny_layout
from tests.images.protecting import IDENTITY, answers, run
from tests.pods.pods import manifest, pods
from tests.ui.test_tools import press, show


@pytest.fixture
def manifest_file(tmp_path: Path, keys) -> Path:
    """A pod with one protected container, one that is not here, and a sidecar pushed in."""
    source = tiny_layout(tmp_path / "source")
    made = run(answers(source, tmp_path / "images" / "app", keys))
    images = [f"{IDENTITY}@{made.written.signed[0]}", "elsewhere:1"]
    path = tmp_path / "pod.yaml"
    path.write_text(manifest(images=images))
    return path


def _texts(page) -> str:
    return "\n".join(label.text() for label in page.findChildren(QLabel))


def test_the_pod_page_tells_every_container(window, qtbot, manifest_file, keys) -> None:
    page = show(window, "pod")
    page.file.set_text(str(manifest_file))
    page.images.set_text(str(manifest_file.parent / "images"))
    page.public_key.set_text(str(keys.sign_pub))
    said = press(qtbot, window, page)
    assert said.startswith("Fail. 1 image not pinned.")
    assert "1 of 2 containers pinned, encrypted and signed." in said
    model = page.findChildren(ContainerTable)[0].model()
    assert [cell.word for cell in model.rows[0].cells][:1] == ["Digest"]
    assert [cell.word for cell in model.rows[1].cells] == [
        *("Tag only", "Not here", "Not here", "No policy")
    ]
    assert "Not known from here" in _texts(page)
    assert page.findChildren(FindingList)


def test_the_handle_changes_the_words_and_the_figures(window, qtbot, manifest_file, keys) -> None:
    source = tiny_layout(manifest_file.parent / "images" / "plain")
    manifest_file.write_text(manifest(images=["plain"]))
    assert source
    page = show(window, "pod")
    page.file.set_text(str(manifest_file))
    page.images.set_text(str(manifest_file.parent / "images"))
    press(qtbot, window, page)
    card = page.findChildren(StrengthCard)[0]
    assert card.found.verdict == "pass"
    card.slider.setValue(0)
    assert card.found.encrypted_bytes == 0
    assert "Anybody can read the images" in _texts(page)
    card.signed.setChecked(False)
    assert "swap them unnoticed" in _texts(page)


def test_an_image_is_pinned_with_a_click_and_that_can_be_undone(
    window, qtbot, manifest_file
) -> None:
    tiny_layout(manifest_file.parent / "images" / "plain")
    before = manifest(images=["plain"])
    manifest_file.write_text(before)
    page = show(window, "pod")
    page.file.set_text(str(manifest_file))
    page.images.set_text(str(manifest_file.parent / "images"))
    press(qtbot, window, page)
    page.show_pins()
    assert manifest_file.read_text() == before
    fixed = fixes.pin(manifest_file, page.looked.audit)
    fixes.write(fixed)
    assert "plain@sha256:" in manifest_file.read_text()
    fixes.write(fixed, undo=True)
    assert manifest_file.read_text() == before


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("apiVersion: v1\nkind: Pod\n", True),
        ("kind: 'Deployment' # ours\n", True),
        ("apiVersion: tekton.dev/v1\nkind: Task\nspec:\n  kind: Pod\n", False),
        ("image: app\n", False),
    ],
)
def test_a_pods_manifest_is_told_from_other_files(tmp_path, text, expected) -> None:
    (tmp_path / "a.yaml").write_text(text)
    assert is_pod(str(tmp_path / "a.yaml")) is expected
    assert not is_pod(str(tmp_path / "absent.yaml"))


def test_the_audit_page_says_what_is_missing_and_what_cannot_be_read(
    window, qtbot, tmp_path
) -> None:
    page = show(window, "pod")
    assert press(qtbot, window, page) == ""
    assert page.file.problem
    (tmp_path / "bad.yaml").write_text("a: [")
    page.file.set_text(str(tmp_path / "bad.yaml"))
    assert "is not YAML" in press(qtbot, window, page)


def test_the_compare_page_names_what_was_pushed_in(window, qtbot, tmp_path) -> None:
    (tmp_path / "podlock.json").write_bytes(make_lock(pods(manifest())))
    live = tmp_path / "live.yaml"
    live.write_text(manifest(initContainers=[{"name": "spy", "image": "example.net/spy:1"}]))
    page = show(window, "podcompare")
    page.lock.set_text(str(tmp_path / "podlock.json"))
    page.file.set_text(str(live))
    assert "1 pushed in" in press(qtbot, window, page)
    assert "spy was pushed in; it runs example.net/spy:1." in _texts(page)


def test_the_compare_page_says_what_is_missing(window, qtbot) -> None:
    page = show(window, "podcompare")
    assert press(qtbot, window, page) == ""
    assert page.lock.problem
    assert page.file.problem
