"""``--source`` of the isolation verbs: where the stream comes from."""

import argparse
import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from kataui.errors import KatauiError
from kataui.isolation.opening import LOCAL, Source, open_feed
from kataui.isolation.sources.feed import Feed

SOURCE = "local (default), ssh:HOST, a recording, or prometheus:URL"


def add_arguments(parser: argparse.ArgumentParser, *, rate: bool = True) -> None:
    """``--source``, the roots of a captured tree, and ``--rate``."""
    parser.add_argument("--source", default=LOCAL, metavar="S", help=SOURCE)
    parser.add_argument("--proc-root", default="/proc", metavar="DIR", help="a captured /proc")
    parser.add_argument("--sys-root", default="/sys", metavar="DIR", help="a captured /sys")
    if rate:
        parser.add_argument("--rate", type=float, default=1.0, metavar="HZ", help="default 1")


def chosen(arguments: argparse.Namespace) -> Source:
    """What ``--source`` names; raises ``KatauiError`` for what cannot be."""
    source = Source(
        arguments.source,
        rate_hz=getattr(arguments, "rate", 1.0),
        proc_root=arguments.proc_root,
        sys_root=arguments.sys_root,
    )
    problem = source.problem()
    if problem:
        raise KatauiError(problem, hint=f"A source is {SOURCE}.")
    return source


@contextmanager
def feed(source: Source, *, speed: float = 0.0) -> Iterator[Feed]:
    """The source, closed at the end; ssh's questions come to the terminal."""
    opened = open_feed(source, ask=_ask if sys.stdin.isatty() else None, speed=speed)
    try:
        yield opened
    finally:
        opened.close()


def _ask(prompt: str, secret: bool) -> str | None:  # noqa: FBT001 - the shape that ssh asks for
    try:
        if secret:
            return getpass.getpass(prompt)
        print(prompt, end=" ", file=sys.stderr, flush=True)
        return sys.stdin.readline().rstrip("\n")
    except EOFError:
        return None
