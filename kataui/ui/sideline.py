"""A line of the sidebar: what it shows, and how it is painted."""

from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from kataui.ui import icons, theme
from kataui.ui.words import tr

KEY = Qt.ItemDataRole.UserRole
ENTRY = Qt.ItemDataRole.UserRole + 1
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: ``icon`` for a tab, ``mark`` for something open; ``last`` stands at the bottom."""

    title: str
    icon: str = ""
    mark: str = ""
    last: bool = False


class _Lines(Protocol):
    """What the list of lines tells."""

    is_rail: bool

    @property
    def shows_focus(self) -> bool:
        """Whether a ring shows where the focus is."""

    def gap(self, index: Index) -> int:
        """The pixels that stay free above a line."""

    def line_height(self, index: Index) -> int:
        """A line's height in pixels, with what stays free."""

    def viewport(self) -> QWidget:
        """Where the lines are painted."""


class LineDelegate(QStyledItemDelegate):
    """Paints a line: accent bar and tint when chosen, the icon or the verdict's mark."""

    def __init__(self, tree: _Lines) -> None:
        super().__init__()
        self._tree = tree

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Tabs are a little higher than what is open in them."""
        del option
        return QSize(theme.u(10), self._tree.line_height(index))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint one line."""
        entry: Entry | None = index.data(ENTRY)
        if entry is None:
            return
        rect = QRect(option.rect).adjusted(0, self._tree.gap(index), 0, 0)
        rect.setWidth(self._tree.viewport().width())  # a column may be wider than the rail
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if chosen or hovered:
            self._paint_ground(painter, rect, chosen=chosen)
        if chosen and self._tree.shows_focus:
            painter.setPen(QPen(theme.color("focus"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(rect.adjusted(theme.u(2), 2, -theme.u(2), -2), 6, 6)
        if entry.icon:
            role = "accent" if chosen else "text_secondary"
            side = theme.u(4.5)
            left = (rect.width() - side) // 2 if self._tree.is_rail else theme.u(4)
            picture = icons.pixmap(entry.icon, side, role)
            _draw(painter, rect, left, picture)
        if self._tree.is_rail:
            self._paint_small(painter, rect, entry)
        else:
            right = rect.right() - theme.u(3)
            right = self._paint_end(painter, entry, rect, right, closing=hovered and not entry.icon)
            self._paint_words(painter, rect, right, entry, chosen=chosen)
        painter.restore()

    @staticmethod
    def _paint_ground(painter: QPainter, rect: QRect, *, chosen: bool) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("selected" if chosen else "hover"))
        painter.drawRoundedRect(rect.adjusted(theme.u(2), 1, -theme.u(2), -1), 6, 6)
        if chosen:
            painter.setBrush(theme.color("accent"))
            high = rect.height() - theme.u(3)
            bar = QRect(theme.u(0.75), rect.top() + theme.u(1.5), 3, high)
            painter.drawRoundedRect(QRectF(_sided(painter, rect, bar)), 1.5, 1.5)

    def _paint_small(self, painter: QPainter, rect: QRect, entry: Entry) -> None:
        """In the rail, something open is its mark, or a dot; the tool tip has its name."""
        if entry.mark:
            self._paint_mark(painter, entry, (rect.width() - theme.u(4)) // 2, rect)
        elif not entry.icon:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("text_tertiary"))
            painter.drawEllipse(QPointF(rect.center()), theme.u(1), theme.u(1))

    @staticmethod
    def _paint_mark(painter: QPainter, entry: Entry, x: int, rect: QRect) -> None:
        _draw(painter, rect, x, icons.mark(entry.mark, theme.u(4), "sidebar"))

    def _paint_end(
        self, painter: QPainter, entry: Entry, rect: QRect, right: int, *, closing: bool
    ) -> int:
        """The mark, or the cross that closes; gives where the words must end."""
        side = theme.u(4)
        if closing:
            _draw(painter, rect, right - side, icons.pixmap("x", side))
        elif entry.mark:
            self._paint_mark(painter, entry, right - side, rect)
        return right - (side + theme.u(2) if closing or entry.mark else 0)

    @staticmethod
    def _paint_words(
        painter: QPainter, rect: QRect, right: int, entry: Entry, *, chosen: bool
    ) -> None:
        left = theme.u(11)
        painter.setFont(theme.font("strong" if entry.icon or chosen else "body"))
        painter.setPen(theme.color("text" if entry.icon or chosen else "text_secondary"))
        text = painter.fontMetrics().elidedText(
            tr(entry.title), Qt.TextElideMode.ElideMiddle, right - left
        )
        place = QRect(left, rect.top(), right - left, rect.height())
        painter.drawText(_sided(painter, rect, place), Qt.AlignmentFlag.AlignVCenter, text)


def _sided(painter: QPainter, line: QRect, place: QRect) -> QRect:
    """Where a place of a line is, seen from where the language begins to read."""
    return QStyle.visualRect(painter.layoutDirection(), line, place)


def _draw(painter: QPainter, line: QRect, x: int, picture: QPixmap) -> None:
    """Draw a picture in the middle of the line's height."""
    side = round(picture.width() / picture.devicePixelRatio())
    place = QRect(x, line.center().y() - side // 2, side, side)
    painter.drawPixmap(_sided(painter, line, place), picture)
