"""The curves of one sandbox: what the window of fifteen minutes holds, and what has left it."""

from types import SimpleNamespace

import numpy as np
import pytest

from kataui.isolation import detail
from kataui.isolation.detail import SECONDS, Detail


@pytest.fixture
def values(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], float]:
    """What the next interval brings; the reading itself is tested with real streams."""
    found: dict[tuple[str, str], float] = {}
    monkeypatch.setattr(detail, "_values", lambda _analysis, _sandbox: dict(found))
    return found


def _interval(time_s: float) -> SimpleNamespace:
    view = SimpleNamespace(by_key={"one": object()})
    return SimpleNamespace(interval_end_s=time_s, layout=SimpleNamespace(view=view))


@pytest.mark.parametrize("count", [1, SECONDS - 1, SECONDS, 2 * SECONDS, 2 * SECONDS + 1, 4000])
def test_the_window_holds_the_newest_values_in_order(
    values: dict[tuple[str, str], float], count: int
) -> None:
    one = Detail("one")
    for second in range(count):
        values["cpu", "vcpu"] = float(second)
        one.add(_interval(float(second)))
    wanted = np.arange(max(0, count - SECONDS), count)
    assert np.array_equal(one.times, wanted)
    assert np.array_equal(one.series("cpu")["vcpu"], wanted)
    assert one.series("memory") == {}


def test_a_name_that_comes_late_has_a_gap_before(values: dict[tuple[str, str], float]) -> None:
    one = Detail("one")
    values["cpu", "vcpu"] = 1.0
    one.add(_interval(1.0))
    values["cpu", "vhost"] = 2.0
    one.add(_interval(2.0))
    assert np.array_equal(one.series("cpu")["vhost"], [np.nan, 2.0], equal_nan=True)


def test_a_name_leaves_with_its_last_value(values: dict[tuple[str, str], float]) -> None:
    one = Detail("one")
    values["waiting", "vhost-7"] = 1.0
    one.add(_interval(0.0))
    values.clear()
    for second in range(1, SECONDS):
        one.add(_interval(float(second)))
    assert list(one.series("waiting")) == ["vhost-7"]
    one.add(_interval(float(SECONDS)))
    assert one.series("waiting") == {}


def test_what_is_not_measured_now_is_still_named(values: dict[tuple[str, str], float]) -> None:
    one = Detail("one")
    values["waiting", "vCPU 0"] = np.nan
    one.add(_interval(1.0))
    assert np.isnan(one.series("waiting")["vCPU 0"]).all()


def test_the_same_interval_is_taken_once(values: dict[tuple[str, str], float]) -> None:
    one = Detail("one")
    values["cpu", "vcpu"] = 1.0
    one.add(_interval(1.0))
    one.add(_interval(1.0))
    assert len(one.times) == 1
