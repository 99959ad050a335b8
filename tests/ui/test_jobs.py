import threading

import pytest

from kataui.errors import Cancelled, KatauiError
from kataui.ui.jobs import Jobs


@pytest.fixture
def jobs(qapp):
    made = Jobs()
    yield made
    made.shutdown()


def test_result_arrives_in_the_ui_thread(jobs, qtbot):
    seen = []
    jobs.start(
        lambda _: threading.current_thread().name,
        on_done=lambda name: seen.append((name, threading.current_thread())),
        on_error=seen.append,
    )

    qtbot.waitUntil(lambda: bool(seen))

    assert seen[0][0].startswith("job")
    assert seen[0][1] is threading.main_thread()


def test_the_error_of_a_fast_job_is_not_lost(jobs, qtbot):
    seen = []

    def fail(_):
        raise KatauiError("no")

    for _ in range(50):
        jobs.start(fail, on_done=seen.append, on_error=seen.append)

    qtbot.waitUntil(lambda: len(seen) == 50)
    assert all(isinstance(error, KatauiError) for error in seen)


def test_cancelling_ends_with_cancelled(jobs, qtbot):
    seen = []
    started = threading.Event()

    def work(control):
        started.set()
        while True:
            control.check()

    control = jobs.start(work, on_done=seen.append, on_error=seen.append)
    started.wait(5)

    control.cancel()

    qtbot.waitUntil(lambda: bool(seen))
    assert isinstance(seen[0], Cancelled)
    assert not jobs.busy


def test_jobs_for_the_same_target_run_one_after_the_other(jobs, qtbot):
    order = []
    gate = threading.Event()

    def first(_):
        gate.wait(5)
        order.append(1)

    def nothing(_):
        return None

    jobs.start(first, on_done=nothing, on_error=order.append, target="x")
    jobs.start(lambda _: order.append(2), on_done=nothing, on_error=order.append, target="x")
    gate.set()

    qtbot.waitUntil(lambda: not jobs.busy)
    assert order == [1, 2]


def test_a_quiet_job_keeps_nobody_from_leaving_but_is_work(jobs, qtbot):
    gate = threading.Event()
    seen = []
    for _ in range(2):  # one runs, one waits
        jobs.start(
            lambda _: gate.wait(5),
            on_done=lambda _: seen.append(jobs.idle),
            on_error=seen.append,
            target="look",
            quiet=True,
        )
    assert not jobs.busy
    assert not jobs.idle

    gate.set()
    qtbot.waitUntil(lambda: jobs.idle)
    assert seen == [False, True]


def test_only_the_newest_progress_is_shown(jobs, qtbot):
    seen = []
    done = []

    def work(control):
        for number in range(1000):
            control._on_progress(number)

    jobs.start(work, on_done=done.append, on_error=done.append, on_progress=seen.append)

    qtbot.waitUntil(lambda: bool(done))
    assert seen[-1] == 999
    assert len(seen) < 1000


def test_nothing_is_called_after_shutdown(qapp, qtbot):
    jobs = Jobs()
    seen = []
    gate = threading.Event()
    jobs.start(lambda _: gate.wait(5), on_done=seen.append, on_error=seen.append)
    gate.set()

    jobs.shutdown()
    qtbot.wait(50)

    assert seen == []
