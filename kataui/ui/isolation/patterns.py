"""Fills that differ without colour too: solid, hatched, dotted; as textures and as swatches."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QImage, QPainter, QPixmap

from kataui.ui import theme

Texture = npt.NDArray[np.uint32]
GAP = "gap"  # not measured
_TILE_U = 0.75
_LINE_PX = 0.55  # half the width of a hatch line
_DOT_PX = 0.95  # the radius of a dot
_RADIUS_PX = 3


def fill_of(role: str) -> tuple[str, str, str]:
    """Fill, main colour and colour of its lines or dots; for a role of the palette, or ``GAP``.

    A role that the palette does not know looks like "other".
    """
    surface = theme.color("surface").name()
    if role == GAP:
        gap = theme.colors()["heat"][GAP]
        return str(gap["fill"]), surface, str(gap["color"])
    roles = theme.colors()["roles"]
    found = roles.get(role) or roles["other"]
    return str(found["fill"]), str(found["color"]), surface


def tile_side(ratio: float) -> int:
    """The side of a texture in device pixels; even, so that dots can stand in quincunx."""
    return 2 * max(2, round(theme.u(_TILE_U) * ratio))


def texture(fill: tuple[str, str, str], side: int, ratio: float) -> Texture:
    """A square that can be laid side by side; shape (side, side), ARGB, no transparency."""
    kind, ground, ink = fill
    y, x = np.mgrid[0:side, 0:side]
    if kind == "hatch":
        along = (x + y) % side
        distance = np.minimum(along, side - along) / np.sqrt(2.0)
        weight = np.clip(_LINE_PX * ratio + 0.5 - distance, 0.0, 1.0)
    elif kind == "dots":
        quarter = side / 4
        near = np.hypot(x + 0.5 - quarter, y + 0.5 - quarter)
        far = np.hypot(x + 0.5 - 3 * quarter, y + 0.5 - 3 * quarter)
        weight = np.clip(_DOT_PX * ratio + 0.5 - np.minimum(near, far), 0.0, 1.0)
    else:
        weight = np.zeros((side, side))
    below, above = QColor(ground), QColor(ink)
    pixels = np.full((side, side), 0xFF, dtype=np.uint32)
    for low, high in (
        (below.red(), above.red()),
        (below.green(), above.green()),
        (below.blue(), above.blue()),
    ):
        pixels = pixels << 8 | np.rint(low + (high - low) * weight).astype(np.uint32)
    return pixels


def image_of(pixels: Texture) -> QImage:
    """An image of ARGB pixels; it keeps a copy of its own."""
    rows = np.ascontiguousarray(pixels)
    height, width = rows.shape
    form = QImage.Format.Format_ARGB32_Premultiplied
    return QImage(rows.data, width, height, 4 * width, form).copy()


def tile(role: str, ratio: float) -> QPixmap:
    """A texture for ``QPainter.drawTiledPixmap``."""
    return _tile(fill_of(role), tile_side(ratio), ratio)


@lru_cache(maxsize=64)
def _tile(fill: tuple[str, str, str], side: int, ratio: float) -> QPixmap:
    picture = QPixmap.fromImage(image_of(texture(fill, side, ratio)))
    picture.setDevicePixelRatio(ratio)
    return picture


def swatch(role: str, side_px: int, ratio: float) -> QPixmap:
    """A small rounded square in the fill of a role."""
    return _swatch(fill_of(role), side_px, tile_side(ratio), ratio)


@lru_cache(maxsize=128)
def _swatch(fill: tuple[str, str, str], side_px: int, tile_px: int, ratio: float) -> QPixmap:
    side = round(side_px * ratio)
    picture = QPixmap(side, side)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QBrush(image_of(texture(fill, tile_px, ratio))))
    painter.drawRoundedRect(QRectF(0, 0, side, side), _RADIUS_PX * ratio, _RADIUS_PX * ratio)
    painter.end()
    picture.setDevicePixelRatio(ratio)
    return picture
