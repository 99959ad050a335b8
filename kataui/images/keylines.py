"""A backup as lines that can be printed, scanned and typed again.

The bytes are packed (zlib, RFC 1950), written in base32 (RFC 4648, section 6; no digit looks like a
letter) and cut into lines of 50 letters: ``7: MFRGG ZDFMZ ... / KQXA``. What follows the stroke is
a checksum of number and letters, so that a wrong, missing or swapped line is named. The lines
have only characters of a QR code's alphanumeric mode (ISO/IEC 18004, 7.4.4).
"""

import base64
import hashlib
import re
import zlib
from collections.abc import Iterator, Sequence

from kataui.errors import KeyProblem

MAX_BYTES = 1 << 20
_LETTERS = 50
_GROUP = 5
_LINES_A_CODE = 24  # about 1 400 letters: a phone reads that from a hand's width of paper
_NUMBER = re.compile(r"(?:^|(?<=\s))(\d{1,5}):")
_SLIPS = str.maketrans("018", "OIB")  # digits that base32 does not have


def to_lines(data: bytes) -> list[str]:
    """Bytes as lines; ``from_lines`` gives them back."""
    text = base64.b32encode(zlib.compress(data, 9)).decode("ascii").rstrip("=")
    cuts = [text[start : start + _LETTERS] for start in range(0, len(text), _LETTERS)]
    return [
        f"{number}: {' '.join(_grouped(cut))} / {_check(number, cut)}"
        for number, cut in enumerate(cuts, 1)
    ]


def to_codes(lines: Sequence[str]) -> list[str]:
    """The texts of the QR codes that hold the lines, in their order."""
    tight = [re.sub(r"\s+", "", line) for line in lines]
    starts = range(0, len(tight), _LINES_A_CODE)
    return [" ".join(tight[start : start + _LINES_A_CODE]) for start in starts]


def has_lines(text: str) -> bool:
    """Whether a text looks like lines of a backup."""
    return "/" in text and _NUMBER.search(text.upper()) is not None


def from_lines(text: str) -> bytes:
    """The bytes that lines stand for, in whatever order they were typed or scanned.

    Raises ``KeyProblem`` that names the line which is wrong or missing.
    """
    found = dict(_read(text))
    for number in range(1, max(found) + 1):
        if number not in found:
            raise KeyProblem(f"Line {number} of the backup is missing.")
    letters = "".join(found[number] for number in sorted(found))
    try:
        packed = base64.b32decode(letters + "=" * (-len(letters) % 8))
        unpack = zlib.decompressobj()
        data = unpack.decompress(packed, MAX_BYTES)
    except (ValueError, zlib.error) as error:
        raise KeyProblem("The lines are of no backup, although each of them is whole.") from error
    if not unpack.eof:
        raise KeyProblem(
            f"The lines end too early: there are more after line {max(found)}.",
            hint="Type the rest of the page too, or scan its other codes.",
        )
    return data


def _read(text: str) -> Iterator[tuple[int, str]]:
    parts = _NUMBER.split(text.upper())
    for number, body in zip(parts[1::2], parts[2::2], strict=True):
        letters, _, check = "".join(body.split()).translate(_SLIPS).partition("/")
        if check != _check(int(number), letters):
            raise KeyProblem(
                f"Line {int(number)} of the backup is mistyped.",
                hint="Compare its letters, and the four after the stroke, with the page.",
            )
        yield int(number), letters


def _grouped(text: str) -> list[str]:
    return [text[start : start + _GROUP] for start in range(0, len(text), _GROUP)]


def _check(number: int, letters: str) -> str:
    """Four letters (20 bits) of SHA-256 over number and letters."""
    mark = hashlib.sha256(f"{number}:{letters}".encode()).digest()
    return base64.b32encode(mark[:5]).decode("ascii")[:4]
