"""The matrix of victims and culprits."""

import math

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics, QKeySequence, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QVBoxLayout, QWidget

from kataui.ui import theme
from kataui.ui.isolation import heat
from kataui.ui.isolation.matrixmodel import Culprit, Group, Matrix, Victim
from kataui.ui.isolation.matrixpaint import two_lines
from kataui.ui.isolation.matrixview import MatrixView
from kataui.ui.isolation.timeline import History, Timeline
from tests.ui.pictures import pixels, shown

NAN = math.nan
TIMES = np.arange(1000.0, 1060.0)


def matrix(rows: int = 4, shares: dict[tuple[int, int], float] | None = None) -> Matrix:
    victims = tuple(Victim(f"v{n}", f"team/pod-{n}") for n in range(rows))
    culprits = (
        *(Culprit(victim.key, victim.name, Group.SANDBOX) for victim in victims),
        Culprit("softirq", "kata-07 softirq", Group.HOST),
        Culprit("limit", "own limit", Group.NOBODY),
        Culprit("unknown", "unknown", Group.NOBODY),
    )
    values = np.zeros((rows, len(culprits)), np.float32)
    for place, value in (shares or {}).items():
        values[place] = value
    return Matrix(victims, culprits, values, {("v1", "v0"): "Confidence 0.9."})


SHARES = {(1, 0): 0.26, (2, 0): 0.004, (0, 4): 0.006, (0, 6): NAN, (3, 5): 0.07}


@pytest.fixture
def view(styled, qtbot) -> MatrixView:
    made = shown(qtbot, MatrixView(), 800, 400)
    made.set_matrix(matrix(shares=SHARES))
    return made


def test_the_cursor_begins_at_the_darkest_cell_and_tells_it(view) -> None:
    assert view.current() == ("v1", "v0")
    assert view.accessibleDescription() == (
        "team/pod-1 waits 26.0\u00a0% of its CPU time because of team/pod-0. Confidence 0.9."
    )


def test_a_cell_that_cannot_be_told_and_a_sandbox_itself_say_so(view) -> None:
    assert view._matrix.words(0, 6).startswith("Cannot tell")
    assert "not its own neighbour" in view._matrix.words(2, 2)


@pytest.mark.parametrize("name", ["light", "dark"])
def test_cells_have_the_colour_of_their_step(view, name) -> None:
    theme.set_theme(name, 100)
    image = view.viewport().grab().toImage()

    def colors(row: int, column: int) -> set[str]:
        return pixels(image.copy(view._rect(row, column).adjusted(4, 4, -4, -4)))

    assert heat.color(6).name() in colors(1, 0)
    assert colors(2, 0) == {heat.color(0).name()}, "below half a per cent there is no number"
    assert heat.color(1).name() in colors(0, 4)
    assert len(colors(0, 4)) > 1, "the number"
    assert theme.colors()["heat"]["gap"]["color"].lower() in colors(0, 6)
    assert heat.color(0).name() not in colors(2, 2), "a dash, not a zero"


def test_arrows_move_and_enter_opens(view, qtbot) -> None:
    with qtbot.waitSignal(view.current_changed) as changed:
        QTest.keyClick(view, Qt.Key.Key_Down)
    QTest.keyClick(view, Qt.Key.Key_End)
    QTest.keyClick(view, Qt.Key.Key_Left)
    with qtbot.waitSignal(view.opened) as opened:
        QTest.keyClick(view, Qt.Key.Key_Return)

    assert changed.args == ["v2", "v0"]
    assert opened.args == ["v2", "limit"]
    assert "own limit" in view.accessibleDescription()


def test_arrows_are_not_taken_by_a_shortcut_of_the_page(styled, qtbot) -> None:
    page = QWidget()
    layout = QVBoxLayout(page)
    view, strip = MatrixView(), Timeline()
    layout.addWidget(view)
    layout.addWidget(strip)
    taken = []
    QShortcut(QKeySequence("Left"), page).activated.connect(lambda: taken.append("Left"))
    shown(qtbot, page, 900, 700)
    page.activateWindow()
    view.set_matrix(matrix(shares={(1, 2): 0.2}))
    times = np.arange(100.0, 1000.0)
    strip.set_data(History(times, np.zeros(900, np.float32)))

    view.setFocus()
    qtbot.waitUntil(view.hasFocus)
    QTest.keyClick(page.windowHandle(), Qt.Key.Key_Left)
    strip.strip.setFocus()
    QTest.keyClick(page.windowHandle(), Qt.Key.Key_Left)

    assert view.current() == ("v1", "v1")
    assert strip.strip.window_s == (698.0, 998.0)
    assert taken == []


def test_a_new_matrix_keeps_the_pair_under_the_cursor(view) -> None:
    QTest.keyClick(view, Qt.Key.Key_Up)
    before = view.current()
    larger = matrix(6, SHARES)
    view.set_matrix(Matrix(larger.victims[::-1], larger.culprits, larger.shares[::-1]))

    assert view.current() == before


def test_a_click_chooses_and_a_double_click_opens(view, qtbot) -> None:
    place = view._rect(3, 5).center()

    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert view.current() == ("v3", "limit")
    with qtbot.waitSignal(view.opened) as opened:
        QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert opened.args == ["v3", "limit"]


@pytest.mark.parametrize("percent", [100, 200])
def test_forty_rows_scroll_and_the_names_stay(styled, qtbot, percent) -> None:
    theme.set_theme("light", percent)
    view = shown(qtbot, MatrixView(), 700, 400)
    view.set_matrix(matrix(45, {(0, 1): 0.2}))

    for _ in range(44):
        QTest.keyClick(view, Qt.Key.Key_Down)
    QTest.keyClick(view, Qt.Key.Key_End)

    assert view.verticalScrollBar().value() == view.verticalScrollBar().maximum() > 0
    assert view.viewport().rect().contains(view._rect(44, 47))
    beside = view._rect(44, 47).center()
    beside.setX(5)
    assert view.name_at(beside) == "team/pod-44"
    above = view._rect(44, 47).center()
    above.setY(5)
    assert view.name_at(above) == "unknown"


def test_nothing_to_show_is_said(styled, qtbot) -> None:
    view = shown(qtbot, MatrixView())
    view.set_matrix(Matrix((), (), np.zeros((0, 0), np.float32)))
    QTest.keyClick(view, Qt.Key.Key_Down)

    assert view.current() is None
    assert view.accessibleDescription() == "Nobody waits here."
    assert not view.grab().isNull()


def test_long_names_are_broken_after_a_sign_and_never_wider_than_the_cell(styled) -> None:
    metrics = QFontMetrics(theme.font("tick"))
    width = metrics.horizontalAdvance("ledger-000")

    assert two_lines("data", metrics, width) == ("data", "")
    assert two_lines("data/ledger-0", metrics, width) == ("data/", "ledger-0")
    for name in ("a" * 80, "data/" + "b" * 80, "c" * 80 + "/d"):
        assert all(
            metrics.horizontalAdvance(line) <= width for line in two_lines(name, metrics, width)
        )


def test_names_from_outside_are_cleaned(view) -> None:
    culprits = (Culprit("c", "z\u0007", Group.HOST),)
    view.set_matrix(Matrix((Victim("v", "x\n\u202ey"),), culprits, np.ones((1, 1), np.float32)))

    assert not any(sign in view.accessibleDescription() for sign in "\u202e\u0007\n")
