"""The status line: what network was used at the left, the keys of the page at the right."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from kataui.ui import theme
from kataui.ui.icons import IconLabel
from kataui.ui.widgets.text import label

_NO_NETWORK = "No network used since start"
_GAP = "    "


class _Keys(QLabel):
    """As many shortcuts as there is room for; it asks for no room itself."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("textStyle", "note")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._keys: tuple[str, ...] = ()

    def show_keys(self, keys: tuple[str, ...]) -> None:
        """Show the first of these."""
        self._keys = keys
        fitting = keys
        while fitting and self.fontMetrics().horizontalAdvance(_GAP.join(fitting)) > self.width():
            fitting = fitting[:-1]
        self.setText(_GAP.join(fitting))

    def minimumSizeHint(self) -> QSize:
        """None."""
        return QSize(0, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width has room for others."""
        super().resizeEvent(event)
        self.show_keys(self._keys)


class StatusLine(QWidget):
    """One line; it never moves."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("look", "sidebar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._icon = IconLabel("offline", size_u=3.75)
        self._network = label(_NO_NETWORK, "note", wrap=False)
        self._keys = _Keys()
        line = QHBoxLayout(self)
        line.setContentsMargins(theme.u(7), theme.u(1.25), theme.u(7), theme.u(1.25))
        line.setSpacing(theme.u(1.5))
        line.addWidget(self._icon)
        line.addWidget(self._network)
        line.addSpacing(theme.u(4))
        line.addWidget(self._keys, 1)

    @property
    def network(self) -> str:
        """What it says about the network."""
        return self._network.text()

    @property
    def keys(self) -> str:
        """The shortcuts that it shows now."""
        return self._keys.text()

    def show_network(self, text: str) -> None:
        """Say what network was used; once used, it stays said."""
        self._network.setText(text)
        self._icon.set_icon("net")

    def show_keys(self, keys: tuple[str, ...]) -> None:
        """Show shortcuts, such as "Ctrl+O Open", the most useful first."""
        self._keys.show_keys(keys)
