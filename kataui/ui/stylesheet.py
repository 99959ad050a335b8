"""The one style sheet, made from the tokens of a theme."""

from typing import Any

from kataui import resources


def build(theme: dict[str, Any], tokens: dict[str, Any], points: float, unit: int) -> str:
    """The style sheet for a theme, a base font size in points and a unit in pixels."""
    values = {**theme["neutral"], **theme["accent"], "u": unit, "u2": 2 * unit, "u3": 3 * unit}
    values |= {"u7": 7 * unit, "u10": 13 * unit}
    values |= {
        "inner": 4 * unit - 2,
        "half": 2 * unit - 2,
        "u5": 5 * unit,
        "hole": 2 * unit - 2,
        "icons": _icon_folder(),
    }
    values["border"] = theme["neutral"]["control"]
    values |= {"fail": theme["semantic"]["fail"]["mark"], "radius": 2 * unit, "dot": unit + 1}
    values["veil"] = "#D8" + theme["accent"]["accent_tint"].removeprefix("#")
    values["check"] = "check-light" if theme["accent"]["on_accent"] == "#FFFFFF" else "check"
    parts = [_SHEET % values, *_text_styles(theme, tokens, points)]
    for kind, colors in theme["semantic"].items():
        parts.append(
            f'QFrame[look="{kind}"] {{ background: {colors["tint"]}; '
            f"border: 1px solid {colors['line']}; border-radius: 10px; }}\n"
            f'QLabel[tone="{kind}"] {{ color: {colors["text"]}; }}'
        )
    return "\n".join(parts)


def _icon_folder() -> str:
    return resources.path("icons").as_posix()


def _text_styles(theme: dict[str, Any], tokens: dict[str, Any], points: float) -> list[str]:
    neutral = theme["neutral"]
    tone = {
        "note": neutral["text_tertiary"],
        "tick": neutral["text_tertiary"],
        "dim": neutral["text_secondary"],
        "label": neutral["text_secondary"],
    }
    styles = {**tokens["type"], "dim": {"scale": 1.0, "weight": 400}}
    styles["label"] = {"scale": 0.93, "weight": 600}
    sheet = []
    for name, style in styles.items():
        if not isinstance(style, dict):
            continue
        size = points * style["scale"]
        sheet.append(
            f'QLabel[textStyle="{name}"], QPlainTextEdit[textStyle="{name}"] {{ '
            f"font-size: {size:.2f}pt; font-weight: {style['weight']}; "
            f"color: {tone.get(name, neutral['text'])}; }}"
        )
    return sheet


_SHEET = """
QMainWindow, QDialog, QScrollArea, QWidget[look="page"] { background: %(window)s; }
QScrollArea[look="inner"], QWidget[look="inner"] { background: transparent; }
QScrollArea { border: none; }
QFrame[look="dock"] { background: %(surface)s; border: none; border-top: 1px solid %(line)s; }
QWidget[look="sidebar"] { background: %(sidebar)s; }
QFrame[look="edge"] { background: %(line)s; border: none; }
QFrame[look="card"] { background: %(surface)s; border: 1px solid %(line)s; border-radius: 10px; }
QFrame[look="chosen"] { background: %(surface)s; border: 2px solid %(accent)s;
  border-radius: 10px; }
QFrame[look="sunken"] { background: %(sunken)s; border: 1px solid %(line)s; border-radius: 6px; }
QFrame[look="drop"] { background: transparent; border: 2px dashed %(control)s;
  border-radius: 10px; }
QFrame[look="dropping"] { background: %(accent_tint)s; border: 2px solid %(accent)s;
  border-radius: 10px; }
QFrame[look="veil"] { background: %(veil)s; border: 2px solid %(accent)s; }
QLabel[look="tile"] { background: %(accent_tint)s; border-radius: 8px; }
QFrame[look="chip"] { background: %(sunken)s; border: 1px solid %(line)s; border-radius: 5px; }
QPushButton { outline: none; background: %(raised)s; border: 1px solid %(border)s;
  border-radius: 6px; padding: %(u)dpx %(u3)dpx; font-weight: 500; }
QPushButton:hover { background: %(hover)s; }
QPushButton:disabled { color: %(text_tertiary)s; border-color: %(line)s; background: transparent; }
QPushButton[kind="primary"] { background: %(accent)s; border-color: %(accent)s;
  color: %(on_accent)s; font-weight: 600; }
QPushButton[kind="primary"]:hover { background: %(accent_hover)s; }
QPushButton[kind="primary"]:disabled { background: transparent; color: %(text_tertiary)s;
  border-color: %(line)s; }
QPushButton[kind="quiet"] { background: transparent; border-color: transparent;
  color: %(accent)s; padding: %(u)dpx %(u2)dpx; text-align: left; }
QPushButton[kind="quiet"]:hover { background: %(hover)s; }
QPushButton[kind="card"] { background: %(surface)s; border: 1px solid %(line)s;
  border-radius: 10px; text-align: left; }
QPushButton[kind="card"]:hover { border-color: %(accent)s; }
QPushButton[kind="line"] { background: transparent; border: none; border-radius: 6px; }
QPushButton[kind="line"]:hover { background: %(hover)s; }
QPushButton[kind="segment"] { background: transparent; border: 1px solid transparent;
  border-radius: 5px; padding: %(u)dpx %(u2)dpx; }
QPushButton[kind="segment"]:checked { background: %(surface)s; border-color: %(border)s; }
QLineEdit, QComboBox, QPlainTextEdit { background: %(surface)s; border: 1px solid %(border)s;
  border-radius: 6px; padding: %(u)dpx %(u2)dpx; selection-background-color: %(accent)s;
  selection-color: %(on_accent)s; }
QLineEdit[look="find"] { padding-left: %(u7)dpx; padding-right: %(u10)dpx; }
QListView[look="popup"] { background: %(surface)s; border: 1px solid %(line)s; outline: none;
  selection-background-color: %(selected)s; selection-color: %(text)s; }
QListView[look="popup"]::item { padding: %(u)dpx %(u2)dpx; }
QLineEdit[wrong="true"], QComboBox[wrong="true"] { border: 2px solid %(fail)s; }
QLineEdit:disabled, QComboBox:disabled { color: %(text_tertiary)s; border-color: %(line)s;
  background: transparent; }
QCheckBox, QRadioButton { spacing: %(u2)dpx; background: transparent; }
QCheckBox::indicator, QRadioButton::indicator { width: %(inner)dpx; height: %(inner)dpx;
  border: 1px solid %(border)s; background: %(surface)s; }
QCheckBox::indicator { border-radius: 4px; }
QRadioButton::indicator { border-radius: %(radius)dpx; }
QCheckBox::indicator:checked { border-color: %(accent)s; background: %(accent)s;
  image: url(%(icons)s/%(check)s.svg); }
QRadioButton::indicator:checked { width: %(hole)dpx; height: %(hole)dpx;
  border: %(dot)dpx solid %(accent)s; background: %(on_accent)s; }
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled { border-color: %(line)s;
  background: transparent; }
QComboBox::drop-down { border: none; width: %(u3)dpx; }
QComboBox QAbstractItemView { background: %(surface)s; border: 1px solid %(line)s; }
QPlainTextEdit[look="code"] { background: %(sunken)s; border: 1px solid %(line)s; }
QPlainTextEdit[look="codeview"] { background: %(surface)s; border: none; border-radius: 0;
  padding: 0; }
QSlider { background: transparent; min-height: %(u5)dpx; }
QSlider::groove:horizontal { height: 4px; border-radius: 2px; background: %(control)s; }
QSlider::sub-page:horizontal { background: %(accent)s; border-radius: 2px; }
QSlider::handle:horizontal { width: %(inner)dpx; height: %(inner)dpx; margin: -%(half)dpx 0;
  border: 2px solid %(accent)s; border-radius: %(radius)dpx; background: %(surface)s; }
QProgressBar { background: %(line)s; border: none; border-radius: 3px; max-height: 6px;
  min-height: 6px; }
QProgressBar::chunk { background: %(accent)s; border-radius: 3px; }
QTreeView, QTableView { background: transparent; border: none; outline: none; }
QTableView { gridline-color: transparent; selection-background-color: %(selected)s;
  selection-color: %(text)s; }
QTableView::item { border-bottom: 1px solid %(line_faint)s; padding: 0 %(u2)dpx; }
QHeaderView { background: transparent; border: none; }
QHeaderView::section { background: transparent; border: none; border-bottom: 1px solid %(line)s;
  padding: %(u)dpx %(u2)dpx; color: %(text_secondary)s; font-weight: 600; }
QTabBar { background: transparent; border: none; }
QTabBar::tab { background: transparent; border: none; border-bottom: 2px solid transparent;
  padding: %(u)dpx %(u)dpx; margin-right: %(u3)dpx; color: %(text_secondary)s; }
QTabBar::tab:selected { color: %(text)s; border-bottom-color: %(accent)s; }
QTabBar::tab:hover { color: %(text)s; }
QTextBrowser[look="prose"] { background: transparent; border: none; color: %(text)s; }
QListWidget { background: transparent; border: none; outline: none; }
QListWidget::item { padding: %(u2)dpx %(u)dpx; border-bottom: 1px solid %(line_faint)s; }
QListWidget::item:selected { background: %(selected)s; color: %(text)s; border-radius: 6px; }
QScrollBar:vertical { width: 10px; background: transparent; }
QScrollBar:horizontal { height: 10px; background: transparent; }
QScrollBar::handle { background: %(control)s; border-radius: 3px; margin: 2px; min-height: 32px;
  min-width: 32px; }
QScrollBar::add-line, QScrollBar::sub-line { height: 0; width: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QToolTip { background: %(raised)s; color: %(text)s; border: 1px solid %(line)s; }
QLabel { background: transparent; border: none; }
"""
