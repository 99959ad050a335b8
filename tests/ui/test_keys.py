"""The key manager: what is known, back up, restore, the drill, rotate."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton

from kataui import settings
from kataui.images import keystate
from kataui.images.keybackup import backup
from kataui.images.keymaking import describe_key, new_key
from kataui.images.keysplit import Split
from kataui.ui.images.keyrows import rows_of, sentence_of
from kataui.ui.images.opening import Images
from kataui.ui.widgets.confirm import ConfirmTyped
from tests.images.builders import tiny_layout
from tests.images.protecting import answers, judge, run
from tests.ui.helpers import banners, clipped, primaries, unnamed

MARK = "ab" * 32


def show(window, name):
    return window.findChild(Images).open_tool(name)


def press(qtbot, page) -> str:
    """Press the page's button; gives what the banner says."""
    qtbot.mouseClick(page.run_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(banners(page)), timeout=20_000)
    return banners(page)[-1].accessibleName()


def button(qtbot, root, text) -> QPushButton:
    """A button, as soon as it is shown."""

    def found() -> list[QPushButton]:
        return [one for one in root.findChildren(QPushButton) if one.text().strip() == text]

    qtbot.waitUntil(lambda: any(one.isVisible() for one in found()))
    return next(one for one in found() if one.isVisible())


def words(root) -> list[str]:
    return [one.text() for one in root.findChildren(QLabel) if one.isVisible()]


def record(state: str) -> keystate.Record:
    written = (keystate.Written("/b", "2026-01-01T00:00:00+00:00"),)
    return keystate.Record(
        MARK,
        "/k/ops.key",
        "key",
        "RSA 4096",
        written if state != "none" else (),
        "2019-11-03T00:00:00+00:00" if state == "restored" else "",
    )


def test_rows_tell_the_state_by_mark_and_word():
    rows = [rows_of([record(state)], {})[0] for state in ("none", "written", "restored")]

    assert [(row.mark, row.backup) for row in rows] == [
        ("fail", "No backup"),
        ("warning", "Written, never restored"),
        ("pass", "Restored 3 November 2019"),
    ]
    assert rows[0].kind == "RSA 4096 · opens images"
    assert rows[0].digest == "ab ab ab ab ab ab ab ab"


def test_keys_that_were_never_rehearsed_come_first():
    records = [record(state) for state in ("restored", "none", "written")]

    assert [row.mark for row in rows_of(records, {})] == ["fail", "warning", "pass"]


def test_the_sentence_counts():
    none, restored = record("none"), record("restored")

    assert sentence_of([none, restored, none]) == ("2 of 3 keys were never restored from a backup.")
    assert sentence_of([none]) == "The one key was never restored from a backup."
    assert sentence_of([restored]) == "The one key was restored from a backup at least once."
    assert sentence_of([restored] * 2).startswith("All 2 keys were restored")


def test_a_list_that_somebody_edited_is_still_shown():
    odd = keystate.Record("no hex \x1b[31m", "", "thing", "", (), "never")

    (row,) = rows_of([odd], {})

    assert row.name == "Not on this computer"
    assert "\x1b" not in row.sentence


@pytest.fixture
def known(keys, tmp_path):
    """Three keys: without a backup, with one, and one that was restored; an image lately opened."""
    keystate.note_key(describe_key(keys.sign_key))
    backup(keys.folder / "rsa.key", tmp_path / "b", passphrase="words", split=Split(2, 3))
    broker = describe_key(keys.folder / "broker.key")
    keystate.note_restored(broker, keep_path=False)
    image = run(answers(tiny_layout(tmp_path / "source"), tmp_path / "out", keys)).written.path
    settings.save(settings.Settings(recent=(settings.Recent(str(image), "image"),)))
    return image


def test_the_manager_tells_what_each_key_opens_and_its_backup(window, qtbot, known):
    page = show(window, "keys")
    rows = page.known.table.model

    qtbot.waitUntil(lambda: rows().rows[0].opens != "Looking…", timeout=20_000)

    assert "2 of 3 keys were never restored from a backup." in words(page.known)
    told = {row.name: (row.opens, row.mark) for row in rows().rows}
    assert told == {
        "sign.key": ("Nothing: it signs", "fail"),
        "rsa.key": ("1 image", "warning"),
        "broker.key": ("None of the images opened lately", "pass"),
    }


def test_the_acts_of_a_key_open_their_pages_filled(window, qtbot, known, keys, tmp_path):
    page = show(window, "keys")
    page.known.table.selectRow(1)

    button(qtbot, page.known, "Split…").click()
    assert window.current_key == "keybackup"
    assert window.page("keybackup").key.text == keys.private
    assert window.page("keybackup").split.text == "3/5"
    window.go("keys")
    button(qtbot, page.known, "Run the drill…").click()
    assert window.page("keydrill").sources.items == (str(tmp_path / "b"),)
    window.go("keys")
    button(qtbot, page.known, "Rotate…").click()
    assert window.page("keyrotate").old.text == keys.private


def test_a_key_without_a_backup_cannot_be_rehearsed_and_says_so(window, qtbot, known):
    page = show(window, "keys")

    drill = button(qtbot, page.known, "Run the drill…")
    assert not drill.isEnabled()
    assert drill.accessibleDescription() == "There is no backup yet."


def test_a_key_can_be_forgotten(window, qtbot, known):
    page = show(window, "keys")

    button(qtbot, page.known, "Forget it").click()

    assert [one.kind for one in keystate.load()] == ["key", "kbs"]
    assert "1 of 2 keys was never restored from a backup." in words(page.known)


def test_the_manager_is_named_and_nothing_is_clipped(window, qtbot, known):
    page = show(window, "keys")
    qtbot.wait(50)
    for width in (1440, 1000):
        window.resize(width, 700)
        qtbot.wait(50)
        assert unnamed(page) == []
        assert clipped(page) == []
        assert len(primaries(page)) == 1


def test_a_made_key_is_listed_and_can_be_backed_up(window, qtbot, tmp_path):
    page = show(window, "keys")
    page.purpose.set_value("kbs")
    page.prefix.set_text(str(tmp_path / "mine"))
    page._make()
    qtbot.waitUntil(lambda: bool(banners(page)), timeout=20_000)

    button(qtbot, page, "Back it up…").click()

    assert [one.path for one in keystate.load()] == [str(tmp_path / "mine.key")]
    assert window.page("keybackup").key.text == str(tmp_path / "mine.key")


def test_back_up_then_drill_then_restore(window, qtbot, keys, tmp_path):
    page = show(window, "keybackup")
    page.fill(keys.other_private)
    page.out.set_text(str(tmp_path / "b"))
    for field in (page.first, page.again):
        field.set_text("words")
    assert press(qtbot, page).startswith("Done. The backup is written.")
    assert page.first.edit.text() == page.again.edit.text() == ""

    button(qtbot, page, "Run the drill…").click()
    drill = window.page("keydrill")
    assert drill.sources.items == (str(tmp_path / "b"),)
    drill.secret.set_text("words")
    assert press(qtbot, drill).startswith("Pass. The backup restores the key.")
    assert keystate.load()[0].state is keystate.State.RESTORED

    restore = show(window, "keyrestore")
    restore.sources.set_items([str(tmp_path / "b.html")])
    restore.secret.set_text("words")
    restore.out.set_text(str(tmp_path / "r.key"))
    assert press(qtbot, restore).startswith("Done. The key is restored.")
    assert (tmp_path / "r.key").read_bytes() == (keys.folder / "ec.key").read_bytes()


def test_a_wrong_passphrase_is_told_on_the_page(window, qtbot, keys, tmp_path):
    backup(keys.folder / "ec.key", tmp_path / "b", passphrase="words")
    page = show(window, "keydrill")
    page.sources.set_items([str(tmp_path / "b")])
    page.secret.set_text("other")

    assert press(qtbot, page).startswith("Not done. The passphrase does not open the backup.")
    assert keystate.load()[0].state is keystate.State.WRITTEN


def test_the_backup_page_says_what_is_missing(window, keys, tmp_path):
    page = show(window, "keybackup")
    page.start()
    assert page.key.problem
    assert page.out.problem
    assert page.first.problem == "Without a passphrase, or shares, nobody could open it."
    page.fill(keys.other_private, "1/1")
    page.first.set_text("words")
    page.start()

    assert page.again.problem == "The two passphrases differ."
    assert page.split.problem.startswith("A key cannot be split 1/1")
    for name in ("keyrestore", "keydrill", "keyrotate"):
        other = show(window, name)
        other.start()
        assert any(field.problem for field in other.missing())


def test_rotate_tells_first_and_then_does(window, qtbot, keys, tmp_path):
    (tmp_path / "images").mkdir()
    source = tiny_layout(tmp_path / "images" / "plain")
    run(answers(source, tmp_path / "images" / "mine", keys))
    new = new_key("jwe", tmp_path / "new", algorithm="p256")
    page = show(window, "keyrotate")
    page.folder.set_text(str(tmp_path / "images"))
    page.fill(keys.private)
    page.add.set_items([f"jwe:{new.public}"])

    page.how.set_value("dry")
    assert press(qtbot, page).startswith("Told only. Nothing was written.")
    page.how.set_value("")
    qtbot.mouseClick(page.run_button, Qt.MouseButton.LeftButton)
    (question,) = page.findChildren(ConfirmTyped)
    assert not question.agree.isEnabled(), "the word is not typed yet"
    question.field.set_text("rotate")
    question.agree.click()
    qtbot.waitUntil(
        lambda: any(one.accessibleName().startswith("Done.") for one in banners(page)),
        timeout=20_000,
    )

    assert "mine:1: changed" in words(page)
    assert "plain:1: skipped" in words(page)
    report = judge(tmp_path / "images" / "mine", private=(str(new.private),))
    assert report.images[0].layers[0].mac_ok
