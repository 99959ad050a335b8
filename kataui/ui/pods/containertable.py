"""The table of a pod's containers: what each is, its image, four checks by mark and word."""

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPainter

from kataui.ui import theme
from kataui.ui.pods.rows import Row
from kataui.ui.widgets.rowtable import (
    RowDelegate,
    RowModel,
    RowTable,
    paint_mark,
    paint_text,
    paint_two,
)
from kataui.ui.words import tr

_NAME, _IMAGE, _FIRST_CHECK = 0, 1, 2
_LEAST_NAME_U, _MOST_NAME_U = 30, 60
_AROUND_MARK_U = 4.5 + 2 + 3 + 2 + 2  # mark, gap, and the room around


class ContainerModel(RowModel):
    """One ``Row`` a container; the name's cell reads out the whole row."""

    headers = ("Container", "Image", "Pinned", "Encrypted", "Signed", "In policy")

    def texts(self, row: Row) -> tuple[str, ...]:
        """The name, the image, and the word of each check."""
        return row.name, row.image, *(cell.word for cell in row.cells)

    def tip(self, row: Row, column: int) -> str:
        """The image whole."""
        return row.whole_image if column == _IMAGE else super().tip(row, column)

    def read_out(self, row: Row, column: int) -> str:
        """The row as a sentence."""
        return row.sentence if column == _NAME else super().read_out(row, column)

    def copied(self, row: Row) -> str:
        """The row as a sentence."""
        return row.sentence


class _Delegate(RowDelegate):
    """An alert row is tinted and has an edge."""

    def paint_under(self, painter: QPainter, rect: QRect, row: Row, column: int) -> None:
        """The tint, and the edge beside the name."""
        if row.alert:
            painter.fillRect(rect, theme.color("fail.tint"))
            if column == _NAME:
                edge = QRect(rect.left(), rect.top(), 3, rect.height())
                painter.fillRect(edge, theme.color("fail.text"))

    def paint_cell(self, painter: QPainter, rect: QRect, row: Row, column: int) -> None:
        """Two lines for the container, the image in mono, a mark before each check's word."""
        if column == _NAME:
            inner = rect.adjusted(theme.u(1), 0, 0, 0)  # off the edge
            kind = "fail.text" if row.alert else "text_tertiary"
            paint_two(painter, inner, (row.name, ("strong", "text")), (row.kind, ("note", kind)))
        elif column == _IMAGE:
            paint_text(painter, rect, row.image, ("mono", "text"), Qt.TextElideMode.ElideMiddle)
        else:
            cell = row.cells[column - _FIRST_CHECK]
            ground = "fail.tint" if row.alert else "surface"
            paint_mark(painter, rect, cell.mark, cell.word, ground)


class ContainerTable(RowTable):
    """The images get the room that is left."""

    def __init__(self) -> None:
        super().__init__(
            "Containers", _Delegate(), row_u=12.5, most_rows=10, stretched=_IMAGE, least_u=45
        )

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show containers."""
        self.show_model(ContainerModel(rows))

    def widths(self, rows: Sequence[Any]) -> Mapping[int, int]:
        """As wide as the words and their marks."""
        strong, body = theme.metrics("strong"), theme.metrics("body")
        names = [strong.horizontalAdvance(tr(row.name)) for row in rows]
        names += [theme.metrics("note").horizontalAdvance(tr(row.kind)) for row in rows]
        widest = max([theme.u(_LEAST_NAME_U), *names]) + theme.u(6)
        found = {_NAME: min(widest, theme.u(_MOST_NAME_U))}
        for column, header in enumerate(ContainerModel.headers[_FIRST_CHECK:], _FIRST_CHECK):
            words = (row.cells[column - _FIRST_CHECK].word for row in rows)
            wanted = max((body.horizontalAdvance(tr(word)) for word in words), default=0)
            least = strong.horizontalAdvance(tr(header)) + theme.u(6)
            found[column] = max(least, wanted + theme.u(_AROUND_MARK_U))
        return found
