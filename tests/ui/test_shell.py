"""The window around the pages: find, the dock, the focus, drops, and errors in its words."""

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton

from kataui.errors import Cancelled, KatauiError
from kataui.images.sample import make_sample
from kataui.progress import Control, Progress
from kataui.ui.app import drop_words
from kataui.ui.crash import CrashDialog
from kataui.ui.images.flow import Step
from kataui.ui.images.layertable import LayerTable
from kataui.ui.images.samplepage import SamplePage
from kataui.ui.sideline import Entry
from kataui.ui.telling import in_window, problem_words
from kataui.ui.widgets.choice import Segmented
from kataui.ui.widgets.codebox import CodeBox
from kataui.ui.widgets.progress import ProgressPanel
from kataui.ui.widgets.tiles import Tiles
from tests.images.builders import tiny_layout
from tests.images.protecting import answers, run
from tests.ui.helpers import clipped, unnamed


def wait_idle(qtbot, window) -> None:
    qtbot.waitUntil(lambda: not window.jobs.busy, timeout=20_000)


@pytest.fixture
def slow_page(window, qtbot):
    """A page whose work goes on until it is cancelled; a test must do that."""

    def work(control):
        while True:
            control.report("Encrypting layer 1 of 2", 250, 1000)
            threading.Event().wait(0.005)

    def make():
        return SamplePage(
            window.jobs,
            work,
            Path("x"),
            on_done=lambda _: None,
            open_image=lambda _: None,
            deploy=lambda _: None,
        )

    window.add_page("slow", Entry("Slow work"), make, under="images")
    window.go("slow")
    page = window.page("slow")
    qtbot.waitUntil(lambda: "layer 1" in page._work.panel.step)
    return page


def test_progress_is_docked_when_its_page_is_left(window, slow_page, qtbot):
    assert window.dock.text == ""

    window.go("home")

    assert window.dock.text.startswith("Slow work, Encrypting layer 1 of 2, 250 B of 1.0 kB")
    window.dock._go.click()
    assert window.current_key == "slow"
    assert window.dock.text == ""
    slow_page.on_closed()
    wait_idle(qtbot, window)


def test_docked_work_can_be_cancelled_and_the_dock_goes(window, slow_page, qtbot):
    window.go("home")
    window.dock._stop.click()

    assert "Cancelling…" in window.dock.text
    wait_idle(qtbot, window)
    qtbot.waitUntil(lambda: window.dock.text == "")


def test_find_goes_to_what_is_typed(window, qtbot):
    qtbot.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    window.sidebar.begin_find()
    qtbot.keyClicks(window.sidebar.finder, "settings")
    qtbot.keyClick(window.sidebar.finder, Qt.Key.Key_Return)

    qtbot.waitUntil(lambda: window.current_key == "settings")
    assert window.sidebar.finder.text() == ""


def test_find_offers_acts_and_open_pages(window, images, qtbot, tmp_path):
    images.open_image(str(tiny_layout(tmp_path / "shop")))
    wait_idle(qtbot, window)

    names = [act.title for act in window.sidebar.finder.items()]

    assert "Protect an image" in names
    assert "Go to shop" in names


def test_find_opens_the_rail_only_for_as_long_as_it_is_needed(window, qtbot):
    window.resize(1000, 700)
    assert window.sidebar.is_rail

    window.sidebar.begin_find()
    assert not window.sidebar.is_rail
    window.sidebar.finder.left.emit()

    assert window.sidebar.is_rail


def test_the_focus_does_not_stay_on_a_page_that_was_left(window, images, qtbot, tmp_path):
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    images.open_image(str(tiny_layout(tmp_path / "shop")))
    wait_idle(qtbot, window)
    image = window.page(window.current_key)
    image.header.protect.setFocus()

    image.header.protect.click()

    wizard = window.page(window.current_key)
    assert wizard.isAncestorOf(QApplication.focusWidget())
    wait_idle(qtbot, window)
    assert wizard.step is Step.LAYERS
    assert QApplication.focusWidget() is wizard._next


def test_an_encrypted_image_is_to_be_verified_a_plain_one_to_be_protected(
    window, images, qtbot, tmp_path, keys
):
    source = tiny_layout(tmp_path / "source")
    made = run(answers(source, tmp_path / "out", keys))
    for path, wanted in ((source, "protect"), (made.written.path, "verify")):
        images.open_image(str(path))
        wait_idle(qtbot, window)
        header = window.page(window.current_key).header
        primary = [b for b in header.buttons if b.property("kind") == "primary"]
        assert primary == [getattr(header, wanted)]
        assert primary[0].isVisible()
    header.recipients.click()
    assert window.page("recipients").image.text == str(made.written.path)


def test_the_table_shows_the_layers_of_the_base_or_ones_own(window, images, qtbot, tmp_path):
    made = make_sample(tmp_path / "sample", Control())
    images.open_image(str(made.source))
    wait_idle(qtbot, window)
    page = window.page(window.current_key)
    table = page.findChild(LayerTable)
    switch = next(s for s in page.findChildren(Segmented) if "Yours" in s._buttons)

    switch._buttons["Yours"].click()

    assert [row.index for row in table.model().rows] == [2, 3]


def test_drops_say_what_they_do(window, keys, tmp_path):
    layout = tiny_layout(tmp_path / "shop")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(layout))])
    event = QDragEnterEvent(
        QPoint(5, 5),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )

    window.dragEnterEvent(event)

    assert event.isAccepted()
    assert window._veil.text == "Open as an image"
    assert drop_words([str(keys.sign_pub)]) == "Show this key"
    assert drop_words([str(layout), str(keys.sign_pub)]) == "Open 2 things"


def test_the_remaining_time_of_the_whole_is_told_after_three_seconds(styled, qtbot):
    panel = ProgressPanel(lambda: None, whole=True)
    qtbot.addWidget(panel)
    panel.show_progress(Progress("Encrypting layer 1 of 2", 100, 1000))
    assert panel.figures == "10\u00a0%"
    panel._began_s -= 4
    panel.show_progress(Progress("Encrypting layer 2 of 2", 500, 1000))

    panel.resize(700, 200)
    panel.show()
    assert clipped(panel) == []
    assert not panel._numbers.wordWrap()  # in one line, whatever else is in it
    percent, rate, left = panel.figures.split(", ")
    assert (percent, left) == ("50\u00a0%", "about 4 s left")
    assert rate.endswith(" B/s")


def test_cancel_is_told_at_once_and_only_once(styled, qtbot):
    asked = []
    panel = ProgressPanel(lambda: asked.append(1))
    qtbot.addWidget(panel)

    panel.cancel()
    panel.cancel()
    panel.show_progress(Progress("Encrypting layer 2 of 2", 500, 1000))

    assert asked == [1]
    assert panel.step == "Cancelling…"


def test_hints_of_the_command_line_do_not_reach_the_window():
    assert in_window("Choose another name, or use --force to replace it.") == "Choose another name."
    assert in_window("If that is right, give --base 2; else --layers all is safe.") == ""
    assert in_window("genpolicy -y a.yaml; prepare again with --policy.") == (
        "genpolicy -y a.yaml; prepare again."
    )
    assert in_window("Give it with --kbs-url.") == "Give it."
    assert in_window("Import it first: gpg --import FILE") == "Import it first: gpg --import FILE"
    error = KatauiError("It is no image, so it stays, not even with --force.", hint="Use --key.")
    assert problem_words(error) == ("It is no image, so it stays.", "")
    assert problem_words(ValueError("x"))[0].startswith("A defect: ValueError")
    assert problem_words(Cancelled())[0] == "Cancelled. Nothing was written."


def test_a_crash_report_can_be_read_and_copied(styled, qtbot):
    report = "\n".join(f"line {number} of the report" for number in range(60))
    dialog = CrashDialog(report)
    qtbot.addWidget(dialog)
    dialog.show()

    assert unnamed(dialog) == []
    assert clipped(dialog) == []
    copy = next(
        b for b in dialog.findChildren(QPushButton) if b.accessibleName().startswith("Copy")
    )
    copy.click()
    assert QGuiApplication.clipboard().text() == report


def test_a_box_of_commands_is_as_high_as_its_broken_lines(styled, qtbot):
    box = CodeBox("word " * 60, name="Commands")
    qtbot.addWidget(box)
    box.resize(300, 100)
    box.show()
    narrow = box._edit.height()
    box.resize(900, 100)
    qtbot.waitUntil(lambda: box._edit.width() > 800)

    assert narrow > box._edit.height()
    assert not box._edit.verticalScrollBar().isVisible()


def test_tiles_stand_in_fewer_columns_where_it_is_narrow(styled, qtbot):
    tiles = Tiles([QPushButton(str(number)) for number in range(4)])
    qtbot.addWidget(tiles)
    tiles.show()
    columns = []
    for width in (1000, 500, 200):
        tiles.resize(width, 300)
        columns.append(tiles.columns)

    assert columns == [4, 2, 1]


def test_the_focus_ring_is_seen_by_those_who_use_keys_only(window, qtbot):
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    handle = window.windowHandle()
    ring = window._ring

    QTest.keyClick(handle, Qt.Key.Key_Tab)
    assert ring.isVisible()
    assert ring.widget() is QApplication.focusWidget()

    QTest.mouseClick(handle, Qt.MouseButton.LeftButton, pos=QPoint(900, 700))
    assert not ring.isVisible()
