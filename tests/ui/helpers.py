"""What every screen must keep: names for all that takes the focus, and no clipped words."""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QTabBar,
    QWidget,
)

from kataui.cli import parser
from kataui.ui.isolation.heads import Elided
from kataui.ui.widgets.banner import VerdictBanner
from kataui.ui.widgets.page import Scroll


def verb_of(words: list[str]) -> str:
    """The verb that the command line's own parser finds in the words; it exits when it cannot."""
    program, *argv = words
    assert program == "kataui"
    arguments = parser(argv).parse_args(argv)
    return f"{arguments.noun} {getattr(arguments, 'verb', '')}".strip()


def discard(window: QWidget) -> None:
    """Close a window for good: four thousand widgets that stay slow down each change of a theme."""
    window.setProperty("sure", True)
    window.close()
    window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def shown(root: QWidget) -> list[QWidget]:
    return [child for child in root.findChildren(QWidget) if child.isVisibleTo(root)]


def unnamed(root: QWidget) -> list[str]:
    """Focusable widgets without an accessible name."""
    return [
        f"{type(child).__name__} in {type(child.parent()).__name__}"
        for child in shown(root)
        if child.focusPolicy() & Qt.FocusPolicy.TabFocus
        and not child.accessibleName()
        and not child.focusProxy()
        and not child.objectName().startswith("qt_")
    ]


def speechless(root: QWidget) -> list[str]:
    """What is off, and does not say why: in its tool tip, and to a screen reader."""
    return [
        f"{child.accessibleName() or child.text()}: off without a reason"
        for child in shown(root)
        if isinstance(child, QAbstractButton)
        and not child.isEnabled()
        and not isinstance(child.parent(), QTabBar)  # Qt's own arrows, at the end of their way
        and not (child.accessibleDescription() and child.toolTip())
    ]


def clipped(root: QWidget) -> list[str]:
    """Labels and buttons that have less room than their words need."""
    found = []
    for child in shown(root):
        if isinstance(child, QLabel) and child.text() and not isinstance(child, Elided):
            need = child.heightForWidth(child.width()) if child.wordWrap() else 0
            low = child.wordWrap() and need > child.height() + 1
            wide = not child.wordWrap() and child.sizeHint().width() > child.width() + 1
            if low or wide:
                found.append(f"label {child.text()!r}: {child.size()} needs {child.sizeHint()}")
        if isinstance(child, QAbstractButton) and child.text():
            hint = child.minimumSizeHint()
            if hint.width() > child.width() + 2 or hint.height() > child.height() + 2:
                found.append(f"button {child.text()!r}: {child.size()} needs {hint}")
    return found


def sideways(root: QWidget) -> list[str]:
    """Pages that are wider than their place: words would hang out at the right."""
    return [
        f"{child.accessibleName()}: {child.horizontalScrollBar().maximum()} px too wide"
        for child in shown(root)
        if isinstance(child, Scroll) and child.horizontalScrollBar().maximum()
    ]


def cut_code(root: QWidget) -> list[str]:
    """Boxes of commands that show less than all their lines, and cannot be scrolled."""
    found = []
    for child in shown(root):
        if isinstance(child, QPlainTextEdit):
            block, height = child.document().begin(), 0.0
            while block.isValid():
                height += child.blockBoundingRect(block).height()
                block = block.next()
            scrolls = child.verticalScrollBar().isVisible()
            if height > child.viewport().height() and not scrolls:
                found.append(f"{child.accessibleName()}: {height} in {child.viewport().height()}")
    return found


def primaries(root: QWidget) -> list[str]:
    """The filled buttons; a page has one at most."""
    return [
        child.text()
        for child in shown(root)
        if isinstance(child, QPushButton) and child.property("kind") == "primary"
    ]


def banners(root: QWidget) -> list[VerdictBanner]:
    return [child for child in shown(root) if isinstance(child, VerdictBanner)]


def tab_stops(root: QWidget) -> set[QWidget]:
    """What Tab must reach; of a group of which one is chosen, the arrows reach the others."""
    return {
        child
        for child in shown(root)
        if child.focusPolicy() & Qt.FocusPolicy.TabFocus
        and child.isEnabled()
        and not child.focusProxy()
        and not (
            isinstance(child, QAbstractButton)
            and child.group() is not None
            and not child.isChecked()
        )
        and not child.objectName().startswith("qt_")
    }


def walk(key: Qt.Key, steps: int) -> list[QWidget]:
    """Where the focus goes when a key is pressed again and again."""
    seen = []
    for _ in range(steps):
        focused = QApplication.focusWidget()
        if focused is None:
            break
        QTest.keyClick(focused, key)
        after = QApplication.focusWidget()
        if after is not None:
            seen.append(after)
    return seen
