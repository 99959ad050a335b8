"""Differences of texts line by line, for the views that show them. No Qt here."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

_SMALL = 40_000  # pairs of lines up to which difflib answers at once
_WORD = re.compile(r"\w+|\s+|.")


@dataclass(frozen=True, slots=True)
class LineEdit:
    """Lines ``begin`` to ``end`` (from 0, ``end`` not included) become ``lines``."""

    begin: int
    end: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a diff: a line of the old text, of the new one, or the same of both.

    Numbers count from 1 and are 0 where there is no line. ``words`` are (begin, length) of what
    differs within a line that was changed. ``block`` is the number of the change from 0, or -1.
    """

    old: str
    new: str
    old_number: int
    new_number: int
    block: int = -1
    old_words: tuple[tuple[int, int], ...] = ()
    new_words: tuple[tuple[int, int], ...] = ()


def line_edits(old: Sequence[str], new: Sequence[str]) -> list[LineEdit]:
    """What turns ``old`` into ``new``, from top to bottom; quick rather than smallest.

    Made for a long text in which an answer changes a few lines: what is the same at both ends is
    left out; where as many lines stand between as before, only the different ones are replaced.
    """
    top, end = _same_ends(old, new)
    before, after = old[top : len(old) - end], new[top : len(new) - end]
    if len(before) == len(after):
        runs = _different_runs(before, after)
    elif len(before) * len(after) <= _SMALL:
        matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
        runs = [(a, b, c, d) for tag, a, b, c, d in matcher.get_opcodes() if tag != "equal"]
    else:
        runs = [(0, len(before), 0, len(after))]
    return [LineEdit(top + a, top + b, tuple(after[c:d])) for a, b, c, d in runs]


def _same_ends(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """How many lines are the same at the top and at the end."""
    shorter = min(len(old), len(new))
    top = next((n for n in range(shorter) if old[n] != new[n]), shorter)
    rest = shorter - top
    end = next((n for n in range(rest) if old[-1 - n] != new[-1 - n]), rest)
    return top, end


def _different_runs(before: Sequence[str], after: Sequence[str]) -> list[tuple[int, int, int, int]]:
    runs: list[tuple[int, int, int, int]] = []
    for number, (one, other) in enumerate(zip(before, after, strict=True)):
        if one == other:
            continue
        if runs and runs[-1][1] == number:
            begin = runs[-1][0]
            runs[-1] = (begin, number + 1, begin, number + 1)
        else:
            runs.append((number, number + 1, number, number + 1))
    return runs


def rows(old: str, new: str) -> list[Row]:
    """All lines of both texts as rows, changed ones beside each other as far as they pair up."""
    before, after = old.split("\n"), new.split("\n")
    top, end = _same_ends(before, after)
    found = [Row(text, text, n + 1, n + 1) for n, text in enumerate(before[:top])]
    found += _middle(before, after, top, end)
    shift = len(after) - len(before)
    for number in range(len(before) - end, len(before)):
        text = before[number]
        found.append(Row(text, text, number + 1, number + 1 + shift))
    return found


def _middle(before: Sequence[str], after: Sequence[str], top: int, end: int) -> list[Row]:
    old, new = before[top : len(before) - end], after[top : len(after) - end]
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=len(old) * len(new) > 1_000_000)
    found: list[Row] = []
    block = -1
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            found += [
                Row(old[a + n], new[c + n], top + a + n + 1, top + c + n + 1) for n in range(b - a)
            ]
            continue
        block += 1
        for n in range(max(b - a, d - c)):
            one = (top + a + n + 1, old[a + n]) if a + n < b else None
            other = (top + c + n + 1, new[c + n]) if c + n < d else None
            found.append(_pair(one, other, block))
    return found


def _pair(one: tuple[int, str] | None, other: tuple[int, str] | None, block: int) -> Row:
    """A row of a change, from (number, line) of each side."""
    old_number, old = one or (0, "")
    new_number, new = other or (0, "")
    words = changed_words(old, new) if one and other else ((), ())
    return Row(old, new, old_number, new_number, block, *words)


def changed_words(
    old: str, new: str
) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]:
    """(begin, length) of the words that differ, in the old line and in the new one."""
    if len(old) + len(new) > 2000:
        return (), ()
    before, after = _WORD.findall(old), _WORD.findall(new)
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    left: list[tuple[int, int]] = []
    right: list[tuple[int, int]] = []
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag != "equal":
            for words, begin, stop, found in ((before, a, b, left), (after, c, d, right)):
                length = sum(map(len, words[begin:stop]))
                if length:
                    found.append((sum(map(len, words[:begin])), length))
    return tuple(left), tuple(right)
