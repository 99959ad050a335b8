"""The demo in a process of its own: it redirects where settings and logs are kept."""

import os
import subprocess

from kataui import children
from kataui.files import problem_text
from kataui.ui.window import Window


def open_demo(window: Window) -> None:
    """Start ``kataui demo``, which goes on when this window is closed."""
    try:
        subprocess.Popen(  # noqa: S603 - kataui itself
            children.argv("kataui", "demo"),
            env={**os.environ, **children.importable()},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        message = f"The demo could not be started: {problem_text(error)}."
        window.show_problem(message, "Run: kataui demo")
        return
    window.show_done("The demo opens in a window of its own.")
