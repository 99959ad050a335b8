"""Where passphrases come from: a file, a file descriptor, the environment of cosign, a prompt."""

import argparse
import getpass
import os
import sys
from pathlib import Path

from kataui.errors import KeyProblem
from kataui.files import problem_text, read_bounded
from kataui.images.cosignkey import PASSWORD_VARIABLE
from kataui.images.keys import AskPassphrase

_LIMIT_BYTES = 4096


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``--passphrase-file`` and ``--passphrase-fd``; never the passphrase itself."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--passphrase-file", metavar="F", help="read the passphrase from a file (last newline off)"
    )
    group.add_argument(
        "--passphrase-fd", metavar="N", type=int, help="read it from an open file descriptor"
    )


def given(arguments: argparse.Namespace) -> str | None:
    """The passphrase from the arguments, or ``None`` when none was given.

    One trailing newline is dropped. Raises ``KeyProblem`` when it cannot be read.
    """
    if arguments.passphrase_file:
        return read_file(arguments.passphrase_file)
    if arguments.passphrase_fd is not None:
        return _text(_from_descriptor(arguments.passphrase_fd))
    return None


def from_environment() -> str | None:
    """Cosign's own variable."""
    return os.environ.get(PASSWORD_VARIABLE)


def read_file(path: str) -> str:
    """A passphrase file, one trailing newline dropped."""
    return _text(read_bounded(Path(path), limit_bytes=_LIMIT_BYTES, what="the passphrase file"))


def _text(data: bytes) -> str:
    try:
        return data.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8")
    except UnicodeDecodeError as error:
        raise KeyProblem("The passphrase is not UTF-8 text.") from error


def _from_descriptor(descriptor: int) -> bytes:
    try:
        with os.fdopen(os.dup(descriptor), "rb") as stream:
            return stream.read(_LIMIT_BYTES)
    except OSError as error:
        reason = problem_text(error)
        raise KeyProblem(f"Cannot read file descriptor {descriptor}: {reason}.") from error


def ask_new(what: str, missing: KeyProblem) -> str:
    """A new passphrase, typed twice; raises ``missing`` where nobody can type."""
    if not sys.stdin.isatty():
        raise missing
    first = getpass.getpass(f"{what}: ")
    if getpass.getpass("Again: ") != first:
        raise KeyProblem("The two passphrases differ.", hint="Nothing was written.")
    return first


def asker(arguments: argparse.Namespace) -> AskPassphrase:
    """A function that gives the passphrase asked for, once read from where it was given."""
    known = given(arguments)
    return prompt if known is None else lambda _: known


def prompt(words: str) -> str | None:
    """Ask on a terminal; ``None`` where there is none."""
    return getpass.getpass(f"{words}: ") if sys.stdin.isatty() else None
