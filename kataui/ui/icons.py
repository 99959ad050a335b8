"""Icons from ``resources/icons``, coloured for the theme that is shown; verdict marks."""

from functools import lru_cache

from PySide6.QtCore import QByteArray, QSize, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QLabel, QWidget

from kataui import resources
from kataui.ui import theme

MARKS = {
    "pass": "mark-pass",
    "fail": "mark-fail",
    "error": "mark-fail",
    "warning": "mark-warning",
    "unknown": "mark-unknown",
    "info": "mark-note",
}
_LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><rect x="2" y="2" width="20" '
    'height="20" rx="5.5" fill="none" stroke="#000000" stroke-width="2.2"/><rect x="7.5" y="7.5" '
    'width="9" height="9" rx="2.5" fill="#000000"/></svg>'
)
_WINDOW_ICON_PX = (16, 24, 32, 48, 64, 128, 256)


def pixmap(
    name: str, size_px: int, role: str = "text_secondary", ground: str = "surface"
) -> QPixmap:
    """An icon in a colour role, sharp on every screen; ``ground`` colours a mark's glyph.

    ``logo`` is the program's own mark.
    """
    return _render(
        name, size_px, theme.color(role).name(), theme.color(ground).name(), _sharpest_ratio()
    )


def _sharpest_ratio() -> float:
    """The highest ratio of all screens: a window may be moved to any of them."""
    return max((screen.devicePixelRatio() for screen in QGuiApplication.screens()), default=1.0)


@lru_cache(maxsize=512)
def _render(name: str, size_px: int, ink: str, ground: str, ratio: float) -> QPixmap:
    drawn = _LOGO if name == "logo" else resources.text(f"icons/{name}.svg")
    svg = drawn.replace("#000000", ink).replace("#ffffff", ground)
    picture = QPixmap(QSize(size_px, size_px) * ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    QSvgRenderer(QByteArray(svg.encode())).render(painter)
    painter.end()
    picture.setDevicePixelRatio(ratio)
    return picture


def icon(name: str, role: str = "text_secondary", *, size_px: int = 0) -> QIcon:
    """An icon for a button or action, drawn for ``size_px`` (the usual size when it is 0)."""
    return QIcon(pixmap(name, size_px or theme.u(4.5), role))


def window_icon() -> QIcon:
    """The program's mark in the sizes that task bars ask for."""
    result = QIcon()
    for size_px in _WINDOW_ICON_PX:
        result.addPixmap(pixmap("app", size_px))
    return result


def mark(kind: str, size_px: int, ground: str = "surface") -> QPixmap:
    """The mark of a verdict or severity: its shape differs, not only its colour."""
    semantic = "fail" if kind == "error" else kind
    return pixmap(MARKS[kind], size_px, f"{semantic}.mark", ground)


class IconLabel(QLabel):
    """A picture of an icon that follows the theme; decoration, so without an accessible name.

    With ``tile`` it stands on a rounded square in the accent's tint.
    """

    def __init__(
        self,
        name: str,
        *,
        size_u: float = 4.5,
        role: str = "",
        tile: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._name, self._size_u, self._role, self._tile = name, size_u, role, tile
        if tile:
            self.setProperty("look", "tile")
            self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._show()
        theme.state().changed.connect(self._show)

    def set_icon(self, name: str, role: str = "") -> None:
        """Show another icon or mark (``pass``, ``fail`` ... are marks)."""
        self._name, self._role = name, role
        self._show()

    def _show(self) -> None:
        size = theme.u(self._size_u)
        if self._name in MARKS:
            self.setPixmap(mark(self._name, size))
        else:
            self.setPixmap(pixmap(self._name, size, self._role or "text_secondary"))
        side = theme.u(self._size_u + 5) if self._tile else size
        self.setFixedSize(side, side)
