"""What can go wrong, as sentences for people. Imports nothing of ours."""

from enum import IntEnum


class ExitStatus(IntEnum):
    """Exit status of the command line (design, section 4)."""

    DONE = 0
    FAIL = 1
    BAD_INPUT = 2
    NOT_POSSIBLE = 3
    CANCELLED = 130


class KatauiError(Exception):
    """A problem that a person can read: one sentence, and a hint what to do next.

    ``message`` and ``hint`` are plain text, already cleaned of control characters where they
    quote something from outside.
    """

    exit_status = ExitStatus.BAD_INPUT

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Cancelled(KatauiError):
    """The user asked to stop."""

    exit_status = ExitStatus.CANCELLED

    def __init__(self, message: str = "Cancelled. Nothing was written.") -> None:
        super().__init__(message)


class ImageError(KatauiError):
    """An image is not what it should be: a digest, a size, a missing or malformed part."""


class IntegrityError(ImageError):
    """Bytes are not those that were promised: a digest, HMAC, diff_id or signature is wrong."""

    exit_status = ExitStatus.FAIL


class KeyProblem(KatauiError):
    """A key cannot be read or used."""


class WrongKey(KeyProblem):
    """None of the given keys opens this; the image may be fine."""

    exit_status = ExitStatus.NOT_POSSIBLE


class DestinationProblem(KatauiError):
    """A destination exists, has no room or cannot hold what is to be written."""


class NotPossibleHere(KatauiError):
    """A tool, a right or a key is missing on this machine."""

    exit_status = ExitStatus.NOT_POSSIBLE
