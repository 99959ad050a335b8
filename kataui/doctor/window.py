"""Python, Qt, display and fonts: looked at by a child process, for Qt may abort."""

import json
import os
import platform
import subprocess
import sys
from typing import Any

from kataui.children import argv, importable
from kataui.doctor.model import Group, Part, State
from kataui.files import clean

_PATIENCE_S = 15.0
_QT = "kataui.ui.qtfacts"
_LIBRARIES = "libgl1 libegl1 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1"


def parts() -> tuple[Part, ...]:
    """The parts without which there is no window."""
    seen = _qt_facts()
    return (_python(), _qt(seen), _display(), _fonts(seen))


def _python() -> Part:
    fits = sys.version_info >= (3, 11)
    return Part(
        "python",
        "Python",
        Group.NEEDED,
        State.HERE if fits else State.MISSING,
        f"{platform.python_version()} ({platform.machine()})",
        "kataui is written in it.",
        "Nothing runs.",
        "" if fits else "sudo apt install python3.11",
    )


def _qt_facts() -> dict[str, Any]:
    """What the child says; ``problem`` when it says nothing."""
    try:
        done = subprocess.run(  # noqa: S603 - kataui's own module
            argv(_QT),
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
            env={**os.environ, **importable(), **_platform()},
        )
        value = json.loads(done.stdout or b"null")
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        return {"problem": clean(str(error), limit=200)}
    if isinstance(value, dict):
        return value
    said = done.stderr.decode(errors="replace").strip().splitlines()
    return {"problem": clean(said[0], limit=200) if said else "Qt ended without a word"}


def _platform() -> dict[str, str]:
    """Without a display Qt can still say what it is."""
    has_display = any(map(os.environ.get, ("WAYLAND_DISPLAY", "DISPLAY", "QT_QPA_PLATFORM")))
    return {} if has_display else {"QT_QPA_PLATFORM": "offscreen"}


def _qt(seen: dict[str, Any]) -> Part:
    problem = str(seen.get("problem", ""))
    return Part(
        "qt",
        "Qt",
        Group.NEEDED,
        State.MISSING if problem else State.HERE,
        problem or f"{seen.get('qt')} (platform {seen.get('platform')})",
        "The window, and the pictures of a demo.",
        "The command line only.",
        f"sudo apt install {_LIBRARIES}" if problem else "",
    )


def _display() -> Part:
    kinds = {"WAYLAND_DISPLAY": "Wayland", "DISPLAY": "X11"}
    found = [f"{kind} ({os.environ[name]})" for name, kind in kinds.items() if os.environ.get(name)]
    chosen = os.environ.get("QT_QPA_PLATFORM", "")
    if chosen:
        found.append(f"QT_QPA_PLATFORM={chosen}")
    return Part(
        "display",
        "Display",
        Group.NEEDED,
        State.HERE if found else State.LIMITED,
        clean(", ".join(found), limit=200) or "none",
        "To show the window on.",
        "The command line works, and kataui demo --screenshots.",
        "" if found else "Start it in a desktop session, or: xvfb-run kataui",
    )


def _fonts(seen: dict[str, Any]) -> Part:
    count = int(seen.get("fonts", 0))
    mono = str(seen.get("mono", ""))
    if "problem" in seen:
        state, found = State.UNKNOWN, "Qt could not be asked"
    else:
        state = State.HERE if count else State.MISSING
        found = f"{count} families; {mono} for code" if count else "none"
    return Part(
        "fonts",
        "Fonts",
        Group.NEEDED,
        state,
        clean(found, limit=200),
        "To show text.",
        "Boxes instead of letters.",
        "sudo apt install fonts-dejavu-core" if state is State.MISSING else "",
    )
