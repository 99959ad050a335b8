"""The settings: looks, language, what comes back, folders, rates, alerts, and where the log is."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from kataui import logs, settings
from kataui.ui import theme
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, row
from kataui.ui.widgets.facts import Facts
from kataui.ui.widgets.fields import ChoiceField, PathField
from kataui.ui.widgets.page import Columns, Page
from kataui.ui.words import LANGUAGES

_ABOUT = [
    ("Network", "kataui opens no connection; skopeo does when you name a registry"),
    ("Reports", "A crash report is shown to you, and never sent"),
]
Told = Callable[[str, str, Callable[[], object]], object]


class SettingsPage(Page):
    """Changes are kept at once, and survive an upgrade."""

    def __init__(self, told: Told) -> None:
        """``told`` gets what was done, a verb, and what undoes it."""
        self._told = told
        self._reset_button = Button("Reset", self._reset, name="Reset the settings")
        super().__init__("Settings", actions=[self._reset_button])
        self._make_looks()
        self._make_habits()
        self._make_isolation()
        self._show(settings.load())
        columns = Columns(shares=(1, 1), narrow_u=200)
        columns.left.addWidget(_card("How it looks", self._theme, self._size, self._language))
        columns.left.addWidget(_card("How much it asks", self._expert))
        columns.left.addWidget(_card("Start and folders", self._reopen, self._folder))
        columns.right.addWidget(_card("Isolation", self._rate, self._alert, self._desktop))
        columns.right.addWidget(_about())
        self.body.addWidget(columns)
        for field in (self._theme, self._size, self._language, self._expert, self._reopen):
            field.changed.connect(self._keep)
        for field in (self._rate, self._alert, self._desktop):
            field.changed.connect(self._keep)
        self._folder.changed.connect(self._keep)

    def _make_looks(self) -> None:
        self._theme = ChoiceField(
            "Theme",
            [
                ("system", "As the system"),
                ("light", "Light"),
                ("dark", "Dark"),
                ("contrast", "High contrast"),
            ],
        )
        self._size = ChoiceField(
            "Text size", [(str(percent), f"{percent} %") for percent in settings.TEXT_PERCENTS]
        )
        names = [(key, LANGUAGES.get(key, "As the system")) for key in settings.LANGUAGES]
        self._language = ChoiceField("Language", names, help_text="From the next start on.")

    def _make_habits(self) -> None:
        self._expert = ChoiceField(
            "Wizards begin",
            [("guided", "Guided: one question at a time"), ("expert", "Expert: all details")],
            help_text="You can switch in the wizard at any time; no answer is lost.",
        )
        self._reopen = ChoiceField(
            "At the start", [("yes", "Open what was open last"), ("no", "Begin at Home")]
        )
        self._folder = PathField(
            "Choosing a file begins in",
            mode="folder",
            help_text="Empty: your home folder, then where you were last.",
        )

    def _make_isolation(self) -> None:
        self._rate = ChoiceField(
            "Samples a second, live",
            [(str(rate), f"{rate:g}") for rate in settings.RATES_HZ],
            help_text="More show shorter waits, and cost the host a little more.",
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

    def _show(self, known: settings.Settings) -> None:
        self._theme.set_value(known.theme)
        self._size.set_value(str(known.text_percent))
        self._language.set_value(known.language)
        self._expert.set_value("expert" if known.expert else "guided")
        self._reopen.set_value("yes" if known.reopen else "no")
        self._folder.set_text(known.folder)
        self._rate.set_value(str(known.rate_hz))
        self._alert.set_value(known.alert_below)
        self._desktop.set_value("desktop" if known.alert_desktop else "window")

    def _keep(self, _: object = None) -> None:
        folder = self._folder.text
        if folder and not Path(folder).is_dir():
            self._folder.show_problem("This folder is not there; it is not kept.")
            folder = settings.load().folder
        changed = replace(
            settings.load(),
            theme=self._theme.value,
            text_percent=int(self._size.value),
            language=self._language.value,
            expert=self._expert.value == "expert",
            reopen=self._reopen.value == "yes",
            folder=folder,
            rate_hz=float(self._rate.value),
            alert_below=self._alert.value,
            alert_desktop=self._desktop.value == "desktop",
        )
        theme.set_theme(changed.theme, changed.text_percent)
        settings.save(changed)

    def _reset(self) -> None:
        """The defaults; what was open stays known. It can be undone."""
        before = settings.load()
        self._show(replace(settings.Settings(), recent=before.recent))
        self._keep()

        def undo() -> None:
            self._show(before)
            self._keep()

        self._told("All settings are as at the first start.", "Undo", undo)


def _card(title: str, *fields: QWidget) -> Card:
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
