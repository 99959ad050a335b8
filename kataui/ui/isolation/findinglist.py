"""The list of findings: a mark, what was found, and where, in two lines each."""

import re
from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from kataui.files import clean
from kataui.findings import Finding
from kataui.ui import icons, theme
from kataui.ui.words import tr

WORDS = {"error": "Fail", "warning": "Warning", "info": "Note", "unknown": "Could not check"}
_FINDING = Qt.ItemDataRole.UserRole
_PAD_U, _MARK_U, _BAR_PX = 2.0, 4.5, 3
_WRAP = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignTop
_MOST_LINES = 3
_LONG_ID = re.compile(r"([0-9a-f]{8})[0-9a-f-]{16,}")


def kind_of(finding: Finding) -> str:
    """Its mark: what could not be checked has one of its own."""
    return finding.severity.value if finding.checked else "unknown"


class _Delegate(QStyledItemDelegate):
    """Message in the strong font, the subject below it."""

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Paint one finding."""
        finding: Finding = index.data(_FINDING)
        rect: QRect = option.rect
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen:
            painter.fillRect(rect, theme.color("selected"))
            painter.fillRect(rect.left(), rect.top(), _BAR_PX, rect.height(), theme.color("accent"))
        painter.fillRect(rect.left(), rect.bottom(), rect.width(), 1, theme.color("line_faint"))
        pad, side = theme.u(_PAD_U), theme.u(_MARK_U)
        mark = icons.mark(kind_of(finding), side, "selected" if chosen else "surface")
        painter.drawPixmap(rect.left() + pad, rect.top() + pad, mark)
        inner = rect.adjusted(2 * pad + side, pad, -pad, 0)
        title = self._title_height(finding, inner.width())
        painter.setFont(theme.font("strong"))
        painter.setPen(theme.color("text"))
        painter.drawText(
            QRect(inner.topLeft(), QSize(inner.width(), title)), _WRAP, tr(_title(finding))
        )
        note = theme.font("note")
        painter.setFont(note)
        painter.setPen(theme.color("text_secondary"))
        metrics = QFontMetrics(note)
        below = QRect(inner.left(), inner.top() + title, inner.width(), metrics.height())
        subject = metrics.elidedText(
            tr(clean(finding.subject)), Qt.TextElideMode.ElideMiddle, below.width()
        )
        painter.drawText(below, Qt.AlignmentFlag.AlignVCenter, subject)

    @staticmethod
    def _title_height(finding: Finding, width: int) -> int:
        metrics = theme.metrics("strong")
        most = _MOST_LINES * metrics.lineSpacing()
        needed = metrics.boundingRect(QRect(0, 0, max(1, width), 10_000), _WRAP, _title(finding))
        return min(most, needed.height())

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """As high as its words at the width of the list."""
        view = option.widget
        room = view.viewport().width() if isinstance(view, QListWidget) else theme.u(60)
        pad = theme.u(_PAD_U)
        title = self._title_height(index.data(_FINDING), room - 3 * pad - theme.u(_MARK_U))
        return QSize(room, title + theme.metrics("note").height() + 2 * pad)


def _title(finding: Finding) -> str:
    """The message; the ids in it are shortened, for they cannot be broken into lines."""
    return _LONG_ID.sub(r"\1…", clean(finding.message, limit=300))


class FindingPicker(QListWidget):
    """One finding is chosen; Enter and arrows work as in every list."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(tr("Findings"))
        self.setItemDelegate(_Delegate(self))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        theme.state().changed.connect(self.scheduleDelayedItemsLayout)

    def show_findings(self, findings: Sequence[Finding]) -> None:
        """Replace the list."""
        self.clear()
        for finding in findings:
            item = QListWidgetItem()
            item.setData(_FINDING, finding)
            told = f"{WORDS[kind_of(finding)]}: {_title(finding)} {clean(finding.subject)}"
            item.setData(Qt.ItemDataRole.AccessibleTextRole, told.strip())
            item.setToolTip(tr(clean(f"{finding.subject}: {finding.message}", limit=400)))
            self.addItem(item)
        self.updateGeometry()

    @property
    def findings(self) -> list[Finding]:
        """The findings in the list."""
        return [self.item(number).data(_FINDING) for number in range(self.count())]

    @property
    def chosen(self) -> Finding | None:
        """The one that is chosen."""
        item: QListWidgetItem | None = self.currentItem()  # the stubs forget the None
        found: Finding | None = item.data(_FINDING) if item is not None else None
        return found

    def sizeHint(self) -> QSize:
        """As high as its findings."""
        high = sum(self.sizeHintForRow(number) for number in range(self.count()))
        return QSize(theme.u(70), max(theme.u(10), high) + 2 * self.frameWidth())

    def minimumSizeHint(self) -> QSize:
        """A few of them."""
        return QSize(theme.u(40), theme.u(25))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width breaks the lines elsewhere."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.scheduleDelayedItemsLayout()
            self.updateGeometry()
