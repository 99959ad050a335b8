"""The status line: what network was used and what the page reads, the page's keys at the right."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from kataui.ui import theme
from kataui.ui.icons import IconLabel
from kataui.ui.widgets.text import label
from kataui.ui.words import tr

_NO_NETWORK = "No network used since start"
_GAP = "    "


class _Parts(QLabel):
    """As many parts as there is room for, the first ones; the rest is in the tool tip."""

    def __init__(self, side: Qt.AlignmentFlag) -> None:
        super().__init__()
        self.setProperty("textStyle", "note")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAlignment(side | Qt.AlignmentFlag.AlignVCenter)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._parts: tuple[str, ...] = ()

    def hug(self) -> None:
        """Take no more room than all parts need; what is left is for others."""
        self.setMaximumWidth(self.fontMetrics().horizontalAdvance(_joined(self._parts)) + 2)

    def show_parts(self, parts: tuple[str, ...]) -> None:
        """Show the first of these."""
        self._parts = parts
        fitting, metrics = parts, self.fontMetrics()
        while fitting and metrics.horizontalAdvance(_joined(fitting)) > self.width():
            fitting = fitting[:-1]
        self.setText(_joined(fitting))
        self.setToolTip("" if fitting == parts else ", ".join(map(tr, parts)))

    def minimumSizeHint(self) -> QSize:
        """None."""
        return QSize(0, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width has room for others."""
        super().resizeEvent(event)
        self.show_parts(self._parts)


def _joined(parts: tuple[str, ...]) -> str:
    return _GAP.join(map(tr, parts))


class StatusLine(QWidget):
    """One line; it never moves."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("look", "sidebar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._icon = IconLabel("offline", size_u=3.75)
        self._network = label(_NO_NETWORK, "note", wrap=False)
        self._status = _Parts(Qt.AlignmentFlag.AlignLeft)
        self._keys = _Parts(Qt.AlignmentFlag.AlignRight)
        line = QHBoxLayout(self)
        line.setContentsMargins(theme.u(7), theme.u(1.25), theme.u(7), theme.u(1.25))
        line.setSpacing(theme.u(1.5))
        line.addWidget(self._icon)
        line.addWidget(self._network)
        line.addWidget(self._status, 3)
        line.addSpacing(theme.u(4))
        line.addWidget(self._keys, 2)

    @property
    def network(self) -> str:
        """What it says about the network."""
        return self._network.text()

    @property
    def keys(self) -> str:
        """The shortcuts that it shows now."""
        return self._keys.text()

    @property
    def status(self) -> str:
        """What it says about the page."""
        return self._status.text()

    def show_network(self, text: str) -> None:
        """Say what network was used; once used, it stays said."""
        self._network.setText(text)
        self._icon.set_icon("net")
        self._icon.setToolTip(tr(text))

    def show_status(self, parts: tuple[str, ...]) -> None:
        """Say what the page reads; the network's sentence is in the icon's tool tip then."""
        self._status.show_parts(parts)
        self._status.hug()
        self._network.setVisible(not parts)
        self._icon.setToolTip(tr(self._network.text()))

    def show_keys(self, keys: tuple[str, ...]) -> None:
        """Show shortcuts, such as "Ctrl+O Open", the most useful first."""
        self._keys.show_parts(keys)
