"""The settings: theme, text size, guided or expert, and where the log is."""

from dataclasses import replace

from kataui import logs, settings
from kataui.ui import theme
from kataui.ui.widgets.card import Card
from kataui.ui.widgets.facts import Facts
from kataui.ui.widgets.fields import ChoiceField
from kataui.ui.widgets.page import Page


class SettingsPage(Page):
    """Changes are kept at once."""

    def __init__(self) -> None:
        super().__init__("Settings")
        known = settings.load()
        card = Card("How it looks")
        self._theme = ChoiceField(
            "Theme", [("system", "As the system"), ("light", "Light"), ("dark", "Dark")]
        )
        self._theme.set_value(known.theme)
        self._size = ChoiceField(
            "Text size", [(str(percent), f"{percent} %") for percent in settings.TEXT_PERCENTS]
        )
        self._size.set_value(str(known.text_percent))
        card.body.addWidget(self._theme)
        card.body.addWidget(self._size)
        self.body.addWidget(card)
        details = Card("How much it asks")
        self._expert = ChoiceField(
            "Wizards begin",
            [("guided", "Guided: one question at a time"), ("expert", "Expert: all details")],
            help_text="You can switch in the wizard at any time; no answer is lost.",
        )
        self._expert.set_value("expert" if known.expert else "guided")
        details.body.addWidget(self._expert)
        self.body.addWidget(details)
        about = Card("About this program")
        about.body.addWidget(
            Facts(
                [
                    ("Log file", str(logs.log_file())),
                    ("Network", "kataui opens no connection; skopeo does when you name a registry"),
                    ("Reports", "A crash report is shown to you, and never sent"),
                ]
            )
        )
        self.body.addWidget(about)
        for field in (self._theme, self._size, self._expert):
            field.changed.connect(self._keep)

    def _keep(self, _: str) -> None:
        changed = replace(
            settings.load(),
            theme=self._theme.value,
            text_percent=int(self._size.value),
            expert=self._expert.value == "expert",
        )
        settings.save(changed)
        theme.set_theme(changed.theme, changed.text_percent)
