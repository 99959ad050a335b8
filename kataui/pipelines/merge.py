"""Three-way merge of text: what a person edited is kept when a template makes something else.

After Khanna, Kunal and Pierce, "A Formal Investigation of Diff3" (2007): lines that all three texts
share divide them into chunks; a chunk that only one side changed is that side's. Where both changed
a chunk and all three have as many lines of it, each line is merged by itself, for in YAML one
answer mostly is one line.
"""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MINE, BASE, NEW = "<<<<<<< yours", "||||||| as it was made", ">>>>>>> made now"
_BETWEEN = "======="


@dataclass(frozen=True, slots=True)
class Conflict:
    """Lines that both sides changed; ``line`` is where they begin in the merged text, 1-based."""

    line: int
    mine: tuple[str, ...]
    base: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Merged:
    """The merged text; conflicts stand in it between marks as Git makes them, nothing is lost."""

    text: str
    conflicts: tuple[Conflict, ...] = ()


@dataclass(frozen=True, slots=True)
class _Chunk:
    mine: tuple[str, ...]
    base: tuple[str, ...]
    new: tuple[str, ...]


def merge(base: str, mine: str, new: str) -> Merged:
    """``mine`` with what changed from ``base`` to ``new``.

    Line ends are those of ``mine``: a text that only differs by them was not edited.
    """
    windows = "\r\n" in mine
    base, mine, new = (text.replace("\r\n", "\n") for text in (base, mine, new))
    merged = _merged(base, mine, new)
    if windows:
        return Merged(merged.text.replace("\n", "\r\n"), merged.conflicts)
    return merged


def _merged(base: str, mine: str, new: str) -> Merged:
    if mine in (base, new):
        return Merged(new)
    if base == new:
        return Merged(mine)
    lines: list[str] = []
    conflicts = []
    for chunk in _chunks(*(text.splitlines(keepends=True) for text in (base, mine, new))):
        resolved = _resolved(chunk)
        if resolved is not None:
            lines += resolved
            continue
        conflicts.append(Conflict(len(lines) + 1, chunk.mine, chunk.base, chunk.new))
        for mark, part in ((MINE, chunk.mine), (BASE, chunk.base), (_BETWEEN, chunk.new)):
            lines.append(f"{mark}\n")
            lines += (line if line.endswith("\n") else f"{line}\n" for line in part)
        lines.append(f"{NEW}\n")
    return Merged("".join(lines), tuple(conflicts))


def _resolved(chunk: _Chunk) -> Sequence[str] | None:
    if chunk.new in (chunk.mine, chunk.base):
        return chunk.mine
    if chunk.base == chunk.mine:
        return chunk.new
    if len(chunk.mine) == len(chunk.base) == len(chunk.new):
        found = []
        for base, mine, new in zip(chunk.base, chunk.mine, chunk.new, strict=True):
            if mine != base and new not in (base, mine):
                return None
            found.append(new if mine == base else mine)
        return found
    return None


def _chunks(base: Sequence[str], mine: Sequence[str], new: Sequence[str]) -> Iterator[_Chunk]:
    """The texts cut where all three agree; what they share is a chunk, too."""
    in_mine, in_new = _partners(base, mine), _partners(base, new)
    begin_base = begin_mine = begin_new = 0
    at = 0
    while at <= len(base):
        stop_mine = in_mine.get(at) if at < len(base) else len(mine)
        stop_new = in_new.get(at) if at < len(base) else len(new)
        if stop_mine is None or stop_new is None:
            at += 1
            continue
        if (at, stop_mine, stop_new) != (begin_base, begin_mine, begin_new):
            yield _Chunk(
                tuple(mine[begin_mine:stop_mine]),
                tuple(base[begin_base:at]),
                tuple(new[begin_new:stop_new]),
            )
        if at < len(base):
            yield _Chunk((mine[stop_mine],), (base[at],), (new[stop_new],))
        begin_base, begin_mine, begin_new = at + 1, stop_mine + 1, stop_new + 1
        at += 1


def _partners(base: Sequence[str], other: Sequence[str]) -> dict[int, int]:
    """Line of ``base`` -> the same line of ``other``."""
    top = 0
    while top < min(len(base), len(other)) and base[top] == other[top]:
        top += 1
    end = 0
    while end < min(len(base), len(other)) - top and base[-1 - end] == other[-1 - end]:
        end += 1
    found = {line: line for line in range(top)}
    inner = difflib.SequenceMatcher(
        None, base[top : len(base) - end], other[top : len(other) - end], autojunk=False
    )
    for block in inner.get_matching_blocks():
        for step in range(block.size):
            found[top + block.a + step] = top + block.b + step
    found.update((len(base) - 1 - step, len(other) - 1 - step) for step in range(end))
    return found
