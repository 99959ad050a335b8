"""Blame, signals and the verdict on streams whose truth is known."""

import numpy as np
import pytest

from kataui.findings import Verdict
from kataui.isolation.accuse import correlation
from kataui.isolation.analysis import Analysis, Picture
from kataui.isolation.blame import Shares
from kataui.isolation.layout import ActorKind
from tests.isolation.streams import Thread, Writer, written


def judged(writer: Writer) -> Picture:
    analysis = Analysis()
    picture = None
    for record in writer.records():
        if analysis.take(record):
            picture = analysis.picture()
    assert picture is not None
    return picture


def parts(shares: Shares) -> dict[str, float]:
    """Shares of the wait by the name of the sandbox or host actor."""
    return {
        item.actor.sandbox.partition("@")[0] or item.actor.name: item.wait_us / shares.wait_us
        for item in shares.neighbours
    }


def test_two_vcpus_on_one_cpu_blame_each_other() -> None:
    half = {"cpu": 1, "run_us": 500_000, "wait_us": 500_000}
    picture = judged(written([Thread("a", "vcpu", **half), Thread("b", "vcpu", **half)]))

    assert parts(picture.shares["a@1.1"])["b"] == pytest.approx(1.0, abs=0.01)
    assert parts(picture.shares["b@1.1"])["a"] == pytest.approx(1.0, abs=0.01)
    assert picture.shares["a@1.1"].confidence == pytest.approx(1.0, abs=0.01)
    assert picture.judgement.verdict is Verdict.FAIL
    assert "both are pinned to it" in picture.judgement.sentence


def test_a_wait_is_shared_by_run_time_on_that_cpu_only() -> None:
    picture = judged(
        written(
            [
                Thread("a", "vcpu", 0, 100_000, 400_000),
                Thread("b", "vhost", 0, 600_000),
                Thread("c", "vcpu", 0, 200_000),
                Thread("d", "vcpu", 1, 900_000),
            ]
        )
    )

    shares = parts(picture.shares["a@1.1"])
    assert shares["b"] == pytest.approx(0.75, abs=0.01)
    assert shares["c"] == pytest.approx(0.25, abs=0.01)
    assert "d" not in shares


def test_waiting_for_own_threads_is_nobodys_fault() -> None:
    picture = judged(
        written([Thread("a", "vcpu", 0, 500_000, 400_000), Thread("a", "iothread", 0, 400_000)])
    )

    shares = picture.shares["a@1.1"]
    assert shares.self_us == pytest.approx(shares.wait_us, rel=0.01)
    assert shares.neighbours == ()
    assert picture.signals.external[0] == pytest.approx(0.0, abs=1e-6)
    assert picture.judgement.verdict is Verdict.PASS


def test_what_no_thread_explains_is_unknown_and_lowers_the_confidence() -> None:
    picture = judged(written([Thread("a", "vcpu", 0, 200_000, 600_000)], busy={0: 80}))

    shares = picture.shares["a@1.1"]
    assert shares.unknown_us == pytest.approx(shares.wait_us, rel=0.02)
    assert shares.confidence == pytest.approx(0.25, abs=0.02)
    assert not [item for item in picture.judgement.accusations if item.named]


def test_softirq_time_is_an_actor_of_the_host() -> None:
    picture = judged(written([Thread("a", "vcpu", 0, 500_000, 400_000)], softirq={0: 40}))

    named = [item for item in picture.judgement.accusations if item.named]
    assert [item.actor.kind for item in named] == [ActorKind.SOFTIRQ]


def test_own_throttling_is_taken_off_before_anybody_is_blamed() -> None:
    threads = [Thread("a", "vcpu", 0, 200_000, 800_000), Thread("b", "vcpu", 0, 800_000)]
    picture = judged(written(threads, throttled_us={"a": 800_000}))

    shares = picture.shares["a@1.1"]
    assert shares.limit_us == pytest.approx(shares.wait_us)
    assert sum(item.wait_us for item in shares.neighbours) == pytest.approx(0.0, abs=1.0)
    assert picture.judgement.verdict is Verdict.PASS
    assert "its own CPU limit" in picture.judgement.sentence


def test_half_of_a_throttled_wait_may_still_be_a_neighbours() -> None:
    threads = [Thread("a", "vcpu", 0, 200_000, 800_000), Thread("b", "vcpu", 0, 800_000)]
    picture = judged(written(threads, throttled_us={"a": 400_000}))

    shares = picture.shares["a@1.1"]
    assert parts(shares)["b"] == pytest.approx(0.5, abs=0.01)
    assert picture.signals.limit[0] == pytest.approx(0.4, abs=0.01)
    assert picture.signals.external[0] == pytest.approx(0.4, abs=0.01)


def test_a_thread_that_moves_waits_half_on_each_cpu_and_is_not_certain() -> None:
    moving = Thread("a", "vcpu", 0, 300_000, 400_000, pinned=False, moves_to=1)
    picture = judged(
        written(
            [moving, Thread("b", "vcpu", 0, 600_000), Thread("c", "vcpu", 1, 600_000)],
            busy={0: 75, 1: 75},
        )
    )

    shares = parts(picture.shares["a@1.1"])
    assert shares["b"] == pytest.approx(0.5, abs=0.06)
    assert shares["c"] == pytest.approx(0.5, abs=0.06)
    assert picture.shares["a@1.1"].confidence == pytest.approx(0.0, abs=0.01)
    assert not [item for item in picture.judgement.accusations if item.named]
    assert picture.judgement.verdict is Verdict.UNKNOWN


def test_an_idle_sandbox_has_no_score_and_is_no_victim() -> None:
    picture = judged(written([Thread("a", "vcpu", 0, 1000, 1000), Thread("b", "vcpu", 0, 900_000)]))

    assert np.isnan(picture.signals.waits[0])
    assert picture.judgement.verdict is Verdict.PASS


def test_correlation_is_that_of_cpi2() -> None:
    waits = np.array([0.04] * 60 + [0.0] * 60)
    with_it, against_it = np.array([1.0] * 60 + [0.0] * 60), np.array([0.0] * 60 + [1.0] * 60)

    assert correlation(waits, with_it, 0.02) == pytest.approx(1 - 0.02 / 0.04)
    assert correlation(waits, against_it, 0.02) == pytest.approx(-1.0)
    assert correlation(waits[:30], with_it[:30], 0.02) is None
    assert correlation(waits, np.zeros(120), 0.02) is None
