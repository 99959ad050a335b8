"""What was open comes back; what is dropped opens in its place, or says why not."""

import json
from dataclasses import replace

import pytest

from kataui import settings
from kataui.images.protectsample import protect_sample
from kataui.progress import Control
from kataui.ui import session
from kataui.ui.opens import drop_words, kind_of
from tests.images.builders import tiny_layout


def wait_idle(qtbot, window):
    qtbot.waitUntil(lambda: not window.jobs.busy, timeout=20_000)


POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: b}]}\n"


def test_pages_come_back_unmade_and_the_shown_one_in_front(window, images, qtbot, tmp_path):
    first, second = tiny_layout(tmp_path / "first"), tiny_layout(tmp_path / "second")
    for path in (first, second):
        images.open_image(str(path))
    wait_idle(qtbot, window)
    session.keep(window)
    for path in (second, first):
        (key,) = (key for key in tuple(window.sidebar.keys()) if window.path_of(key) == str(path))
        window.close_page(key)
    assert window.opened == []

    session.restore(window)
    wait_idle(qtbot, window)

    assert window.opened == [str(first), str(second)]
    assert window.path_of(window.current_key) == str(second)


def test_what_is_gone_is_named_and_the_rest_comes(window, qtbot, tmp_path):
    here = tiny_layout(tmp_path / "here")
    gone = str(tmp_path / "gone")
    settings.save(replace(settings.load(), opened=(str(here), gone, "\0bad"), shown=gone))
    session.restore(window)
    wait_idle(qtbot, window)
    assert window.opened == [str(here)]
    assert "No longer there: gone" in window.messages.text


def test_nothing_comes_back_when_that_is_not_wanted(window, tmp_path):
    here = tiny_layout(tmp_path / "here")
    settings.save(replace(settings.load(), opened=(str(here),), reopen=False))
    session.restore(window)
    assert window.opened == []


def test_a_page_that_was_closed_opens_again(window, images, qtbot, tmp_path):
    images.open_image(str(tiny_layout(tmp_path / "shop")))
    wait_idle(qtbot, window)
    window.close_current()
    window.reopen_closed()
    wait_idle(qtbot, window)
    assert window.opened == [str(tmp_path / "shop")]


@pytest.fixture
def things(tmp_path):
    sample = tmp_path / "sample"
    protect_sample(sample, Control())
    (tmp_path / "pod.yaml").write_text(POD)
    (tmp_path / "lock.json").write_text(json.dumps({"kataui_podlock": 1, "pods": []}))
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("hello")
    return {
        "image": sample / "protected",
        "receipt": sample / "receipt.json",
        "key": sample / "keys" / "throwaway-recipient.key",
        "pod": tmp_path / "pod.yaml",
        "lock": tmp_path / "lock.json",
        "folder": tmp_path / "empty",
    }


def test_each_thing_is_known_by_what_is_in_it(things):
    assert {name: kind_of(str(path)).name for name, path in things.items()} == {
        name: name for name in things
    }
    assert drop_words([str(things["lock"])]) == "Compare a running pod with this lock"
    assert drop_words(["a", "b"]) == "Open 2 things"


def test_dropped_things_open_in_their_places(window, qtbot, things):
    expected = {"receipt": "image:", "key": "keys", "pod": "pod:", "lock": "podcompare"}
    for name, start in expected.items():
        window.open_paths([str(things[name])])
        wait_idle(qtbot, window)
        assert window.current_key.startswith(start), name


def test_a_folder_without_anything_says_what_was_looked_for(window, things):
    window.open_paths([str(things["folder"])])
    assert "empty holds nothing that kataui opens." in window.messages.text
    assert "oci-layout" in window.messages.text


def test_clearing_the_recent_list_can_be_undone(window, images, qtbot, tmp_path):
    images.open_image(str(tiny_layout(tmp_path / "shop")))
    wait_idle(qtbot, window)
    before = settings.load().recent
    assert before
    window.go("home")
    home = window.page("home")
    home._forget()
    assert settings.load().recent == ()
    window.messages._undo.click()
    assert settings.load().recent == before
