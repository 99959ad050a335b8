"""Find or do: every act by its name, with its keys, or why it cannot be done."""

import pytest
from PySide6.QtCore import Qt

from kataui.ui.acts import Act, fitting, page_acts
from kataui.ui.shortcutspage import ShortcutsPage
from kataui.ui.widgets.facts import Facts


def titles(acts):
    return [act.title for act in acts]


def test_words_are_found_in_any_order():
    acts = [Act(title, print) for title in ("Protect an image", "Image, compared", "Go to Home")]
    assert titles(fitting(acts, "image")) == ["Image, compared", "Protect an image"]
    assert titles(fitting(acts, "IMAGE pro")) == ["Protect an image"]
    assert titles(fitting(acts, "")) == titles(acts)
    assert fitting(acts, "xyz") == []


def test_every_shortcut_is_listed_with_its_keys(window):
    known = {act.title: act.keys for act in window.sidebar.finder.items()}
    assert known["Find"] == "Ctrl+K"
    assert known["Open what was closed last"] == "Ctrl+Shift+T"
    assert known["Present what is open"] == "F5"


def test_the_page_offers_its_own_acts_and_says_why_not(window, images, qtbot):
    images.open_tool("verify")
    page = window.page("verify")
    offered = {act.title: act for act in page_acts(page)}
    assert offered["Verify"].reason == ""
    page.run_button.set_reason("It is being done.")
    assert {act.title: act for act in page_acts(page)}["Verify"].reason == "It is being done."


def test_typing_narrows_and_enter_does(window, qtbot):
    window.sidebar.begin_find()
    qtbot.keyClicks(window.sidebar.finder, "computer this")
    qtbot.keyClick(window.sidebar.finder, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.current_key == "computer")


def test_the_keyboard_page_is_made_from_the_same_list(window):
    window.go("shortcuts")
    page = window.page("shortcuts")
    assert isinstance(page, ShortcutsPage)
    shown = {
        label.text() for facts in page.findChildren(Facts) for label in facts.findChildren(object)
        if hasattr(label, "text")
    }  # fmt: skip
    assert {act.keys for act in window.shortcuts() if act.keys} <= shown


@pytest.mark.parametrize("key", ["home", "settings", "shortcuts", "images", "pipelines"])
def test_no_page_has_a_dead_button(window, key):
    window.go(key)
    for act in page_acts(window.page(key)):
        assert act.reason != "Not possible now", f"{act.title} does not say why it is off"
