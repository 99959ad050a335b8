"""Buttons with an icon that follows the theme."""

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon, QKeyEvent
from PySide6.QtWidgets import QCheckBox, QPushButton, QSizePolicy

from kataui.ui import icons, theme
from kataui.ui.widgets.text import restyle
from kataui.ui.words import tr

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_ROLE = {"primary": "on_accent", "quiet": "accent"}


class Button(QPushButton):
    """A button; ``kind`` is "primary" (one a page), "quiet", or empty."""

    def __init__(
        self,
        text: str,
        on_click: Callable[[], object] | None = None,
        *,
        icon: str = "",
        kind: str = "",
        name: str = "",
    ) -> None:
        super().__init__()
        self._icon, self._words, self._brief = icon, text, False
        self._show_words()
        self.setProperty("kind", kind)
        self.setAccessibleName(tr(name or text.replace("&", "").rstrip(".")))
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        if on_click is not None:
            self.clicked.connect(lambda _checked: on_click())
        if icon:
            self._draw()
        theme.state().changed.connect(self._on_theme)

    def _on_theme(self) -> None:
        self._draw()
        self.updateGeometry()  # words grow with the text size, also while the page is hidden

    def set_words(self, text: str, *, icon: str | None = None) -> None:
        """Say something else, and name it so; ``icon`` changes too when it is given."""
        if icon is not None and icon != self._icon:
            self._icon = icon
            self._draw()
        self._words = text
        self._show_words()
        self.setAccessibleName(tr(text.rstrip(".")))

    def setText(self, text: str) -> None:
        """Say something else; the name stays."""
        self._words = text.strip()
        self._show_words()

    def retell(self) -> None:
        """Say the same as it is told now."""
        self._show_words()

    def set_brief(self, *, brief: bool) -> None:
        """Show the icon only, with the words as its tool tip; or both."""
        self._brief = brief
        self._show_words()

    def _show_words(self) -> None:
        brief = self._brief and bool(self._icon)
        words = tr(self._words)
        # the gap lies after the icon
        super().setText("" if brief else f" {words}" if self._icon and words else words)
        if self.isEnabled():  # else it tells why not
            self.setToolTip(tr(self._words if brief else ""))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter presses it, as the space bar does."""
        if event.key() in _ENTER:
            if not event.isAutoRepeat():  # a key held down does not run through a wizard
                self.click()
            return
        super().keyPressEvent(event)

    def set_icon(self, icon: str) -> None:
        """Show another icon."""
        self._icon = icon
        self._draw()

    def _draw(self) -> None:
        if not self._icon:
            self.setIcon(QIcon())
            return
        role = _ROLE.get(str(self.property("kind")), "text_secondary")
        side = theme.u(4)
        self.setIcon(icons.icon(self._icon, role, size_px=side))
        self.setIconSize(QSize(side, side))

    def set_kind(self, kind: str) -> None:
        """Become primary, or an ordinary button again."""
        restyle(self, kind=kind)
        self._draw()

    def set_reason(self, reason: str) -> None:
        """Disable with a reason, or enable when there is none."""
        self.setEnabled(not reason)
        self.setToolTip(tr(reason))
        self.setAccessibleDescription(tr(reason))


def check_box(text: str, name: str = "") -> QCheckBox:
    """A box to tick; ``name`` is what a screen reader says, when it is not ``text``."""
    box = QCheckBox(tr(text))
    box.setAccessibleName(tr(name or text))
    return box
