"""The pages about kataui itself, at the end of the sidebar; loaded when one is first shown."""

from PySide6.QtWidgets import QWidget

from kataui.helptexts import topics
from kataui.ui.computer.computerpage import ComputerPage
from kataui.ui.help.helppage import HelpPage
from kataui.ui.help.topics import topic_of
from kataui.ui.settingspage import SettingsPage
from kataui.ui.shortcutspage import ShortcutsPage
from kataui.ui.window import Window
from kataui.ui.words import language


def make(window: Window, name: str) -> QWidget:
    """The page of a name."""
    if name == "computer":
        return ComputerPage(window.jobs, window.show_problem)
    if name == "settings":
        return SettingsPage(window.show_done)
    return HelpPage() if name == "help" else ShortcutsPage(window.shortcuts)


def explain(window: Window, address: str = "") -> None:
    """Show the help's text for the page that is shown, or another topic."""
    wanted = address or topic_of(window.current_key)
    window.go("help")
    page = window.page("help")
    if isinstance(page, HelpPage):
        page.show_topic(wanted)


def titles() -> list[tuple[str, str]]:
    """The title and address of each topic."""
    return [(one.title, one.address) for one in topics(language())]
