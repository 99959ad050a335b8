"""Splitting a secret into shares of words, of which a few restore it.

Source: satoshilabs/slips, slip-0039.md (words, checksum, sharing), through the package
shamir-mnemonic. One group of members is used, without SLIP-39's own passphrase.
"""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import shamir_mnemonic as slip39  # type: ignore[import-untyped]
from shamir_mnemonic import wordlist

from kataui.errors import KeyProblem
from kataui.files import clean

MOST_SHARES = 16  # SLIP-39, "Design rationale": four bits
_SHORTEST_WORDS = 20  # SLIP-39: the share of a secret of 128 bits


@dataclass(frozen=True, slots=True)
class Split:
    """How many shares there are, and how many of them restore the secret."""

    threshold: int
    count: int

    @property
    def text(self) -> str:
        """As it is written: "3/5"."""
        return f"{self.threshold}/{self.count}"


@dataclass(frozen=True, slots=True)
class Share:
    """One share as it was read; ``name`` says where, for what people are told about it."""

    name: str
    words: tuple[str, ...] = field(repr=False)


def parse_split(text: str) -> Split:
    """Read "3/5"; raises ``KeyProblem``.

    A single share that restores everything is refused: it would be the secret itself, written down.
    """
    found = re.fullmatch(r"\s*(\d{1,3})\s*/\s*(\d{1,3})\s*", text, re.ASCII)
    hint = f"Write K/N, such as 3/5: any 3 of 5 shares restore the key; at most {MOST_SHARES}."
    if not found:
        raise KeyProblem(f"{clean(text, limit=40)!r} is no way to split a key.", hint=hint)
    split = Split(int(found[1]), int(found[2]))
    if not 2 <= split.threshold <= split.count <= MOST_SHARES:
        raise KeyProblem(
            f"A key cannot be split {clean(text, limit=40)}: at least 2 shares must be needed, "
            f"and there can be no more than {MOST_SHARES}.",
            hint=hint,
        )
    return split


def split_secret(secret: bytes, split: Split) -> tuple[tuple[str, ...], ...]:
    """The words of each share; ``secret`` has an even number of bytes, at least 16."""
    (shares,) = slip39.generate_mnemonics(1, [(split.threshold, split.count)], secret)
    return tuple(tuple(share.split()) for share in shares)


def read_shares(text: str, name: str) -> list[Share]:
    """The shares in a text: numbers, stops and lines that begin with ``#`` do not count.

    An empty line ends a share; several whole shares may also stand one a line. Raises
    ``KeyProblem`` that names the word which is not on SLIP-39's list.
    """
    blocks = list(_blocks(text))
    shares = []
    for number, words in enumerate(blocks, 1):
        called = name if len(blocks) == 1 else f"{name} ({number})"
        for place, word in enumerate(words, 1):
            if word not in wordlist.WORD_INDEX_MAP:
                close = difflib.get_close_matches(word, wordlist.WORDLIST, n=1)
                raise KeyProblem(
                    f"Word {place} of {called}, {clean(word, limit=30)!r}, is on no share.",
                    hint=f"Perhaps it is {close[0]!r}." if close else "Look at the card again.",
                )
        shares.append(Share(called, tuple(words)))
    return shares


def _blocks(text: str) -> Iterator[list[str]]:
    """The words of each share. Lines that are all long enough to be one are one each."""
    lines: list[list[str]] = []
    for line in (*text.lower().splitlines(), ""):
        words = re.findall(r"[^\W\d_]+", line) if not line.lstrip().startswith("#") else []
        if words:
            lines.append(words)
        elif line.strip():
            continue  # a comment, or numbers alone
        elif all(len(one) >= _SHORTEST_WORDS for one in lines):
            yield from lines
            lines = []
        else:
            yield [word for one in lines for word in one]
            lines = []


def combine(shares: Sequence[Share]) -> bytes:
    """The secret that the shares hold; more than are needed do no harm.

    Raises ``KeyProblem``: a word is wrong, a share is from another split, or there are too few.
    """
    read = {share.name: _parsed(share) for share in shares}
    kinds = [one.group_parameters() for one in read.values()]
    usual = max(kinds, key=kinds.count)
    for name, one in read.items():
        if one.group_parameters() != usual:
            raise KeyProblem(
                f"The share {name} belongs to another split than the others.",
                hint="Shares restore a key only with those that were made in the same act.",
            )
    several = {one.index: one for one in read.values()}
    needed = next(iter(several.values())).member_threshold
    if len(several) < needed:
        raise KeyProblem(
            f"{len(several)} of the {needed} shares that are needed "
            f"{'is' if len(several) == 1 else 'are'} here.",
            hint="The same share counts once. Fewer shares than are needed tell nothing at all.",
        )
    used = list(several.values())[:needed]
    try:
        return bytes(slip39.combine_mnemonics([one.mnemonic() for one in used]))
    except slip39.MnemonicError as error:
        raise KeyProblem(
            "The shares do not fit together, although each of them is whole.",
            hint="Two splits may have begun alike by chance; look at the date on the cards.",
        ) from error


def _parsed(share: Share) -> slip39.Share:
    try:
        one = slip39.Share.from_mnemonic(" ".join(share.words))
    except (slip39.MnemonicError, ValueError) as error:
        raise KeyProblem(
            f"The words of {share.name} do not fit together: one is wrong, missing or misplaced.",
            hint="Every share has a checksum over all its words; compare them with the card.",
        ) from error
    if one.group_count != 1:
        raise KeyProblem(
            f"The share {share.name} was not made by kataui: it belongs to a group of groups."
        )
    return one
