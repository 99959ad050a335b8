"""Colours, spacing and type from ``resources/palette.json``: light, dark, high contrast.

One style sheet styles everything by the properties ``textStyle``, ``look`` (a surface)
and ``kind`` (a button), so that a change of theme is one call. Lengths are multiples of the unit
``u``, which grows with the font.
"""

import json
from functools import cache
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetrics, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from kataui import resources
from kataui.ui.stylesheet import build as build_stylesheet

SMALLEST_UNIT_PX = 4
_SCHEMES = {
    "light": Qt.ColorScheme.Light,
    "dark": Qt.ColorScheme.Dark,
    "contrast": Qt.ColorScheme.Dark,
}


@cache
def tokens() -> dict[str, Any]:
    """The whole palette file."""
    value: dict[str, Any] = json.loads(resources.text("palette.json"))
    return value


class _State(QObject):
    """Which theme is on; ``changed`` is sent after a change."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.wanted = "system"
        self.percent = 100
        self.base_points = 0.0


@cache
def state() -> _State:
    """The one state of the application's theme."""
    return _State()


def name() -> str:
    """``light``, ``dark`` or ``contrast``, as it is shown now."""
    wanted = state().wanted
    if wanted != "system":
        return wanted
    asked = getattr(QGuiApplication.styleHints(), "accessibility", None)  # Qt 6.10
    if asked is not None and asked().contrastPreference() is Qt.ContrastPreference.HighContrast:
        return "contrast"
    scheme = QGuiApplication.styleHints().colorScheme()
    return "dark" if scheme is Qt.ColorScheme.Dark else "light"


def colors() -> dict[str, Any]:
    """The colours of the theme that is shown now."""
    value: dict[str, Any] = tokens()[name()]
    return value


def color(role: str) -> QColor:
    """A colour by its role: ``text``, ``accent``, ``pass.mark``, ``control`` ..."""
    return QColor(_color(role))


# Charts ask for colours, lengths and fonts some thousand times a frame: they are kept until the
# theme or the text size changes. What is given out is a copy, for callers may change theirs.
@cache
def _color(role: str) -> QColor:
    theme = colors()
    group, dot, part = role.partition(".")
    if dot:
        return QColor(theme["semantic"][group][part])
    return QColor(theme["neutral"].get(role) or theme["accent"][role])


@cache
def u(multiple: float) -> int:
    """A length in pixels: ``multiple`` units (4 px each at a 14 px font)."""
    height = QFontMetrics(QApplication.font()).height()
    return round(multiple * max(SMALLEST_UNIT_PX, round(height / 4.25)))


def font(style: str, *, bold: bool = False) -> QFont:
    """The font of a text style, for widgets that paint themselves."""
    return QFont(_font(style, bold))


@cache
def metrics(style: str, *, bold: bool = False) -> QFontMetrics:
    """How wide and high text of a style is."""
    return QFontMetrics(_font(style, bold))


@cache
def _font(style: str, bold: bool) -> QFont:  # noqa: FBT001 - behind ``font``
    wanted = tokens()["type"][style]
    base = QApplication.font()
    result = (
        QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        if style == "mono"
        else QFont(base)
    )
    result.setPointSizeF(base.pointSizeF() * wanted["scale"])
    result.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight(wanted["weight"]))
    result.setFeature(QFont.Tag("tnum"), 1)
    return result


def start(app: QApplication, wanted: str, percent: int) -> None:
    """Style the application; call it once, before any window."""
    app.setStyle("Fusion")
    state().base_points = app.font().pointSizeF()
    app.styleHints().colorSchemeChanged.connect(_on_system_change)
    set_theme(wanted, percent)


def _on_system_change() -> None:
    if state().wanted == "system":
        _apply()


def set_theme(wanted: str, percent: int) -> None:
    """Change theme (of ``settings.THEMES``) and text size (percent), for all windows at once."""
    state().wanted, state().percent = wanted, percent
    # The system's own dialogs and window frames follow too, where the platform can do that.
    QGuiApplication.styleHints().setColorScheme(_SCHEMES.get(wanted, Qt.ColorScheme.Unknown))
    _apply()


def _apply() -> None:
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        return
    base = QFont(app.font())
    base.setPointSizeF(state().base_points * state().percent / 100)
    _forget()
    app.setFont(base)  # tells every widget at once, which may ask for lengths
    app.setPalette(_palette())
    app.setStyleSheet(build_stylesheet(colors(), tokens(), base.pointSizeF(), u(1)))
    state().changed.emit()


def _forget() -> None:
    for kept in (_color, u, _font, metrics):
        kept.cache_clear()


def _palette() -> QPalette:
    palette = QPalette()
    for role, value in colors()["qpalette"].items():
        group, slash, part = role.partition("/")
        if slash:
            where = QPalette.ColorGroup[group]
            palette.setColor(where, QPalette.ColorRole[part], QColor(value))
        else:
            palette.setColor(QPalette.ColorRole[group], QColor(value))
    return palette
