"""The window of the isolation tab: frames, stalls while an hour loads, cost when hidden, memory.

    packaging/bench isolationwindow [frames] [loading] [hidden] [memory]

``frames``: from a new picture to the last pixel, in the UI thread, 1600x1000, for each view and
200 and 512 sandboxes; median, 99th percentile, maximum; for one sandbox also while its last
minutes are read back from the stream. ``loading``: gaps of a 20 ms heartbeat
while an hour of 200 busy sandboxes is opened, and beside it with nothing to do. ``hidden``: CPU of
the window's process, without its collector, while 200 processes that look like sandboxes are
watched. ``memory``: resident, 512 sandboxes with an hour of history and the ring of 15 minutes.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import crowd
from hours import Maker, busy_hour
from isolation import cpu_seconds, memory_mib
from PySide6.QtCore import QCoreApplication
from window import Heartbeat

from kataui.isolation.analysis import Picture
from kataui.isolation.opening import Source
from kataui.isolation.session import Session
from kataui.isolation.sources.feed import Line, State
from kataui.isolation.stream import Record
from kataui.ui import app as application
from kataui.ui.isolation.entrance import Entrance
from kataui.ui.isolation.livepage import MATRIX, OVERVIEW, LivePage
from kataui.ui.window import Window

_SIZE = (1600, 1000)
_FRAMES = 150
_WARM_UP = 15
_THREADS = 10
_HIDDEN_S = 60


class MadeFeed:
    """Samples as fast as they are wanted: each read brings one second."""

    def __init__(self, sandboxes: int) -> None:
        self._maker = Maker(sandboxes, _THREADS)
        self._second = 0
        self.state = State(Line.LIVE, "made up")

    def read(self, timeout_s: float) -> list[Record]:
        """The next second; a new segment each minute."""
        del timeout_s
        records = self._maker.head() if self._second == 0 else []
        records += self._maker.key() if self._second % 60 == 0 else []
        self._second += 1
        return records + self._maker.sample()

    def close(self) -> None:
        """Nothing to end."""


def spin(seconds: float) -> None:
    """Let the window live."""
    end_s = time.perf_counter() + seconds
    while time.perf_counter() < end_s:
        QCoreApplication.processEvents()
        time.sleep(0.002)


def open_page(window: Window, source: Source) -> LivePage:
    """A page of the tab for a source."""
    entrance = window.findChild(Entrance)
    if entrance is None:
        raise SystemExit("the window has no tab Isolation")
    entrance.inside.open_source(source)
    page = window.page(window.current_key)
    if not isinstance(page, LivePage):
        raise SystemExit("no page was opened")
    return page


def made_page(window: Window, sandboxes: int) -> tuple[LivePage, Session]:
    """A page whose samples are made up, one at each turn; its own looks are stopped."""
    page = open_page(window, Source("local"))
    page.deck._timer.stop()
    old = page.deck.session
    session = page.deck.session = Session(MadeFeed(sandboxes))
    if old is not None:
        spin(1)
        old.close()
    return page, session


def pictures(session: Session, count: int) -> Iterator[Picture]:
    """One picture a second of made-up time."""
    made = 0
    while made < count:
        found = session.turn(0.0).pictures
        made += len(found)
        yield from found


def told(name: str, times_ms: list[float]) -> None:
    """Median, 99th percentile, maximum."""
    times_ms = sorted(times_ms)
    p99 = times_ms[min(len(times_ms) - 1, int(0.99 * len(times_ms)))]
    print(
        f"{name:<46}{len(times_ms):>5} frames, median {times_ms[len(times_ms) // 2]:5.1f} ms, "
        f"p99 {p99:5.1f} ms, max {times_ms[-1]:5.1f} ms"
    )


def frame_ms(page: LivePage, picture: Picture) -> float:
    """How long one frame takes."""
    begin_s = time.perf_counter()
    page.deck._show(picture)
    QCoreApplication.processEvents()
    return (time.perf_counter() - begin_s) * 1000


def frames(window: Window) -> None:
    """Each view with 200 and 512 sandboxes."""
    for sandboxes in (200, 512):
        page, session = made_page(window, sandboxes)
        first = next(iter(pictures(session, 1)))
        page.deck.picture = first
        for name in ("overview", "matrix", "one sandbox"):
            if name == "one sandbox":
                page.open_sandbox(first.view.sandboxes[0].key)
            else:
                page.tabs.setCurrentIndex(MATRIX if name == "matrix" else OVERVIEW)
            spin(0.5)
            times_ms: list[float] = []
            beside_ms: list[float] = []
            for picture in pictures(session, _FRAMES + _WARM_UP):
                times_ms.append(frame_ms(page, picture))
                # A sandbox that was just opened is read back beside the frames, for a second or so.
                while page._reading:
                    beside_ms.append(frame_ms(page, picture))
                    spin(0.02)
            if beside_ms:
                told(f"{sandboxes} sandboxes, {name}, being read back", beside_ms)
            times_ms = times_ms[_WARM_UP:]
            told(f"{sandboxes} sandboxes, {name}", times_ms)
            page._leave()
        window.close_page(window.current_key)
        spin(0.2)


def loading(window: Window, folder: Path) -> None:
    """The heartbeat while an hour is opened, looked at in three places, and worked out."""
    path = folder / "hour.kataui-rec"
    busy_hour(path, sandboxes=200, threads=_THREADS)
    idle, busy = Heartbeat(), Heartbeat()
    deadline_s = time.perf_counter() + 5
    idle.run(lambda: time.perf_counter() > deadline_s)
    print(idle.line("idle"))
    begin_s = time.perf_counter()
    page = open_page(window, Source(str(path)))
    busy.run(lambda: page.deck.picture is not None)
    print(f"the first picture after {time.perf_counter() - begin_s:.2f} s")
    for share in (0.2, 0.5, 0.9):
        begin_us, end_us = page.deck.range_us
        page.deck.seek(int(begin_us + share * (end_us - begin_us)))
        busy.run(lambda: not page.deck.seeking and not page.deck.working)
    deadline_s = time.perf_counter() + 3
    busy.run(lambda: time.perf_counter() > deadline_s)
    print(busy.line("an hour loads"))
    window.close_page(window.current_key)


def hidden(window: Window) -> None:
    """CPU of this process while nobody looks."""
    with crowd.crowd(200, threads=_THREADS):
        page = open_page(window, Source("local"))
        spin(10)
        sandboxes = len(page.deck.picture.view.sandboxes) if page.deck.picture else 0
        window.hide()
        spin_quietly(5)
        before = cpu_seconds(os.getpid())
        spin_quietly(_HIDDEN_S)
        used = (cpu_seconds(os.getpid()) - before) / _HIDDEN_S
        print(f"hidden, {sandboxes} sandboxes watched: {100 * used:.2f} % of a core")
        window.show()
        window.close_page(window.current_key)


def spin_quietly(seconds: float) -> None:
    """Wait as an application does: asleep until something happens."""
    from PySide6.QtCore import QEventLoop, QTimer  # noqa: PLC0415 - used here alone

    loop = QEventLoop()
    QTimer.singleShot(int(seconds * 1000), loop.quit)
    loop.exec()


def memory(window: Window) -> None:
    """An hour of 512 sandboxes in the history, fifteen minutes of it in the ring."""
    page, session = made_page(window, 512)
    print(f"before: {memory_mib(os.getpid()):.0f} MiB")
    for _ in range(3600):
        for picture in session.turn(0.0, every=15).pictures:
            page.deck._show(picture)
    page.open_sandbox(session.analysis.layout.view.sandboxes[0].key)
    spin(1)
    print(f"512 sandboxes, an hour: {memory_mib(os.getpid()):.0f} MiB")
    window.close_page(window.current_key)


def main() -> None:
    """Run what was asked for; everything without a name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=["frames", "loading", "hidden", "memory"])
    parser.add_argument("--folder", default="/dev/shm")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as scratch:
        for variable in ("CONFIG", "STATE", "CACHE", "DATA"):
            os.environ[f"XDG_{variable}_HOME"] = str(Path(scratch) / variable)
        application.make_application([])
        window = application.make_window()
        window.resize(*_SIZE)
        window.show()
        for name in arguments.parts:
            if name == "loading":
                loading(window, Path(scratch))
            else:
                {"frames": frames, "hidden": hidden, "memory": memory}[name](window)
        window.setProperty("sure", True)  # noqa: FBT003 - a Qt property
        window.close()


if __name__ == "__main__":
    main()
