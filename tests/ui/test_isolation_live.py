"""The tab Isolation as its users see it: sources, views, time, findings, A and B."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from kataui.isolation import synthetic
from kataui.isolation.opening import Source
from kataui.isolation.recording import Recorder, Recording
from kataui.isolation.stream import Splitter
from kataui.ui import theme
from kataui.ui.isolation.entrance import Entrance
from kataui.ui.isolation.livepage import COMPARE, FINDINGS, MATRIX, SANDBOX, LivePage
from tests.ui.helpers import clipped, unnamed

INCIDENT_S = 75


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two vCPUs on one CPU between 40 and 110 s (synthetic)."""
    path = tmp_path_factory.mktemp("recordings") / "pinned.kataui-rec"
    recorder = Recorder(path)
    for record in Splitter().feed(synthetic.two_vcpus_pinned_to_one_cpu()):
        recorder.write(record)
    recorder.close()
    return path


@pytest.fixture
def page(window, qtbot, recording: Path) -> LivePage:
    window.open_paths([str(recording)])
    shown = window.page(window.current_key)
    assert isinstance(shown, LivePage)
    qtbot.waitUntil(lambda: shown.deck.picture is not None, timeout=10_000)
    return shown


def at(page: LivePage, qtbot, seconds: float) -> None:
    """Look at a moment of the recording."""
    wanted_us = page.deck.range_us[0] + round(seconds * 1e6)
    page.deck.seek(wanted_us)
    qtbot.waitUntil(
        lambda: abs(page.deck.picture.time_s * 1e6 - wanted_us) <= 1_000_000, timeout=20_000
    )


def settle(qtbot, window) -> None:
    qtbot.waitUntil(lambda: not window.jobs.busy, timeout=20_000)
    qtbot.wait(50)


def test_the_incident_is_told_in_the_banner_the_sidebar_and_the_table(page, window, qtbot) -> None:
    at(page, qtbot, INCIDENT_S)

    assert "both are pinned to it" in page.banner.accessibleName()
    assert window.sidebar.entry(window.current_key).mark == "fail"
    names = [
        page.overview.table.model().data(page.overview.table.model().index(n, 0))
        for n in range(page.overview.table.model().rowCount())
    ]
    assert {"default/radio", "default/firewall"} <= {str(name) for name in names}


def test_a_quiet_moment_of_the_same_recording_is_no_failure(page, window, qtbot) -> None:
    at(page, qtbot, INCIDENT_S)
    at(page, qtbot, 30)

    assert window.sidebar.entry(window.current_key).mark == "pass"
    assert page.evidence.isVisible() is False


def test_arrows_step_through_time_and_space_plays(page, qtbot) -> None:
    at(page, qtbot, INCIDENT_S)
    before = page.deck.picture.time_s
    page.setFocus()

    qtbot.keyClick(page, Qt.Key.Key_Right)

    qtbot.waitUntil(lambda: page.deck.picture.time_s == pytest.approx(before + 1, abs=0.2))
    qtbot.keyClick(page, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: page.deck.picture.time_s == pytest.approx(before - 9, abs=0.2))
    page.deck.set_speed(10.0)
    qtbot.keyClick(page, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: page.deck.picture.time_s > before, timeout=10_000)
    qtbot.keyClick(page, Qt.Key.Key_Space)
    assert page.deck.paused


def test_the_fix_of_the_clash_is_shown_with_its_undo_and_can_be_measured(page, qtbot) -> None:
    at(page, qtbot, INCIDENT_S)

    page.fix.click()

    qtbot.waitUntil(lambda: len(page.findings.shown) > 0, timeout=20_000)
    chosen = page.findings.list.chosen
    assert chosen.id == "CPU-02"
    assert chosen.fix
    assert chosen.undo
    with qtbot.waitSignal(page.findings.measure):
        page.findings.measure.emit(chosen)
    assert page.views.currentIndex() == COMPARE


def test_a_and_b_are_compared_from_the_window(page, window, qtbot) -> None:
    for seconds, name in ((INCIDENT_S - 30, "A"), (INCIDENT_S + 36, "B")):
        at(page, qtbot, seconds)
        page.deck.mark(name)
    at(page, qtbot, 149)
    page.tabs.setCurrentIndex(COMPARE)

    page.compare.start.click()

    settle(qtbot, window)
    assert "Better" in page.compare.banner.accessibleName()
    with Recording(page.deck.recording.path) as again:
        assert {"A", "B"} <= {marker.name for marker in again.markers}


def test_one_sandbox_shows_its_paths_curves_and_formula(page, window, qtbot) -> None:
    at(page, qtbot, INCIDENT_S)
    key = next(s.key for s in page.deck.picture.view.sandboxes if s.name == "default/radio")

    page.overview.table.opened.emit(key)

    settle(qtbot, window)
    assert page.views.currentIndex() == SANDBOX
    assert page.sandbox is not None
    assert "held down by CPU" in page.sandbox.banner.accessibleName()
    assert len(page.sandbox.detail.times) > 30
    assert "vcpu" in page.sandbox.detail.series("cpu")
    page.sandbox._toggle_formula()
    assert page.sandbox._grid.count() > 12
    page.setFocus()
    qtbot.keyClick(page, Qt.Key.Key_Escape)
    assert page.views.currentIndex() != SANDBOX


@pytest.mark.parametrize("percent", [100, 200])
@pytest.mark.parametrize("name", ["light", "dark"])
def test_no_view_lacks_names_or_clips_words(page, window, qtbot, name: str, percent: int) -> None:
    theme.set_theme(name, percent)
    at(page, qtbot, INCIDENT_S)

    for view in (0, MATRIX, FINDINGS, COMPARE):
        page.tabs.setCurrentIndex(view)
        settle(qtbot, window)
        assert unnamed(window) == [], view
        assert clipped(window) == [], view


def test_a_file_that_is_no_recording_is_told_and_nothing_breaks(window, qtbot, tmp_path) -> None:
    broken = tmp_path / "broken.kataui-rec"
    broken.write_bytes(b"KATAUI ISOLATION STREAM 1\n" + b"nonsense" * 20)

    window.open_paths([str(broken)])

    page = window.page(window.current_key)
    qtbot.waitUntil(lambda: "Cannot be opened" in page.banner.accessibleName(), timeout=20_000)
    assert "damaged" in page.banner.accessibleName() or "no sample" in page.banner.accessibleName()


def test_this_host_is_watched_and_kept(window, qtbot, tmp_path: Path) -> None:
    window.findChild(Entrance).inside.open_source(Source("local"))
    page = window.page(window.current_key)
    qtbot.waitUntil(lambda: page.deck.picture is not None, timeout=30_000)

    target = tmp_path / "kept.kataui-rec"
    page.deck.keep(str(target), None, lambda _path: None)

    qtbot.waitUntil(target.exists, timeout=20_000)
    settle_page = page.deck
    qtbot.waitUntil(lambda: not settle_page._working, timeout=20_000)
    with Recording(target) as kept:
        assert kept.segments[0].samples >= 1
    window.close_page(window.current_key)
