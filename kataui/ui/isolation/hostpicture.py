"""The host map as one image: categories to pixels."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from kataui.ui import theme
from kataui.ui.isolation import patterns
from kataui.ui.isolation.hostrows import COLUMNS, Category, Cells, MapRow

_ROLES = (*(category.name.lower() for category in Category if category < 10), patterns.GAP)
_NOTHING = len(_ROLES)  # between cells
# From the top of a group's row to its bottom, so that the busy part grows from the ground.
_FROM_TOP = np.array(
    [Category.NO_DATA, Category.IDLE, *range(Category.OTHER, Category.IDLE, -1)], dtype=np.uint8
)
_PLACE = np.argsort(_FROM_TOP).astype(np.uint8)


def role_of(category: int) -> str:
    """The role in the palette of a category."""
    return _ROLES[category]


def picture(
    rows: Sequence[MapRow], cells: Cells, *, width: int, pitch: int, bar: int, ratio: float
) -> QImage:
    """Rows one under the other; all lengths in device pixels, ``bar`` of each ``pitch`` is filled.

    The row of a group is the mean of its CPUs: each column is divided among what they did.
    """
    categories = np.full((pitch * len(rows), width), _NOTHING, dtype=np.uint8)
    column = np.arange(width) * COLUMNS // width
    starts = np.searchsorted(column, np.arange(1, COLUMNS))
    line = max(1, round(ratio))
    for place, row in enumerate(rows):
        block = cells[list(row.members)]
        top = place * pitch
        target = categories[top : top + bar]
        if row.group is None:
            target[:] = block[0][column]
            # A line where another begins: colours alone are not told apart by everybody.
            changed = starts[block[0][1:] != block[0][:-1]]
            for offset in range(line):
                target[:, np.minimum(changed + offset, width - 1)] = _NOTHING
        else:
            stacked = _FROM_TOP[np.sort(_PLACE[block], axis=0)]
            target[:] = stacked[np.arange(bar) * len(block) // bar][:, column]
    textures = _textures(theme.name(), patterns.tile_side(ratio), ratio)
    side = textures.shape[1]
    y = np.arange(categories.shape[0]) % pitch % side
    x = np.arange(width) % side
    return patterns.image_of(textures[categories, y[:, None], x])


@lru_cache(maxsize=8)
def _textures(_theme: str, side: int, ratio: float) -> npt.NDArray[np.uint32]:
    """The textures of all categories and of nothing; shape (categories + 1, side, side)."""
    drawn = [patterns.texture(patterns.fill_of(role), side, ratio) for role in _ROLES]
    return np.stack([*drawn, np.zeros((side, side), dtype=np.uint32)])
