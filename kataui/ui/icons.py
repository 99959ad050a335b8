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


def pixmap(
    name: str, size_px: int, role: str = "text_secondary", ground: str = "surface"
) -> QPixmap:
    """An icon in a colour role, sharp on every screen; ``ground`` colours a mark's glyph."""
    ratio = QGuiApplication.primaryScreen().devicePixelRatio() if QGuiApplication.screens() else 1.0
    return _render(
        name, size_px, theme.color(role).name(), theme.color(ground).name(), float(ratio)
    )


@lru_cache(maxsize=512)
def _render(name: str, size_px: int, ink: str, ground: str, ratio: float) -> QPixmap:
    svg = resources.text(f"icons/{name}.svg").replace("#000000", ink).replace("#ffffff", ground)
    picture = QPixmap(QSize(size_px, size_px) * ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    QSvgRenderer(QByteArray(svg.encode())).render(painter)
    painter.end()
    picture.setDevicePixelRatio(ratio)
    return picture


def icon(name: str, role: str = "text_secondary") -> QIcon:
    """An icon for a button or action."""
    return QIcon(pixmap(name, theme.u(4.5), role))


def mark(kind: str, size_px: int, ground: str = "surface") -> QPixmap:
    """The mark of a verdict or severity: its shape differs, not only its colour."""
    semantic = "fail" if kind == "error" else kind
    return pixmap(MARKS[kind], size_px, f"{semantic}.mark", ground)


class IconLabel(QLabel):
    """A picture of an icon that follows the theme; decoration, so without an accessible name."""

    def __init__(
        self, name: str, *, size_u: float = 4.5, role: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._name, self._size_u, self._role = name, size_u, role
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
        self.setFixedSize(size, size)
