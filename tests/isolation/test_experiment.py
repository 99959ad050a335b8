"""Experiments: a shift is found, noise is not, and what could have been seen is said."""

from pathlib import Path

import numpy as np
import pytest

from kataui.errors import KatauiError
from kataui.isolation.experiment import Answer, Side, effect, sentence, steady
from kataui.isolation.measure import collect, compare, stretches
from kataui.isolation.player import Player
from kataui.isolation.recording import Recording
from kataui.isolation.store import Marker
from tests.isolation.streams import Thread, Writer


def noise(seed: int, size: int = 120) -> np.ndarray:
    """Seconds that resemble the one before (an AR(1) process), around 0.1."""
    draw = np.random.default_rng(seed)
    values = np.zeros(size)
    for n in range(1, size):
        values[n] = 0.5 * values[n - 1] + draw.normal(0, 0.01)
    return values + 0.1


def test_a_known_shift_lies_in_the_interval() -> None:
    found = effect("a", "waits", noise(1), noise(2) - 0.05)

    assert found.answer is Answer.BETTER
    assert found.low < -0.05 < found.high < 0
    assert "Waits fell by" in sentence(found)


def test_pure_noise_is_no_difference_in_nine_of_ten() -> None:
    answers = [effect("a", "waits", noise(n), noise(n + 1000)).answer for n in range(100)]

    assert answers.count(Answer.SAME) >= 85


def test_more_samples_see_smaller_effects() -> None:
    short = effect("a", "waits", noise(1, 40), noise(2, 40))
    long = effect("a", "waits", noise(1, 600), noise(2, 600))

    assert 0 < long.seen_from < short.seen_from


def test_too_few_samples_are_not_measured() -> None:
    assert effect("a", "waits", noise(1, 9), noise(2)).answer is Answer.UNKNOWN


def test_the_warm_up_and_gaps_are_left_out() -> None:
    side = Side(np.arange(10.0), np.array([9, 9, 9, 1, np.nan, 1, 1, 1, 1, 9.0]))

    assert steady(side, 0, 8, warm_up_s=3).tolist() == [1, 1, 1, 1, 1]


@pytest.fixture
def before_and_after(tmp_path: Path) -> Path:
    """A minute of fighting on one CPU, then a minute without the other one."""
    threads = [Thread("a", "vcpu", 1, 500_000, 500_000), Thread("b", "vcpu", 1, 500_000, 500_000)]
    writer = Writer(threads)
    for second in range(130):
        if second % 60 == 0:
            writer.key()
        if second == 65:
            threads[0].run_us, threads[0].wait_us = 995_000, 5_000
            threads[1].run_us, threads[1].wait_us = 4_000, 1_000
        writer.sample()
    for name, second in (("A", 2), ("B", 65)):
        writer.data += Marker(name, second * 1_000_000, 1).record()
    return writer.record_to(tmp_path / "ab.kataui-rec")


def test_a_and_b_of_a_recording_are_compared(before_and_after: Path) -> None:
    with Recording(before_and_after) as recording:
        player = Player(recording)
        a, b = stretches(recording.markers, player.end_us / 1e6, "A", "B")
        found = compare(player, a, Player(recording), b)

    assert (a.begin_s, a.end_s, b.begin_s) == (2.0, 65.0, 65.0)
    main = next(e for e in found.effects if e.sandbox == "ns/a" and e.signal == "waits")
    assert main.answer is Answer.BETTER
    assert main.change == pytest.approx(-0.495, abs=0.005)


def test_a_stretch_has_the_sample_of_its_last_moment(tmp_path: Path) -> None:
    writer = Writer([Thread("a", "vcpu", 1, 500_000, 500_000)], past_us=1)
    writer.key()
    for _ in range(40):
        writer.sample()

    with Recording(writer.record_to(tmp_path / "r.kataui-rec")) as recording:
        found = collect(Player(recording), 7.000001, 32.000001)

    times = found["ns/a"]["waits"].times_s
    assert (times[0], times[-1]) == (8.000001, 32.000001)


def test_a_marker_that_is_not_there_is_named(before_and_after: Path) -> None:
    with Recording(before_and_after) as recording, pytest.raises(KatauiError, match="'C'") as told:
        stretches(recording.markers, 130.0, "A", "C")
    assert told.value.hint == "Markers here: A, B."
