"""The settings: theme, text size, guided or expert, and where the log is."""

from dataclasses import replace

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from kataui import logs, settings
from kataui.ui import theme
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, row
from kataui.ui.widgets.facts import Facts
from kataui.ui.widgets.fields import ChoiceField
from kataui.ui.widgets.page import Columns, Page

_ABOUT = [
    ("Network", "kataui opens no connection; skopeo does when you name a registry"),
    ("Reports", "A crash report is shown to you, and never sent"),
]


class SettingsPage(Page):
    """Changes are kept at once."""

    def __init__(self) -> None:
        self._reset_button = Button("Reset", self._reset, name="Reset the settings")
        super().__init__("Settings", actions=[self._reset_button])
        self._theme = ChoiceField(
            "Theme", [("system", "As the system"), ("light", "Light"), ("dark", "Dark")]
        )
        self._size = ChoiceField(
            "Text size", [(str(percent), f"{percent} %") for percent in settings.TEXT_PERCENTS]
        )
        self._expert = ChoiceField(
            "Wizards begin",
            [("guided", "Guided: one question at a time"), ("expert", "Expert: all details")],
            help_text="You can switch in the wizard at any time; no answer is lost.",
        )
        self._alert = ChoiceField(
            "Alert when a sandbox is for 30 s",
            [(grade, f"Below grade {grade}") for grade in settings.ALERT_GRADES[:-1]]
            + [("never", "No alerts")],
            help_text="The time line gets a marker, and the sidebar the mark. Never a sound.",
        )
        self._desktop = ChoiceField(
            "Tell alerts", [("window", "In the window"), ("desktop", "On the desktop, too")]
        )
        self._show(settings.load())
        columns = Columns(shares=(1, 1), narrow_u=200)
        columns.left.addWidget(_card("How it looks", self._theme, self._size))
        columns.left.addWidget(_card("How much it asks", self._expert))
        columns.left.addWidget(_card("Isolation", self._alert, self._desktop))
        columns.right.addWidget(_about())
        self.body.addWidget(columns)
        for field in (self._theme, self._size, self._expert, self._alert, self._desktop):
            field.changed.connect(self._keep)

    def _show(self, known: settings.Settings) -> None:
        self._theme.set_value(known.theme)
        self._size.set_value(str(known.text_percent))
        self._expert.set_value("expert" if known.expert else "guided")
        self._alert.set_value(known.alert_below)
        self._desktop.set_value("desktop" if known.alert_desktop else "window")

    def _keep(self, _: str) -> None:
        changed = replace(
            settings.load(),
            theme=self._theme.value,
            text_percent=int(self._size.value),
            expert=self._expert.value == "expert",
            alert_below=self._alert.value,
            alert_desktop=self._desktop.value == "desktop",
        )
        theme.set_theme(changed.theme, changed.text_percent)
        settings.save(changed)

    def _reset(self) -> None:
        self._show(settings.Settings())


def _card(title: str, *fields: ChoiceField) -> Card:
    card = Card(title)
    for field in fields:
        card.body.addWidget(field)
    return card


def _about() -> Card:
    card = Card("About this program")
    card.body.addWidget(Facts([("Log file", str(logs.log_file())), *_ABOUT]))
    folder = QUrl.fromLocalFile(str(logs.log_file().parent))
    show = Button("Show the log…", lambda: QDesktopServices.openUrl(folder), icon="folder")
    card.body.addLayout(row(show, None))
    return card
