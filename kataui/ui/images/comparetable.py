"""The table of two images' layers side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPainter

from kataui.files import size_text
from kataui.images.comparefacts import LayerPair, LayerSide
from kataui.ui import theme
from kataui.ui.widgets.rowtable import RowDelegate, RowModel, RowTable, paint_mark, paint_two
from kataui.ui.words import tr

_STATE, _A, _B = range(3)
_WORDS = {"same": "Same", "removed": "Only in A", "added": "Only in B"}
_TIPS = {
    "Same": "The same blob.",
    "Repacked": "Another blob, that unpacks to the same files.",
    "Not read": "Both say that they unpack to the same; no key here opens them to see.",
}
_MARKS = {"same": "pass", "repacked": "pass", "removed": "fail", "added": "fail"}


class PairModel(RowModel):
    """One ``LayerPair`` a row."""

    headers = ("Layer", "A", "B")

    def texts(self, row: LayerPair) -> tuple[str, ...]:
        """The state in words, and each half in two lines."""
        return state_words(row), *("\n".join(_words(side)) for side in (row.a, row.b))

    def tip(self, row: LayerPair, column: int) -> str:
        """What the state means, or the digests whole."""
        side = (None, row.a, row.b)[column]
        if side is None:
            return _TIPS.get(state_words(row), "")
        return f"digest {side.digest}\ndiff_id {side.diff_id}"


def state_words(pair: LayerPair) -> str:
    """What is known of a pair, and no more."""
    if pair.state == "repacked":
        return "Repacked" if pair.certain else "Not read"
    return _WORDS[pair.state]


def _words(side: LayerSide | None) -> tuple[str, str]:
    if side is None:
        return "", ""
    who = ", ".join(side.recipients)
    kept = f"Encrypted, {who}" if who else "Encrypted" if side.encrypted else "Readable"
    return f"{side.index}  {side.digest.short}", f"{size_text(side.size_bytes)}  {kept}"


class _Delegate(RowDelegate):
    """A mark with its word; the halves in two lines."""

    def paint_cell(self, painter: QPainter, rect: QRect, row: LayerPair, column: int) -> None:
        """The words and marks of a cell."""
        if column == _STATE:
            sure = row.state != "repacked" or row.certain
            paint_mark(painter, rect, _MARKS[row.state] if sure else "unknown", state_words(row))
            return
        above, below = _words(row.a if column == _A else row.b)
        paint_two(painter, rect, (above, ("mono", "text")), (below, ("note", "text_secondary")))


class PairTable(RowTable):
    """Both halves as wide as their words, the last gets what is left."""

    def __init__(self) -> None:
        super().__init__(
            "Layers of A and B", _Delegate(), row_u=12, most_rows=12, stretched=_B, least_u=50
        )
        self.setTextElideMode(Qt.TextElideMode.ElideRight)

    def show_rows(self, rows: Sequence[LayerPair]) -> None:
        """Show the pairs."""
        self.show_model(PairModel(rows))

    def widths(self, rows: Sequence[Any]) -> Mapping[int, int]:
        """As wide as the words."""
        state = max(
            (theme.metrics("body").horizontalAdvance(tr(state_words(r))) for r in rows), default=0
        )
        halves = max(
            (theme.metrics("mono").horizontalAdvance(tr(_words(r.a)[0])) for r in rows), default=0
        )
        return {_STATE: state + theme.u(12), _A: max(halves, theme.u(40)) + theme.u(5)}
