"""What can be done from anywhere: acts by their names, and how they are found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtWidgets import QWidget

from kataui.ui.widgets.buttons import Button
from kataui.ui.words import tr

_MOST_ACTS = 60


@dataclass(frozen=True, slots=True)
class Act:
    """Something that can be done from anywhere: ``keys`` is its shortcut.

    ``reason`` says why it cannot be done now; empty when it can.
    """

    title: str
    run: Callable[[], object]
    keys: str = ""
    reason: str = ""


Items = list[Act]


def fitting(acts: Sequence[Act], typed: str) -> Items:
    """The acts that have every typed word somewhere, those that begin with the first one first."""
    words = typed.casefold().split()
    told = [(act, tr(act.title).casefold()) for act in acts]
    found = [(act, text) for act, text in told if all(word in text for word in words)]
    if words:
        found.sort(key=lambda pair: not pair[1].startswith(words[0]))
    return [act for act, _ in found]


def page_acts(page: QWidget | None) -> Items:
    """The buttons that are seen in a page, by their names; those that are off say why."""
    found: dict[str, Act] = {}
    for button in page.findChildren(Button) if page is not None else ():
        name = button.accessibleName()
        if button.isVisible() and name and len(found) < _MOST_ACTS:
            reason = "" if button.isEnabled() else button.toolTip() or "Not possible now"
            found.setdefault(name, Act(name, button.click, reason=reason))
    return list(found.values())
