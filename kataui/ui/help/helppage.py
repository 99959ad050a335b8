"""The help: search and list at the left, the text at the right."""

from PySide6.QtCore import QSize, Qt, QUrl
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QTextBrowser, QVBoxLayout

from kataui.helptexts import Topic, search, topic
from kataui.ui import theme
from kataui.ui.widgets.buttons import Button
from kataui.ui.widgets.card import Card
from kataui.ui.widgets.fields import TextField
from kataui.ui.widgets.page import Page
from kataui.ui.words import language, tr

START = "page:home"
_LIST_U, _TEXT_U, _ROW_U = 62, 190, 8.5


class HelpPage(Page):
    """Shows one topic; links lead to others, and Alt+Left goes back."""

    keys = ("Alt+← Back",)

    def __init__(self) -> None:
        self._back = Button("Back", self.back, icon="left")
        super().__init__("Help", "A text for every page and every term.", actions=[self._back])
        self._seen: list[str] = []
        self.search = TextField("Search", placeholder="A word")
        self.search.edit.textChanged.connect(self._list_topics)
        self.search.edit.returnPressed.connect(self._take_first)
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Topics"))
        self.list.setProperty("look", "list")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.currentItemChanged.connect(self._on_chosen)
        self.text = QTextBrowser()
        self.text.setAccessibleName(tr("Text"))
        self.text.setProperty("look", "prose")
        self.text.setOpenLinks(False)
        self.text.anchorClicked.connect(self._on_link)
        self._arrange()
        back = QAction(tr("Back"), self)
        back.setShortcut(QKeySequence("Alt+Left"))
        back.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        back.triggered.connect(lambda _checked=False: self.back())
        self.addAction(back)
        theme.state().changed.connect(self._show_again)
        self._list_topics()
        self.show_topic(START)

    def _arrange(self) -> None:
        left = QVBoxLayout()
        left.addWidget(self.search)
        left.addWidget(self.list, 1)
        card = Card()
        card.body.addWidget(self.text)
        line = QHBoxLayout()
        line.setSpacing(theme.u(4))
        self.list.setMinimumWidth(theme.u(40))
        self.list.setMaximumWidth(theme.u(_LIST_U))
        self.search.setMaximumWidth(theme.u(_LIST_U))
        line.addLayout(left)
        card.setMaximumWidth(theme.u(_TEXT_U))  # longer lines are hard to read
        line.addWidget(card, 1)
        line.addStretch(0)
        self.body.addLayout(line)
        self.scroller.use_all()

    @property
    def shown(self) -> str:
        """The address of the topic that is shown."""
        return self._seen[-1] if self._seen else ""

    def show_topic(self, address: str) -> None:
        """Show a topic, and remember the one before."""
        if topic(address, language()) is not None and address != self.shown:
            self._seen.append(address)
            self._show_again()

    def back(self) -> None:
        """The topic that was shown before."""
        if len(self._seen) > 1:
            self._seen.pop()
            self._show_again()

    def _show_again(self) -> None:
        one = topic(self.shown, language())
        if one is None:
            return
        self._back.set_reason("" if len(self._seen) > 1 else "Nothing was shown before.")
        self.text.document().setDefaultFont(theme.font("body"))
        self.text.document().setMarkdown(f"# {one.title}\n\n{one.text}")
        self.text.setAccessibleDescription(f"{one.title}. {one.summary}")
        self._mark(one)

    def _mark(self, one: Topic) -> None:
        """Choose its line in the list, if it is there."""
        self.list.blockSignals(True)  # noqa: FBT003 - Qt's own
        for number in range(self.list.count()):
            item = self.list.item(number)
            if item.data(Qt.ItemDataRole.UserRole) == one.address:
                self.list.setCurrentItem(item)
        self.list.blockSignals(False)  # noqa: FBT003 - Qt's own

    def _list_topics(self) -> None:
        self.list.blockSignals(True)  # noqa: FBT003 - Qt's own
        self.list.clear()
        for one in search(self.search.text, language()):
            item = QListWidgetItem(one.title)
            item.setToolTip(one.summary)
            item.setSizeHint(QSize(0, theme.u(_ROW_U)))
            item.setData(Qt.ItemDataRole.UserRole, one.address)
            self.list.addItem(item)
        self.list.blockSignals(False)  # noqa: FBT003 - Qt's own
        found = topic(self.shown, language())
        if found is not None:
            self._mark(found)

    def _take_first(self) -> None:
        if self.list.count():
            self.list.setCurrentRow(0)
            self._on_chosen(self.list.item(0))

    def _on_chosen(self, item: QListWidgetItem | None, _before: object = None) -> None:
        if item is not None:
            self.show_topic(item.data(Qt.ItemDataRole.UserRole))

    def _on_link(self, url: QUrl) -> None:
        self.show_topic(url.toString())
