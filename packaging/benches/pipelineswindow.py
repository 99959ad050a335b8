"""The tab Pipelines in a window: how long it takes to open, and from a key press to the preview.

A key press goes through the field of a real form whose result has 5 000 lines: the answer is taken,
the files are rendered, the changed lines are found and marked, and the window is painted. Every
gap of a 20 ms heartbeat is taken, too, while the checks run beside it.
"""

import itertools
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pipelines import LINES, OBJECT, OWN
from PySide6.QtCore import QTimer
from PySide6.QtTest import QTest

from kataui.ui import app as application
from kataui.ui.pipelines.entrance import Entrance

PRESSES = 200


def ms_since(began_s: float) -> float:
    """Milliseconds."""
    return (time.perf_counter() - began_s) * 1e3


def tell(what: str, took_ms: list[float], limit_ms: float) -> None:
    """One line of figures."""
    p99 = statistics.quantiles(took_ms, n=100)[98] if len(took_ms) > 1 else took_ms[0]
    print(
        f"{what}: median {statistics.median(took_ms):.1f} ms, p99 {p99:.1f} ms, "
        f"max {max(took_ms):.1f} ms (limit: {limit_ms:.0f})"
    )


def open_tab() -> None:
    """A new window each time, as at a start; modules are loaded at the first."""
    took_ms = []
    for _ in range(7):
        window = application.make_window()
        window.resize(1440, 900)
        window.show()
        QTest.qWait(200)
        began = time.perf_counter()
        window.go("pipelines")
        window.repaint()
        took_ms.append(ms_since(began))
        window.close()
    print(f"tab, the first time with its modules: {took_ms[0]:.0f} ms (limit: 300)")
    tell("tab, again", took_ms[1:], 300)


def press_keys() -> None:
    """Typing into both fields of a form with 5 000 lines."""
    window = application.make_window()
    window.resize(1440, 900)
    window.show()
    inside = window.findChildren(Entrance)[0].inside
    inside.open_template(inside.catalogue.get("large"))
    page = window.page(window.current_key)
    QTest.qWait(2000)
    beats: list[float] = []
    timer = QTimer()
    timer.timeout.connect(lambda: beats.append(time.perf_counter()))
    timer.start(20)
    for field in ("text", "name"):
        edit = page.form.form.fields[field].control.inner[0]
        edit.setFocus()
        took_ms = []
        for number in range(PRESSES):
            if number % 20 == 0:
                edit.selectAll()
            began = time.perf_counter()
            QTest.keyClicks(edit, "k")
            page.repaint()
            took_ms.append(ms_since(began))
            QTest.qWait(15)
        lines = page.state.view.rendered.files[0].text.count("\n")
        tell(f"key press in {field}, {lines} lines", took_ms, 50)
    gaps_ms = [(b - a) * 1e3 for a, b in itertools.pairwise(beats)]
    tell("heartbeat while typing and checking", gaps_ms, 50)
    window.close()


def main() -> None:
    """Run all with folders of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        for variable in ("CONFIG", "STATE", "CACHE", "DATA"):
            os.environ[f"XDG_{variable}_HOME"] = str(Path(scratch) / variable)
        place = Path(scratch) / "DATA" / "kataui" / "templates" / "large"
        place.mkdir(parents=True)
        objects = "".join(OBJECT.format(number) for number in range(LINES // 12))
        (place / "template.yaml").write_text(OWN.format(objects))
        application.make_application([])
        open_tab()
        press_keys()


if __name__ == "__main__":
    main()
