"""Charts: what they show, say and save."""

import csv
import io
import itertools
import math

import numpy as np
import pytest
from PySide6.QtGui import QImage
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QLabel, QWidget

from kataui.errors import KatauiError
from kataui.ui import theme
from kataui.ui.isolation import chartparts as parts
from kataui.ui.isolation import export
from kataui.ui.isolation.chartparts import ChartSeries, Flag, scale_for
from kataui.ui.isolation.charts import LineChart, StackedChart
from tests.ui.pictures import pixels, shown

NAN = math.nan
TIMES = np.arange(1000.0, 1060.0)


def one(name: str, role: str, value: float, count: int = 60) -> ChartSeries:
    return ChartSeries(name, role, np.full(count, value, np.float32))


@pytest.fixture
def chart(styled, qtbot) -> LineChart:
    return shown(qtbot, LineChart("Waiting", "% of CPU time"))


@pytest.fixture
def stacked(styled, qtbot) -> StackedChart:
    return shown(qtbot, StackedChart("CPU by role", "cores"))


@pytest.mark.parametrize(
    ("peak", "top", "count"),
    [
        (31, 40, 5),
        (4, 4, 5),
        (3, 3, 4),
        (0.7, 0.75, 4),
        (100, 100, 5),
        (5.1, 6, 4),
        (1234, 1500, 4),
    ],
)
def test_a_scale_has_four_or_five_round_ticks_from_zero(peak, top, count) -> None:
    scale = scale_for(peak)

    assert scale.top == pytest.approx(top)
    assert scale.ticks[0] == 0
    assert len(scale.ticks) == count


def test_the_unit_stands_on_the_top_tick_alone() -> None:
    assert parts.tick_texts(scale_for(31), "%") == ["0", "10", "20", "30", "40\u00a0%"]
    assert parts.tick_texts(scale_for(0.7), "s")[1:3] == ["0.25", "0.50"]


@pytest.mark.parametrize("wanted", [[50, 50, 50], [0, 1, 2, 99, 100], [100, 0], [-20, 140]])
def test_labels_are_pushed_apart_in_their_order_and_stay_inside(wanted) -> None:
    placed = parts.spread(wanted, 15, 0, 100)

    ordered = [place for _, place in sorted(zip(wanted, placed, strict=True))]
    assert all(b - a >= 15 - 1e-9 for a, b in itertools.pairwise(ordered))
    assert min(placed) >= 0
    assert max(placed) <= 100


def test_labels_with_room_stay_where_the_lines_end() -> None:
    assert parts.spread([10, 40, 80], 15, 0, 100) == [10, 40, 80]


def test_a_gap_is_where_no_series_was_measured() -> None:
    first, second = one("a", "vcpu", 1), one("b", "vhost", 1)
    first.values[20:25] = NAN
    second.values[22:30] = NAN

    assert parts.gaps(TIMES, [first, second]) == [(1021.0, 1025.0)]
    assert parts.gaps(TIMES, [first]) == [(1019.0, 1025.0)]


def test_thinning_keeps_peaks_dips_and_gaps() -> None:
    times = np.arange(3600.0)
    values = np.full(3600, 5, np.float32)
    values[1801], values[77] = 90, 1
    values[2000:2100] = NAN

    thin_s, (thin,) = parts.thinned(times, [values], 300, low=True)

    assert len(thin_s) == len(thin) == 600
    assert np.nanmax(thin) == 90
    assert np.nanmin(thin) == 1
    assert thin_s[int(np.nanargmax(thin))] == pytest.approx(1801, abs=12)
    assert 12 <= np.isnan(thin).sum() <= 18
    assert len(parts.thinned(times[:60], [values[:60]], 300, low=True)[0]) == 60
    assert len(parts.thinned(times, [values], 300, low=False)[0]) == 300


def test_times_are_told_before_now_or_as_hours_of_day() -> None:
    ago = parts.time_ticks(940, 1000, wall_offset_s=None, last="now", most=4)
    day = parts.time_ticks(0, 900, wall_offset_s=1_700_000_000, last="")

    minus = "\N{MINUS SIGN}"
    names = [f"{minus}60\u00a0s", f"{minus}45", f"{minus}30", f"{minus}15", "now"]
    assert [tick.name for tick in ago] == names
    assert len(day) == 5
    assert all((tick.time_s + 1_700_000_000) % 180 == 0 for tick in day)


def told(chart: QWidget) -> list[str]:
    """What the head says about the scale."""
    labels = (label for label in chart.findChildren(QLabel) if label.isVisible())
    return [label.text() for label in labels if "grew" in label.text()]


def test_the_scale_grows_in_steps_says_so_and_never_shrinks(chart) -> None:
    chart.set_data(TIMES, [one("vCPU 1", "vcpu", 3.5)])
    first = chart.scale.top
    before = told(chart)
    chart.set_data(TIMES + 1, [one("vCPU 1", "vcpu", 31)])
    grown = told(chart)
    chart.set_data(TIMES + 2, [one("vCPU 1", "vcpu", 1)])

    assert first == pytest.approx(4)
    assert before == []
    assert grown == ["scale grew to 40\u00a0%"]
    assert chart.scale.top == pytest.approx(40)
    chart.reset_scale()
    chart.set_data(TIMES + 3, [one("vCPU 1", "vcpu", 1)])
    assert chart.scale.top == pytest.approx(1)


def test_a_stack_is_as_high_as_its_sum(stacked) -> None:
    stacked.set_data(TIMES, [one("vCPU", "vcpu", 1.9), one("vhost", "vhost", 0.6)])

    assert stacked.scale.top == pytest.approx(3)


@pytest.mark.parametrize("name", ["light", "dark"])
def test_a_stack_is_painted_in_the_colours_of_its_roles(styled, qtbot, name) -> None:
    theme.set_theme(name, 100)
    chart = shown(qtbot, StackedChart("CPU by role", "cores"))
    chart.set_data(TIMES, [one("virtiofsd", "virtiofsd", 1), one("VMM", "vmm", 1)])

    seen = pixels(chart.grab().toImage())

    assert theme.colors()["roles"]["virtiofsd"]["color"].lower() in seen
    assert theme.color("line").name() in seen


def test_the_plot_follows_a_change_of_the_theme(stacked) -> None:
    stacked.set_data(TIMES, [one("virtiofsd", "virtiofsd", 1)])
    stacked.grab()

    theme.set_theme("dark", 100)

    seen = pixels(stacked.grab().toImage())
    assert theme.tokens()["dark"]["roles"]["virtiofsd"]["color"].lower() in seen
    assert theme.tokens()["light"]["roles"]["virtiofsd"]["color"].lower() not in seen


def test_a_gap_is_hatched_and_not_drawn_as_zero(chart) -> None:
    given = one("vCPU 1", "vcpu", 10)
    chart.set_data(TIMES, [given])
    hatch = theme.colors()["heat"]["gap"]["color"].lower()
    before = hatch in pixels(chart.grab().toImage())
    given.values[20:40] = NAN
    chart.set_data(TIMES, [given])

    assert not before
    assert hatch in pixels(chart.grab().toImage())


def test_a_hidden_chart_draws_nothing_and_catches_up_when_it_is_shown(styled, qtbot) -> None:
    chart = LineChart("Waiting", "% of CPU time")
    qtbot.addWidget(chart)
    chart.set_data(TIMES, [one("vCPU 1", "vcpu", 31)])

    assert chart.accessibleDescription() == ""
    chart.show()
    assert chart.accessibleDescription() == "vCPU 1 31\u00a0%."
    assert chart.scale.top == pytest.approx(40)


def test_the_description_tells_the_last_values_at_most_every_five_seconds(styled, qtbot) -> None:
    now = [100.0]
    label = QLabel()
    qtbot.addWidget(label)
    teller = parts.Teller(label, lambda: now[0])

    told = []
    for at_s, text in ((100, "a"), (101, "b"), (104.9, "c"), (105, "d")):
        now[0] = at_s
        teller.tell(text)
        told.append(label.accessibleDescription())

    assert told == ["a", "a", "a", "d"]


def test_what_is_not_measured_now_is_said(chart) -> None:
    given = one("vhost", "vhost", 3)
    given.values[-1] = NAN
    chart.set_data(TIMES, [given])

    assert chart.accessibleName() == "Waiting, % of CPU time"
    assert chart.words() == "vhost not measured."


def test_a_paused_chart_says_so_and_no_longer_says_now(chart) -> None:
    chart.set_data(TIMES, [one("vCPU 1", "vcpu", 31)])
    chip = next(label for label in chart.findChildren(QLabel) if label.text() == "Paused")
    before = chip.isVisible()

    chart.set_paused(True)

    assert not before
    assert chip.isVisible()
    assert chart.scale.top == pytest.approx(40)


def test_the_tool_tip_tells_the_values_under_it(chart) -> None:
    series = ChartSeries("vCPU 1", "vcpu", np.arange(60, dtype=np.float32))
    chart.set_data(TIMES, [series], wall_offset_s=1_700_000_000)
    plot = chart._canvas._plot

    last = chart._canvas.words_at(plot.right())

    assert last.endswith("vCPU 1: 59\u00a0%")
    assert chart._canvas.words_at(plot.left() - 5) == ""


def test_an_area_ends_in_its_middle_and_a_line_at_its_value(chart, stacked) -> None:
    series = [one("vCPU", "vcpu", 2), one("vhost", "vhost", NAN), one("VMM", "vmm", 1)]
    for made in (chart, stacked):
        made.set_data(TIMES, series)

    assert stacked._canvas._shown.ends()[::2] == [1, 2.5]
    assert chart._canvas._shown.ends()[::2] == [2, 1]


def test_when_there_is_no_room_for_all_names_the_rest_is_counted(chart, monkeypatch) -> None:
    counted = []
    paint = type(chart._canvas)._paint_left_out
    monkeypatch.setattr(
        type(chart._canvas),
        "_paint_left_out",
        lambda canvas, painter, at, count: (
            counted.append(count),
            paint(canvas, painter, at, count),
        ),
    )
    chart.set_data(TIMES, [one(f"vCPU {n}", "vcpu", n + 1) for n in range(4)])
    chart.grab()
    few = list(counted)

    chart.set_data(TIMES, [one(f"vCPU {n}", "vcpu", n + 1) for n in range(60)])
    chart.grab()

    assert few == []
    assert 40 <= counted[-1] < 60


def test_only_the_last_points_are_kept(chart) -> None:
    times = np.arange(5000.0)
    chart.set_data(times, [one("vCPU 1", "vcpu", 1, 5000)])

    rows = chart.to_csv().splitlines()
    assert len(rows) == 3601
    assert rows[1].startswith("1400.000,")


def test_csv_has_units_and_empty_fields_for_gaps(chart) -> None:
    given = ChartSeries('own, "limit"', "other", np.array([1.5, NAN, 3], np.float32))
    chart.set_data(TIMES[:3], [given])

    rows = list(csv.reader(io.StringIO(chart.to_csv())))

    assert rows[0] == ["time_s", 'own, "limit" (% of CPU time)']
    assert [row[1] for row in rows[1:]] == ["1.5", "", "3"]


def test_a_picture_and_a_drawing_can_be_saved(stacked, tmp_path) -> None:
    stacked.set_data(TIMES, [one("vCPU", "vcpu", 1), one("virtiofsd", "virtiofsd", 1)])
    png, svg = tmp_path / "a.png", tmp_path / "a.svg"

    export.png(stacked, png)
    export.svg(stacked, svg, "CPU by role")

    assert QImage(str(png)).size() == stacked.grab().toImage().size()
    text = svg.read_text()
    assert QSvgRenderer(str(svg)).isValid()
    assert ">CPU by role</text>" in text
    assert theme.colors()["roles"]["vcpu"]["color"].lower() in text.lower()


def test_a_picture_that_cannot_be_saved_is_an_error_in_words(chart, tmp_path) -> None:
    with pytest.raises(KatauiError, match="Cannot write"):
        export.png(chart, tmp_path / "no" / "a.png")


@pytest.mark.parametrize("percent", [100, 200])
def test_a_marker_outside_the_time_shown_and_empty_data_do_no_harm(styled, qtbot, percent) -> None:
    theme.set_theme("light", percent)
    chart = shown(qtbot, LineChart("Waiting", "% of CPU time"), 200, 120)

    chart.set_data(np.empty(0), [])
    assert chart.accessibleDescription() == "Nothing was measured yet."
    flags = [Flag(1.0, "long ago"), Flag(1050.0, "here"), Flag(1051.0, "and here")]
    chart.set_data(TIMES, [one("vCPU 1", "vcpu", NAN)], flags=flags)
    assert not chart.grab().isNull()


def test_names_from_outside_are_cleaned(chart) -> None:
    chart.set_data(TIMES, [one("vhost\u202e\n", "vhost", 1)])

    texts = [chart.words(), chart.to_csv().splitlines()[0]]
    assert not any(sign in text for text in texts for sign in "\u202e\n")
