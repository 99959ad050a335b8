"""The pages about pods: what runs, and what was pushed in."""

from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel

from kataui.pods.lock import make_lock
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


def test_the_audit_page_tells_every_container(window, qtbot, manifest_file, keys) -> None:
    page = show(window, "pod")
    page.file.set_text(str(manifest_file))
    page.images.set_text(str(manifest_file.parent / "images"))
    page.public_key.set_text(str(keys.sign_pub))
    said = press(qtbot, window, page)
    assert said.startswith("Fail. Not all that runs is covered: 1 of 2 containers")
    told = _texts(page)
    assert "main, pinned, encrypted, signed" in told
    assert "main, not pinned, encryption not known, signature not checked" in told
    assert "elsewhere:1" in told
    assert "Not known from here" in told
    assert page.findChildren(FindingList)


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
