"""The field that filters the table of sandboxes."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QPainter, QPaintEvent, QShortcut, Qt
from PySide6.QtWidgets import QLineEdit

from kataui.isolation import filter as language
from kataui.isolation.filter import Filter, FilterProblem
from kataui.ui import icons, theme
from kataui.ui.isolation import tips
from kataui.ui.widgets.text import restyle
from kataui.ui.words import tr

_ICON_U = 4.0


class FilterBar(QLineEdit):
    """``filter_changed`` gives each filter that can be understood; until the next the last stays.

    ``problem_changed`` gives the sentence about what cannot, or "". Ctrl+F comes here, Esc clears.
    """

    filter_changed = Signal(object)
    problem_changed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.filter = Filter()
        self.problem = ""
        self.setPlaceholderText(tr("Filter: grade < C"))
        self.setAccessibleName(tr("Filter the sandboxes"))
        self._say("")
        self.textChanged.connect(self._on_text)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self, self._come)
        theme.state().changed.connect(self._on_theme)
        self._on_theme()

    def _come(self) -> None:
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.selectAll()

    def _on_theme(self) -> None:
        self.setTextMargins(theme.u(_ICON_U + 1), 0, 0, 0)

    def _on_text(self, text: str) -> None:
        try:
            found = language.parse(text)
        except FilterProblem as problem:
            self._say(problem.message)
            return
        self._say("")
        if found != self.filter:
            self.filter = found
            self.filter_changed.emit(found)

    def _say(self, problem: str) -> None:
        """Turn red with a sentence, or back; the help stands there otherwise."""
        self.setAccessibleDescription(tr(problem or language.HELP))
        self.setToolTip(tips.told(problem or language.HELP))
        if bool(problem) != bool(self.problem):
            restyle(self, wrong=bool(problem))
        if problem != self.problem:
            self.problem = problem
            self.problem_changed.emit(problem)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The funnel stands before the words; an action's icon would not grow with the text."""
        super().paintEvent(event)
        side = theme.u(_ICON_U)
        painter = QPainter(self)
        painter.drawPixmap(theme.u(2), (self.height() - side) // 2, icons.pixmap("filter", side))
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc clears; in an empty field it is left to the page."""
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        else:
            super().keyPressEvent(event)
