"""From the start of the process to the first picture of the window, warm; and what was loaded.

Beside it, in turn, the same for an empty Qt window: what no program of ours can be faster than.
Medians of ``--runs`` starts; the goal is 0.7 s.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

_KATAUI = """
import sys, time
from PySide6.QtCore import QEvent, QObject, QTimer
from kataui.ui import app as application
app = application.make_application([])
window = application.make_window()
"""
_EMPTY = """
import sys, time
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication, QWidget
app = QApplication([])
window = QWidget()
window.resize(1440, 900)
"""
_THEN = """
class First(QObject):
    def eventFilter(self, watched, event):
        if event.type() is QEvent.Type.Paint and not told:
            told.append(time.monotonic())
            QTimer.singleShot(0, app.quit)
        return False
told = []
first = First()
(window.centralWidget() if hasattr(window, "centralWidget") else window).installEventFilter(first)
window.show()
app.exec()
heavy = ("numpy", "pyqtgraph", "cryptography", "yaml", "jsonschema_rs", "zstandard", "isal", "nacl")
print(told[0], len(sys.modules), ",".join(name for name in heavy if name in sys.modules) or "-")
"""


def main() -> None:
    """Measure both in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    arguments = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    took_s: dict[str, list[float]] = {"kataui": [], "empty": []}
    loaded = heavy = ""
    with tempfile.TemporaryDirectory() as home:
        for place in ("CONFIG", "CACHE", "STATE", "DATA"):
            os.environ[f"XDG_{place}_HOME"] = home
        for number in range(arguments.runs + 1):
            for name, program in (("kataui", _KATAUI), ("empty", _EMPTY)):
                begin_s = time.monotonic()
                command = [sys.executable, "-c", program + _THEN]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                painted_s, *rest = done.stdout.split()
                if number:  # the first one warms up
                    took_s[name].append(float(painted_s) - begin_s)
                if name == "kataui":
                    loaded, heavy = rest
    middle = {name: statistics.median(values) for name, values in took_s.items()}
    for name, values in took_s.items():
        print(f"{name:<8} first picture after {middle[name]:.3f} s (slowest {max(values):.3f} s)")
    print(f"ratio    {middle['kataui'] / middle['empty']:.2f}")
    print(f"modules  {loaded}; heavy ones before the first picture: {heavy}")


if __name__ == "__main__":
    main()
