"""The demo: its data, its talk by the space bar alone, its pictures; and that it stays inside."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from kataui.ui import app as application
from kataui.ui import theme
from kataui.ui.demo.start import Demo
from kataui.ui.demo.story import chapters
from kataui.ui.pods.podpage import PodPage
from kataui.ui.presenter import CaptionBar
from kataui.ui.widgets.banner import VerdictBanner
from tests.ui.helpers import clipped


@pytest.fixture
def demo(window, qtbot, tmp_path) -> Iterator[Demo]:
    made = Demo(window, tmp_path)
    made.begin()
    qtbot.waitUntil(lambda: made.stage is not None, timeout=30_000)
    qtbot.waitUntil(lambda: not made.stage.busy, timeout=30_000)
    yield made
    if made.presenter is not None:
        made.presenter.end()


def press(demo: Demo, key: Qt.Key) -> None:
    QTest.keyClick(demo.window.windowHandle(), key)


def settle(qtbot, demo: Demo) -> None:
    qtbot.waitUntil(lambda: demo.presenter is None or demo.presenter.settled, timeout=30_000)
    qtbot.wait(80)


def caption(demo: Demo) -> str:
    bars = [bar for bar in demo.window.findChildren(CaptionBar) if bar.isVisible()]
    return bars[0]._caption.text() if bars else ""


def test_the_talk_runs_by_the_space_bar_alone(qtbot, demo) -> None:
    demo.present(200)
    told = []
    for number in range(len(chapters(demo.stage))):
        settle(qtbot, demo)
        assert demo.presenter.number == number
        qtbot.waitUntil(lambda: clipped(demo.window) == [], timeout=10_000)
        told.append(caption(demo))
        assert not demo.window.sidebar.isVisible()
        press(demo, Qt.Key.Key_Space)
    assert demo.presenter is None
    assert told == [one.caption for one in chapters(demo.stage)]
    assert demo.window.sidebar.isVisible()
    assert theme.state().percent == 100


def test_what_the_talk_says_is_what_is_shown(qtbot, demo) -> None:
    demo.present()
    found = []
    for _ in chapters(demo.stage):
        settle(qtbot, demo)
        page = demo.stage.page
        found += [
            banner.accessibleName()
            for banner in page.findChildren(VerdictBanner)
            if banner.isVisible()
        ]
        press(demo, Qt.Key.Key_PageDown)
    text = "\n".join(found)
    for words in (
        "anyone who gets this image can read all 4 layers",
        "Proved: your 4 encrypted layers open with your key",
        "telemetry was pushed in",
        "What runs is not what is in the lock: 1 pushed in.",
        "both are pinned to it",
        "Waits fell by",
    ):
        assert words in text


def test_back_larger_blank_and_escape(qtbot, demo) -> None:
    demo.present()
    settle(qtbot, demo)
    press(demo, Qt.Key.Key_Right)
    settle(qtbot, demo)
    press(demo, Qt.Key.Key_Plus)
    settle(qtbot, demo)
    assert (demo.presenter.number, demo.presenter.percent) == (1, 175)
    assert demo.stage.page.accessibleName() == "checkout"
    press(demo, Qt.Key.Key_B)
    blank = demo.window.grab().toImage()
    press(demo, Qt.Key.Key_B)
    assert demo.window.grab().toImage() != blank
    press(demo, Qt.Key.Key_Left)
    settle(qtbot, demo)
    assert demo.presenter.number == 0
    press(demo, Qt.Key.Key_Escape)
    assert demo.presenter is None
    assert isinstance(demo.window.findChild(PodPage), PodPage)  # what was open is there again


def test_open_pages_are_presented_with_f5(qtbot, demo) -> None:
    demo.window.begin_talk = lambda: application._present(demo.window)
    demo.stage.open_pod(demo.stage.scratch.live)
    press(demo, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: caption(demo) == "live.yaml")
    press(demo, Qt.Key.Key_Escape)
    assert demo.window.sidebar.isVisible()
    assert demo.window.findChild(PodPage) is not None


def test_the_tour_needs_no_network_and_writes_nothing_elsewhere(tmp_path: Path) -> None:
    home, scratch, out = (tmp_path / name for name in ("home", "tmp", "pictures"))
    home.mkdir()
    scratch.mkdir()
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    env = {**kept, "HOME": str(home), "TMPDIR": str(scratch), "PYTHONPATH": str(Path.cwd())}
    alone = [shutil.which("unshare"), "--net"]
    alone += [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    words = ["demo", "--screenshots", str(out), "--themes", "dark", "--percents", "100"]
    done = subprocess.run(
        [*alone, sys.executable, "-P", "-m", "kataui", *words],
        check=False,
        env=env,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    pictures = sorted(out.glob("*-dark-100-1440x900.png"))
    assert done.stdout == f"{len(pictures)} pictures in {out}\n"
    assert len(pictures) >= 58
    assert len({one.read_bytes() for one in pictures}) >= len(pictures) - 3
    assert list(home.rglob("*")) == []
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("words", [["--text-size", "90"], ["--sizes", "12x9"], ["--themes", "red"]])
def test_options_that_fit_nothing_are_told(words: list[str]) -> None:
    argv = [sys.executable, "-m", "kataui", "demo", *words]
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
