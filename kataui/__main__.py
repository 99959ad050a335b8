"""Where kataui starts: a noun goes to the command line, everything else to the window."""

import os
import sys

NOUNS = frozenset({"image", "key"})
_COMMAND_LINE = NOUNS | {"--version", "--help", "-h"}


def main() -> int:
    """Run kataui; gives the exit status."""
    argv = sys.argv[1:]
    try:
        if argv and argv[0] in _COMMAND_LINE:
            from kataui import cli  # noqa: PLC0415 - the window must not wait for it

            return cli.main(argv)
        from kataui.ui import app  # noqa: PLC0415 - the command line must not load Qt

        return app.main(argv)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


if __name__ == "__main__":
    sys.exit(main())
