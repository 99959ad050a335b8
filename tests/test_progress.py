"""Progress reports and cancellation."""

import threading

import pytest

from kataui.errors import Cancelled, ExitStatus
from kataui.progress import Control, Progress


def test_reports_within_an_interval_are_held_back() -> None:
    seen: list[Progress] = []
    control = Control(seen.append, interval_s=3600)

    for done in range(1, 100):
        control.report("Writing", done, 100)

    assert seen == [Progress("Writing", 1, 100)]


def test_a_new_step_and_the_end_are_always_reported() -> None:
    seen: list[Progress] = []
    control = Control(seen.append, interval_s=3600)

    control.report("Writing", 1, 10)
    control.report("Proving", 1, 10)
    control.report("Proving", 2, 10)
    control.report("Proving", 10, 10)

    assert [(progress.step, progress.done_bytes) for progress in seen] == [
        ("Writing", 1),
        ("Proving", 1),
        ("Proving", 10),
    ]


def test_without_an_interval_every_report_comes() -> None:
    seen: list[Progress] = []
    control = Control(seen.append, interval_s=0)

    for done in range(5):
        control.report("Writing", done, 0)

    assert [progress.done_bytes for progress in seen] == list(range(5))


def test_a_report_after_cancelling_raises_and_is_not_shown() -> None:
    seen: list[Progress] = []
    control = Control(seen.append)
    control.check()
    control.cancel()

    with pytest.raises(Cancelled) as caught:
        control.report("Writing", 1, 2)

    assert caught.value.exit_status == ExitStatus.CANCELLED
    assert seen == []
    assert control.cancelled


def test_without_a_listener_cancelling_still_works() -> None:
    control = Control()
    control.report("Writing", 0, 0)
    control.cancel()

    with pytest.raises(Cancelled):
        control.report("Writing", 0, 0)


def test_another_thread_may_cancel() -> None:
    control = Control()
    thread = threading.Thread(target=control.cancel)
    thread.start()
    thread.join()

    with pytest.raises(Cancelled):
        control.check()
