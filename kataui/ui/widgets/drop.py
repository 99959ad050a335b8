"""A place to drop files on."""

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from kataui.ui import theme
from kataui.ui.icons import IconLabel
from kataui.ui.widgets.text import label, restyle


def dropped_paths(event: QDropEvent | QDragEnterEvent) -> list[str]:
    """The local paths that are dragged."""
    return [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]


class DropTarget(QFrame):
    """A dashed frame with a sentence and buttons; ``dropped`` gives the paths."""

    dropped = Signal(list)

    def __init__(self, sentence: str, *buttons: QWidget) -> None:
        super().__init__()
        self.setProperty("look", "drop")
        self.setAcceptDrops(True)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.u(4), theme.u(3), theme.u(4), theme.u(3))
        layout.setSpacing(theme.u(3))
        layout.addWidget(IconLabel("save"))
        layout.addWidget(label(sentence, "dim"), 1)
        for button in buttons:
            layout.addWidget(button)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Show that the drop will be taken."""
        if dropped_paths(event):
            restyle(self, look="dropping")
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Look as before."""
        restyle(self, look="drop")
        super().dragLeaveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        """Take the paths."""
        restyle(self, look="drop")
        event.acceptProposedAction()
        self.dropped.emit(dropped_paths(event))


class DropVeil(QFrame):
    """Lies over a whole window while something is dragged over it, and says what a drop does.

    Places that take drops themselves still get them.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("look", "veil")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        layout = QHBoxLayout(self)
        self._text = label("", "title", wrap=False)
        layout.addWidget(self._text, 0, Qt.AlignmentFlag.AlignCenter)
        self.hide()

    @property
    def text(self) -> str:
        """What it says."""
        return self._text.text()

    def show_over(self, rect: QRect, words: str) -> None:
        """Cover a rectangle of the parent, and say what a drop does."""
        self._text.setText(words)
        self.setGeometry(rect)
        self.raise_()
        self.show()
