"""The table of layers: number, name and command, size with a bar, origin, encrypted, recipients."""

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPainter

from kataui.files import size_text
from kataui.images.inspect import LayerRow
from kataui.ui import icons, theme
from kataui.ui.widgets.rowtable import RowDelegate, RowModel, RowTable, paint_text, paint_two
from kataui.ui.words import tr

_NUMBER, _LAYER, _SIZE, _FROM, _ENCRYPTED, _RECIPIENTS = range(6)
_ORIGINS = {"base": "Base", "own": "Yours", "unknown": "Not known"}
_RECIPIENTS_U = 60


class LayerModel(RowModel):
    """One ``LayerRow`` a layer."""

    headers = ("", "Layer", "Size", "From", "Encrypted", "Recipients")
    right = frozenset({_SIZE})

    def texts(self, row: LayerRow) -> tuple[str, ...]:
        """The words of each column."""
        return (
            str(row.index),
            row.name,
            size_text(row.size_bytes),
            _ORIGINS[row.origin],
            "Encrypted" if row.encrypted else "Readable",
            row.recipients or "None",
        )

    def tip(self, row: LayerRow, column: int) -> str:
        """The whole command for the layer."""
        return row.command if column == _LAYER else super().tip(row, column)


class _Delegate(RowDelegate):
    """Two lines for the layer, a bar behind the size, a lock or an eye before "encrypted"."""

    biggest_bytes = 1

    def paint_cell(self, painter: QPainter, rect: QRect, row: LayerRow, column: int) -> None:
        """The words and pictures of a cell."""
        if column == _LAYER:
            command = (row.command, ("mono", "text_tertiary"))
            paint_two(painter, rect, (row.name, ("strong", "text")), command)
        elif column == _SIZE:
            self._paint_size(painter, rect, row)
        elif column == _ENCRYPTED:
            self._paint_lock(painter, rect, row)
        else:
            role = "text_secondary" if column == _RECIPIENTS else "text"
            text = {_NUMBER: str(row.index), _FROM: _ORIGINS[row.origin]}.get(column)
            paint_text(painter, rect, text or row.recipients or "None", ("body", role))

    def _paint_size(self, painter: QPainter, rect: QRect, row: LayerRow) -> None:
        bar = theme.u(14)
        painter.setFont(theme.font("body"))
        painter.setPen(theme.color("text"))
        text = rect.adjusted(0, 0, -bar - theme.u(2), 0)
        flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(text, flags, size_text(row.size_bytes))
        height = theme.u(2)
        groove = QRect(rect.right() - bar, rect.center().y() - height // 2, bar, height)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("line"))
        painter.drawRoundedRect(groove, height / 2, height / 2)
        share = max(height, bar * row.size_bytes // max(1, self.biggest_bytes))
        painter.setBrush(theme.color("text_tertiary" if row.origin == "base" else "accent"))
        painter.drawRoundedRect(
            QRect(groove.left(), groove.top(), share, height), height / 2, height / 2
        )

    @staticmethod
    def _paint_lock(painter: QPainter, rect: QRect, row: LayerRow) -> None:
        side = theme.u(4)
        role = "accent" if row.encrypted else "text_secondary"
        picture = icons.pixmap("lock" if row.encrypted else "eye", side, role)
        painter.drawPixmap(rect.left(), rect.center().y() - side // 2, picture)
        words = rect.adjusted(side + theme.u(2), 0, 0, 0)
        paint_text(painter, words, "Encrypted" if row.encrypted else "Readable", ("body", "text"))


class LayerTable(RowTable):
    """The names get the room that is left."""

    def __init__(self) -> None:
        self._painter = _Delegate()
        super().__init__(
            "Layers", self._painter, row_u=11.5, most_rows=12, stretched=_LAYER, least_u=45
        )

    def show_rows(self, rows: Sequence[LayerRow]) -> None:
        """Show layers."""
        self._painter.biggest_bytes = max((row.size_bytes for row in rows), default=1)
        self.show_model(LayerModel(rows))

    def widths(self, rows: Sequence[Any]) -> Mapping[int, int]:
        """As wide as the widest words can be."""
        metrics = theme.metrics("body")
        words = (*(row.recipients for row in rows), LayerModel.headers[_RECIPIENTS])
        wanted = max(metrics.horizontalAdvance(tr(text)) for text in words) + theme.u(6)
        return {
            _NUMBER: theme.u(10),
            _SIZE: metrics.horizontalAdvance("888.8 MB") + theme.u(20),
            _FROM: metrics.horizontalAdvance(tr("Not known")) + theme.u(6),
            _ENCRYPTED: metrics.horizontalAdvance(tr("Encrypted")) + theme.u(13),
            _RECIPIENTS: min(wanted, theme.u(_RECIPIENTS_U)),
        }
