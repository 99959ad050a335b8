import datetime as dt
import subprocess
import sys

from kataui.ui.when import when_text

HEAVY = ("numpy", "pyqtgraph", "yaml")


def test_the_window_loads_nothing_that_it_does_not_need():
    code = "import sys, kataui.ui.app; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert not set(HEAVY) & set(done.stdout.split())


def test_the_command_line_does_not_load_qt():
    code = "import sys, kataui.cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "PySide6" not in done.stdout.split()


def test_dates_are_told_as_people_do():
    now = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)

    def told(**ago):
        return when_text((now - dt.timedelta(**ago)).isoformat(), now)

    assert told(seconds=20) == "just now"
    assert told(minutes=5) == "5 minutes ago"
    assert told(hours=3) == "3 hours ago"
    assert told(hours=30) == "yesterday"
    assert told(days=5) == "18 November"
    assert when_text("nonsense", now) == ""
