"""The pages about pods: what runs, and what was pushed in."""

import shlex
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from kataui.pods.lock import make_lock
from kataui.ui.pods.containertable import ContainerTable
from kataui.ui.pods.entrance import is_pod
from kataui.ui.pods.strengthcard import StrengthCard
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.findings import FindingList
from tests.images.builders import tiny_layout
from tests.images.protecting import IDENTITY, answers, run
from tests.pods.pods import manifest, pods
from tests.ui.test_tools import press, show, visible_banners


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


def _click(qtbot, page, words: str) -> None:
    button = next(one for one in page.findChildren(Button) if one.text() == words)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


@pytest.fixture
def loose(window, qtbot, manifest_file: Path):
    """The page of a pod whose image is here and not pinned; its manifest, and what stood in it."""
    tiny_layout(manifest_file.parent / "images" / "plain")
    before = manifest(images=["plain"])
    manifest_file.write_text(before)
    page = show(window, "pod")
    page.file.set_text(str(manifest_file))
    page.images.set_text(str(manifest_file.parent / "images"))
    press(qtbot, window, page)
    return page, manifest_file, before


def test_an_image_is_pinned_with_a_click_and_that_can_be_undone(window, qtbot, loose) -> None:
    page, path, before = loose
    _click(qtbot, page, "Pin…")
    assert path.read_text() == before
    _click(qtbot, page, "Save")
    assert "plain@sha256:" in path.read_text()
    qtbot.waitUntil(lambda: not window.jobs.busy, timeout=20_000)
    _click(qtbot, page, "Undo")
    assert path.read_text() == before


def test_a_manifest_that_somebody_else_changed_is_not_overwritten(qtbot, loose) -> None:
    page, path, before = loose
    _click(qtbot, page, "Pin…")
    path.write_text(before + "\n")
    _click(qtbot, page, "Save")
    qtbot.waitUntil(lambda: bool(visible_banners(page)), timeout=5_000)
    assert "was changed since" in visible_banners(page)[-1].accessibleName()
    assert path.read_text() == before + "\n"


def test_a_page_that_is_closed_while_it_reads_takes_nothing_along(
    window, qtbot, manifest_file
) -> None:
    window.open_paths([str(manifest_file)])
    key = window.current_key
    assert key.startswith("pod:")
    window.close_page(key)
    qtbot.waitUntil(lambda: not window.jobs.busy, timeout=20_000)
    assert not window.has_page(key)


def test_preparing_in_the_window_makes_what_the_command_makes(
    window, qtbot, loose, keys, tmp_path
) -> None:
    page, path, _ = loose
    _click(qtbot, page, " Prepare…")
    asked = window.page("podprepare")
    assert (asked.file.text, asked.images.text) == (str(path), str(path.parent / "images"))
    assert press(qtbot, window, asked) == ""
    assert asked.recipients.problem
    assert asked.sign_key.problem
    asked.recipients.set_items([keys.broker])
    asked.sign_key.set_text(str(keys.sign_key))
    asked.prefix.set_text("registry.example.org/team")
    assert press(qtbot, window, asked).startswith("Pass. 1 image prepared")
    out = tmp_path / "pod-prepared"
    assert "registry.example.org/team/plain@sha256:" in (out / "manifest.yaml").read_text()
    assert (out / "keys").stat().st_mode & 0o777 == 0o700
    assert shlex.split(" ".join(asked.answers.as_command()))[:3] == ["kataui", "pod", "prepare"]


def test_a_lock_is_written_and_never_over_another(window, qtbot, manifest_file, keys) -> None:
    page = show(window, "podlock")
    assert press(qtbot, window, page) == ""
    page.file.set_text(str(manifest_file))
    page.out.set_text(str(manifest_file.with_name("podlock.json")))
    page.sign_key.set_text(str(keys.sign_key))
    assert press(qtbot, window, page).startswith(
        "Done. Locked 2 containers. podlock.json is written."
    )
    assert manifest_file.with_name("podlock.json.sigstore.json").is_file()
    assert "is there already" in press(qtbot, window, page)


def test_the_capacity_for_a_talk_counts_what_is_typed(window, qtbot) -> None:
    page = show(window, "podcapacity")
    page.source.choose("For a talk")
    page.source.chosen.emit("For a talk")
    page.slots.set_text("many")
    assert press(qtbot, window, page) == ""
    assert page.slots.problem
    page.slots.set_text("255")
    page.memory.set_text("-64Gi")
    assert press(qtbot, window, page) == ""
    assert "less than nothing" in page.memory.problem
    page.memory.set_text("64Gi")
    assert "At most 16 pods fit; memory is the bound." in press(qtbot, window, page)
    assert "as given" in _texts(page)


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
