"""The time line: its window, and what plays and keeps."""

import math

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from kataui.ui import theme
from kataui.ui.isolation import chartparts as parts
from kataui.ui.isolation.chartparts import Flag
from kataui.ui.isolation.timeline import History, Timeline
from kataui.ui.isolation.timestrip import BEGIN, END, Handle
from tests.ui.pictures import pixels, shown

NAN = math.nan
TIMES = np.arange(1000.0, 1060.0)


def history(seconds: int = 900, value: float = 0.2) -> History:
    times = np.arange(100.0, 100.0 + seconds)
    waiting = np.full(seconds, value, np.float32)
    return History(times, waiting, (Flag(500.0, "A before"),), 1_700_000_000.0)


@pytest.fixture
def live(styled, qtbot) -> Timeline:
    made = shown(qtbot, Timeline(), 1000, 130)
    made.set_data(history())
    return made


def test_the_window_starts_with_the_last_five_minutes_and_follows_the_newest(live) -> None:
    assert live.strip.window_s == (699.0, 999.0)

    live.set_data(history(910))

    assert live.strip.window_s == (709.0, 1009.0)
    assert live.strip.range_s == (109.0, 1009.0)


def test_a_paused_window_stays_where_it_is(live) -> None:
    live.set_paused(True)
    live.set_data(history(910))

    assert live.strip.window_s == (699.0, 999.0)


@pytest.mark.parametrize(
    ("key", "modifier", "window"),
    [
        (Qt.Key.Key_Left, Qt.KeyboardModifier.NoModifier, (698.0, 998.0)),
        (Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier, (689.0, 989.0)),
        (Qt.Key.Key_Home, Qt.KeyboardModifier.NoModifier, (99.0, 399.0)),
    ],
)
def test_keys_move_the_window(live, qtbot, key, modifier, window) -> None:
    with qtbot.waitSignal(live.moved) as moved:
        QTest.keyClick(live.strip, key, modifier)

    assert tuple(moved.args) == window


def test_keys_on_a_handle_move_that_end_alone_and_not_past_the_other(live) -> None:
    begin, end = live.strip.findChildren(Handle)

    QTest.keyClick(begin, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert live.strip.window_s == (689.0, 999.0)
    QTest.keyClick(begin, Qt.Key.Key_End)
    assert live.strip.window_s == (998.0, 999.0)
    QTest.keyClick(end, Qt.Key.Key_Right)
    assert live.strip.window_s == (998.0, 999.0)
    assert begin.accessibleName() == "The window's begin"
    assert begin.accessibleDescription() == parts.clock(1_700_000_998, seconds=True)


def test_the_mouse_drags_an_end_and_the_window(live, qtbot) -> None:
    strip = live.strip
    high = strip._plot().height() // 2

    def drag(from_s: float, to_s: float) -> None:
        start, stop = (QPointF(strip._x(s), high).toPoint() for s in (from_s, to_s))
        QTest.mousePress(strip, Qt.MouseButton.LeftButton, pos=start)
        QTest.mouseMove(strip, stop)
        QTest.mouseRelease(strip, Qt.MouseButton.LeftButton, pos=stop)

    drag(699, 600)
    assert strip.window_s[0] == pytest.approx(600, abs=2)
    assert strip.window_s[1] == pytest.approx(999)
    drag(800, 700)
    assert strip.window_s == (pytest.approx(500, abs=4), pytest.approx(899, abs=4))


def test_keep_offers_as_many_minutes_as_the_window_reaches_back(live, qtbot) -> None:
    keep = live._controls.keep
    with qtbot.waitSignal(live.keep) as kept:
        keep.click()
    live.strip.shift(BEGIN, -61)

    assert kept.args == [5]
    assert keep.text().strip() == "Keep the last 7 minutes"
    live.strip.shift(BEGIN, 390)
    live.strip.shift(END, 0)
    assert keep.accessibleName() == "Keep the last minute"


def test_pause_and_step_back_are_signals(live, qtbot) -> None:
    with qtbot.waitSignal(live.paused) as paused:
        live._controls.pause.click()
    with qtbot.waitSignal(live.moved) as moved:
        live._controls.back.click()

    assert paused.args == [True]
    assert live._controls.pause.accessibleName() == "Go on"
    assert moved.args == [698.0, 998.0]


def test_a_recording_has_speed_and_loop_and_nothing_to_keep(styled, qtbot) -> None:
    made = shown(qtbot, Timeline(live=False), 1000, 130)
    made.set_data(history(3600))

    with qtbot.waitSignal(made.speed_changed) as speed:
        made._controls.speed.setCurrentIndex(4)
    with qtbot.waitSignal(made.loop_changed) as loop:
        made._controls.loop.click()
    with qtbot.assertNotEmitted(made.speed_changed):
        made.set_speed(2.0)

    assert speed.args == [5.0]
    assert loop.args == [True]
    assert made._controls.speed.currentData() == 2.0
    assert not made._controls.keep.isVisible()
    assert made._controls.pause.accessibleName() == "Play"
    assert made.strip.range_s == (100.0, 3699.0)


def test_a_spike_of_one_second_in_an_hour_is_seen(styled, qtbot) -> None:
    made = shown(qtbot, Timeline(live=False), 700, 130)
    given = history(3600, 0.0)
    line = theme.colors()["heat"]["colors"][4].lower()

    def top_rows() -> set[str]:
        made.set_data(given)
        made.set_window(3000, 3600)
        return pixels(made.strip.grab().toImage().copy(100, 3, 400, 6))

    before = top_rows()
    given.waiting[1801] = 0.5
    after = top_rows()

    assert before != after
    assert any(abs(int(c[1:3], 16) - int(line[1:3], 16)) < 40 for c in after - before)
