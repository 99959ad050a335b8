"""The help page, and F1."""

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtTest import QTest

from kataui.helptexts import topic
from kataui.ui.help.topics import topic_of
from kataui.ui.images.opening import TOOLS


@pytest.fixture
def page(window):
    window.go("help")
    return window.page("help")


def listed(page):
    return [page.list.item(n).data(Qt.ItemDataRole.UserRole) for n in range(page.list.count())]


def test_every_page_and_tool_has_a_text_of_its_own(window):
    for key in (*tuple(window.sidebar.keys()), *TOOLS, "image:1", "pod:1", "isolation:1"):
        assert topic(topic_of(key)) is not None, key
        assert key == "home" or topic_of(key) != "page:home", key


def test_f1_explains_the_page_that_is_shown(window, qtbot):
    window.go("settings")
    window.activateWindow()
    QTest.keyClick(window.windowHandle(), Qt.Key.Key_F1)
    qtbot.waitUntil(lambda: window.current_key == "help")
    assert window.page("help").shown == "page:settings"


def test_search_narrows_and_enter_shows_the_first(page, qtbot):
    qtbot.keyClicks(page.search.edit, "launch dig")
    assert listed(page)[0] == "term:launch-digest"
    qtbot.keyClick(page.search.edit, Qt.Key.Key_Return)
    assert page.shown == "term:launch-digest"
    assert "Launch digest" in page.text.toPlainText()


def test_links_lead_on_and_back_leads_back(page):
    page.show_topic("page:verify")
    page._on_link(QUrl("term:signature"))
    assert page.shown == "term:signature"
    page._on_link(QUrl("https://example.org/"))
    assert page.shown == "term:signature", "nothing outside is opened"
    page.back()
    assert page.shown == "page:verify"


def test_topics_are_found_from_anywhere(window, qtbot):
    acts = {act.title: act for act in window.sidebar.finder.items()}
    acts["Help: Sidecar"].run()
    assert window.page("help").shown == "term:sidecar"
