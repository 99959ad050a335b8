"""Presenting: only the page, large; one sentence below it; the keys of a clicker.

Space, Right and Page Down go on, Left and Page Up go back, B blanks, + and - change the size,
Esc ends.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QScrollArea,
    QWidget,
)

from kataui.ui import theme
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.text import announce, label, retell_all
from kataui.ui.window import Window
from kataui.ui.words import hide_names, tr

SIZES = (150, 250)
_STEP = 25
_LOOK_MS = 60
_DIMMED = 0.6
_DOTTED = "dotted"  # a field whose text is hidden for the time of a talk
_ON = frozenset((Qt.Key.Key_Space, Qt.Key.Key_Right, Qt.Key.Key_PageDown, Qt.Key.Key_Return))
_BACK = frozenset((Qt.Key.Key_Left, Qt.Key.Key_PageUp, Qt.Key.Key_Backspace))


@dataclass(frozen=True, slots=True)
class Chapter:
    """One thing to show: what is said, what is done, and where to look (None: everywhere).

    ``act`` waits at each ``yield`` until all that it began is shown.
    """

    caption: str
    act: Callable[[], Iterator[None]]
    focus: Callable[[], QWidget | None]


@dataclass(frozen=True, slots=True)
class Talk:
    """What is presented: chapters, a word on the data, and what the presenter must know.

    ``busy`` tells whether something that was begun is not shown yet; ``fresh`` clears the window
    before the first chapter and after the last. ``private``: host names, addresses and secrets
    are hidden meanwhile.
    """

    chapters: Sequence[Chapter]
    data: str
    busy: Callable[[], bool]
    fresh: Callable[[], None]
    private: bool = False


class CaptionBar(QFrame):
    """Where the talk is, its sentence, and two buttons."""

    def __init__(self, data: str, back: Callable[[], None], go_on: Callable[[], None]) -> None:
        super().__init__()
        self.setProperty("look", "sidebar")
        self._place = label("", "strong", wrap=False)
        self._caption = label("", "heading")
        self.back = Button("", back, icon="left", name="Previous chapter")
        self.next = Button("", go_on, icon="right", name="Next chapter")
        for button in (self.back, self.next):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the keys are the talk's
        line = QHBoxLayout(self)
        line.setContentsMargins(theme.u(7), theme.u(2.5), theme.u(5), theme.u(2.5))
        line.setSpacing(theme.u(4))
        line.addWidget(self._place, 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(self._caption, 1)
        line.addWidget(label(data, "note", wrap=False))
        line.addWidget(self.back)
        line.addWidget(self.next)

    def show_chapter(self, number: int, count: int, caption: str) -> None:
        """Say it, also to a screen reader."""
        self._place.setText(f"{number} of {count}")
        self._caption.setText(caption)
        self.back.set_reason("This is the first chapter." if number == 1 else "")
        announce(self, f"{number} of {count}. {caption}")


class _Veil(QWidget):
    """Dims all but one place, or everything."""

    def __init__(self, over: QWidget) -> None:
        super().__init__(over)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName(tr("Dimmed"))
        self.blank = False
        self._hole = QRect()

    def show_over(self, hole: QRect) -> None:
        """Cover the parent, and leave out a rectangle; without one nothing is dimmed."""
        over = self.parentWidget()
        if over is not None:
            self.setGeometry(over.rect())
        self._hole = hole
        self.setVisible(self.blank or not hole.isEmpty())
        self.raise_()
        self.update()

    def paintEvent(self, _: QPaintEvent) -> None:
        """The window's colour, so that light stays light."""
        painter = QPainter(self)
        colour = theme.color("window")
        if not self.blank:
            colour.setAlphaF(_DIMMED)
        path = QPainterPath()
        path.addRect(self.rect())
        if not self.blank:
            hole = QPainterPath()
            hole.addRoundedRect(self._hole, 10, 10)
            path = path.subtracted(hole)
        painter.fillPath(path, colour)
        painter.end()


class Presenter(QObject):
    """Runs chapters; ``ended`` is sent when somebody leaves."""

    ended = Signal()

    def __init__(self, window: Window, talk: Talk, percent: int = SIZES[0]) -> None:
        super().__init__(window)
        self._window, self._talk = window, talk
        self._before = theme.state().percent
        self.percent = percent
        self.number = 0
        self._act: Iterator[None] | None = None
        self.bar: CaptionBar | None = None
        self._veil: _Veil | None = None
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)

    def start(self) -> None:
        """Leave only the page, and begin with the first chapter."""
        app = QApplication.instance()
        if app is not None:
            app.installEventFilter(self)
        self._hide(hidden=self._talk.private)
        self._set_up()

    def _hide(self, *, hidden: bool) -> None:
        """Names, addresses, secrets: bars in what is shown, dots in what can be typed into."""
        if not self._talk.private:
            return
        hide_names(hidden=hidden)
        retell_all()
        for field in self._window.findChildren(QLineEdit):
            if hidden and field.echoMode() is QLineEdit.EchoMode.Normal:
                field.setProperty(_DOTTED, True)  # noqa: FBT003 - a Qt property
                field.setEchoMode(QLineEdit.EchoMode.Password)
            elif not hidden and field.property(_DOTTED):
                field.setProperty(_DOTTED, None)
                field.setEchoMode(QLineEdit.EchoMode.Normal)

    def _set_up(self) -> None:
        """All that is built in units of the text: made anew when that changes."""
        self._take_down()
        theme.set_theme(theme.state().wanted, self.percent)
        self._talk.fresh()
        self.bar = CaptionBar(self._talk.data, self.back, self.go_on)
        self._veil = _Veil(self._window.present(self.bar))
        self.show(self.number)
        self._timer.start(_LOOK_MS)

    def _take_down(self) -> None:
        self._timer.stop()
        for part in (self.bar, self._veil):
            if part is not None:
                part.hide()
                part.deleteLater()
        self.bar = self._veil = None

    def end(self) -> None:
        """Bring everything back."""
        app = QApplication.instance()
        if app is not None:
            app.removeEventFilter(self)
        self._take_down()
        self._talk.fresh()
        self._hide(hidden=False)
        self._window.present(None)
        theme.set_theme(theme.state().wanted, self._before)
        self.ended.emit()

    def show(self, number: int) -> None:
        """Show a chapter."""
        self.number = number
        chapter = self._talk.chapters[number]
        if self.bar is not None:
            self.bar.show_chapter(number + 1, len(self._talk.chapters), chapter.caption)
        if self._veil is not None:
            self._veil.blank = False
            self._veil.show_over(QRect())
        self._act = chapter.act()
        self._look()

    def go_on(self) -> None:
        """The next chapter; after the last one it ends."""
        if self.number + 1 < len(self._talk.chapters):
            self.show(self.number + 1)
        else:
            self.end()

    def back(self) -> None:
        """The chapter before."""
        self.show(max(0, self.number - 1))

    def resize_text(self, by: int) -> None:
        """Larger or smaller type; the chapter is shown anew."""
        wanted = min(SIZES[-1], max(SIZES[0], self.percent + by * _STEP))
        if wanted != self.percent:
            self.percent = wanted
            self._set_up()

    @property
    def settled(self) -> bool:
        """Whether the chapter is shown whole."""
        return self._act is None and not self._talk.busy()

    def _look(self) -> None:
        """Go on with the chapter when what it began is shown; then keep the eye on its place."""
        if self._talk.busy():
            return
        if self._act is not None:
            try:
                next(self._act)
            except StopIteration:
                self._act = None
                self._bring_into_view()
            return
        if self._veil is not None and not self._veil.blank:
            self._veil.show_over(self._place())

    def _target(self) -> QWidget | None:
        return self._talk.chapters[self.number].focus()

    def _bring_into_view(self) -> None:
        target = self._target()
        parent = target.parentWidget() if target is not None else None
        while parent is not None:
            if isinstance(parent, QScrollArea) and target is not None:
                parent.ensureWidgetVisible(target, 0, theme.u(4))
            parent = parent.parentWidget()

    def _place(self) -> QRect:
        """Where to look, in the veil's coordinates."""
        target, veil = self._target(), self._veil
        if target is None or veil is None or not target.isVisible():
            return QRect()
        over = veil.parentWidget()
        origin = target.mapTo(over, QPoint(0, 0)) if over is not None else QPoint()
        return QRect(origin, target.size()).adjusted(-4, -4, 4, 4)

    def _blank(self) -> None:
        if self._veil is not None:
            self._veil.blank = not self._veil.blank
            self._veil.show_over(self._place())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The talk's keys, before any page sees them."""
        if event.type() in {QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress} and isinstance(
            event, QKeyEvent
        ):
            act = self._act_of(event)
            if act is not None:
                event.accept()
                if event.type() is QEvent.Type.KeyPress and watched.isWindowType():
                    act()
                return True
        return super().eventFilter(watched, event)

    def _act_of(self, event: QKeyEvent) -> Callable[[], None] | None:
        key = event.key()
        if key in _ON:
            return self.go_on
        if key in _BACK:
            return self.back
        return {
            int(Qt.Key.Key_Escape): self.end,
            int(Qt.Key.Key_B): self._blank,
            int(Qt.Key.Key_Period): self._blank,
            int(Qt.Key.Key_Plus): lambda: self.resize_text(1),
            int(Qt.Key.Key_Minus): lambda: self.resize_text(-1),
        }.get(key)


def talk_of_open_pages(window: Window) -> Talk:
    """A chapter for each page that is open, the one that is shown first."""
    keys, shown = window.sidebar.keys(), window.current_key
    ordered = sorted(filter(window.can_close, keys), key=lambda key: key != shown) or [shown]

    def chapter(key: str) -> Chapter:
        def act() -> Iterator[None]:
            window.go(key)
            yield

        return Chapter(window.sidebar.entry(key).title, act, lambda: None)

    return Talk([chapter(key) for key in ordered], "", lambda: False, lambda: None, private=True)
