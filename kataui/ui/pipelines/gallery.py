"""The page of the tab: all templates, searched and filtered, and the way in for one's own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QButtonGroup,
    QGridLayout,
    QLineEdit,
    QPushButton,
    QStackedWidget,
    QWidget,
)

from kataui.files import clean, count_text
from kataui.pipelines.catalogue import Catalogue, own_folder
from kataui.pipelines.model import Broken, Stage, Template
from kataui.ui import theme
from kataui.ui.commandtext import command
from kataui.ui.icons import IconLabel
from kataui.ui.pipelines.drafts import Draft
from kataui.ui.pipelines.strip import SmallStrip
from kataui.ui.widgets.bigbutton import BigButton
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card, clear, column, hairline, row
from kataui.ui.widgets.drop import DropTarget
from kataui.ui.widgets.flowrow import flow_row
from kataui.ui.widgets.page import Page
from kataui.ui.widgets.text import label
from kataui.ui.words import tr

_QUESTION = "How do I run my CI on Kata, and ship a protected image from it?"
_DROP = "Drop a pipeline or a manifest that you have: it is checked, and can be put on Kata"
_TWO_COLUMNS_U = 130
ALL = "All"


@dataclass(frozen=True, slots=True)
class Actions:
    """What the page can start."""

    open_template: Callable[[Template], object]
    adopt: Callable[[], object]
    open_paths: Callable[[list[str]], None]
    reopen: Callable[[Draft], object]
    stages: Callable[[Template], Sequence[Stage]]
    reload: Callable[[], object]


class TemplateCard(BigButton):
    """Title, system, minutes, why Kata, and the boundaries of its stages."""

    def __init__(self, template: Template, then: Callable[[], object]) -> None:
        self.template = template
        self.strip = SmallStrip()
        minutes = f"{template.minutes} min"
        system = f"{template.system}, yours" if template.own else template.system
        facts = label(clean(f"{system} · {minutes}", limit=80), "note", wrap=False)
        title = label(clean(template.title, limit=80), "heading")
        middle = Qt.AlignmentFlag.AlignVCenter
        bottom = row(facts, None)
        bottom.addWidget(self.strip, 0, middle)
        words = column(title, label(clean(template.why, limit=300), "dim"), bottom, spacing_u=1)
        words.insertStretch(2, 1)
        pad = theme.u(4)
        words.setContentsMargins(pad, theme.u(3), pad, theme.u(3))
        about = f"{template.system}. {template.why} About {count_text(template.minutes, 'minute')}."
        super().__init__(words, then, kind="card", name=template.title, about=about)

    def show_stages(self, stages: Sequence[Stage]) -> None:
        """Draw what its pods run in."""
        self.strip.show_stages(stages)
        if self.strip.words:
            told = f"{self.accessibleDescription()} Stages: {self.strip.words}."
            self.setAccessibleDescription(tr(told))

    def matches(self, words: str, system: str) -> bool:
        """Whether all words occur in what is said about it, and it is of the system."""
        one = self.template
        said = " ".join((one.title, one.system, one.why, one.summary, one.id, *one.tags)).lower()
        return system in {ALL, *_themes(one)} and all(w in said for w in words.lower().split())


class _Grid(QWidget):
    """Cards in two columns, or one where the window is narrow; hidden ones leave no hole."""

    def __init__(self, cards: Sequence[TemplateCard]) -> None:
        super().__init__()
        self._cards = cards
        self._placed: tuple[int, list[TemplateCard]] = (0, [])
        self._wanted = list(cards)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(theme.u(4))
        self._arrange()

    def show_only(self, cards: list[TemplateCard]) -> None:
        """Show these."""
        self._wanted = cards
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width may want other columns."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        columns = 2 if self.width() >= theme.u(_TWO_COLUMNS_U) else 1
        if self._placed == (columns, self._wanted):
            return
        self._placed = (columns, list(self._wanted))
        for card in self._cards:
            self._grid.removeWidget(card)
        for number, card in enumerate(self._wanted):
            self._grid.addWidget(card, number // columns, number % columns)
        for column_number in range(2):
            self._grid.setColumnStretch(column_number, 1 if column_number < columns else 0)
        for card in self._cards:
            card.setVisible(card in self._wanted)


class GalleryPage(Page):
    """Everything is on this computer: nothing is fetched."""

    keys = ("/ Search", "Enter Open")

    def __init__(self, catalogue: Catalogue, closed: Sequence[Draft], actions: Actions) -> None:
        adopt = Button("Put my pipeline on Kata…", actions.adopt, icon="pipeline", kind="primary")
        super().__init__("Pipelines", _QUESTION, actions=[adopt])
        self._actions = actions
        self.cards = [
            TemplateCard(one, partial(actions.open_template, one)) for one in catalogue.templates
        ]
        self._waiting = list(self.cards)
        self._system = ALL
        self.search = QLineEdit()
        self.search.setAccessibleName(tr("Search templates"))
        self.search.setPlaceholderText(tr(f"Search {len(self.cards)} templates"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.search.returnPressed.connect(self._open_first)
        self.body.addWidget(self.search)
        self.body.addWidget(self._make_filter())
        self._grid = _Grid(self.cards)
        self.body.addWidget(self._grid)
        self._none = label("No template has all of these words.", "dim")
        self.body.addWidget(self._none)
        self._none.hide()
        target = DropTarget(_DROP, Button("Open…", actions.adopt, name="Open a pipeline file"))
        target.dropped.connect(actions.open_paths)
        self.body.addWidget(target)
        self._closed = Card("Closed lately", note="your answers are kept")
        self.body.addWidget(self._closed)
        self.show_closed(closed)
        self._add_own(catalogue.broken)
        shortcut = QShortcut(QKeySequence("/"), self)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(self.search.setFocus)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._draw_next)
        self._timer.start(0)

    def take_focus(self) -> None:
        """To the search."""
        self.search.setFocus(Qt.FocusReason.OtherFocusReason)

    def _make_filter(self) -> QWidget:
        names = [
            ALL,
            *dict.fromkeys(name for card in self.cards for name in _themes(card.template)),
        ]
        group = QButtonGroup(self)
        self.filters: dict[str, QPushButton] = {}
        for name in names:
            button = QPushButton(tr(name))
            button.setCheckable(True)
            button.setProperty("kind", "segment")
            button.setAccessibleName(tr(f"Show: {name}"))
            button.setChecked(name == ALL)
            button.clicked.connect(lambda _=False, name=name: self._choose(name))
            group.addButton(button)
            self.filters[name] = button
        return flow_row(*self.filters.values())

    def _choose(self, system: str) -> None:
        self._system = system
        self._filter()

    @property
    def found(self) -> list[TemplateCard]:
        """The cards that are shown."""
        return [card for card in self.cards if card.matches(self.search.text(), self._system)]

    def _filter(self) -> None:
        self._grid.show_only(self.found)
        self._none.setHidden(bool(self.found))

    def _open_first(self) -> None:
        """Enter opens the only one, or goes to the first."""
        if len(self.found) == 1:
            self.found[0].click()
        elif self.found:
            self.found[0].setFocus(Qt.FocusReason.TabFocusReason)

    def _draw_next(self) -> None:
        """One card's stages at a time, so that the page is there at once."""
        if not self._waiting:
            self._timer.stop()
            return
        card = self._waiting.pop(0)
        card.show_stages(self._actions.stages(card.template))

    def show_closed(self, closed: Sequence[Draft]) -> None:
        """Forms that were closed, the newest first."""
        clear(self._closed.body)
        self._closed.setHidden(not closed)
        self._closed.body.setSpacing(0)
        for number, draft in enumerate(sorted(closed, key=lambda d: d.when, reverse=True)):
            if number:
                self._closed.body.addWidget(hairline())
            name = str(draft.values.get("name", ""))
            title = clean(draft.title or draft.template, limit=80)
            words = row(label(title, "strong", wrap=False), label(clean(name, limit=60), "note"))
            words.setContentsMargins(theme.u(1), theme.u(2), theme.u(1), theme.u(2))
            again = partial(self._actions.reopen, draft)
            about = f"Open again: {title}"
            self._closed.body.addWidget(
                BigButton(words, again, kind="line", name=about, about=name)
            )

    def _add_own(self, broken: Sequence[Broken]) -> None:
        """Where own templates go, and those that cannot be used, with their fault."""
        reload = Button(
            "Read again", self._actions.reload, kind="quiet", name="Read templates again"
        )
        card = Card("Your own templates", action=reload)
        path = clean(str(own_folder()), limit=300)
        words = f"A folder each, with a template.yaml, in {path}."
        card.body.addWidget(label(words, "note", selectable=True))
        for one in broken:
            card.body.addWidget(hairline())
            card.body.addWidget(BrokenLine(one))
        self.body.addWidget(card)


class GalleryTab(QStackedWidget):
    """The gallery, made anew when templates are read again."""

    keys = GalleryPage.keys

    def __init__(self, make: Callable[[], GalleryPage]) -> None:
        super().__init__()
        self.setProperty("look", "page")
        self._make = make
        self.page = make()
        self.addWidget(self.page)

    def read_again(self) -> None:
        """Read all templates, and show them."""
        old, self.page = self.page, self._make()
        self.addWidget(self.page)
        self.setCurrentWidget(self.page)
        self.removeWidget(old)
        old.deleteLater()
        self.page.take_focus()

    def as_command(self) -> list[str]:
        """As words."""
        return command("pipeline list", [], {})

    def take_focus(self) -> None:
        """To the search."""
        self.page.take_focus()


class BrokenLine(QWidget):
    """A template that cannot be used, and why."""

    def __init__(self, broken: Broken) -> None:
        super().__init__()
        words = column(
            label(clean(broken.folder, limit=200), "strong"),
            label(clean(broken.problem, limit=300), "note"),
            spacing_u=0.5,
        )
        line = row(IconLabel("error"))
        line.addLayout(words, 1)
        line.setContentsMargins(0, 0, 0, 0)
        self.setLayout(line)
        self.setAccessibleName(tr(f"Cannot be used: {broken.folder}. {broken.problem}"))


def _themes(template: Template) -> tuple[str, ...]:
    """What it is filtered by: its system, and "policy" when it is one."""
    found = [template.system.split()[0]]
    if "policy" in template.tags:
        found.append("Policy")
    return tuple(found)
