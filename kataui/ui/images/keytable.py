"""The table of known keys: name and kind, its backup, what it opens, its fingerprint."""

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QItemSelection, QRect, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QAbstractItemView

from kataui.ui import theme
from kataui.ui.images.keyrows import Row
from kataui.ui.widgets.rowtable import (
    RowDelegate,
    RowModel,
    RowTable,
    paint_mark,
    paint_text,
    paint_two,
)
from kataui.ui.words import tr

_NAME, _BACKUP, _OPENS, _PRINT = range(4)
_LEAST_U, _MOST_U = 30, 60


class KeyModel(RowModel):
    """One ``Row`` a key; the name's cell reads out the whole row."""

    headers = ("Key", "Backup", "Opens", "Fingerprint")

    def texts(self, row: Row) -> tuple[str, ...]:
        """Name, state of the backup, what it opens, and the fingerprint in words."""
        return row.name, row.backup, row.opens, row.words

    def tip(self, row: Row, column: int) -> str:
        """Where the key is."""
        return row.record.path if column == _NAME else super().tip(row, column)

    def read_out(self, row: Row, column: int) -> str:
        """The row as a sentence."""
        return row.sentence if column == _NAME else super().read_out(row, column)

    def copied(self, row: Row) -> str:
        """The row as a sentence."""
        return row.sentence


class _Delegate(RowDelegate):
    """Two lines for name and fingerprint, a mark before the state of the backup."""

    def paint_cell(self, painter: QPainter, rect: QRect, row: Row, column: int) -> None:
        """The words and marks of a cell."""
        quiet = "text_tertiary"
        if column == _NAME:
            paint_two(painter, rect, (row.name, ("strong", "text")), (row.kind, ("note", quiet)))
        elif column == _BACKUP:
            paint_mark(painter, rect, row.mark, row.backup)
        elif column == _OPENS:
            paint_text(painter, rect, row.opens, ("body", "text_secondary"))
        else:
            paint_two(painter, rect, (row.words, ("body", "text")), (row.digest, ("mono", quiet)))


class KeyTable(RowTable):
    """One key is chosen; ``chosen`` gives its row. The fingerprints get the room that is left."""

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__(
            "Keys", _Delegate(), row_u=12.5, most_rows=8, stretched=_PRINT, least_u=_MOST_U
        )
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)

    def show_rows(self, rows: Sequence[Row], fingerprint: str = "") -> None:
        """Show keys; the one with ``fingerprint``, or else the first, is chosen."""
        self.show_model(KeyModel(rows))
        marks = [row.record.fingerprint for row in rows]
        if marks:
            self.selectRow(marks.index(fingerprint) if fingerprint in marks else 0)

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        """Tell which key is chosen."""
        super().selectionChanged(selected, deselected)
        row = next((index.data(Qt.ItemDataRole.UserRole) for index in selected.indexes()), None)
        if row is not None:
            self.chosen.emit(row)

    def widths(self, rows: Sequence[Any]) -> Mapping[int, int]:
        """As wide as the words; only the state of the backup is never cut."""
        strong, body, note = (theme.metrics(style) for style in ("strong", "body", "note"))
        names = [strong.horizontalAdvance(tr(row.name)) for row in rows]
        names += [note.horizontalAdvance(tr(row.kind)) for row in rows]
        opens = [body.horizontalAdvance(tr(row.opens)) for row in rows]
        backup = [body.horizontalAdvance(tr(row.backup)) + theme.u(6.5) for row in rows]
        found = {}
        for column, wanted in ((_NAME, names), (_BACKUP, backup), (_OPENS, opens)):
            width = max([theme.u(_LEAST_U), *wanted]) + theme.u(6)
            found[column] = width if column == _BACKUP else min(width, theme.u(_MOST_U))
        return found
