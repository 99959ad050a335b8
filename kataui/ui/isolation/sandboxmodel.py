"""The rows of the table of sandboxes: they change in place, each second, and stay sorted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex
from PySide6.QtGui import QImage, Qt

from kataui.files import clean
from kataui.ui.isolation import heat, tips
from kataui.ui.words import tr

Index = QModelIndex | QPersistentModelIndex
NAME, SCORE, WAITS, STRIP, BECAUSE = range(5)
HEADERS = ("Sandbox", "Score", "Waits", "Last 60\u00a0seconds", "Because of")
NOBODY = "nobody"
NOT_MEASURED = "not measured"
ARROWS = ("\u00a0\N{UPWARDS ARROW}", "\u00a0\N{DOWNWARDS ARROW}")
_DASH = "\N{EN DASH}"
MARKS = {"C": "warning", "D": "fail", "E": "fail"}
_ROOT = QModelIndex()
_ASCENDING, _DESCENDING = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder
# A click on a header shows the worst first; on words, the beginning of the alphabet.
FIRST_ORDERS = (_ASCENDING, _ASCENDING, _DESCENDING, _DESCENDING, _ASCENDING)
_ORDER_WORDS = {
    NAME: ("from A to Z", "from Z to A"),
    SCORE: ("worst first", "best first"),
    WAITS: ("least first", "most first"),
    STRIP: ("least first", "most first"),
    BECAUSE: ("from A to Z", "from Z to A"),
}


@dataclass(frozen=True, slots=True, eq=False)
class SandboxRow:
    """One sandbox at one moment.

    ``grade`` is "A" to "E", or "" when it was not measured; ``score`` is 0..100. ``waits`` and
    ``strip`` (float32, shape (60,), newest last, NaN where nothing was measured) are fractions
    of CPU time; ``coverage`` is the share of the signals that were measured. ``because`` is empty
    when nobody is to blame; ``because_role`` is a role of the palette; ``formula`` tells the
    counters behind the waiting when somebody asks.
    """

    key: str
    name: str
    grade: str
    score: float | None
    waits: float | None
    strip: npt.NDArray[np.float32] = field(repr=False)
    because: str
    because_role: str
    coverage: float
    formula: Callable[[], str] | None = None


def percent(fraction: float) -> str:
    """A fraction as people read it: "31 %"."""
    return f"{fraction * 100:.0f}\u00a0%"


def waits_text(row: SandboxRow) -> str:
    """What the cell of the waiting says."""
    return _DASH if row.waits is None else percent(row.waits)


def because_text(row: SandboxRow) -> str:
    """What the cell of the culprit says."""
    return clean(row.because) if row.because else NOBODY


def texts(row: SandboxRow) -> tuple[str, str, str, str, str]:
    """What each cell says on the screen and in a copy."""
    return (
        clean(row.name),
        NOT_MEASURED if row.score is None else f"{row.grade}\u00a0{row.score:.0f}",
        waits_text(row),
        _strip_text(row.strip),
        because_text(row),
    )


def spoken(row: SandboxRow) -> tuple[str, str, str, str, str]:
    """What each cell says to who cannot see it, and in its tool tip."""
    name, _, waits, strip, because = texts(row)
    covered = f", {percent(row.coverage)} of the signals measured"
    return (
        name,
        (NOT_MEASURED if row.score is None else f"grade {row.grade}, {row.score:.0f} of 100")
        + (covered if row.coverage < 1 else ""),
        _waits_spoken(row, waits),
        f"last 60 seconds: {strip}",
        f"because of {because}",
    )


def _waits_spoken(row: SandboxRow, waits: str) -> str:
    if row.waits is None:
        return "waiting not measured"
    counters = f": wait / (run + wait) of its vCPUs; {row.formula()}" if row.formula else ""
    return f"waits {waits} of its time{counters}"


def _strip_text(strip: npt.NDArray[np.float32]) -> str:
    measured = strip[~np.isnan(strip)]
    if not measured.size:
        return NOT_MEASURED
    missing = strip.size - measured.size
    gaps = f", {missing} of {strip.size} values {NOT_MEASURED}" if missing else ""
    return f"mean {percent(measured.mean())}, at most {percent(measured.max())}{gaps}"


def _strip_mean(row: SandboxRow) -> float | None:
    measured = row.strip[~np.isnan(row.strip)]
    return float(measured.mean()) if measured.size else None


_SORT_VALUES: dict[int, Callable[[SandboxRow], Any]] = {
    NAME: lambda row: row.name.casefold(),
    SCORE: lambda row: row.score,
    WAITS: lambda row: row.waits,
    STRIP: _strip_mean,
    BECAUSE: lambda row: row.because.casefold() or None,
}


class SandboxModel(QAbstractTableModel):
    """``SandboxRow`` by key; selection and current cell follow their sandbox."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: list[SandboxRow] = []
        self._column, self._order = SCORE, _ASCENDING
        self._image: QImage | None = None

    @property
    def sorting(self) -> tuple[int, Qt.SortOrder]:
        """The column and order that the rows are sorted by."""
        return self._column, self._order

    def set_rows(self, rows: Sequence[SandboxRow]) -> None:
        """Show these sandboxes: known ones change, others come and go."""
        wanted = {row.key: row for row in rows}
        known = {row.key for row in self.rows}
        new = [row for row in wanted.values() if row.key not in known]
        if new:
            self.beginInsertRows(_ROOT, len(self.rows), len(self.rows) + len(new) - 1)
            self.rows += new
            self.endInsertRows()
        stay = [wanted[row.key] for row in self.rows if row.key in wanted]
        gone = [row for row in self.rows if row.key not in wanted]
        self._arrange([*self._sorted(stay), *gone])
        if gone:
            self.beginRemoveRows(_ROOT, len(stay), len(self.rows) - 1)
            del self.rows[len(stay) :]
            self.endRemoveRows()
        self._image = None
        if self.rows:
            last = self.index(len(self.rows) - 1, len(HEADERS) - 1)
            self.dataChanged.emit(self.index(0, 0), last)

    def sort(self, column: int, order: Qt.SortOrder = _ASCENDING) -> None:
        """Sort by a column, and keep doing so; what was not measured comes last."""
        self._column, self._order = column, order
        self._arrange(self._sorted(self.rows))
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(HEADERS) - 1)

    def _sorted(self, rows: list[SandboxRow]) -> list[SandboxRow]:
        value = _SORT_VALUES[self._column]
        by_name = sorted(rows, key=lambda row: (-(row.waits or 0), row.name.casefold(), row.key))
        valued = [(value(row), row) for row in by_name]
        measured = [pair for pair in valued if pair[0] is not None]
        # ``reverse`` keeps equals in their order
        measured.sort(key=lambda pair: pair[0], reverse=self._order is _DESCENDING)
        return [row for _, row in measured] + [row for found, row in valued if found is None]

    def _arrange(self, rows: list[SandboxRow]) -> None:
        """Put rows in another order; what points at a row goes with it."""
        before = [row.key for row in self.rows]
        after = {row.key: place for place, row in enumerate(rows)}
        if before == list(after):
            self.rows = rows
            return
        self.layoutAboutToBeChanged.emit()
        old = self.persistentIndexList()
        self.rows = rows
        self._image = None
        new = [self.index(after[before[item.row()]], item.column()) for item in old]
        self.changePersistentIndexList(old, new)
        self.layoutChanged.emit()

    def strips(self) -> QImage:
        """The heat strips of all rows, one a line of pixels; made when it is first asked for."""
        if self._image is None:
            self._image = heat.image(np.stack([row.strip for row in self.rows]))
        return self._image

    def row_of(self, key: str) -> int:
        """Where a sandbox stands, or -1."""
        return next((n for n, row in enumerate(self.rows) if row.key == key), -1)

    def text_of(self, place: int) -> str:
        """A row as text, for the clipboard."""
        return "\t".join(texts(self.rows[place]))

    def rowCount(self, parent: Index = _ROOT) -> int:
        """One a sandbox."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = _ROOT) -> int:
        """Five."""
        return 0 if parent.isValid() else len(HEADERS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> object:
        """The names of the columns; the accessible text tells the order."""
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(HEADERS):
            return None
        words = _ORDER_WORDS[section][self._order is _DESCENDING]
        told = f", sorted, {words}" if section == self._column else ""
        arrow = ARROWS[self._order is _DESCENDING] if section == self._column else ""
        return {
            Qt.ItemDataRole.DisplayRole: tr(HEADERS[section]) + arrow,
            Qt.ItemDataRole.ToolTipRole: tr(HEADERS[section] + told),
            Qt.ItemDataRole.AccessibleTextRole: tr(HEADERS[section] + told),
            Qt.ItemDataRole.InitialSortOrderRole: FIRST_ORDERS[section],
            Qt.ItemDataRole.TextAlignmentRole: _alignment(section),
        }.get(Qt.ItemDataRole(role))

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Texts; ``UserRole`` is the native value that the column is sorted by."""
        row, column = self.rows[index.row()], index.column()
        result: object = None
        match role:
            case Qt.ItemDataRole.DisplayRole:
                result = tr(texts(row)[column])
            case Qt.ItemDataRole.AccessibleTextRole:
                result = tr(spoken(row)[column])
            case Qt.ItemDataRole.ToolTipRole:
                result = tips.told(spoken(row)[column])
            case Qt.ItemDataRole.UserRole:
                result = _SORT_VALUES[column](row)
            case Qt.ItemDataRole.TextAlignmentRole:
                result = _alignment(column)
        return result


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column == WAITS else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
