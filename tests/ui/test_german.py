"""German is complete: every text of the sources has one, and every screen of the tour is German."""

import json
import re
import runpy
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QTranslator
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit, QTextBrowser, QWidget
from pytestqt.exceptions import TimeoutError as WaitedTooLong

from kataui import resources
from kataui.progress import Control
from kataui.ui import app as application
from kataui.ui import words
from kataui.ui.demo.scratch import make_scratch
from kataui.ui.demo.stage import Stage
from kataui.ui.demo.tour import screens
from tests.ui.helpers import clipped, shown, sideways, speechless, verb_of

ROOT = Path(__file__).resolve().parents[2]
ENGLISH = re.compile(
    r"\b(?:the|is|are|of|not|and|with|for|has|have|this|that|which|from|its?|to|by|on|waits?)\b"
)
CODE = re.compile(  # an English word may stand in it: paths, commands, file names, keys, a filter
    r"[\w.-]*[/=@][^ ]*|\b(?:kataui|kubectl|modprobe|tc|ip|sysctl|ethtool|chmod|ssh|sudo|apt)\b.*"
    r"|[\w-]+\.\w+|\w+-[\w-]+|[a-z]+ [<>] .*|because:\w+.*"
)
WORD = re.compile(r"(?<![\w/.@:=-])[a-z]{3,}(?![\w/@=-]|\.\w)")


@cache
def _only_english() -> frozenset[str]:
    """The words of the English texts that are in no German one."""
    book = json.loads(resources.text("languages/de.json"))
    said = {word.lower() for text in book.values() for word in re.findall(r"\w+", text)}
    return frozenset(word for text in book for word in WORD.findall(text)) - said


def _untold(text: str) -> list[str]:
    """The English words that are left in a text."""
    prose = CODE.sub("", text)
    return [*ENGLISH.findall(prose), *_only_english().intersection(WORD.findall(prose))]


@pytest.fixture
def german(qapp) -> Iterator[None]:
    words.speak("de")
    yield
    words.speak("en")


@pytest.fixture
def in_german(german, window):
    return window


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The texts that are painted from now on, which no widget tells."""
    texts: set[str] = set()
    draw = QPainter.drawText

    def note(painter: QPainter, *arguments: object) -> object:
        texts.update(one for one in arguments if isinstance(one, str))
        return draw(painter, *arguments)

    monkeypatch.setattr(QPainter, "drawText", note)
    return texts


def test_every_text_of_the_sources_has_its_german():
    told = runpy.run_path(str(ROOT / "packaging" / "words.py"))
    assert told["missing"]("de") == {}


def test_what_is_filled_in_is_filled_in_as_often():
    for text, said in json.loads(resources.text("languages/de.json")).items():
        holes = re.findall(r"\{(\d*)\}", said)
        assert len(holes) == text.count("{}"), text
        assert not any(holes) or sorted(map(int, holes)) == list(range(len(holes))), text


def test_the_texts_of_qt_are_german_too(qapp):
    before = set(qapp.findChildren(QTranslator))
    application.speak_too(qapp, "de")
    (made,) = set(qapp.findChildren(QTranslator)) - before
    assert QCoreApplication.translate("QWidgetTextControl", "&Copy") == "&Kopieren"
    qapp.removeTranslator(made)
    assert QCoreApplication.translate("QWidgetTextControl", "&Copy") == "&Copy"


def test_every_screen_of_the_tour_is_german_and_has_a_command_that_parses(
    in_german, painted, qtbot, tmp_path
):
    stage = Stage(in_german, make_scratch(tmp_path / "shop", Control()))
    found, commands, count = [], set(), 0
    for screen in screens(stage):
        with suppress(WaitedTooLong):  # layouts settle by and by; then it is told what is wrong
            qtbot.waitUntil(lambda: not clipped(in_german) + sideways(in_german), timeout=500)
        wrong = clipped(in_german) + sideways(in_german) + speechless(in_german)
        painted.clear()
        in_german.grab()
        told = (*_texts(in_german), *painted)
        wrong += [f"{left} in {text}" for text in told if (left := _untold(text))]
        found += [f"{screen}: {what}" for what in wrong]
        page = in_german.page(in_german.current_key)
        if hasattr(page, "as_command"):
            commands.add(verb_of(page.as_command()))
        count += 1
    stage.clear()
    assert "\n".join(found) == ""
    assert count > 60
    assert commands >= {
        *("image inspect", "image verify", "image compare", "pod audit", "pod prepare"),
        *("pod compare", "pipeline list", "pipeline render", "pipeline check", "pipeline adopt"),
        *("isolation check", "doctor"),
    }


def _texts(root: QWidget) -> Iterator[str]:
    """All that is read or told, but for what the user wrote."""
    for child in shown(root):
        if isinstance(child, QLabel | QAbstractButton):
            yield child.text()
            yield child.toolTip()
        if isinstance(child, QTextBrowser):
            yield child.toPlainText()
        if isinstance(child, QLineEdit):
            yield child.placeholderText()
        yield child.accessibleName()
        yield child.accessibleDescription()
