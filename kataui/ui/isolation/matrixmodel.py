"""The matrix of victims and culprits as it is shown, and its words."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLocale

from kataui.files import clean
from kataui.ui.isolation import export

_WHOLE = 0.05  # from here on a share is written without decimals, and is strong


class Group(IntEnum):
    """The groups of columns, in their order."""

    SANDBOX, HOST, NOBODY = range(3)


GROUP_WORDS = {
    Group.SANDBOX: "other sandboxes",
    Group.HOST: "the host",
    Group.NOBODY: "not a neighbour",
}


@dataclass(frozen=True, slots=True)
class Victim:
    """A row: the key of a sandbox, and its name."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Culprit:
    """A column. The key of a sandbox is the one it has as a victim; names are short."""

    key: str
    name: str
    group: Group


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """Shares of CPU time (0..1) that each victim waits because of each culprit.

    ``shares`` is float32 of shape (victims, culprits); NaN means that it cannot be told. Culprits
    stand in the order of their groups. ``sentences`` has what is known about a pair beyond that.
    """

    victims: tuple[Victim, ...]
    culprits: tuple[Culprit, ...]
    shares: npt.NDArray[np.float32] = field(repr=False)
    sentences: Mapping[tuple[str, str], str] = field(default_factory=dict, repr=False)

    def is_itself(self, row: int, column: int) -> bool:
        """Whether a cell is where a sandbox meets itself."""
        culprit = self.culprits[column]
        return culprit.group is Group.SANDBOX and culprit.key == self.victims[row].key

    def share(self, row: int, column: int) -> float:
        """The share of a cell; NaN when it cannot be told."""
        return float(self.shares[row, column])

    def place(self, victim: str, culprit: str) -> tuple[int, int] | None:
        """The row and column of two keys."""
        rows = [n for n, one in enumerate(self.victims) if one.key == victim]
        columns = [n for n, one in enumerate(self.culprits) if one.key == culprit]
        return (rows[0], columns[0]) if rows and columns else None

    def darkest(self) -> tuple[int, int]:
        """The cell that hurts most; the first one when nothing does."""
        shares = np.nan_to_num(self.shares, nan=-1.0)
        row, column = np.unravel_index(int(np.argmax(shares)), shares.shape)
        return int(row), int(column)

    def strong_rows(self) -> list[bool]:
        """Which victims a neighbour or the host hurts."""
        others = [one.group is not Group.NOBODY for one in self.culprits]
        hurt = np.any(self.shares[:, others] >= _WHOLE, axis=1)
        return [bool(one) for one in np.atleast_1d(hurt)]

    def strong_columns(self) -> list[bool]:
        """Which neighbours or parts of the host hurt somebody."""
        hurts = np.atleast_1d(np.any(self.shares >= _WHOLE, axis=0))
        return [
            bool(hurt) and one.group is not Group.NOBODY
            for hurt, one in zip(hurts, self.culprits, strict=True)
        ]

    def to_csv(self) -> str:
        """A line a victim, a column a culprit: fractions of CPU time, empty where unknown."""
        header = ["waits / because of", *(clean(one.name) for one in self.culprits)]
        rows = [
            [clean(one.name), *(export.number(float(share)) for share in line)]
            for one, line in zip(self.victims, self.shares, strict=True)
        ]
        return export.table(header, rows)

    def words(self, row: int, column: int) -> str:
        """A cell as a sentence."""
        victim, culprit = self.victims[row], self.culprits[column]
        who, whom = clean(victim.name), clean(culprit.name)
        if self.is_itself(row, column):
            return f"{who} itself: it is not its own neighbour."
        share = self.share(row, column)
        if math.isnan(share):
            return f"Cannot tell how much {who} waits because of {whom}."
        amount = f"{QLocale().toString(100 * share, 'f', 1)}\u00a0%"
        said = f"{who} waits {amount} of its CPU time because of {whom}."
        return f"{said} {clean(self.sentences.get((victim.key, culprit.key), ''))}".strip()


def cell_text(share: float) -> str:
    """A share as it stands in a cell: one decimal, or whole with its unit from 5 % on."""
    if share >= _WHOLE:
        return f"{QLocale().toString(100 * share, 'f', 0)}\u00a0%"
    return QLocale().toString(100 * share, "f", 1)
