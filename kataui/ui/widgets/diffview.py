"""Two texts compared: side by side where there is room, else one under the other."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from kataui.files import count_text
from kataui.ui import theme
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import hairline, row
from kataui.ui.widgets.codepane import CodePane, LineLook
from kataui.ui.widgets.linediff import Row, rows
from kataui.ui.widgets.text import label
from kataui.ui.words import tr

_SIDE_BY_SIDE_U = 250  # narrower than this, one under the other


class DiffView(QWidget):
    """``show_diff`` compares; F7 and Shift+F7 go from change to change.

    ``taken`` gives the number of the change that the user takes, when ``verb`` names that act.
    """

    taken = Signal(int)

    def __init__(self, name: str, *, verb: str = "") -> None:
        super().__init__()
        self._rows: list[Row] = []
        self._language = "text"
        self._block = -1
        self._wide: bool | None = None
        self._same = "Nothing would change."
        self.old = CodePane(f"{name}, before")
        self.new = CodePane(f"{name}, after")
        self._count = label("", "strong", wrap=False)
        self._before = Button("Previous", lambda: self.step(-1), name="Previous change")
        self._next = Button("Next", lambda: self.step(1), name="Next change")
        self._take = Button(verb, lambda: self.taken.emit(self._block))
        if not verb:
            self._take.hide()
        head = row(self._count, None, self._before, self._next, self._take)
        head.setContentsMargins(theme.u(4), theme.u(2), theme.u(3), theme.u(2))
        panes = QHBoxLayout()
        panes.setSpacing(0)
        self._edge = hairline(upright=True)
        for part in (self.old, self._edge, self.new):
            panes.addWidget(part, 0 if part is self._edge else 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(hairline())
        layout.addLayout(panes, 1)
        self._follow()
        for keys, by in (("F7", 1), ("Shift+F7", -1)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(lambda by=by: self.step(by))
        self.setAccessibleName(tr(name))

    def _follow(self) -> None:
        """Both sides scroll together."""
        for bar in ("verticalScrollBar", "horizontalScrollBar"):
            one, other = getattr(self.old, bar)(), getattr(self.new, bar)()
            one.valueChanged.connect(other.setValue)
            other.valueChanged.connect(one.setValue)

    @property
    def count(self) -> int:
        """How many changes there are."""
        return max((one.block for one in self._rows), default=-1) + 1

    @property
    def rows(self) -> Sequence[Row]:
        """What is compared, row by row."""
        return self._rows

    def show_diff(self, old: str, new: str, language: str) -> None:
        """Compare two texts, and go to the first change."""
        if old.endswith("\n") and new.endswith("\n"):
            old, new = old[:-1], new[:-1]
        self._rows, self._language, self._block = rows(old, new), language, -1
        count = self.count
        words = self._same if not count else count_text(count, "change")
        self._count.setText(words)
        for button in (self._before, self._next, self._take):
            button.set_reason("" if count else "Nothing differs.")
        if count:
            self._before.setToolTip(tr("Shift+F7"))
            self._next.setToolTip(tr("F7"))
        self._show()
        self.step(1)

    def step(self, by: int) -> None:
        """Go to the next or the previous change, round and round."""
        count = self.count
        if not count:
            return
        self._block = (self._block + by) % count if self._block >= 0 or by > 0 else count - 1
        first = next(n for n, line in enumerate(self._lines) if line == self._block)
        self._count.setText(f"Change {self._block + 1} of {count}")
        for pane in (self.old, self.new):
            if pane.isVisibleTo(self):
                pane.go_to(first + 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width may want the other form."""
        super().resizeEvent(event)
        wide = self.width() >= theme.u(_SIDE_BY_SIDE_U)
        if wide is not self._wide:
            self._wide = wide
            self._show()

    def _show(self) -> None:
        self.old.setVisible(bool(self._wide))
        self._edge.setVisible(bool(self._wide))
        if self._wide:
            self._lines = [one.block for one in self._rows]
            _fill(self.old, self._rows, self._language, old=True)
            _fill(self.new, self._rows, self._language, old=False)
        else:
            self._lines = _fill_unified(self.new, self._rows, self._language)


def _fill(pane: CodePane, found: Sequence[Row], language: str, *, old: bool) -> None:
    looks = {}
    for place, one in enumerate(found):
        number = one.old_number if old else one.new_number
        looks[place + 1] = _look(one, number, "removed" if old else "added", old=old)
    pane.show_text("\n".join(one.old if old else one.new for one in found), language)
    pane.show_looks(looks)


def _look(one: Row, number: int, tint: str, *, old: bool) -> LineLook:
    """The look of one side of a row; without a line of its own it is an empty place."""
    sign = ("-" if old else "+") if one.block >= 0 and number else " "
    return LineLook(
        tint="" if one.block < 0 else (tint if number else "sunken"),
        number=f"{number} {sign}" if number else "",
        words=one.old_words if old else one.new_words,
    )


def _fill_unified(pane: CodePane, found: Sequence[Row], language: str) -> list[int]:
    """Removed lines of a change first, then added ones; gives the change of each line."""
    texts: list[str] = []
    looks: dict[int, LineLook] = {}
    blocks: list[int] = []

    def add(text: str, look: LineLook, block: int) -> None:
        texts.append(text)
        blocks.append(block)
        looks[len(texts)] = look

    place = 0
    while place < len(found):
        one = found[place]
        if one.block < 0:
            add(one.new, _look(one, one.new_number, "", old=False), -1)
            place += 1
            continue
        end = place
        while end < len(found) and found[end].block == one.block:
            end += 1
        for part in found[place:end]:
            if part.old_number:
                add(part.old, _look(part, part.old_number, "removed", old=True), part.block)
        for part in found[place:end]:
            if part.new_number:
                add(part.new, _look(part, part.new_number, "added", old=False), part.block)
        place = end
    pane.show_text("\n".join(texts), language)
    pane.show_looks(looks)
    return blocks
