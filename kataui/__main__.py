"""Where kataui starts: a noun goes to the command line, everything else to the window."""

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kataui import children, logs, network
from kataui.errors import ExitStatus

if TYPE_CHECKING:
    from kataui.cli.demo import DemoOptions

DEMO = "demo"

NOUNS = frozenset({"image", "key", "isolation", "pipeline", "pod", "doctor"})
_COMMAND_LINE = NOUNS | {"--version", "--help", "-h"}
_PIPE_CLOSED = 141  # what a shell shows of a program that SIGPIPE has ended


def main() -> int:
    """Run kataui; gives the exit status."""
    if children.run_hidden():
        return ExitStatus.DONE
    network.watch()
    argv = sys.argv[1:]
    try:
        try:
            if argv[:1] == [DEMO]:
                return _demo(argv)
            logs.watch_crashes()
            return _dispatch(argv)
        finally:
            sys.stdout.flush()  # here, also on the way out of --help, a closed pipe can be handled
    except KeyboardInterrupt:
        return ExitStatus.CANCELLED
    except BrokenPipeError:
        # Whoever read our output is gone (``| head``); Python would complain on flushing at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_CLOSED


def _dispatch(argv: list[str]) -> int:
    if argv and argv[0] in _COMMAND_LINE:
        from kataui import cli  # noqa: PLC0415 - the window must not wait for it

        return cli.main(argv)
    from kataui.ui import app  # noqa: PLC0415 - the command line must not load Qt

    return app.main(argv)


def _demo(argv: list[str]) -> int:
    """The demo; from its first line on nothing is written outside a scratch folder."""
    from kataui import scratch  # noqa: PLC0415 - what only a demo needs

    with scratch.folder() as place:
        from kataui import cli  # noqa: PLC0415 - the window must not wait for it

        return cli.main(argv, start_demo=partial(_start_demo, place))


def _start_demo(place: Path, asked: "DemoOptions") -> int:
    """In a window, or as pictures: only here command line and window meet."""
    if asked.screenshots is not None:
        from kataui.ui.demo import screenshots  # noqa: PLC0415 - it chooses Qt's platform

        return screenshots.main(place, asked.screenshots, asked.shapes, asked.only)
    from kataui.ui.demo import start  # noqa: PLC0415 - Qt

    return start.main(place, talk=asked.talk, percent=asked.percent)


if __name__ == "__main__":
    sys.exit(main())
