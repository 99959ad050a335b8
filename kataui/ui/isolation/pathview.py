"""A path drawn as a path: hops in boxes, arrows as thick as what flows."""

import math
from collections.abc import Sequence

from PySide6.QtCore import QMargins, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QFont,
    QFontMetrics,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from kataui.files import clean
from kataui.isolation.paths import DataPath, PathFlow, PathHop
from kataui.ui import icons, theme
from kataui.ui.isolation import tips
from kataui.ui.isolation.heads import Head, VerdictChip
from kataui.ui.widgets.banner import WORDS
from kataui.ui.widgets.card import Card
from kataui.ui.widgets.graphpainter import graph_painter
from kataui.ui.words import tr

_PAD_U, _ICON_U, _MARK_U, _ROWS_U = 3.0, 4.2, 3.8, 4.0
_LEAST_U, _MOST_U, _ARROW_U, _DOWN_U = 30.0, 66.0, 18.0, 9.0
_THIN_PX, _THICK_PX = 1.0, 5.0
_RADIUS_PX = 6
RING_PX = 5  # room for the focus ring around the hops
_WORDS = {**WORDS, "warning": "Warning"}


class HopBox(QWidget):
    """One hop: name, where, two facts, a mark with a word. Its accessible name is a sentence."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._hop = PathHop("", "", ("", ""), "", "", "cpu")
        self._mark = ""
        self._wanted_px = 0  # 0: to be measured
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def show_hop(self, hop: PathHop, mark: str, sentence: str) -> None:
        """Show a hop with the mark that it gets on the screen."""
        if sentence != self.accessibleName():
            self.setAccessibleName(tr(sentence))
            self.setToolTip(tips.told(sentence))
        if (hop, mark) != (self._hop, self._mark):
            self._hop, self._mark = hop, mark
            self.measure_again()
            self.update()

    def measure_again(self) -> None:
        """The text or its size has changed."""
        self._wanted_px = 0

    def lines(self) -> list[str]:
        """The facts that there are."""
        return [clean(fact) for fact in self._hop.facts if fact]

    def wanted_px(self) -> int:
        """As wide as the longest of its lines."""
        if not self._wanted_px:
            self._wanted_px = self._measured_px()
        return self._wanted_px

    def _measured_px(self) -> int:
        strong, note = (theme.metrics(style) for style in ("strong", "note"))
        bold = theme.metrics("note", bold=True)
        wide = [
            strong.horizontalAdvance(tr(clean(self._hop.name))) + theme.u(_ICON_U + 1.5),
            bold.horizontalAdvance(tr(clean(self._hop.word))) + theme.u(_MARK_U + 1.5),
            *(note.horizontalAdvance(tr(text)) for text in (clean(self._hop.where), *self.lines())),
        ]
        return max(wide) + theme.u(2 * _PAD_U) + 2

    def wanted_height(self) -> int:
        """Name, where, a hairline, facts, and the mark's line."""
        rows = len(self.lines()) + bool(self._hop.word)
        return theme.u(2 * _PAD_U) + self._head_px() + theme.u(3) + rows * _line_px()

    @staticmethod
    def _head_px() -> int:
        return theme.metrics("strong").height() + _line_px()

    def paintEvent(self, _: QPaintEvent) -> None:
        """Only the tight hop has colour."""
        painter = graph_painter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tight = self._mark == "fail"
        edge = "fail.mark" if tight else "line"
        painter.setPen(QPen(theme.color(edge), 2 if tight else 1))
        painter.setBrush(theme.color("fail.tint" if tight else "sunken"))
        inset = 1.0 if tight else 0.5
        box = QRectF(self.rect()).adjusted(inset, inset, -inset, -inset)
        painter.drawRoundedRect(box, _RADIUS_PX, _RADIUS_PX)
        pad = theme.u(_PAD_U)
        room = self.rect().adjusted(pad, pad, -pad, -pad)
        top = self._paint_head(painter, room, tight=tight)
        painter.setPen(QPen(theme.color("fail.line" if tight else "line"), 1))
        painter.drawLine(room.left(), top + theme.u(1.5), room.right(), top + theme.u(1.5))
        top += theme.u(3)
        for text in self.lines():
            place = QRect(room.left(), top, room.width(), _line_px())
            _draw(painter, place, text, theme.font("note"), "text_secondary")
            top += _line_px()
        if self._hop.word:
            self._paint_word(painter, QRect(room.left(), top, room.width(), _line_px()))
        painter.end()

    def _paint_head(self, painter: QPainter, room: QRect, *, tight: bool) -> int:
        """Icon, name and where; gives where that ends."""
        side, high = theme.u(_ICON_U), theme.metrics("strong").height()
        role = "fail.mark" if tight else "text_secondary"
        picture = icons.pixmap(self._hop.icon, side, role)
        painter.drawPixmap(room.left(), room.top() + (high - side) // 2, picture)
        place = QRect(room.left(), room.top(), room.width(), high)
        place.setLeft(room.left() + side + theme.u(1.5))
        _draw(painter, place, clean(self._hop.name), theme.font("strong"), "text")
        place = QRect(room.left(), room.top() + high, room.width(), _line_px())
        _draw(painter, place, clean(self._hop.where), theme.font("note"), "text_secondary")
        return room.top() + self._head_px()

    def _paint_word(self, painter: QPainter, place: QRect) -> None:
        left = place.left()
        if self._mark:
            side = theme.u(_MARK_U)
            ground = "fail.tint" if self._mark == "fail" else "sunken"
            top = place.top() + (place.height() - side) // 2
            painter.drawPixmap(left, top, icons.mark(self._mark, side, ground))
            left += side + theme.u(1.5)
        place.setLeft(left)
        _draw(painter, place, clean(self._hop.word), theme.font("note", bold=True), "text")


class PathView(QWidget):
    """Hops from left to right, in as many rows as they need; a row goes on with an arrow.

    Tab goes from hop to hop, each told as a sentence. At most one hop is red: the first that
    fails; what fails after it is a warning there, for it may have the same cause.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # as a packet goes
        self._boxes: list[HopBox] = []
        self._flows: tuple[PathFlow, ...] = ()
        self._arrows: list[QRect] = []
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        theme.state().changed.connect(self._on_theme)

    def show_path(self, path: DataPath) -> None:
        """Show a path; ``path.flows`` is one shorter than ``path.hops``."""
        wanted = [box.wanted_px() for box in self._boxes], self._flows
        while len(self._boxes) < len(path.hops):
            self._boxes.append(HopBox(self))
            self._boxes[-1].show()
        for spare in self._boxes[len(path.hops) :]:
            spare.hide()
            spare.deleteLater()
        del self._boxes[len(path.hops) :]
        self._flows = path.flows
        tight = next((n for n, hop in enumerate(path.hops) if hop.mark == "fail"), -1)
        for number, (box, hop) in enumerate(zip(self._boxes, path.hops, strict=True)):
            mark = "warning" if hop.mark == "fail" and number != tight else hop.mark
            box.show_hop(hop, mark, sentence(path, number))
        if ([box.wanted_px() for box in self._boxes], self._flows) != wanted:
            self._renew()

    def _on_theme(self) -> None:
        for box in self._boxes:
            box.measure_again()
        self._renew()

    def _renew(self) -> None:
        self.updateGeometry()
        self._arrange(self.width(), move=True)
        self.update()

    def _arrow_px(self) -> int:
        rate, count = theme.metrics("tick", bold=True), theme.metrics("tick")
        words = [rate.horizontalAdvance(tr(clean(flow.rate_text))) for flow in self._flows]
        words += [count.horizontalAdvance(tr(clean(flow.count_text))) for flow in self._flows]
        return max([theme.u(_ARROW_U), *(wide + theme.u(3) for wide in words)])

    def _fit(self, width: int) -> tuple[int, list[int], int]:
        """How many hops stand in a row, how wide each is, and how wide an arrow; in px.

        One in a row means that they stand one below the other.
        """
        arrow, count = self._arrow_px(), len(self._boxes)
        wanted = [max(theme.u(_LEAST_U), box.wanted_px()) for box in self._boxes]
        widest, room = max(wanted), width - (count - 1) * arrow
        if count * widest <= room:
            wide = min(room // count, max(widest, theme.u(_MOST_U)))
            arrow = (width - count * wide) // max(1, count - 1)
            return count, [wide] * count, arrow
        if sum(wanted) <= room:
            more = (room - sum(wanted)) // count
            widths = [wide + more for wide in wanted]
            return count, widths, (width - sum(widths)) // max(1, count - 1)
        in_row = max(1, width // (widest + arrow))  # later rows begin with an arrow
        in_row = -(-count // -(-count // in_row))
        if in_row == 1:
            return 1, [min(width, max(widest, theme.u(_MOST_U)))] * count, arrow
        wide = min((width - in_row * arrow) // in_row, max(widest, theme.u(_MOST_U)))
        return in_row, [wide] * count, (width - in_row * wide) // in_row

    def _arrange(self, width: int, *, move: bool) -> int:
        """Lay the hops out in a width; gives the height. Without ``move`` nothing changes."""
        if not self._boxes:
            return 0
        in_row, widths, arrow = self._fit(width - 2 * RING_PX)
        high = max(box.wanted_height() for box in self._boxes)
        gap = theme.u(_DOWN_U if in_row == 1 else _ROWS_U)
        if move:
            self._arrows = []
            left = RING_PX
            for number, (box, wide) in enumerate(zip(self._boxes, widths, strict=True)):
                row, column = divmod(number, in_row)
                top = RING_PX + row * (high + gap)
                if in_row == 1:
                    self._arrows.append(QRect(RING_PX, top - gap, wide, gap))
                else:
                    left = left if column else RING_PX + (arrow if row else 0)
                    self._arrows.append(QRect(left - arrow, top, arrow, high))
                box.setGeometry(left, top, wide, high)
                left += wide + arrow if in_row > 1 else 0
            del self._arrows[0]
        rows = -(-len(self._boxes) // in_row)
        return rows * high + (rows - 1) * gap + 2 * RING_PX

    def heightForWidth(self, width: int) -> int:
        """As many rows as the hops need."""
        return self._arrange(width, move=False)

    def sizeHint(self) -> QSize:
        """One row, where there is room."""
        width = self.width() if self.testAttribute(Qt.WidgetAttribute.WA_Resized) else theme.u(200)
        return QSize(theme.u(200), self._arrange(width, move=False))

    def minimumSizeHint(self) -> QSize:
        """One hop; arrows go down then."""
        return QSize(theme.u(_LEAST_U) + 2 * RING_PX, self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Rows break where the width ends."""
        super().resizeEvent(event)
        self._arrange(self.width(), move=True)
        self.updateGeometry()

    def paintEvent(self, _: QPaintEvent) -> None:
        """The arrows; the hops paint themselves."""
        painter = graph_painter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for place, flow, thick in zip(
            self._arrows, self._flows, thickness(self._flows), strict=False
        ):
            self._paint_arrow(painter, place, flow, thick)
        painter.end()

    def _paint_arrow(self, painter: QPainter, place: QRect, flow: PathFlow, thick: float) -> None:
        unknown = math.isnan(flow.bytes_a_second)
        half = max(theme.u(1.25), thick)
        high = theme.metrics("tick").height()
        role = "text_tertiary" if unknown else "text"
        font = theme.font("tick") if unknown else theme.font("tick", bold=True)
        rate, count = clean(flow.rate_text), clean(flow.count_text)
        if place.height() < place.width() and place.height() == theme.u(_DOWN_U):
            x, inset = place.left() + theme.u(5) + 0.5, theme.u(0.75)
            ends = QPointF(x, place.top() + inset), QPointF(x, place.bottom() - inset)
            _arrow(painter, ends, thick, half, dashed=unknown)
            words = ", ".join(text for text in (rate, count) if text)
            beside = place.adjusted(theme.u(9), 0, 0, 0)
            _draw(painter, beside, words, font, role)
            return
        middle = place.center().y() + 0.5
        ends = (
            QPointF(place.left() + theme.u(1.5), middle),
            QPointF(place.right() - theme.u(1), middle),
        )
        _arrow(painter, ends, thick, half, dashed=unknown)
        gap = round(half) + theme.u(0.5)
        above = QRect(place.left(), round(middle) - gap - high, place.width(), high)
        below = QRect(place.left(), round(middle) + gap, place.width(), high)
        center = Qt.AlignmentFlag.AlignHCenter
        _draw(painter, above, rate, font, role, align=center)
        _draw(painter, below, count, theme.font("tick"), "text_tertiary", align=center)


class PathCard(Card):
    """A path in a card: what it is, a chip that says where it is tight, and the path."""

    def __init__(self) -> None:
        self._chip = VerdictChip()
        super().__init__()
        self._head = Head("", "", self._chip)
        self.view = PathView()
        self._head.setContentsMargins(RING_PX, 0, RING_PX, 0)
        outer = self.layout()
        if outer is not None:
            outer.setContentsMargins(
                outer.contentsMargins() - QMargins(RING_PX, 0, RING_PX, RING_PX)
            )
        self.body.setSpacing(theme.u(1))
        self.body.addWidget(self._head)
        self.body.addWidget(self.view)

    def show_path(self, path: DataPath) -> None:
        """Show this path."""
        self._head.title.setText(path.title)
        self._head.note.setText(path.note)
        self.setAccessibleName(tr(f"{path.title}: {tight_words(path)}"))
        verdict = "fail" if path.tight else "pass"
        if verdict == "pass" and all(hop.mark in {"unknown", ""} for hop in path.hops):
            verdict = "unknown"
        self._chip.show_verdict(verdict, tight_words(path))
        self.view.show_path(path)


def tight_words(path: DataPath) -> str:
    """Where the path is tight, in at most three words."""
    if path.tight:
        return f"Tight at {clean(path.tight)}"
    if all(hop.mark in {"unknown", ""} for hop in path.hops):
        return "Not measured"
    return "Nothing tight"


def sentence(path: DataPath, number: int) -> str:
    """A hop as it is told: which of how many, what and where, its facts, its mark, what goes on."""
    hop = path.hops[number]
    parts = [f"{path.title}, hop {number + 1} of {len(path.hops)}: {hop.name}, {hop.where}"]
    parts += [", ".join(fact for fact in hop.facts if fact)]
    verdict = _WORDS.get(hop.mark, "")
    parts += [f"{verdict}: {hop.word}" if verdict and hop.word else hop.word]
    if number < len(path.flows):
        flow = path.flows[number]
        rate = ", ".join(text for text in (flow.rate_text, flow.count_text) if text)
        parts.append(f"to {path.hops[number + 1].name}: {rate}")
    return clean(". ".join(part for part in parts if part) + ".", limit=600)


def thickness(flows: Sequence[PathFlow]) -> list[float]:
    """The arrows' strokes in px: linear in the rate, the largest of this path the thickest."""
    rates = [0.0 if math.isnan(flow.bytes_a_second) else flow.bytes_a_second for flow in flows]
    most = max([1.0, *rates])
    return [_THIN_PX + (_THICK_PX - _THIN_PX) * rate / most for rate in rates]


def _arrow(
    painter: QPainter, ends: tuple[QPointF, QPointF], thick: float, half: float, *, dashed: bool
) -> None:
    """An arrow straight to the right or down; ``half`` of its head's width in px."""
    begin, tip = ends
    along = QPointF(1, 0) if tip.x() > begin.x() else QPointF(0, 1)
    across = QPointF(along.y(), along.x())
    pen = QPen(theme.color("text_tertiary"), thick)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    if dashed:
        pen.setDashPattern([4, 3])
    painter.setPen(pen)
    painter.drawLine(begin, tip - along * (1.6 * half))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color("text_tertiary"))
    back = tip - along * (2 * half)
    painter.drawPolygon(QPolygonF([back - across * half, tip, back + across * half]))


def _line_px() -> int:
    return theme.metrics("note").height() + theme.u(1)


def _draw(
    painter: QPainter,
    place: QRect,
    text: str,
    font: QFont,
    role: str,
    *,
    align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
) -> None:
    """One line of text, elided where it does not fit; the tool tip has it whole."""
    painter.setFont(font)
    painter.setPen(theme.color(role))
    shown = QFontMetrics(font).elidedText(tr(text), Qt.TextElideMode.ElideRight, place.width())
    painter.drawText(place, align | Qt.AlignmentFlag.AlignVCenter, shown)
