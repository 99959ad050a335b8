"""Python programs of kataui's own that run in a process of their own.

``sys.executable`` is Python, or, in the self-contained folder, kataui itself: there a hidden first
argument names the module.
"""

import os
import runpy
import sys
from pathlib import Path

_WORD = "--run-module"
_MODULES = frozenset(
    (
        "kataui",
        "kataui.isolation.collector",
        "kataui.isolation.sources.askpass",
        "kataui.isolation.sources.prometheus_stream",
        "kataui.ui.qtfacts",
    )
)
_PACKAGES = Path(__file__).resolve().parents[1]


def argv(module: str, *arguments: str) -> list[str]:
    """The command that runs a module; whoever starts it gives it ``importable()``."""
    if module not in _MODULES:
        raise ValueError(f"{module} is no program of kataui")
    if getattr(sys, "frozen", False):
        words = [] if module == "kataui" else [_WORD, module]
        return [sys.executable, *words, *arguments]
    return [sys.executable, "-m", module, *arguments]


def argv_alone(module: str, *arguments: str) -> list[str]:
    """As ``argv``, for a module that needs nothing else: no environment changes what it runs."""
    if getattr(sys, "frozen", False):
        return argv(module, *arguments)
    path = _PACKAGES.joinpath(*module.split(".")).with_suffix(".py")
    return [sys.executable, "-I", str(path), *arguments]


def importable() -> dict[str, str]:
    """The environment in which a child finds this kataui, from whatever folder it is started."""
    before = os.environ.get("PYTHONPATH", "")
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(_PACKAGES), before]))}


def run_hidden() -> bool:
    """Run the module that a hidden argument names; false when there is no such argument."""
    if sys.argv[1:2] != [_WORD] or sys.argv[2:3] == [] or sys.argv[2] not in _MODULES:
        return False
    module = sys.argv[2]
    sys.argv = [module, *sys.argv[3:]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    return True
