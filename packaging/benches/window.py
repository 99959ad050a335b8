"""Whether the window stalls: gaps of a 20 ms heartbeat on the UI thread while 2 GiB are protected.

The same heartbeat is measured beside it, in the same window, with nothing to do; both as median,
99th percentile and maximum. Cancelling is timed as well: until it is acknowledged, and until
everything is cleaned away.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from images import make_images
from PySide6.QtCore import QCoreApplication, QTimer

from kataui.images.keymaking import new_key
from kataui.images.look import look
from kataui.images.protect import protect
from kataui.images.protectanswers import ProtectAnswers
from kataui.progress import Control
from kataui.ui import app as application
from kataui.ui import theme
from kataui.ui.images.flow import Flow
from kataui.ui.images.worklines import plan
from kataui.ui.images.workstep import WorkStep

BEAT_MS = 20


class Heartbeat:
    """Gaps between the beats of a timer, in milliseconds."""

    def __init__(self) -> None:
        self.gaps_ms: list[float] = []
        self._last_s = 0.0
        self._timer = QTimer()
        self._timer.setInterval(BEAT_MS)
        self._timer.timeout.connect(self._beat)

    def _beat(self) -> None:
        now_s = time.perf_counter()
        if self._last_s:
            self.gaps_ms.append((now_s - self._last_s) * 1000)
        self._last_s = now_s

    def run(self, until: object) -> None:
        """Beat until ``until()`` is true."""
        self._last_s = 0.0
        self._timer.start()
        while not until():  # type: ignore[operator]
            QCoreApplication.processEvents()
            time.sleep(0.0005)
        self._timer.stop()

    def line(self, name: str) -> str:
        """Median, 99th percentile and maximum."""
        gaps = sorted(self.gaps_ms)
        at = {share: gaps[min(len(gaps) - 1, int(len(gaps) * share))] for share in (0.5, 0.99, 1)}
        return (
            f"{name:<26}{len(gaps):>7} beats, median {at[0.5]:6.1f} ms, "
            f"p99 {at[0.99]:6.1f} ms, max {at[1]:6.1f} ms"
        )


def main() -> None:
    """Measure idle, protecting, and cancelling."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=2048, help="MiB of tar (default 2048)")
    parser.add_argument("--folder", default="/dev/shm", help="where scratch files go")
    arguments = parser.parse_args()
    application.make_application([])
    window = application.make_window()
    window.show()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as scratch:
        folder = Path(scratch)
        os.environ["XDG_CONFIG_HOME"] = str(folder / "config")
        image = make_images(folder, arguments.size, gzipped=False)[0]
        new_key("jwe", folder / "k")
        new_key("cosign", folder / "s")
        answers = ProtectAnswers(
            source=f"oci:{image}:1",
            destination=str(folder / "out"),
            recipients=(f"jwe:{folder / 'k.pub'}",),
            sign_key=str(folder / "s.key"),
            identity="registry.example.org/a/b",
            keys=(str(folder / "k.key"),),
            force=True,
        )
        idle = Heartbeat()
        deadline_s = time.perf_counter() + 5
        idle.run(lambda: time.perf_counter() > deadline_s)
        print(idle.line("idle"))
        print(protecting(window, answers).line("protecting"))
        cancel(window, answers)
        window.close()


def start(window: application.Window, answers: ProtectAnswers, ended: list[object]) -> object:
    """Protect in the window's own jobs, with the page that people see."""
    looks = (look(answers.source, Control()),)
    page = WorkStep(lambda: None, lambda: None)
    page.begin(plan(Flow(answers=answers, sources=(answers.source,), looks=looks)))
    page.resize(theme.u(250), theme.u(180))
    page.show()
    return window.jobs.start(
        lambda control: protect(answers, ask=lambda _: "", control=control),
        on_done=ended.append,
        on_error=ended.append,
        on_progress=page.show_progress,
    ), page


def protecting(window: application.Window, answers: ProtectAnswers) -> Heartbeat:
    """The heartbeat while an image is protected."""
    ended: list[object] = []
    beat = Heartbeat()
    kept = start(window, answers, ended)
    beat.run(lambda: bool(ended))
    del kept
    if isinstance(ended[0], Exception):
        raise ended[0]
    return beat


def cancel(window: application.Window, answers: ProtectAnswers) -> None:
    """How long it takes from Cancel to nothing left, in the middle of the work."""
    ended: list[object] = []
    control, page = start(window, answers, ended)  # type: ignore[misc]
    begun_s = time.perf_counter()
    Heartbeat().run(lambda: time.perf_counter() > begun_s + 1)
    asked_s = time.perf_counter()
    page.panel.cancel()
    shown_s = time.perf_counter()
    control.cancel()
    Heartbeat().run(lambda: bool(ended))
    finished_ms = (time.perf_counter() - asked_s) * 1000
    shown_ms = (shown_s - asked_s) * 1000
    how = type(ended[0]).__name__
    print(f"cancel: shown after {shown_ms:.1f} ms, finished after {finished_ms:.0f} ms ({how})")


if __name__ == "__main__":
    main()
