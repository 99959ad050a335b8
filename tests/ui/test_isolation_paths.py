"""A path drawn as hops and arrows."""

import itertools
import math

import numpy as np
import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from kataui.isolation.paths import DataPath, PathFlow, PathHop
from kataui.ui import theme
from kataui.ui.isolation.pathview import HopBox, PathCard, thickness
from tests.ui.pictures import pixels, shown

NAN = math.nan
TIMES = np.arange(1000.0, 1060.0)


def hop(name: str, mark: str, word: str = "as usual") -> PathHop:
    return PathHop(name, "somewhere", ("1 dropped/s", "2 more"), mark, word, "cpu")


def path(*marks: str) -> DataPath:
    hops = tuple(hop(f"hop{n}", mark) for n, mark in enumerate(marks))
    flows = tuple(PathFlow(f"{n} MB/s", "3/s", n * 1e6) for n in range(1, len(marks)))
    return DataPath("Network path", "to the guest", hops, flows)


@pytest.fixture
def card(styled, qtbot) -> PathCard:
    return shown(qtbot, PathCard(), 1100, 240)


def red(box: HopBox) -> bool:
    return theme.color("fail.tint").name() in pixels(box.grab().toImage())


def test_at_most_one_hop_is_red_and_the_chip_names_it(card) -> None:
    card.show_path(path("pass", "warning", "fail", "fail"))

    boxes = card.view.findChildren(HopBox)
    assert [red(box) for box in boxes] == [False, False, True, False]
    assert card.accessibleName() == "Network path: Tight at hop2"
    assert "Tight at hop2" in [label.text() for label in card.findChildren(QLabel)]


@pytest.mark.parametrize(
    ("marks", "words"), [(("pass", "warning"), "Nothing tight"), (("unknown", ""), "Not measured")]
)
def test_without_a_failing_hop_the_chip_claims_no_more_than_was_measured(
    card, marks, words
) -> None:
    card.show_path(path(*marks))

    assert card.accessibleName() == f"Network path: {words}"


def test_each_hop_is_a_sentence_in_the_order_of_the_path(card) -> None:
    card.show_path(path("pass", "fail", ""))

    boxes = card.view.findChildren(HopBox)
    assert boxes[1].accessibleName() == (
        "Network path, hop 2 of 3: hop1, somewhere. 1 dropped/s, 2 more. Fail: as usual. "
        "to hop2: 2 MB/s, 3/s."
    )
    assert all(box.focusPolicy() is Qt.FocusPolicy.StrongFocus for box in boxes)
    following = boxes[0].nextInFocusChain()
    assert following is boxes[1]
    assert [box.x() for box in boxes] == sorted(box.x() for box in boxes)


@pytest.mark.parametrize(("width", "percent"), [(1100, 100), (700, 100), (420, 100), (850, 200)])
def test_hops_stay_inside_without_overlap_at_every_width(styled, qtbot, width, percent) -> None:
    theme.set_theme("light", percent)
    page = QWidget()
    layout = QVBoxLayout(page)
    card = PathCard()
    card.show_path(path("pass", "warning", "fail", "pass", "pass"))
    layout.addWidget(card)
    layout.addStretch(1)
    shown(qtbot, page, width, 3000)

    def boxes() -> list[QRect]:
        return [box.geometry() for box in card.view.findChildren(HopBox)]

    qtbot.waitUntil(lambda: all(card.view.rect().contains(box) for box in boxes()))
    assert not any(a.intersects(b) for a, b in itertools.combinations(boxes(), 2))
    wanted = max(box.wanted_px() for box in card.view.findChildren(HopBox))
    assert all(box.width() >= wanted for box in boxes())


def test_an_arrow_is_as_thick_as_what_flows_and_dashed_when_not_measured() -> None:
    flows = [PathFlow("", "", value) for value in (2e6, 1e6, NAN, 0.0)]

    assert thickness(flows) == [5.0, 3.0, 1.0, 1.0]


def test_a_path_that_changes_keeps_its_boxes(card) -> None:
    card.show_path(path("pass", "pass", "pass"))
    first = card.view.findChildren(HopBox)[0]
    card.show_path(path("fail", "pass"))

    boxes = [box for box in card.view.findChildren(HopBox) if box.isVisible()]
    assert boxes[0] is first
    assert len(boxes) == 2
    assert red(first)


def test_names_from_outside_are_cleaned(card) -> None:
    card.show_path(DataPath("IO path", "", (hop("evil\u202ename\n", "pass"),), ()))

    texts = [box.accessibleName() for box in card.view.findChildren(HopBox)]
    assert texts
    assert not any(sign in text for text in texts for sign in "\u202e\n")
