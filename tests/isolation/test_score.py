"""The score: anchors, the weakest link, coverage, and grades that do not flicker."""

import math

import numpy as np
import pytest

from kataui.isolation.analysis import Analysis
from kataui.isolation.history import SIGNALS, History
from kataui.isolation.score import ANCHORS, Grades, Scores, grade_of, points_of
from tests.isolation.streams import Thread, written


@pytest.mark.parametrize("anchor", ANCHORS, ids=lambda anchor: anchor.signal)
def test_points_are_log_linear_between_the_anchors(anchor) -> None:
    assert points_of(anchor, anchor.good) == 100
    assert points_of(anchor, anchor.bad) == 0
    assert points_of(anchor, math.sqrt(anchor.good * anchor.bad)) == pytest.approx(50)
    assert points_of(anchor, 0.0) == 100
    assert points_of(anchor, 10 * anchor.bad) == 0


@pytest.mark.parametrize(
    ("points", "coverage", "grade"),
    [
        *((85, 1, "A"), (84.9, 1, "B"), (70, 1, "B"), (50, 1, "C"), (30, 1, "D"), (29, 1, "E")),
        *((100, 0.59, "B"), (60, 0.1, "C"), (None, 1, "")),
    ],
)
def test_grades_and_the_cap_of_little_coverage(points, coverage, grade) -> None:
    assert grade_of(points, coverage) == grade


def test_a_grade_changes_after_three_windows() -> None:
    grades = Grades()
    shown = [grades.show("a", grade) for grade in "AAEEEEAEAAA"]

    assert "".join(shown) == "AAAAEEEEEEA"


def test_the_score_is_the_weakest_signal_and_all_at_once_gives_the_same() -> None:
    threads = [
        Thread("a", "vcpu", 0, 900_000, 100_000, pinned=False),
        Thread("b", "vcpu", 0, 100_000, pinned=False),
    ]
    analysis = Analysis()
    for record in written(threads).records():
        analysis.take(record)
    picture = analysis.picture()
    assert picture is not None

    score = picture.scores["a@1.1"]

    measured = [part.points for part in score.parts if part.points is not None]
    assert score.points == min(measured)
    assert score.weakest.anchor.signal == "external"
    assert isinstance(picture.scores, Scores)
    assert picture.scores.points[0] == pytest.approx(score.points)
    assert picture.scores.coverage[0] == pytest.approx(score.coverage)


def test_own_anchors_move_the_points() -> None:
    analysis = Analysis({"external": (0.5, 0.9), "slice_wait_ms": (100.0, 1000.0)})
    threads = [
        Thread("a", "vcpu", 0, 900_000, 100_000, pinned=False),
        Thread("b", "vcpu", 0, 100_000, pinned=False),
    ]
    for record in written(threads).records():
        analysis.take(record)
    picture = analysis.picture()

    assert picture is not None
    assert picture.scores["a@1.1"].points == 100


def test_history_wraps_and_never_mixes_sandboxes() -> None:
    history = History(4)
    for second in range(10):
        keys = ["a", "b"] if second % 2 else ["b"]
        columns = {
            name: np.array([second if key == "a" else -second for key in keys], float)
            for name in SIGNALS
        }
        history.push(float(second), keys, columns)

    assert history.times(10).tolist() == [6, 7, 8, 9]
    np.testing.assert_array_equal(history.last("a", "waits", 4), [np.nan, 7, np.nan, 9])
    assert history.last("b", "waits", 4).tolist() == [-6, -7, -8, -9]
    assert history.last("c", "waits", 4).tolist() == []


def test_history_adopts_what_another_one_knows_better() -> None:
    mine, better = History(10), History(10)
    for second in range(8):
        columns = {name: np.array([1.0]) for name in SIGNALS}
        if second in {0, 1, 7}:
            mine.push(second, ["a"], columns)
        if second >= 4:
            better.push(second, ["a"], {name: np.array([2.0]) for name in SIGNALS})

    mine.adopt(better)

    assert mine.times(10).tolist() == [0, 1, 4, 5, 6, 7]
    assert mine.last("a", "waits", 10).tolist() == [1, 1, 2, 2, 2, 2]
