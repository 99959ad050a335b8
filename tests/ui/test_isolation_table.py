"""The table of sandboxes, its heat strips, and its filter."""

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QContextMenuEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QMenu, QVBoxLayout, QWidget

from kataui.isolation.filter import parse
from kataui.ui import theme
from kataui.ui.isolation import heat, patterns
from kataui.ui.isolation.filterbar import FilterBar
from kataui.ui.isolation.sandboxmodel import (
    BECAUSE,
    NAME,
    SCORE,
    STRIP,
    WAITS,
    SandboxModel,
    SandboxRow,
)
from kataui.ui.isolation.sandboxtable import SandboxTable
from tests.ui.test_isolation_hostmap import pixels

SPACE = "\u00a0"


def row(key: str, grade: str = "A", score: float | None = 95.0, waits: float | None = 0.0, **more):
    given = {
        "name": f"shop/{key}",
        "strip": np.full(60, waits or 0, dtype=np.float32),
        "because": "",
        "because_role": "",
        "coverage": 1.0,
    }
    return SandboxRow(key=key, grade=grade, score=score, waits=waits, **(given | more))


HURT = row("hurt", "D", 34.0, 0.31, because="ci/runner, vhost", because_role="vhost")
ROWS = [
    row("calm"),
    HURT,
    row("some", "C", 58.0, 0.09),
    row("dark", "", None, None, strip=np.full(60, np.nan, dtype=np.float32), coverage=0.0),
]


def keys(table: SandboxTable) -> list[str]:
    return [item.key for item in table.rows_model.rows]


@pytest.fixture
def table(styled, qtbot) -> SandboxTable:
    made = SandboxTable()
    qtbot.addWidget(made)
    made.resize(720, 400)
    made.set_rows(ROWS)
    made.show()
    return made


def test_a_step_begins_at_its_lower_edge() -> None:
    given = np.array([0, 0.0049, 0.005, 0.01, 0.02, 0.05, 0.1, 0.1999, 0.2, 1, np.nan])

    assert heat.steps(given.astype(np.float32)).tolist() == [0, 0, 1, 2, 3, 4, 5, 5, 6, 6, 7]


@pytest.mark.parametrize("shown", ["light", "dark"])
def test_many_strips_are_one_image_in_the_colours_of_the_theme(styled, shown: str) -> None:
    theme.set_theme(shown, 100)

    made = heat.image(np.array([[0.0, 0.3], [np.nan, 0.03]], dtype=np.float32))

    colors = theme.tokens()[shown]["heat"]["colors"]
    assert (made.width(), made.height()) == (2, 2)
    assert made.pixelColor(0, 0) == QColor(colors[0])
    assert made.pixelColor(1, 0) == QColor(colors[6])
    assert made.pixelColor(1, 1) == QColor(colors[3])
    assert made.pixelColor(0, 1).alpha() == 0


def test_no_data_is_hatched_in_the_control_colour_and_never_the_zero_colour(styled) -> None:
    tile = patterns.tile(patterns.GAP, 2.0).toImage()

    seen = {tile.pixelColor(x, y).name() for x in range(tile.width()) for y in range(tile.height())}
    assert theme.color("control").name() in seen
    assert theme.color("surface").name() in seen
    assert heat.color(0).name() not in seen


def test_the_legend_prints_the_lower_edge_of_each_step(styled, qtbot) -> None:
    made = heat.HeatLegend()
    qtbot.addWidget(made)

    assert heat.edge_texts() == [f"0{SPACE}%", "0.5", "1", "2", "5", "10", f"20{SPACE}+"]
    assert "0.5, 1, 2, 5, 10" in made.accessibleDescription()


def test_the_model_keeps_the_rules_of_models(styled, qtmodeltester) -> None:
    model = SandboxModel()
    model.set_rows(ROWS)

    qtmodeltester.check(model)


def test_the_worst_stands_first_and_what_was_not_measured_last(table) -> None:
    assert keys(table) == ["hurt", "some", "calm", "dark"]


def test_a_header_sorts_and_a_second_click_turns_round(table, qtbot) -> None:
    header = table.horizontalHeader()
    orders = []
    for _ in range(2):
        place = QPoint(header.sectionViewportPosition(WAITS) + 20, header.height() // 2)
        qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=place)
        orders.append(keys(table))

    assert orders == [["hurt", "some", "calm", "dark"], ["calm", "some", "hurt", "dark"]]
    told = table.rows_model.headerData(
        WAITS, Qt.Orientation.Horizontal, Qt.ItemDataRole.AccessibleTextRole
    )
    assert told == "Waits, sorted, least first"


def test_selection_and_sorting_stay_when_rows_change_come_and_go(table, qtbot) -> None:
    table.choose("some")
    heard = []
    table.chosen.connect(heard.append)

    table.set_rows([row("new", "E", 10.0, 0.5), row("some", "A", 99.0), row("hurt", "B", 75.0)])

    assert keys(table) == ["new", "hurt", "some"]
    assert table.chosen_key == "some"
    assert [index.row() for index in table.selectionModel().selectedRows()] == [2]
    assert table.currentIndex().row() == 2
    assert heard == []


def test_the_scroll_stays_when_rows_change(table, qtbot) -> None:
    many = [row(f"n{n}", score=float(n % 100)) for n in range(200)]
    table.set_rows(many)
    bar = table.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 1000)
    bar.setValue(700)

    table.set_rows([row(item.key, score=100.0 - item.score) for item in many])

    table.viewport().repaint()
    QApplication.processEvents()
    assert keys(table)[:2] == ["n199", "n99"]
    assert bar.value() == 700


def test_a_sandbox_that_ends_leaves_the_selection(table) -> None:
    table.choose("hurt")

    table.set_rows([])

    assert table.chosen_key == ""


def test_enter_and_double_click_open_and_moving_chooses(table, qtbot) -> None:
    opened, chosen = [], []
    table.opened.connect(opened.append)
    table.chosen.connect(chosen.append)

    table.choose("hurt")
    qtbot.keyClick(table, Qt.Key.Key_Return)
    qtbot.keyClick(table, Qt.Key.Key_Down)
    place = table.visualRect(table.rows_model.index(2, NAME)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseDClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)

    assert chosen == ["hurt", "some", "calm"]
    assert opened == ["hurt", "calm"]


def test_ctrl_c_copies_the_row_as_text(table, qtbot) -> None:
    table.choose("hurt")

    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)

    assert QGuiApplication.clipboard().text().split("\t") == [
        "shop/hurt",
        f"D{SPACE}34",
        f"31{SPACE}%",
        f"mean 31{SPACE}%, at most 31{SPACE}%",
        "ci/runner, vhost",
    ]


def test_every_cell_says_what_it_shows(table) -> None:
    half = np.full(60, 0.1, dtype=np.float32)
    half[:20] = np.nan
    table.set_rows([row("hurt", "D", 34.0, 0.31, strip=half, because="it", coverage=0.6), ROWS[3]])
    model = table.rows_model

    said = [
        [model.data(model.index(n, c), Qt.ItemDataRole.AccessibleTextRole) for c in range(5)]
        for n in range(2)
    ]

    assert said[0] == [
        "shop/hurt",
        f"grade D, 34 of 100, 60{SPACE}% of the signals measured",
        f"waits 31{SPACE}% of its time",
        f"last 60 seconds: mean 10{SPACE}%, at most 10{SPACE}%, 20 of 60 values not measured",
        "because of it",
    ]
    assert said[1][SCORE].startswith("not measured")
    assert said[1][WAITS:] == [
        "waiting not measured",
        "last 60 seconds: not measured",
        "because of nobody",
    ]


def test_names_from_outside_are_plain_text(table) -> None:
    table.set_rows([row("x", name="<b>bold</b>\x1b\u202e", because="<img src=x>")])
    model = table.rows_model

    tips = [model.data(model.index(0, c), Qt.ItemDataRole.ToolTipRole) for c in (NAME, BECAUSE)]

    assert "&lt;b&gt;" in tips[0]
    assert "&lt;img" in tips[1]
    assert not {"\x1b", "\u202e"} & set(tips[0])


def test_the_menu_key_brings_a_menu_that_sorts_too(table, qtbot) -> None:
    table.choose("hurt")
    event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(0, 0), QPoint(0, 0))

    QApplication.sendEvent(table.viewport(), event)
    menu = table.findChild(QMenu)
    names = [action.text() for action in menu.actions() if action.text()]
    next(action for action in menu.actions() if action.text() == "Sort by sandbox").trigger()
    menu.close()

    assert names[:2] == ["Open", "Copy row"]
    assert keys(table) == ["calm", "dark", "hurt", "some"]


def painted(table: SandboxTable, place: int, column: int) -> set[str]:
    table.viewport().repaint()
    grabbed = (
        table.viewport().grab(table.visualRect(table.rows_model.index(place, column))).toImage()
    )
    return pixels(grabbed)


@pytest.mark.parametrize("shown", ["light", "dark"])
def test_marks_stand_from_grade_c_down_only(table, shown: str) -> None:
    theme.set_theme(shown, 100)

    fail, warning = theme.color("fail.mark").name(), theme.color("warning.mark").name()
    assert [fail in painted(table, n, SCORE) for n in range(4)] == [True, False, False, False]
    assert [warning in painted(table, n, SCORE) for n in range(4)] == [False, True, False, False]


def test_the_strips_and_the_culprit_have_their_colours(table) -> None:
    assert heat.color(6).name() in painted(table, 0, STRIP)
    assert theme.colors()["roles"]["vhost"]["color"].lower() in painted(table, 0, BECAUSE)
    assert theme.color("control").name() in painted(table, 3, STRIP)
    assert heat.color(0).name() not in painted(table, 3, STRIP)


def test_only_what_matches_the_filter_is_shown_now_and_later(table) -> None:
    table.set_filter(parse("grade < B"))
    first = keys(table)
    table.set_rows([row("bad", "E", 5.0, 0.6), row("good")])

    assert (first, keys(table)) == (["hurt", "some"], ["bad"])


@pytest.fixture
def bar(styled, qtbot) -> Iterator[FilterBar]:
    page = QWidget()
    layout = QVBoxLayout(page)
    made = FilterBar()
    layout.addWidget(made)
    layout.addWidget(SandboxTable())
    qtbot.addWidget(page)
    page.show()
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    yield made
    page.close()


def test_a_filter_that_does_not_parse_is_red_and_the_last_good_one_stays(bar, qtbot) -> None:
    heard = []
    bar.filter_changed.connect(heard.append)

    bar.setText("grade:D")
    bar.setText("grade:D waits >")

    assert bar.property("wrong") is True
    assert "missing after “waits >”" in bar.accessibleDescription()
    assert theme.color("fail.mark").name() in pixels(bar.grab().toImage())
    assert bar.filter == parse("grade:D")
    assert heard == [parse("grade:D")]
    bar.setText("grade:D waits > 5")
    assert bar.property("wrong") is False
    assert heard[-1] == parse("grade:D waits > 5")


def test_ctrl_f_comes_to_the_filter_and_esc_clears_it(bar, qtbot) -> None:
    bar.setText("shop")
    table = bar.window().findChild(SandboxTable)
    table.setFocus()

    qtbot.keyClick(table, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert bar.hasFocus()
    qtbot.keyClick(bar, Qt.Key.Key_Escape)

    assert (bar.text(), bar.filter) == ("", parse(""))


def test_a_narrow_table_gives_up_its_strip_first_and_scrolls_then(table) -> None:
    widths = []
    for wide in (900, 600, 300):
        table.resize(wide, 400)
        widths.append([table.columnWidth(column) for column in (NAME, STRIP, BECAUSE)])

    (name, strip, _), (_, less_strip, _), (least_name, _, least_because) = widths
    assert less_strip < strip
    assert least_name == theme.u(36) < name
    assert least_because == theme.u(38)


@pytest.mark.parametrize("percent", [100, 200])
def test_the_table_grows_with_the_text(table, percent: int) -> None:
    theme.set_theme("dark", percent)

    assert table.rowHeight(0) == theme.u(9.5)
    assert table.rowHeight(0) >= table.fontMetrics().height()
