"""Code with a gutter: numbers, marks, tinted lines. Colours are put on when a line is seen."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextBlock,
    QTextCharFormat,
    QTextCursor,
    QTextLayout,
)
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QToolTip, QWidget

from kataui.ui import icons, theme
from kataui.ui.widgets.codecolours import begins_block, block_indent, indentation, spans
from kataui.ui.widgets.linediff import LineEdit, line_edits
from kataui.ui.words import plain, tr

_BAR_PX = 3
_MANY_EDITS = 600  # from here on a whole new text is quicker


@dataclass(frozen=True, slots=True)
class LineLook:
    """What a line has beside its text.

    ``tint`` and ``bar`` are colours of the palette's "code" or a verdict's ("fail.tint"). ``mark``
    is a severity, ``says`` its tool tip; ``number`` stands in the gutter instead of the line's
    own; ``aside`` is written at the right end; ``words`` are (begin, length) to underline.
    """

    tint: str = ""
    bar: str = ""
    mark: str = ""
    says: str = ""
    number: str | None = None
    aside: str = ""
    words: tuple[tuple[int, int], ...] = ()


_PLAIN = LineLook()


def code_color(role: str) -> QColor:
    """A colour of the palette's "code", or one that ``theme.color`` knows."""
    value = theme.colors()["code"].get(role)
    return QColor(value) if value else theme.color(role)


class _Gutter(QWidget):
    """At the left of the text; the pane paints it."""

    def __init__(self, pane: "CodePane") -> None:
        super().__init__(pane)
        self._pane = pane

    def sizeHint(self) -> QSize:
        """As wide as the widest number and a mark."""
        return QSize(self._pane.gutter_width(), 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint what belongs to the lines that are seen."""
        painter = QPainter(self)
        self._pane.paint_gutter(painter, event.rect())
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click on a line's number or mark asks for what belongs to it."""
        line = self._pane.line_at(round(event.position().y()))
        if line:
            self._pane.asked.emit(line)

    def event(self, event: QEvent) -> bool:
        """A mark says what it means."""
        if event.type() is QEvent.Type.ToolTip:
            place = self.mapFromGlobal(self.cursor().pos())
            says = self._pane.look_of(self._pane.line_at(place.y())).says
            QToolTip.showText(self.cursor().pos(), tr(says), self)
            return True
        return super().event(event)


class CodePane(QPlainTextEdit):
    """Read-only. Lines count from 1; ``asked`` gives the line that was clicked or entered."""

    asked = Signal(int)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # code is
        self._language = "text"
        self._lines: list[str] = [""]
        self._looks: Mapping[int, LineLook] = {}
        self._numbers = True
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setTabChangesFocus(True)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setProperty("look", "codeview")
        self.setProperty("textStyle", "mono")
        self.setAccessibleName(tr(name))
        self._gutter = _Gutter(self)
        self.updateRequest.connect(self._on_update)
        self.blockCountChanged.connect(self._fit)
        theme.state().changed.connect(self._on_theme)
        self._on_theme()

    @property
    def lines(self) -> list[str]:
        """The text, line by line."""
        return self._lines

    def show_text(self, text: str, language: str) -> None:
        """Show a text; only the lines that differ from what is shown are touched."""
        new = text.split("\n")
        if language != self._language or new != self._lines:
            edits = line_edits(self._lines, new)
            if len(edits) > _MANY_EDITS or len(self._lines) == 1:
                self.setPlainText(plain(text))
            else:
                self._edit(edits)
            self._lines, self._language = new, language
            self.viewport().update()

    def retell(self) -> None:
        """Show the same text as it may be shown now."""
        self.setPlainText(plain("\n".join(self._lines)))

    def show_looks(self, looks: Mapping[int, LineLook]) -> None:
        """Say what the lines have beside their text."""
        self._looks = looks
        self._fit()
        self.viewport().update()
        self._gutter.update()

    def look_of(self, line: int) -> LineLook:
        """What a line has beside its text."""
        return self._looks.get(line, _PLAIN)

    def go_to(self, line: int) -> None:
        """Put the cursor into a line, and show it in the middle."""
        block = self.document().findBlockByNumber(max(0, min(line, len(self._lines)) - 1))
        self.setTextCursor(QTextCursor(block))
        self.centerCursor()

    def bring_into_view(self, line: int) -> None:
        """Scroll so that a line is seen, if it is not; the cursor stays."""
        first = self.firstVisibleBlock().blockNumber() + 1
        room = max(1, self.viewport().height() // max(1, self.fontMetrics().lineSpacing()) - 1)
        if not first <= line < first + room:
            self.verticalScrollBar().setValue(max(0, line - 1 - room // 3))

    @property
    def line(self) -> int:
        """The line of the cursor."""
        return self.textCursor().blockNumber() + 1

    def _edit(self, edits: list[LineEdit]) -> None:
        """Replace lines, the last first: so the numbers of the others stay right."""
        kept = self.verticalScrollBar().value()
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        for edit in reversed(edits):
            self._replace(cursor, edit)
        cursor.endEditBlock()
        self.verticalScrollBar().setValue(kept)

    def _replace(self, cursor: QTextCursor, edit: LineEdit) -> None:
        document = self.document()
        text = plain("\n".join(edit.lines))
        last = edit.end >= document.blockCount()
        begin = document.findBlockByNumber(edit.begin)
        keep = QTextCursor.MoveMode.KeepAnchor
        if edit.begin >= document.blockCount():  # after the last line
            cursor.movePosition(QTextCursor.MoveOperation.End)
            cursor.insertText(f"\n{text}")
        elif edit.begin == edit.end:
            cursor.setPosition(begin.position())
            cursor.insertText(f"{text}\n")
        elif edit.lines or (last and not edit.begin):
            final = document.findBlockByNumber(edit.end - 1)
            cursor.setPosition(begin.position())
            cursor.setPosition(final.position() + final.length() - 1, keep)
            cursor.insertText(text)
        else:
            end = document.characterCount() - 1
            if not last:
                end = document.findBlockByNumber(edit.end).position()
            cursor.setPosition(begin.position() - (1 if last else 0))
            cursor.setPosition(end, keep)
            cursor.removeSelectedText()

    def gutter_width(self) -> int:
        """In pixels: a bar, a mark, the widest number, a gap."""
        widest = str(len(self._lines))
        for look in self._looks.values():
            if look.number is not None and len(look.number) > len(widest):
                widest = look.number
        digits = self.fontMetrics().horizontalAdvance(widest.replace("\u2007", "0"))
        return theme.u(7) + digits + theme.u(3)

    def _fit(self) -> None:
        width = self.gutter_width()
        self.setViewportMargins(width, 0, 0, 0)
        inside = self.contentsRect()
        self._gutter.setGeometry(QRect(inside.left(), inside.top(), width, inside.height()))

    def _on_theme(self) -> None:
        self.setFont(theme.font("mono"))
        self._fit()
        self._gutter.update()

    def _on_update(self, rect: QRect, dy: int) -> None:
        if dy:
            self._gutter.scroll(0, dy)
        self._gutter.update(0, rect.y(), self._gutter.width(), rect.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The gutter is as high as the text."""
        super().resizeEvent(event)
        self._fit()

    def _seen(self) -> Iterator[tuple[int, QTextBlock, QRect]]:
        """(line, block, its rectangle in the viewport) of the lines that are seen."""
        block = self.firstVisibleBlock()
        bottom, width = self.viewport().height(), self.viewport().width()
        while block.isValid():
            place = self.blockBoundingGeometry(block).translated(self.contentOffset())
            if place.top() > bottom:
                return
            yield (
                block.blockNumber() + 1,
                block,
                QRect(0, round(place.top()), width, round(place.height())),
            )
            block = block.next()

    def line_at(self, y: int) -> int:
        """The line at a height of the viewport, or 0 below the last."""
        return next((line for line, _, rect in self._seen() if rect.top() <= y <= rect.bottom()), 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Tints below the text, words at the right end above it."""
        seen = list(self._seen())
        self._colour(seen)
        painter = QPainter(self.viewport())
        for line, _, rect in seen:
            if tint := self.look_of(line).tint:
                painter.fillRect(rect, code_color(tint))
        painter.end()
        super().paintEvent(event)
        painter = QPainter(self.viewport())
        painter.setFont(theme.font("tick"))
        for line, block, rect in seen:
            look = self.look_of(line)
            if look.aside:
                self._paint_aside(painter, look, block, rect)
        painter.end()

    def _paint_aside(
        self, painter: QPainter, look: LineLook, block: QTextBlock, rect: QRect
    ) -> None:
        room = rect.adjusted(0, 0, -theme.u(3), 0)
        text_end = self.fontMetrics().horizontalAdvance(block.text()) + theme.u(4)
        words = painter.fontMetrics().elidedText(
            tr(look.aside), Qt.TextElideMode.ElideRight, max(0, room.width() - text_end)
        )
        painter.setPen(theme.color("warning.text"))
        flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(room, flags, words)

    def _colour(self, seen: list[tuple[int, QTextBlock, QRect]]) -> None:
        """Give the lines that are seen their colours, unless they have them."""
        if not seen:
            return
        yaml = self._language == "yaml"
        holder = block_indent(self._lines, seen[0][0] - 1) if yaml else -1
        for line, block, _ in seen:
            text = block.text()
            blank = not text.strip()
            if holder >= 0 and not blank and indentation(text) <= holder:
                holder = -1
            inside = holder >= 0
            words = self.look_of(line).words
            state = hash((text, inside, words, theme.name(), self._language)) & 0x7FFFFFFF
            if block.userState() != state:
                block.setUserState(state)
                self._put_on(block, text, words, inside=inside)
            if yaml and not inside and begins_block(text):
                holder = indentation(text)

    def _put_on(
        self, block: QTextBlock, text: str, words: tuple[tuple[int, int], ...], *, inside: bool
    ) -> None:
        ranges = []
        for begin, length, role in spans(self._language, text, inside=inside):
            shape = QTextCharFormat()
            shape.setForeground(code_color(role))
            ranges.append(_range(begin, length, shape))
        for begin, length in words:
            shape = QTextCharFormat()
            shape.setFontUnderline(True)
            ranges.append(_range(begin, length, shape))
        block.layout().setFormats(ranges)

    def paint_gutter(self, painter: QPainter, rect: QRect) -> None:
        """Tints, bars, numbers and marks of the lines in ``rect``."""
        painter.fillRect(rect, theme.color("surface"))
        painter.setFont(theme.font("tick"))
        width, side = self._gutter.width(), theme.u(3.5)
        flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for line, _, place in self._seen():
            look = self.look_of(line)
            strip = QRect(0, place.top(), width, place.height())
            if look.tint:
                painter.fillRect(strip, code_color(look.tint))
            if look.bar:
                bar = QRect(0, place.top(), _BAR_PX, place.height())
                painter.fillRect(bar, code_color(look.bar))
            if look.mark:
                y = place.top() + (place.height() - side) // 2
                painter.drawPixmap(theme.u(1.5), y, icons.mark(look.mark, side))
            painter.setPen(theme.color("text_tertiary"))
            number = str(line) if look.number is None else look.number
            painter.drawText(strip.adjusted(0, 0, -theme.u(3), 0), flags, number)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter asks for what belongs to the line of the cursor."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.asked.emit(self.line)
            return
        super().keyPressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """A double click asks, too; it chooses the word as everywhere."""
        super().mouseDoubleClickEvent(event)
        self.asked.emit(self.line)


def _range(begin: int, length: int, shape: QTextCharFormat) -> QTextLayout.FormatRange:
    found = QTextLayout.FormatRange()
    found.start, found.length, found.format = begin, length, shape
    return found
