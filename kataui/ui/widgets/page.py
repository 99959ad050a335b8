"""A page of the window: a header with actions, and a body that scrolls."""

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from kataui.ui import theme
from kataui.ui.widgets.flowrow import flow_row
from kataui.ui.widgets.text import label
from kataui.ui.words import tr

_STACKED_BELOW_U, _TITLE_U = 150, 70
_ANY = Qt.AlignmentFlag(0)  # an aligned row of buttons would never have a second line


class Scroll(QScrollArea):
    """Scrolls down only; its content is as wide as the window and as high as it needs."""

    def __init__(self, *, margin_u: float = 7, look: str = "page") -> None:
        """``look`` "inner" shows what is below: for use inside a card."""
        super().__init__()
        self.setProperty("look", look)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._content = content = QWidget()
        content.setProperty("look", look)
        self.body, self._outer = top_down(QVBoxLayout(content))
        margin = theme.u(margin_u)
        self.body.setContentsMargins(margin, theme.u(5), margin, margin)
        self.body.setSpacing(theme.u(4))
        self.setWidget(content)
        self.verticalScrollBar().rangeChanged.connect(self._on_range)

    def minimumSizeHint(self) -> QSize:
        """Inside a card it is never narrower than its content; a page must fit any window."""
        least = super().minimumSizeHint()
        if self.property("look") != "inner":
            return least
        bar = self.verticalScrollBar().sizeHint().width()
        return QSize(self._content.minimumSizeHint().width() + bar, least.height())

    def use_all(self) -> None:
        """Let what stretches in ``body`` take the room that is left."""
        self._outer.setStretch(0, 1)
        self._outer.setStretch(1, 0)

    def _on_range(self) -> None:
        """The scroll bar takes its room from the margin: the content never jumps."""
        margins = self.body.contentsMargins()
        bar = self.verticalScrollBar()
        taken = bar.sizeHint().width() if bar.maximum() > bar.minimum() else 0
        margins.setRight(max(0, margins.left() - taken))
        self.body.setContentsMargins(margins)


class Page(QWidget):
    """Title, one line of facts, actions at the right (the primary last), and ``body``."""

    def __init__(
        self, title: str, facts: str = "", *, actions: list[QWidget] | None = None
    ) -> None:
        super().__init__()
        self.setProperty("look", "page")
        self.setAccessibleName(tr(title))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self.title = label(title, "title")
        self.facts = label(facts, "dim", selectable=True)
        if not facts:
            self.facts.hide()  # never shown before it has a parent: it would be a window
        words = QVBoxLayout()
        words.setSpacing(theme.u(0.5))
        words.addWidget(self.title)
        words.addWidget(self.facts)
        self._header = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._header.setContentsMargins(theme.u(7), theme.u(5), theme.u(7), theme.u(1))
        self._header.setSpacing(theme.u(3))
        self._header.addLayout(words, 1)
        self._header_actions = flow_row(*(actions or []))
        self._header.addWidget(self._header_actions, 0, Qt.AlignmentFlag.AlignVCenter)
        layout.addLayout(self._header)
        self.scroller = Scroll()
        self.body = self.scroller.body
        self.body.setContentsMargins(theme.u(7), theme.u(3), theme.u(7), theme.u(7))
        layout.addWidget(self.scroller, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a narrow page the actions stand under the title."""
        super().resizeEvent(event)
        self._arrange()

    def event(self, event: QEvent) -> bool:
        """An action that comes may need more room than there is."""
        if event.type() is QEvent.Type.LayoutRequest:
            self._arrange()
        return super().event(event)

    def _arrange(self) -> None:
        least = self._header_actions.sizeHint().width() + theme.u(_TITLE_U)
        narrow = self.width() < max(theme.u(_STACKED_BELOW_U), least)
        way = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        if self._header.direction() is not way:
            self._header.setDirection(way)
            beside = Qt.AlignmentFlag.AlignVCenter
            self._header.setAlignment(self._header_actions, _ANY if narrow else beside)

    def set_facts(self, text: str) -> None:
        """Change the line under the title."""
        self.facts.setText(text)
        self.facts.setVisible(bool(text))


def top_down(outer: QVBoxLayout) -> tuple[QVBoxLayout, QVBoxLayout]:
    """A layout inside ``outer`` whose items stay at the top, and ``outer``.

    Not by alignment: an aligned layout is never higher than its size hint, which knows nothing
    of the lines into which its labels break at the width that they get.
    """
    inner = QVBoxLayout()
    outer.setContentsMargins(0, 0, 0, 0)
    outer.setSpacing(0)
    outer.addLayout(inner)
    outer.addStretch(1)
    return inner, outer


class Columns(QWidget):
    """Two columns that become one below ``narrow_u``, and always when both do not fit."""

    def __init__(
        self, *, narrow_u: float = 210, shares: tuple[int, int] = (7, 3), gap_u: float = 4
    ) -> None:
        super().__init__()
        self._narrow_u, self._shares = narrow_u, shares
        self._outer = QHBoxLayout(self)
        self._outer.setContentsMargins(0, 0, 0, 0)
        self._outer.setSpacing(theme.u(gap_u))
        self.left, self.right = (self._side(share) for share in shares)
        self.installEventFilter(self)

    def _side(self, share: int) -> QVBoxLayout:
        inner, outer = top_down(QVBoxLayout())
        inner.setSpacing(theme.u(4))
        self._outer.addLayout(outer, share)
        return inner

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Turn the columns when the width passes the limit."""
        if event.type() is QEvent.Type.Resize:
            least = (column.minimumSize().width() for column in (self.left, self.right))
            both = sum(least) + self._outer.spacing()  # a scroll area never makes it narrower
            narrow = self.width() <= max(theme.u(self._narrow_u), both)
            wanted = (
                QHBoxLayout.Direction.TopToBottom if narrow else QHBoxLayout.Direction.LeftToRight
            )
            if self._outer.direction() is not wanted:
                self._outer.setDirection(wanted)
        return super().eventFilter(watched, event)
