"""The protect wizard, clicked through as a person does."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QPushButton

from kataui.findings import Verdict
from kataui.ui.images.flow import Step
from kataui.ui.images.wizard import ProtectWizard
from kataui.ui.sideline import Entry
from kataui.ui.widgets.banner import VerdictBanner
from kataui.ui.widgets.confirm import AskSecret
from tests.images.builders import tiny_layout
from tests.images.protecting import IDENTITY, judge


@pytest.fixture
def wizard(window, images, qtbot, tmp_path) -> ProtectWizard:
    source = tiny_layout(tmp_path / "source")
    images.start_protect((f"oci:{source}:1",))
    found = window.findChild(ProtectWizard)
    assert isinstance(found, ProtectWizard)
    return found


def go_on(qtbot, wizard) -> None:
    qtbot.mouseClick(wizard._next, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not wizard._jobs.busy, timeout=20_000)


def unlock(qtbot, window) -> None:
    """Answer the question for the signing key's (empty) passphrase."""
    qtbot.waitUntil(lambda: any(d.isVisible() for d in window.findChildren(AskSecret)))
    for dialog in window.findChildren(AskSecret):
        dialog.accept()


def fill(qtbot, wizard, keys, target: Path) -> None:
    """From the first page to the summary."""
    go_on(qtbot, wizard)
    assert wizard.step is Step.LAYERS
    go_on(qtbot, wizard)
    page = wizard.page
    page._typed.set_text(keys.recipient.removeprefix("jwe:"))
    page._key.set_text(keys.private)
    go_on(qtbot, wizard)
    page = wizard.page
    page._key.set_text(str(keys.sign_key))
    page._identity.set_text(IDENTITY)
    go_on(qtbot, wizard)
    page = wizard.page
    page._target.set_text(str(target))
    page._receipt.set_text("")
    go_on(qtbot, wizard)
    assert wizard.step is Step.SUMMARY


def test_the_whole_way_ends_in_a_proof(window, wizard, qtbot, tmp_path, keys):
    fill(qtbot, wizard, keys, tmp_path / "out")
    assert not (tmp_path / "out").exists()

    qtbot.mouseClick(wizard._next, Qt.MouseButton.LeftButton)
    unlock(qtbot, window)
    qtbot.waitUntil(lambda: wizard.step is Step.PROOF, timeout=20_000)

    assert judge(tmp_path / "out", keys, private=(keys.private,)).verdict is Verdict.PASS


def test_each_page_says_what_is_missing_and_stays(wizard, qtbot, tmp_path, keys):
    go_on(qtbot, wizard)
    go_on(qtbot, wizard)

    go_on(qtbot, wizard)

    assert wizard.step is Step.RECIPIENTS
    assert "at least one recipient" in wizard.page.fields["recipients"].problem


def test_going_back_and_switching_detail_loses_nothing(wizard, qtbot, tmp_path, keys):
    fill(qtbot, wizard, keys, tmp_path / "out")
    before = wizard.flow.answers

    for _ in range(5):
        wizard._go_back()
    wizard.set_expert("Expert")
    wizard.set_expert("Guided")
    assert wizard.step is Step.SOURCE
    for _ in range(5):
        go_on(qtbot, wizard)

    assert wizard.step is Step.SUMMARY
    assert wizard.flow.answers == before


def test_cancelling_leaves_nothing_and_goes_back_to_the_summary(
    window, wizard, qtbot, tmp_path, keys
):
    fill(qtbot, wizard, keys, tmp_path / "out")
    qtbot.mouseClick(wizard._next, Qt.MouseButton.LeftButton)
    unlock(qtbot, window)
    wizard._cancel()

    qtbot.waitUntil(lambda: wizard._control is None, timeout=5_000)

    if wizard.step is Step.SUMMARY:  # the work may have been faster than the cancel
        assert not (tmp_path / "out").exists()
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".")) == []


def test_broken_source_is_told_on_its_page(window, images, qtbot, tmp_path):
    (tmp_path / "broken.tar").write_bytes(b"no tar at all")
    images.start_protect((str(tmp_path / "broken.tar"),))
    wizard = window.findChild(ProtectWizard)

    go_on(qtbot, wizard)

    assert wizard.step is Step.SOURCE
    assert wizard.page.fields["source"].problem


def test_wizard_is_walked_by_keyboard_alone(window, wizard, qtbot):
    window.activateWindow()
    wizard._next.setFocus()
    qtbot.keyClick(wizard._next, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: wizard.step is Step.LAYERS, timeout=10_000)
    cards = wizard.page._choice._cards

    cards["all"].radio.setFocus()
    qtbot.keyClick(cards["all"].radio, Qt.Key.Key_Down)

    assert wizard.flow.answers.layers == "above-base"


def test_explicit_choice_of_layers_is_kept(wizard, qtbot):
    go_on(qtbot, wizard)
    wizard.page._choice.choose("choose")

    wizard.page._boxes[0].setChecked(False)

    assert wizard.flow.answers.layers == "1,2"


def test_several_images_share_the_answers(window, images, qtbot, tmp_path, keys):
    one, two = tiny_layout(tmp_path / "one"), tiny_layout(tmp_path / "two")
    images.start_protect((str(one), str(two)))
    wizard = window.findChild(ProtectWizard)
    fill(qtbot, wizard, keys, tmp_path / "out")

    qtbot.mouseClick(wizard._next, Qt.MouseButton.LeftButton)
    unlock(qtbot, window)
    qtbot.waitUntil(lambda: wizard.step is Step.PROOF, timeout=20_000)

    for name in ("one-protected", "two-protected"):
        report = judge(tmp_path / "out" / name, keys, private=(keys.private,))
        assert report.verdict is Verdict.PASS


def test_dropping_an_image_anywhere_opens_it(window, qtbot, tmp_path):
    source = tiny_layout(tmp_path / "source")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(source))])
    event = QDropEvent(
        QPoint(10, 10),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )

    window.dropEvent(event)
    qtbot.waitUntil(lambda: not window.jobs.busy, timeout=20_000)

    page = window.page(window.current_key)
    assert page.banner.accessibleName().startswith("Fail. Not protected")


def test_a_dropped_key_is_shown_not_opened_as_an_image(window, keys, qtbot):
    window.open_paths([str(keys.sign_pub)])

    assert window.current_key == "keys"


def test_an_image_that_cannot_be_opened_says_so(window, qtbot, tmp_path):
    (tmp_path / "x.tar").write_bytes(b"\0" * 2000)

    window.open_paths([str(tmp_path / "x.tar")])
    qtbot.waitUntil(lambda: not window.jobs.busy, timeout=20_000)

    page = window.page(window.current_key)
    assert page.banner.accessibleName().startswith("Cannot open")
    assert not page.header.protect.isEnabled()


def test_a_guessed_base_stands_in_its_field_and_is_used(window, images, qtbot, tmp_path, keys):
    from kataui.images.sample import make_sample
    from kataui.progress import Control

    sample = make_sample(tmp_path / "sample", Control())
    images.start_protect((f"oci:{sample.source}:{sample.tag}",))
    wizard = window.findChild(ProtectWizard)
    go_on(qtbot, wizard)
    wizard.page._choice.choose("above-base")

    assert wizard.page._base.text == "2"
    assert wizard.flow.answers.base == "2"


def test_without_a_known_base_the_number_is_asked(wizard, qtbot):
    go_on(qtbot, wizard)
    wizard.page._choice.choose("above-base")
    go_on(qtbot, wizard)
    assert wizard.step is Step.LAYERS
    assert "how many layers" in wizard.page.fields["layers"].problem

    wizard.page._base.set_text("1")
    go_on(qtbot, wizard)

    assert wizard.step is Step.RECIPIENTS
    assert wizard.flow.answers.base == "1"


def test_a_base_image_is_compared_and_a_wrong_one_is_told(wizard, qtbot, tmp_path):
    other = tiny_layout(tmp_path / "other", layers=[b"x" * 700])
    go_on(qtbot, wizard)
    wizard.page._choice.choose("above-base")
    wizard.page._base.set_text(str(other))
    go_on(qtbot, wizard)

    assert wizard.step is Step.LAYERS
    assert wizard.page.fields["layers"].problem


def test_without_a_private_key_the_next_thing_is_to_prove_with_one(
    window, wizard, qtbot, tmp_path, keys
):
    fill(qtbot, wizard, keys, tmp_path / "out")
    wizard.flow = replace(wizard.flow, answers=replace(wizard.flow.answers, keys=()))
    wizard.go(Step.SUMMARY)
    qtbot.mouseClick(wizard._next, Qt.MouseButton.LeftButton)
    unlock(qtbot, window)
    qtbot.waitUntil(lambda: wizard.step is Step.PROOF, timeout=20_000)
    assert wizard._next.text() == "Prove with a key…"

    wizard._next.click()

    page = window.page("verify")
    assert window.current_key == "verify"
    assert page.image.text == f"oci:{tmp_path / 'out'}:1"
    assert page.public_key.text == str(keys.sign_pub)


def test_the_sidebar_names_each_wizard_by_its_image_and_tells_its_verdict(
    window, wizard, qtbot, tmp_path, keys
):
    key = window.current_key
    fill(qtbot, wizard, keys, tmp_path / "out")
    assert window.sidebar.entry(key).title == "Protect source-1"

    qtbot.mouseClick(wizard._next, Qt.MouseButton.LeftButton)
    unlock(qtbot, window)
    qtbot.waitUntil(lambda: wizard.step is Step.PROOF, timeout=20_000)

    assert window.sidebar.entry(key) == Entry("out", mark="pass")


def test_the_summary_can_be_saved_as_a_script_that_never_overwrites(wizard, qtbot, tmp_path, keys):
    fill(qtbot, wizard, keys, tmp_path / "out")
    place = tmp_path / "protect.sh"

    wizard._save_script(str(place))

    assert place.read_text().startswith("#!/bin/sh\n")
    assert "kataui image protect" in place.read_text()
    assert place.stat().st_mode & 0o111
    before = place.read_text()
    wizard._save_script(str(place))
    assert place.read_text() == before
    assert "exists" in wizard._busy.text()


def test_of_several_images_one_that_cannot_be_written_is_told_beside_the_others(
    window, images, qtbot, tmp_path, keys
):
    one, two = tiny_layout(tmp_path / "one"), tiny_layout(tmp_path / "two")
    images.start_protect((str(one), str(two)))
    wizard = window.findChild(ProtectWizard)
    fill(qtbot, wizard, keys, tmp_path / "out")
    blob = json.loads((one / "index.json").read_text())["manifests"][0]["digest"]
    (one / "blobs" / "sha256" / blob.removeprefix("sha256:")).write_bytes(b"{}")

    qtbot.mouseClick(wizard._next, Qt.MouseButton.LeftButton)
    unlock(qtbot, window)
    qtbot.waitUntil(lambda: wizard.step is Step.PROOF, timeout=20_000)

    banner = wizard._proof.findChild(VerdictBanner)
    assert banner.accessibleName().startswith("Fail. 1 of 2 images are protected and proved.")
    assert not (tmp_path / "out" / "one-protected").exists()
    assert (tmp_path / "out" / "two-protected").is_dir()


def test_what_is_dropped_beside_the_frame_is_added_too(wizard, tmp_path):
    other = tiny_layout(tmp_path / "other")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(other))])
    event = QDropEvent(
        QPoint(10, 10),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )

    wizard.page.dropEvent(event)

    assert wizard.flow.sources[1:] == (str(other),)


def test_a_suggested_destination_counts_without_being_touched(wizard, qtbot, tmp_path):
    go_on(qtbot, wizard)
    wizard.go(Step.DESTINATION)

    assert wizard.flow.answers.destination == str(tmp_path / "source-1-protected")


def test_the_focus_goes_to_what_is_missing_else_to_the_button_that_goes_on(window, wizard, qtbot):
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    go_on(qtbot, wizard)
    assert QApplication.focusWidget() is wizard._next

    go_on(qtbot, wizard)

    assert QApplication.focusWidget() is wizard.page.fields["recipients"].control


def test_an_image_of_ones_own_is_protected_in_eight_clicks(window, images, qtbot, tmp_path):
    """Dropped on the window, with no key made before; what is typed is no click."""
    source, keys = tiny_layout(tmp_path / "own"), tmp_path / "keys"
    keys.mkdir()
    clicks = 0

    def click(button) -> None:
        nonlocal clicks
        clicks += 1
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: not window.jobs.busy, timeout=20_000)

    window.open_paths([str(source)])
    qtbot.waitUntil(lambda: not window.jobs.busy, timeout=20_000)
    click(window.page(window.current_key).header.protect)
    wizard = window.findChild(ProtectWizard)
    assert wizard.step is Step.LAYERS
    click(wizard._next)
    click(wizard.page._maker)
    (dialog,) = wizard.findChildren(QFileDialog)
    dialog.setDirectory(str(keys))
    click(next(b for b in dialog.findChildren(QPushButton) if b.isVisible() and b.isDefault()))
    for secret in window.findChildren(AskSecret):
        qtbot.keyClicks(secret.field.edit, "secret")
        qtbot.keyClick(secret.field.edit, Qt.Key.Key_Return)
    click(wizard._next)
    assert wizard.step is Step.SIGNATURE
    qtbot.keyClicks(wizard.page._identity.edit, IDENTITY)
    click(wizard._next)
    click(wizard._next)
    assert wizard.step is Step.SUMMARY
    click(wizard._next)
    qtbot.waitUntil(lambda: any(d.isVisible() for d in window.findChildren(AskSecret)))
    (question,) = (d for d in window.findChildren(AskSecret) if d.isVisible())
    qtbot.keyClicks(question.field.edit, "secret")
    qtbot.keyClick(question.field.edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: wizard.step is Step.PROOF, timeout=20_000)
    (done,) = wizard._finished
    assert done.proof.verdict is Verdict.PASS
    assert clicks == 8
