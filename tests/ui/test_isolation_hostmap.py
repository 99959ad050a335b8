"""The host map."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QHelpEvent, QImage
from PySide6.QtWidgets import QApplication, QToolTip

from kataui.ui import theme
from kataui.ui.isolation import hostpicture, hostrows
from kataui.ui.isolation.hostmap import Category, Cpu, HostMap

SPACE = "\u00a0"
CPUS = [Cpu(n, pinned=2 if n == 7 else int(n == 2)) for n in range(16)]


def cells(count: int = 16, value: int = Category.IDLE) -> np.ndarray:
    return np.full((count, 60), value, dtype=np.uint8)


def pixels(image: QImage) -> set[str]:
    return {
        image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())
    }


@pytest.fixture
def host_map(styled, qtbot) -> HostMap:
    made = HostMap(lambda cpu, column: f"<b>{cpu}</b> at {column}" if cpu == 7 else "")
    qtbot.addWidget(made)
    made.resize(420, 520)
    made.show()
    return made


def test_two_vcpus_pinned_to_one_cpu_are_a_warning_in_words_and_on_the_label(host_map) -> None:
    host_map.set_data(CPUS, cells())

    assert host_map.warning.isVisibleTo(host_map)
    assert hostrows.clash_words(CPUS) == f"2{SPACE}vCPUs pinned to CPU{SPACE}7"
    assert theme.color("warning.tint").name() in pixels(host_map.canvas.grab().toImage())


def test_without_a_clash_there_is_no_warning(host_map) -> None:
    host_map.set_data([Cpu(n, pinned=1) for n in range(4)], cells(4))

    assert not host_map.warning.isVisibleTo(host_map)
    assert theme.color("warning.tint").name() not in pixels(host_map.canvas.grab().toImage())


def test_several_clashes_are_counted() -> None:
    two = [Cpu(1, pinned=2), Cpu(3, pinned=4)]

    assert hostrows.clash_words(two).replace(SPACE, " ") == "4 vCPUs pinned to CPU 3, 2 to CPU 1"
    assert hostrows.clash_words([*two, Cpu(5, pinned=2)]).endswith("also to 2 more CPUs")


@pytest.mark.parametrize("shown", ["light", "dark"])
def test_every_category_is_painted_in_the_colour_and_fill_of_its_role(styled, shown) -> None:
    theme.set_theme(shown, 100)
    given = np.repeat(np.arange(11, dtype=np.uint8)[:, None], 60, axis=1)
    rows = hostrows.rows_of([Cpu(n) for n in range(11)], set())

    made = hostpicture.picture(rows, given, width=120, pitch=20, bar=18, ratio=1.0)

    roles = theme.colors()["roles"]
    for place, category in enumerate(list(Category)[:10]):
        seen = pixels(made.copy(0, 20 * place, 120, 18))
        role = roles[category.name.lower()]
        assert role["color"].lower() in seen
        assert (len(seen) > 1) == (role["fill"] != "solid"), category
    gap = pixels(made.copy(0, 200, 120, 18))
    assert roles["idle"]["color"].lower() not in gap
    assert len(gap) > 1


def test_the_newest_column_is_at_the_right(styled) -> None:
    given = cells(1)
    given[0, 59] = Category.VCPU

    made = hostpicture.picture(
        hostrows.rows_of([Cpu(0)], set()), given, width=600, pitch=10, bar=8, ratio=1.0
    )

    roles = theme.colors()["roles"]
    assert made.pixelColor(595, 4) == QColor(roles["vcpu"]["color"])
    assert made.pixelColor(5, 4) == QColor(roles["idle"]["color"])


def test_the_row_of_a_group_is_divided_among_what_its_cpus_did(styled) -> None:
    given = cells(64)
    given[:16] = Category.VCPU
    row_of_all = hostrows.rows_of([Cpu(n) for n in range(64)], set())

    made = hostpicture.picture(row_of_all, given, width=60, pitch=40, bar=40, ratio=1.0)

    vcpu = QColor(theme.colors()["roles"]["vcpu"]["color"])
    assert [made.pixelColor(30, y) == vcpu for y in (0, 29, 30, 39)] == [False, False, True, True]


def test_the_legend_explains_only_what_occurs(host_map) -> None:
    given = cells()
    given[3, 5] = Category.SOFTIRQ
    host_map.set_data(CPUS, given)

    assert host_map._legend.accessibleDescription() == "softirq, idle"


def test_the_cursor_moves_with_the_arrows_and_says_where_it_is(host_map, qtbot) -> None:
    given = cells()
    given[7, 57] = Category.VHOST
    host_map.set_data(CPUS, given)
    canvas = host_map.canvas

    for key in [Qt.Key.Key_Down] * 7 + [Qt.Key.Key_Left] * 2:
        qtbot.keyClick(canvas, key)
    there = canvas.accessibleDescription().replace(SPACE, " ")
    given[7, 57] = Category.VCPU
    host_map.set_data(CPUS, given)

    assert there == "CPU 7, 2 vCPUs pinned, 2 s ago: vhost, <b>7</b> at 57"
    assert "2 s ago: vCPU" in canvas.accessibleDescription().replace(SPACE, " ")


def test_the_tool_tip_says_who_ran_as_plain_text(host_map, qtbot) -> None:
    host_map.set_data([Cpu(7)], cells(1))
    canvas = host_map.canvas
    place = QPoint(canvas.viewport().width() - 2, 4)
    event = QHelpEvent(QEvent.Type.ToolTip, place, canvas.viewport().mapToGlobal(place))

    QApplication.sendEvent(canvas.viewport(), event)

    assert "&lt;b&gt;7&lt;/b&gt; at 59" in QToolTip.text()
    QToolTip.hideText()


def test_from_64_cpus_on_nodes_are_rows_that_open_by_enter_and_by_click(host_map, qtbot) -> None:
    cpus = [Cpu(n, node=n // 32, cluster=n // 16 % 2) for n in range(64)]
    host_map.set_data(cpus, cells(64))
    canvas = host_map.canvas
    closed = [item.label.replace(SPACE, " ") for item in canvas._rows]

    qtbot.keyClick(canvas, Qt.Key.Key_Down)
    qtbot.keyClick(canvas, Qt.Key.Key_Return)
    opened = [item.label.replace(SPACE, " ") for item in canvas._rows]
    place = QPointF(5, canvas._cell(1, 0).center().y()).toPoint()
    qtbot.mouseClick(canvas.viewport(), Qt.MouseButton.LeftButton, pos=place)

    assert closed == [f"Node {n}, cluster {c}" for n in (0, 1) for c in (0, 1)]
    assert opened[:4] == ["Node 0, cluster 0", "Node 0, cluster 1", "CPU 16", "CPU 17"]
    assert len(opened) == 20
    assert len(canvas._rows) == 4


def test_a_group_says_how_many_of_its_cpus_did_what(host_map) -> None:
    given = cells(64)
    given[:20] = Category.VCPU
    host_map.set_data([Cpu(n) for n in range(64)], given)

    said = host_map.canvas.accessibleDescription().replace(SPACE, " ")
    assert said == "Node 0, now: of 64 CPUs: 44 idle, 20 vCPU"


def test_the_image_is_made_again_only_when_something_changed(host_map) -> None:
    host_map.set_data(CPUS, cells())
    host_map.canvas.viewport().repaint()
    first = host_map.canvas._image

    host_map.set_data(CPUS, cells())
    host_map.canvas.viewport().repaint()
    same = host_map.canvas._image
    host_map.set_data(CPUS, cells(value=Category.IRQ))
    host_map.canvas.viewport().repaint()

    assert first is not None
    assert same is first
    assert host_map.canvas._image is not first


@pytest.mark.parametrize("percent", [100, 200])
def test_the_cursor_stays_in_view_on_a_host_with_many_cpus(host_map, qtbot, percent) -> None:
    theme.set_theme("dark", percent)
    host_map.set_data([Cpu(n) for n in range(63)], cells(63))
    canvas = host_map.canvas

    for _ in range(7):
        qtbot.keyClick(canvas, Qt.Key.Key_PageDown)

    assert canvas.viewport().rect().contains(canvas._cell(62, 59))
    assert "CPU\u00a062" in canvas.accessibleDescription()
