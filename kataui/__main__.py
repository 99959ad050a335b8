"""Where kataui starts: a noun goes to the command line, everything else to the window."""

import os
import sys

from kataui import logs, network
from kataui.errors import ExitStatus

NOUNS = frozenset({"image", "key", "isolation", "pipeline", "pod"})
_COMMAND_LINE = NOUNS | {"--version", "--help", "-h"}
_PIPE_CLOSED = 141  # what a shell shows of a program that SIGPIPE has ended


def main() -> int:
    """Run kataui; gives the exit status."""
    network.watch()
    argv = sys.argv[1:]
    logs.watch_crashes()
    try:
        try:
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


if __name__ == "__main__":
    sys.exit(main())
